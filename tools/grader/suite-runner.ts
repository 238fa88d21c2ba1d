// Runs suites in a child process, and gets an answer for every test whatever the attempt does to that process.
import path from 'node:path';
import { makeScratch } from './scratch.ts';
import type { RawError, RawTest, SuiteRequest } from './suite-messages.ts';
import { type SuiteProcess, startSuiteProcess } from './suite-process.ts';
import { readProgress, suiteProcessorTime } from './suite-progress.ts';
import { isIdleTimeout, isTimeout } from './suite-timeouts.ts';
import { type ChildEnd, ranOutOfMemory, type Silence, Watchdog } from './supervise.ts';

/** A test takes some 10 to 50 ms; one that takes this long waits for something that never comes. */
const TEST_TIMEOUT_MS = 3_000;
/** Once a few have waited in vain, the others get no more than this, so that all of them are seen. */
const REST_TIMEOUT_MS = 500;
/** Time for a second look at a test that was busy when its time was up: the machine may merely be slow. */
const SECOND_LOOK_MS = 8_000;
/** Silence after which a test is looping, and cannot even time out. */
const SILENCE_MS = 10_000;
/** So many tests timed out, or looped: the rest get less time, or none. */
const HANGS_MAX = 3;
/** So many more of the rest may time out, too. */
const REST_HANGS_MAX = 20;
/** More than this many of those looked at a second time would take too long. */
const SECOND_LOOK_HANGS_MAX = 2;
const HEAP_MB = 512;
/** What hangs when no test has begun. */
export const THE_SUITE_ITSELF = 'the suite itself';

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
  end: 'done' | 'enough' | Silence | ChildEnd;
}

type PassOptions = Extract<SuiteRequest, { type: 'run' }>['run'] & {
  readonly timeoutsMax: number;
  readonly silenceMs: number;
};

export interface SuiteRunnerOptions {
  readonly root: string;
  readonly isReference?: boolean;
  /** Time a test has, in ms (default 3,000). */
  readonly testTimeoutMs?: number;
  /** Silence after which a test is taken to loop, in ms (default 10,000). */
  readonly silenceMs?: number;
  /** Time for a second look at a test that was busy when its time was up, in ms (default 8,000). */
  readonly secondLookMs?: number;
  /** So many tests that loop end the run (default 3). */
  readonly loopsMax?: number;
  /** Ends a run with the first test that fails, where one is enough to know (default false). */
  readonly endsAtFailure?: boolean;
  /** So many tests that wait in vain end the run, after the first few (default 20). */
  readonly restTimeoutsMax?: number;
}

/** A Vitest that is kept warm between runs. Call `stop` when done. */
export class SuiteRunner {
  readonly #options: Required<SuiteRunnerOptions>;
  readonly #scratch = makeScratch('suite');
  #child: SuiteProcess | undefined;
  #whenReady: Promise<void> = Promise.resolve();
  #isStopped = false;
  #onStop: () => void = () => undefined;

