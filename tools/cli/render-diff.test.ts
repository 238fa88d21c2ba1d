import { expect, test } from 'vitest';
import { columnsOf } from '../terminal/look.ts';
import type { Output } from './output.ts';
import { renderDiff } from './render-diff.ts';

const output = (isTerminal: boolean): Output => ({
  look: { width: 40, colour: false },
  isTerminal,
  isInteractive: false,
  print: () => {},
  warn: () => {},
  paint: (_, text) => text,
});
const before = { name: 'a.ts', text: `same\r\nconst old = '${'x'.repeat(60)}';\r\n` };
const after = { name: 'b.ts', text: 'same\nconst fresh = 1;\n' };

test('is exact where it is piped', () => {
  expect(renderDiff(output(false), before, after)).toBe(
    `--- a.ts\n+++ b.ts\n@@ -1,2 +1,2 @@\n same\n-const old = '${'x'.repeat(60)}';\n+const fresh = 1;`,
  );
});

test('goes on under the same sign where a line is too wide for the terminal', () => {
  const lines = (renderDiff(output(true), before, after) ?? '').split('\n');

  expect(lines.filter((line) => columnsOf(line) > 40)).toEqual([]);
  expect(lines.filter((line) => line.startsWith('-') && !line.startsWith('---'))).toHaveLength(2);
});

test('lets no control character reach the terminal', () => {
  const text = renderDiff(output(true), { name: 'a', text: '\u001b[2J\u009b\u0007\tx\n' }, after) ?? '';

  expect(text).toContain('-␛[2J');
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});

test('gives nothing for equal texts', () => {
  expect(renderDiff(output(true), after, { ...after, text: 'same\r\nconst fresh = 1;\r\n' })).toBeNull();
});
