// What a grade says about a dimension of the scorecard.
import { LEVELS } from '../course/schema.ts';
import type { Report } from '../grader/report.ts';
import type { GradeEvidence } from './events.ts';
import type { Dimension } from './guide.ts';
import type { Score } from './session-state.ts';

/** Share of a level's points that counts as having it: as in rubric/bands.yaml. */
const SHARE = 0.8;

/** What of a report a session keeps in its journal. */
export function evidenceOf(report: Report): GradeEvidence {
  const { score, bar, band, status, criteria, simulation } = report;
  return {
    score,
    bar,
    band,
    status,
    criteria: criteria.map(({ id, title, dimension, level, points, earned }) => ({
      id,
      title,
      dimension,
      level,
      points,
      earned,
    })),
    brokenInvariants: simulation.violations.map(({ invariant }) => invariant),
  };
}

/**
 * The score a grade speaks for, with its evidence. 2 when 80 % of the points at level mid are earned in the
 * dimensions of the rubric that belong to it, 3 when that holds for senior too, 4 for staff too; a level without
 * criteria is passed over, but nothing is exceeded without one at staff. Null when the grade cannot say.
 */
export function suggestScore(dimension: Dimension, grade: GradeEvidence | null): Score | null {
  if (grade === null || !dimension.graded || grade.status === 'not-gradable' || grade.status === 'incomplete')
    return null;
  const criteria = grade.criteria.filter((one) => dimension.trains.includes(one.dimension));
  if (criteria.length === 0) return null;
  const shares = LEVELS.map((level) => shareOf(criteria.filter((one) => one.level === level)));
  const failed = shares.findIndex((share) => share !== null && share < SHARE);
  const reached = failed >= 0 ? failed + 1 : shares[2] === null ? 3 : 4;
  return { score: reached, evidence: sayEvidence(grade, criteria, dimension) };
}

type Criteria = GradeEvidence['criteria'];

function shareOf(criteria: Criteria): number | null {
  const points = sum(criteria.map((one) => one.points));
  return points === 0 ? null : sum(criteria.map(({ earned }) => earned)) / points;
}

function sayEvidence(grade: GradeEvidence, criteria: Criteria, { trains }: Dimension): string {
  const earned = tenth(sum(criteria.map((one) => one.earned)));
  const points = sum(criteria.map((one) => one.points));
  const lost = criteria
    .filter((one) => one.earned < one.points)
    .toSorted((a, b) => b.points - b.earned - (a.points - a.earned));
  const worst = lost.slice(0, 2).map(({ title }) => title);
  const missing = worst.length === 0 ? 'Nothing was lost.' : `Lost most on: ${worst.join('; ')}.`;
  return `Grade ${tenth(grade.score)} of 100 (${grade.band.replace('-', ' ')}): ${trains.join(' and ')} ${earned} of ${points} points. ${missing}`;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const tenth = (number: number): number => Math.round(number * 10) / 10;
