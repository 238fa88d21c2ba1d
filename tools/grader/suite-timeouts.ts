// What a test that ran out of time did with it.
import type { RawTest } from './suite-messages.ts';

export const TIMED_OUT = /^(?:Test|Hook) timed out in (\d+)ms/;
/** A test that was busy for less than this share of its time, and less than this long, did nothing but wait. */
const BUSY = { share: 0.1, leastMs: 100 };

/** Whether a test ran out of time. */
export const isTimeout = (test: RawTest): boolean => timeoutMsOf(test) !== null;

/** How long a test had that ran out of time, in ms; null for any other. */
export function timeoutMsOf({ state, errors }: RawTest): number | null {
  if (state !== 'failed') return null;
  const found = errors.map(({ message }) => TIMED_OUT.exec(message)?.[1]).find((ms) => ms !== undefined);
  return found === undefined ? null : Number(found);
}

/** Whether a test that ran out of time merely waited: more time would not help it. */
export function isIdleTimeout(test: RawTest): boolean {
  const timeoutMs = timeoutMsOf(test);
  if (timeoutMs === null || test.busyMs === null) return false;
  return test.busyMs < Math.max(BUSY.leastMs, timeoutMs * BUSY.share);
}
