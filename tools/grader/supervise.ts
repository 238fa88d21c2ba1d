// A child process that runs what a learner wrote: it may loop, crash, eat memory or leave, and must never take us along.
import { type ChildProcess, fork } from 'node:child_process';

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
  readonly #kill = () => this.stop();
  #stderr = '';
  #isStopped = false;
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
    this.#child.on('exit', (code, signal) => {
      process.off('exit', this.#kill);
      if (!this.#isStopped) this.onEnd({ code, signal, stderr: this.#stderr });
    });
    this.#child.on('error', () => undefined);
    process.on('exit', this.#kill);
  }

  send(request: Request): void {
    if (this.#child.connected) this.#child.send(request as object);
  }

  /** Ends the child at once, whatever it is doing. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    process.off('exit', this.#kill);
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      this.#child.kill('SIGKILL');
    }
  }
}

/** Calls back when nothing was heard for a while. */
export class Watchdog {
  readonly #patienceMs: number;
  readonly #bark: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(patienceMs: number, bark: () => void) {
    this.#patienceMs = patienceMs;
    this.#bark = bark;
  }

  /** A sign of life. */
  pat(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#bark, this.#patienceMs);
  }

  rest(): void {
    clearTimeout(this.#timer);
  }
}

/** Whether a child ended for want of memory. */
export function ranOutOfMemory({ stderr, signal, code }: ChildEnd): boolean {
  return /heap out of memory|Array buffer allocation failed/i.test(stderr) || (signal === 'SIGABRT' && code === null);
}
