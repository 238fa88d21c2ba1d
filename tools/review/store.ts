// Rounds on disk: `.kata/reviews/<kata>-<n>/`, written whole, never removed.
import { mkdirSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CannotKeepFile, codeOf, keepFile } from '../course/keep-file.ts';
import { type AnswerKey, answerKey, type RoundResult, type Session, session } from './round.ts';

/** Where a round's files are; paths from the course's root. */
export interface RoundFiles {
  readonly folder: string;
  /** For the person to mend. */
  readonly code: string;
  /** As it was given: findings name its lines. */
  readonly given: string;
  readonly findings: string;
  readonly session: string;
  readonly result: string;
}

export function roundFiles(id: string): RoundFiles {
  const folder = path.posix.join('.kata', 'reviews', id);
  return {
    folder,
    code: `${folder}/code.ts`,
    given: `${folder}/given.ts`,
    findings: `${folder}/findings.yaml`,
    session: `${folder}/session.json`,
    result: `${folder}/result.json`,
  };
}

/** Begins a round under the next free number; two commands at once take two. */
export async function beginRound(
  root: string,
  about: Omit<Session, 'schemaVersion' | 'id' | 'state' | 'key'>,
  key: AnswerKey,
  findings: string,
): Promise<Session> {
  const id = takeFolder(root, about.kata.slug);
  const files = roundFiles(id);
  const begun: Session = { schemaVersion: 1, id, ...about, state: 'open', key: toBase64(key) };
  await keepFile(path.join(root, files.given), key.given);
  await keepFile(path.join(root, files.code), key.given);
  await keepFile(path.join(root, files.findings), findings);
  // Last, so that a round without it is one that was never given.
  await keepSession(root, begun);
  return begun;
}

function takeFolder(root: string, slug: string): string {
  const folder = path.join(root, '.kata', 'reviews');
  try {
    mkdirSync(folder, { recursive: true });
    for (let n = nextNumber(root, slug); ; n += 1) {
      if (tryFolder(path.join(folder, `${slug}-${n}`))) return `${slug}-${n}`;
    }
  } catch (error) {
    throw new CannotKeepFile(folder, error);
  }
}

function tryFolder(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function numbersOf(root: string, slug: string): number[] {
  let names: string[] = [];
  try {
    names = readdirSync(path.join(root, '.kata', 'reviews'));
  } catch {
    // No round was begun yet.
  }
  return names
    .flatMap((name) => (name.startsWith(`${slug}-`) ? [name.slice(slug.length + 1)] : []))
    .flatMap((number) => (/^[1-9]\d*$/.test(number) ? [Number(number)] : []))
    .sort((a, b) => a - b);
}

/** The number that the next round of a kata takes, unless another command takes it first. */
export const nextNumber = (root: string, slug: string): number => (numbersOf(root, slug).at(-1) ?? 0) + 1;

/** The newest open round of a kata. `onUnreadable` is told of rounds that cannot be read; they stay as they are. */
export async function openRound(
  root: string,
  slug: string,
  onUnreadable: (file: string) => void,
): Promise<Session | null> {
  for (const n of numbersOf(root, slug).reverse()) {
    const file = roundFiles(`${slug}-${n}`).session;
    const text = await readFile(path.join(root, file), 'utf8').catch(() => null);
    const read = text === null ? null : parseWith(session, text);
    if (text !== null && read === null) onUnreadable(file);
    if (read?.state === 'open') return read;
  }
  return null;
}

/** The answer key of a round; null when it cannot be read. */
export const keyOf = ({ key }: Session): AnswerKey | null =>
  parseWith(answerKey, Buffer.from(key, 'base64').toString('utf8'));

const toBase64 = (key: AnswerKey): string => Buffer.from(JSON.stringify(key), 'utf8').toString('base64');

/** Ends a round: its result first, so that a round is never over without one. */
export async function endRound(root: string, round: Session, result: RoundResult): Promise<void> {
  await keepFile(path.join(root, roundFiles(round.id).result), `${JSON.stringify(result, null, 2)}\n`);
  await keepSession(root, { ...round, state: 'done' });
}

const keepSession = (root: string, round: Session): Promise<void> =>
  keepFile(path.join(root, roundFiles(round.id).session), `${JSON.stringify(round, null, 2)}\n`);

function parseWith<T>(schema: { safeParse(data: unknown): { success: boolean; data?: T } }, text: string): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
