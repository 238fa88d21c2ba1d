// What readers want to know of a report, worked out once for terminal, Markdown and page.
import { DIMENSIONS, type Dimension, LEVELS, type Level } from '../../course/schema.ts';
import type { CriterionResult, Evidence, Report, TestResult, Violation } from '../report.ts';

/** How much of a criterion was earned. `unjudged`: none of its evidence ran. */
export type Share = 'all' | 'part' | 'none' | 'unjudged';

const DID_NOT_RUN = new Set<Evidence['status']>(['not-run', 'skipped', 'blocked']);
const BROKE = new Set<Evidence['status']>(['fail', 'error', 'timeout']);

/** Whether a score may be shown at all. */
export const isScored = (report: Report): boolean => report.status !== 'not-gradable';

/** How much of a criterion was earned. */
export function shareOf({ earned, points, evidence }: CriterionResult): Share {
  if (earned >= points) return 'all';
  if (earned > 0) return 'part';
  return evidence.length > 0 && evidence.every(({ status }) => DID_NOT_RUN.has(status)) ? 'unjudged' : 'none';
}

/** Criteria by dimension, in the rubric's order; dimensions without any are left out. */
export function byDimension(
  report: Report,
): { dimension: Dimension; earned: number; points: number; criteria: CriterionResult[] }[] {
  return DIMENSIONS.map((dimension) => {
    const criteria = report.criteria.filter((each) => each.dimension === dimension);
    const sum = (of: 'earned' | 'points') => Math.round(criteria.reduce((all, each) => all + each[of], 0) * 10) / 10;
    return { dimension, criteria, earned: sum('earned'), points: sum('points') };
  }).filter(({ criteria }) => criteria.length > 0);
}

/** Evidence that speaks against a criterion. */
export const against = (criterion: CriterionResult): Evidence[] =>
  criterion.evidence.filter(({ status }) => BROKE.has(status));

/** Whether points are missing although all evidence passes: they count in proportion to the other dimensions. */
export const isHeldBack = (criterion: CriterionResult): boolean =>
  criterion.earned < criterion.points && criterion.evidence.every(({ status }) => status === 'pass');

/** The criterion a report names by its id. */
export const criterionOf = (report: Report, id: string | null): CriterionResult | undefined =>
  report.criteria.find((each) => each.id === id);

/** The criterion that an invariant is evidence for. */
export const criterionOfInvariant = (report: Report, invariant: string): CriterionResult | undefined =>
  report.criteria.find((each) => each.evidence.some(({ kind, id }) => kind === 'invariant' && id === invariant));

// What belongs to no criterion, such as "the module loads", stops all else: it comes first.
const rank = (criterion: CriterionResult | undefined): number => (criterion ? LEVELS.indexOf(criterion.level) : -1);

/** Tests that fail, throw or time out: the lowest level first, then in the suite's order. */
export const failingTests = (report: Report): TestResult[] =>
  report.tests
    .filter(({ status }) => BROKE.has(status))
    .sort((a, b) => rank(criterionOf(report, a.criterion)) - rank(criterionOf(report, b.criterion)));

/** Broken invariants, the lowest level first. */
export const brokenInvariants = (report: Report): Violation[] =>
  [...report.simulation.violations].sort(
    (a, b) => rank(criterionOfInvariant(report, a.invariant)) - rank(criterionOfInvariant(report, b.invariant)),
  );

/** How many tests each test keeps from running. */
export function blockers(report: Report): { by: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { status, blockedBy } of report.tests) {
    if (status === 'blocked')
      counts.set(blockedBy ?? 'another test', (counts.get(blockedBy ?? 'another test') ?? 0) + 1);
  }
  return [...counts].map(([by, count]) => ({ by, count }));
}

/** Tests that passed, that ran, and all there are. */
export function testCounts(report: Report): { passed: number; ran: number; total: number } {
  const passed = report.tests.filter(({ status }) => status === 'pass').length;
  const ran = report.tests.filter(({ status }) => !DID_NOT_RUN.has(status)).length;
  return { passed, ran, total: report.tests.length };
}

/** Tests that passed at each level that has any. */
export function countsByLevel(report: Report): { level: Level; passed: number; total: number }[] {
  return LEVELS.map((level) => {
    const tests = report.tests.filter(({ criterion }) => criterionOf(report, criterion)?.level === level);
    return { level, passed: tests.filter(({ status }) => status === 'pass').length, total: tests.length };
  }).filter(({ total }) => total > 0);
}

/** A budget beside the reference. `times` is null where the reference spends nothing. */
export type BudgetRow = Report['budgets'][number] & { times: number | null; isWithin: boolean };

/** The budgets with how many times the reference was spent. */
export const budgetRows = (report: Report): BudgetRow[] =>
  report.budgets.map((each) => ({
    ...each,
    times: each.reference === 0 ? null : each.attempt / each.reference,
    isWithin: each.attempt <= each.reference * each.allowance,
  }));
