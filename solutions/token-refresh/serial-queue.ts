/** Runs a job when its turn has come, and gives what it gives. */
export type InTurn = <T>(job: () => Promise<T>) => Promise<T>;

/** A serial queue: one job after another, in the order of the calls, once `ready`. A failure holds up nobody. */
export function createSerialQueue(ready: Promise<unknown> = Promise.resolve()): InTurn {
  let last = ready;
  return (job) => {
    const turn = last.then(job);
    last = turn.catch(() => undefined);
    return turn;
  };
}
