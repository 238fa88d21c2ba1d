// Which katas train a dimension of the scorecard.
import type { Rubric } from '../course/schema.ts';
import type { Dimension } from './guide.ts';

const KATAS_MAX = 3;

/**
 * Slugs of the katas that train a dimension, best first: those with most points in what belongs to it. For what no
 * grade sees: the kata itself once more, then others of its family, then the rest.
 */
export function katasThatTrain(dimension: Dimension, slug: string, rubrics: readonly Rubric[]): string[] {
  return dimension.trains.length > 0 ? byPoints(dimension, rubrics) : byFamily(slug, rubrics);
}

function byPoints({ trains }: Dimension, rubrics: readonly Rubric[]): string[] {
  return rubrics
    .map(({ kata, criteria }) => ({
      kata,
      points: criteria.filter((one) => trains.includes(one.dimension)).reduce((sum, one) => sum + one.points, 0),
    }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points || (a.kata < b.kata ? -1 : 1))
    .slice(0, KATAS_MAX)
    .map(({ kata }) => kata);
}

function byFamily(slug: string, rubrics: readonly Rubric[]): string[] {
  const family = rubrics.find(({ kata }) => kata === slug)?.interview.family;
  const rank = ({ kata, interview }: Rubric): number => (kata === slug ? 0 : interview.family === family ? 1 : 2);
  return rubrics
    .toSorted((a, b) => rank(a) - rank(b) || (a.kata < b.kata ? -1 : 1))
    .slice(0, KATAS_MAX)
    .map(({ kata }) => kata);
}
