import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { historyReason, isUnreadable } from './sqlite-error.ts';

function failureOf(run: (database: DatabaseSync) => void): unknown {
  const database = new DatabaseSync(':memory:');
  try {
    run(database);
    return null;
  } catch (error) {
    return error;
  } finally {
    database.close();
  }
}

test('says what to do when the disk is full', () => {
  const failure = failureOf((database) =>
    database.exec('PRAGMA max_page_count = 1; CREATE TABLE t (x); INSERT INTO t VALUES (hex(randomblob(9000)))'),
  );

  expect(historyReason(failure)).toBe('the disk is full. Free some space.');
  expect(isUnreadable(failure)).toBe(false);
});

test('says what to do when the file is read-only', () => {
  const failure = failureOf((database) => database.exec('PRAGMA query_only = 1; CREATE TABLE t (x)'));

  expect(historyReason(failure)).toMatch(/read-only/);
});
