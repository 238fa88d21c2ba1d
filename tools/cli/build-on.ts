// What a feature's attempt may build on: the patterns' references, or the learner's own attempts at them.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Kata } from '../course/catalogue.ts';

export const BUILD_ON = ['reference', 'attempt'] as const;
export type BuildOn = (typeof BUILD_ON)[number];

export interface Pattern {
  readonly slug: string;
  /** What its module exports, as its contract says. */
  readonly exports: readonly string[];
  /** Whether the learner has an attempt at it. */
  readonly hasAttempt: boolean;
}

const HEADING = '// What this kata builds on. Take away the slashes before what you use; leave the rest out.';

/** The patterns a kata builds on, in the order of its spec. One without a readable contract is left out. */
export async function patternsOf({ buildsOn }: Kata, katas: readonly Kata[]): Promise<Pattern[]> {
  const patterns = await Promise.all(
    buildsOn.map(async (slug) => {
      const paths = katas.find((kata) => kata.slug === slug)?.paths;
      const exports = paths === undefined ? [] : exportsOf(await readFile(paths.contract, 'utf8').catch(() => ''));
      return { slug, exports, hasAttempt: paths !== undefined && existsSync(paths.attempt) };
    }),
  );
  return patterns.filter(({ exports }) => exports.length > 0);
}

/** The names in `interface …Module` of a contract: `readonly createSession: CreateSession;`. */
function exportsOf(contract: string): string[] {
  const [, body = ''] = /interface \w+Module \{([^}]*)\}/.exec(contract) ?? [];
  return [...body.matchAll(/^\s*readonly (\w+)\s*:/gm)].map(([, name = '']) => name);
}

/** A stub with a commented import for each pattern, below its own imports. Null: both the references and the attempts. */
export function offerPatterns(stub: string, patterns: readonly Pattern[], choice: BuildOn | null): string {
  const lines = patterns.flatMap(({ slug, exports }) =>
    BUILD_ON.filter((one) => choice === null || one === choice).map(
      (one) => `// import { ${exports.join(', ')} } from '${one === 'reference' ? '#solutions' : '#attempt'}/${slug}';`,
    ),
  );
  if (lines.length === 0) return stub;
  const all = stub.split('\n');
  const at = all.findLastIndex((line) => /^(?:import\b|} from )/.test(line)) + 1;
  return [...all.slice(0, at), '', HEADING, ...lines, ...all.slice(at)].join('\n');
}

/** A text without what `offerPatterns` put in: to tell a bare stub. */
export function withoutOffer(text: string): string {
  return text.replace(
    /\n\n\/\/ What this kata builds on\..*(?:\n\/\/ import .* from '#(?:solutions|attempt)\/.*)*/,
    '',
  );
}
