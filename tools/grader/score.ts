// Applies a rubric to evidence. Pure: same evidence, same score.
import type { Bands, Criterion, Dimension, Rubric } from '../course/schema.ts';
import { LEVELS } from '../course/schema.ts';
import type { CriterionResult, Evidence, EvidenceStatus, Report, TestResult } from './report.ts';
import type { CheckResult } from './static-checks.ts';

/** What the simulation says of one invariant. */
export interface InvariantEvidence {
  readonly id: string;
  readonly status: EvidenceStatus;
  /** Schedules that kept it, 0 to 1. */
  readonly survival: number;
  readonly detail: string;
}

/** What the simulation says of one budget. `null` costs were not measured. */
export interface BudgetEvidence {
  readonly id: string;
  readonly attempt: number;
  readonly reference: number;
  readonly allowance: number;
  /** Schedules it was measured over. */
  readonly schedules: number;
  readonly blockedBy: string | null;
}

export interface AllEvidence {
  readonly tests: readonly TestResult[];
  readonly invariants: readonly InvariantEvidence[];
  readonly budgets: readonly BudgetEvidence[];
  readonly checks: readonly CheckResult[];
}

/** Points for cost and form count only as far as the app works at all. */
const GATED: readonly Dimension[] = ['efficiency', 'code quality'];
const CORE: readonly Dimension[] = ['correctness', 'resilience', 'consistency'];
/** A broken invariant earns at most this share, times the schedules that survived. */
const BROKEN_SHARE = 0.5;
/** A budget is used up at so many times its allowance. */
const BUDGET_END = 3;
/** Where the reference costs nothing, so much a schedule is still nothing. */
const BUDGET_FLOOR = 0.05;

/** Points by criterion, in the rubric's order. A criterion is earned as far as its weakest evidence. */
export function scoreCriteria(rubric: Rubric, evidence: AllEvidence): CriterionResult[] {
  const judged = rubric.criteria.map((criterion) => ({ criterion, ...judge(criterion, evidence) }));
  const gate = shareOf(judged.filter(({ criterion }) => CORE.includes(criterion.dimension)));
  return judged.map(({ criterion, share, items }) => {
    const { id, title, dimension, level, points } = criterion;
    const factor = GATED.includes(dimension) ? gate : 1;
    return { id, title, dimension, level, points, earned: floorToTenth(points * share * factor), evidence: items };
  });
}

function judge(criterion: Criterion, evidence: AllEvidence): { share: number; items: Evidence[] } {
  const tests = evidence.tests.filter((test) => test.criterion === criterion.id);
  const passed = tests.filter(({ status }) => status === 'pass').length;
  const parts = [
    ...criterion.invariants.map((id) => judgeInvariant(id, evidence)),
    ...criterion.budgets.map((id) => judgeBudget(id, evidence)),
    ...criterion.checks.map((id) => judgeCheck(id, evidence)),
  ];
  const shares = [...(tests.length > 0 ? [passed / tests.length] : []), ...parts.map(({ share }) => share)];
  return {
    share: shares.length > 0 ? Math.min(...shares) : 0,
    items: [...tests.map(testItem), ...parts.map(({ item }) => item)],
  };
}

function testItem({ name, status, message }: TestResult): Evidence {
  return { kind: 'test', id: name, status, detail: firstLine(message ?? '') };
}

interface Judged {
  readonly share: number;
  readonly item: Evidence;
}

function judgeInvariant(id: string, { invariants }: AllEvidence): Judged {
  const found = invariants.find((one) => one.id === id);
  if (!found)
    return { share: 0, item: { kind: 'invariant', id, status: 'not-run', detail: 'The simulation was not run.' } };
  const share = found.status === 'pass' ? 1 : found.status === 'fail' ? BROKEN_SHARE * found.survival : 0;
  return { share, item: { kind: 'invariant', id, status: found.status, detail: found.detail } };
}

