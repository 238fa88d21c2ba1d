// Invariants about how soon an app tries again.
import type { RequestRecord, TraceEvent } from './trace.ts';

type Watch = () => (event: TraceEvent) => string | undefined;

export interface BackoffPromise {
  /** What a request is a try of: tries of one thing are counted together. */
  readonly keyOf: (request: RequestRecord) => string;
  /** How many tries may climb the ladder of pauses, before they have to be rare. */
  readonly climbing: number;
  /** After that, one try in so many ms, on average. Well below the average pause, so that chance alone never gets here. */
  readonly everyMs: number;
  /** An event that is a reason to try at once. */
  readonly isWake: (event: TraceEvent) => boolean;
  /** Whether a success of one thing says that all others may be tried anew (default false). */
  readonly endsWithAnySuccess?: boolean;
}

/** Makes the `watch` of an invariant: without a success, tries of one thing grow rarer. A new launch begins anew. */
export const growsRarer =
  ({ keyOf, climbing, everyMs, isWake, endsWithAnySuccess = false }: BackoffPromise): Watch =>
  () => {
    const tries = new Map<string, { readonly count: number; readonly sinceMs: number }>();
    let wakes = 0;
    const forget = (key: string) => {
      if (!endsWithAnySuccess) {
        tries.delete(key);
        return;
      }
      tries.clear();
      wakes = 0;
    };
    return (event) => {
      if (isWake(event)) wakes += 1;
      if (event.kind === 'launch') tries.clear();
      if (event.kind !== 'request') return undefined;
      const key = keyOf(event.request);
      if (event.phase === 'received' && Number(event.note) < 300) forget(key);
      if (event.phase !== 'sent') return undefined;
      const { count, sinceMs } = tries.get(key) ?? { count: 0, sinceMs: event.atMs };
      tries.set(key, { count: count + 1, sinceMs });
      if (count + 1 <= climbing + wakes + (event.atMs - sinceMs) / everyMs) return undefined;
      const seconds = Math.round((event.atMs - sinceMs) / 1_000);
      return `${key} was sent ${count + 1} times within ${seconds} s without a success in between.`;
    };
  };

export interface PausePromise {
  /** What a pause holds back: requests with another key may leave. Undefined: a request that no pause is about. */
  readonly keyOf: (request: RequestRecord) => string | undefined;
  /** A try this much too early is still in time, in ms. */
  readonly graceMs: number;
}

/** Makes the `watch` of an invariant: nothing is tried again before its `Retry-After` is over. A new launch need not know of it. */
export const waitsForRetryAfter =
  ({ keyOf, graceMs }: PausePromise): Watch =>
  () => {
    const until = new Map<string, number>();
    return (event) => {
      if (event.kind === 'launch') until.clear();
      if (event.kind !== 'request') return undefined;
      const key = keyOf(event.request);
      if (key === undefined) return undefined;
      const untilMs = until.get(key) ?? 0;
      const { retryAfterMs } = event.request;
      if (event.phase === 'received' && retryAfterMs !== null)
        until.set(key, Math.max(untilMs, event.atMs + retryAfterMs));
      const earlyMs = untilMs - event.atMs;
      if (event.phase !== 'sent' || earlyMs < graceMs) return undefined;
      return `${key} left ${Math.round(earlyMs)} ms before its Retry-After was over.`;
    };
  };
