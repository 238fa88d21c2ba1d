// What is due, from cards alone: the map needs neither rubrics nor the scheduler.
import type { DrillCard } from '../history/practice.ts';

/** Whether a card's date has come. */
export const isDue = ({ due }: Pick<DrillCard, 'due'>, nowMs: number): boolean => Date.parse(due) <= nowMs;

/** How many questions are due, by kata. */
export function dueByKata(cards: readonly DrillCard[], nowMs: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const card of cards) if (isDue(card, nowMs)) counts.set(card.kata, (counts.get(card.kata) ?? 0) + 1);
  return counts;
}
