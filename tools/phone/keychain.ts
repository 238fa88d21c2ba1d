// Keychain (iOS) or Keystore (Android): small secrets with rules about who may read them.
import { KeyValueStore } from './key-value-store.ts';

/** How an item is guarded. */
export interface KeychainRules {
  /** Asks the person at each read. Bound to the faces and fingers that were enrolled at the write. */
  readonly requireAuthentication: boolean;
  /** One of `secureStore`'s constants: when it can be read, and whether a backup takes it to another phone. */
  readonly keychainAccessible: number;
  /** Which enrolment of faces and fingers it is bound to. */
  readonly enrolment: number;
}

const PLAIN: KeychainRules = { requireAuthentication: false, keychainAccessible: 5, enrolment: 0 };

/** The items, with their rules. An item put in by hand has none. */
export class Keychain extends KeyValueStore<string> {
  readonly #rules = new Map<string, KeychainRules>();

  rulesOf(key: string): KeychainRules {
    return this.#rules.get(key) ?? PLAIN;
  }

  /** Stores an item under rules, in place of an old one and its rules. */
  guard(key: string, value: string, rules: KeychainRules): void {
    this.set(key, value);
    this.#rules.set(key, rules);
  }

  override delete(key: string): void {
    super.delete(key);
    this.#rules.delete(key);
  }

  override clear(): void {
    super.clear();
    this.#rules.clear();
  }
}
