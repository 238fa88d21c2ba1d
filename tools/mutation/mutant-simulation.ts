// Asks a child process about mutants, one at a time, and takes one that never answers for killed.
import path from 'node:path';
import { processorTimeOf } from '../grader/processor-time.ts';
import { SIMULATION_FLAGS } from '../grader/simulation-flags.ts';
import { SupervisedChild, Watchdog } from '../grader/supervise.ts';
import type { MutantEvent, MutantRequest } from './mutant-child.ts';

/** Between two signs of life lie some schedules; one that loops gives none. Loading takes longest. */
const SILENCE_MS = 15_000;
const LOAD_MS = 60_000;

export class MutantSimulation {
  readonly #load: Extract<MutantRequest, { type: 'load' }>;
  #child: Promise<SupervisedChild<MutantRequest, MutantEvent>> | undefined;

  constructor(load: Extract<MutantRequest, { type: 'load' }>) {
    this.#load = load;
  }

  /** Whether the mutant breaks a promise in the first schedules, or in the rest of them, or costs too much. */
  async kills(id: string, part: 'first' | 'rest'): Promise<boolean> {
    this.#child ??= this.#start();
    const child = await this.#child;
    const answer = await this.#ask(child, { type: 'try', id, part }, SILENCE_MS);
    if (answer) return answer.type === 'tried' && answer.isKilled;
    // It loops, or it brought the process down: a learner's grade would say so.
    child.stop();
    this.#child = undefined;
    return true;
  }

  stop(): void {
    this.#child?.then((child) => child.stop());
  }

  async #start(): Promise<SupervisedChild<MutantRequest, MutantEvent>> {
    const child = new SupervisedChild<MutantRequest, MutantEvent>({
      module: path.join(import.meta.dirname, 'mutant-child.ts'),
      cwd: this.#load.root,
      execArgv: ['--no-warnings', ...SIMULATION_FLAGS, '--max-old-space-size=2048'],
      env: { TZ: 'UTC' },
    });
    if (await this.#ask(child, this.#load, LOAD_MS)) return child;
    throw new Error(
      `The kata could not be loaded with its mutants: ${child.stderr.trim() || 'nothing was heard of it'}`,
    );
  }

  /** The child's answer; null when it ended, or is silent for too long. */
  #ask(
    child: SupervisedChild<MutantRequest, MutantEvent>,
    request: MutantRequest,
    silenceMs: number,
  ): Promise<MutantEvent | null> {
    return new Promise((resolve) => {
      const watchdog = new Watchdog(
        silenceMs,
        () => resolve(null),
        () => processorTimeOf(child.pid),
      );
      const answer = (event: MutantEvent | null) => {
        if (event?.type === 'busy') {
          watchdog.pat();
          return;
        }
        watchdog.rest();
        resolve(event);
      };
      child.onEvent = answer;
      child.onEnd = () => answer(null);
      watchdog.pat();
      child.send(request);
    });
  }
}
