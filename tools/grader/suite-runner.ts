// Runs suites in a child process, and gets an answer for every test whatever the attempt does to that process.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { RawError, RawTest, SuiteEvent, SuiteRequest } from './suite-messages.ts';
import { type ChildEnd, ranOutOfMemory, SupervisedChild, Watchdog } from './supervise.ts';

/** A test takes some 10 to 50 ms; one that takes this long waits for something that never comes. */
const TEST_TIMEOUT_MS = 3_000;
/** Time for a second look at a test that timed out, in case the machine was merely busy. */
const SECOND_LOOK_MS = 8_000;
/** Silence after which a test is looping, and cannot even time out. */
const SILENCE_MS = 10_000;
/** So many tests timed out or hung: the rest would, too. */
const HANGS_MAX = 3;
const HEAP_MB = 512;

export interface SuiteOutcome {
  readonly tests: readonly RawTest[];
  /** Tests that looped or crashed their process, with what became of it. */
  readonly hung: readonly { readonly name: string; readonly how: 'timeout' | 'crash'; readonly detail: string }[];
  /** The test after whose end no other was begun, since too many had hung; null when all were. */
  readonly stoppedBy: string | null;
  /** Suites that could not be collected. */
  readonly broken: readonly { readonly file: string; readonly errors: readonly RawError[] }[];
  readonly unhandled: readonly RawError[];
}

/** What one pass through Vitest gave. */
interface Pass {
  readonly tests: RawTest[];
  readonly broken: { file: string; errors: readonly RawError[] }[];
  unhandled: readonly RawError[];
  end: 'done' | 'silent' | 'enough' | ChildEnd;
}

export interface SuiteRunnerOptions {
  readonly root: string;
  readonly isReference?: boolean;
}

/** A Vitest that is kept warm between runs. Call `stop` when done. */
export class SuiteRunner {
  readonly #options: SuiteRunnerOptions;
  readonly #scratch = mkdtempSync(path.join(os.tmpdir(), 'kata-suite-'));
  #child: SupervisedChild<SuiteRequest, SuiteEvent> | undefined;
  #whenReady: Promise<void> = Promise.resolve();

  constructor(options: SuiteRunnerOptions) {
    this.#options = options;
    this.#spawn();
  }

