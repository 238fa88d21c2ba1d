/** Listeners of one module in one launch. `size` shows what an app forgot to remove. */
export class Listeners<A extends readonly unknown[]> {
  readonly #all = new Set<{ call: (...args: A) => void }>();

  get size(): number {
    return this.#all.size;
  }

  /** Adds a listener; the same function may be added twice. Gives the function that removes it. */
  add(listener: (...args: A) => void): () => void {
    const entry = { call: listener };
    this.#all.add(entry);
    return () => {
      this.#all.delete(entry);
    };
  }

  /** Calls every listener there was when the call began, unless it has been removed since. */
  emit(...args: A): void {
    for (const entry of [...this.#all]) {
      if (this.#all.has(entry)) entry.call(...args);
    }
  }
}
