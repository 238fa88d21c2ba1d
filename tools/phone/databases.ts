import { SqliteStore } from './sqlite-store.ts';

/** The SQLite databases on one phone's disk, by name. */
export class Databases {
  readonly #stores = new Map<string, SqliteStore>();

  /** The database of that name, or undefined. */
  find(name: string): SqliteStore | undefined {
    return this.#stores.get(name);
  }

  /** The database of that name, made empty if there is none. `seed` is for its `random()`. */
  open(name: string, seed = 0): SqliteStore {
    let store = this.#stores.get(name);
    if (!store) {
      store = new SqliteStore(name, seed);
      this.#stores.set(name, store);
    }
    return store;
  }

  all(): SqliteStore[] {
    return [...this.#stores.values()];
  }

  /** False when there is none of that name. */
  remove(name: string): boolean {
    this.#stores.get(name)?.close();
    return this.#stores.delete(name);
  }

  /** Overwrites one value by hand: `key` is its place, as `disk.entries()` gives it. */
  set(key: string, value: string): void {
    const [name = '', ...place] = key.split('/');
    this.#stores.get(name)?.overwrite(place, value);
  }

  appKilled(): void {
    for (const store of this.#stores.values()) store.appKilled();
  }

  /** Frees the memory of all: they are gone. */
  clear(): void {
    for (const name of [...this.#stores.keys()]) this.remove(name);
  }
}
