// What outlives a kill: everything one phone has stored.
import { byteLength } from './byte-length.ts';

/** Android's default: 6 MB for the whole store. Source: the package's "Known storage limits". */
export const ASYNC_STORAGE_QUOTA_BYTES = 6 * 1024 * 1024;

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

/** One stored value, with the module it is stored by. */
export interface StoredEntry {
  readonly module: 'asyncStorage' | 'mmkv' | 'secureStore';
  readonly key: string;
  readonly value: string;
}

/** The durable state of one phone. A launch gets modules over it; a kill leaves it as it is. */
export class Disk {
  readonly asyncStorage = new KeyValueStore<string>();
  readonly mmkv = new KeyValueStore<string | number | boolean>();
  /** Keychain or Keystore: the only place for secrets. */
  readonly secureStore = new KeyValueStore<string>();
  asyncStorageQuotaBytes = ASYNC_STORAGE_QUOTA_BYTES;

  /** Every stored key and value, module by module: what an invariant or a test looks through. */
  entries(): StoredEntry[] {
    return [
      ...this.asyncStorage.entries().map(([key, value]) => ({ module: 'asyncStorage' as const, key, value })),
      ...this.mmkv.entries().map(([key, value]) => ({ module: 'mmkv' as const, key, value: String(value) })),
      ...this.secureStore.entries().map(([key, value]) => ({ module: 'secureStore' as const, key, value })),
    ];
  }
}
