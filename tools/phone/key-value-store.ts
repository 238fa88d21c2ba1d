import { byteLength } from './byte-length.ts';

/** A key-value store on disk, with its size. Keys keep their order of first insertion. */
export class KeyValueStore<V extends string | number | boolean> {
  readonly #entries = new Map<string, V>();
  #usedBytes = 0;

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    const old = this.#entries.get(key);
    this.#usedBytes += byteLength(String(value)) - (old === undefined ? -byteLength(key) : byteLength(String(old)));
    this.#entries.set(key, value);
  }

  delete(key: string): void {
    const old = this.#entries.get(key);
    if (old === undefined) return;
    this.#entries.delete(key);
    this.#usedBytes -= byteLength(key) + byteLength(String(old));
  }

  clear(): void {
    this.#entries.clear();
    this.#usedBytes = 0;
  }

  keys(): string[] {
    return [...this.#entries.keys()];
  }

  entries(): [string, V][] {
    return [...this.#entries];
  }

  /** Keys and values together, in bytes. */
  usedBytes(): number {
    return this.#usedBytes;
  }
}
