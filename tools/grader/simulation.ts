// Simulates an attempt in a supervised child process, and gets an answer whatever the attempt does.
import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { kataPaths } from '../course/kata-paths.ts';
import { processorTimeOf } from './processor-time.ts';
import { BRIEF_FLAGS, SIMULATION_FLAGS } from './simulation-flags.ts';
import type { SimulationAnswer, SimulationMessage, SimulationRequest } from './simulation-messages.ts';
import { type SimulationModule, simulationModule } from './simulation-module.ts';
import { type ChildEnd, ranOutOfMemory, type Silence, SupervisedChild, Watchdog } from './supervise.ts';

/** A schedule takes about 1 ms; one that takes this long is an endless loop. */
const SILENCE_MS = 10_000;
/** All of a job, however often it gives a sign: so much, and so much more for each schedule. */
const DEADLINE_MS = { base: 60_000, perSchedule: 250 };
const HEAP_MB = 768;
/** Below it the collector leaves old objects alone: with a limit set, it would begin early and slow all that runs. */
const CALM_HEAP_MB = 600;
/** Until the first schedule begins, no code of the attempt has run. */
const THE_START = 'the start';
/** Up to then a busy machine may take so many times the silence. */
const START_PATIENCE = 6;

export type SimulationOutcome =
  | { readonly kind: 'done'; readonly answer: SimulationAnswer }
  /** The attempt looped, crashed or left in this schedule. */
  | { readonly kind: 'hung' | 'crashed'; readonly path: string; readonly detail: string }
  | { readonly kind: 'fault'; readonly message: string };

export interface SimulationOptions {
  /** Takes more than one job, as long as none of them hangs or crashes (default false). For attempts that can be trusted not to leave anything behind. */
  readonly isReused?: boolean;
  /** Does no more than the campaign of one grade (default false). */
  readonly isBrief?: boolean;
  /** Silence after which an attempt is taken to loop, in ms (default 10,000). */
  readonly silenceMs?: number;
}

/** A child that waits, warm, for a job about a kata. */
export class Simulation {
  readonly #root: string;
  readonly #slug: string;
  readonly #isReused: boolean;
  readonly #isBrief: boolean;
  readonly #silenceMs: number;
  /** Known to this process and the child's own modules: what is said without it was said by the attempt. */
  readonly #token = randomUUID();
  #module: SimulationModule;
  #child: SupervisedChild<SimulationRequest, SimulationMessage>;
  #hasRun = false;
  #onStop: () => void = () => undefined;
  /** It has done its job, or died of it. */
  isSpent = false;

  constructor(
    root: string,
    slug: string,
    { isReused = false, isBrief = false, silenceMs = SILENCE_MS }: SimulationOptions = {},
  ) {
    this.#root = root;
    this.#slug = slug;
    this.#isReused = isReused;
    this.#isBrief = isBrief;
    this.#silenceMs = silenceMs;
    this.#module = simulationModule(root, slug);
    this.#child = this.#spawn();
  }

