// What an offline queue is, seen from outside: types only, shared by stub, reference and suite.
import type { Device } from '#phone';

/** What a screen hands over when a person presses Save. */
export interface MutationDraft {
  /** The record it changes, such as `visit-7`. Order is kept per entity. */
  readonly entityId: string;
  /** What it does to it, such as `visit.update`. */
  readonly kind: string;
  /** Anything JSON can hold. */
  readonly payload: unknown;
}

/** A mutation that is stored and on its way. */
export interface QueuedMutation extends MutationDraft {
  /** Names it in `pending`, `retry` and `discard`: the same after a restart. */
  readonly id: string;
  /** Sent as `Idempotency-Key` with every try, before and after a restart. */
  readonly idempotencyKey: string;
  /** When `enqueue` was called, by the phone's clock: ISO text. */
  readonly enqueuedAt: string;
  /** Requests made for it since this launch. */
  readonly attempts: number;
}

/** A mutation the server has refused for good. */
export interface RefusedMutation {
  /** The mutation's id. */
  readonly id: string;
  readonly reason: 'refused';
  readonly mutation: QueuedMutation;
  /** The HTTP status of the refusal. */
  readonly status: number;
  /** The server's own words; empty when it gave none. */
  readonly message: string;
}

/** A stored value that could not be read back. `discard` takes it off the disk; there is nothing to retry. */
export interface UnreadableRecord {
  /** Names it for `discard`: the same after a restart. */
  readonly id: string;
  readonly reason: 'unreadable';
  readonly mutation: null;
}

/** What only a person can decide about. */
export type DeadLetter = RefusedMutation | UnreadableRecord;

/**
 * The first that fits: `offline` (netInfo says so), `paused` (a 401 came, nothing has woken the queue since),
 * `sending` (a request is out), `backing-off` (something could go, but a pause is on), `idle`.
 */
export type QueueStatus = 'idle' | 'sending' | 'offline' | 'backing-off' | 'paused';

export interface QueueState {
  readonly status: QueueStatus;
  /** Stored and not yet settled, in the order of the `enqueue` calls; also those that wait behind a dead letter. */
  readonly pending: readonly QueuedMutation[];
  readonly deadLetters: readonly DeadLetter[];
}

/** Why a call was turned down: the `code` of the `Error` it rejects with. */
export type QueueErrorCode =
  | 'not-serialisable'
  | 'queue-full'
  | 'storage-full'
  | 'storage-failed'
  | 'not-found'
  | 'disposed';

export interface QueueError extends Error {
  readonly code: QueueErrorCode;
}

export interface SendContext {
  readonly idempotencyKey: string;
  /** Aborts when the queue is disposed. */
  readonly signal: AbortSignal;
}

export interface OfflineQueueOptions {
  readonly device: Device;
  /** Without a slash at its end, such as `https://api.example.com`. */
  readonly apiUrl: string;
  /** Used in place of the global one: a session layer can stand in front of the queue this way. */
  readonly fetch?: typeof fetch;
  /** Replaces `POST /mutations`. Its answer is judged by the same table. */
  readonly send?: (mutation: QueuedMutation, context: SendContext) => Promise<Response>;
}

export interface OfflineQueue {
  /** Restores what an earlier launch left behind, then begins to send. Called again, it wakes the queue. */
  start(): Promise<void>;
  /** Resolves once the mutation would survive a kill. Rejects with a `QueueError`; then nothing is stored or sent. */
  enqueue(draft: MutationDraft): Promise<QueuedMutation>;
  getState(): QueueState;
  /** Calls the listener after each change of the state. Gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Puts a refused mutation back in its old place. Resolves once that is stored. */
  retry(id: string): Promise<void>;
  /** Removes a dead letter for good. Resolves once that is stored. */
  discard(id: string): Promise<void>;
  /** Ends all requests, timers and listeners. What is stored stays for the next launch. */
  dispose(): void;
}

export type CreateOfflineQueue = (options: OfflineQueueOptions) => OfflineQueue;

/** What an attempt exports. */
export interface OfflineQueueModule {
  readonly createOfflineQueue: CreateOfflineQueue;
}
