// Which hint comes next.
import { type Criterion, LEVELS } from '../course/schema.ts';
import { isHeldBack } from '../grader/render/digest.ts';
import type { Report } from '../grader/report.ts';

/** Hints a criterion has, from nudge to near-answer. */
export const HINT_STEPS = 3;

export interface HintState {
  /** Criteria that the last grade leaves to mend, by id, the one to fix first before all others; null when nothing was graded yet. */
  readonly open: readonly string[] | null;
  /** Hints taken so far, by criterion. */
  readonly taken: Readonly<Record<string, number>>;
}

/**
 * The criterion whose hint comes next: the one to fix first, then other unsolved ones, level by level; the first that
 * still has a hint to give. When all were given, the first of them again. Undefined when nothing is unsolved.
 */
export function chooseCriterion(criteria: readonly Criterion[], { open, taken }: HintState): Criterion | undefined {
  const byLevel = LEVELS.flatMap((level) => criteria.filter((one) => one.level === level));
  const unsolved = byLevel.filter(({ id }) => open === null || open.includes(id));
  const first = unsolved.filter(({ id }) => id === open?.[0]);
  const inOrder = [...first, ...unsolved.filter((one) => !first.includes(one))];
  return inOrder.find(({ id }) => (taken[id] ?? 0) < HINT_STEPS) ?? inOrder[0];
}

/**
 * Ids of the criteria with something to mend, from a report's JSON text, the one to fix first at the front; null when it
 * cannot be read. One that lost points only since others did is none of them.
 */
export function openCriteria(report: string | null): readonly string[] | null {
  if (report === null) return null;
  try {
    const { criteria, fixFirst } = JSON.parse(report) as Pick<Report, 'criteria' | 'fixFirst'>;
    const open = criteria.filter((one) => one.earned < one.points && !isHeldBack(one)).map(({ id }) => id);
    return fixFirst ? [fixFirst.criterion, ...open.filter((id) => id !== fixFirst.criterion)] : open;
  } catch {
    return null;
  }
}
