// What can be compared of a kata: the attempt, those kept aside, the stub, the reference and its alternative.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Kata } from '../course/catalogue.ts';
import { kataFiles } from '../course/kata-paths.ts';
import { readSolution, solutionFolder } from '../course/solution-files.ts';
import { keptAttempts, keptName, readAttempt, readKept, readStub } from './attempts.ts';
import { CommandError } from './command-error.ts';
import type { Side } from './render-diff.ts';

/** Versions that show the answer. */
export const SPOILERS: readonly string[] = ['reference', 'alternative'];

/** The files of a version by its id, its module first. @throws CommandError that lists those there are */
export async function readVersion(root: string, kata: Kata, id: string): Promise<[Side, ...Side[]]> {
  const { slug } = kata;
  const files = kataFiles(slug);
  if (id === 'attempt') return [{ name: `katas/${slug}/attempt.ts`, text: await readAttempt(kata) }];
  if (id === 'stub') return [{ name: files.stub, text: await readStub(kata) }];
  if (id === 'reference' || id === 'alternative') return readSides(root, slug, files[id]);
  if (/^[1-9]\d{0,5}$/.test(id)) return [{ name: keptName(kata, Number(id)), text: await readKept(kata, Number(id)) }];
  throw new CommandError(`There is no version ${id} of ${slug}. There are: ${(await versionsOf(kata)).join(', ')}.`);
}

async function readSides(root: string, slug: string, name: string): Promise<[Side, ...Side[]]> {
  const { [path.posix.basename(name)]: text = '', ...parts } = await readSolution(
    root,
    slug,
    path.posix.basename(name),
  );
  const others = Object.entries(parts).map(([part, text]) => ({ name: `${solutionFolder(slug)}/${part}`, text }));
  return [{ name, text }, ...others];
}

/** Ids of the versions there are now. */
export async function versionsOf(kata: Kata): Promise<string[]> {
  const attempt = existsSync(kata.paths.attempt) ? ['attempt'] : [];
  return [...attempt, ...(await keptAttempts(kata)).map(String), 'stub', 'reference', 'alternative'];
}
