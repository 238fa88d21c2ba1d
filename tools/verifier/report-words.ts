// A report in one line, for findings.
import type { Report } from '../grader/report.ts';

/** What a report lost, with the first piece of evidence for each. */
export function lostWords({ criteria }: Report): string {
  const lost = criteria
    .filter(({ earned, points }) => earned < points)
    .map(({ id, earned, points, evidence }) => {
      const bad = evidence.find(({ status }) => status !== 'pass');
      return `${id} (${earned} of ${points}; ${bad ? `${bad.id}: ${bad.detail}` : 'held back by the rest'})`;
    });
  return lost.length === 0 ? '' : `Lost: ${lost.join('; ')}`;
}

/** What a report earned. */
export const earnedWords = ({ criteria }: Report): string =>
  criteria
    .filter(({ earned }) => earned > 0)
    .map(({ id, earned, points }) => `${id} ${earned} of ${points}`)
    .join(', ');
