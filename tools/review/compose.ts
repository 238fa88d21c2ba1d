// Makes the code of a round, and proves that each mistake in it can be found and would be caught.
import { readFile } from 'node:fs/promises';
import { kataPaths } from '../course/kata-paths.ts';
import type { Mistake } from '../course/mistake.ts';
import { REFERENCE_MODULE, readReference, type SolutionFiles } from '../course/solution-files.ts';
import { suiteTitles } from '../grader/suite-titles.ts';
import type { Target } from '../grader/target.ts';
import { typeCheck } from '../grader/type-check.ts';
import type { Lane } from '../verifier/lane.ts';
import { loadMistakes } from '../verifier/verify-content.ts';
import { changedLines } from './changed-lines.ts';
import { applyAll, type MistakeSet, mistakeSets } from './choose-mistakes.ts';
import { lostCriteria } from './evidence.ts';
import { neutralCode } from './neutral-code.ts';
import { asShown } from './reviewed-file.ts';
import type { AnswerKey, Planted } from './round.ts';
import { openLane, removeVariant, VARIANT } from './variant.ts';

/** Sets looked at before giving up: each costs a type check, and two or more a grade. */
const SETS_MAX = 8;
/** Mistakes that the first schedules miss meet as many as a grade has. */
const SCHEDULES = [150, 1_000];

export interface ComposeOptions {
  readonly count: number;
  readonly seed: number;
  readonly onProgress?: (what: string) => void;
}

/** A file of the reference with mistakes in it, chosen by the seed. Null when no set of so many holds together. */
export async function composeFromReference(
  root: string,
  slug: string,
  { count, seed, onProgress = () => undefined }: ComposeOptions,
): Promise<AnswerKey | null> {
  const reference = await readReference(root, slug);
  const { mistakes } = await loadMistakes(root, slug);
  const lane = openLane(root, slug);
  try {
    let looked = 0;
    for (const set of mistakeSets(reference, mistakes, count, seed)) {
      looked += 1;
      if (looked > SETS_MAX) return null;
      onProgress(`looking for mistakes that can stand together, ${looked}`);
      const key = await trySet(lane, reference, set);
      if (key !== null) return key;
    }
    return null;
  } finally {
    lane.stop();
    removeVariant(root, slug);
  }
}

async function trySet(lane: Lane, reference: SolutionFiles, set: MistakeSet): Promise<AnswerKey | null> {
  const { root, slug } = lane;
  const { file, mistakes } = set;
  const edited = applyAll(reference, mistakes);
  if (edited === null) return null;
  const given = await neutralCode(root, edited[file] ?? '');
  const planted = await Promise.all(mistakes.map((mistake) => plantedIn(root, reference, set, mistake, given)));
  if (planted.some(({ lines }) => lines.length === 0)) return null;
  const target = await lane.editedReference(VARIANT, { ...reference, [file]: given });
  if (!(await typeCheck(root, target.file)).isClean) return null;
  // Of one mistake, `kata verify` has proved that its criterion catches it.
  if (mistakes.length > 1 && !(await allAreCaught(lane, target, mistakes))) return null;
  const { [file]: _reviewed, ...others } = reference;
  return { file, given: asShown(root, slug, file, given), others, planted };
}

/** Where a mistake is: what changes in the given code when all others are there and it is not. */
async function plantedIn(
  root: string,
  reference: SolutionFiles,
  { file, mistakes }: MistakeSet,
  mistake: Mistake,
  given: string,
): Promise<Planted> {
  const others = applyAll(
    reference,
    mistakes.filter((other) => other !== mistake),
  );
  const without = await neutralCode(root, (others ?? reference)[file] ?? '');
  const { id, title, criterion, edits } = mistake;
  return { id, title, criterion, lines: changedLines(without, given), edits: edits.map((edit) => ({ ...edit })) };
}

/** One failing test of a criterion's own is enough to know; only else the whole grade is asked. */
async function allAreCaught(lane: Lane, target: Target, set: readonly Mistake[]): Promise<boolean> {
  const titles = suiteTitles(await readFile(kataPaths(lane.root, lane.slug).suite, 'utf8'));
  const ownOf = ({ criterion }: Mistake) =>
    titles.filter(({ tags }) => tags.includes(criterion)).map(({ name }) => name);
  const failed = await failedOf(lane, target, set.flatMap(ownOf));
  const uncaught = set.filter((mistake) => !ownOf(mistake).some((name) => failed.includes(name)));
  if (uncaught.length === 0) return (await lane.whyNotGradable(target)) === null;
  for (const schedules of SCHEDULES) {
    const report = await lane.grade(target, schedules);
    if (report.status === 'not-gradable') return false;
    const lost = new Set(lostCriteria(report).map(({ id }) => id));
    if (uncaught.every(({ criterion }) => lost.has(criterion))) return true;
  }
  return false;
}

async function failedOf(lane: Lane, target: Target, own: readonly string[]): Promise<readonly string[]> {
  if (own.length === 0) return [];
  return (await lane.runTogether([{ target, own }])).get(target.suite)?.failed ?? [];
}

/** An attempt as it is, with what its grade says is wrong. */
export type AttemptToReview =
  | { readonly kind: 'wrong'; readonly key: AnswerKey }
  | { readonly kind: 'right' }
  | { readonly kind: 'not-gradable'; readonly reason: string };

/** Grades an attempt's text: each criterion that lost points by evidence of its own is something to find. */
export async function composeFromAttempt(root: string, slug: string, text: string): Promise<AttemptToReview> {
  const lane = openLane(root, slug);
  try {
    const target = await lane.variant(VARIANT, text);
    const report = await lane.grade(target, SCHEDULES[1] ?? 1_000, { skipsChecks: false });
    // Of what did not come to its end, nobody can say what else is wrong.
    if (report.status === 'not-gradable' || report.status === 'incomplete')
      return { kind: 'not-gradable', reason: report.reason ?? '' };
    const planted = lostCriteria(report).map(({ id, because }) => ({
      id,
      title: because,
      criterion: id,
      lines: [],
      edits: [],
    }));
    return planted.length === 0
      ? { kind: 'right' }
      : { kind: 'wrong', key: { file: REFERENCE_MODULE, given: text, others: {}, planted } };
  } finally {
    lane.stop();
    removeVariant(root, slug);
  }
}
