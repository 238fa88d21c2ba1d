import { expect, test, vi } from 'vitest';
import { remembered } from './remembered.ts';

test('works on a text once', () => {
  const work = vi.fn((text: string) => text.length);
  const lengthOf = remembered(work);

  expect(['one', 'three', 'one', 'one'].map(lengthOf)).toEqual([3, 5, 3, 3]);
  expect(work).toHaveBeenCalledTimes(2);
});

test('throws what the work throws, each time', () => {
  const work = vi.fn((text: string) => new URL(text).href);
  const hrefOf = remembered(work);

  for (const _ of [1, 2]) expect(() => hrefOf('nowhere')).toThrow('Invalid URL');
  expect(work).toHaveBeenCalledTimes(2);
});

test('keeps neither long texts nor ever more of them', () => {
  const work = vi.fn((text: string) => text.length);
  const lengthOf = remembered(work);
  const long = 'x'.repeat(5_000);

  for (const _ of [1, 2]) lengthOf(long);
  const forLong = work.mock.calls.length;
  lengthOf('first');
  for (let n = 0; n < 1_000; n += 1) lengthOf(`text ${n}`);
  const before = work.mock.calls.length;
  lengthOf('first');

  expect(forLong).toBe(2);
  expect(work.mock.calls.length - before).toBe(1);
});
