// A child process that runs what a learner wrote: it may loop, crash, eat memory or leave, and must never take us along.
import { type ChildProcess, fork } from 'node:child_process';
import { atExit } from './at-exit.ts';

export interface ChildOptions {
  readonly module: string;
  readonly cwd: string;
  readonly execArgv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How a child ended that was not asked to. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines it wrote to stderr. */
  readonly stderr: string;
}

/** Starts a supervised child. It dies with this process, and when `stop` is called. */
export class SupervisedChild<Request, Event> {
  readonly #child: ChildProcess;
  readonly #callOff = atExit(() => this.stop());
  #stderr = '';
  #isStopped = false;
  /** How it ended, when it did so by itself. */
  ended: ChildEnd | null = null;
  onEvent: (event: Event) => void = () => undefined;
  /** What it writes to stdout, in pieces: for signs of life, which get through even from a busy loop. */
  onOutput: (text: string) => void = () => undefined;
  /** Called when the child ends by itself, never after `stop`. */
  onEnd: (end: ChildEnd) => void = () => undefined;

  constructor({ module, cwd, execArgv, env = {} }: ChildOptions) {
    this.#child = fork(module, {
      cwd,
      execArgv: [...execArgv],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      // A group of its own, so that what the child has started ends with it even when it is past listening.
      detached: true,
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_000);
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.onOutput(text));
    this.#child.on('message', (event) => this.onEvent(event as Event));
    // All it has said is read before its end is told.
    this.#child.on('close', (code, signal) => this.#end({ code, signal, stderr: this.#stderr }));
    // Where no process could be made, nothing else is ever heard of it.
    this.#child.on('error', ({ message }) => {
      if (this.#child.pid === undefined) this.#end({ code: null, signal: null, stderr: message });
    });
  }

  #end(end: ChildEnd): void {
    this.#callOff();
    if (this.#isStopped || this.ended) return;
    this.ended = end;
    this.onEnd(end);
  }

  /** Undefined when no process could be made. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The last it wrote to stderr. */
  get stderr(): string {
    return this.#stderr;
  }

  send(request: Request): void {
    if (this.#child.connected) this.#child.send(request as object);
  }

  /** Ends the child at once, whatever it is doing. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#callOff();
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      this.#child.kill('SIGKILL');
    }
  }
}

/** In so many steps a watchdog waits. */
const STEPS = 20;
/** What loops uses all the time it is given: one that used this share of the patience looks like it. */
const BUSY_SHARE = 0.5;
/** What is not busy is waited for so many times as long: perhaps the machine merely keeps it from running. */
const IDLE_PATIENCE = 3;

/** Why a watchdog barks: the process was busy all the while, or did next to nothing for `IDLE_PATIENCE` times as long. */
export type Silence = 'busy' | 'idle';

/**
 * Calls back when nothing was heard of a process for a while, during which it was busy. It counts steps, not the
 * clock: time in which this process itself stood still, since the machine slept, is nobody's silence. And it asks for
 * the processor time of the other: one that the machine keeps from running has not had its time yet.
 */
export class Watchdog {
  readonly #patienceMs: number;
  readonly #bark: (silence: Silence) => void;
  readonly #processorTime: () => Promise<number | null>;
  #timer: NodeJS.Timeout | undefined;
  #silentSteps = 0;
  /** The least processor time that was told since the last sign of life. */
  #usedBefore: number | null = null;

  /** `processorTime`: what the process has used so far, in ms; null while that cannot be told. */
  constructor(patienceMs: number, bark: (silence: Silence) => void, processorTime: () => Promise<number | null>) {
    this.#patienceMs = patienceMs;
    this.#bark = bark;
    this.#processorTime = processorTime;
  }

  /** A sign of life. */
  pat(): void {
    this.#silentSteps = 0;
    this.#usedBefore = null;
    this.#timer ??= setInterval(() => void this.#step(), this.#patienceMs / STEPS);
  }

  rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #step(): Promise<void> {
    this.#silentSteps += 1;
    const step = this.#silentSteps;
    const used = await this.#processorTime();
    // Heard of meanwhile, or at rest.
    if (this.#silentSteps < step || !this.#timer) return;
    this.#usedBefore = least(this.#usedBefore, used);
    if (step >= STEPS && this.#wasBusy(used)) this.#end('busy');
    else if (step >= STEPS * IDLE_PATIENCE) this.#end('idle');
  }

  #wasBusy(used: number | null): boolean {
    return used !== null && this.#usedBefore !== null && used - this.#usedBefore >= this.#patienceMs * BUSY_SHARE;
  }

  #end(silence: Silence): void {
    this.rest();
    this.#bark(silence);
  }
}

/** Another process may have taken the place of the first: it begins at nothing. */
const least = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

/** Whether a child ended for want of memory. */
export function ranOutOfMemory({ stderr, signal, code }: ChildEnd): boolean {
  return /heap out of memory|Array buffer allocation failed/i.test(stderr) || (signal === 'SIGABRT' && code === null);
}
