// Which kata an interview is about when none was named.
import { draw } from './draw.ts';
import type { Scorecard } from './scorecard.ts';

const DAY_MS = 86_400_000;
/** An interview comes again after a week if it did not yet speak for senior, else after a month. */
const DUE_AFTER_DAYS = { short: 7, long: 30 } as const;

export interface ChosenKata {
  readonly slug: string;
  readonly why: 'due' | 'new' | 'random';
}

/**
 * The kata whose interview is due longest; else, drawn by the seed, one without an interview so far; else any.
 * Undefined when there is no kata.
 */
export function chooseInterview(
  slugs: readonly string[],
  results: readonly Scorecard[],
  seed: number,
  nowMs: number,
): ChosenKata | undefined {
  const last = new Map(
    results.toSorted((a, b) => a.finishedAt.localeCompare(b.finishedAt)).map((one) => [one.kata.slug, one]),
  );
  const due = slugs
    .flatMap((slug) => {
      const result = last.get(slug);
      return result === undefined ? [] : [{ slug, overdueMs: nowMs - dueAtMs(result) }];
    })
    .filter(({ overdueMs }) => overdueMs >= 0)
    .sort((a, b) => b.overdueMs - a.overdueMs)[0];
  if (due !== undefined) return { slug: due.slug, why: 'due' };
  const fresh = slugs.filter((slug) => !last.has(slug));
  const from = fresh.length > 0 ? fresh : slugs;
  const slug = from[Math.floor(draw(seed, 'kata') * from.length)];
  return slug === undefined ? undefined : { slug, why: fresh.length > 0 ? 'new' : 'random' };
}

function dueAtMs({ level, finishedAt }: Scorecard): number {
  const days = level === 'senior' || level === 'staff' ? DUE_AFTER_DAYS.long : DUE_AFTER_DAYS.short;
  return Date.parse(finishedAt) + days * DAY_MS;
}
