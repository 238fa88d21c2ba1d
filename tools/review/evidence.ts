// What a grade has against a criterion, and the schedule or test that shows it.
import type { CriterionResult, Report } from '../grader/report.ts';
import type { Shown } from './round.ts';

const AGAINST = ['fail', 'error', 'timeout'];

export interface LostCriterion {
  readonly id: string;
  readonly title: string;
  /** The first evidence against it. */
  readonly because: string;
}

/** Criteria with evidence of their own against them; not those that others hold back. */
export function lostCriteria({ criteria }: Report): LostCriterion[] {
  return criteria.flatMap((criterion) => {
    const evidence = againstOf(criterion)[0];
    if (!evidence) return [];
    const { kind, id, detail } = evidence;
    return [
      { id: criterion.id, title: criterion.title, because: `${kind} ${id}${detail === '' ? '' : `: ${detail}`}` },
    ];
  });
}

/** Ids of criteria that everything speaks for. What was blocked speaks for nothing. */
export const heldCriteria = ({ criteria }: Report): string[] =>
  criteria.filter(({ evidence }) => evidence.every(({ status }) => status === 'pass')).map(({ id }) => id);

const againstOf = ({ evidence }: CriterionResult) => evidence.filter(({ status }) => AGAINST.includes(status));

/** What shows a criterion broken in this grade: a story before a test, as it tells more. */
export function shownOf(report: Report, criterion: string): Shown {
  const own = report.criteria.find(({ id }) => id === criterion);
  const ids = own ? againstOf(own).map(({ id }) => id) : [];
  const violation = report.simulation.violations.find(({ invariant }) => ids.includes(invariant));
  if (violation) return { kind: 'story', invariant: violation.invariant, story: violation.story };
  const test = report.tests.find(({ name, status }) => ids.includes(name) && AGAINST.includes(status));
  if (test) return { kind: 'test', name: test.name, message: test.message ?? '' };
  return { kind: 'none' };
}
