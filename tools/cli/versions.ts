// What can be compared of a kata: the attempt, those kept aside, the stub, the reference and its alternative.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Kata } from '../course/catalogue.ts';
import { kataFiles } from '../course/kata-paths.ts';
import { keptAttempts, keptName, readAttempt, readKept, readStub } from './attempts.ts';
import { CommandError } from './command-error.ts';
import type { Side } from './render-diff.ts';

/** Versions that show the answer. */
export const SPOILERS: readonly string[] = ['reference', 'alternative'];

/** A version by its id. @throws CommandError that lists those there are */
export async function readVersion(kata: Kata, id: string): Promise<Side> {
  const { slug, paths } = kata;
  const files = kataFiles(slug);
  if (id === 'attempt') return { name: `katas/${slug}/attempt.ts`, text: await readAttempt(kata) };
  if (id === 'stub') return { name: files.stub, text: await readStub(kata) };
  if (id === 'reference') return { name: files.reference, text: await readFile(paths.reference, 'utf8') };
  if (id === 'alternative') return { name: files.alternative, text: await readFile(paths.alternative, 'utf8') };
  if (/^[1-9]\d{0,5}$/.test(id)) return { name: keptName(kata, Number(id)), text: await readKept(kata, Number(id)) };
  throw new CommandError(`There is no version ${id} of ${slug}. There are: ${(await versionsOf(kata)).join(', ')}.`);
}

/** Ids of the versions there are now. */
export async function versionsOf(kata: Kata): Promise<string[]> {
  const attempt = existsSync(kata.paths.attempt) ? ['attempt'] : [];
  return [...attempt, ...(await keptAttempts(kata)).map(String), 'stub', 'reference', 'alternative'];
}
