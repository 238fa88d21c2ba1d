// Two versions of a file as a unified diff.
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import wrapAnsi from 'wrap-ansi';
import type { Style } from '../terminal/look.ts';
import type { Output } from './output.ts';

/** One side of a comparison: what it is called, and its text. */
export interface Side {
  readonly name: string;
  readonly text: string;
}

/** A unified diff. On a terminal it is coloured, wrapped and harmless; elsewhere it is exact, for `patch` and `less`. */
export function renderDiff(output: Output, before: Side, after: Side): string | null {
  const [old, fresh] = [before.text, after.text].map((text) => text.replaceAll('\r\n', '\n'));
  if (old === fresh) return null;
  const patch = createTwoFilesPatch(before.name, after.name, old ?? '', fresh ?? '', '', '', {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  }).trimEnd();
  if (!output.isTerminal) return patch;
  return patch
    .split('\n')
    .map((line, at) => renderLine(output, line, at < 2))
    .join('\n');
}

/** Lines too long go on below, under the same sign. */
function renderLine(output: Output, line: string, isHead: boolean): string {
  const sign = isHead || line.startsWith('@@') ? '' : line.slice(0, 1);
  const parts = wrapAnsi(harmless(line.slice(sign.length)), Math.max(10, output.look.width - 1), {
    hard: true,
    trim: false,
    wordWrap: false,
  }).split('\n');
  return parts.map((part) => output.paint(styleOf(line, isHead), sign + part)).join('\n');
}

function styleOf(line: string, isHead: boolean): Style {
  if (isHead) return 'bold';
  if (line.startsWith('@@')) return 'cyan';
  if (line.startsWith('+')) return 'green';
  return line.startsWith('-') ? 'red' : 'reset';
}

/** Tabs as blanks; other control characters as pictures of themselves, so that no text moves the cursor. */
function harmless(text: string): string {
  return text
    .replaceAll('\t', '  ')
    .replaceAll(/\p{Cc}/gu, (character) => String.fromCodePoint(0x2400 + Math.min(0x21, character.charCodeAt(0))));
}
