import { expect, test } from 'vitest';
import { chooseInterview } from './choose-kata.ts';
import type { Scorecard } from './scorecard.ts';
import { renderTrend, trendOf } from './trend.ts';

const card = (slug: string, at: string, level: Scorecard['level'], api: number): Scorecard => ({
  schemaVersion: 1,
  id: `${at}-${slug}`,
  kata: { slug, title: slug, version: 1 },
  mode: 'alone',
  minutes: 45,
  seed: 1,
  startedAt: `${at}T09:00:00.000Z`,
  finishedAt: `${at}T10:00:00.000Z`,
  phases: [],
  asked: [],
  notAsked: [],
  curveballs: [],
  grade: null,
  judgedBy: 'candidate',
  scores: [{ dimension: 'api', title: 'API and data model', score: api, evidence: 'e', suggested: null }],
  ownScores: null,
  pattern: String(api),
  level,
  missing: [],
  workOn: [],
});
const at = (day: string) => Date.parse(`${day}T12:00:00.000Z`);

test('tells of each dimension where it goes', () => {
  const cards = [card('queue', '2026-03-02', 'mid', 2), card('queue', '2026-03-09', 'senior', 3)];

  const text = renderTrend({ width: 60, colour: false }, trendOf(cards));

  expect(text).toContain('2026-03-09  queue: senior');
  expect(text).toContain('API and data model  2 3  ↑ up');
});

test('keeps to 40 columns', () => {
  const text = renderTrend({ width: 40, colour: false }, trendOf([card('escalation-routing', '2026-03-02', 'mid', 2)]));

  expect(text.split('\n').filter((line) => line.length > 40)).toEqual([]);
});

test('says how to begin while there is nothing', () => {
  expect(renderTrend({ width: 80, colour: false }, trendOf([]))).toContain('Begin one: npx kata interview');
});

test('chooses what is due longest, then what is new, then any', () => {
  const mid = card('queue', '2026-03-02', 'mid', 2);
  const senior = card('paging', '2026-03-02', 'senior', 3);
  const slugs = ['queue', 'paging', 'tokens'];

  expect(chooseInterview(slugs, [mid, senior], 1, at('2026-03-10'))).toEqual({ slug: 'queue', why: 'due' });
  expect(chooseInterview(slugs, [mid, senior], 1, at('2026-03-05'))).toEqual({ slug: 'tokens', why: 'new' });
  expect(chooseInterview(['queue', 'paging'], [mid, senior], 1, at('2026-03-05'))?.why).toBe('random');
  expect(chooseInterview([], [], 1, at('2026-03-05'))).toBeUndefined();
});

test('counts from the last interview of a kata', () => {
  const cards = [card('queue', '2026-03-09', 'mid', 2), card('queue', '2026-01-01', 'mid', 2)];

  expect(chooseInterview(['queue'], cards, 1, at('2026-03-10'))?.why).toBe('random');
});

test('draws the same kata for the same seed', () => {
  const slugs = ['a', 'b', 'c', 'd'];
  const drawn = Array.from({ length: 50 }, (_, seed) => chooseInterview(slugs, [], seed, 0)?.slug);

  expect(chooseInterview(slugs, [], 7, 0)?.slug).toBe(drawn[7]);
  expect(new Set(drawn)).toEqual(new Set(slugs));
});
