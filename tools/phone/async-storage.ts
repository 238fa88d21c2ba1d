import { byteLength } from './byte-length.ts';
import type { Disk } from './disk.ts';
import { type EffectHost, LOST } from './host.ts';

/** Structural subset of `@react-native-async-storage/async-storage` (v2). Values are strings; calls run one after another. */
export interface AsyncStorage {
  getItem(key: string): Promise<string | null>;
  /** Rejects when the disk is full; the old value then stays. */
  setItem(key: string, value: string): Promise<void>;
  removeItem(key: string): Promise<void>;
  getAllKeys(): Promise<readonly string[]>;
  multiGet(keys: readonly string[]): Promise<readonly [string, string | null][]>;
  /** Not atomic: a kill in the middle may leave the first pairs written. */
  multiSet(pairs: readonly (readonly [string, string])[]): Promise<void>;
  multiRemove(keys: readonly string[]): Promise<void>;
  clear(): Promise<void>;
}

const diskFull = () => new Error('database or disk is full (code 13 SQLITE_FULL)');
const writeFailed = () => new Error('disk I/O error (code 10 SQLITE_IOERR)');
const readFailed = () => new Error('disk I/O error (code 10 SQLITE_IOERR)');
const writeErrors = { full: diskFull, failed: writeFailed };
const readErrors = { failed: readFailed };

export function createAsyncStorage(host: EffectHost, disk: Disk): AsyncStorage {
  const store = disk.asyncStorage;

  const read = <T>(call: string, detail: string, apply: () => T) =>
    host.perform({ target: 'storage.read', call: `asyncStorage.${call}`, detail, errors: readErrors }, apply);

  const write = (call: string, detail: string, sizeBytes: number, parts: number, apply: (parts: number) => void) =>
    host.perform(
      {
        target: 'storage.write',
        call: `asyncStorage.${call}`,
        detail,
        sizeBytes,
        parts,
        errors: writeErrors,
        answers: LOST,
      },
      apply,
    );

  function put(key: string, value: string): void {
    const old = store.get(key);
    const grownBytes = byteLength(value) - (old === undefined ? -byteLength(key) : byteLength(old));
    if (store.usedBytes() + grownBytes > disk.asyncStorageQuotaBytes) throw diskFull();
    store.set(key, value);
  }

  return {
    getItem: (key) => read('getItem', key, () => store.get(requireText('getItem key', key)) ?? null),
    setItem: async (key, value) => {
      requireText('setItem key', key);
      requireText(`setItem value of "${key}"`, value);
      await write('setItem', key, byteLength(value), 1, (parts) => {
        if (parts > 0) put(key, value);
      });
    },
    removeItem: async (key) => {
      requireText('removeItem key', key);
      await write('removeItem', key, 0, 1, (parts) => {
        if (parts > 0) store.delete(key);
      });
    },
    getAllKeys: () => read('getAllKeys', '', () => store.keys()),
    multiGet: async (keys) => {
      for (const key of keys) requireText('multiGet key', key);
      return read('multiGet', keys.join(', '), () =>
        keys.map((key): [string, string | null] => [key, store.get(key) ?? null]),
      );
    },
    multiSet: async (pairs) => {
      for (const [key, value] of pairs) {
        requireText('multiSet key', key);
        requireText(`multiSet value of "${key}"`, value);
      }
      const sizeBytes = pairs.reduce((sum, [, value]) => sum + byteLength(value), 0);
      await write('multiSet', pairs.map(([key]) => key).join(', '), sizeBytes, pairs.length, (parts) => {
        for (const [key, value] of pairs.slice(0, parts)) put(key, value);
      });
    },
    multiRemove: async (keys) => {
      for (const key of keys) requireText('multiRemove key', key);
      await write('multiRemove', keys.join(', '), 0, keys.length, (parts) => {
        for (const key of keys.slice(0, parts)) store.delete(key);
      });
    },
    clear: () =>
      write('clear', '', 0, 1, (parts) => {
        if (parts > 0) store.clear();
      }),
  };
}

/** The native module throws on anything that is not text; a silent "undefined" would hide a learner's mistake. */
function requireText(what: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`asyncStorage.${what} must be a string, got ${value === null ? 'null' : typeof value}.`);
}
