// Scores a round: was it found, is it mended, and was anything blamed or broken that was sound?
import type { Criterion } from '../course/schema.ts';
import type { Report } from '../grader/report.ts';
import type { Target } from '../grader/target.ts';
import type { Lane } from '../verifier/lane.ts';
import { type LostCriterion, lostCriteria } from './evidence.ts';
import { asPlaced } from './reviewed-file.ts';
import type { Planted, RoundResult } from './round.ts';
import { type Submission, score } from './score.ts';
import { openLane, removeVariant, VARIANT } from './variant.ts';

const SCHEDULES = 1_000;
/** Enough to make a story short; the person waits for it. */
const SHRINK_RUNS_MAX = 200;

export type Verdict =
  | { readonly kind: 'scored'; readonly result: RoundResult }
  /** The mended code could not be graded, or not to its end, and why: the round stays open. */
  | { readonly kind: 'not-gradable' | 'incomplete'; readonly reason: string };

/** Grades the given and the mended code and scores the findings. */
export async function judgeRound(
  root: string,
  submission: Submission,
  criteria: readonly Criterion[],
  at: string,
  onProgress: (what: string) => void = () => undefined,
): Promise<Verdict> {
  const { round, key, code } = submission;
  const lane = openLane(root, round.kata.slug);
  try {
    onProgress('grading your fix');
    const isMended = code !== key.given;
    const mended = isMended ? await gradeCode(lane, submission, code) : null;
    // What could not be run is no proof: a fix that loops for ever would keep every promise.
    if (mended?.status === 'not-gradable' || mended?.status === 'incomplete')
      return { kind: mended.status, reason: mended.reason ?? '' };
    onProgress('looking for the shortest story');
    const given = await gradeCode(lane, submission, key.given, { shrinkRunsMax: SHRINK_RUNS_MAX });
    const left = mended ? await leftOver(lane, submission, mended) : lostCriteria(given);
    return { kind: 'scored', result: score(submission, criteria, { given, mended, left, at }) };
  } finally {
    lane.stop();
    removeVariant(root, round.kata.slug);
  }
}

type How = { readonly skipsChecks?: boolean; readonly shrinkRunsMax?: number };

async function gradeCode(lane: Lane, submission: Submission, code: string, how: How = {}): Promise<Report> {
  return lane.grade(await targetFor(lane, submission, code), SCHEDULES, { skipsChecks: false, ...how });
}

/** What the code of an attempt imports is meant from the kata; that of a reference stands among its other files. */
const targetFor = (lane: Lane, { round, key }: Submission, code: string): Promise<Target> =>
  round.source.kind === 'reference'
    ? lane.editedReference(VARIANT, asPlaced(lane.root, lane.slug, key, code))
    : lane.variant(VARIANT, code);

/**
 * Mistakes whose criterion is still broken. Where another one that was left in could be the reason, that one is taken
 * out and the grade is asked again: nobody shall lose a good fix to a mistake not seen.
 */
async function leftOver(lane: Lane, submission: Submission, mended: Report): Promise<LostCriterion[]> {
  const { key, code } = submission;
  const lost = lostCriteria(mended);
  const isLost = ({ criterion }: Planted) => lost.some(({ id }) => id === criterion);
  const suspects = key.planted.filter(isLost);
  if (suspects.length < 2) return lost;
  const cleared: string[] = [];
  for (const suspect of suspects) {
    const alone = withoutOthers(
      code,
      suspects.filter((other) => other !== suspect),
    );
    if (alone === code) continue;
    const report = await gradeCode(lane, submission, alone, { skipsChecks: true });
    if (!lostCriteria(report).some(({ id }) => id === suspect.criterion)) cleared.push(suspect.criterion);
  }
  return lost.filter(({ id }) => !cleared.includes(id));
}

/** The code with the edits of these mistakes undone, where they stand as they were put in. */
function withoutOthers(code: string, others: readonly Planted[]): string {
  return others
    .flatMap(({ edits }) => edits)
    .reduce(
      (text, { find, replace }) =>
        replace !== '' && text.split(replace).length === 2 ? text.replace(replace, () => find) : text,
      code,
    );
}
