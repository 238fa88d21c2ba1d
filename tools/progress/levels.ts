// Which level each dimension speaks for, over the best grade of each kata.
import { z } from 'zod';
import { DIMENSIONS, type Dimension, LEVELS, type Level } from '../course/schema.ts';

const report = z.object({
  criteria: z.array(
    z.object({ dimension: z.enum(DIMENSIONS), level: z.enum(LEVELS), points: z.number(), earned: z.number() }),
  ),
});

export interface DimensionProgress {
  readonly dimension: Dimension;
  /** The highest level of which, with all below it, the share asked for was earned; null when not even mid was. */
  readonly level: Level | null;
  readonly levels: readonly { readonly level: Level; readonly earned: number; readonly points: number }[];
}

/** Sums points over reports (JSON text). Reports that cannot be read count for nothing; dimensions never graded are left out. */
export function levelsOf(reports: readonly string[], share: number): DimensionProgress[] {
  const criteria = reports.flatMap((text) => readCriteria(text));
  return DIMENSIONS.flatMap((dimension) => {
    const own = criteria.filter((criterion) => criterion.dimension === dimension);
    if (own.length === 0) return [];
    const levels = LEVELS.flatMap((level) => {
      const ofLevel = own.filter((criterion) => criterion.level === level);
      const sum = (of: 'earned' | 'points') => ofLevel.reduce((all, each) => all + each[of], 0);
      return ofLevel.length === 0
        ? []
        : [{ level, earned: Math.round(sum('earned') * 10) / 10, points: sum('points') }];
    });
    const missed = levels.findIndex(({ earned, points }) => earned < points * share);
    const reached = missed < 0 ? levels.at(-1) : levels[missed - 1];
    return [{ dimension, level: reached?.level ?? null, levels }];
  });
}

function readCriteria(text: string) {
  try {
    return report.parse(JSON.parse(text)).criteria;
  } catch {
    return [];
  }
}
