// The few lines that watch mode shows after each save.
import { type Look, MARK, paint, wrap } from '../../terminal/look.ts';
import type { Report } from '../report.ts';
import { brokenInvariants, countsByLevel, criterionOf, failingTests, isScored } from './digest.ts';
import { excerptOf } from './excerpt.ts';
import { replayCommand } from './next-commands.ts';
import { oneLine } from './plain-text.ts';
import { clip } from './terminal-lines.ts';
import { bandWords, brokenWords, number, simulationWords, suiteWords } from './words.ts';

interface VerdictLine {
  readonly text: string;
  readonly indent?: number;
  /** Terminal lines it may take; what is longer is cut (default 1). */
  readonly most?: number;
  readonly style?: 'bold' | 'red' | 'green' | 'yellow' | 'dim' | 'cyan';
}

/** The verdict as lines that fit the look's width. */
export function verdictLines(report: Report, look: Look): string[] {
  const lines = isScored(report) ? [...soFar(report), { text: '' }, ...firstTrouble(report)] : ungraded(report);
  return lines.flatMap((line) => fitted(line, look));
}

function fitted({ text, indent = 0, most = 1, style }: VerdictLine, look: Look): string[] {
  const room = look.width - indent;
  const whole = wrap({ ...look, width: room }, oneLine(text)).split('\n');
  const kept = whole.slice(0, most - 1);
  const last = clip(whole.slice(most - 1).join(' '), room);
  return [...kept, ...(last === '' && kept.length > 0 ? [] : [last])].map((line) => {
    const shown = line === '' ? '' : ' '.repeat(indent) + line;
    return style === undefined || shown === '' ? shown : paint(look, style, shown);
  });
}

function soFar(report: Report): VerdictLine[] {
  const levels = countsByLevel(report).map(
    ({ level, passed, total }) => `${passed === total ? MARK.pass : MARK.fail} ${level} ${passed}/${total}`,
  );
  return [
    { text: `${number(report.score)} of 100 so far, the bar is ${number(report.bar)}`, style: 'bold' },
    { text: levels.length === 0 ? suiteWords(report) : `tests ${levels.join(' · ')}`, most: 2 },
    { text: report.simulation.schedules === 0 ? simulationWords(report) : shortSimulation(report) },
    ...(report.reason === null
      ? [{ text: bandWords(report), style: 'dim' as const }]
      : [{ text: report.reason, most: 3, style: 'yellow' as const }]),
  ];
}

function shortSimulation({ simulation: { schedules, failing } }: Report): string {
  const held = schedules - failing;
  return `${failing === 0 ? MARK.pass : MARK.fail} simulation ${number(held)}/${number(schedules)} schedules`;
}

/** The first failing test of the lowest level; else the first broken story; else what else costs points. */
function firstTrouble(report: Report): VerdictLine[] {
  const [test] = failingTests(report);
  if (test !== undefined) return failingTest(report, test);
  const [violation] = brokenInvariants(report);
  if (violation === undefined) return noTrouble(report);
  return [
    { text: `${MARK.fail} ${violation.invariant} ${brokenWords(report, violation)}`, style: 'red' },
    { text: violation.story.headline, indent: 2, most: 2 },
    { text: replayCommand(report, violation.replayId), indent: 2, style: 'cyan' },
  ];
}

function failingTest(report: Report, test: Report['tests'][number]): VerdictLine[] {
  const level = criterionOf(report, test.criterion)?.level;
  const { lines, difference } = excerptOf(test.message ?? '');
  const [differs, next] = difference > 0 ? lines.slice(difference, difference + 2) : [];
  const isPair = next !== undefined && /^\s*\+/.test(next);
  return [
    { text: `${MARK.fail} ${level === undefined ? '' : `${level}: `}${test.name}`, most: 2, style: 'red' },
    { text: lines[0] ?? '', indent: 2 },
    ...(differs === undefined ? [] : [{ text: `>> ${oneLine(differs)}`, indent: 2 }]),
    ...(isPair ? [{ text: oneLine(next), indent: 5 }] : []),
  ];
}

function noTrouble(report: Report): VerdictLine[] {
  if (report.fixFirst !== null) {
    const { criterion, because } = report.fixFirst;
    const title = criterionOf(report, criterion)?.title ?? criterion;
    return [
      { text: `${MARK.warn} ${title}`, style: 'yellow' },
      { text: because, indent: 2, most: 2 },
    ];
  }
  if (report.status === 'incomplete' || report.simulation.schedules === 0) {
    return [{ text: 'Nothing failed in what was run.' }];
  }
  return [
    { text: `${MARK.pass} Nothing fails.`, style: 'green' },
    { text: `Full grade: npx kata grade ${report.kata.slug}`, style: 'cyan' },
  ];
}

function ungraded(report: Report): VerdictLine[] {
  const check = report.checks.find(({ status }) => status === 'fail' || status === 'error');
  return [
    { text: `${MARK.fail} Not gradable: there is no score`, style: 'red' },
    { text: report.reason ?? 'Nothing was judged.', indent: 2, most: 5 },
    ...(check === undefined ? [] : [{ text: `${check.id}: ${check.detail}`, indent: 2, most: 3 }]),
  ];
}
