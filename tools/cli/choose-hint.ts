// Which hint comes next.
import { type Criterion, LEVELS } from '../course/schema.ts';
import { isHeldBack } from '../grader/render/digest.ts';
import type { Report } from '../grader/report.ts';

/** Hints a criterion has, from nudge to near-answer. */
export const HINT_STEPS = 3;

/** What the last grade leaves to mend. */
export interface Findings {
  /** Criteria by id; null when nothing was graded yet. */
  readonly open: ReadonlySet<string> | null;
  /** The one of them to fix first. */
  readonly first: string | null;
}

export interface HintState extends Findings {
  /** Hints taken so far, by criterion. */
  readonly taken: Readonly<Record<string, number>>;
}

/**
 * The criterion whose hint comes next: the one to fix first, then other unsolved ones, level by level; the first that
 * still has a hint to give. When all were given, the first of them again. Undefined when nothing is unsolved.
 */
export function chooseCriterion(criteria: readonly Criterion[], state: HintState): Criterion | undefined {
  const { open, first, taken } = state;
  const unsolved = LEVELS.flatMap((level) => criteria.filter((one) => one.level === level))
    .filter(({ id }) => open === null || open.has(id))
    .sort((a, b) => Number(b.id === first) - Number(a.id === first));
  return unsolved.find(({ id }) => (taken[id] ?? 0) < HINT_STEPS) ?? unsolved[0];
}

/**
 * Reads them from a report's JSON text; one that cannot be read counts as none. A criterion that lost points only since
 * others did has nothing to mend.
 */
export function findingsOf(report: string | null): Findings {
  const none: Findings = { open: null, first: null };
  if (report === null) return none;
  try {
    const { criteria, fixFirst } = JSON.parse(report) as Pick<Report, 'criteria' | 'fixFirst'>;
    const open = criteria.filter((one) => one.earned < one.points && !isHeldBack(one)).map(({ id }) => id);
    return { open: new Set(open), first: fixFirst?.criterion ?? null };
  } catch {
    return none;
  }
}
