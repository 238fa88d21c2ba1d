import { existsSync } from 'node:fs';
import type { Kata } from '../../course/catalogue.ts';
import { brokenInvariants } from '../../grader/render/digest.ts';
import { renderVerdict } from '../../grader/render/terminal.ts';
import type { Report } from '../../grader/report.ts';
import { wrap } from '../../terminal/look.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { listenToKeys } from '../keys.ts';
import { runCommand } from '../main.ts';
import { watchFiles } from '../watch-files.ts';
import { type WatchOptions, WatchSession } from '../watch-session.ts';

interface KeyCommand {
  readonly key: string;
  readonly says: string;
  /** Whether it makes sense now. */
  makesSense(report: Report | null): boolean;
  readonly command: string | null;
  /** What the command shall be about, where it is left to choose. */
  about?(report: Report | null): string | undefined;
}

/** What a verdict depends on. */
const WATCHED = ['attempt.ts', 'suite.test.ts', 'contract.ts', 'backend.ts', 'scenario.ts'];

const hasFailed = (report: Report | null): boolean => report !== null && report.score < 100;

const KEYS: readonly KeyCommand[] = [
  { key: 'h', says: 'hint', makesSense: hasFailed, command: 'hint', about: (report) => report?.fixFirst?.criterion },
  { key: 's', says: 'spec', makesSense: () => true, command: 'spec' },
  {
    key: 'g',
    says: 'grade',
    makesSense: (report) => report !== null && report.status !== 'not-gradable',
    command: 'grade',
  },
  {
    key: 'r',
    says: 'replay',
    makesSense: (report) => (report?.simulation.violations.length ?? 0) > 0,
    command: 'replay',
    about: (report) => (report ? brokenInvariants(report)[0]?.replayId : undefined),
  },
  { key: 'a', says: 'run again', makesSense: () => true, command: null },
  { key: 'n', says: 'next kata', makesSense: (report) => report?.status === 'passed', command: 'home' },
  { key: 'q', says: 'quit', makesSense: () => true, command: null },
];

/** Runs at each save until the learner quits. Without a terminal there are no keys; Ctrl-C ends it. */
export const run: RunCommand<WatchOptions> = async (context, [slug = ''], options) => {
  const kata = await context.kata(slug);
  if (!existsSync(kata.paths.attempt)) {
    const exitCode = await runCommand(context, 'start', [slug]);
    if (exitCode !== EXIT.ok) return exitCode;
  }
  return new Sitting(context, kata, options).untilTheEnd();
};

class Sitting {
  readonly #context: CommandContext;
  readonly #kata: Kata;
  readonly #session: WatchSession;
  readonly #end: Promise<{ exitCode: number; next: boolean }>;
  #finish: (how: { exitCode: number; next: boolean }) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  #isCommandRunning = false;

  constructor(context: CommandContext, kata: Kata, options: WatchOptions) {
    this.#context = context;
    this.#kata = kata;
    this.#session = new WatchSession(context, kata, options);
    this.#session.onVerdict = (report) => this.#show(report);
    this.#end = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  async untilTheEnd(): Promise<number> {
    const { exitCode, next } = await this.#sit();
    return next ? runCommand(this.#context, 'home') : exitCode;
  }

  /** All that listens, watches and runs is gone when this ends. */
  async #sit(): Promise<{ exitCode: number; next: boolean }> {
    const { output, onInterrupt } = this.#context;
    const close = watchFiles(this.#kata.paths.folder, WATCHED, (files) => this.#run(files));
    onInterrupt(() => this.#session.stop());
    const keys = output.isInteractive ? listenToKeys((key) => void this.#press(key).catch(this.#fail)) : null;
    if (!keys) output.print(`Watching ${this.#file}. Ctrl-C ends it.`);
    this.#run([]);
    try {
      return await this.#end;
    } finally {
      close();
      keys?.close();
      this.#session.stop();
    }
  }

  get #file(): string {
    return `katas/${this.#kata.slug}/attempt.ts`;
  }

  #run(files: readonly string[]): void {
    this.#session.run(files).catch((error: unknown) => {
      // An editor, or git, may take the file away for a while.
      if (existsSync(this.#kata.paths.attempt)) this.#fail(error);
      else this.#context.output.warn(`${this.#file} is gone. Once it is back, it runs again.`);
    });
  }

  #show(report: Report): void {
    const { output } = this.#context;
    if (output.isTerminal) process.stdout.write('\u001b[2J\u001b[H');
    output.print(renderVerdict(report, output.look));
    if (output.isInteractive) output.print(`\n${this.#offer(report)}`);
  }

  /** Only the keys that make sense now. */
  #offer(report: Report | null): string {
    const { output } = this.#context;
    const offered = KEYS.filter(({ makesSense }) => makesSense(report));
    const words = offered.map(({ key, says }) => `${output.paint('bold', key)} ${says}`).join(' · ');
    return wrap(output.look, `${words}    (saving runs again)`);
  }

  async #press(key: string): Promise<void> {
    if (key === 'q') return this.#quit();
    const { report, isBusy } = this.#session;
    const chosen = KEYS.find((one) => one.key === key && one.makesSense(report));
    if (isBusy || !chosen) return;
    if (key === 'a') return this.#run([]);
    if (key === 'n') return this.#finish({ exitCode: EXIT.ok, next: true });
    await this.#session.during(() => this.#runChosen(chosen));
  }

  /** Another command has the terminal to itself: until it ends, no key but `q` is heard. */
  async #runChosen({ command, about }: KeyCommand): Promise<void> {
    const { output } = this.#context;
    this.#isCommandRunning = true;
    try {
      output.print();
      await runCommand(this.#context, command ?? '', [this.#kata.slug, about?.(this.#session.report)]);
    } catch (error) {
      output.warn(error instanceof Error ? error.message : String(error));
    }
    this.#isCommandRunning = false;
    output.print(`\n${this.#offer(this.#session.report)}`);
  }

  #quit(): void {
    // A command in the middle of a grade cannot be called back; what it has started ends with this process.
    if (this.#isCommandRunning) process.exit(EXIT.ok);
    this.#finish({ exitCode: EXIT.ok, next: false });
  }
}
