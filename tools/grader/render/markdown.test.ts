import { expect, test } from 'vitest';
import { renderMarkdown } from './markdown.ts';
import { hostileReport, notGradableReport, sampleReport } from './sample-report.ts';

const tableLines = (text: string) => text.split('\n').filter((line) => line.startsWith('|'));
const cells = (line: string) => line.split(/(?<!\\)\|/).length;

test('names every criterion', () => {
  const text = renderMarkdown(sampleReport);

  for (const { title } of sampleReport.criteria) expect(text).toContain(`| ${title} |`);
});

test('keeps a bar in a text inside its cell', () => {
  const widths = tableLines(renderMarkdown(hostileReport)).map(cells);

  expect(new Set(widths)).toEqual(new Set([cells('| | | | | |'), cells('| | | | | | |')]));
});

test('lets no text become markup', () => {
  const outside = renderMarkdown(hostileReport).replace(/^(`{3,})[\s\S]*?^\1$/gm, '');

  expect(outside).not.toContain('<script>');
  expect(outside).not.toMatch(/(?<!\\)`code/);
});

test('fences a text that has a fence in it with a longer one', () => {
  expect(renderMarkdown(hostileReport)).toContain('````text\n<script>');
});

test('has each story as a Mermaid diagram and its schedule as JSON', () => {
  const text = renderMarkdown(sampleReport);

  expect(text).toContain('```mermaid\nsequenceDiagram');
  expect(text).toContain('server-xapp1');
  expect(text).toMatch(/```json\n\{\n {2}"schemaVersion": 1/);
});

test('shows no score of an attempt that is not gradable', () => {
  const text = renderMarkdown(notGradableReport);

  expect(text).toContain('> attempt.ts does not compile');
  expect(text).not.toContain('of 100');
  expect(tableLines(text)).toEqual([]);
});
