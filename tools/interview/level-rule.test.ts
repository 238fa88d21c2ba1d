import { expect, test } from 'vitest';
import { SCORE_DIMENSIONS, type ScoreDimension } from './guide.ts';
import { judgeLevel, type ScoreByDimension } from './level-rule.ts';

const all = (score: number, changes: Partial<Record<ScoreDimension, number>> = {}): ScoreByDimension => ({
  ...(Object.fromEntries(SCORE_DIMENSIONS.map((id) => [id, score])) as Record<ScoreDimension, number>),
  ...changes,
});

test.each<[string, ScoreByDimension, string]>([
  ['all below', all(1), 'not-yet'],
  ['all partial', all(2), 'mid'],
  ['two left out, not of the core', all(2, { security: 1, quality: 1 }), 'mid'],
  ['three left out', all(2, { security: 1, quality: 1, scope: 1 }), 'not-yet'],
  ['silence, whatever else was good', all(3, { communication: 1 }), 'not-yet'],
  ['all met', all(3), 'senior'],
  ['two partial, not of the hard part', all(3, { security: 2, scope: 2 }), 'senior'],
  ['the same sum, failure partial', all(3, { failure: 2, scope: 4, api: 2 }), 'mid'],
  ['a high sum with one below', all(4, { security: 1 }), 'mid'],
  ['four exceeded, depth and decisions among them', all(3, { failure: 4, quality: 4, api: 4, scope: 4 }), 'staff'],
  ['four exceeded, none of depth', all(3, { quality: 4, api: 4, scope: 4, security: 4 }), 'senior'],
  [
    'four exceeded, none of scope, decisions or rollout',
    all(3, { mobile: 4, failure: 4, api: 4, security: 4 }),
    'senior',
  ],
  ['all exceeded', all(4), 'staff'],
])('speaks for the right level: %s', (_, scores, level) => {
  expect(judgeLevel(scores).level).toBe(level);
});

test('says what the next level asks for', () => {
  expect(judgeLevel(all(3, { failure: 2, api: 2, scope: 2 })).missing).toEqual([
    'Senior asks for seven of nine dimensions at 3 or more (6 are).',
    'Senior asks for mobile depth and failure and correctness at 3 or more.',
  ]);
  expect(judgeLevel(all(4)).missing).toEqual([]);
});
