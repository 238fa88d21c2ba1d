// The reference. What lies on the phone is ciphertext; the key lies behind the owner's face; while the vault is open, the
// key is in memory too, held by one `Opened`. To lock is to let go of it: what belongs to an earlier one finds nothing.
import { createStore } from 'zustand/vanilla';
import type { CreateVault, VaultErrorCode, VaultState } from '#contract/secure-storage';
import type { QuickCrypto } from '#phone';
import { createSerialQueue, type InTurn, singleFlight } from '#solutions/token-refresh';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const KEY_BYTES = 32;
/** NIST SP 800-38D, 8.2.2: at random, one key is good for 2^32 of them. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface VaultKey {
  readonly version: number;
  /** 32 random bytes, as base64. */
  readonly key: string;
  /** By the phone's clock. */
  readonly madeAtMs: number;
}

/** What the key item holds: one key, or two while a rotation goes on. */
interface KeyRing {
  readonly current: VaultKey;
  readonly previous: VaultKey | null;
}

/** The time from an unlock to the next lock. */
interface Opened {
  ring: KeyRing;
  /** Begins a rotation, or goes on with one, for all who ask: it can be cut off anywhere, and begun again from the top. */
  readonly rotate: () => Promise<void>;
}

const CLOSED = { keyVersion: null, rotation: 'none' } as const;

