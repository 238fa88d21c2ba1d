// A grade as text for a terminal.
import { type Look, padTo, paint } from '../../terminal/look.ts';
import type { Report } from '../report.ts';
import { isScored } from './digest.ts';
import { type NextCommand, nextCommands } from './next-commands.ts';
import { plainText } from './plain-text.ts';
import { brokenRules, failedChecks, failures, fixFirst } from './terminal-findings.ts';
import { headline } from './terminal-headline.ts';
import { heading, paragraph } from './terminal-lines.ts';
import { costsTable, pointsTable } from './terminal-points.ts';
import { verdictLines } from './terminal-verdict.ts';
import { environmentWords } from './words.ts';

export interface ReportOptions {
  /** Where the whole texts of failing tests are kept, as the person would write the path. */
  readonly fullTextPath?: string | undefined;
  /** The attempt is an example, not the person's own: what they may do next differs. */
  readonly isDemo?: boolean | undefined;
}

/** The full report, broken to the look's width. No score table where nothing was judged. */
export function renderReport(report: Report, look: Look, { fullTextPath, isDemo = false }: ReportOptions = {}): string {
  const told = plainText(report);
  const sections = [
    headline(told, look, isDemo ? 'a typical first attempt' : undefined),
    isScored(told) ? pointsTable(told, look) : [],
    fixFirst(told, look),
    failedChecks(told, look),
    failures(told, look, fullTextPath),
    brokenRules(told, look, { isDemo }),
    costsTable(told, look),
    goOn(nextCommands(told, { isDemo }), look),
    ['', ...paragraph(look, environmentWords(told), { indent: 0, style: 'dim' })],
  ];
  return tidy(sections.flat());
}

/** At most ten lines for watch mode: the score so far, tests by level, and the first thing that is wrong. */
export function renderVerdict(report: Report, look: Look): string {
  return verdictLines(plainText(report), look).slice(0, 10).join('\n');
}

function goOn(commands: readonly NextCommand[], look: Look): string[] {
  const columns = Math.max(...commands.map(({ command }) => command.length)) + 3;
  const isWide = columns + 30 <= look.width;
  return [
    ...heading(look, 'Go on'),
    ...commands.flatMap(({ command, does }) =>
      isWide
        ? [`  ${paint(look, 'cyan', padTo(command, columns))}${does}`]
        : [...paragraph(look, command, { style: 'cyan' }), ...paragraph(look, does, { indent: 4 })],
    ),
  ];
}

/** Joins lines without two empty ones in a row. */
function tidy(lines: readonly string[]): string {
  return lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
