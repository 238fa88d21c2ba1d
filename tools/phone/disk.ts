// What outlives a kill: everything one phone has stored.
import { Databases } from './databases.ts';
import { FileTree } from './file-tree.ts';
import type { Effect } from './host.ts';
import { KeyValueStore } from './key-value-store.ts';
import { Keychain } from './keychain.ts';

/** Android's default: 6 MB for the whole store. Source: the package's "Known storage limits". */
export const ASYNC_STORAGE_QUOTA_BYTES = 6 * 1024 * 1024;

/** Room on a phone that is not full, in bytes. */
const FREE_BYTES = 32 * 1024 ** 3;

/** One stored value, with the part of the disk it lies in: `disk[module].set(key, value)` overwrites it. */
export interface StoredEntry {
  readonly module: 'asyncStorage' | 'mmkv' | 'secureStore' | 'databases' | 'files';
  /** A key, a file's uri, or `database/table/row/column`. */
  readonly key: string;
  /** Text; bytes are read as UTF-8. */
  readonly value: string;
}

/** Whose Keychain it is: on iOS it outlives an uninstall, on Android nothing does. */
export type Platform = 'ios' | 'android';

/** The durable state of one phone. A launch gets modules over it; a kill leaves it as it is. */
export class Disk {
  readonly asyncStorage = new KeyValueStore<string>();
  readonly mmkv = new KeyValueStore<string | number | boolean>();
  /** Keychain or Keystore: the only place for secrets. */
  readonly secureStore = new Keychain();
  asyncStorageQuotaBytes = ASYNC_STORAGE_QUOTA_BYTES;
  /** Room left, in bytes. A write that is larger fails for want of room; removing files makes room. */
  freeBytes = FREE_BYTES;
  #databases: Databases | null = null;
  #files: FileTree | null = null;

  // Made at first use: most phones have neither.
  /** SQLite databases, by name. */
  get databases(): Databases {
    this.#databases ??= new Databases();
    return this.#databases;
  }

  /** Files of the app: documents, and what lies in the cache. */
  get files(): FileTree {
    this.#files ??= new FileTree(this);
    return this.#files;
  }

  /** Whether what an effect writes fits on the disk. */
  hasRoomFor({ sizeBytes = 0, errors }: Effect): boolean {
    return sizeBytes <= this.freeBytes || errors?.full === undefined;
  }

  /** The app is dead: what it had not committed is undone. */
  appKilled(): void {
    this.#databases?.appKilled();
  }

  /** The app is removed and installed anew. On iOS the Keychain keeps its items. */
  reinstalled(platform: Platform): void {
    this.asyncStorage.clear();
    this.mmkv.clear();
    this.#databases?.clear();
    this.#files?.clear();
    if (platform === 'android') this.secureStore.clear();
  }

  /** Frees the memory that no collector frees. Afterwards there are no databases. */
  close(): void {
    this.#databases?.clear();
  }

  /** Every stored key and value, module by module: what an invariant or a test looks through. Databases as committed. */
  entries(): StoredEntry[] {
    return [
      ...this.asyncStorage.entries().map(([key, value]) => ({ module: 'asyncStorage' as const, key, value })),
      ...this.mmkv.entries().map(([key, value]) => ({ module: 'mmkv' as const, key, value: String(value) })),
      ...this.secureStore.entries().map(([key, value]) => ({ module: 'secureStore' as const, key, value })),
      ...this.#databaseEntries(),
      ...this.#fileEntries(),
    ];
  }

  #databaseEntries(): StoredEntry[] {
    return (this.#databases?.all() ?? []).flatMap((store) =>
      store
        .values()
        .map(({ place, value }) => ({ module: 'databases' as const, key: `${store.name}/${place}`, value })),
    );
  }

  #fileEntries(): StoredEntry[] {
    return (this.#files?.list() ?? []).map((uri) => ({
      module: 'files' as const,
      key: uri,
      value: Buffer.from(this.#files?.read(uri) ?? []).toString('utf8'),
    }));
  }
}
