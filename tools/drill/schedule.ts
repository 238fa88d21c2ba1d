// When a question comes again: FSRS as it is, without fuzz, so that the same ratings give the same dates.
import { type CardInput, createEmptyCard, type FSRS, fsrs, Rating } from 'ts-fsrs';
import type { DrillCard, DrillRating } from '../history/practice.ts';

/** Fuzz would be drawn at random; a handful of questions needs no spreading. */
const scheduler: FSRS = fsrs({ enable_fuzz: false });

const GRADES = { again: Rating.Again, hard: Rating.Hard, good: Rating.Good, easy: Rating.Easy } as const;

/** A question's next date after a rating. `before` is its card so far; null when it was never rated. */
export function schedule(
  { card, kata }: Pick<DrillCard, 'card' | 'kata'>,
  before: DrillCard | null,
  rating: DrillRating,
  nowMs: number,
): DrillCard {
  const now = new Date(nowMs);
  const next = scheduler.next(readState(before, now), now, GRADES[rating]).card;
  return { card, kata, due: next.due.toISOString(), state: JSON.stringify(next) };
}

/** A record that cannot be read is a question never met. */
function readState(before: DrillCard | null, now: Date): CardInput {
  try {
    const state: unknown = JSON.parse(before?.state ?? 'null');
    return isState(state) ? state : createEmptyCard(now);
  } catch {
    return createEmptyCard(now);
  }
}

function isState(value: unknown): value is CardInput {
  if (typeof value !== 'object' || value === null) return false;
  const numbers = ['stability', 'difficulty', 'scheduled_days', 'learning_steps', 'reps', 'lapses', 'state'];
  const isDate = (name: string) => !Number.isNaN(Date.parse(String(Reflect.get(value, name))));
  return numbers.every((name) => Number.isFinite(Reflect.get(value, name))) && isDate('due') && isDate('last_review');
}
