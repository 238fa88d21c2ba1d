// One sitting with a kata: a run at each save, and what can be asked in between.
import type { Kata } from '../course/catalogue.ts';
import { DEFAULT_SEED, WATCH_SCHEDULES } from '../grader/grade.ts';
import { keepSchedules } from '../grader/kept-schedules.ts';
import type { Report } from '../grader/report.ts';
import { Simulation } from '../grader/simulation.ts';
import { SuiteRunner } from '../grader/suite-runner.ts';
import type { CommandContext } from './context.ts';
import { gradeAttempt } from './grade-attempt.ts';
import { createProgress } from './progress.ts';

export interface WatchOptions {
  readonly schedules?: number;
  readonly seed?: number;
}

/** A person waits for the verdict: one test that loops says enough, and so do three that wait in vain. */
const IMPATIENCE = { loopsMax: 1, restTimeoutsMax: 0, silenceMs: 6_000 };

export class WatchSession {
  readonly #context: CommandContext;
  readonly #kata: Kata;
  readonly #options: WatchOptions;
  readonly #runner: SuiteRunner;
  /** Warm, so that a save need not wait for a process to start. */
  #simulation: Simulation;
  #waiting: string[] | null = null;
  #isStopped = false;
  /** While a run is going on, or another command has the terminal, keys are not heard. */
  isBusy = false;
  report: Report | null = null;
  onVerdict: (report: Report) => void = () => undefined;

  constructor(context: CommandContext, kata: Kata, options: WatchOptions) {
    this.#context = context;
    this.#kata = kata;
    this.#options = options;
    this.#runner = new SuiteRunner({ root: context.root, ...IMPATIENCE });
    this.#simulation = new Simulation(context.root, kata.slug);
  }

  /** Runs, then again for what was saved meanwhile. Rejects for faults of ours. */
  async run(changed: readonly string[]): Promise<void> {
    if (this.isBusy) this.#waiting = [...(this.#waiting ?? []), ...changed];
    else await this.during(() => this.#once(changed));
  }

  /** Does something else; what is saved meanwhile is run afterwards. */
  async during(job: () => Promise<void>): Promise<void> {
    this.isBusy = true;
    try {
      await job();
    } finally {
      this.isBusy = false;
    }
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting && !this.#isStopped) await this.run(waiting);
  }

  async #once(changed: readonly string[]): Promise<void> {
    const progress = createProgress();
    progress.say('running …');
    const simulation = this.#simulation;
    const report = await gradeAttempt(this.#context, this.#kata, {
      schedules: this.#options.schedules ?? WATCH_SCHEDULES,
      seed: this.#options.seed ?? DEFAULT_SEED,
      runner: this.#runner,
      simulation,
      changed,
      onProgress: progress.say,
    }).finally(progress.done);
    if (this.#isStopped) return;
    simulation.stop();
    // The next save finds the next process warm.
    this.#simulation = new Simulation(this.#context.root, this.#kata.slug);
    this.report = report;
    this.onVerdict(report);
    await keepSchedules(this.#context.root, this.#kata.slug, report.simulation.violations).catch((error: Error) =>
      this.#context.output.warn(error.message),
    );
  }

  stop(): void {
    this.#isStopped = true;
    this.#runner.stop();
    this.#simulation.stop();
  }
}
