// How a learner stands with a kata, from the grades that were kept.
import type { KataState } from '../course/kata-state.ts';

/** What a standing is judged by: the kata as it is now. */
export interface KataNow {
  readonly slug: string;
  readonly version: number;
  readonly suiteHash: string;
}

/** One grade, without its report. */
export interface GradeSummary {
  readonly id: number;
  readonly kata: string;
  /** ISO text, UTC. */
  readonly at: string;
  /** Of 100. */
  readonly score: number;
  readonly bar: number;
  readonly band: string;
  readonly status: string;
  readonly kataVersion: number;
  readonly suiteHash: string;
  readonly attemptHash: string;
}

export interface Standing {
  readonly state: KataState;
  /** Highest score of all grades; null without a grade. */
  readonly best: number | null;
  readonly last: GradeSummary | null;
  /** When it was solved last; null when it never was. */
  readonly solvedAt: string | null;
}

/** The standing of one kata. `grades` are its own, oldest first. */
export function standingOf(kata: KataNow, grades: readonly GradeSummary[], hasAttempt: boolean): Standing {
  const last = grades.at(-1) ?? null;
  const best = grades.length === 0 ? null : Math.max(...grades.map(({ score }) => score));
  const solvedAt = grades.findLast(reachedBar)?.at ?? null;
  return { state: stateOf(kata, last, solvedAt !== null, hasAttempt), best, last, solvedAt };
}

/** Whether a grade is whole and at or above its bar. */
export function reachedBar({ status, score, bar }: Pick<GradeSummary, 'status' | 'score' | 'bar'>): boolean {
  return status === 'passed' && score >= bar;
}

function stateOf(kata: KataNow, last: GradeSummary | null, wasSolved: boolean, hasAttempt: boolean): KataState {
  if (!wasSolved || last === null) return hasAttempt || last !== null ? 'in-progress' : 'never-tried';
  if (!reachedBar(last)) return 'broken-since';
  const isOfToday = last.kataVersion === kata.version && last.suiteHash === kata.suiteHash;
  return isOfToday ? 'solved' : 'stale';
}
