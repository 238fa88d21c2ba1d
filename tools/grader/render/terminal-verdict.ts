// The few lines that watch mode shows after each save.
import { type Look, MARK, paint } from '../../terminal/look.ts';
import type { Report } from '../report.ts';
import { brokenInvariants, countsByLevel, criterionOf, failingTests, isScored } from './digest.ts';
import { excerptOf } from './excerpt.ts';
import { replayCommand } from './next-commands.ts';
import { oneLine } from './plain-text.ts';
import { clip } from './terminal-lines.ts';
import { bandWords, brokenWords, number, simulationWords, suiteWords } from './words.ts';

interface VerdictLine {
  readonly text: string;
  readonly style?: 'bold' | 'red' | 'green' | 'dim' | 'cyan';
}

/** The lines, each cut to the look's width. */
export function verdictLines(report: Report, look: Look): string[] {
  const lines = isScored(report) ? [...soFar(report), { text: '' }, ...firstTrouble(report)] : ungraded(report);
  return lines.map((line) => clipped(line, look));
}

function clipped({ text, style }: VerdictLine, look: Look): string {
  const indent = text.length - text.trimStart().length;
  const kept = ' '.repeat(indent) + clip(text, look.width - indent);
  return style === undefined ? kept : paint(look, style, kept);
}

function soFar(report: Report): VerdictLine[] {
  const levels = countsByLevel(report).map(
    ({ level, passed, total }) => `${passed === total ? MARK.pass : MARK.fail} ${level} ${passed}/${total}`,
  );
  const score = `${number(report.score)} of 100 so far, bar ${number(report.bar)} · ${bandWords(report)}`;
  const { schedules } = report.simulation;
  return [
    { text: score, style: 'bold' },
    { text: levels.length === 0 ? suiteWords(report) : levels.join('   ') },
    { text: simulationWords(report), ...(schedules === 0 ? { style: 'dim' as const } : {}) },
    ...(report.reason === null ? [] : [{ text: report.reason, style: 'red' as const }]),
  ];
}

/** The first failing test of the lowest level; else the first broken story; else that all is well. */
function firstTrouble(report: Report): VerdictLine[] {
  const [test] = failingTests(report);
  if (test !== undefined) {
    const level = criterionOf(report, test.criterion)?.level;
    const { lines, difference } = excerptOf(test.message ?? '');
    return [
      { text: `${MARK.fail} ${level === undefined ? '' : `${level}: `}${oneLine(test.name)}`, style: 'red' },
      { text: `  ${lines[0] ?? ''}` },
      ...(difference > 0 ? [{ text: `  >> ${lines[difference]?.trim()}` }] : []),
    ];
  }
  const [violation] = brokenInvariants(report);
  if (violation === undefined) return allWell(report);
  return [
    { text: `${MARK.fail} ${oneLine(violation.invariant)} ${brokenWords(report, violation)}`, style: 'red' },
    { text: `  ${violation.story.headline}` },
    { text: `  ${replayCommand(report, violation.replayId)}`, style: 'cyan' },
  ];
}

function allWell(report: Report): VerdictLine[] {
  if (report.status === 'incomplete' || report.simulation.schedules === 0) {
    return [{ text: 'Nothing failed in what was run.' }];
  }
  return [
    { text: `${MARK.pass} Nothing fails. npx kata grade ${report.kata.slug} for the full grade.`, style: 'green' },
  ];
}

function ungraded(report: Report): VerdictLine[] {
  const [check] = report.checks.filter(({ status }) => status === 'fail' || status === 'error');
  const reason = oneLine(report.reason ?? 'Nothing was judged.');
  return [
    { text: `${MARK.fail} Not gradable`, style: 'red' },
    { text: `  ${reason}` },
    ...(check === undefined ? [] : [{ text: `  ${check.id}: ${check.detail}` }]),
  ];
}
