/** Seeds of the first worlds. */
export const worlds = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

/** One run after another: a process holds one world at a time. */
export async function inTurn<T, R>(all: readonly T[], run: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const one of all) results.push(await run(one));
  return results;
}
