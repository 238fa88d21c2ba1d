// Which mistakes go into a round: seeded, of different promises, and not in each other's way.
import type { Mistake } from '../course/mistake.ts';
import { applyMistake } from '../grader/variants.ts';
import { createDraw } from '../simulator/draw.ts';

/** Lines between two mistakes: a finding is right within two lines, so it must not be right for both. */
const LINES_APART = 8;

/** Lines of a text, counted from 1, both ends included. */
export interface Lines {
  readonly from: number;
  readonly to: number;
}

/**
 * Sets of mistakes that can be put in together, the seed's first choice first. Each set has `count` of them, of
 * different criteria. There may be none.
 */
export function* mistakeSets(
  reference: string,
  mistakes: readonly Mistake[],
  count: number,
  seed: number,
): Generator<readonly Mistake[]> {
  const draw = createDraw(seed);
  const order = mistakes
    .map((mistake) => ({ mistake, at: draw.unit('mistake', mistake.id) }))
    .sort((a, b) => a.at - b.at)
    .map(({ mistake }) => mistake);
  for (const [at] of order.entries()) {
    const set = together(reference, [...order.slice(at), ...order.slice(0, at)], count);
    if (set.length === count) yield set;
  }
}

function together(reference: string, order: readonly Mistake[], count: number): Mistake[] {
  const set: Mistake[] = [];
  for (const mistake of order) {
    if (set.length === count) break;
    const isOther = set.every(({ criterion }) => criterion !== mistake.criterion);
    if (isOther && areApart(reference, [...set, mistake]) && applyAll(reference, [...set, mistake]) !== null)
      set.push(mistake);
  }
  return set;
}

/** The reference with all of these put in; null when one does not fit any more. */
export function applyAll(reference: string, mistakes: readonly Mistake[]): string | null {
  try {
    return mistakes.reduce(applyMistake, reference);
  } catch {
    return null;
  }
}

function areApart(reference: string, mistakes: readonly Mistake[]): boolean {
  const places = mistakes.map((mistake) => placesOf(reference, mistake));
  const isNear = (a: Lines, b: Lines) => a.from - LINES_APART <= b.to && b.from - LINES_APART <= a.to;
  return places.every((own, at) =>
    places.slice(at + 1).every((other) => !own.some((a) => other.some((b) => isNear(a, b)))),
  );
}

/** Where the edits of a mistake stand in the reference. */
export function placesOf(reference: string, { edits }: Pick<Mistake, 'edits'>): Lines[] {
  return edits.flatMap(({ find }) => {
    const at = reference.indexOf(find);
    if (at < 0) return [];
    const from = reference.slice(0, at).split('\n').length;
    return [{ from, to: from + find.trimEnd().split('\n').length - 1 }];
  });
}
