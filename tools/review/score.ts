// The points of a round: findings and grades in, points out.
import type { Criterion } from '../course/schema.ts';
import type { Report } from '../grader/report.ts';
import type { Lines } from './choose-mistakes.ts';
import { heldCriteria, type LostCriterion, lostCriteria, shownOf } from './evidence.ts';
import type { Finding } from './findings.ts';
import type { AnswerKey, FalseAlarm, JudgedMistake, Planted, RoundResult, Session } from './round.ts';

/** A finding may miss the changed lines by so many. */
export const NEAR_LINES = 2;
/** Of 100 for each mistake's share: its place, the promise it breaks, a fix that holds. */
const WORTH = { place: 30, consequence: 20, fix: 50 };
/** Taken off for each finding that matches nothing, and each criterion that the fix broke. */
const PENALTY = 10;
export const REVIEW_BAR = 70;

export interface Submission {
  readonly round: Session;
  readonly key: AnswerKey;
  readonly findings: readonly Finding[];
  /** The code as mended. */
  readonly code: string;
}

export interface Graded {
  readonly given: Report;
  /** Null when the code was left as it was. */
  readonly mended: Report | null;
  /** Mistakes whose criterion is broken still. */
  readonly left: readonly LostCriterion[];
  /** ISO text, UTC. */
  readonly at: string;
}

/** The result of a round. */
export function score(
  submission: Submission,
  criteria: readonly Pick<Criterion, 'id' | 'title'>[],
  graded: Graded,
): RoundResult {
  const { round, key, findings } = submission;
  const lost = new Set([...lostCriteria(graded.given).map(({ id }) => id), ...key.planted.map((one) => one.criterion)]);
  const mistakes = key.planted.map((planted) => judgeMistake(planted, submission, criteria, graded, lost));
  const falseAlarms = findings.filter((finding) => isFalseAlarm(finding, submission, lost)).map(asAlarm);
  const broken = brokenBy(graded);
  const earned = mistakes.reduce((sum, { points }) => sum + points, 0);
  return {
    schemaVersion: 1,
    round: round.id,
    kata: round.kata,
    source: round.source,
    at: graded.at,
    score: Math.max(0, Math.min(100, roundTenth(earned - PENALTY * (falseAlarms.length + broken.length)))),
    bar: REVIEW_BAR,
    mistakes,
    falseAlarms,
    broken,
  };
}

function judgeMistake(
  planted: Planted,
  { key, findings }: Submission,
  criteria: readonly Pick<Criterion, 'id' | 'title'>[],
  { given, mended, left }: Graded,
  lost: ReadonlySet<string>,
): JudgedMistake {
  const still = left.find(({ id }) => id === planted.criterion);
  const isFixed = mended !== null && still === undefined;
  const isConsequenceNamed = findings.some((finding) => namesPromise(planted, finding, lost));
  // Of an attempt no lines are known: who names the promise has found it.
  const isPlaceFound =
    planted.lines.length === 0 ? isConsequenceNamed : findings.some((finding) => hitsPlace(planted, finding));
  const found = (isPlaceFound ? WORTH.place : 0) + (isConsequenceNamed ? WORTH.consequence : 0);
  return {
    ...planted,
    criterionTitle: criteria.find(({ id }) => id === planted.criterion)?.title ?? planted.criterion,
    isPlaceFound,
    isConsequenceNamed,
    said: findings
      .filter((finding) => speaksOf(planted, finding) && finding.consequence !== '')
      .map(({ consequence }) => consequence),
    isFixed,
    because: isFixed ? '' : (still?.because ?? ''),
    points: roundTenth((found + (isFixed ? WORTH.fix : 0)) / key.planted.length),
    shown: shownOf(given, planted.criterion),
  };
}

/** Criteria that held in the code as given, and do not in the mended one. What could not be judged before did not hold. */
function brokenBy({ given, mended }: Graded): RoundResult['broken'] {
  const held = heldCriteria(given);
  return (mended ? lostCriteria(mended) : [])
    .filter(({ id }) => held.includes(id))
    .map(({ id, title, because }) => ({ criterion: id, title, because }));
}

const hitsPlace = ({ lines }: Planted, finding: Finding): boolean =>
  lines.some((changed) => isNear(changed, finding.lines));

const isNear = (a: Lines, b: Lines): boolean => a.from - NEAR_LINES <= b.to && b.from <= a.to + NEAR_LINES;

/** One mistake often breaks several promises: at its place, each that really broke is a right answer. */
const namesPromise = (planted: Planted, finding: Finding, lost: ReadonlySet<string>): boolean =>
  finding.criterion !== undefined &&
  (finding.criterion === planted.criterion || (hitsPlace(planted, finding) && lost.has(finding.criterion)));

/** A finding that names the mistake's own promise speaks of it, wherever it was seen. */
const speaksOf = (planted: Planted, finding: Finding): boolean =>
  hitsPlace(planted, finding) || finding.criterion === planted.criterion;

/**
 * Whether a finding blames what is sound: the promise it names holds, or it names none and is at no mistake's place.
 * With a promise that holds, the first one at a place is half right all the same; guessing on is not.
 */
function isFalseAlarm(finding: Finding, { key, findings }: Submission, lost: ReadonlySet<string>): boolean {
  if (finding.criterion !== undefined && lost.has(finding.criterion)) return false;
  const places = key.planted.filter((planted) => hitsPlace(planted, finding));
  if (finding.criterion === undefined) return places.length === 0;
  return !places.some((planted) => findings.find((other) => hitsPlace(planted, other)) === finding);
}

const asAlarm = ({ lines, criterion, consequence }: Finding): FalseAlarm => ({
  lines,
  criterion: criterion ?? null,
  consequence,
});

const roundTenth = (value: number): number => Math.round(value * 10) / 10;
