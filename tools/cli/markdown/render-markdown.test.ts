import { expect, test } from 'vitest';
import { columnsOf } from '../../terminal/look.ts';
import { renderMarkdown } from './render-markdown.ts';

const render = (markdown: string, width = 40) => renderMarkdown({ width, colour: false }, markdown);

test('underlines headings and wraps paragraphs', () => {
  expect(render('# Title\n\nA paragraph of more than forty columns, in two lines.\n\n### Third')).toBe(
    'Title\n═════\n\nA paragraph of more than forty columns,\nin two lines.\n\nThird',
  );
});

test('hangs the lines of an item under its first word', () => {
  expect(render('- one that is long enough to need two lines here\n- two\n  1. first\n  2. second')).toBe(
    '• one that is long enough to need two\n  lines here\n• two\n  1. first\n  2. second',
  );
});

test('keeps code as it is and marks it by its indent', () => {
  expect(render('```ts\nconst a = 1;\n\n  b();\n```')).toBe('    const a = 1;\n\n      b();');
});

test('keeps backticks where colour cannot mark code', () => {
  expect(render('Call `save` **now**, see [the RFC](https://x.y/z) and [R1](#r1).', 80)).toBe(
    'Call `save` now, see the RFC (https://x.y/z) and R1.',
  );
});

const TABLE =
  '| Endpoint | Answers |\n| --- | --- |\n| `PUT /note` | 200 each time, with the note as the server has it |';

test('fits a table into the width by wrapping its widest column', () => {
  expect(render(TABLE)).toBe(
    'Endpoint     Answers\n' +
      '───────────  ───────────────────────────\n' +
      '`PUT /note`  200 each time, with the\n' +
      '             note as the server has it',
  );
});

test('tells a table row by row where columns would be too narrow', () => {
  expect(render(TABLE, 22)).toBe(
    'Endpoint: `PUT\n  /note`\nAnswers: 200 each\n  time, with the note\n  as the server has it',
  );
});

test('puts bars before a quotation', () => {
  expect(render('> said\n> so')).toBe('│ said so');
});

test('has no line of prose or table wider than the look, in colour either', () => {
  const markdown = `# Some heading that goes on\n\n${TABLE}\n\n- \`code\` and **bold** words, *many* of them, to be wrapped\n`;
  const lines = renderMarkdown({ width: 30, colour: true }, markdown).split('\n');

  expect(lines.filter((line) => columnsOf(line) > 30)).toEqual([]);
});
