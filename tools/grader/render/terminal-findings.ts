// The middle of the terminal report: what to fix first, failing tests, broken invariants, checks.
import { isDeepStrictEqual } from 'node:util';
import { type Look, MARK, paint } from '../../terminal/look.ts';
import type { Report, TestResult, Violation } from '../report.ts';
import { against, blockers, brokenInvariants, criterionOf, failingTests } from './digest.ts';
import { excerptOf } from './excerpt.ts';
import { replayCommand } from './next-commands.ts';
import { oneLine } from './plain-text.ts';
import { heading, item, paragraph, verbatim } from './terminal-lines.ts';
import { renderTextDiagram } from './text-diagram.ts';
import { brokenWords, counted, differenceWords, evidenceWords, number, statusWords } from './words.ts';

/** The criterion most worth winning back, its evidence and its first hint. */
export function fixFirst(report: Report, look: Look): string[] {
  if (report.fixFirst === null) return [];
  const { criterion: id, because, hint } = report.fixFirst;
  const criterion = criterionOf(report, id);
  const lost =
    criterion &&
    `${criterion.level}, ${number(Math.round((criterion.points - criterion.earned) * 10) / 10)} points to win back`;
  const title = criterion ? `${oneLine(criterion.title)} (${lost})` : oneLine(id);
  // What `because` tells already is not told twice.
  const others = criterion ? against(criterion).filter((each) => !because.startsWith(each.id)) : [];
  return [
    ...heading(look, 'Fix first'),
    ...item(look, MARK.arrow, title, { style: 'bold' }),
    ...(because === '' ? [] : paragraph(look, because, { indent: 4 })),
    ...others.slice(0, 3).flatMap((each) => item(look, '-', evidenceWords(each), { indent: 4 })),
    ...(hint === '' ? [] : paragraph(look, `Hint: ${hint}`, { indent: 4, style: 'cyan' })),
  ];
}

/** Each failing test, the lowest level first, with the beginning of its text and the first difference. */
export function failures(report: Report, look: Look, fullTextPath: string | undefined): string[] {
  const failing = failingTests(report);
  const blocked = blockers(report).flatMap(({ by, count }) =>
    item(look, MARK.none, `${counted(count, 'test')} blocked by "${oneLine(by)}"`, { style: 'dim' }),
  );
  if (failing.length + blocked.length === 0) return [];
  const where = fullTextPath === undefined ? [] : paragraph(look, `Full texts: ${fullTextPath}`, { style: 'dim' });
  const title = failing.length === 0 ? 'Blocked tests' : `Failing tests (${failing.length})`;
  return [...heading(look, title), ...failing.flatMap((test) => failure(report, test, look)), ...blocked, ...where];
}

function failure(report: Report, test: TestResult, look: Look): string[] {
  const level = criterionOf(report, test.criterion)?.level;
  const about = [statusWords(test.status), level, ...test.spec].filter((each) => each !== undefined);
  const name = `${oneLine(test.name)} (${about.join(', ')})`;
  return [...item(look, MARK.fail, name, { style: 'red' }), ...excerptLines(test.message ?? '', look), ''];
}

function excerptLines(message: string, look: Look): string[] {
  if (message.trim() === '') return [];
  const { lines, difference, hidden } = excerptOf(message);
  const shown = lines.flatMap((line, n) => {
    const broken = verbatim(look, line, 6);
    if (n !== difference) return broken;
    return broken.map((each, at) => paint(look, 'bold', at === 0 ? `  >>${each.slice(4)}` : each));
  });
  const more = hidden === 0 ? [] : paragraph(look, `… ${counted(hidden, 'more line')}`, { indent: 6, style: 'dim' });
  return [...shown, ...more];
}

/** Each broken invariant with its story, the lowest level first. A schedule that breaks several is told once. */
export function brokenRules(report: Report, look: Look, { isDemo = false } = {}): string[] {
  const broken = brokenInvariants(report);
  if (broken.length === 0) return [];
  return [
    ...heading(look, `Broken invariants (${broken.length})`),
    ...broken.flatMap((violation, n) => {
      const told = broken.slice(0, n).find(({ schedule }) => isDeepStrictEqual(schedule, violation.schedule));
      const again = `Again: ${replayCommand(report, violation.replayId)}`;
      return [
        ...item(look, MARK.fail, `${oneLine(violation.invariant)} ${brokenWords(report, violation)}`, { style: 'red' }),
        ...paragraph(look, violation.story.headline, { indent: 4 }),
        ...(told ? paragraph(look, `In the schedule of ${oneLine(told.invariant)}, above.`, { indent: 4 }) : []),
        ...(told ? [] : storyLines(violation, look)),
        ...(isDemo ? [] : paragraph(look, again, { indent: 4, style: 'cyan' })),
        '',
      ];
    }),
  ];
}

function storyLines({ story }: Violation, look: Look): string[] {
  const steps = story.steps.flatMap((step, n) => item(look, `${n + 1}.`, step, { indent: 4 }));
  const beside = differenceWords(story);
  return [
    '',
    ...paragraph(look, 'What happens:', { indent: 4 }),
    ...steps,
    '',
    renderTextDiagram(story, look),
    '',
    ...(beside === null ? [] : paragraph(look, beside.title, { indent: 4 })),
    ...(beside === null ? [] : item(look, '-', beside.attempt, { indent: 4 })),
    ...(beside === null ? [] : item(look, '-', beside.reference, { indent: 4 })),
  ];
}

/** The checks that did not pass. */
export function failedChecks(report: Report, look: Look): string[] {
  const failed = report.checks.filter(({ status }) => status !== 'pass');
  if (failed.length === 0) return [];
  return [
    ...heading(look, 'Checks'),
    ...failed.flatMap(({ id, status, detail }) => {
      const mark = status === 'not-run' || status === 'skipped' ? MARK.none : MARK.fail;
      return item(look, mark, `${id} ${statusWords(status)}${detail === '' ? '' : `: ${detail}`}`);
    }),
  ];
}
