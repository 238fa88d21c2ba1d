// The real event loop, beaten small: Node settles all promises between two immediates of one turn, so many pieces of
// work share a turn, an immediate for each. A whole turn for each would cost more than the work.

/** Immediates of one turn. */
const BEATS_PER_TURN = 128;

const waiting: (() => void)[] = [];
let planned = 0;

/** Runs something once every promise that can settle by then has settled. In the order of the calls. */
export function nextBeat(run: () => void): void {
  waiting.push(run);
  if (planned === 0) plan();
}

/** Every promise that can settle without time passing has settled after it. */
export const turn = (): Promise<void> => new Promise(nextBeat);

function plan(): void {
  planned = BEATS_PER_TURN;
  for (let n = 0; n < BEATS_PER_TURN; n += 1) setImmediate(beat);
}

function beat(): void {
  planned -= 1;
  const run = waiting.shift();
  // What it throws is nobody's but Node's; the next turn is planned in any case.
  try {
    run?.();
  } finally {
    if (planned === 0 && waiting.length > 0) plan();
  }
}
