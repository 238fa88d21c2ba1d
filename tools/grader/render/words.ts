// The words that every form of a report shares, so that terminal, Markdown and page say the same.
import type { Evidence, EvidenceStatus, Report, Story, Violation } from '../report.ts';
import { type BudgetRow, testCounts } from './digest.ts';
import { oneLine } from './plain-text.ts';
import { readable } from './readable.ts';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

const round = (value: number): number => Math.round(value * 10) / 10;

/** A number with thousands parted by commas, and two decimals at most. */
export const number = (value: number): string => grouped.format(value);

/** `1 test`, `2 tests`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

/** Virtual time since the run began, as a reader compares it: `0.120 s`, `2:05.300`, `3:00:05.300`. */
export function clock(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const seconds = (whole / 1000) % 60;
  const minutes = Math.floor(whole / 60_000);
  if (minutes === 0) return `${seconds.toFixed(3)} s`;
  const tail = seconds.toFixed(3).padStart(6, '0');
  if (minutes < 60) return `${minutes}:${tail}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${tail}`;
}

/** A span of time in its largest fitting unit: `840 ms`, `9.1 s`, `4 min`, `26 h`. */
export function span(ms: number): string {
  if (ms < 1000) return `${number(Math.round(ms))} ms`;
  if (ms < 120_000) return `${number(round(ms / 1000))} s`;
  return ms < 7_200_000 ? `${number(Math.round(ms / 60_000))} min` : `${number(round(ms / 3_600_000))} h`;
}

const BAND: Record<Report['band'], string> = {
  'not-yet': 'not yet at mid level',
  mid: 'speaks for mid level',
  senior: 'speaks for senior level',
  staff: 'speaks for staff level',
};

/** What the grade signals, in words. */
export const bandWords = (report: Report): string => BAND[report.band];

/** The result in one sentence. No number where nothing was judged. */
export function resultWords(report: Report): string {
  switch (report.status) {
    case 'passed':
      return `Passed: the bar is ${number(report.bar)}. The grade ${bandPhrase(report)}.`;
    case 'below-bar':
      return belowBar(report);
    case 'incomplete':
      return 'Incomplete: the points count only what was judged. This is not a grade yet.';
    case 'not-gradable':
      return 'Not gradable: nothing was judged, so there is no score.';
  }
}

// Points alone do not pass: mid level must be reached too.
function belowBar(report: Report): string {
  if (report.score >= report.bar) {
    return `Not passed: the points reach the bar of ${number(report.bar)}, but the grade ${bandPhrase(report)}.`;
  }
  const missing = number(round(report.bar - report.score));
  return `${missing} below the bar of ${number(report.bar)}. The grade ${bandPhrase(report)}.`;
}

const bandPhrase = (report: Report): string =>
  report.band === 'not-yet' ? 'is not yet at mid level' : bandWords(report);

/** How much of the suite passed: `suite 9/14`. */
export function suiteWords(report: Report): string {
  const { passed, total, ran } = testCounts(report);
  return ran === 0 ? 'suite not run' : `suite ${passed}/${total}`;
}

/** What the simulation did, or that it did not run. */
export function simulationWords({ simulation }: Report): string {
  if (simulation.schedules === 0) return 'simulation not run';
  const broke = simulation.failing === 0 ? 'every invariant held' : `${number(simulation.failing)} broke an invariant`;
  const aside = simulation.setAside === 0 ? '' : `, ${number(simulation.setAside)} set aside (the reference fails too)`;
  return `simulation ${counted(simulation.schedules, 'schedule')}, ${broke}${aside}`;
}

const STATUS: Record<EvidenceStatus, string> = {
  pass: 'passes',
  fail: 'fails',
  error: 'throws',
  timeout: 'times out',
  skipped: 'skipped',
  blocked: 'blocked',
  'not-run': 'not run',
};

/** A status in words, as it follows the name of a test. */
export const statusWords = (status: EvidenceStatus): string => STATUS[status];

/** How often an invariant was broken. */
export const brokenWords = ({ simulation }: Report, { count }: Violation): string =>
  `broken in ${number(count)} of ${counted(simulation.schedules, 'schedule')}`;

/** What attempt and reference did where they part on the same schedule; null when they were not compared. */
export function differenceWords({ reference }: Story): { title: string; attempt: string; reference: string } | null {
  if (reference === null) return null;
  return {
    title: `First difference from the reference on the same schedule, at ${clock(reference.atMs)}:`,
    attempt: `the attempt: ${readable(reference.attempt)}`,
    reference: `the reference: ${readable(reference.reference)}`,
  };
}

/** How many times the reference was spent: `1.9 ×`. */
export const timesWords = ({ times, attempt }: BudgetRow): string => {
  if (times === null) return attempt === 0 ? '1 ×' : '–';
  return `${number(round(times))} ×`;
};

/** Why points may be missing where all evidence passes. */
export const HELD_BACK =
  'Efficiency and code quality count in proportion to what correctness, resilience and consistency earned.';

/** Whose work was graded. */
export const targetWords = ({ target }: Report): string => (target === 'reference' ? 'the reference' : 'your attempt');

/** A piece of evidence in words. What a failing test said is left to the list of failing tests. */
export function evidenceWords({ kind, id, status, detail }: Evidence): string {
  if (kind === 'test') return `test "${oneLine(id)}" ${statusWords(status)}`;
  return `${kind} ${oneLine(id)} ${statusWords(status)}${detail === '' ? '' : `: ${oneLine(detail)}`}`;
}

/** What is needed to repeat the grade. */
export function environmentWords({ kata, simulation, environment, durationMs }: Report): string {
  const seed = simulation.schedules === 0 ? [] : [`seed ${simulation.seed}`, `${span(simulation.virtualMs)} simulated`];
  return [
    `Node ${environment.node.replace(/^v/, '')}`,
    `Vitest ${environment.vitest}`,
    environment.platform,
    `kata version ${kata.version}`,
    `suite ${kata.suiteHash}`,
    ...seed,
    `graded in ${span(durationMs)}`,
  ].join(' · ');
}
