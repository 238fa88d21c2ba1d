// What a grade depends on, as hashes: so that a grade says which suite it was, and whether that suite was edited.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kataFiles, kataPaths } from './kata-paths.ts';
import { keepFile } from './keep-file.ts';

/** The record of a kata's files as its author published them: `katas/<slug>/seal.json`. */
export interface Seal {
  /** The rubric's version. */
  readonly version: number;
  /** Path from the course's root to sha256 (16 hex digits), lines ended by LF. */
  readonly files: Readonly<Record<string, string>>;
}

/** How the files stand to their seal. */
export interface SealCheck {
  /** `none`: never sealed. `unreadable`: the seal itself was edited or cut. */
  readonly status: 'intact' | 'edited' | 'none' | 'unreadable';
  /** Paths from the course's root of files changed or taken away since. */
  readonly edited: readonly string[];
}

/** Files a grade depends on, from the course's root. */
export function gradedFiles(slug: string): string[] {
  const { contract, backend, suite, scenario, rubric, spec } = kataFiles(slug);
  return [contract, backend, suite, scenario, rubric, spec];
}

/** One hash (16 hex digits) over all that a kata's grade depends on. A missing file counts as such. */
export function suiteHash(root: string, slug: string): string {
  return hashText(JSON.stringify(hashFiles(root, slug)));
}

/** sha256 of a text, 16 hex digits. Line ends do not matter: git may change them. */
export function hashText(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex').slice(0, 16);
}

/** Publishes the kata as it stands now. For authors, after `kata verify`. */
export async function writeSeal(root: string, slug: string, version: number): Promise<Seal> {
  const seal = { version, files: hashFiles(root, slug) };
  await keepFile(kataPaths(root, slug).seal, `${JSON.stringify(seal, null, 2)}\n`);
  return seal;
}

/** Which of the files a grade depends on were edited since the kata was sealed. */
export async function checkSeal(root: string, slug: string): Promise<SealCheck> {
  const text = await readFile(kataPaths(root, slug).seal, 'utf8').catch(() => null);
  if (text === null) return { status: 'none', edited: [] };
  const sealed = readSeal(text);
  if (sealed === null) return { status: 'unreadable', edited: [] };
  const present = hashFiles(root, slug);
  const edited = gradedFiles(slug).filter((file) => sealed.files[file] !== present[file]);
  return { status: edited.length === 0 ? 'intact' : 'edited', edited };
}

function hashFiles(root: string, slug: string): Record<string, string> {
  return Object.fromEntries(gradedFiles(slug).map((file) => [file, hashFile(join(root, file))]));
}

function hashFile(path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    return hashText(path.endsWith('.yaml') ? gradedPart(text) : text);
  } catch {
    return 'missing';
  }
}

/** No grade turns on what a rubric holds for interviews and drills: a better answer there makes no attempt stale. */
function gradedPart(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll(/^(?:interview|drill):.*\n(?:(?:[ #-].*)?\n)*/gm, '');
}

function readSeal(text: string): Seal | null {
  try {
    const seal: unknown = JSON.parse(text);
    return isSeal(seal) ? seal : null;
  } catch {
    return null;
  }
}

function isSeal(value: unknown): value is Seal {
  if (typeof value !== 'object' || value === null || !('version' in value) || !('files' in value)) return false;
  const { version, files } = value;
  return typeof version === 'number' && typeof files === 'object' && files !== null;
}
