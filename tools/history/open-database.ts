// Opens `.kata/history.db`; what cannot be read is put aside, never deleted.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { takePlace } from '../course/keep-file.ts';
import { HISTORY_VERSION, migrate } from './migrations.ts';
import { historyReason, isUnreadable } from './sqlite-error.ts';

/** How long a command waits for another one that is writing, in ms. */
const BUSY_TIMEOUT_MS = 5000;

export interface OpenedDatabase {
  readonly database: DatabaseSync;
  /** A sentence for the learner when something is not as it should be. */
  readonly warning: string | null;
  /** False when what is there can be read and nothing can be added. */
  readonly isWritable: boolean;
}

export const historyPath = (root: string): string => join(root, '.kata', 'history.db');

/** Opens the history, or one in memory when the file cannot be used: a command never fails over its history. */
export async function openDatabase(root: string): Promise<OpenedDatabase> {
  const path = historyPath(root);
  try {
    mkdirSync(dirname(path), { recursive: true });
    return await openOrPutAside(path);
  } catch (error) {
    const warning = `Grades and hints of this command are not kept: ${historyReason(error)}`;
    const readable = await openForReading(path);
    return { database: readable ?? (await inMemory()), warning, isWritable: readable === null };
  }
}

/** On a full or read-only disk the log beside the file cannot be made; what is in the file can still be told. */
async function openForReading(path: string): Promise<DatabaseSync | null> {
  const { DatabaseSync } = await import('node:sqlite');
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  try {
    const database = new DatabaseSync(url, { readOnly: true });
    touchEveryTable(database);
    return database;
  } catch {
    return null;
  }
}

async function openOrPutAside(path: string): Promise<OpenedDatabase> {
  try {
    return await open(path);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  // Another command may have met the same and begun a new one: look again before moving anything.
  const second = await open(path).catch((error: unknown) => {
    if (!isUnreadable(error)) throw error;
    return null;
  });
  if (second) return second;
  const aside = putAside(path);
  const { database } = await open(path);
  return {
    database,
    warning: `The history of your grades could not be read. It is kept as .kata/${aside}, and a new one was begun.`,
    isWritable: true,
  };
}

async function open(path: string): Promise<OpenedDatabase> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    if (migrate(database) > HISTORY_VERSION) return await leaveAlone(database);
    allowReadersBesideWriter(database);
    touchEveryTable(database);
    return { database, warning: null, isWritable: true };
  } catch (error) {
    if (database.isOpen) database.close();
    throw error;
  }
}

/** The file keeps this mode; when two commands begin it at once, one of them sets it. */
function allowReadersBesideWriter(database: DatabaseSync): void {
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  } catch (error) {
    if (isUnreadable(error)) throw error;
  }
}

/** A cut file shows itself only when its pages are read. */
function touchEveryTable(database: DatabaseSync): void {
  for (const table of ['grades', 'reports', 'hints', 'marks', 'reviews', 'drill_cards', 'drill_answers']) {
    database.prepare(`SELECT rowid FROM ${table} ORDER BY rowid DESC LIMIT 1`).get();
  }
}

async function leaveAlone(database: DatabaseSync): Promise<OpenedDatabase> {
  database.close();
  const warning =
    'The history of your grades was written by a newer version of this course and is left as it is. Update this copy to use it.';
  return { database: await inMemory(), warning, isWritable: true };
}

async function inMemory(): Promise<DatabaseSync> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(':memory:');
  migrate(database);
  return database;
}

/** Gives a history and its companion files another name, then takes the old one away. Gives the new name. */
export function putAside(path: string): string {
  let n = 1;
  while (existsSync(`${path}.unreadable-${n}`) || !takePlace(path, `${path}.unreadable-${n}`)) n += 1;
  const aside = `${path}.unreadable-${n}`;
  rmSync(path);
  for (const companion of ['-wal', '-shm']) {
    if (existsSync(path + companion)) renameSync(path + companion, aside + companion);
  }
  return basename(aside);
}
