// What is stored. All secrets are one keychain value, so that each step is one write: written first, believed afterwards,
// one change after another. With the lock on, the session lies in the vault instead, and the value says so. Owns that
// value, what is in the vault, and the mark of this installation.
import type { OtpState, User } from '#contract/auth';
import type { Vault, VaultError } from '#contract/secure-storage';
import type { Device } from '#phone';
import { createSerialQueue, isObject, parseJson } from '#solutions/token-refresh';
import { failAs } from './failure.ts';
import type { Visit } from './visits.ts';

const SECRETS_ITEM = 'auth.secrets';
const INSTALL_KEY = 'auth.install';
const SEALED_NAME = 'session';

/** What is stored of a session. */
export interface KeptSession {
  readonly user: User;
  /** To sign out with. */
  readonly refreshToken: string;
  /** Of the last sign-in or renewal, by the phone's clock. */
  readonly validatedAtMs: number;
  /** The session pattern's own record: what is in it is its business. */
  readonly record: string;
}

export interface OtpFlow extends OtpState {
  readonly otpFlowId: string;
}

/** The keychain value. */
export interface Secrets {
  /** In the open here, unless it is sealed in the vault. */
  readonly session: KeptSession | null;
  readonly isSealed: boolean;
  readonly flow: OtpFlow | null;
  /** Refresh tokens of sessions that ended here and that the server has yet to hear of. */
  readonly owed: readonly string[];
}
const NOTHING: Secrets = { session: null, isSealed: false, flow: null, owed: [] };

export type Safe = ReturnType<typeof createSafe>;

export function createSafe({ asyncStorage, secureStore }: Device, vault: Vault) {
  const queue = createSerialQueue();
  let secrets = NOTHING;
  let deviceId: string | null = null;

  const inTurn = (own: Visit, job: () => Promise<void>): Promise<void> =>
    queue(() => {
      own.stillOn();
      return job();
    });

  async function write(change: Partial<Secrets>): Promise<void> {
    const next = { ...secrets, ...change };
    await secureStore.setItemAsync(SECRETS_ITEM, JSON.stringify(next)).catch(failAs('storage'));
    secrets = next;
  }

  /** A new session, or a new pair of this one. */
  const keep = (own: Visit, kept: KeptSession) =>
    inTurn(own, async () => {
      if (own.isSealed) await vault.put(SEALED_NAME, JSON.stringify(kept)).catch(failAs('storage'));
      else await write({ session: kept, flow: null });
      own.kept = kept;
    });

  const keepFlow = (own: Visit, flow: OtpFlow) => inTurn(own, () => write({ flow }));

  /** One write decides it. What the vault still holds then is noise without a key as soon as it comes to it. */
  const clear = (own: Visit, owed: readonly string[] = []) =>
    inTurn(own, async () => {
      await write({ ...NOTHING, owed: [...secrets.owed, ...owed] });
      if (own.isSealed) await vault.wipe().catch(() => undefined);
    });

  const settle = (own: Visit, paid: string) =>
    inTurn(own, () => write({ owed: secrets.owed.filter((refreshToken) => refreshToken !== paid) }));

  /** Into the vault first: until the copy in the open is gone, it is the one that counts. */
  const seal = (own: Visit) =>
    inTurn(own, async () => {
      // A double tap, and the first has done it.
      if (own.isSealed) return;
      // What an interrupted switch may have left is behind a key that a prompt would be needed for.
      await vault.wipe();
      await vault.unlock();
      await vault.put(SEALED_NAME, JSON.stringify(own.kept));
      await write({ session: null, isSealed: true });
      own.isSealed = true;
    });

  const unseal = (own: Visit) =>
    inTurn(own, async () => {
      await write({ session: own.kept, isSealed: false });
      own.isSealed = false;
      await vault.wipe().catch(() => undefined);
    });

  /** Asks the owner. Null when nothing is where the session must be; rejects when the owner was not recognised. */
  async function readSealed(): Promise<KeptSession | null> {
    try {
      await vault.unlock();
      // The vault gives what was sealed, or it says why not: nobody else can have written it.
      return JSON.parse(String(await vault.get(SEALED_NAME))) as KeptSession | null;
    } catch (error) {
      const { code } = error as VaultError;
      if (code === 'key-lost' || code === 'corrupt') return null;
      // A prompt that was answered counts once: the next try asks again.
      vault.lock();
      throw error;
    }
  }

  /** Once per installation. A keychain outlives its app: without the mark, what is in it was left by an earlier one. */
  async function install(): Promise<string> {
    await secureStore.deleteItemAsync(SECRETS_ITEM).catch(failAs('storage'));
    await vault.start().catch(failAs('storage'));
    const id = crypto.randomUUID();
    await asyncStorage.setItem(INSTALL_KEY, id).catch(failAs('storage'));
    deviceId = id;
    return id;
  }

  async function load(): Promise<Secrets> {
    deviceId = await asyncStorage.getItem(INSTALL_KEY).catch(failAs('storage'));
    if (deviceId === null) await install().catch(() => undefined);
    else secrets = readSecrets(await secureStore.getItemAsync(SECRETS_ITEM).catch(failAs('storage')));
    return secrets;
  }

  return {
    load,
    deviceId: async () => deviceId ?? install(),
    isSealed: () => secrets.isSealed,
    owed: () => secrets.owed,
    keep,
    keepFlow,
    clear,
    settle,
    seal,
    unseal,
    readSealed,
  };
}

/** They were written at once: all of it is there, or nothing. What nobody can read must not shut people out for good. */
const readSecrets = (text: string | null): Secrets => {
  const value = parseJson(text ?? '');
  return isObject(value) ? { ...NOTHING, ...value } : NOTHING;
};
