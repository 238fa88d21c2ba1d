// Markdown out of texts that may hold anything: nothing in them becomes markup, a link or a table cell.
import { oneLine } from './plain-text.ts';

/** A text on one line, with all that Markdown, a table or HTML would read as markup made harmless. */
export const inline = (text: string): string =>
  oneLine(text)
    .replace(/[\\`*_[\]|~#]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');

/** A text as it is, in a fence that is longer than any fence within it. */
export function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`;
}

/** A table of cells that are Markdown already. `right` lists the columns of numbers. */
export function table(
  names: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = names.map((_, n) => (right.includes(n) ? '---:' : '---'));
  return [line(names), line(rule), ...rows.map(line)].join('\n');
}