  /** Runs suites. `changed` names files edited since the last run. */
  async run(files: readonly string[], changed: readonly string[] = []): Promise<SuiteOutcome> {
    const tests = new Map<string, RawTest>();
    const keep = (pass: Pass) => {
      for (const test of pass.tests)
        if (test.state !== 'skipped' || !tests.has(keyOf(test))) tests.set(keyOf(test), test);
    };
    const hung: { name: string; how: 'timeout' | 'crash'; detail: string }[] = [];
    let pass = await this.#pass({ files, changed, skip: [], only: [], testTimeoutMs: TEST_TIMEOUT_MS });
    keep(pass);
    while (pass.end !== 'done' && pass.end !== 'enough' && hung.length < HANGS_MAX) {
      hung.push({ name: this.#runningTest(), ...describeEnd(pass.end) });
      this.#restart();
      if (hung.length >= HANGS_MAX) break;
      const skip = [...hung.map(({ name }) => name), ...[...tests.values()].map(({ name }) => name)];
      pass = await this.#pass({ files, changed: [], skip, only: [], testTimeoutMs: TEST_TIMEOUT_MS });
      keep(pass);
    }
    const isStopped = pass.end === 'enough' || hung.length >= HANGS_MAX;
    if (pass.end === 'enough') this.#restart();
    const { broken, unhandled } = pass;
    if (hung.length === 0 && !isStopped && [...tests.values()].some(isTimeout)) {
      const again = await this.#secondLook(files, [...tests.values()].filter(isTimeout));
      for (const test of again) tests.set(keyOf(test), test);
    }
    const last = hung.at(-1)?.name ?? [...tests.values()].findLast(isTimeout)?.name;
    return { tests: [...tests.values()], hung, stoppedBy: isStopped ? (last ?? null) : null, broken, unhandled };
  }

  /** On a busy machine a slow test looks like one that waits in vain. If one of them passes with more time, all are run with it. */
  async #secondLook(files: readonly string[], doubtful: readonly RawTest[]): Promise<readonly RawTest[]> {
    const [first] = doubtful;
    const look = async (only: readonly string[]) => {
      const pass = await this.#pass({ files, changed: [], skip: [], only, testTimeoutMs: SECOND_LOOK_MS });
      if (pass.end !== 'done') this.#restart();
      return pass.tests.filter(({ state }) => state !== 'skipped');
    };
    const alone = await look(first ? [first.name] : []);
    return alone.some(({ state }) => state === 'passed') ? look([]) : [];
  }

  stop(): void {
    this.#child?.stop();
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  get #progressFile(): string {
    return path.join(this.#scratch, 'running');
  }

  #runningTest(): string {
    try {
      return readFileSync(this.#progressFile, 'utf8') || 'the suite itself';
    } catch {
      return 'the suite itself';
    }
  }

  #restart(): void {
    this.#child?.stop();
    this.#spawn();
  }

  #spawn(): void {
    const { root, isReference = false } = this.#options;
    const child = new SupervisedChild<SuiteRequest, SuiteEvent>({
      module: path.join(import.meta.dirname, 'suite-child.ts'),
      cwd: root,
      execArgv: ['--no-warnings'],
      env: { TZ: 'UTC', NODE_ENV: 'test', VITEST: 'true', NO_COLOR: '1', FORCE_COLOR: '0' },
    });
    this.#child = child;
    this.#whenReady = new Promise((resolve, reject) => {
      child.onEvent = (event) => event.type === 'ready' && resolve();
      child.onEnd = (end) =>
        reject(new Error(`Vitest could not be started: ${end.stderr.trim() || `exit code ${end.code}`}`));
    });
    this.#whenReady.catch(() => undefined);
    child.send({ type: 'start', start: { root, isReference, progressFile: this.#progressFile, heapMb: HEAP_MB } });
  }

  async #pass(run: Extract<SuiteRequest, { type: 'run' }>['run']): Promise<Pass> {
    await this.#whenReady;
    const child = this.#child;
    if (!child) throw new Error('The suite runner was stopped.');
    const pass: Pass = { tests: [], broken: [], unhandled: [], end: 'done' };
    return new Promise((resolve) => {
      const finish = (end: Pass['end']) => {
        watchdog.rest();
        child.onEvent = () => undefined;
        child.onEnd = () => undefined;
        pass.end = end;
        resolve(pass);
      };
      const watchdog = new Watchdog(Math.max(SILENCE_MS, run.testTimeoutMs * 2), () => finish('silent'));
      child.onEnd = finish;
      child.onEvent = (event) => {
        watchdog.pat();
        if (event.type === 'test') pass.tests.push(event.test);
        if (event.type === 'broken') pass.broken.push(event);
        if (event.type === 'end') {
          pass.unhandled = event.unhandled;
          finish(event.unhandled.some(isWorkerDeath) ? crashOf(event.unhandled) : 'done');
        } else if (pass.tests.filter(isTimeout).length >= HANGS_MAX) finish('enough');
      };
      watchdog.pat();
      child.send({ type: 'run', run });
    });
  }
}

const keyOf = (test: RawTest): string => `${test.file}\n${test.name}`;

/** Whether a test waited in vain. */
export const isTimeout = (test: RawTest): boolean =>
  test.state === 'failed' && test.errors.some(({ message }) => /^(Test|Hook) timed out in /.test(message));

/** Vitest reports the death of the process that runs the tests as an unhandled error. */
const isWorkerDeath = ({ message }: RawError): boolean =>
  /worker .*exited unexpectedly|out of memory|Worker forks emitted error|Worker terminated/i.test(message);

const crashOf = (errors: readonly RawError[]): ChildEnd => ({
  code: null,
  signal: null,
  stderr: errors.map(({ message, stack }) => `${message}\n${stack}`).join('\n'),
});

function describeEnd(end: Pass['end']): { how: 'timeout' | 'crash'; detail: string } {
  if (typeof end === 'string')
    return { how: 'timeout', detail: `Nothing was heard of it for ${SILENCE_MS / 1000} s: it loops without end.` };
  if (ranOutOfMemory(end)) return { how: 'crash', detail: `It used up the ${HEAP_MB} MB it may have.` };
  return {
    how: 'crash',
    detail: `It ended the process that runs the tests (${end.signal ?? `exit code ${end.code ?? 'unknown'}`}).`,
  };
}
