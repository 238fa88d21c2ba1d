// Which mistakes go into a round: seeded, of different promises, and not in each other's way.
import type { Mistake } from '../course/mistake.ts';
import type { SolutionFiles } from '../course/solution-files.ts';
import { applyMistake } from '../grader/variants.ts';
import { createDraw } from '../simulator/draw.ts';

/** Lines between two mistakes: a finding is right within two lines, so it must not be right for both. */
const LINES_APART = 8;

/** Lines of a text, counted from 1, both ends included. */
export interface Lines {
  readonly from: number;
  readonly to: number;
}

/** Mistakes that stand together in one file of the reference: a round gives one file to review. */
export interface MistakeSet {
  readonly file: string;
  readonly mistakes: readonly Mistake[];
}

/**
 * Sets of mistakes that can be put in together, the seed's first choice first. Each set has `count` of them, of
 * different criteria. There may be none.
 */
export function* mistakeSets(
  reference: SolutionFiles,
  mistakes: readonly Mistake[],
  count: number,
  seed: number,
): Generator<MistakeSet> {
  const draw = createDraw(seed);
  const order = mistakes
    .map((mistake) => ({ mistake, file: fileOf(reference, mistake), at: draw.unit('mistake', mistake.id) }))
    .sort((a, b) => a.at - b.at);
  for (const [at, { file }] of order.entries()) {
    if (file === null) continue;
    const inFile = [...order.slice(at), ...order.slice(0, at)].filter((other) => other.file === file);
    const set = together(
      reference[file] ?? '',
      inFile.map(({ mistake }) => mistake),
      count,
    );
    if (set.length === count) yield { file, mistakes: set };
  }
}

/** The file that a mistake is in; null when it is in several, or does not fit. */
function fileOf(reference: SolutionFiles, mistake: Mistake): string | null {
  const edited = applyAll(reference, [mistake]) ?? reference;
  const [file = null, ...more] = Object.keys(reference).filter((name) => edited[name] !== reference[name]);
  return more.length === 0 ? file : null;
}

function together(code: string, order: readonly Mistake[], count: number): Mistake[] {
  const set: Mistake[] = [];
  for (const mistake of order) {
    if (set.length === count) break;
    const isOther = set.every(({ criterion }) => criterion !== mistake.criterion);
    if (isOther && areApart(code, [...set, mistake]) && applyAll({ code }, [...set, mistake]) !== null)
      set.push(mistake);
  }
  return set;
}

/** The reference with all of these put in; null when one does not fit any more. */
export function applyAll(reference: SolutionFiles, mistakes: readonly Mistake[]): SolutionFiles | null {
  try {
    return mistakes.reduce(applyMistake, reference);
  } catch {
    return null;
  }
}

function areApart(code: string, mistakes: readonly Mistake[]): boolean {
  const places = mistakes.map((mistake) => placesOf(code, mistake));
  const isNear = (a: Lines, b: Lines) => a.from - LINES_APART <= b.to && b.from - LINES_APART <= a.to;
  return places.every((own, at) =>
    places.slice(at + 1).every((other) => !own.some((a) => other.some((b) => isNear(a, b)))),
  );
}

/** Where the edits of a mistake stand in a file of the reference. */
export function placesOf(code: string, { edits }: Pick<Mistake, 'edits'>): Lines[] {
  return edits.flatMap(({ find }) => {
    const at = code.indexOf(find);
    if (at < 0) return [];
    const from = code.slice(0, at).split('\n').length;
    return [{ from, to: from + find.trimEnd().split('\n').length - 1 }];
  });
}
