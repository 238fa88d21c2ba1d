// One of the lanes that grade variants side by side: a Vitest and a simulation that stay warm once they were needed.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { kataPaths } from '../course/kata-paths.ts';
import type { SolutionFiles } from '../course/solution-files.ts';
import { type GradeOptions, grade } from '../grader/grade.ts';
import type { Report } from '../grader/report.ts';
import { Simulation } from '../grader/simulation.ts';
import { type BatchOutcome, runSuiteBatch } from '../grader/suite-batch.ts';
import { SuiteRunner, type SuiteRunnerOptions } from '../grader/suite-runner.ts';
import { modulesOf, type Target } from '../grader/target.ts';
import { makeVariant } from '../grader/variants.ts';
import { bundle } from '../simulator/bundle.ts';

const IMPATIENT = { testTimeoutMs: 1_000, silenceMs: 4_000, secondLookMs: 3_000, loopsMax: 1, restTimeoutsMax: 3 };

export class Lane {
  readonly root: string;
  readonly slug: string;
  readonly seed: number;
  readonly #patience: Omit<SuiteRunnerOptions, 'root'>;
  #runner: SuiteRunner | undefined;
  #impatient: SuiteRunner | undefined;
  #simulation: Simulation | undefined;
  #reference: Promise<string> | undefined;

  /** `patience`: how long it waits for what hangs; by default as long as a learner's grade does. Starts no process yet. */
  constructor(root: string, slug: string, seed: number, patience: Omit<SuiteRunnerOptions, 'root'> = {}) {
    this.root = root;
    this.slug = slug;
    this.seed = seed;
    this.#patience = patience;
  }

  /** Grades a target, as a learner's grade would but for the form of its code. */
  grade(target: Target, schedules: number, more: Partial<GradeOptions> = {}): Promise<Report> {
    return grade({
      root: this.root,
      slug: this.slug,
      title: this.slug,
      target,
      schedules,
      seed: this.seed,
      runner: this.#warmRunner(),
      simulation: this.#warmSimulation(),
      changed: [...modulesOf(target), target.suite],
      skipsChecks: true,
      shrinkRunsMax: 0,
      ...more,
    });
  }

  /** A runner for attempts that are sure to hang: a little is enough to see that they do. */
  get impatientRunner(): SuiteRunner {
    this.#impatient ??= new SuiteRunner({ root: this.root, isReference: true, ...IMPATIENT });
    return this.#impatient;
  }

  /** Whether one of these tests fails on a target, or loops. Far cheaper than a grade. */
  async failsOneOf(target: Target, tests: readonly string[]): Promise<boolean> {
    if (tests.length === 0) return false;
    const outcome = await this.impatientRunner.run([target.suite], [...modulesOf(target), target.suite], tests);
    return outcome.hung.length > 0 || outcome.tests.some(({ state }) => state === 'failed');
  }

  /** Runs the named tests of several targets in one process. */
  runTogether(
    trials: readonly { readonly target: Target; readonly own: readonly string[] }[],
  ): Promise<Map<string, BatchOutcome>> {
    return runSuiteBatch(
      this.root,
      trials.map(({ target, own }) => ({ file: target.suite, only: own })),
    );
  }

  /** Why a target could not be graded at all; null when it could. */
  async whyNotGradable(target: Target): Promise<string | null> {
    const outcome = await this.#simulate(target, { schedules: 1 });
    if (outcome.kind === 'fault') return outcome.message;
    if (outcome.kind !== 'done' || outcome.answer.type !== 'campaign') return null;
    const { loadError, nondeterministic } = outcome.answer.result;
    return loadError?.text ?? (nondeterministic ? 'two runs of one schedule differ' : null);
  }

  /** Whether a target breaks one of these invariants, and nothing else keeps it from being judged. Cheaper than a grade. */
  async breaksOneOf(target: Target, invariants: readonly string[], schedules: number): Promise<boolean> {
    if (invariants.length === 0) return false;
    const outcome = await this.#simulate(target, { schedules, stopWhenBroken: invariants });
    if (outcome.kind !== 'done' || outcome.answer.type !== 'campaign') return false;
    const { loadError, nondeterministic, violations } = outcome.answer.result;
    if (loadError !== null || nondeterministic !== null) return false;
    return violations.some(({ invariant }) => invariants.includes(invariant));
  }

  async #simulate(target: Target, more: { schedules: number; stopWhenBroken?: readonly string[] }) {
    const reference = await this.#bundle(kataPaths(this.root, this.slug).reference);
    const attempt = await bundle(target.file, this.root);
    return this.#warmSimulation().run({
      code: { attempt, reference, isReference: false },
      job: { type: 'campaign', seed: this.seed, saved: [], shrinkRunsMax: 0, ...more },
    });
  }

  /** The reference is the same for all mistakes. */
  #bundle(file: string): Promise<string> {
    this.#reference ??= bundle(file, this.root);
    return this.#reference;
  }

  #warmRunner(): SuiteRunner {
    this.#runner ??= new SuiteRunner({ root: this.root, isReference: true, ...this.#patience });
    return this.#runner;
  }

  #warmSimulation(): Simulation {
    if (this.#simulation && !this.#simulation.isSpent) return this.#simulation;
    const { silenceMs } = this.#patience;
    this.#simulation = new Simulation(this.root, this.slug, {
      isReused: true,
      ...(silenceMs === undefined ? {} : { silenceMs }),
    });
    return this.#simulation;
  }

  /** A target made from a file of the kata's. */
  async variantOf(file: string, id: string): Promise<Target> {
    return makeVariant(this.root, this.slug, id, await readFile(file, 'utf8'), path.dirname(file));
  }

  /** A target made from a text whose relative imports are meant from the kata's folder. */
  variant(id: string, source: string): Promise<Target> {
    return makeVariant(this.root, this.slug, id, source, kataPaths(this.root, this.slug).folder);
  }

  /** A target made from an edited reference. */
  editedReference(id: string, files: SolutionFiles): Promise<Target> {
    return makeVariant(this.root, this.slug, id, files);
  }

  stop(): void {
    this.#runner?.stop();
    this.#impatient?.stop();
    this.#simulation?.stop();
  }
}
