// What a phone module needs from the place it runs in: a simulated world, or a test.

import type { CipherCall } from './quick-crypto.ts';

/** One call that reaches past the app's memory: a place where the app can be killed or a fault can strike. */
export interface Effect {
  /** The kind of place faults attach to, such as `storage.write`. */
  readonly target: string;
  /** The call as a reader of a trace knows it, such as `asyncStorage.setItem`. */
  readonly call: string;
  /** What it was about: a key, a file name. */
  readonly detail: string;
  /** Size of what is written, in bytes. */
  readonly sizeBytes?: number;
  /** Whether a database makes something durable here: asked just before it applies. */
  readonly commits?: () => boolean;
  /** How many parts a torn write can be cut into (default 1, cannot be torn). */
  readonly parts?: number;
  /** The module's own errors, by fault kind: what a real phone would reject with. */
  readonly errors?: Readonly<Record<string, () => Error>>;
  /** Answers in place of the usual one, by fault kind: a prompt that a person cancels. */
  readonly answers?: Readonly<Record<string, () => unknown>>;
}

/** A write the app hears is done, and that never was: the OS kept it in memory, and lost it. */
export const LOST = { lost: () => undefined };

/** Applies the first `parts` parts of an effect and gives its result. Runs synchronously. */
export type Apply<T> = (parts: number) => T;

/** Runs effects for one launch of an app. After the app is killed nothing settles, applies or is delivered. */
export interface EffectHost {
  /** Runs an asynchronous effect. The promise never settles when the app is killed. */
  perform<T>(effect: Effect, apply: Apply<T>): Promise<T>;
  /** Runs a synchronous effect. After a kill it is not applied and gives `undefined`. */
  performNow<T>(effect: Effect, apply: Apply<T>): T;
  /** Calls into the app, unless it was killed. */
  deliver(callback: () => void): void;
  /** The phone's own clock, in ms since 1970: may be wrong, may jump. */
  nowMs(): number;
  /** Sends a request for the app, as its own `fetch` would. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** A number from 0 to 1 (exclusive) for this launch's next use of `what`. */
  random(what: string): number;
  /** Keeps a use of a cipher for invariants and tests to look at. */
  noteCipher(call: CipherCall): void;
}
