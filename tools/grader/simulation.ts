// Simulates an attempt in a supervised child process, and gets an answer whatever the attempt does.
import path from 'node:path';
import type { SimulationAnswer, SimulationEvent, SimulationRequest } from './simulation-messages.ts';
import { type ChildEnd, ranOutOfMemory, SupervisedChild, Watchdog } from './supervise.ts';

/** A schedule takes about 1 ms; one that takes this long is an endless loop. */
const SILENCE_MS = 10_000;
const HEAP_MB = 768;

export type SimulationOutcome =
  | { readonly kind: 'done'; readonly answer: SimulationAnswer }
  /** The attempt looped, crashed or left in this schedule. */
  | { readonly kind: 'hung' | 'crashed'; readonly path: string; readonly detail: string }
  | { readonly kind: 'fault'; readonly message: string };

export interface SimulationOptions {
  /** Takes more than one job, as long as none of them hangs or crashes (default false). For attempts that can be trusted not to leave anything behind. */
  readonly isReused?: boolean;
}

/** A child that waits, warm, for a job. */
export class Simulation {
  readonly #child: SupervisedChild<SimulationRequest, SimulationEvent>;
  readonly #isReused: boolean;
  /** It has done its job, or died of it. */
  isSpent = false;

  constructor(root: string, { isReused = false }: SimulationOptions = {}) {
    this.#isReused = isReused;
    this.#child = new SupervisedChild({
      module: path.join(import.meta.dirname, 'simulation-child.ts'),
      cwd: root,
      // Local times must not depend on where the machine stands.
      env: { TZ: 'UTC' },
      execArgv: [
        '--permission',
        `--allow-fs-read=${root}`,
        '--no-warnings',
        '--enable-source-maps',
        // Runs are short and leave much behind: a larger young generation halves the collector's work.
        '--max-semi-space-size=32',
        `--max-old-space-size=${HEAP_MB}`,
      ],
    });
  }

  /** Does one job. Unless it is reused, the child ends with it. */
  run(request: SimulationRequest, onProgress: (path: string) => void = () => undefined): Promise<SimulationOutcome> {
    const child = this.#child;
    let schedule = 'the start';
    return new Promise((resolve) => {
      const finish = (outcome: SimulationOutcome) => {
        watchdog.rest();
        if (outcome.kind !== 'done' || !this.#isReused) this.stop();
        resolve(outcome);
      };
      const watchdog = new Watchdog(SILENCE_MS, () =>
        finish({
          kind: 'hung',
          path: schedule,
          detail: `The app did not give way for ${SILENCE_MS / 1000} s: it loops without end.`,
        }),
      );
      child.onOutput = (text) => {
        watchdog.pat();
        schedule = text.trimEnd().split('\n').at(-1) ?? schedule;
        onProgress(schedule);
      };
      child.onEnd = (end) => finish({ kind: 'crashed', path: schedule, detail: crashWords(end) });
      child.onEvent = (event) => {
        if (event.type === 'fault') finish({ kind: 'fault', message: event.message });
        else finish({ kind: 'done', answer: event });
      };
      watchdog.pat();
      child.send(request);
    });
  }

  stop(): void {
    this.isSpent = true;
    this.#child.stop();
  }
}

function crashWords(end: ChildEnd): string {
  if (ranOutOfMemory(end)) return `The app used up the ${HEAP_MB} MB it may have.`;
  const last = end.stderr.trim().split('\n').slice(-3).join(' ');
  return `The app ended its process (${end.signal ?? `exit code ${end.code ?? 'unknown'}`}).${last ? ` It said: ${last}` : ''}`;
}
