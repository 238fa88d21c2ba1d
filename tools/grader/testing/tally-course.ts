// A whole course of one tiny kata, `tally`, in a temporary folder: what the grader does with any attempt can be tried on it.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { TALLY_FILES } from './tally-files.ts';

const REPOSITORY = path.resolve(import.meta.dirname, '..', '..', '..');

export interface TallyCourse {
  /** Its path has a blank in it, and its packages are reached by a link. */
  readonly root: string;
  /** Writes a file, by its path from the root. */
  write(file: string, text: string): void;
  remove(): void;
}

/** Makes the course, with `others` beside its files or in their place. The learner has no attempt yet. */
export function makeTallyCourse(others: Readonly<Record<string, string>> = {}): TallyCourse {
  const root = mkdtempSync(path.join(os.tmpdir(), 'tally course '));
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  for (const [file, text] of Object.entries({ ...TALLY_FILES, ...others })) write(file, text);
  for (const folder of ['tools', 'node_modules']) symlinkSync(path.join(REPOSITORY, folder), path.join(root, folder));
  return { root, write, remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }) };
}
