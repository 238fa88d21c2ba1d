import { byteLength } from './byte-length.ts';
import type { Disk } from './disk.ts';
import { type EffectHost, LOST } from './host.ts';

/** Structural subset of `react-native-mmkv` (v3). Synchronous: a value is on disk when `set` returns. */
export interface Mmkv {
  set(key: string, value: string | number | boolean): void;
  getString(key: string): string | undefined;
  getNumber(key: string): number | undefined;
  getBoolean(key: string): boolean | undefined;
  contains(key: string): boolean;
  delete(key: string): void;
  getAllKeys(): string[];
  clearAll(): void;
}

/** What the native module throws when the disk has no room for a larger file. */
const writeErrors = {
  full: () => new Error('Failed to set value: MMKV could not grow its file (ENOSPC: no space left on device)'),
  failed: () => new Error('Failed to set value: MMKV could not write its file (EIO: i/o error)'),
};

export function createMmkv(host: EffectHost, disk: Disk): Mmkv {
  const store = disk.mmkv;

  const write = (call: string, detail: string, sizeBytes: number, apply: () => void) =>
    host.performNow(
      { target: 'storage.write', call: `mmkv.${call}`, detail, sizeBytes, errors: writeErrors, answers: LOST },
      (parts) => {
        if (parts > 0) apply();
      },
    );

  function typed<T>(key: string, type: 'string' | 'number' | 'boolean'): T | undefined {
    const value = store.get(key);
    return typeof value === type ? (value as T) : undefined;
  }

  return {
    set: (key, value) => write('set', key, byteLength(String(value)), () => store.set(key, value)),
    getString: (key) => typed<string>(key, 'string'),
    getNumber: (key) => typed<number>(key, 'number'),
    getBoolean: (key) => typed<boolean>(key, 'boolean'),
    contains: (key) => store.get(key) !== undefined,
    delete: (key) => write('delete', key, 0, () => store.delete(key)),
    getAllKeys: () => store.keys(),
    clearAll: () => write('clearAll', '', 0, () => store.clear()),
  };
}
