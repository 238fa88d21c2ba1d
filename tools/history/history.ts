// What a learner did so far: grades, hints taken, questions asked twice, and what was practised.
import { existsSync } from 'node:fs';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { historyPath, openDatabase } from './open-database.ts';
import { type PracticeHistory, practiceOf } from './practice.ts';
import { historyReason } from './sqlite-error.ts';
import { type GradeSummary, type KataNow, reachedBar, type Standing, standingOf } from './standing.ts';

/** A grade to keep. */
export interface NewGrade {
  readonly kata: string;
  /** ISO text, UTC. */
  readonly at: string;
  readonly score: number;
  readonly bar: number;
  readonly band: string;
  readonly status: 'passed' | 'below-bar' | 'not-gradable' | 'incomplete';
  readonly kataVersion: number;
  readonly suiteHash: string;
  readonly attemptHash: string;
  /** The whole report, as JSON text. */
  readonly report: string;
}

/** A learner's history. No method throws: what cannot be kept or read is said once through `warn`. */
export interface History extends PracticeHistory {
  /** Keeps a grade of an attempt (never of the reference). Gives whether it was kept. */
  addGrade(grade: NewGrade): boolean;
  /** Grades of a kata, or of all, oldest first. */
  grades(kata?: string): GradeSummary[];
  standing(kata: KataNow, hasAttempt: boolean): Standing;
  /** Whether the kata was ever graded at or above its bar. */
  wasSolved(kata: string): boolean;
  /** JSON text of the last grade's report; null without one. */
  lastReport(kata: string): string | null;
  /** JSON text of one grade's report, by the grade's id; null when there is none. */
  reportOf(grade: number): string | null;
  /** Times (ISO text, UTC) at which hints were taken and marks were set, of a kata. */
  momentsOf(kata: string): string[];
  /** Hints taken so far of each criterion: 1 to 3. */
  hintSteps(kata: string): Record<string, number>;
  keepHintStep(kata: string, criterion: string, step: number, at?: string): void;
  /** Whether a mark, such as `diff-asked`, was set. */
  hasMark(kata: string, name: string): boolean;
  setMark(kata: string, name: string, at?: string): void;
  close(): void;
}

export interface HistoryOptions {
  /** Told once of each thing that keeps the history from being used. */
  readonly warn: (sentence: string) => void;
  /** Do not make the file when it is not there: for commands that only read. */
  readonly readOnly?: boolean;
}

/** Opens the history of the course at `root`, whatever state its file is in. */
export async function openHistory(root: string, { warn, readOnly = false }: HistoryOptions): Promise<History> {
  if (readOnly && !existsSync(historyPath(root))) return historyOf(null, warn);
  const { database, warning, isWritable } = await openDatabase(root);
  if (warning !== null) warn(warning);
  return historyOf(database, warn, isWritable);
}

