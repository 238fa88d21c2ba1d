import type { Apply, Effect, EffectHost } from '../host.ts';

export type StorageFault = 'full' | 'failed';

interface Shared {
  /** Faults for the next storage writes, in order. */
  readonly faults: StorageFault[];
  /** Storage writes wait here while `held`. */
  readonly gate: { held: boolean; waiting: (() => void)[] };
}

/** Runs a launch's effects one after another, without time passing. */
export class TestHost implements EffectHost {
  readonly #shared: Shared;
  #alive = true;
  #last: Promise<void> = Promise.resolve();

  constructor(shared: Shared) {
    this.#shared = shared;
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
    const fault = isWrite(effect) ? this.#shared.faults.shift() : undefined;
    const error = fault && effect.errors?.[fault];
    if (error) throw error();
    return apply(effect.parts ?? 1);
  }

  #untilReleased(effect: Effect): Promise<void> | undefined {
    if (!this.#shared.gate.held || !isWrite(effect)) return undefined;
    return new Promise((resolve) => this.#shared.gate.waiting.push(resolve));
  }
}

/** A write to any of the phone's stores. */
const isWrite = ({ target }: Effect): boolean => target.endsWith('.write');
