// Every command that the README and CONTRIBUTING name works, in a copy of the course whose path has a space.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Mistake } from './course/mistake.ts';
import { readReference } from './course/solution-files.ts';
import { applyMistake } from './grader/variants.ts';

const root = path.resolve(import.meta.dirname, '..');
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** What comes of a command: its exit code and, where it goes on until it is stopped, what it says once it runs. */
type Ending = number | RegExp;

/** Commands in the order in which a learner meets them; the attempt is the stub at first, then makes a typical mistake. */
const RUN: Readonly<Record<string, Ending>> = {
  'npm start': 0,
  'npx kata list': 0,
  'npx kata start offline-queue': 0,
  'npx kata spec offline-queue': 0,
  'npx kata watch offline-queue': /of 100/,
  'npx kata grade offline-queue': 1,
  'npx kata replay offline-queue': 1,
  'npx kata replay offline-queue --on reference': 0,
  'npx kata replay offline-queue --debug': /Debugger listening/,
  'npx kata review offline-queue --seed 11': 0,
  'npx kata review offline-queue --show': 0,
  'npx kata review offline-queue --done': 1,
  'npx kata drill': 0,
  'npx kata progress': 0,
  // Without a terminal it says that it needs one.
  'npx kata interview offline-queue': 64,
  'npx kata interview offline-queue --answers tools/interview/sample-session.yaml': 0,
  'npx kata interview --history': 0,
  'npx kata new photo-upload': 0,
  'npx kata verify photo-upload': 0,
};
/** Of one that was stopped. */
const INTERRUPTED = 130;

/** Commands that CI runs by itself, or that take minutes: their scripts must be there. */
const SCRIPTS = [
  'npm test',
  'npm run mutation -- offline-queue',
  'npm run typecheck',
  'npm run lint',
  'npm run test:tools',
  'npm run test:suites',
  'npm run verify',
  'npm run bench',
];

let course: string;

beforeAll(() => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'kata readme '));
  course = path.join(folder, 'the course');
  mkdirSync(course);
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of files.split('\n').filter((name) => name !== ''))
    cpSync(path.join(root, file), path.join(course, file));
  symlinkSync(path.join(root, 'node_modules'), path.join(course, 'node_modules'));
  rmSync(path.join(course, 'katas/offline-queue/seal.json'), { force: true });
});
afterAll(() => rmSync(path.dirname(course), { recursive: true, force: true }));

function commandsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) => block.split(/\n|&&/))
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

const named = [...commandsOf('README.md'), ...commandsOf('CONTRIBUTING.md')];

function start(command: string) {
  const [program = '', ...args] = command.split(' ');
  // Without npm's own time: what it would start is started.
  const isScript = program === 'npm';
  const argv = isScript ? ['kata', ...(scripts[args[0] ?? '']?.split(' ').slice(1) ?? [])] : args;
  const kata = path.join(course, 'tools', 'cli', 'kata.js');
  return spawn(process.execPath, [kata, ...argv.slice(1)], {
    cwd: course,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: '', NO_COLOR: '1' },
  });
}

test('knows every command that is named', () => {
  const known = [...Object.keys(RUN), ...SCRIPTS, 'npm ci', 'npx kata verify photo-upload --seal'];

  expect(named.filter((command) => !known.includes(command))).toEqual([]);
  expect(Object.keys(RUN).filter((command) => !named.includes(command))).toEqual([]);
});

test('has the scripts that are named', () => {
  const missing = SCRIPTS.map((command) => command.replace(/^npm (?:run )?/, '').split(' ')[0] ?? '').filter(
    (name) => !(name in scripts),
  );

  expect(missing).toEqual([]);
  expect(readFileSync(path.join(root, '.ci', 'run'), 'utf8')).toContain('npm test');
});

/** What a learner might have written by then: the reference with a mistake in it, its files in a folder of their own. */
async function writeAttempt(): Promise<void> {
  const { mistakes } = (await import(path.join(root, 'katas/offline-queue/mistakes.ts'))) as { mistakes: Mistake[] };
  const mistake = mistakes.find(({ id }) => id === 'new-key-per-try');
  if (!mistake) throw new Error('offline-queue has no mistake new-key-per-try.');
  const files = applyMistake(await readReference(root, 'offline-queue'), mistake);
  const folder = path.join(course, 'katas/offline-queue');
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, 'own', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  writeFileSync(path.join(folder, 'attempt.ts'), "export * from './own/index.ts';\n");
}

interface Run {
  readonly exitCode: unknown;
  readonly output: string;
}
const runs = new Map<string, Promise<Run>>();

/** Runs a command, once for all who ask. One that goes on is stopped when it says what it should. */
function run(command: string, says: RegExp | null = null): Promise<Run> {
  const known = runs.get(command) ?? begin(command, says);
  runs.set(command, known);
  return known;
}

async function begin(command: string, says: RegExp | null): Promise<Run> {
  if (command.startsWith('npx kata grade')) await writeAttempt();
  const child = start(command);
  let output = '';
  const listen = (text: Buffer) => {
    output += text;
    if (says?.test(output) && !child.killed) child.kill('SIGINT');
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const exitCode = await new Promise((resolve) => child.on('close', resolve));
  return { exitCode, output };
}

test.each(Object.entries(RUN))('runs %s', { timeout: 120_000 }, async (command, ending) => {
  const [expected, says] = typeof ending === 'number' ? [ending, null] : [INTERRUPTED, ending];

  const { exitCode, output } = await run(command, says);

  expect(exitCode, output.slice(-2_000)).toBe(expected);
  expect(output).toMatch(says ?? '');
});

/** The parts of a sample between its gaps. */
function sampleOf(beginning: string): string[] {
  const [, text = ''] = readFileSync(path.join(root, 'README.md'), 'utf8').split(`\`\`\`text\n${beginning}`);
  return `${beginning}${text.slice(0, text.indexOf('```'))}`.split('\n…\n');
}

test('shows the list as it is', { timeout: 120_000 }, async () => {
  const { output } = await run('npx kata list');

  expect(sampleOf('Airplane Mode · 0 of ')).toEqual([output]);
});

test('shows the grade as it is', { timeout: 120_000 }, async () => {
  const { output } = await run('npx kata grade offline-queue');

  for (const part of sampleOf('Offline queue · your attempt\n')) expect(output).toContain(part);
});
