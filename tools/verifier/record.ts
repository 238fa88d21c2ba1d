// What was last proved of a kata, and of which state of all that the proof rests on: `katas/<slug>/verified.json`.
import { globSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kataPaths } from '../course/kata-paths.ts';
import { keepFile } from '../course/keep-file.ts';
import { hashText } from '../course/seal.ts';

/** Every claim about a kata held when all that it rests on had this fingerprint. */
export interface VerifiedRecord {
  /** sha256, 16 hex digits: see `fingerprintOf`. */
  readonly fingerprint: string;
  /** How many claims held. */
  readonly claims: number;
}

/** What runs and judges katas: a change there may change any verdict. Its own tests and what only renders may not. */
const JUDGE = ['course', 'phone', 'simulator', 'grader', 'verifier'].map((part) => `tools/${part}/**/*.ts`);
const NO_JUDGE = /\.test\.ts$|^tools\/grader\/render\/|^tools\/(?!phone\/)\w+\/testing\//;
/** What decides which libraries run, and how modules are found and compiled. */
const GROUND = ['package.json', 'package-lock.json', 'tsconfig.json', 'vitest.config.ts', 'rubric/bands.yaml'];
/** A learner's own, and what is written here. */
const NO_CONTENT = /\/(?:attempt\.ts|attempts\/.*|seal\.json|verified\.json)$/;

/** A hash over a kata's files, those of the katas it is made of, and the tools and libraries that judge it. */
export function fingerprintOf(root: string, slug: string): string {
  const own = contentOf(root, slug);
  const files = [...own, ...find(root, JUDGE).filter((file) => !NO_JUDGE.test(file)), ...GROUND];
  return hashText([...new Set(files)].map((file) => `${file} ${hashText(read(root, file))}`).join('\n'));
}

/** The kata's own files, and those of the katas whose contracts or references it imports. */
function contentOf(root: string, slug: string, known = new Set<string>()): string[] {
  if (known.has(slug)) return [];
  known.add(slug);
  const own = find(root, [
    `katas/${slug}/**/*`,
    `solutions/${slug}/**/*.ts`,
    `specs/${slug}.md`,
    `rubric/${slug}.yaml`,
  ]);
  const files = own.filter((file) => !NO_CONTENT.test(file));
  const texts = files.map((file) => read(root, file)).join('\n');
  const others = [...texts.matchAll(/#(?:solutions|contract)\/([\w-]+)/g)].map(([, other = '']) => other);
  return [...files, ...others.flatMap((other) => contentOf(root, other, known))];
}

/** Files, not folders, in one order on all systems. */
function find(root: string, patterns: readonly string[]): string[] {
  const found = globSync(patterns, { cwd: root, withFileTypes: true }).filter((entry) => entry.isFile());
  return found
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

function read(root: string, file: string): string {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return 'missing';
  }
}

/** The record of this state of things; null when there is none that can be read, or it is of another state. */
export async function readRecord(root: string, slug: string, fingerprint: string): Promise<VerifiedRecord | null> {
  try {
    const record: unknown = JSON.parse(await readFile(kataPaths(root, slug).verified, 'utf8'));
    return isRecord(record) && record.fingerprint === fingerprint ? record : null;
  } catch {
    return null;
  }
}

export async function writeRecord(root: string, slug: string, record: VerifiedRecord): Promise<void> {
  await keepFile(kataPaths(root, slug).verified, `${JSON.stringify(record, null, 2)}\n`);
}

function isRecord(value: unknown): value is VerifiedRecord {
  if (typeof value !== 'object' || value === null || !('fingerprint' in value) || !('claims' in value)) return false;
  return typeof value.fingerprint === 'string' && typeof value.claims === 'number';
}
