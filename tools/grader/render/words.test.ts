import { expect, test } from 'vitest';
import { clock, counted, span } from './words.ts';

test('tells virtual time to the millisecond, in the units it needs', () => {
  expect([0, 120, 59_999, 65_300, 10_805_300].map(clock)).toEqual([
    '0.000 s',
    '0.120 s',
    '59.999 s',
    '1:05.300',
    '3:00:05.300',
  ]);
});

test('tells a span in its largest fitting unit', () => {
  expect([840, 9120, 240_000, 93_600_000].map(span)).toEqual(['840 ms', '9.1 s', '4 min', '26 h']);
});

test('counts one thing in the singular', () => {
  expect([counted(1, 'test'), counted(1200, 'test')]).toEqual(['1 test', '1,200 tests']);
});
