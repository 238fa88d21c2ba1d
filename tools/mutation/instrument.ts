// All mutants of a reference's files, each behind a switch: Stryker's instrumenter without its runner.
import { commonTokens } from '@stryker-mutator/api/plugin';
import { createInstrumenter } from '@stryker-mutator/instrumenter';
import { createInjector } from 'typed-inject';
import type { SolutionFiles } from '../course/solution-files.ts';

/** A mutant that loops is stopped after so many passes through its switch in one run. */
export const HIT_LIMIT = 200_000;

export interface Mutant {
  readonly id: string;
  /** Path inside the solution's folder. */
  readonly file: string;
  readonly mutator: string;
  /** Line, from 1. */
  readonly line: number;
  readonly original: string;
  readonly replacement: string;
}

/** As much of Babel's path as is looked at here. */
interface SyntaxPath {
  readonly node: {
    readonly type: string;
    readonly value?: unknown;
    readonly quasis?: readonly { readonly value: { readonly raw: string } }[];
    readonly callee?: { readonly type: string; readonly name?: string };
  };
  readonly parentPath: SyntaxPath | null;
}

/** A sentence in an error is for people: its wording is no promise. A code, which has no space, is one. */
const wordsOfErrors = {
  shouldIgnore(path: SyntaxPath): string | undefined {
    const text =
      typeof path.node.value === 'string' ? path.node.value : path.node.quasis?.map(({ value }) => value.raw).join();
    if (!text?.includes(' ')) return undefined;
    for (let up = path.parentPath; up && !up.node.type.endsWith('Statement'); up = up.parentPath) {
      const { callee } = up.node;
      if (callee && (callee.type === 'Super' || /error|failure/i.test(callee.name ?? '')))
        return 'The words of an error.';
    }
    return undefined;
  },
};

const silent = new Proxy({}, { get: () => () => undefined });

/** Instruments all files; no two mutants have the same id. What the switch reads is `globalThis.__stryker__.activeMutant`. */
export async function instrument(reference: SolutionFiles): Promise<{ files: SolutionFiles; mutants: Mutant[] }> {
  const injector = createInjector()
    .provideValue(commonTokens.logger, silent)
    .provideValue(commonTokens.getLogger, () => silent)
    .provideValue(commonTokens.options, {})
    .provideValue(commonTokens.fileDescriptions, {});
  const instrumenter = injector.injectFunction(createInstrumenter as never) as ReturnType<typeof createInstrumenter>;
  const sources = Object.entries(reference).map(([name, content]) => ({ name, content, mutate: true }));
  const result = await instrumenter.instrument(sources, {
    plugins: null,
    ignorers: [wordsOfErrors as never],
    excludedMutations: [],
  });
  // Those that are ignored are told of, too, but do not stand in the text.
  const placed = result.mutants.filter(({ status }) => status !== 'Ignored');
  const mutants = placed.map(({ id, fileName, mutatorName, location, replacement }) => ({
    id,
    file: fileName,
    mutator: mutatorName,
    line: location.start.line + 1,
    original: excerpt((reference[fileName] ?? '').split('\n'), location),
    replacement,
  }));
  return { files: Object.fromEntries(result.files.map(({ name, content }) => [name, content])), mutants };
}

interface Place {
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

function excerpt(lines: readonly string[], { start, end }: Place): string {
  if (start.line === end.line) return (lines[start.line] ?? '').slice(start.column, end.column);
  return `${(lines[start.line] ?? '').slice(start.column)} …`;
}