  constructor(options: SuiteRunnerOptions) {
    this.#options = {
      isReference: false,
      endsAtFailure: false,
      testTimeoutMs: TEST_TIMEOUT_MS,
      silenceMs: SILENCE_MS,
      secondLookMs: SECOND_LOOK_MS,
      loopsMax: HANGS_MAX,
      restTimeoutsMax: REST_HANGS_MAX,
      ...options,
    };
    this.#spawn();
  }

  /**
   * Runs suites. `changed` names files edited since the last run; `only` the tests to run, all when empty.
   * Rejects when `stop` is called meanwhile.
   */
  async run(
    files: readonly string[],
    changed: readonly string[] = [],
    only: readonly string[] = [],
  ): Promise<SuiteOutcome> {
    const { testTimeoutMs, loopsMax, restTimeoutsMax } = this.#options;
    const tests = new Map<string, RawTest>();
    const hung: { name: string; how: 'timeout' | 'crash'; detail: string }[] = [];
    let isStopped = false;
    /** Tests that had begun when a pass was ended, of which nothing was heard. */
    let unheard: string[] = [];
    /** The first few have waited in vain: now the others, with less time. */
    let isRest = false;
    let timing = { testTimeoutMs, timeoutsMax: HANGS_MAX };
    let silenceMs = this.#options.silenceMs;
    let pass = await this.#pass({ files, changed, skip: [], only, silenceMs, ...timing });
    for (;;) {
      for (const test of pass.tests)
        if (test.state !== 'skipped' || !tests.has(keyOf(test))) tests.set(keyOf(test), test);
      if (pass.end === 'done') break;
      if (pass.end === 'enough') {
        isStopped = isRest || restTimeoutsMax === 0;
        isRest = true;
        timing = { testTimeoutMs: Math.min(REST_TIMEOUT_MS, testTimeoutMs), timeoutsMax: restTimeoutsMax };
      } else {
        hung.push({ name: this.#begunTests().at(-1) ?? THE_SUITE_ITSELF, ...this.#describeEnd(pass.end) });
        silenceMs /= hung.length === 1 ? 2 : 1;
        isStopped = hung.length >= loopsMax || hung.at(-1)?.name === THE_SUITE_ITSELF;
      }
      const known = [...tests.values()].filter(({ state }) => state !== 'skipped').map(({ name }) => name);
      // What a worker reports, it reports now and then: a loop keeps to itself what had passed just before it.
      unheard = this.#begunTests().filter((name) => !known.includes(name) && hung.at(-1)?.name !== name);
      this.#restart();
      if (isStopped) {
        if (unheard.length > 0) await this.#runMore(files, tests, { only: unheard, ...timing });
        break;
      }
      pass = await this.#pass({
        files,
        changed: [],
        skip: [...hung.map(({ name }) => name), ...known],
        only: [],
        silenceMs,
        ...timing,
      });
    }
    await this.#lookAgain(files, tests, unheard);
    const { broken, unhandled } = pass;
    const last = hung.at(-1)?.name ?? [...tests.values()].findLast(isTimeout)?.name;
    return { tests: [...tests.values()], hung, stoppedBy: isStopped ? (last ?? null) : null, broken, unhandled };
  }

  /**
   * On a busy machine a slow test looks like one that waits in vain. What tells them apart is what they did with
   * their time: one that was busy gets more of it, one that merely waited would wait for ever.
   */
  async #lookAgain(files: readonly string[], tests: Map<string, RawTest>, unheard: readonly string[]): Promise<void> {
    const doubtful = [...tests.values()].filter(
      (test) => (isTimeout(test) && !isIdleTimeout(test)) || (test.state === 'skipped' && unheard.includes(test.name)),
    );
    if (doubtful.length === 0) return;
    const only = doubtful.map(({ name }) => name);
    await this.#runMore(files, tests, {
      only,
      testTimeoutMs: this.#options.secondLookMs,
      timeoutsMax: SECOND_LOOK_HANGS_MAX,
    });
  }

  /** Runs a few tests, and keeps what comes of them. */
  async #runMore(
    files: readonly string[],
    tests: Map<string, RawTest>,
    how: Pick<PassOptions, 'only' | 'testTimeoutMs' | 'timeoutsMax'>,
  ): Promise<void> {
    const { silenceMs } = this.#options;
    const pass = await this.#pass({ files, changed: [], skip: [], silenceMs, ...how });
    if (pass.end !== 'done') this.#restart();
    for (const test of pass.tests) if (test.state !== 'skipped') tests.set(keyOf(test), test);
  }

  stop(): void {
    this.#isStopped = true;
    this.#child?.stop();
    this.#scratch.remove();
    this.#onStop();
  }

  get #progressFile(): string {
    return path.join(this.#scratch.folder, 'running');
  }

  /** Names of the tests begun in the last pass, in order. */
  #begunTests(): readonly string[] {
    return readProgress(this.#progressFile).begun;
  }

  #restart(): void {
    this.#child?.stop();
    this.#spawn();
  }

  #spawn(): void {
    const { root, isReference, endsAtFailure } = this.#options;
    const child = startSuiteProcess(root);
    this.#child = child;
    this.#whenReady = new Promise((resolve, reject) => {
      child.onEvent = (event) => event.type === 'ready' && resolve();
      child.onEnd = (end) =>
        reject(new Error(`Vitest could not be started: ${end.stderr.trim() || `exit code ${end.code}`}`));
      this.#onStop = () => reject(stopped());
    });
    this.#whenReady.catch(() => undefined);
    child.send({
      type: 'start',
      start: { root, isReference, endsAtFailure, progressFile: this.#progressFile, heapMb: HEAP_MB },
    });
  }

  async #pass({ timeoutsMax, silenceMs, ...run }: PassOptions): Promise<Pass> {
    await this.#whenReady;
    const child = this.#child;
    if (!child || this.#isStopped) throw stopped();
    const pass: Pass = { tests: [], broken: [], unhandled: [], end: 'done' };
    return new Promise((resolve, reject) => {
      const rest = () => {
        watchdog.rest();
        child.onEvent = () => undefined;
        child.onEnd = () => undefined;
        this.#onStop = () => undefined;
      };
      const finish = (end: Pass['end']) => {
        rest();
        pass.end = end;
        resolve(pass);
      };
      const watchdog = new Watchdog(Math.max(silenceMs, run.testTimeoutMs * 1.25), finish, () =>
        suiteProcessorTime(this.#progressFile),
      );
      this.#onStop = () => {
        rest();
        reject(stopped());
      };
      child.onEnd = finish;
      child.onEvent = (event) => {
        watchdog.pat();
        if (event.type === 'test') pass.tests.push(event.test);
        if (event.type === 'broken') pass.broken.push(event);
        if (event.type === 'end') {
          pass.unhandled = event.unhandled;
          finish(event.unhandled.some(isWorkerDeath) ? crashOf(event.unhandled, child.stderr) : 'done');
        } else if (pass.tests.filter(isTimeout).length >= timeoutsMax) finish('enough');
      };
      watchdog.pat();
      if (child.ended) finish(child.ended);
      else child.send({ type: 'run', run });
    });
  }

  #describeEnd(end: Pass['end']): { how: 'timeout' | 'crash'; detail: string } {
    if (typeof end === 'string') {
      const seconds = this.#options.silenceMs / 1_000;
      const what = end === 'busy' ? 'it loops without end' : 'it stands still, and nothing can call it back';
      return { how: 'timeout', detail: `Nothing was heard of it for ${seconds} s: ${what}.` };
    }
    if (ranOutOfMemory(end)) return { how: 'crash', detail: `It used up the ${HEAP_MB} MB it may have.` };
    const how = end.signal ?? (end.code === null ? null : `exit code ${end.code}`);
    return { how: 'crash', detail: `It ended the process that runs the tests${how ? ` (${how})` : ''}.` };
  }
}

const stopped = (): Error => new Error('The suite runner was stopped.');

const keyOf = (test: RawTest): string => `${test.file}\n${test.name}`;

/** Vitest reports the death of the process that runs the tests as an unhandled error. */
const isWorkerDeath = ({ message }: RawError): boolean =>
  /worker .*exited unexpectedly|out of memory|Worker forks emitted error|Worker terminated/i.test(message);

const crashOf = (errors: readonly RawError[], stderr: string): ChildEnd => ({
  code: null,
  signal: null,
  stderr: [...errors.map(({ message, stack }) => `${message}\n${stack}`), stderr].join('\n'),
});
