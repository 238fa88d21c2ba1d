import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type History, openHistory } from './history.ts';
import type { ReviewRecord } from './practice.ts';

const AT = '2026-03-02T09:00:00.000Z';
const CARD = { card: 'queue/key', kata: 'queue', due: AT, state: '{}' };

let root: string;
const warnings: string[] = [];
const open: History[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kata practice '));
  warnings.length = 0;
});
afterEach(() => {
  for (const history of open.splice(0)) history.close();
  rmSync(root, { recursive: true, force: true });
});

async function opened(options: { readOnly?: boolean } = {}): Promise<History> {
  const history = await openHistory(root, { warn: (sentence) => warnings.push(sentence), ...options });
  open.push(history);
  return history;
}

const review = (changes: Partial<ReviewRecord> = {}): ReviewRecord => ({
  round: 'queue-1',
  kata: 'queue',
  at: AT,
  score: 55,
  mistakes: 2,
  found: 2,
  fixed: 1,
  falseAlarms: 1,
  result: '{}',
  ...changes,
});

test('keeps review rounds of each kata, and a round scored again once', async () => {
  const history = await opened();
  history.addReview(review());
  history.addReview(review({ round: 'paging-1', kata: 'paging' }));
  history.addReview(review({ score: 80 }));

  expect(history.reviews('queue')).toEqual([review({ score: 80 })]);
  expect(history.reviews()).toHaveLength(2);
});

test('keeps an answer before it is rated, and moves the question with the rating', async () => {
  const history = await opened();
  const kept = history.addDrillAnswer({ card: CARD.card, kata: 'queue', at: AT, answer: 'once' });
  const before = history.drillAnswers();

  history.rateDrillAnswer(kept, 'hard', CARD);

  expect(before).toEqual([{ card: 'queue/key', kata: 'queue', at: AT, answer: 'once', rating: null }]);
  expect(history.drillAnswers('queue').map(({ rating }) => rating)).toEqual(['hard']);
  expect(history.drillCards()).toEqual([CARD]);
});

test('gives the moments at which hints were taken and marks were set', async () => {
  const history = await opened();
  history.keepHintStep('queue', 'one-key', 1, '2026-03-02T10:00:00.000Z');
  history.setMark('queue', 'diff-asked', AT);

  expect(history.momentsOf('queue')).toEqual([AT, '2026-03-02T10:00:00.000Z']);
});

test('takes over a history of the time before reviews and drills, with all that is in it', async () => {
  mkdirSync(join(root, '.kata'));
  const old = new DatabaseSync(join(root, '.kata', 'history.db'));
  old.exec(`CREATE TABLE grades (id INTEGER PRIMARY KEY, kata TEXT NOT NULL, at TEXT NOT NULL, score REAL NOT NULL,
      bar REAL NOT NULL, band TEXT NOT NULL, status TEXT NOT NULL, kata_version INTEGER NOT NULL,
      suite_hash TEXT NOT NULL, attempt_hash TEXT NOT NULL) STRICT;
    CREATE TABLE reports (grade_id INTEGER PRIMARY KEY REFERENCES grades (id), json TEXT NOT NULL) STRICT;
    CREATE TABLE hints (kata TEXT NOT NULL, criterion TEXT NOT NULL, step INTEGER NOT NULL, at TEXT NOT NULL,
      PRIMARY KEY (kata, criterion)) STRICT;
    CREATE TABLE marks (kata TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (kata, name)) STRICT;
    INSERT INTO grades VALUES (1, 'queue', '${AT}', 80, 70, 'mid', 'passed', 1, 'aaaa', 'bbbb');
    INSERT INTO reports VALUES (1, '{"score":80}');
    PRAGMA user_version = 1`);
  old.close();

  const history = await opened();
  history.addReview(review());

  expect(history.reportOf(1)).toBe('{"score":80}');
  expect(history.reviews()).toHaveLength(1);
  expect(warnings).toEqual([]);
});

test('keeps nothing for a command that only reads where no history is', async () => {
  const history = await opened({ readOnly: true });

  expect(history.addReview(review())).toBe(false);
  expect(history.addDrillAnswer({ card: CARD.card, kata: 'queue', at: AT, answer: '' })).toBeNull();
  expect([history.reviews(), history.drillCards(), history.drillAnswers()]).toEqual([[], [], []]);
});
