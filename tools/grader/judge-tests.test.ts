import { expect, test } from 'vitest';
import { judgeTests } from './judge-tests.ts';
import type { RawTest } from './suite-messages.ts';
import { type SuiteOutcome, THE_SUITE_ITSELF } from './suite-runner.ts';

const ROOT = '/home/ann lee/the course';
const titles = [
  { name: 'counts', tags: ['counting', 'R1', 'E2'] },
  { name: 'keeps', tags: ['keeping', 'R2'] },
];
const raw = (name: string, traits: Partial<RawTest> = {}): RawTest => ({
  file: `${ROOT}/katas/tally/suite.test.ts`,
  name,
  tags: [],
  state: 'passed',
  durationMs: 5,
  busyMs: 5,
  errors: [],
  ...traits,
});
const error = (message: string, traits = {}) => ({ name: 'Error', message, stack: '', diff: '', ...traits });
const outcome = (traits: Partial<SuiteOutcome> = {}): SuiteOutcome => ({
  tests: [],
  hung: [],
  stoppedBy: null,
  broken: [],
  unhandled: [],
  ...traits,
});
const judge = (traits: Partial<SuiteOutcome>) =>
  judgeTests(titles, outcome(traits), new Set(['counting', 'keeping']), ROOT);

test('judges tests in the order of the suite, each under its criterion', () => {
  const judged = judge({ tests: [raw('keeps', { state: 'skipped' }), raw('counts')] });

  expect(judged).toMatchObject([
    { name: 'counts', status: 'pass', criterion: 'counting', spec: ['R1', 'E2'], message: null },
    { name: 'keeps', status: 'skipped', criterion: 'keeping', spec: ['R2'], message: 'The suite skips this test.' },
  ]);
});

test('judges tests that the text of the suite does not show, too', () => {
  const judged = judge({ tests: [raw('counts'), raw('keeps'), raw('nested > more', { tags: ['keeping', 'R9'] })] });

  expect(judged[2]).toMatchObject({ name: 'nested > more', criterion: 'keeping', spec: ['R9'], status: 'pass' });
});

test('tells a broken expectation from what is thrown, with paths from the root', () => {
  const stack = [
    `    at add (${ROOT}/katas/tally/attempt.ts:3:9)`,
    `    at ${ROOT}/node_modules/vitest/dist/x.js:1:1`,
    `    at file://${ROOT.replaceAll(' ', '%20')}/solutions/other/index.ts:2:2`,
  ].join('\n');
  const failed = raw('counts', {
    state: 'failed',
    errors: [error('expected 1 to be 2', { name: 'AssertionError', diff: '- 2\n+ 1', stack })],
  });
  const thrown = raw('keeps', { state: 'failed', errors: [error(`no file ${ROOT}/x`)] });

  const judged = judge({ tests: [failed, thrown] });

  expect(judged.map(({ status }) => status)).toEqual(['fail', 'error']);
  expect(judged[0]?.message).toBe(
    'AssertionError: expected 1 to be 2\n- 2\n+ 1\n    at add (katas/tally/attempt.ts:3:9)\n    at solutions/other/index.ts:2:2',
  );
  expect(judged[1]?.message).toBe('Error: no file x');
});

test('says of a test that ran out of time whether it waited or worked', () => {
  const late = (name: string, busyMs: number | null) =>
    raw(name, { state: 'failed', busyMs, errors: [error('Test timed out in 3000ms.\nAsk for more')] });

  const judged = judge({ tests: [late('counts', 40), late('keeps', 2_900)] });

  expect(judged.map(({ status }) => status)).toEqual(['timeout', 'timeout']);
  expect(judged[0]?.message).toContain('It waited 3 s for something that never came');
  expect(judged[1]?.message).toContain('It was not done after 3 s');
});

test('names the tests that hung, and what kept the others from running', () => {
  const hung = [{ name: 'counts', how: 'timeout', detail: 'Nothing was heard of it.' }] as const;

  expect(judge({ hung, stoppedBy: 'counts' })).toMatchObject([
    { status: 'timeout', message: 'Nothing was heard of it.', blockedBy: null },
    { status: 'blocked', blockedBy: 'counts' },
  ]);
  expect(judge({ hung: [{ ...hung[0], how: 'crash' }] })[0]).toMatchObject({ status: 'error' });
});

test('blocks all tests of a suite that does not load, or hangs as it loads', () => {
  const broken = [{ file: 'suite.test.ts', errors: [error('Cannot find module')] }];
  const hung = [{ name: THE_SUITE_ITSELF, how: 'timeout', detail: 'It loops.' }] as const;

  const blocked = { status: 'blocked', blockedBy: 'the suite does not load' };
  expect(judge({ broken })).toMatchObject([{ ...blocked, message: 'Cannot find module' }, blocked]);
  expect(judge({ hung, stoppedBy: THE_SUITE_ITSELF })).toMatchObject([
    { ...blocked, message: 'No test was begun. It loops.' },
    blocked,
  ]);
});

test('says so when a test was simply not run', () => {
  expect(judge({ tests: [raw('counts')] })[1]).toMatchObject({ name: 'keeps', status: 'not-run' });
});
