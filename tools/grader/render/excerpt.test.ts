import { expect, test } from 'vitest';
import { excerptOf } from './excerpt.ts';

const context = (count: number) => Array.from({ length: count }, (_, n) => `  line ${n}`);

test('shows a short text whole, and points at what was received', () => {
  const { lines, difference, hidden } = excerptOf('expected 1 to be 2\n\nExpected: 2\nReceived: 1');

  expect([lines.length, lines[difference], hidden]).toEqual([4, 'Received: 1', 0]);
});

test('does not take the legend of a comparison for a difference', () => {
  const { lines, difference } = excerptOf('differs\n- Expected\n+ Received\n  same\n- old\n+ new');

  expect(lines[difference]).toBe('- old');
});

test('points at what was received where both are shown whole', () => {
  const { lines, difference } = excerptOf('no match\n\n- Expected:\n/x/\n\n+ Received:\n"abc"');

  expect(lines[difference]).toBe('"abc"');
});

test('shows the beginning and the place of a difference that comes late', () => {
  const all = ['differs', '', ...context(30), '- old', '+ new', ...context(30)];

  const { lines, difference, hidden } = excerptOf(all.join('\n'));

  expect(lines).toHaveLength(12);
  expect([lines[0], lines[difference], lines[difference + 1]]).toEqual(['differs', '- old', '+ new']);
  expect(hidden).toBe(all.length - 11);
});

test('shows the beginning of a long text without any difference', () => {
  const { lines, difference, hidden } = excerptOf(context(20).join('\n'));

  expect([lines.length, difference, hidden]).toEqual([12, -1, 8]);
});
