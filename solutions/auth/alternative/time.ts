// How old something is, and how long to wait.
import type { Pass } from './records.ts';

const HOUR_MS = 3_600_000;

export const isNearItsEnd = ({ receivedAtMs, lastsMs }: Pass): boolean => Date.now() > receivedAtMs + lastsMs - 30_000;
export const isTooLong = ({ receivedAtMs }: Pass): boolean => Date.now() - receivedAtMs >= 72 * HOUR_MS;

export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** A signal that aborts after `ms`, or with one of the others. */
export function limited(ms: number, others: readonly (AbortSignal | null | undefined)[]) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, ms);
  for (const other of others) {
    if (other?.aborted) abort();
    other?.addEventListener('abort', abort);
  }
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      for (const other of others) other?.removeEventListener('abort', abort);
    },
  };
}

export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return promise;
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason));
    }),
  ]);
}
