import { byteLength } from './byte-length.ts';
import type { Disk } from './disk.ts';
import type { EffectHost } from './host.ts';
import type { Biometrics } from './local-authentication.ts';

export interface SecureStoreOptions {
  /** Asks for Face ID or the like at each read. */
  readonly requireAuthentication?: boolean;
  readonly authenticationPrompt?: string;
  /** A keychain of its own, with keys of its own. */
  readonly keychainService?: string;
  /** One of the constants below (default `WHEN_UNLOCKED`). */
  readonly keychainAccessible?: number;
}

/** When an item can be read. `THIS_DEVICE_ONLY`: no backup takes it to another phone. Source: expo-secure-store, "Constants". */
const ACCESSIBLE = {
  AFTER_FIRST_UNLOCK: 0,
  AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: 1,
  ALWAYS: 2,
  WHEN_PASSCODE_SET_THIS_DEVICE_ONLY: 3,
  ALWAYS_THIS_DEVICE_ONLY: 4,
  WHEN_UNLOCKED: 5,
  WHEN_UNLOCKED_THIS_DEVICE_ONLY: 6,
} as const;

/**
 * Structural subset of `expo-secure-store`: Keychain or Keystore. Survives a kill, and on iOS an uninstall;
 * each key is written at once or not at all.
 */
export interface SecureStore extends Readonly<Record<keyof typeof ACCESSIBLE, number>> {
  /**
   * Null when there is no such item, and when it required authentication and faces or fingers have been enrolled since:
   * then it is gone for good. Prompts for an item that requires authentication; rejects when the person is not recognised.
   */
  getItemAsync(key: string, options?: SecureStoreOptions): Promise<string | null>;
  /** Rejects when the keychain cannot be written, or the value has more than 2,048 bytes; the old value then stays. */
  setItemAsync(key: string, value: string, options?: SecureStoreOptions): Promise<void>;
  deleteItemAsync(key: string, options?: SecureStoreOptions): Promise<void>;
  /** Whether `requireAuthentication` can be used: there is a sensor, and a face or finger is enrolled. */
  canUseBiometricAuthentication(): boolean;
}

/** What of the phone's condition matters to its keychain. */
export interface KeychainConditions {
  readonly biometrics: Biometrics;
  /** Whether the screen is locked. */
  readonly isLocked: boolean;
}

/** Keys that the native module accepts. Source: expo-secure-store, "Keys". */
const KEY = /^[\w.-]+$/;
/** The package warns of larger values; some systems refuse them, and so does this phone. */
const VALUE_BYTES_MAX = 2_048;

const failure = (call: string, why: string) => () => new Error(`Calling the '${call}' function has failed: ${why}`);
const failedRead = failure('getValueWithKeyAsync', 'the keychain is not available');
const failedWrite = failure('setValueWithKeyAsync', 'the keychain is not available');
const cancelled = failure('getValueWithKeyAsync', 'User canceled the operation.');
const notRecognised = failure(
  'getValueWithKeyAsync',
  'Authentication failed. Provided passphrase/PIN is incorrect or there is no user authentication method configured for this device.',
);
const lockedOut = failure('getValueWithKeyAsync', 'Authentication failed. Biometry is locked out.');
const screenLocked = failure('getValueWithKeyAsync', 'User interaction is not allowed.');

/** How a prompt for an item ends, by what befalls it. */
const promptErrors = {
  'user-cancel': cancelled,
  'system-cancel': cancelled,
  lockout: lockedOut,
  'not-recognised': notRecognised,
};

