// Runs the suites of many trusted variants in one process, one after another: far cheaper than a process each.
import path from 'node:path';
import { makeScratch } from './scratch.ts';
import type { RawTest, SuiteRequest } from './suite-messages.ts';
import { startSuiteProcess } from './suite-process.ts';
import { suiteProcessorTime } from './suite-progress.ts';
import { isIdleTimeout, isTimeout } from './suite-timeouts.ts';
import { Watchdog } from './supervise.ts';

/** A test takes some 10 to 50 ms; one that takes this long waits for something that never comes. */
const TEST_TIMEOUT_MS = 1_500;
/** Silence after which a test is looping, and nothing more is to be expected; before the first, Vitest must get going. */
const SILENCE_MS = { start: 20_000, test: 5_000 };
const HEAP_MB = 1_024;

/** A suite, and the tests of it to run. */
export interface BatchJob {
  /** Absolute path of the suite. */
  readonly file: string;
  /** Full names; at least one. */
  readonly only: readonly string[];
}

/** What is known of one suite: the tests that passed, and those that failed without any doubt. */
export interface BatchOutcome {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
}

/**
 * Runs suites that share one process. What one leaves behind may disturb the next, so put one that must pass at the end.
 * A suite that loops or crashes ends the batch: it and those behind it have less in their outcome, or none.
 */
export async function runSuiteBatch(root: string, jobs: readonly BatchJob[]): Promise<Map<string, BatchOutcome>> {
  const tests = await testsOf(root, jobs);
  const named = (file: string, isWanted: (test: RawTest) => boolean) =>
    tests.filter((test) => test.file === file && isWanted(test)).map(({ name }) => name);
  return new Map(
    jobs.map(({ file }) => [
      file,
      { passed: named(file, ({ state }) => state === 'passed'), failed: named(file, hasFailed) },
    ]),
  );
}

/** A test that was busy when its time was up proves nothing: the machine may merely be slow. */
const hasFailed = (test: RawTest): boolean => test.state === 'failed' && (!isTimeout(test) || isIdleTimeout(test));

async function testsOf(root: string, jobs: readonly BatchJob[]): Promise<RawTest[]> {
  const scratch = makeScratch('suite');
  const progressFile = path.join(scratch.folder, 'running');
  const processorTime = () => suiteProcessorTime(progressFile);
  const child = startSuiteProcess(root);
  const tests: RawTest[] = [];
  await new Promise<void>((resolve) => {
    let watchdog = new Watchdog(SILENCE_MS.start, () => resolve(), processorTime);
    child.onEnd = () => resolve();
    child.onEvent = (event) => {
      watchdog.pat();
      if (event.type === 'ready') child.send({ type: 'run', run: batchOf(jobs) });
      if (event.type === 'test' && tests.push(event.test) === 1) {
        watchdog.rest();
        watchdog = new Watchdog(SILENCE_MS.test, () => resolve(), processorTime);
        watchdog.pat();
      }
      if (event.type === 'end') {
        watchdog.rest();
        resolve();
      }
    };
    watchdog.pat();
    child.send({ type: 'start', start: { root, isReference: true, progressFile, heapMb: HEAP_MB, isShared: true } });
  });
  child.onEnd = () => undefined;
  child.onEvent = () => undefined;
  child.stop();
  scratch.remove();
  return tests;
}

const batchOf = (jobs: readonly BatchJob[]): Extract<SuiteRequest, { type: 'run' }>['run'] => ({
  files: jobs.map(({ file }) => file),
  onlyIn: Object.fromEntries(jobs.map(({ file, only }) => [file, only])),
  changed: [],
  skip: [],
  only: [],
  testTimeoutMs: TEST_TIMEOUT_MS,
});
