// Remembers what was read and found valid, so that a command needs neither YAML nor schemas while nothing changed.
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { KataFacts } from './catalogue.ts';
import type { CourseProblem } from './course-problem.ts';
import { keepFile } from './keep-file.ts';

/** What one kata's files came to. */
export type KataReading =
  | { readonly facts: KataFacts; readonly problems?: never }
  | { readonly problems: readonly CourseProblem[]; readonly facts?: never };

export interface CacheEntry {
  /** Path, time and size of all that it was read from. */
  readonly stamp: string;
  readonly reading: KataReading;
}
export type CacheEntries = Readonly<Record<string, CacheEntry>>;

const FORMAT = 'airplane-mode catalogue 1';
/** A reading is only as good as the code that made it. */
const READERS = ['schema.ts', 'load-spec.ts', 'load-rubric.ts', 'validate.ts', 'catalogue.ts', 'seal.ts'];

/** The kept readings; none when the file is missing, broken or made by another version. */
export function readCache(root: string): CacheEntries {
  try {
    const [head, body = ''] = readFileSync(cachePath(root), 'utf8').split('\n');
    return head === headOf(body) ? JSON.parse(body) : {};
  } catch {
    return {};
  }
}

/** Keeps readings. A cache that cannot be written is no loss. */
export async function writeCache(root: string, entries: CacheEntries): Promise<void> {
  const body = JSON.stringify(entries);
  await keepFile(cachePath(root), `${headOf(body)}\n${body}`).catch(() => undefined);
}

/** Path, time and size of files: changes whenever one of them does. */
export function stampOf(root: string, files: readonly string[]): string {
  return files.map((file) => stampFile(join(root, file))).join(' ');
}

function headOf(body: string): string {
  const readers = READERS.map((file) => stampFile(join(import.meta.dirname, file))).join(' ');
  return JSON.stringify({ format: FORMAT, sum: createHash('sha256').update(`${readers}\n${body}`).digest('hex') });
}

function stampFile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats ? `${stats.mtimeMs}/${stats.size}` : '-';
}

const cachePath = (root: string): string => join(root, '.kata', 'cache', 'catalogue.json');