function judgeBudget(id: string, { budgets }: AllEvidence): Judged {
  const found = budgets.find((one) => one.id === id);
  if (!found)
    return { share: 0, item: { kind: 'budget', id, status: 'not-run', detail: 'The simulation was not run.' } };
  if (found.blockedBy !== null)
    return { share: 0, item: { kind: 'budget', id, status: 'blocked', detail: found.blockedBy } };
  const ratio = found.attempt / Math.max(found.reference, BUDGET_FLOOR * found.schedules, Number.MIN_VALUE);
  const over = (ratio - found.allowance) / (found.allowance * (BUDGET_END - 1));
  const share = Math.max(0, Math.min(1, 1 - over));
  const detail =
    share === 1
      ? ''
      : `${found.attempt} where the reference needs ${found.reference}; ${found.allowance} times that is allowed.`;
  return { share, item: { kind: 'budget', id, status: share === 1 ? 'pass' : 'fail', detail } };
}

function judgeCheck(id: string, { checks }: AllEvidence): Judged {
  const found = checks.find((one) => one.id === id);
  const status = found?.status ?? 'not-run';
  return { share: status === 'pass' ? 1 : 0, item: { kind: 'check', id, status, detail: found?.detail ?? '' } };
}

function shareOf(judged: readonly { criterion: Criterion; share: number }[]): number {
  const points = judged.reduce((sum, { criterion }) => sum + criterion.points, 0);
  const earned = judged.reduce((sum, { criterion, share }) => sum + criterion.points * share, 0);
  return points === 0 ? 1 : earned / points;
}

/** Never up: 100 is only said of what has lost nothing. */
const floorToTenth = (points: number): number => Math.floor(points * 10 + 1e-6) / 10;

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

export const totalOf = (criteria: readonly CriterionResult[]): number =>
  floorToTenth(criteria.reduce((sum, { earned }) => sum + earned, 0));

/** Less than this share of a criterion is a promise broken, however many others are kept. */
const KEPT_SHARE = 0.5;

/**
 * The highest level of which, with all below it, the share asked for was earned, and no promise is broken:
 * every criterion about whether the app works earns more than half. An app that applies a payment twice
 * is not saved by all that it does well.
 */
export function bandOf(criteria: readonly CriterionResult[], { share }: Bands): Report['band'] {
  let band: Report['band'] = 'not-yet';
  for (const level of LEVELS) {
    const own = criteria.filter((criterion) => criterion.level === level);
    if (own.length === 0) continue;
    if (levelShare(own) < share || own.some(isBroken)) break;
    band = level;
  }
  return band;
}

const isBroken = ({ dimension, earned, points }: CriterionResult): boolean =>
  !GATED.includes(dimension) && earned <= points * KEPT_SHARE;

function levelShare(criteria: readonly CriterionResult[]): number {
  const points = criteria.reduce((sum, criterion) => sum + criterion.points, 0);
  return criteria.reduce((sum, criterion) => sum + criterion.earned, 0) / points;
}

/**
 * The one thing to fix first: of the lowest level with a loss, a criterion whose own tests fail before one that only
 * suffers with it, then what costs most. What makes the app work goes before what makes it cheap.
 * Null when nothing was seen to fail.
 */
export function fixFirst(criteria: readonly CriterionResult[], rubric: Rubric): Report['fixFirst'] {
  const ranked = criteria
    .filter((criterion) => problemOf(criterion) !== undefined)
    .map((criterion) => ({ criterion, rank: rankOf(criterion) }));
  const [first] = ranked.sort((a, b) => compareRanks(a.rank, b.rank));
  if (!first) return null;
  const broken = problemOf(first.criterion);
  const hint = rubric.criteria.find(({ id }) => id === first.criterion.id)?.hints[0] ?? '';
  const because = broken ? `${broken.id}${broken.detail ? `: ${broken.detail}` : ''}` : '';
  return { criterion: first.criterion.id, because, hint };
}

/** What was seen to be wrong; what could not be looked at tells nobody what to mend. */
const SEEN: readonly EvidenceStatus[] = ['fail', 'error', 'timeout'];

const problemOf = ({ evidence }: CriterionResult): Evidence | undefined =>
  evidence.find(({ status }) => SEEN.includes(status));

/** Smaller goes first, place by place. */
function rankOf(criterion: CriterionResult): number[] {
  const { dimension, level, evidence, points, earned } = criterion;
  const hasFailedTest = evidence.some(({ kind, status }) => kind === 'test' && SEEN.includes(status));
  return [GATED.includes(dimension) ? 1 : 0, LEVELS.indexOf(level), hasFailedTest ? 0 : 1, earned - points];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, n) => value !== b[n]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
