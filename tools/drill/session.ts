// One drill session: what is asked next, and what came of it. Knows no terminal.
import type { DrillCard, DrillRating, PracticeHistory } from '../history/practice.ts';
import type { Question } from './questions.ts';
import { schedule } from './schedule.ts';

export interface Asked {
  readonly question: Question;
  /** What the person said before the answer was shown. */
  readonly answer: string;
  readonly rating: DrillRating;
  /** When it comes again: ISO text, UTC. */
  readonly due: string;
}

export class DrillSession {
  readonly #history: PracticeHistory;
  readonly #nowMs: () => number;
  readonly #cards: Map<string, DrillCard>;
  readonly #left: Question[];
  readonly #asked: Asked[] = [];

  constructor(history: PracticeHistory, questions: readonly Question[], nowMs: () => number) {
    this.#history = history;
    this.#nowMs = nowMs;
    this.#cards = new Map(history.drillCards().map((card) => [card.card, card]));
    this.#left = [...questions];
  }

  /** The question to ask now; undefined at the end. */
  get next(): Question | undefined {
    return this.#left[0];
  }

  /** Questions still to come, repeats included. */
  get left(): number {
    return this.#left.length;
  }

  /** Ratings so far, repeats included, in order. */
  get asked(): readonly Asked[] {
    return this.#asked;
  }

  /** What was answered to a question in an earlier session that ended before its rating. */
  unrated(question: Question): string | null {
    const last = this.#history.drillAnswers(question.kata).findLast(({ card }) => card === question.card);
    return last && last.rating === null && last.answer !== '' ? last.answer : null;
  }

  /** Keeps an answer at once, before it is rated: a session may end at any moment. Gives its number. */
  keepAnswer({ card, kata }: Question, answer: string): number | null {
    return this.#history.addDrillAnswer({ card, kata, at: new Date(this.#nowMs()).toISOString(), answer });
  }

  /** Rates the present question and goes on. What was not known comes again at the end of this session. */
  rate(answer: string, kept: number | null, rating: DrillRating): Asked {
    const question = this.#left.shift();
    if (!question) throw new Error('There is no question to rate: the session is over.');
    const card = schedule(question, this.#cards.get(question.card) ?? null, rating, this.#nowMs());
    this.#cards.set(card.card, card);
    this.#history.rateDrillAnswer(kept, rating, card);
    if (rating === 'again') this.#left.push(question);
    const asked = { question, answer, rating, due: card.due };
    this.#asked.push(asked);
    return asked;
  }
}
