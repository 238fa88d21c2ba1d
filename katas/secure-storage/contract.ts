// What a vault is, seen from outside: types only, shared by stub, reference and suite.
import type { Device } from '#phone';

/** `key-lost`: there are records, and the key that opens them is gone for good. `unavailable`: nobody can be asked. */
export type VaultStatus = 'locked' | 'unlocked' | 'key-lost' | 'unavailable';

export interface VaultState {
  readonly status: VaultStatus;
  /** Of the key that new values are encrypted with, from 1; null unless unlocked. */
  readonly keyVersion: number | null;
  /** `running`: two keys are in use. `due`: the key was too old when the vault was unlocked. `none` unless unlocked. */
  readonly rotation: 'none' | 'due' | 'running';
  /** Names whose records were found to be damaged or forged. */
  readonly unreadable: readonly string[];
}

/** Why a call was turned down: the `code` of the `Error` it rejects with. */
export type VaultErrorCode =
  | 'locked'
  | 'cancelled'
  | 'locked-out'
  | 'unavailable'
  | 'key-lost'
  | 'corrupt'
  | 'storage-full'
  | 'storage-failed'
  | 'disposed';

export interface VaultError extends Error {
  readonly code: VaultErrorCode;
}

export interface VaultOptions {
  readonly device: Device;
  /** Letters, digits, `.`, `-` and `_`. Two vaults with two namespaces share nothing. */
  readonly namespace: string;
  /** `owner` (the default): the key is read behind a face or finger. `none`: for work that no person is there for. */
  readonly gate?: 'owner' | 'none';
  /** So long in the background, in ms, and the vault locks (default 5 minutes). */
  readonly lockAfterMs?: number;
  /** A key of this age, in ms, is due for rotation (default 90 days). */
  readonly maxKeyAgeMs?: number;
}

export interface Vault {
  /** Finishes an interrupted wipe and discards a key of an earlier installation. Never prompts. */
  start(): Promise<void>;
  /** Reads the key; prompts the owner. The first time it makes the key. */
  unlock(): Promise<void>;
  /** Forgets the key, at once. */
  lock(): void;
  put(name: string, value: string): Promise<void>;
  /** Null when there is no such record. */
  get(name: string): Promise<string | null>;
  remove(name: string): Promise<void>;
  /** In no particular order. Names are not secret. */
  names(): Promise<string[]>;
  /** Replaces the key, and encrypts every record anew. */
  rotate(): Promise<void>;
  /** Destroys keys and records. */
  wipe(): Promise<void>;
  getState(): VaultState;
  /** Calls the listener after each change of the state. Gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Forgets the key and ends. What is stored stays for the next launch. */
  dispose(): void;
}

export type CreateVault = (options: VaultOptions) => Vault;

/** What an attempt exports. */
export interface SecureStorageModule {
  readonly createVault: CreateVault;
}
