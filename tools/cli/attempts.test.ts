import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTinyCourse, type TinyCourse } from '../course/testing/tiny-course.ts';
import { EXIT } from './exit-code.ts';
import { callKata } from './testing/call-kata.ts';
import { runKata } from './testing/run-kata.ts';

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
  course.add('tiny');
});
afterEach(() => course.remove());

const STUB = 'export const stub = 1;\n';
const ATTEMPT = 'katas/tiny/attempt.ts';
const kata = (...args: string[]) => callKata(course.root, args);
const inProcess = (...args: string[]) => runKata(course.root, args);
const read = (file: string) => readFileSync(join(course.root, file), 'utf8');
const kept = () => readdirSync(join(course.root, 'katas/tiny/attempts')).sort();

test('starts from the stub and says how to go on', async () => {
  const { stdout, exitCode } = await inProcess('start', 'tiny');

  expect(exitCode).toBe(EXIT.ok);
  expect(read(ATTEMPT)).toBe(STUB);
  expect(stdout).toContain('What was saved must not be lost.');
  expect(stdout).toContain('npx kata watch tiny');
  expect(stdout).toContain('The first test to make green: “keeps what was saved”.');
});

test('never overwrites an attempt by starting again', async () => {
  course.write(ATTEMPT, 'my work');

  const { stdout, exitCode } = await kata('start', 'tiny');

  expect(exitCode).toBe(EXIT.ok);
  expect(read(ATTEMPT)).toBe('my work');
  expect(stdout).toContain('is there already and stays as it is.');
});

test('makes one attempt when started twice at once', async () => {
  const both = await Promise.all([inProcess('start', 'tiny'), inProcess('start', 'tiny')]);

  expect(both.map(({ exitCode }) => exitCode)).toEqual([EXIT.ok, EXIT.ok]);
  expect(both.filter(({ stdout }) => stdout.includes('made from the stub'))).toHaveLength(1);
});

test('keeps an attempt aside and begins afresh', async () => {
  course.write(ATTEMPT, 'first');
  await kata('retry', 'tiny');
  course.write(ATTEMPT, 'second');
  const { stdout } = await inProcess('retry', 'tiny');

  expect(read(ATTEMPT)).toBe(STUB);
  expect([read('katas/tiny/attempts/1.ts'), read('katas/tiny/attempts/2.ts')]).toEqual(['first', 'second']);
  expect(stdout).toContain('Your attempt is kept as katas/tiny/attempts/2.ts.');
});

test('keeps nothing of a bare stub', async () => {
  await kata('start', 'tiny');

  const { stdout } = await kata('retry', 'tiny');

  expect(stdout).toContain('still the bare stub');
  expect(existsSync(join(course.root, 'katas/tiny/attempts'))).toBe(false);
});

test('goes back to a kept attempt and keeps the present one', async () => {
  course.write(ATTEMPT, 'first');
  await kata('retry', 'tiny');
  course.write(ATTEMPT, 'second');

  await kata('retry', 'tiny', '--restore', '1');
  const there = read(ATTEMPT);
  await kata('retry', 'tiny', '--restore', '2');

  expect(there).toBe('first');
  expect(read(ATTEMPT)).toBe('second');
  expect(kept()).toEqual(['1.ts', '2.ts']);
});

test('loses nothing when two retries meet', async () => {
  course.write(ATTEMPT, 'my work');

  await Promise.all([inProcess('retry', 'tiny'), inProcess('retry', 'tiny')]);

  expect(kept().map((name) => read(`katas/tiny/attempts/${name}`))).toContain('my work');
});

test('lists what is kept, and says so when nothing is', async () => {
  const none = await kata('retry', 'tiny', '--list');
  course.write(ATTEMPT, 'first');
  await kata('retry', 'tiny');
  const one = await kata('retry', 'tiny', '--list');

  expect(none.stdout).toContain('No attempt at tiny is kept aside yet.');
  expect(one.stdout).toMatch(/^ {2}1 {2}last changed .* UTC, 5 bytes$/m);
});

test.each([
  [['retry', 'tiny'], 'There is no attempt at tiny yet. Begin one: npx kata start tiny'],
  [['diff', 'tiny'], 'There is no attempt at tiny yet. Begin one: npx kata start tiny'],
  [['ui', 'tiny'], 'There is no attempt at tiny yet. Begin one: npx kata start tiny'],
  [['retry', 'tiny', '--restore', '3'], 'There is no kept attempt 3 at tiny. None is kept aside yet.'],
  [['diff', 'tiny', '--with', '3'], 'There is no kept attempt 3 at tiny. None is kept aside yet.'],
])('says what is missing: kata %s', async (args, sentence) => {
  const { stderr, exitCode } = await kata(...args);

  expect({ stderr, exitCode }).toEqual({ stderr: `${sentence}\n`, exitCode: EXIT.usage });
});

const BIG_STUB = `// Your starting point.
import type { CreateBig } from '#contract/big';

export const createBig: CreateBig = () => { throw new Error('NotImplemented'); };
`;

/** A feature that builds on `tiny`. */
function addFeature(): void {
  course.add('big', { buildsOn: ['tiny'] });
  course.write('katas/tiny/contract.ts', 'export interface TinyModule {\n  readonly createTiny: () => void;\n}\n');
  course.write('katas/big/stub.ts', BIG_STUB);
}

test('offers what a feature builds on: the reference and the own attempt', async () => {
  addFeature();

  const { stdout } = await kata('start', 'big');

  expect(read('katas/big/attempt.ts')).toContain(
    `from '#contract/big';

// What this kata builds on. Take away the slashes before what you use; leave the rest out.
// import { createTiny } from '#solutions/tiny';
// import { createTiny } from '#attempt/tiny';

export const createBig`,
  );
  expect(stdout).toContain('It builds on tiny.');
});

test('offers the own attempt alone when asked to, and knows the bare stub again', async () => {
  addFeature();
  course.write(ATTEMPT, 'mine');

  const { stdout } = await kata('start', 'big', '--build-on', 'attempt');
  const text = read('katas/big/attempt.ts');
  await kata('retry', 'big');

  expect(stdout).toContain('It builds on tiny (you have an attempt).');
  expect(text).toContain(`// import { createTiny } from '#attempt/tiny';`);
  expect(text).not.toContain('#solutions');
  expect(existsSync(join(course.root, 'katas/big/attempts'))).toBe(false);
});
