import type { Disk } from '../disk.ts';
import type { Apply, Effect, EffectHost } from '../host.ts';
import type { CipherCall } from '../quick-crypto.ts';

/** What a write can meet: an error that leaves the old value, nothing though the app hears it is done, or the app's death before, in the middle of or after it. */
export type StorageFault = 'full' | 'failed' | 'lost' | 'kill-before' | 'torn' | 'kill-after';

/** What a phone has seen its app do, over all launches. */
export interface Seen {
  readonly cipherCalls: CipherCall[];
  prompts: number;
  draws: number;
}

interface Shared {
  readonly disk?: Disk;
  /** Faults for the next storage writes, in order. */
  readonly faults: (StorageFault | null)[];
  /** Kills the app. */
  readonly die?: () => void;
  /** Storage writes wait here while `held`. */
  readonly gate: { held: boolean; waiting: (() => void)[] };
  readonly seen?: Seen;
}

/** Runs a launch's effects one after another, without time passing. */
export class TestHost implements EffectHost {
  readonly #shared: Shared;
  readonly #seen: Seen;
  #alive = true;
  #last: Promise<void> = Promise.resolve();

  constructor(shared: Shared) {
    this.#shared = shared;
    this.#seen = shared.seen ?? { cipherCalls: [], prompts: 0, draws: 0 };
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  kill(): void {
    this.#alive = false;
  }

  nowMs(): number {
    return Date.now();
  }

  /** Different at each use, and the same in each run of a test. */
  random(): number {
    this.#seen.draws += 1;
    let hash = Math.imul(this.#seen.draws, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
  }

  fetch(url: string, init: RequestInit): Promise<Response> {
    return this.settleIfAlive(globalThis.fetch(url, init));
  }

  noteCipher(call: CipherCall): void {
    if (this.#alive) this.#seen.cipherCalls.push(call);
  }

  deliver(callback: () => void): void {
    if (this.#alive) callback();
  }

  perform<T>(effect: Effect, apply: Apply<T>): Promise<T> {
    const turn = this.#last.then(() => this.#untilReleased(effect));
    const result = turn.then(() => this.#apply(effect, apply));
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return this.settleIfAlive(result);
  }

  performNow<T>(effect: Effect, apply: Apply<T>): T {
    return this.#alive ? this.#apply(effect, apply) : (undefined as T);
  }

  /** A promise that settles like `promise`, unless the app is dead by then: then it never does. */
  settleIfAlive<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.#alive && resolve(value),
        (error) => this.#alive && reject(error),
      );
    });
  }

  #apply<T>(effect: Effect, apply: Apply<T>): T {
    if (!this.#alive) return undefined as T;
    if (effect.target === 'localAuthentication') this.#seen.prompts += 1;
    const planned = isWrite(effect) ? this.#shared.faults.shift() : undefined;
    const fault = planned ?? (this.#shared.disk?.hasRoomFor(effect) === false ? 'full' : undefined);
    const error = fault && effect.errors?.[fault];
    if (error) throw error();
    const otherAnswer = planned ? effect.answers?.[planned] : undefined;
    if (otherAnswer) return otherAnswer() as T;
    return this.#applyAround(planned, effect.parts ?? 1, apply);
  }

  /** A dead app hears nothing: what is returned then reaches nobody. */
  #applyAround<T>(fault: StorageFault | null | undefined, parts: number, apply: Apply<T>): T {
    if (fault === 'kill-before') {
      this.#shared.die?.();
      return undefined as T;
    }
    const value = apply(fault === 'torn' ? Math.floor(parts / 2) : parts);
    if (fault === 'torn' || fault === 'kill-after') this.#shared.die?.();
    return value;
  }

  #untilReleased(effect: Effect): Promise<void> | undefined {
    if (!this.#shared.gate.held || !isWrite(effect)) return undefined;
    return new Promise((resolve) => this.#shared.gate.waiting.push(resolve));
  }
}

/** A write to any of the phone's stores. */
const isWrite = ({ target }: Effect): boolean => target.endsWith('.write');
