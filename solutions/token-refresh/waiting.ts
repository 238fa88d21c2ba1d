// Waiting that has an end: by a signal, or by the time.

/** Rejects with the signal's reason when that aborts. What was waited for goes on, for the others. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (!signal) return promise;
  const aborted = new Promise<never>((_, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave);
  });
  return Promise.race([promise, aborted]);
}

/**
 * Runs with a signal that aborts after `ms`, or with one of `others`, and rejects with its reason then, come what may.
 * By hand: React Native has neither `AbortSignal.timeout` nor `AbortSignal.any`.
 */
export async function withTimeLimit<T>(
  ms: number,
  others: readonly AbortSignal[],
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error(`There was no end within ${ms} ms. Try again.`)), ms);
  const stop = () => limit.abort(others.find(({ aborted }) => aborted)?.reason);
  for (const other of others) other.addEventListener('abort', stop);
  try {
    if (others.some(({ aborted }) => aborted)) stop();
    return await unlessAborted(run(limit.signal), limit.signal);
  } finally {
    clearTimeout(timer);
    for (const other of others) other.removeEventListener('abort', stop);
  }
}

/** Ends early, and without an error, when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