  /** Does one job. Unless it is reused, the child ends with it. */
  run(
    request: Omit<SimulationRequest, 'token'>,
    onProgress: (path: string) => void = () => undefined,
  ): Promise<SimulationOutcome> {
    if (!this.isSpent && !this.#isReady()) {
      this.#child.stop();
      this.#child = this.#spawn();
    }
    this.#hasRun = true;
    const child = this.#child;
    let schedule = THE_START;
    return new Promise((resolve) => {
      const finish = (outcome: SimulationOutcome) => {
        watchdog.rest();
        clearTimeout(deadline);
        this.#onStop = () => undefined;
        if (outcome.kind !== 'done' || !this.#isReused) this.stop();
        resolve(outcome);
      };
      const hang = (detail: string) => finish({ kind: 'hung', path: schedule, detail });
      let patience = START_PATIENCE;
      const bark = (silence: Silence) => {
        patience -= 1;
        if (schedule !== THE_START) hang(hangWords(silence, this.#silenceMs / 1_000));
        else if (patience > 0) watchdog.pat();
        else finish({ kind: 'fault', message: 'The simulation did not begin. Is the machine very busy? Try again.' });
      };
      const watchdog = new Watchdog(this.#silenceMs, bark, () => processorTimeOf(child.pid));
      const deadlineMs = deadlineOf(request);
      const deadline = setTimeout(() => hang(`It was not done after ${deadlineMs / 1_000} s.`), deadlineMs);
      this.#onStop = () => finish({ kind: 'fault', message: 'It was stopped.' });
      child.onOutput = (text) => {
        watchdog.pat();
        schedule = text.trimEnd().split('\n').at(-1) ?? schedule;
        onProgress(schedule);
      };
      child.onEnd = (end) => finish(crashOf(end, schedule));
      child.onEvent = ({ token, event }) => {
        if (token !== this.#token)
          finish({
            kind: 'crashed',
            path: schedule,
            detail: 'The app spoke to the grader in the place of the simulator.',
          });
        else if (event.type === 'fault') finish({ kind: 'fault', message: event.message });
        else finish({ kind: 'done', answer: event });
      };
      watchdog.pat();
      child.send({ ...request, token: this.#token });
    });
  }

  stop(): void {
    this.isSpent = true;
    this.#child.stop();
    this.#onStop();
  }

  /** Whether the child can do a job as it is. One that died while it waited has met no attempt; and a scenario may have been edited since. */
  #isReady(): boolean {
    if (this.#child.ended) return false;
    if (this.#hasRun) return true;
    const { version } = this.#module;
    this.#module = simulationModule(this.#root, this.#slug);
    return this.#module.version === version;
  }

  #spawn(): SupervisedChild<SimulationRequest, SimulationMessage> {
    return new SupervisedChild({
      module: this.#module.file,
      cwd: this.#root,
      // Local times must not depend on where the machine stands.
      env: { TZ: 'UTC', KATA_SCENARIO: kataPaths(this.#root, this.#slug).scenario },
      execArgv: [
        '--permission',
        ...readable(this.#root).map((folder) => `--allow-fs-read=${folder}`),
        '--no-warnings',
        '--enable-source-maps',
        ...SIMULATION_FLAGS,
        ...(this.#isBrief ? BRIEF_FLAGS : []),
        `--max-old-space-size=${HEAP_MB}`,
        `--initial-old-space-size=${CALM_HEAP_MB}`,
      ],
    });
  }
}

/** Where a simulation was, as a sentence names it: `schedule sweep:17`, `the start`. */
export const placeWords = (path: string): string => (/^(the|shrinking) /.test(path) ? path : `schedule ${path}`);

function deadlineOf({ job }: Omit<SimulationRequest, 'token'>): number {
  const { base, perSchedule } = DEADLINE_MS;
  return base + ('schedules' in job ? job.schedules * perSchedule : 0);
}

/** What the child loads from: the course, the tools, and their packages, by the paths that are behind all links. */
function readable(root: string): string[] {
  const tools = path.join(import.meta.dirname, '..');
  const linked = [root, tools].flatMap((folder) => [folder, path.join(folder, 'node_modules')]);
  return [...new Set([...linked, ...linked.map(behindLinks)])];
}

function behindLinks(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

function crashOf(end: ChildEnd, schedule: string): SimulationOutcome {
  const detail = crashWords(end);
  return schedule === THE_START ? { kind: 'fault', message: detail } : { kind: 'crashed', path: schedule, detail };
}

const hangWords = (silence: Silence, seconds: number): string =>
  `The app did not give way for ${seconds} s: ${silence === 'busy' ? 'it loops without end' : 'it stands still'}.`;

function crashWords(end: ChildEnd): string {
  if (ranOutOfMemory(end)) return `The app used up the ${HEAP_MB} MB it may have.`;
  const lines = end.stderr.trim().split('\n');
  const said = lines.find((line) => /^\w*(?:Error|error):/.test(line)) ?? lines.at(-1) ?? '';
  return `The app ended its process (${end.signal ?? `exit code ${end.code ?? 'unknown'}`}).${said ? ` It said: ${said}` : ''}`;
}
