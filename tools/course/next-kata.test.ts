import { expect, test } from 'vitest';
import type { KataState } from './kata-state.ts';
import { nextKata } from './next-kata.ts';

const KATAS = [
  { slug: 'queue', tier: 'pattern', buildsOn: [] },
  { slug: 'paging', tier: 'pattern', buildsOn: ['queue'] },
  { slug: 'clock', tier: 'pattern', buildsOn: [] },
  { slug: 'chat', tier: 'feature', buildsOn: ['queue'] },
] as const;

const next = (states: Readonly<Record<string, KataState>>) => {
  const found = nextKata(KATAS, (slug) => states[slug] ?? 'never-tried');
  return found && [found.kata.slug, found.why];
};

test('begins with a pattern that builds on nothing', () => {
  expect(next({})).toEqual(['queue', 'ready']);
});

test('leaves out what builds on something unsolved', () => {
  expect(next({ queue: 'in-progress' })).toEqual(['queue', 'unfinished']);
  expect(nextKata(KATAS.slice(1), (slug) => (slug === 'queue' ? 'in-progress' : 'never-tried'))?.kata.slug).toBe(
    'clock',
  );
});

test('goes on with an unfinished attempt before a broken one, and that before a new kata', () => {
  expect(next({ queue: 'broken-since', clock: 'in-progress' })).toEqual(['clock', 'unfinished']);
  expect(next({ queue: 'broken-since', clock: 'solved' })).toEqual(['queue', 'broken-since']);
});

test('takes every pattern that is ready before a feature', () => {
  expect(next({ queue: 'solved', paging: 'solved' })).toEqual(['clock', 'ready']);
  expect(next({ queue: 'stale', paging: 'solved', clock: 'solved' })).toEqual(['chat', 'ready']);
});

test('offers a kata out of order when none is ready', () => {
  expect(nextKata(KATAS.slice(1, 2), () => 'never-tried')).toMatchObject({ why: 'out-of-order' });
});

test('asks for another grade of what is stale once all else is solved, then for nothing', () => {
  const solved = { queue: 'solved', paging: 'solved', clock: 'solved', chat: 'solved' } as const;

  expect(next({ ...solved, clock: 'stale' })).toEqual(['clock', 'stale']);
  expect(next(solved)).toBeUndefined();
});
