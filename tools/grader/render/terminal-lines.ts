// Small pieces of terminal output that several parts of a report share.
import { columnsOf, type Look, padTo, paint, type Style, wrap } from '../../terminal/look.ts';
import { oneLine } from './plain-text.ts';

/** A text on one line, cut to a number of columns. */
export function clip(text: string, columns: number): string {
  const flat = oneLine(text);
  if (columnsOf(flat) <= columns) return flat;
  let kept = '';
  for (const character of flat) {
    if (columnsOf(kept + character) > columns - 1) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}

/** Pads a text with blanks on its left. */
export const padStart = (text: string, columns: number): string =>
  ' '.repeat(Math.max(0, columns - columnsOf(text))) + text;

/** A section's heading, with an empty line before it. */
export const heading = (look: Look, text: string): string[] => ['', paint(look, 'bold', text)];

/** A wrapped paragraph as lines. A style colours each line by itself, so that no code runs over a break. */
export function paragraph(
  look: Look,
  text: string,
  { indent = 2, hang = indent, style }: { indent?: number; hang?: number; style?: Style } = {},
): string[] {
  const lines = wrap(look, text, { indent, hang }).split('\n');
  return style === undefined ? lines : lines.map((line) => paint(look, style, line));
}

/** Text that is laid out already, such as code: long lines are broken under their own indent, none is joined. */
export function verbatim(look: Look, text: string, indent: number): string[] {
  return text.split('\n').flatMap((line) => {
    const own = line.length - line.trimStart().length;
    const under = Math.min(indent + own, Math.floor(look.width / 2));
    return wrap(look, line.trim(), { indent: under, hang: under }).split('\n');
  });
}

/** Lines of a list: a mark, then a text that hangs under its own beginning. */
export function item(
  look: Look,
  mark: string,
  text: string,
  { indent = 2, style }: { indent?: number; style?: Style } = {},
): string[] {
  const [first = '', ...rest] = wrap(look, text, { indent: indent + columnsOf(mark) + 1 }).split('\n');
  const lead = ' '.repeat(indent) + mark;
  return [padTo(lead, indent + columnsOf(mark) + 1) + first.trimStart(), ...rest].map((line) =>
    style === undefined ? line : paint(look, style, line),
  );
}
