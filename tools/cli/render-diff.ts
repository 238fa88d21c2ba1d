// Two versions of a file as a unified diff, and why the one is as it is.
import { FILE_HEADERS_ONLY, formatPatch, type StructuredPatchHunk, structuredPatch } from 'diff';
import wrapAnsi from 'wrap-ansi';
import { type Style, wrap } from '../terminal/look.ts';
import type { Output } from './output.ts';

/** One side of a comparison: what it is called, and its text. */
export interface Side {
  readonly name: string;
  readonly text: string;
}

/** Lines that differ, as the side that is explained counts them. */
export interface ChangedLines {
  readonly from: number;
  readonly to: number;
}

export interface DiffReasons {
  /** Whose lines are explained. */
  readonly side: 'before' | 'after';
  /** The reasons for some lines, each given once. */
  of(lines: readonly ChangedLines[]): readonly string[];
}

/**
 * A unified diff. On a terminal it is coloured, wrapped and harmless, with reasons below each hunk; elsewhere it is
 * exact, for `patch` and `less`, and the reasons follow it.
 */
export function renderDiff(output: Output, before: Side, after: Side, reasons?: DiffReasons): string | null {
  const [old = '', fresh = ''] = [before.text, after.text].map((text) => text.replaceAll('\r\n', '\n'));
  if (old === fresh) return null;
  const patch = structuredPatch(before.name, after.name, old, fresh, '', '', { context: 3 });
  const whys = patch.hunks.map((hunk) => (reasons ? reasons.of(changedIn(hunk, reasons.side)) : []));
  const text = formatPatch(patch, FILE_HEADERS_ONLY).trimEnd();
  if (!output.isTerminal) return [text, ...plainReasons(patch.hunks, whys)].join('\n');
  const [name = '', other = '', ...lines] = text.split('\n');
  const head = [name, other].map((line) => renderLine(output, line, true));
  let at = 0;
  const body = patch.hunks.flatMap((hunk, n) => {
    const own = lines.slice(at, at + hunk.lines.length + 1);
    at += own.length;
    return [
      ...own.map((line) => renderLine(output, line, false)),
      ...(whys[n] ?? []).map((why) => renderReason(output, why)),
    ];
  });
  return [...head, ...body].join('\n');
}

/** Which lines of one side a hunk changes; where that side only lacks something, the lines around the gap. */
function changedIn({ oldStart, newStart, lines }: StructuredPatchHunk, side: DiffReasons['side']): ChangedLines[] {
  const [own, start] = side === 'after' ? ['+', newStart] : ['-', oldStart];
  const changed: ChangedLines[] = [];
  let line = start;
  for (const each of lines) {
    const sign = each.charAt(0);
    if (sign === own) changed.push({ from: line, to: line });
    else if (sign === '+' || sign === '-') changed.push({ from: Math.max(1, line - 1), to: line });
    if (sign === own || sign === ' ') line += 1;
  }
  return changed;
}

function plainReasons(hunks: readonly StructuredPatchHunk[], whys: readonly (readonly string[])[]): string[] {
  if (whys.every((why) => why.length === 0)) return [];
  const parts = hunks.flatMap((hunk, n) =>
    (whys[n] ?? []).map((why) => `# at -${hunk.oldStart} +${hunk.newStart}: ${why}`),
  );
  return ['', '# Why the reference is so:', ...parts];
}

function renderReason(output: Output, why: string): string {
  const look = { ...output.look, width: output.look.width - 2 };
  return wrap(look, `why: ${why}`)
    .split('\n')
    .map((line) => output.paint('yellow', `| ${line}`))
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
