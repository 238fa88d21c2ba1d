// Seeded choice: the same seed gives the same session, and each draw is named for what it is for.
import { createHash } from 'node:crypto';

/** An evenly drawn number from 0 up to, not including, 1. */
export function draw(seed: number, what: string): number {
  return createHash('sha256').update(`${seed} ${what}`).digest().readUInt32BE(0) / 2 ** 32;
}

/** A list in an order that the seed decides. */
export function shuffle<T>(list: readonly T[], seed: number, what: string): T[] {
  return list
    .map((entry, n) => ({ entry, place: draw(seed, `${what} ${n}`) }))
    .sort((a, b) => a.place - b.place)
    .map(({ entry }) => entry);
}
