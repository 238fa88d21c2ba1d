// Randomness without a sequence: every draw is a hash of the world's seed and of what it is for,
// so taking one fault out of a schedule leaves all other draws as they were.

/** A draw for a purpose. Same world, same purpose, same number. */
export interface Draw {
  /** 0 (inclusive) to 1 (exclusive). */
  unit(...purpose: readonly (string | number)[]): number;
  /** A whole number from 0 to `choices` - 1. */
  pick(choices: number, ...purpose: readonly (string | number)[]): number;
  /** Between two numbers. */
  between(min: number, max: number, ...purpose: readonly (string | number)[]): number;
}

export function createDraw(seed: number): Draw {
  const unit = (...purpose: readonly (string | number)[]) => hash32(seed, purpose) / 2 ** 32;
  return {
    unit,
    pick: (choices, ...purpose) => Math.floor(unit(...purpose) * choices),
    between: (min, max, ...purpose) => min + unit(...purpose) * (max - min),
  };
}

/** FNV-1a over the purpose, then the finaliser of MurmurHash3 so that near inputs give far outputs. */
function hash32(seed: number, purpose: readonly (string | number)[]): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const part of purpose) {
    if (typeof part === 'number') {
      hash = Math.imul(hash ^ (part | 0), 0x01000193);
      hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    } else {
      for (let i = 0; i < part.length; i += 1) hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193);
    }
    hash = Math.imul(hash ^ 0xff, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
