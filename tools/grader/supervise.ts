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

/**
 * Calls back when nothing was heard for a while. It counts steps, not the clock: time in which this process itself
 * stood still, since the machine slept or was busy, is nobody's silence.
 */
export class Watchdog {
  readonly #stepMs: number;
  readonly #bark: () => void;
  #timer: NodeJS.Timeout | undefined;
  #silentSteps = 0;

  constructor(patienceMs: number, bark: () => void) {
    this.#stepMs = patienceMs / STEPS;
    this.#bark = bark;
  }

  /** A sign of life. */
  pat(): void {
    this.#silentSteps = 0;
    this.#timer ??= setInterval(() => this.#step(), this.#stepMs);
  }

  rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #step(): void {
    this.#silentSteps += 1;
    if (this.#silentSteps < STEPS) return;
    this.rest();
    this.#bark();
  }
}

/** Whether a child ended for want of memory. */
export function ranOutOfMemory({ stderr, signal, code }: ChildEnd): boolean {
  return /heap out of memory|Array buffer allocation failed/i.test(stderr) || (signal === 'SIGABRT' && code === null);
}
