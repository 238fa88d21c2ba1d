// What a test can do to a phone's disk, keychain and screen by hand.
import type { Conditions } from '../device.ts';
import type { Disk } from '../disk.ts';
import { CACHE_URI } from '../file-tree.ts';
import type { CipherCall } from '../quick-crypto.ts';
import type { Seen } from './test-host.ts';

export interface HandsOnDevice {
  /**
   * Removes the app and installs it anew: it is dead, and all it stored is gone, but on iOS the Keychain.
   * Launch it with `coldStart`.
   */
  reinstall(): void;
  /** Another face or finger is enrolled: keychain items that require authentication are lost. */
  enrolBiometrics(): void;
  /** What sensor there is, and whether a face or finger is enrolled. */
  setBiometrics(biometrics: { readonly hasHardware?: boolean; readonly isEnrolled?: boolean }): void;
  /** The phone loses its keychain's content, as Android's Keystore does. */
  loseKeychain(): void;
  /** Locks the screen: the app goes to the background, most keychain items cannot be read. */
  lockScreen(): Promise<void>;
  unlockScreen(): Promise<void>;
  /** Room left on the disk, in bytes: a larger write fails as on a full disk, and removing files makes room. */
  setFreeSpace(sizeBytes: number): void;
  /** The OS empties the app's cache directory. */
  clearCache(): void;
  /** Uses of ciphers by all launches, in order. */
  readonly cipherCalls: readonly CipherCall[];
  /** How often the person was asked for a face or finger. */
  promptCount(): number;
}

interface Phone {
  readonly disk: Disk;
  readonly conditions: Conditions;
  readonly seen: Seen;
  kill(): void;
  goToBackground(): Promise<void>;
  goToForeground(): Promise<void>;
}

export function createHands({ disk, conditions, seen, kill, goToBackground, goToForeground }: Phone): HandsOnDevice {
  return {
    reinstall: () => {
      kill();
      disk.reinstalled(conditions.platform);
    },
    enrolBiometrics: () => {
      conditions.biometrics.enrolment += 1;
    },
    setBiometrics: (biometrics) => {
      Object.assign(conditions.biometrics, biometrics);
    },
    loseKeychain: () => disk.secureStore.clear(),
    lockScreen: () => {
      conditions.isLocked = true;
      return goToBackground();
    },
    unlockScreen: () => {
      conditions.isLocked = false;
      return goToForeground();
    },
    setFreeSpace: (sizeBytes) => {
      disk.freeBytes = sizeBytes;
    },
    clearCache: () => disk.files.remove(CACHE_URI),
    cipherCalls: seen.cipherCalls,
    promptCount: () => seen.prompts,
  };
}
