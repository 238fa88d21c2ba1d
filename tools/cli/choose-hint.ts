// Which hint comes next.
import { type Criterion, LEVELS } from '../course/schema.ts';

/** Hints a criterion has, from nudge to near-answer. */
export const HINT_STEPS = 3;

export interface HintState {
  /** Criteria that lost points in the last grade, by id; null when nothing was graded yet. */
  readonly open: ReadonlySet<string> | null;
  /** Hints taken so far, by criterion. */
  readonly taken: Readonly<Record<string, number>>;
}

/**
 * The criterion whose hint comes next: unsolved ones, level by level; the first that still has a hint to give.
 * When all were given, the first of them again. Undefined when nothing is unsolved.
 */
export function chooseCriterion(criteria: readonly Criterion[], { open, taken }: HintState): Criterion | undefined {
  const unsolved = LEVELS.flatMap((level) => criteria.filter((one) => one.level === level)).filter(
    ({ id }) => open === null || open.has(id),
  );
  return unsolved.find(({ id }) => (taken[id] ?? 0) < HINT_STEPS) ?? unsolved[0];
}

/** Ids of the criteria that lost points, from a report's JSON text; null when it cannot be read. */
export function openCriteria(report: string | null): ReadonlySet<string> | null {
  if (report === null) return null;
  try {
    const { criteria }: { criteria?: unknown } = JSON.parse(report);
    if (!Array.isArray(criteria)) return null;
    return new Set(criteria.filter(({ earned, points }) => earned < points).map(({ id }) => String(id)));
  } catch {
    return null;
  }
}
