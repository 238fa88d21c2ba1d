// What every command works with.
import type { Catalogue, Kata } from '../course/catalogue.ts';
import type { History } from '../history/history.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';
import type { Output } from './output.ts';

export interface CommandContext {
  /** The course's root. */
  readonly root: string;
  readonly output: Output;
  /** The time of day, in ms since 1970. Commands ask no other clock for it. */
  nowMs(): number;
  /** The katas there are; read once. */
  catalogue(): Promise<Catalogue>;
  /** The kata of that name. @throws CommandError that names the nearest one, or says what is broken */
  kata(slug: string): Promise<Kata>;
  /** The learner's history; opened once, closed at the end. `readOnly` makes no file where none is. */
  history(options?: { readonly readOnly?: boolean }): Promise<History>;
  /** Runs at Ctrl-C before the command ends with 130. */
  onInterrupt(handler: () => void | Promise<void>): void;
}

/** What a file in `commands/` exports as `run`: gives the exit code. */
export type RunCommand<Options = Record<string, never>> = (
  context: CommandContext,
  args: readonly (string | undefined)[],
  options: Options,
) => Promise<number>;

export interface OpenContext extends CommandContext {
  close(): void;
  interrupt(): Promise<void>;
}

export function createContext(root: string, output: Output, nowMs: () => number = Date.now): OpenContext {
  let catalogue: Promise<Catalogue> | undefined;
  let history: Promise<History> | undefined;
  let opened: History | undefined;
  const handlers: (() => void | Promise<void>)[] = [];

  async function open(readOnly: boolean): Promise<History> {
    const { openHistory } = await import('../history/history.ts');
    opened = await openHistory(root, { warn: output.warn, readOnly });
    return opened;
  }

  const context: OpenContext = {
    root,
    output,
    nowMs,
    catalogue: () => {
      catalogue ??= import('../course/catalogue.ts').then(({ loadCatalogue }) => loadCatalogue(root));
      return catalogue;
    },
    kata: async (slug) => findKata(await context.catalogue(), slug),
    history: ({ readOnly = false } = {}) => {
      history ??= open(readOnly);
      return history;
    },
    onInterrupt: (handler) => {
      handlers.push(handler);
    },
    close: () => opened?.close(),
    interrupt: async () => {
      await Promise.allSettled(handlers.map(async (handler) => handler()));
    },
  };
  return context;
}

async function findKata(catalogue: Catalogue, slug: string): Promise<Kata> {
  const found = catalogue.katas.find((kata) => kata.slug === slug);
  if (found) return found;
  const broken = catalogue.broken.find((kata) => kata.slug === slug);
  if (broken) {
    const { describeProblem } = await import('../course/course-problem.ts');
    const lines = broken.problems.map((problem) => `  ${describeProblem(problem)}`);
    throw new CommandError(`The files of the kata ${slug} need mending:\n${lines.join('\n')}`, EXIT.fault);
  }
  const { nearestSlug } = await import('../course/slug.ts');
  const slugs = catalogue.katas.map((kata) => kata.slug);
  const near = nearestSlug(slug, slugs);
  const advice = near === undefined ? sayKatas(slugs) : `Did you mean ${near}?`;
  throw new CommandError(`There is no kata ${slug}. ${advice}`);
}

/** Which katas there are, in one sentence. */
export function sayKatas(slugs: readonly string[]): string {
  return slugs.length === 0
    ? 'This course has no katas yet. Make one with: npx kata new <slug>'
    : `The katas are: ${slugs.join(', ')}.`;
}
