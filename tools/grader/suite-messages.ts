// What the grader and the process that runs a suite say to each other.

export interface SuiteStart {
  readonly root: string;
  /** Runs `solutions/<slug>/index.ts` where the suite says `#attempt/<slug>`. */
  readonly isReference: boolean;
  /** File to which the process that runs the tests adds its id, and each test's name as it begins: what ran when nothing more is heard. */
  readonly progressFile: string;
  /** Heap of the process that runs the tests, in MB. */
  readonly heapMb: number;
  /** All suites of a run share one process and what it has loaded (default: each has its own). */
  readonly isShared?: boolean;
  /** A run ends with the first test that fails (default: all tests are run). */
  readonly endsAtFailure?: boolean;
}

export interface SuiteRun {
  /** Absolute paths of suites. */
  readonly files: readonly string[];
  /** Full names of tests to leave out. */
  readonly skip: readonly string[];
  /** Full names of the only tests to run; empty for all. */
  readonly only: readonly string[];
  /** The only tests to run in each of these files, by its path; `only` and `skip` hold for the others. */
  readonly onlyIn?: Readonly<Record<string, readonly string[]>>;
  readonly testTimeoutMs: number;
  /** Files changed since the last run. */
  readonly changed: readonly string[];
}

export type SuiteRequest =
  | { readonly type: 'start'; readonly start: SuiteStart }
  | { readonly type: 'run'; readonly run: SuiteRun };

/** One finished test. */
export interface RawTest {
  readonly file: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  readonly durationMs: number;
  /** Time in which it did not merely wait, in ms: it was busy, or the machine kept it from running; null when it did not get as far as being measured. */
  readonly busyMs: number | null;
  readonly errors: readonly RawError[];
}

export interface RawError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** Printed difference between what was expected and what came; empty without one. */
  readonly diff: string;
}

export type SuiteEvent =
  | { readonly type: 'ready' }
  | { readonly type: 'test'; readonly test: RawTest }
  /** A suite file that could not be collected at all. */
  | { readonly type: 'broken'; readonly file: string; readonly errors: readonly RawError[] }
  | { readonly type: 'end'; readonly unhandled: readonly RawError[] };
