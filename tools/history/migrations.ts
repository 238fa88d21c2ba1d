// The history's tables, version by version. A step once published never changes: add the next one.
import type { DatabaseSync } from 'node:sqlite';

const STEPS: readonly string[] = [
  `CREATE TABLE grades (
     id INTEGER PRIMARY KEY,
     kata TEXT NOT NULL,
     at TEXT NOT NULL,
     score REAL NOT NULL,
     bar REAL NOT NULL,
     band TEXT NOT NULL,
     status TEXT NOT NULL,
     kata_version INTEGER NOT NULL,
     suite_hash TEXT NOT NULL,
     attempt_hash TEXT NOT NULL
   ) STRICT;
   CREATE INDEX grades_by_kata ON grades (kata, id);
   CREATE TABLE reports (grade_id INTEGER PRIMARY KEY REFERENCES grades (id), json TEXT NOT NULL) STRICT;
   CREATE TABLE hints (
     kata TEXT NOT NULL,
     criterion TEXT NOT NULL,
     step INTEGER NOT NULL,
     at TEXT NOT NULL,
     PRIMARY KEY (kata, criterion)
   ) STRICT;
   CREATE TABLE marks (kata TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (kata, name)) STRICT;`,
  `CREATE TABLE reviews (
     round TEXT PRIMARY KEY,
     kata TEXT NOT NULL,
     at TEXT NOT NULL,
     score REAL NOT NULL,
     mistakes INTEGER NOT NULL,
     found INTEGER NOT NULL,
     fixed INTEGER NOT NULL,
     false_alarms INTEGER NOT NULL,
     result TEXT NOT NULL
   ) STRICT;
   CREATE TABLE drill_cards (
     card TEXT PRIMARY KEY,
     kata TEXT NOT NULL,
     due TEXT NOT NULL,
     state TEXT NOT NULL
   ) STRICT;
   CREATE TABLE drill_answers (
     id INTEGER PRIMARY KEY,
     card TEXT NOT NULL,
     kata TEXT NOT NULL,
     at TEXT NOT NULL,
     answer TEXT NOT NULL,
     rating TEXT
   ) STRICT;`,
];

/** Version of the tables as this tool knows them. */
export const HISTORY_VERSION = STEPS.length;

/** Brings a database to the present version. Gives the version found, which may be newer than we know. */
export function migrate(database: DatabaseSync): number {
  if (versionOf(database) < HISTORY_VERSION) bringUp(database);
  return versionOf(database);
}

/** Another command may be doing the same: the version is read again once the file is ours. */
function bringUp(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const step of STEPS.slice(versionOf(database))) database.exec(step);
    if (versionOf(database) < HISTORY_VERSION) database.exec(`PRAGMA user_version = ${HISTORY_VERSION}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0);
}
