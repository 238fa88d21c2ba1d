import { diffLines } from 'diff';
import type { Lines } from './choose-mistakes.ts';

/** Lines of `after` that differ from `before`, in order; where something was only taken out, the lines around the gap. */
export function changedLines(before: string, after: string): Lines[] {
  const ranges: Lines[] = [];
  const parts = diffLines(before, after);
  let line = 1;
  for (const [at, { added, removed, count }] of parts.entries()) {
    if (added) ranges.push({ from: line, to: line + count - 1 });
    // What stands in the place of removed lines shows where they were.
    else if (removed && !parts[at + 1]?.added) ranges.push({ from: Math.max(1, line - 1), to: line });
    if (!removed) line += count;
  }
  return merged(ranges);
}

function merged(ranges: readonly Lines[]): Lines[] {
  const all: Lines[] = [];
  for (const next of ranges) {
    const last = all.at(-1);
    if (last && next.from <= last.to + 1) all.splice(-1, 1, { from: last.from, to: Math.max(last.to, next.to) });
    else all.push(next);
  }
  return all;
}
