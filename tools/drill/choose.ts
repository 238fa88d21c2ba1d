// Which questions a session asks.
import { hashText } from '../course/seal.ts';
import type { DrillCard } from '../history/practice.ts';
import { isDue } from './due.ts';
import type { Question } from './questions.ts';

export interface Choice {
  /** Longest due first, then new ones, at most as many as asked for. */
  readonly questions: readonly Question[];
  /** All whose date has come, chosen or not. */
  readonly due: number;
  /** All that were never rated, chosen or not. */
  readonly fresh: number;
  /** When the next one comes that is not due yet (ISO text); null without one. */
  readonly nextDue: string | null;
}

/** Chooses among the questions there are. Cards of questions that are gone are passed over. */
export function choose(
  questions: readonly Question[],
  cards: readonly DrillCard[],
  nowMs: number,
  limit: number,
): Choice {
  const byCard = new Map(cards.map((card) => [card.card, card]));
  const dueAt = ({ card }: Question) => byCard.get(card)?.due ?? '';
  const known = questions.filter(({ card }) => byCard.has(card)).sort((a, b) => (dueAt(a) < dueAt(b) ? -1 : 1));
  const due = known.filter((question) => isDue({ due: dueAt(question) }, nowMs));
  const fresh = interleaved(questions.filter(({ card }) => !byCard.has(card)));
  const later = known.find((question) => !due.includes(question));
  return {
    questions: [...due, ...fresh].slice(0, limit),
    due: due.length,
    fresh: fresh.length,
    nextDue: later === undefined ? null : dueAt(later),
  };
}

/** Rules before interview; within these in an order that mixes the katas and is the same each time. */
function interleaved(questions: readonly Question[]): Question[] {
  const rank = ({ from }: Question) => (from === 'rules' ? 0 : 1);
  const place = ({ card }: Question) => hashText(card);
  return [...questions].sort((a, b) => rank(a) - rank(b) || (place(a) < place(b) ? -1 : 1));
}
