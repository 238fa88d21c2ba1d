// Which kata is a good next step.
import { type KataState, wasSolved } from './kata-state.ts';

interface Step {
  readonly slug: string;
  readonly tier: 'pattern' | 'feature';
  readonly buildsOn: readonly string[];
}

export interface NextKata<K> {
  readonly kata: K;
  readonly why: 'unfinished' | 'broken-since' | 'ready' | 'out-of-order' | 'stale';
}

/**
 * What to do next, of katas in the map's order: an attempt begun, one that broke, a new one whose ground is laid
 * (patterns first), a new one all the same, one to grade again. Undefined when all is solved.
 */
export function nextKata<K extends Step>(
  katas: readonly K[],
  stateOf: (slug: string) => KataState,
): NextKata<K> | undefined {
  const inState = (state: KataState) => patternsFirst(katas.filter((kata) => stateOf(kata.slug) === state));
  const fresh = inState('never-tried');
  const isReady = (kata: K) => kata.buildsOn.every((slug) => wasSolved(stateOf(slug)));
  const choices: [NextKata<K>['why'], K | undefined][] = [
    ['unfinished', inState('in-progress')[0]],
    ['broken-since', inState('broken-since')[0]],
    ['ready', fresh.find(isReady)],
    ['out-of-order', fresh[0]],
    ['stale', inState('stale')[0]],
  ];
  for (const [why, kata] of choices) if (kata) return { kata, why };
  return undefined;
}

function patternsFirst<K extends Step>(katas: readonly K[]): K[] {
  return [...katas.filter(({ tier }) => tier === 'pattern'), ...katas.filter(({ tier }) => tier === 'feature')];
}
