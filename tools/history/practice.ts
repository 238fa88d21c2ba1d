// What a learner did besides grading: reviews of code, drills. Written and read as grades are: nothing here throws.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';

/** A review round that was scored. */
export interface ReviewRecord {
  /** The round's folder under `.kata/reviews/`. */
  readonly round: string;
  readonly kata: string;
  /** ISO text, UTC. */
  readonly at: string;
  /** Of 100. */
  readonly score: number;
  readonly mistakes: number;
  readonly found: number;
  readonly fixed: number;
  readonly falseAlarms: number;
  /** The whole result, as JSON text. */
  readonly result: string;
}

/** A drill question as it stands in a learner's memory. */
export interface DrillCard {
  /** `<kata>/<question>`. */
  readonly card: string;
  readonly kata: string;
  /** ISO text, UTC. */
  readonly due: string;
  /** The scheduler's own record, as JSON text. */
  readonly state: string;
}

export const DRILL_RATINGS = ['again', 'hard', 'good', 'easy'] as const;
export type DrillRating = (typeof DRILL_RATINGS)[number];

/** One answer to a drill question. `rating` is null until the person has judged it. */
export interface DrillAnswer {
  readonly card: string;
  readonly kata: string;
  readonly at: string;
  readonly answer: string;
  readonly rating: DrillRating | null;
}

/** The part of a history that is about practice. No method throws. */
export interface PracticeHistory {
  /** Keeps a scored round, once: the same round again takes its place. Gives whether it was kept. */
  addReview(review: ReviewRecord): boolean;
  /** Scored rounds of a kata, or of all, oldest first. */
  reviews(kata?: string): ReviewRecord[];
  /** Every question that was rated at least once. */
  drillCards(): DrillCard[];
  /** Keeps what a person answered, before it is rated. Gives its number, or null when it could not be kept. */
  addDrillAnswer(answer: Omit<DrillAnswer, 'rating'>): number | null;
  /** Rates an answer and moves its question to its next date, both or neither. Gives whether it was kept. */
  rateDrillAnswer(answer: number | null, rating: DrillRating, card: DrillCard): boolean;
  /** All answers, oldest first. */
  drillAnswers(kata?: string): DrillAnswer[];
}

interface Access {
  read<T>(otherwise: T, run: (database: DatabaseSync) => T): T;
  write<T>(what: string, otherwise: T, run: (database: DatabaseSync) => T): T;
}

export function practiceOf({ read, write }: Access): PracticeHistory {
  return {
    addReview: (review) =>
      write('This review', false, (db) => {
        insertReview(db, review);
        return true;
      }),
    reviews: (kata) => read<ReviewRecord[]>([], (db) => selectOf(db, 'reviews', kata).map(readReview)),
    drillCards: () =>
      read<DrillCard[]>([], (db) =>
        db
          .prepare('SELECT * FROM drill_cards ORDER BY due, card')
          .all()
          .map((row) => ({
            card: String(row.card),
            kata: String(row.kata),
            due: String(row.due),
            state: String(row.state),
          })),
      ),
    addDrillAnswer: ({ card, kata, at, answer }) =>
      write<number | null>('This answer', null, (db) =>
        Number(
          db
            .prepare('INSERT INTO drill_answers (card, kata, at, answer) VALUES (?, ?, ?, ?)')
            .run(card, kata, at, answer).lastInsertRowid,
        ),
      ),
    rateDrillAnswer: (answer, rating, card) =>
      write('This rating', false, (db) => {
        rate(db, answer, rating, card);
        return true;
      }),
    drillAnswers: (kata) => read<DrillAnswer[]>([], (db) => selectOf(db, 'drill_answers', kata).map(readAnswer)),
  };
}

function insertReview(database: DatabaseSync, review: ReviewRecord): void {
  const { round, kata, at, score, mistakes, found, fixed, falseAlarms, result } = review;
  database
    .prepare(
      `INSERT OR REPLACE INTO reviews (round, kata, at, score, mistakes, found, fixed, false_alarms, result)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(round, kata, at, score, mistakes, found, fixed, falseAlarms, result);
}

function rate(database: DatabaseSync, answer: number | null, rating: DrillRating, card: DrillCard): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    if (answer !== null) database.prepare('UPDATE drill_answers SET rating = ? WHERE id = ?').run(rating, answer);
    database
      .prepare('INSERT OR REPLACE INTO drill_cards (card, kata, due, state) VALUES (?, ?, ?, ?)')
      .run(card.card, card.kata, card.due, card.state);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function selectOf(database: DatabaseSync, table: 'reviews' | 'drill_answers', kata: string | undefined) {
  const query = database.prepare(`SELECT * FROM ${table} ${kata === undefined ? '' : 'WHERE kata = ?'} ORDER BY rowid`);
  return kata === undefined ? query.all() : query.all(kata);
}

function readReview(row: Record<string, SQLOutputValue>): ReviewRecord {
  return {
    round: String(row.round),
    kata: String(row.kata),
    at: String(row.at),
    score: Number(row.score),
    mistakes: Number(row.mistakes),
    found: Number(row.found),
    fixed: Number(row.fixed),
    falseAlarms: Number(row.false_alarms),
    result: String(row.result),
  };
}

function readAnswer(row: Record<string, SQLOutputValue>): DrillAnswer {
  return {
    card: String(row.card),
    kata: String(row.kata),
    at: String(row.at),
    answer: String(row.answer),
    rating: DRILL_RATINGS.find((rating) => rating === row.rating) ?? null,
  };
}
