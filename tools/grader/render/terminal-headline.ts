// The top of the terminal report: score, bar and band, or plainly that there is none.
import { type Look, paint, type Style } from '../../terminal/look.ts';
import type { Report } from '../report.ts';
import { isScored } from './digest.ts';
import { oneLine } from './plain-text.ts';
import { paragraph } from './terminal-lines.ts';
import { number, resultWords, simulationWords, suiteWords, targetWords } from './words.ts';

const STYLE: Record<Report['status'], Style> = {
  passed: 'green',
  'below-bar': 'yellow',
  incomplete: 'yellow',
  'not-gradable': 'red',
};

/** Title, score with its bar, result in words, and what was run. */
export function headline(report: Report, look: Look, whose = targetWords(report)): string[] {
  const title = `${oneLine(report.kata.title)} · ${whose}`;
  const reason = report.reason === null ? [] : paragraph(look, report.reason, { style: 'bold' });
  return [
    ...paragraph(look, title, { indent: 0, style: 'bold' }),
    ...(isScored(report) ? scoreLines(report, look) : []),
    ...paragraph(look, resultWords(report), { style: STYLE[report.status] }),
    ...reason,
    ...paragraph(look, `${suiteWords(report)} · ${simulationWords(report)}`, { style: 'dim' }),
  ];
}

function scoreLines(report: Report, look: Look): string[] {
  const isWhole = report.status !== 'incomplete';
  const score = `  ${number(report.score)} of 100${isWhole ? '' : ' so far'}`;
  const room = Math.min(40, look.width - 4);
  return [paint(look, 'bold', score), `  ${scoreBar(report, look, room)}`];
}

/** The score as a bar, with the kata's bar marked on it: `██████░░│░░`. */
function scoreBar({ score, bar }: Report, look: Look, columns: number): string {
  const place = (points: number) => Math.round((Math.max(0, Math.min(100, points)) / 100) * columns);
  const cells: string[] = Array.from({ length: columns }, (_, n) => (n < place(score) ? '█' : '░'));
  cells[Math.min(columns - 1, place(bar))] = '│';
  return paint(look, score >= bar ? 'green' : 'yellow', cells.join(''));
}
