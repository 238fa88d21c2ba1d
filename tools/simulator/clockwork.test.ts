import { expect, test } from 'vitest';
import { Clockwork } from './clockwork.ts';

const never = () => false;

test('runs events in order of time, with the clock at each', async () => {
  const clockwork = new Clockwork();
  const seen: [string, number][] = [];
  clockwork.after(20, () => seen.push(['late', clockwork.nowMs]));
  clockwork.after(10, () => seen.push(['first', clockwork.nowMs]));
  clockwork.after(10, () => seen.push(['second', clockwork.nowMs]));

  await clockwork.runUntil(100, never);

  expect(seen).toEqual([
    ['first', 10],
    ['second', 10],
    ['late', 20],
  ]);
});

test('keeps an event beyond the horizon for the next run', async () => {
  const clockwork = new Clockwork();
  const seen: number[] = [];
  clockwork.after(50, () => seen.push(clockwork.nowMs));

  await clockwork.runUntil(49.9, never);
  const before = { seen: [...seen], nowMs: clockwork.nowMs, nextAtMs: clockwork.nextAtMs() };
  await clockwork.runUntil(50, never);

  expect(before).toEqual({ seen: [], nowMs: 49.9, nextAtMs: 50 });
  expect(seen).toEqual([50]);
});

test('runs what an event plans, and lets promises settle before the next event', async () => {
  const clockwork = new Clockwork();
  const seen: string[] = [];
  clockwork.after(10, () => {
    void Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => seen.push('promise'));
    clockwork.after(0, () => seen.push('planned by the first'));
  });
  clockwork.after(10, () => seen.push('second'));

  await clockwork.runUntil(10, never);

  expect(seen).toEqual(['promise', 'second', 'planned by the first']);
});

test('neither runs nor counts an event that was called off in the meantime', async () => {
  const clockwork = new Clockwork();
  const seen: string[] = [];
  let isWanted = true;
  clockwork.after(10, () => {
    isWanted = false;
  });
  clockwork.after(
    20,
    () => seen.push('called off'),
    () => isWanted,
  );

  await clockwork.runUntil(100, never);

  expect(seen).toEqual([]);
  expect(clockwork.eventCount).toBe(1);
});

test('stops as soon as it is told to, with the rest still planned', async () => {
  const clockwork = new Clockwork();
  for (const atMs of [1, 2, 3]) clockwork.after(atMs, () => undefined);

  await clockwork.runUntil(100, () => clockwork.eventCount === 2);

  expect([clockwork.nowMs, clockwork.nextAtMs()]).toEqual([2, 3]);
});

test('stands at its last event when the horizon is infinite', async () => {
  const clockwork = new Clockwork();
  clockwork.after(7, () => undefined);

  await clockwork.runUntil(Number.POSITIVE_INFINITY, never);

  expect([clockwork.nowMs, clockwork.nextAtMs()]).toEqual([7, null]);
});
