// Names typed by people: which known one was meant.

/** Lower-case words joined by hyphens. */
export const SLUG = /^[a-z][a-z0-9-]*$/;

/** The known name nearest to what was typed; undefined when none is near enough to be meant. */
export function nearestSlug(typed: string, known: readonly string[]): string | undefined {
  const wanted = typed.toLowerCase().replaceAll(/[\s_]+/g, '-');
  const begun = known.filter((name) => wanted.length > 1 && name.startsWith(wanted));
  if (begun.length === 1) return begun[0];
  const [best] = known
    .map((name) => ({ name, distance: editDistance(wanted, name) }))
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return best?.name;
}

/** Letters to add, drop, change or swap with their neighbour (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const present = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min(at(last, column) + 1, at(present, column - 1) + 1, at(last, column - 1) + same);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, at(before, column - 2) + 1);
      present.push(cost);
    }
    before = last;
    last = present;
  }
  return at(last, b.length);
}

const at = (row: readonly number[], column: number): number => row[column] ?? Number.POSITIVE_INFINITY;
