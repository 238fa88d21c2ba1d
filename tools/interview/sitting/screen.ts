// The part of a terminal that is drawn anew whenever something has changed.
import { type Look, lookOf } from '../../terminal/look.ts';

export interface Screen {
  /** As wide as the terminal is now. */
  readonly look: Look;
  /** Lines there are. */
  readonly rows: number;
  /** Shows these lines in place of what was shown. */
  show(lines: readonly string[]): void;
  /** Leaves what is shown behind, for whatever comes next. */
  leave(): void;
}

const HOME = '\u001b[H';
const CLEAR_ALL = '\u001b[2J';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** A real terminal. Lines are overwritten, not cleared first, so that nothing flickers. */
export function createScreen(stdout: NodeJS.WriteStream = process.stdout): Screen {
  let shown: string | null = null;
  let shownAt = '';
  return {
    get look() {
      return lookOf(stdout);
    },
    get rows() {
      return stdout.rows ?? 24;
    },
    show(lines) {
      const text = lines.map((line) => `${line}${CLEAR_LINE}`).join('\n');
      const size = `${stdout.columns}×${stdout.rows}`;
      // A terminal of another size has broken the old lines anew.
      const isClean = shown !== null && size === shownAt;
      if (isClean && text === shown) return;
      stdout.write(`${isClean ? '' : CLEAR_ALL}${HOME}${text}${CLEAR_BELOW}`);
      [shown, shownAt] = [text, size];
    },
    leave() {
      if (shown !== null) stdout.write(`${CLEAR_ALL}${HOME}`);
      shown = null;
    },
  };
}