export function createSecureStore(host: EffectHost, disk: Disk, current: () => KeychainConditions): SecureStore {
  const store = disk.secureStore;
  const write = (call: string, detail: string, sizeBytes: number, apply: () => void) =>
    host.perform(
      { target: 'secureStore.write', call: `secureStore.${call}`, detail, sizeBytes, errors: { failed: failedWrite } },
      (parts) => {
        if (parts > 0) apply();
      },
    );

  /** Asks the person. Rejects unless recognised. */
  const prompt = (detail: string) =>
    host.perform(
      { target: 'localAuthentication', call: 'secureStore.getItemAsync', detail, errors: promptErrors },
      () => {
        const { answer } = current().biometrics;
        if (!answer.success) throw errorOf(answer.error)();
      },
    );

  /** The item is bound to faces or fingers that are not the enrolled ones any more. */
  const isInvalidated = (key: string) => {
    const { requireAuthentication, enrolment } = store.rulesOf(key);
    return requireAuthentication && enrolment !== current().biometrics.enrolment;
  };

  function read(key: string): string | null {
    if (store.get(key) !== undefined && isInvalidated(key)) store.delete(key);
    if (store.get(key) !== undefined && current().isLocked && needsUnlocked(store.rulesOf(key).keychainAccessible))
      throw screenLocked();
    return store.get(key) ?? null;
  }

  return {
    ...ACCESSIBLE,
    getItemAsync: async (given, options) => {
      const key = placed(given, options);
      const isGuarded = store.get(key) !== undefined && store.rulesOf(key).requireAuthentication;
      if (isGuarded && !isInvalidated(key)) await prompt(key);
      return host.perform(
        { target: 'secureStore.read', call: 'secureStore.getItemAsync', detail: key, errors: { failed: failedRead } },
        () => read(key),
      );
    },
    setItemAsync: async (given, value, options = {}) => {
      const key = placed(given, options);
      const sizeBytes = checkedSize(given, value);
      const { requireAuthentication = false, keychainAccessible = ACCESSIBLE.WHEN_UNLOCKED } = options;
      await write('setItemAsync', key, sizeBytes, () => {
        const { biometrics } = current();
        if (requireAuthentication && !canAuthenticate(biometrics)) throw noneEnrolled();
        store.guard(key, value, { requireAuthentication, keychainAccessible, enrolment: biometrics.enrolment });
      });
    },
    deleteItemAsync: async (given, options) => {
      const key = placed(given, options);
      await write('deleteItemAsync', key, 0, () => store.delete(key));
    },
    canUseBiometricAuthentication: () => canAuthenticate(current().biometrics),
  };
}

const canAuthenticate = ({ hasHardware, isEnrolled }: Biometrics): boolean => hasHardware && isEnrolled;

const noneEnrolled = failure(
  'setValueWithKeyAsync',
  'Could not authenticate the user: no face or finger is enrolled. Ask canUseBiometricAuthentication first.',
);

const needsUnlocked = (keychainAccessible: number): boolean =>
  keychainAccessible === ACCESSIBLE.WHEN_UNLOCKED ||
  keychainAccessible === ACCESSIBLE.WHEN_UNLOCKED_THIS_DEVICE_ONLY ||
  keychainAccessible === ACCESSIBLE.WHEN_PASSCODE_SET_THIS_DEVICE_ONLY;

function errorOf(error: Exclude<Biometrics['answer'], { success: true }>['error']): () => Error {
  if (error === 'lockout') return lockedOut;
  return error === 'user_cancel' || error === 'system_cancel' ? cancelled : notRecognised;
}

function checkedSize(key: string, value: string): number {
  if (typeof value !== 'string')
    throw new TypeError(`secureStore value of "${key}" must be a string, got ${typeof value}.`);
  const sizeBytes = byteLength(value);
  if (sizeBytes <= VALUE_BYTES_MAX) return sizeBytes;
  throw new Error(
    `secureStore value of "${key}" has ${sizeBytes} bytes; at most ${VALUE_BYTES_MAX} can be stored. Keep a key here, and what it encrypts elsewhere.`,
  );
}

/** The place of an item: its key, behind its service when it has one. */
function placed(key: string, options: SecureStoreOptions | undefined): string {
  if (!KEY.test(key))
    throw new Error(`Invalid key provided to SecureStore: "${key}". Keys hold only letters, digits, ".", "-" and "_".`);
  return options?.keychainService === undefined ? key : `${options.keychainService}/${key}`;
}
