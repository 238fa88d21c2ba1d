// The record of one run: every event with its virtual time.
import type { Json } from './plan.ts';

/** One request as the network saw it. Filled in as it goes. */
export interface RequestRecord {
  readonly id: number;
  readonly phone: number;
  readonly launch: number;
  /** Method and route pattern, such as `POST /mutations`. */
  readonly endpoint: string;
  /** The how-manieth request of this phone to this endpoint, from 1. */
  readonly nth: number;
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly sentAtMs: number;
  /** Whether the phone said it was online when the request left. */
  readonly sentOnline: boolean;
  arrivedAtMs: number | null;
  endedAtMs: number | null;
  /** What the app saw: a status, or why there was none. Null while it is out. */
  outcome: { kind: 'answered'; status: number } | { kind: 'failed' | 'aborted' | 'killed' } | null;
  /** What the answer's `Retry-After` asked for, in ms from then; null without one. */
  retryAfterMs: number | null;
}

interface At {
  /** Virtual time since the run began, in ms. */
  readonly atMs: number;
  readonly phone: number;
}

export type TraceEvent = At &
  (
    | { readonly kind: 'launch'; readonly launch: number }
    | { readonly kind: 'kill'; readonly launch: number; readonly during: string }
    | { readonly kind: 'condition'; readonly condition: 'online' | 'offline' | 'foreground' | 'background' | 'healed' }
    | { readonly kind: 'clock'; readonly byMs: number }
    /** A slot of the plan was reached. */
    | { readonly kind: 'step'; readonly slot: number }
    | { readonly kind: 'action'; readonly id: number; readonly label: string }
    | { readonly kind: 'settled'; readonly id: number; readonly label: string; readonly error: string | null }
    | {
        readonly kind: 'storage';
        readonly call: string;
        readonly detail: string;
        readonly phase: 'applied' | 'torn' | 'failed' | 'acked';
      }
    | {
        readonly kind: 'request';
        readonly phase: 'sent' | 'lost' | 'arrived' | 'answered' | 'answer-lost' | 'received' | 'failed' | 'aborted';
        readonly request: RequestRecord;
        readonly note: string;
      }
    /** Something the backend did that people would care about: its own word for it. */
    | { readonly kind: 'effect'; readonly label: string; readonly data: Json }
    /** The app's state as its subscribers saw it change, by the scenario's view. */
    | { readonly kind: 'state'; readonly view: Json }
    | { readonly kind: 'fault'; readonly fault: string; readonly target: string; readonly nth: number }
    | { readonly kind: 'log'; readonly level: string; readonly text: string }
    /** A push that reached a running app. */
    | { readonly kind: 'push'; readonly data: Json }
    | { readonly kind: 'rejection'; readonly text: string }
    | { readonly kind: 'violation'; readonly invariant: string; readonly text: string }
  );

/** What a run cost, for budgets. Sums over all phones. */
export interface Costs {
  requests: number;
  bytesSent: number;
  bytesReceived: number;
  storageWrites: number;
  storageReads: number;
  storageBytes: number;
  /** Writes to and reads from the keychain. */
  secureWrites: number;
  secureReads: number;
  timerWakeups: number;
  /** Timers that fired while the phone was offline and nothing else had happened. */
  offlineWakeups: number;
  offlineMs: number;
  stateChanges: number;
}
