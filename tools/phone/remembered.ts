// Work on a text, done once: runs meet the same few texts again and again.

const KEPT_TEXTS = 1_000;
/** A longer text will not be met again. */
const KEPT_LENGTH_MAX = 2_000;

/** Gives what `work` has given for the same text before. What it throws is not remembered; nor is `undefined`. */
export function remembered<T>(work: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const found = work(text);
    if (known.size >= KEPT_TEXTS) known.clear();
    if (text.length <= KEPT_LENGTH_MAX) known.set(text, found);
    return found;
  };
}
