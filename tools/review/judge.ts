// Scores a round: was it found, is it mended, and was anything blamed or broken that was sound?
import type { Criterion } from '../course/schema.ts';
import type { Report } from '../grader/report.ts';
import type { Target } from '../grader/target.ts';
import { Lane } from '../verifier/lane.ts';
import type { Lines } from './choose-mistakes.ts';
import { type LostCriterion, lostCriteria, shownOf } from './evidence.ts';
import type { Finding } from './findings.ts';
import { removeVariant } from './remove-variant.ts';
import type { AnswerKey, FalseAlarm, JudgedMistake, Planted, RoundResult, Session } from './round.ts';

/** A finding may miss the changed lines by so many. */
export const NEAR_LINES = 2;
/** Of 100 for each mistake's share: its place, the promise it breaks, a fix that holds. */
const WORTH = { place: 30, consequence: 20, fix: 50 };
/** Taken off for each finding that matches nothing, and each criterion that the fix broke. */
const PENALTY = 10;
export const REVIEW_BAR = 70;

const SCHEDULES = 1_000;
/** Enough to make a story short; the person waits for it. */
const SHRINK_RUNS_MAX = 200;
const SEED = 1;
/** Two commands at once must not write to one file. */
const VARIANT = `review-${process.pid}`;

export interface Submission {
  readonly round: Session;
  readonly key: AnswerKey;
  readonly findings: readonly Finding[];
  /** The code as mended. */
  readonly code: string;
}

export type Verdict =
  | { readonly kind: 'scored'; readonly result: RoundResult }
  /** The mended code could not be graded, and why: the round stays open. */
  | { readonly kind: 'not-gradable'; readonly reason: string };

/** Grades the given and the mended code and scores the findings. */
export async function judgeRound(
  root: string,
  submission: Submission,
  criteria: readonly Criterion[],
  at: string,
  onProgress: (what: string) => void = () => undefined,
): Promise<Verdict> {
  const { round, key, code } = submission;
  const lane = new Lane(root, round.kata.slug, SEED);
  try {
    onProgress('grading your fix');
    const isMended = code !== key.given;
    const mended = isMended ? await gradeCode(lane, round, code) : null;
    if (mended?.status === 'not-gradable') return { kind: 'not-gradable', reason: mended.reason ?? '' };
    onProgress('looking for the shortest story');
    const given = await gradeCode(lane, round, key.given, { skipsChecks: true, shrinkRunsMax: SHRINK_RUNS_MAX });
    const left = mended ? await leftOver(lane, submission, mended) : lostCriteria(given);
    return { kind: 'scored', result: score(submission, criteria, { given, mended, left, at }) };
  } finally {
    lane.stop();
    removeVariant(root, round.kata.slug, VARIANT);
  }
}

type How = { readonly skipsChecks?: boolean; readonly shrinkRunsMax?: number };

async function gradeCode(lane: Lane, round: Session, code: string, how: How = {}): Promise<Report> {
  return lane.grade(await targetFor(lane, round, code), SCHEDULES, { skipsChecks: false, ...how });
}

/** Relative imports are meant from where the code comes from. */
const targetFor = (lane: Lane, { source }: Session, code: string): Promise<Target> =>
  source.kind === 'reference' ? lane.editedReference(VARIANT, code) : lane.variant(VARIANT, code);

/**
 * Mistakes whose criterion is still broken. Where another one that was left in could be the reason, that one is taken
 * out and the grade is asked again: nobody shall lose a good fix to a mistake not seen.
 */
async function leftOver(lane: Lane, { round, key, code }: Submission, mended: Report): Promise<LostCriterion[]> {
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
    const report = await gradeCode(lane, round, alone, { skipsChecks: true });
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

interface Graded {
  readonly given: Report;
  readonly mended: Report | null;
  readonly left: readonly LostCriterion[];
  readonly at: string;
}

/** Pure: findings and grades in, points out. */
export function score(
  { round, key, findings }: Submission,
  criteria: readonly Pick<Criterion, 'id' | 'title'>[],
  { given, mended, left, at }: Graded,
): RoundResult {
  const before = new Set(lostCriteria(given).map(({ id }) => id));
  const mistakes = key.planted.map((planted): JudgedMistake => {
    const still = left.find(({ id }) => id === planted.criterion);
    const isFixed = mended !== null && still === undefined;
    const isPlaceFound = findings.some((finding) => hitsPlace(planted, finding));
    const isConsequenceNamed = findings.some(({ criterion }) => criterion === planted.criterion);
    const isByPlace = planted.lines.length > 0;
    const found = isByPlace
      ? (isPlaceFound ? WORTH.place : 0) + (isConsequenceNamed ? WORTH.consequence : 0)
      : isConsequenceNamed
        ? WORTH.place + WORTH.consequence
        : 0;
    return {
      ...planted,
      criterionTitle: criteria.find(({ id }) => id === planted.criterion)?.title ?? planted.criterion,
      isPlaceFound: isByPlace ? isPlaceFound : isConsequenceNamed,
      isConsequenceNamed,
      said: findings
        .filter((finding) => matches(planted, finding) && finding.consequence !== '')
        .map(({ consequence }) => consequence),
      isFixed,
      because: isFixed ? '' : (still?.because ?? ''),
      points: roundTenth((found + (isFixed ? WORTH.fix : 0)) / key.planted.length),
      shown: shownOf(given, planted.criterion),
    };
  });
  const falseAlarms = findings.filter((finding) => !key.planted.some((one) => matches(one, finding))).map(asAlarm);
  const broken = (mended ? lostCriteria(mended) : [])
    .filter(({ id }) => !before.has(id))
    .map(({ id, title, because }) => ({ criterion: id, title, because }));
  const earned = mistakes.reduce((sum, { points }) => sum + points, 0);
  return {
    schemaVersion: 1,
    round: round.id,
    kata: round.kata,
    source: round.source,
    at,
    score: Math.max(0, Math.min(100, roundTenth(earned - PENALTY * (falseAlarms.length + broken.length)))),
    bar: REVIEW_BAR,
    mistakes,
    falseAlarms,
    broken,
  };
}

const hitsPlace = ({ lines }: Planted, finding: Finding): boolean =>
  lines.some((changed) => isNear(changed, finding.lines));

const isNear = (a: Lines, b: Lines): boolean => a.from - NEAR_LINES <= b.to && b.from <= a.to + NEAR_LINES;

/** A finding that names the promise speaks of the mistake, wherever it was seen. */
const matches = (planted: Planted, finding: Finding): boolean =>
  hitsPlace(planted, finding) || finding.criterion === planted.criterion;

const asAlarm = ({ lines, criterion, consequence }: Finding): FalseAlarm => ({
  lines,
  criterion: criterion ?? null,
  consequence,
});

const roundTenth = (value: number): number => Math.round(value * 10) / 10;
