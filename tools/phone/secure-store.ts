import { byteLength } from './byte-length.ts';
import type { Disk } from './disk.ts';
import type { EffectHost } from './host.ts';

export interface SecureStoreOptions {
  /** Asks for Face ID or the like at each read. */
  readonly requireAuthentication?: boolean;
  readonly authenticationPrompt?: string;
  readonly keychainService?: string;
}

/** Structural subset of `expo-secure-store`: Keychain or Keystore. Survives a kill; each key is written at once or not at all. */
export interface SecureStore {
  getItemAsync(key: string, options?: SecureStoreOptions): Promise<string | null>;
  /** Rejects when the keychain cannot be written; the old value then stays. */
  setItemAsync(key: string, value: string, options?: SecureStoreOptions): Promise<void>;
  deleteItemAsync(key: string, options?: SecureStoreOptions): Promise<void>;
}

/** Keys that the native module accepts. Source: expo-secure-store, "Keys". */
const KEY = /^[\w.-]+$/;

const failedRead = () =>
  new Error("Calling the 'getValueWithKeyAsync' function has failed: the keychain is not available");
const failedWrite = () =>
  new Error("Calling the 'setValueWithKeyAsync' function has failed: the keychain is not available");

export function createSecureStore(host: EffectHost, disk: Disk): SecureStore {
  const store = disk.secureStore;
  const write = (call: string, detail: string, sizeBytes: number, apply: () => void) =>
    host.perform(
      { target: 'secureStore.write', call: `secureStore.${call}`, detail, sizeBytes, errors: { failed: failedWrite } },
      (parts) => {
        if (parts > 0) apply();
      },
    );
  return {
    getItemAsync: async (key) =>
      host.perform(
        {
          target: 'secureStore.read',
          call: 'secureStore.getItemAsync',
          detail: checked(key),
          errors: { failed: failedRead },
        },
        () => store.get(key) ?? null,
      ),
    setItemAsync: async (key, value) => {
      if (typeof value !== 'string')
        throw new TypeError(`secureStore value of "${key}" must be a string, got ${typeof value}.`);
      await write('setItemAsync', checked(key), byteLength(value), () => store.set(key, value));
    },
    deleteItemAsync: async (key) => write('deleteItemAsync', checked(key), 0, () => store.delete(key)),
  };
}

function checked(key: string): string {
  if (KEY.test(key)) return key;
  throw new Error(`Invalid key provided to SecureStore: "${key}". Keys hold only letters, digits, ".", "-" and "_".`);
}
