// The learner's own files: made from the stub, kept aside by number, never overwritten.
import { existsSync, mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kata } from '../course/catalogue.ts';
import { CannotKeepFile, codeOf, keepFile, keepNewFile, takePlace } from '../course/keep-file.ts';
import { withoutOffer } from './build-on.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';

/** Makes the attempt from the stub, or from a text made of it. False, and nothing changed, when there is one. */
export async function beginAttempt(kata: Kata, text?: string): Promise<boolean> {
  return keepNewFile(kata.paths.attempt, text ?? (await readStub(kata)));
}

/** Text of the present attempt. @throws CommandError that says how to begin one */
export async function readAttempt(kata: Kata): Promise<string> {
  return readFile(kata.paths.attempt, 'utf8').catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new CommandError(`There is no attempt at ${kata.slug} yet. Begin one: npx kata start ${kata.slug}`);
  });
}

/** Numbers of the attempts kept aside, lowest first. */
export async function keptAttempts(kata: Kata): Promise<number[]> {
  const names = await readdir(kata.paths.attempts).catch(() => []);
  return names
    .flatMap((name) => (/^[1-9]\d*\.ts$/.test(name) ? [Number.parseInt(name, 10)] : []))
    .sort((a, b) => a - b);
}

/** Text of an attempt kept aside. @throws CommandError that lists those there are */
export async function readKept(kata: Kata, n: number): Promise<string> {
  return readFile(keptPath(kata, n), 'utf8').catch(async (error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    const kept = await keptAttempts(kata);
    const advice = kept.length === 0 ? 'None is kept aside yet.' : `Kept are: ${kept.join(', ')}.`;
    throw new CommandError(`There is no kept attempt ${n} at ${kata.slug}. ${advice}`);
  });
}

/**
 * Keeps the present attempt aside, unless it is the bare stub or just like one kept before.
 * Gives its number, or null. The attempt itself stays where it is.
 */
export async function keepAside(kata: Kata): Promise<number | null> {
  const text = await readAttempt(kata);
  if (withoutOffer(text) === (await readStub(kata))) return null;
  const kept = await keptAttempts(kata);
  for (const n of kept) if ((await readKept(kata, n)) === text) return n;
  return keepUnder(kata, (kept.at(-1) ?? 0) + 1);
}

/** Replaces the attempt, in one step. What it held must be kept aside already. */
export async function replaceAttempt(kata: Kata, text: string): Promise<void> {
  await keepFile(kata.paths.attempt, text);
}

/** Text of the stub. */
export async function readStub(kata: Kata): Promise<string> {
  return readFile(kata.paths.stub, 'utf8').catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new CommandError(
      `The kata ${kata.slug} has no katas/${kata.slug}/stub.ts. Restore it: git checkout katas/${kata.slug}`,
      EXIT.fault,
    );
  });
}

/** Where an attempt kept aside is, from the course's root. */
export const keptName = (kata: Kata, n: number): string => `katas/${kata.slug}/attempts/${n}.ts`;

const keptPath = (kata: Kata, n: number): string => join(kata.paths.attempts, `${n}.ts`);

/** Two commands at once take two numbers. */
function keepUnder(kata: Kata, first: number): number {
  let n = first;
  try {
    mkdirSync(kata.paths.attempts, { recursive: true });
    while (existsSync(keptPath(kata, n)) || !takePlace(kata.paths.attempt, keptPath(kata, n))) n += 1;
    return n;
  } catch (error) {
    throw new CannotKeepFile(keptPath(kata, n), error);
  }
}
