// How text may look where it is shown: its width, and whether it may have colour.
import { createRequire } from 'node:module';
import { styleText } from 'node:util';
import type StringWidth from 'string-width';
import type WrapAnsi from 'wrap-ansi';

/** The two cost more time to load than most commands need; plain text does without them. */
const require = createRequire(import.meta.url);
const loadStringWidth = () => (require('string-width') as { default: typeof StringWidth }).default;
const loadWrapAnsi = () => (require('wrap-ansi') as { default: typeof WrapAnsi }).default;

/** Text each character of which is known to take one column. */
const ONE_COLUMN = /^[ -~\u00a0-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u2193\u2500-\u257f✓✗]*$/;

export interface Look {
  /** Columns, 20 to 120. 80 where there is no terminal. */
  readonly width: number;
  readonly colour: boolean;
}

export type Style = Parameters<typeof styleText>[0];

/** The look of a stream: plain where there is no terminal; `NO_COLOR` and `FORCE_COLOR` as everywhere. */
export function lookOf(stream: { isTTY?: boolean; columns?: number }, env: NodeJS.ProcessEnv = process.env): Look {
  const columns = stream.columns ?? (Number(env.COLUMNS) || 80);
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0';
  const colour = env.NO_COLOR ? false : forced || (stream.isTTY === true && env.TERM !== 'dumb');
  return { width: Math.max(20, Math.min(120, columns)), colour };
}

/** Colours a text, where the look allows it. Never the only sign of a state. */
export function paint(look: Look, style: Style, text: string): string {
  return look.colour ? styleText(style, text, { validateStream: false }) : text;
}

/** Breaks a text at words to the look's width. Lines after the first are indented by `hang` columns. */
export function wrap(
  look: Look,
  text: string,
  { indent = 0, hang = indent }: { indent?: number; hang?: number } = {},
): string {
  const room = Math.max(10, look.width - Math.max(indent, hang));
  return text
    .split('\n')
    .flatMap((line) => (ONE_COLUMN.test(line) && line.length <= room ? [line.trim()] : foldLine(line, room)))
    .map((line, n) => (line === '' ? '' : ' '.repeat(n === 0 ? indent : hang) + line))
    .join('\n');
}

const foldLine = (line: string, room: number): string[] =>
  loadWrapAnsi()(line, room, { hard: true, trim: true }).split('\n');

/** Pads a text with blanks to a number of columns, as it is shown. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

/** Columns a text takes on a terminal, without its colour codes. */
export const columnsOf = (text: string): number => (ONE_COLUMN.test(text) ? text.length : loadStringWidth()(text));

/** Marks of state, readable without colour. */
export const MARK = { pass: '✓', fail: '✗', warn: '!', none: '·', arrow: '→' } as const;
