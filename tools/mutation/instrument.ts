// All mutants of a reference in one file, each behind a switch: Stryker's instrumenter without its runner.

import { commonTokens } from '@stryker-mutator/api/plugin';
import { createInstrumenter } from '@stryker-mutator/instrumenter';
import { createInjector } from 'typed-inject';

/** A mutant that loops is stopped after so many passes through its switch in one run. */
export const HIT_LIMIT = 200_000;

export interface Mutant {
  readonly id: string;
  readonly mutator: string;
  /** Line, from 1. */
  readonly line: number;
  readonly original: string;
  readonly replacement: string;
}

const silent = new Proxy({}, { get: () => () => undefined });

/** Instruments a file's text. What the switch reads is `globalThis.__stryker__.activeMutant`. */
export async function instrument(name: string, text: string): Promise<{ text: string; mutants: Mutant[] }> {
  const injector = createInjector()
    .provideValue(commonTokens.logger, silent)
    .provideValue(commonTokens.getLogger, () => silent)
    .provideValue(commonTokens.options, {})
    .provideValue(commonTokens.fileDescriptions, {});
  const instrumenter = injector.injectFunction(createInstrumenter as never) as ReturnType<typeof createInstrumenter>;
  const result = await instrumenter.instrument([{ name, content: text, mutate: true }], {
    plugins: null,
    ignorers: [],
    excludedMutations: [],
  });
  const lines = text.split('\n');
  const mutants = result.mutants.map(({ id, mutatorName, location, replacement }) => ({
    id,
    mutator: mutatorName,
    line: location.start.line + 1,
    original: excerpt(lines, location),
    replacement,
  }));
  return { text: result.files[0]?.content ?? '', mutants };
}

interface Place {
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

function excerpt(lines: readonly string[], { start, end }: Place): string {
  if (start.line === end.line) return (lines[start.line] ?? '').slice(start.column, end.column);
  return `${(lines[start.line] ?? '').slice(start.column)} …`;
}
