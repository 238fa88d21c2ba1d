// What a person may type after a grade.
import type { Report } from '../report.ts';

export interface NextCommand {
  readonly command: string;
  readonly does: string;
}

/** The command that runs one kept schedule again. */
export const replayCommand = ({ kata }: Report, replayId: string): string => `npx kata replay ${kata.slug} ${replayId}`;

/** The commands that lead on from a grade, the most useful first. After a demonstration there is only the kata to start. */
export function nextCommands(report: Report, { isDemo = false } = {}): NextCommand[] {
  const { slug } = report.kata;
  if (isDemo) return [{ command: `npx kata start ${slug}`, does: 'build it yourself' }];
  const again = { command: `npx kata grade ${slug}`, does: 'grade again' };
  if (report.status === 'not-gradable') return [again];

  const [first] = report.simulation.violations;
  const replay = first && { command: replayCommand(report, first.replayId), does: 'see the story again' };
  const hint = report.fixFirst && { command: `npx kata hint ${slug}`, does: 'the next hint' };
  const reasons = report.status === 'passed' && {
    command: `npx kata diff ${slug}`,
    does: 'your code against the reference, with its reasons',
  };
  const beside = { command: `npx kata check ${slug}`, does: 'the attempt beside the reference' };
  return [replay, hint, reasons, report.status === 'incomplete' ? again : beside].filter(
    (each) => each !== undefined && each !== null && each !== false,
  );
}
