import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTinyCourse, type TinyCourse } from '../course/testing/tiny-course.ts';
import { EXIT } from './exit-code.ts';
import { COMMANDS } from './registry.ts';
import { runKata } from './testing/run-kata.ts';

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
  course.add('offline-queue');
  course.add('cursor-paging', { buildsOn: ['offline-queue'] });
});
afterEach(() => course.remove());

const kata = (...args: string[]) => runKata(course.root, args);

test.each([
  [['lst'], 'There is no command lst. Did you mean npx kata list?'],
  [['offline-queue'], 'What shall be done with offline-queue? For example: npx kata start offline-queue'],
  [
    ['start'],
    'Which kata? The katas are: cursor-paging, offline-queue.'.replace(
      'cursor-paging, offline-queue',
      'offline-queue, cursor-paging',
    ),
  ],
  [['start', 'ofline-queue'], 'There is no kata ofline-queue. Did you mean offline-queue?'],
  [['spec', 'war-room'], 'There is no kata war-room. The katas are: offline-queue, cursor-paging.'],
  [['list', 'too-much'], 'Too many arguments'],
  [['spec', 'offline-queue', '--rwa'], "Unknown option '--rwa' (Did you mean --raw?)"],
  [['serve', 'offline-queue', '--port', 'x'], 'It must be a whole number from 0 to 65535.'],
  [['replay', 'offline-queue', '--on', 'moon'], 'Allowed choices are attempt, reference.'],
  [['hint', 'offline-queue', 'durabel'], 'There is no criterion durabel. Did you mean durable?'],
  [['new'], 'Which name shall the new kata have?'],
])('answers a wrong call with a sentence and 64: kata %s', async (args, sentence) => {
  const { stdout, stderr, exitCode } = await kata(...args);

  expect(stderr).toContain(sentence);
  expect(stderr).not.toMatch(/ at .*\.[jt]s:\d/);
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: EXIT.usage });
});

test('describes every command in its help', async () => {
  const { stdout, exitCode } = await kata('--help');

  const visible = COMMANDS.filter(({ hidden }) => !hidden);
  expect(exitCode).toBe(EXIT.ok);
  expect(visible.filter(({ name }) => !new RegExp(`^  ${name} `, 'm').test(stdout))).toEqual([]);
  expect(stdout).toContain('Examples:');
  expect(visible.filter(({ examples }) => examples.length === 0)).toEqual([]);
});

test('helps with one command', async () => {
  const { stdout, exitCode } = await kata('serve', '--help');

  expect(exitCode).toBe(EXIT.ok);
  expect(stdout).toContain('--port <n>');
  expect(stdout).toContain('npx kata serve offline-queue --port 4000');
});

test('works from a folder within the course', async () => {
  const inside = join(course.root, 'katas', 'offline-queue');

  expect((await runKata(inside, ['list'])).stdout).toContain('offline-queue');
});

test('says what is broken in a kata with 70, and lists the others', async () => {
  course.write('rubric/cursor-paging.yaml', 'kata: cursor-paging');

  const start = await kata('start', 'cursor-paging');
  const list = await kata('list');

  expect(start.exitCode).toBe(EXIT.fault);
  expect(start.stderr).toContain('rubric/cursor-paging.yaml: criteria: must be a list, but is missing.');
  expect(list.exitCode).toBe(EXIT.ok);
  expect(list.stdout).toContain('· offline-queue');
  expect(list.stdout).toContain('Files that need mending');
});

test('tells a fault of its own from the learner’s, and shows the stack only when asked', async () => {
  course.write('katas/offline-queue/backend.ts', 'throw new Error("broken backend");');

  const plain = await kata('serve', 'offline-queue');
  const debug = await runKata(course.root, ['serve', 'offline-queue'], { KATA_DEBUG: '1' });

  expect(plain.exitCode).toBe(EXIT.fault);
  expect(plain.stderr).toBe(
    'This is a fault of the course, not of your code: broken backend\n' +
      'Run the command again with KATA_DEBUG=1 to see where it happened, and report that.\n',
  );
  expect(debug.stderr).toMatch(/ at .*backend\.ts/);
});

test('uses its own course from a folder outside of any', async () => {
  const outside = join(tmpdir(), `outside ${process.pid}`);
  mkdirSync(outside, { recursive: true });

  expect((await runKata(outside, ['list'])).exitCode).toBe(EXIT.ok);
});
