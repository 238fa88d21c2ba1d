// The part of a long failure text that a reader needs first.

/** Some lines of a failure text. `difference` is the index, among them, of the first line that differs, or -1. */
export interface Excerpt {
  readonly lines: readonly string[];
  readonly difference: number;
  /** Lines left out. */
  readonly hidden: number;
}

// Vitest's legend of a comparison looks like a difference, but is none.
const LEGEND = /^\s*[-+] (Expected|Received)\b.*$/;
const RECEIVED_BELOW = /^\s*\+ Received:\s*$/;
const DIFFERENCE = /^\s{0,2}[-+] |^Received:/;

/** At most `most` lines: the beginning, and the place of the first difference if that comes later. */
export function excerptOf(message: string, most = 12): Excerpt {
  const all = message.trimEnd().split('\n');
  const first = firstDifference(all);
  if (all.length <= most) return { lines: all, difference: first, hidden: 0 };
  if (first < most - 2) return { lines: all.slice(0, most), difference: first, hidden: all.length - most };

  const head = all.slice(0, 2);
  const from = first - 3;
  const window = all.slice(from, from + most - head.length - 1);
  const lines = [...head, '…', ...window];
  return { lines, difference: head.length + 1 + 3, hidden: all.length - lines.length + 1 };
}

/** The first line that differs; where expected and received are shown whole, the first of what was received. */
function firstDifference(lines: readonly string[]): number {
  const differs = lines.findIndex((line) => DIFFERENCE.test(line) && !LEGEND.test(line));
  const received = lines.findIndex((line) => RECEIVED_BELOW.test(line));
  return received >= 0 && received + 1 < lines.length ? received + 1 : differs;
}
