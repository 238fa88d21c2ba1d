// What the map says of questions that wait.
import { dueByKata } from '../drill/due.ts';
import type { DrillCard } from '../history/practice.ts';
import { type Look, paint, wrap } from '../terminal/look.ts';
import { counted, dueWords } from './words.ts';

/** Counts and the next date, with the command that asks them; null for somebody who has never drilled. */
export function renderDrill(look: Look, cards: readonly DrillCard[], nowMs: number): string | null {
  if (cards.length === 0) return null;
  const counts = [...dueByKata(cards, nowMs)];
  const due = counts.reduce((sum, [, count]) => sum + count, 0);
  if (due === 0) return wrap(look, `Drill: ${lowerFirst(dueWords(soonest(cards), nowMs))}`);
  const which = counts.map(([kata, count]) => `${kata} ${count}`).join(', ');
  return `${wrap(look, `Drill: ${counted(due, 'question')} due (${which}).`)}\n  ${paint(look, 'cyan', 'npx kata drill')}`;
}

const soonest = (cards: readonly DrillCard[]): string | null =>
  cards.reduce<string | null>((first, { due }) => (first === null || due < first ? due : first), null);

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
