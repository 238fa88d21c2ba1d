// Which level a pattern of scores speaks for. Not a sum: some things cannot be made up for by others.
import type { Level } from '../course/schema.ts';
import { SCORE_DIMENSIONS, type ScoreDimension } from './guide.ts';

export type SpokenLevel = Level | 'not-yet';
export type ScoreByDimension = Readonly<Record<ScoreDimension, number>>;

export interface LevelVerdict {
  readonly level: SpokenLevel;
  /** What the next level asks for and these scores do not show, in sentences. Empty at staff. */
  readonly missing: readonly string[];
}

interface Condition {
  says(scores: ScoreByDimension): string;
  holds(scores: ScoreByDimension): boolean;
}

const atLeast = (scores: ScoreByDimension, least: number): number =>
  SCORE_DIMENSIONS.filter((dimension) => scores[dimension] >= least).length;
const every = (scores: ScoreByDimension, dimensions: readonly ScoreDimension[], least: number): boolean =>
  dimensions.every((dimension) => scores[dimension] >= least);

/** What each level asks for, besides all that the level below asks for. */
const RULES: Readonly<Record<Level, readonly Condition[]>> = {
  mid: [
    {
      says: (scores) => `seven of nine dimensions at 2 or more (${atLeast(scores, 2)} are)`,
      holds: (scores) => atLeast(scores, 2) >= 7,
    },
    {
      says: () => 'architecture, API and data model, and communication at 2 or more',
      holds: (scores) => every(scores, ['architecture', 'api', 'communication'], 2),
    },
  ],
  senior: [
    {
      says: (scores) => `seven of nine dimensions at 3 or more (${atLeast(scores, 3)} are)`,
      holds: (scores) => atLeast(scores, 3) >= 7,
    },
    { says: () => 'no dimension at 1', holds: (scores) => atLeast(scores, 2) === 9 },
    {
      says: () => 'mobile depth and failure and correctness at 3 or more',
      holds: (scores) => every(scores, ['mobile', 'failure'], 3),
    },
  ],
  staff: [
    { says: () => 'every dimension at 3 or more', holds: (scores) => atLeast(scores, 3) === 9 },
    {
      says: (scores) => `four dimensions at 4 (${atLeast(scores, 4)} are)`,
      holds: (scores) => atLeast(scores, 4) >= 4,
    },
    {
      says: () => 'a 4 in mobile depth or in failure and correctness',
      holds: ({ mobile, failure }) => Math.max(mobile, failure) === 4,
    },
    {
      says: () => 'a 4 in scope, in trade-offs, or in quality and rollout',
      holds: ({ scope, quality, 'trade-offs': tradeOffs }) => Math.max(scope, tradeOffs, quality) === 4,
    },
  ],
};

const ORDER = ['mid', 'senior', 'staff'] as const;

/** The highest level whose conditions, and those of all levels below it, hold. */
export function judgeLevel(scores: ScoreByDimension): LevelVerdict {
  let level: SpokenLevel = 'not-yet';
  for (const next of ORDER) {
    const missing = RULES[next].filter((condition) => !condition.holds(scores)).map(({ says }) => says(scores));
    if (missing.length > 0) return { level, missing: missing.map((says) => `${capital(next)} asks for ${says}.`) };
    level = next;
  }
  return { level, missing: [] };
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
