import { expect, test } from 'vitest';
import { editDistance, nearestSlug } from './slug.ts';

const KNOWN = ['offline-queue', 'cursor-paging', 'token-refresh', 'chat'];

test.each([
  ['ofline-queue', 'offline-queue'],
  ['offline_queue', 'offline-queue'],
  ['Offline Queue', 'offline-queue'],
  ['offlien-queue', 'offline-queue'],
  ['tok', 'token-refresh'],
  ['caht', 'chat'],
])('takes %s for %s', (typed, meant) => {
  expect(nearestSlug(typed, KNOWN)).toBe(meant);
});

test('names none when nothing is near', () => {
  expect(nearestSlug('war-room', KNOWN)).toBeUndefined();
});

test('counts a swap of neighbours as one edit', () => {
  expect([editDistance('abcd', 'abdc'), editDistance('abc', ''), editDistance('kitten', 'sitting')]).toEqual([1, 3, 3]);
});
