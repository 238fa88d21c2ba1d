import { afterAll, beforeAll, expect, test } from 'vitest';
import { SuiteRunner, type SuiteRunnerOptions } from './suite-runner.ts';
import { makeTallyCourse, type TallyCourse } from './testing/tally-course.ts';
import { TALLY_REFERENCE } from './testing/tally-files.ts';
import { makeVariant } from './variants.ts';

const PATIENCE_MS = 60_000;

let course: TallyCourse;
beforeAll(() => {
  course = makeTallyCourse();
});
afterAll(() => course.remove());

async function runWith(
  id: string,
  source: string,
  options: Partial<SuiteRunnerOptions> = {},
  only: readonly string[] = [],
) {
  const target = await makeVariant(course.root, 'tally', id, source);
  const runner = new SuiteRunner({ root: course.root, ...options });
  return { runner, outcome: runner.run([target.suite], [], only).finally(() => runner.stop()) };
}

test(
  'passes a test that is merely slow, and names those that wait in vain',
  async () => {
    const used = '(({ user, system }) => user + system)(process.cpuUsage())';
    const busy = `{ const from = ${used}; while (${used} - from < 450_000); return total; }`;
    const source = TALLY_REFERENCE.replace('total: () => total', `total: () => ${busy}`);
    const waiting = source.replace('total += 1;', 'await new Promise(() => {});\ntotal += 1;');
    const { outcome } = await runWith('slow', waiting, { testTimeoutMs: 400 });

    const { tests, hung, stoppedBy } = await outcome;

    expect(tests.map(({ name, state }) => [name, state])).toEqual([
      ['begins at nothing', 'passed'],
      ['counts each of them', 'failed'],
      ["doesn't forget over a restart", 'failed'],
      ['tells the server nothing after dispose', 'failed'],
    ]);
    expect(tests[1]?.errors[0]?.message).toContain('timed out in 400ms');
    expect({ hung, stoppedBy }).toEqual({ hung: [], stoppedBy: null });
  },
  PATIENCE_MS,
);

test(
  'passes a test that the machine kept from running',
  async () => {
    const held = '{ Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 450); return total; }';
    const source = TALLY_REFERENCE.replace('total: () => total', `total: () => ${held}`);
    const { outcome } = await runWith('held', source, { testTimeoutMs: 400 }, ['begins at nothing']);

    const { tests, hung } = await outcome;

    expect(tests.filter(({ state }) => state !== 'skipped')).toMatchObject([{ state: 'passed' }]);
    expect(hung).toEqual([]);
  },
  PATIENCE_MS,
);

test(
  'can be stopped in the middle of a run, and starts nothing afterwards',
  async () => {
    const source = TALLY_REFERENCE.replace('total += 1;', 'for (;;) {}');
    const { runner, outcome } = await runWith('stopped', source);
    const ended = expect(outcome).rejects.toThrow('The suite runner was stopped.');

    runner.stop();

    await ended;
    await expect(runner.run([])).rejects.toThrow('The suite runner was stopped.');
  },
  PATIENCE_MS,
);