function historyOf(database: DatabaseSync | null, warn: (sentence: string) => void, isWritable = false): History {
  const said = new Set<string>();
  function attempt<T>(what: string, otherwise: T, run: (database: DatabaseSync) => T): T {
    if (database === null) return otherwise;
    try {
      return run(database);
    } catch (error) {
      const sentence = `${what}: ${historyReason(error)}`;
      if (!said.has(sentence)) warn(sentence);
      said.add(sentence);
      return otherwise;
    }
  }
  const read = <T>(otherwise: T, run: (database: DatabaseSync) => T) =>
    attempt('Your history could not be read', otherwise, run);
  // Where nothing can be written, that was said when the history was opened.
  const write = <T>(what: string, otherwise: T, run: (database: DatabaseSync) => T) =>
    isWritable ? attempt(`${what} could not be kept`, otherwise, run) : otherwise;

  const grades = (kata?: string) => read<GradeSummary[]>([], (db) => selectGrades(db, kata));
  return {
    addGrade: (grade) =>
      write('This grade', false, (db) => {
        insertGrade(db, grade);
        return true;
      }),
    grades,
    standing: (kata, hasAttempt) => standingOf(kata, grades(kata.slug), hasAttempt),
    wasSolved: (kata) => grades(kata).some(reachedBar),
    lastReport: (kata) => read(null, (db) => selectLastReport(db, kata)),
    reportOf: (grade) => read(null, (db) => selectReport(db, grade)),
    momentsOf: (kata) => read<string[]>([], (db) => selectMoments(db, kata)),
    ...practiceOf({ read, write }),
    hintSteps: (kata) => read({}, (db) => selectHintSteps(db, kata)),
    keepHintStep: (kata, criterion, step, at = new Date().toISOString()) =>
      write('That this hint was taken', undefined, (db) => {
        db.prepare('INSERT OR REPLACE INTO hints (kata, criterion, step, at) VALUES (?, ?, ?, ?)').run(
          kata,
          criterion,
          step,
          at,
        );
      }),
    hasMark: (kata, name) =>
      read(false, (db) => db.prepare('SELECT 1 FROM marks WHERE kata = ? AND name = ?').get(kata, name) !== undefined),
    setMark: (kata, name, at = new Date().toISOString()) =>
      write('What you asked', undefined, (db) => {
        db.prepare('INSERT OR IGNORE INTO marks (kata, name, at) VALUES (?, ?, ?)').run(kata, name, at);
      }),
    close: () => {
      if (database?.isOpen) database.close();
    },
  };
}

/** A grade and its report are kept together or not at all. */
function insertGrade(database: DatabaseSync, grade: NewGrade): void {
  const { kata, at, score, bar, band, status, kataVersion, suiteHash, attemptHash, report } = grade;
  database.exec('BEGIN IMMEDIATE');
  try {
    const { lastInsertRowid } = database
      .prepare(
        `INSERT INTO grades (kata, at, score, bar, band, status, kata_version, suite_hash, attempt_hash)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(kata, at, score, bar, band, status, kataVersion, suiteHash, attemptHash);
    database.prepare('INSERT INTO reports (grade_id, json) VALUES (?, ?)').run(lastInsertRowid, report);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function selectGrades(database: DatabaseSync, kata?: string): GradeSummary[] {
  const where = kata === undefined ? '' : 'WHERE kata = ?';
  const query = database.prepare(`SELECT * FROM grades ${where} ORDER BY id`);
  return (kata === undefined ? query.all() : query.all(kata)).map(readGrade);
}

function readGrade(row: Record<string, SQLOutputValue>): GradeSummary {
  return {
    id: Number(row.id),
    kata: String(row.kata),
    at: String(row.at),
    score: Number(row.score),
    bar: Number(row.bar),
    band: String(row.band),
    status: String(row.status),
    kataVersion: Number(row.kata_version),
    suiteHash: String(row.suite_hash),
    attemptHash: String(row.attempt_hash),
  };
}

function selectLastReport(database: DatabaseSync, kata: string): string | null {
  const row = database
    .prepare(
      'SELECT json FROM reports JOIN grades ON grades.id = grade_id WHERE kata = ? ORDER BY grade_id DESC LIMIT 1',
    )
    .get(kata);
  return row === undefined ? null : String(row.json);
}

function selectReport(database: DatabaseSync, grade: number): string | null {
  const row = database.prepare('SELECT json FROM reports WHERE grade_id = ?').get(grade);
  return row === undefined ? null : String(row.json);
}

function selectMoments(database: DatabaseSync, kata: string): string[] {
  const rows = database
    .prepare('SELECT at FROM hints WHERE kata = ? UNION ALL SELECT at FROM marks WHERE kata = ? ORDER BY at')
    .all(kata, kata);
  return rows.map(({ at }) => String(at));
}

function selectHintSteps(database: DatabaseSync, kata: string): Record<string, number> {
  const rows = database.prepare('SELECT criterion, step FROM hints WHERE kata = ?').all(kata);
  return Object.fromEntries(rows.map((row) => [String(row.criterion), Number(row.step)]));
}