export const createVault: CreateVault = ({
  device,
  namespace,
  gate = 'owner',
  lockAfterMs = 5 * MINUTE_MS,
  maxKeyAgeMs = 90 * DAY_MS,
}) => {
  const { asyncStorage, secureStore, quickCrypto, appState } = device;
  const hasOwner = gate === 'owner';
  const keyItem = `vault.${namespace}`;
  // A namespace holds no slash, so none can be the beginning of another.
  const markerKey = `vault/${namespace}/installed`;
  const recordPrefix = `vault/${namespace}/record/`;
  const store = createStore<VaultState>(() => ({ status: 'locked', ...CLOSED, unreadable: [] }));

  let opened: Opened | null = null;
  /** How often the vault was locked: an unlock that began before the last time comes too late. */
  let locks = 0;
  /** The marker has been looked at: what is stored belongs to this installation, and no wipe is left to finish. */
  let isSound = false;
  let isDisposed = false;
  const queue = createSerialQueue();

  /** All that touches the records or replaces the key is done one after another, in the order of the calls. */
  const inTurn: InTurn = (job) =>
    queue(() => {
      if (isDisposed) throw disposed();
      return job();
    });

  // -------------------------------------------------------------------------------------------------------------------
  // Beginning and end. The marker says that what is stored here is meant to be read. Without it all is rubbish: left over
  // by a wipe that was cut off, or a key that outlived an uninstall. To remove it is to begin a wipe, and needs no room.

  const start = (): Promise<void> => inTurn(prepare);

  async function prepare(): Promise<void> {
    if (isSound) return;
    const marker = await asyncStorage.getItem(markerKey).catch(rethrowAsStorageError);
    if (marker === null) await erase();
    isSound = true;
  }

  /** The key first: from then on the records are noise, however long it takes to remove them. */
  async function erase(): Promise<void> {
    await secureStore.deleteItemAsync(keyItem).catch(rethrowAsStorageError);
    const records = (await listNames()).map(placeOf);
    if (records.length > 0) await asyncStorage.multiRemove(records).catch(rethrowAsStorageError);
    store.setState({ status: 'locked', unreadable: [] });
  }

  function wipe(): Promise<void> {
    lock();
    return inTurn(async () => {
      isSound = false;
      // Should the marker stay, the key goes all the same: better that no start finishes it than that nothing begins it.
      await asyncStorage.removeItem(markerKey).catch(() => undefined);
      await erase();
      isSound = true;
    });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Open and locked

  function lock(): void {
    locks += 1;
    if (opened) store.setState({ status: 'locked', ...CLOSED });
    opened = null;
  }

  const openOnce = singleFlight(open);

  async function unlock(): Promise<void> {
    if (!opened) await openOnce();
  }

  /** The person may take a while, and is asked outside the turns: a wipe does not wait for a face. */
  async function open(): Promise<void> {
    const locksBefore = locks;
    await start();
    if (hasOwner && !secureStore.canUseBiometricAuthentication()) throw unable('unavailable');
    const item = await secureStore.getItemAsync(keyItem).catch(rethrowAsPromptError);
    await inTurn(async () => {
      if (locks !== locksBefore) throw locked();
      const ring = item === null ? await firstRing() : (JSON.parse(item) as KeyRing);
      if (locks !== locksBefore) throw locked();
      const own: Opened = { ring, rotate: singleFlight(() => renewAll(own)) };
      opened = own;
      show(own);
    });
    // What a kill has cut off goes on by itself. Nobody waits for it: where it fails, the next unlock tries again.
    if (opened?.ring.previous) opened.rotate().catch(() => undefined);
  }

  /** No key: the vault is new, or its key is lost. A new key would only hide that the records cannot be read. */
  async function firstRing(): Promise<KeyRing> {
    if ((await listNames()).length > 0) throw unable('key-lost');
    await asyncStorage.setItem(markerKey, 'yes').catch(rethrowAsStorageError);
    return keep({ current: newKey(1), previous: null });
  }

  function unable(status: 'unavailable' | 'key-lost'): Error {
    store.setState({ status });
    return refusal(status);
  }

  function show({ ring: { current, previous } }: Opened): void {
    const { version, madeAtMs } = current;
    const isDue = Date.now() - madeAtMs >= maxKeyAgeMs;
    const rotation = previous ? 'running' : isDue ? 'due' : 'none';
    store.setState({ status: 'unlocked', keyVersion: version, rotation });
  }

  /** Null in the foreground. */
  let leftAtMs: number | null = null;
  const appStateListener = appState.addEventListener('change', (next) => {
    if (next === 'background') leftAtMs = Date.now();
    if (next !== 'active' || leftAtMs === null) return;
    // No timer: it would stand still while the app is away. Time that ran backwards may have been any time.
    if (hasOwner && !isWithin(Date.now() - leftAtMs, lockAfterMs)) lock();
    leftAtMs = null;
  });

  /** Runs a job in its turn, with the keys. Rejects at once unless the vault is open, and when it was locked before the turn. */
  async function whileOpen<T>(job: (own: Opened) => Promise<T>): Promise<T> {
    const own = theOpened();
    return inTurn(() => {
      stillOpen(own);
      return job(own);
    });
  }

  function theOpened(): Opened {
    if (isDisposed) throw disposed();
    if (opened) return opened;
    const { status } = store.getState();
    throw status === 'unlocked' ? locked() : refusal(status);
  }

  function stillOpen(own: Opened): void {
    if (opened !== own) throw locked();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Records: one value of the storage each, so that a write changes all of it or nothing

  const placeOf = (name: string): string => recordPrefix + name;
  const read = (name: string) => asyncStorage.getItem(placeOf(name)).catch(rethrowAsStorageError);

  async function listNames(): Promise<string[]> {
    const places = await asyncStorage.getAllKeys().catch(rethrowAsStorageError);
    return places.filter((place) => place.startsWith(recordPrefix)).map((place) => place.slice(recordPrefix.length));
  }

  function write(own: Opened, name: string, value: string): Promise<void> {
    const record = seal(quickCrypto, own.ring.current, [namespace, name], value);
    return asyncStorage.setItem(placeOf(name), record).catch(rethrowAsStorageError);
  }

  /** Null when it is not authentic. Tells the state. */
  function decrypt(own: Opened, name: string, record: string): string | null {
    const value = unseal(quickCrypto, own.ring, [namespace, name], record);
    noteReadable(name, value !== null);
    return value;
  }

  function noteReadable(name: string, isReadable: boolean): void {
    const { unreadable } = store.getState();
    if (unreadable.includes(name) !== isReadable) return;
    store.setState({ unreadable: isReadable ? unreadable.filter((one) => one !== name) : [...unreadable, name] });
  }

  const put = (name: string, value: string): Promise<void> =>
    whileOpen(async (own) => {
      await write(own, name, value);
      noteReadable(name, true);
    });

  const get = (name: string): Promise<string | null> =>
    whileOpen(async (own) => {
      const record = await read(name);
      const value = record === null ? null : decrypt(own, name, record);
      if (record !== null && value === null) throw corrupt(name);
      return value;
    });

  const remove = (name: string): Promise<void> =>
    inTurn(async () => {
      await prepare();
      await asyncStorage.removeItem(placeOf(name)).catch(rethrowAsStorageError);
      noteReadable(name, true);
    });

  const names = (): Promise<string[]> =>
    inTurn(async () => {
      await prepare();
      return listNames();
    });

  // -------------------------------------------------------------------------------------------------------------------
  // Rotation: at every moment the key item holds every key that a record needs

  async function rotate(): Promise<void> {
    await theOpened().rotate();
  }

  async function renewAll(own: Opened): Promise<void> {
    const { current, previous } = own.ring;
    if (!previous) await replaceRing(own, { current: newKey(current.version + 1), previous: current });
    // Whoever writes from here on uses the new key; what was written before is in this list.
    for (const name of await inTurn(listNames)) await inTurn(() => renew(own, name));
    await replaceRing(own, { ...own.ring, previous: null });
  }

  /** In one turn: a `put` or a `remove` between the read and the write would be undone. */
  async function renew(own: Opened, name: string): Promise<void> {
    stillOpen(own);
    const record = await read(name);
    if (record === null || partsOf(record).version === own.ring.current.version) return;
    const value = decrypt(own, name, record);
    // No key will ever open a forged record: it is left as it is, and needs none.
    if (value !== null) await write(own, name, value);
  }

  const replaceRing = (own: Opened, ring: KeyRing): Promise<void> =>
    inTurn(async () => {
      stillOpen(own);
      own.ring = await keep(ring);
      if (opened === own) show(own);
    });

  async function keep(ring: KeyRing): Promise<KeyRing> {
    const { WHEN_UNLOCKED_THIS_DEVICE_ONLY, AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY } = secureStore;
    const keychainAccessible = hasOwner ? WHEN_UNLOCKED_THIS_DEVICE_ONLY : AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY;
    const rules = { requireAuthentication: hasOwner, keychainAccessible };
    await secureStore.setItemAsync(keyItem, JSON.stringify(ring), rules).catch(rethrowAsStorageError);
    return ring;
  }

  function newKey(version: number): VaultKey {
    return { version, key: quickCrypto.randomBytes(KEY_BYTES).toString('base64'), madeAtMs: Date.now() };
  }

  function dispose(): void {
    lock();
    isDisposed = true;
    appStateListener.remove();
  }

  return {
    start,
    unlock,
    lock,
    put,
    get,
    remove,
    names,
    rotate,
    wipe,
    getState: store.getState,
    subscribe: (listener) => store.subscribe(() => listener()),
    dispose,
  };
};

const isWithin = (awayMs: number, limitMs: number): boolean => awayMs >= 0 && awayMs < limitMs;

// ---------------------------------------------------------------------------------------------------------------------
// Records: `version.nonce+tag+ciphertext`, the latter as base64. NIST SP 800-38D.

type Place = readonly [namespace: string, name: string];

/** Authenticated with the value, but not stored: a record opens at its own place and under its own version only. */
const additionalData = ({ Buffer }: QuickCrypto, place: Place, version: number) =>
  Buffer.from(JSON.stringify([...place, version]));

function seal(crypto: QuickCrypto, { version, key }: VaultKey, place: Place, value: string): string {
  const nonce = crypto.randomBytes(NONCE_BYTES);
  const cipher = crypto.createCipheriv('aes-256-gcm', crypto.Buffer.from(key, 'base64'), nonce);
  cipher.setAAD(additionalData(crypto, place, version));
  const text = crypto.Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return `${version}.${crypto.Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64')}`;
}

function partsOf(record: string): { readonly version: number; readonly sealed: string } {
  const [version, sealed = ''] = record.split('.');
  return { version: Number(version), sealed };
}

/** Null when the record is not what was sealed for this place with one of these keys. */
function unseal(crypto: QuickCrypto, { current, previous }: KeyRing, place: Place, record: string): string | null {
  const { version, sealed } = partsOf(record);
  const found = [current, previous].find((one) => one?.version === version);
  const bytes = crypto.Buffer.from(sealed, 'base64');
  // A tag that was cut short would do for the cipher as well, down to four bytes: few enough to guess.
  if (!found || bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  try {
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = crypto.createDecipheriv('aes-256-gcm', crypto.Buffer.from(found.key, 'base64'), nonce);
    decipher.setAAD(additionalData(crypto, place, version));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const value = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
    return crypto.Buffer.concat([value, decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Errors

function vaultError(code: VaultErrorCode, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}
const disposed = () => vaultError('disposed', 'The vault was disposed. Create a new one.');
const corrupt = (name: string) =>
  vaultError('corrupt', `The record "${name}" is damaged or forged. Put it anew, or remove it.`);

const WHY_CLOSED = {
  locked: 'The vault is locked. Unlock it first.',
  'key-lost': 'The key is lost, and with it what was stored. Wipe the vault to begin anew.',
  unavailable: 'No face or finger is enrolled on this phone. Ask the owner to enrol one, then unlock.',
};
const refusal = (status: keyof typeof WHY_CLOSED) => vaultError(status, WHY_CLOSED[status]);
const locked = () => refusal('locked');

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function rethrowAsStorageError(cause: unknown): never {
  const isFull = /full|ENOSPC/i.test(textOf(cause));
  if (isFull)
    throw vaultError('storage-full', 'The phone has no room left. What was stored before is still there.', cause);
  throw vaultError('storage-failed', 'The phone could not read or write its storage. Try again.', cause);
}

function rethrowAsPromptError(cause: unknown): never {
  const text = textOf(cause);
  if (/locked out/i.test(text))
    throw vaultError('locked-out', 'Too many wrong tries. The phone asks for its passcode first.', cause);
  if (/cancel|Authentication failed/i.test(text))
    throw vaultError('cancelled', 'The owner was not recognised, or did not want to be. Ask again on a tap.', cause);
  rethrowAsStorageError(cause);
}
