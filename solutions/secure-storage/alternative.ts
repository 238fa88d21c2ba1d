// Another honest design: a class over SQLite, a row for each record, and an explicit phase of the installation in a table.
// No library.
import type {
  CreateVault,
  Vault,
  VaultErrorCode,
  VaultOptions,
  VaultState,
  VaultStatus,
} from '#contract/secure-storage';
import type { Device, SQLiteDatabase } from '#phone';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS phase (only INTEGER PRIMARY KEY CHECK (only = 1), name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS records (name TEXT PRIMARY KEY, version INTEGER NOT NULL, nonce TEXT NOT NULL, tag TEXT NOT NULL, body TEXT NOT NULL);`;

interface Row {
  readonly version: number;
  readonly nonce: string;
  readonly tag: string;
  readonly body: string;
}

/** Keys by version, in hex. During a rotation there are two. */
interface Keys {
  readonly current: number;
  readonly bornAt: number;
  readonly byVersion: Readonly<Record<string, string>>;
}

class Refused extends Error {
  readonly code: VaultErrorCode;

  constructor(code: VaultErrorCode, why: string) {
    super(why);
    this.code = code;
  }
}

/** Runs jobs one after another. */
class Line {
  #end: Promise<unknown> = Promise.resolve();

  next<T>(job: () => Promise<T>): Promise<T> {
    const mine = this.#end.then(job);
    this.#end = mine.catch(() => undefined);
    return mine;
  }
}

class SqliteVault implements Vault {
  readonly #device: Device;
  readonly #namespace: string;
  readonly #isGuarded: boolean;
  readonly #lockAfterMs: number;
  readonly #maxKeyAgeMs: number;
  readonly #line = new Line();
  readonly #listeners = new Set<() => void>();
  readonly #unread = new Set<string>();
  readonly #watch: { remove(): void };
  #database: Promise<SQLiteDatabase> | null = null;
  #status: VaultStatus = 'locked';
  #keys: Keys | null = null;
  #isDue = false;
  #isReady = false;
  #isDisposed = false;
  #opening: Promise<void> | null = null;
  #rotating: { readonly term: number; readonly end: Promise<void> } | null = null;
  /** Changes with each lock: who has an older one is too late. */
  #term = 0;
  #awaySince: number | null = null;

  constructor({ device, namespace, gate, lockAfterMs, maxKeyAgeMs }: VaultOptions) {
    this.#device = device;
    this.#namespace = namespace;
    this.#isGuarded = gate !== 'none';
    this.#lockAfterMs = lockAfterMs ?? 300_000;
    this.#maxKeyAgeMs = maxKeyAgeMs ?? 7_776_000_000;
    this.#watch = device.appState.addEventListener('change', (state) => this.#moved(state === 'background'));
  }

  getState(): VaultState {
    const isOpen = this.#keys !== null;
    const isRunning = isOpen && Object.keys(this.#keys?.byVersion ?? {}).length > 1;
    return {
      status: this.#status,
      keyVersion: this.#keys?.current ?? null,
      rotation: isRunning ? 'running' : isOpen && this.#isDue ? 'due' : 'none',
      unreadable: [...this.#unread],
    };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  dispose(): void {
    this.lock();
    this.#isDisposed = true;
    this.#watch.remove();
    this.#listeners.clear();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #become(status: VaultStatus): void {
    this.#status = status;
    this.#tell();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Phases of an installation: none yet, `installed`, `wiping`

  start(): Promise<void> {
    return this.#inLine(() => this.#prepare());
  }

  async #prepare(): Promise<void> {
    if (this.#isReady) return;
    const phase = await this.#ask<{ name: string }>('SELECT name FROM phase');
    if (phase?.name !== 'installed') await this.#destroy();
    this.#isReady = true;
  }

  async #destroy(): Promise<void> {
    await stored(this.#device.secureStore.deleteItemAsync(this.#keyItem));
    if ((await this.#list()).length > 0) await this.#run('DELETE FROM records');
    if (await this.#ask('SELECT name FROM phase')) await this.#run('DELETE FROM phase');
    this.#unread.clear();
    this.#become('locked');
  }

  wipe(): Promise<void> {
    this.lock();
    return this.#inLine(async () => {
      this.#isReady = false;
      // A disk without room takes no new phase; what matters is that the key goes.
      await this.#run("REPLACE INTO phase VALUES (1, 'wiping')").catch(() => undefined);
      await this.#destroy();
      this.#isReady = true;
    });
  }

  // -------------------------------------------------------------------------------------------------------------------

  lock(): void {
    this.#term += 1;
    if (this.#keys === null) return;
    this.#keys = null;
    this.#become('locked');
  }

  #moved(isAway: boolean): void {
    if (isAway) {
      this.#awaySince ??= Date.now();
      return;
    }
    const since = this.#awaySince;
    this.#awaySince = null;
    if (since === null || !this.#isGuarded) return;
    const now = Date.now();
    if (now < since || now - since >= this.#lockAfterMs) this.lock();
  }

  async unlock(): Promise<void> {
    if (this.#isDisposed) throw gone();
    if (this.#keys !== null) return;
    this.#opening ??= this.#open();
    try {
      await this.#opening;
    } finally {
      this.#opening = null;
    }
  }

  async #open(): Promise<void> {
    const term = this.#term;
    await this.start();
    const { secureStore } = this.#device;
    if (this.#isGuarded && !secureStore.canUseBiometricAuthentication()) {
      this.#become('unavailable');
      throw new Refused('unavailable', 'Nobody can be recognised on this phone. Enrol a face or finger first.');
    }
    const text = await secureStore.getItemAsync(this.#keyItem).catch(promptFailed);
    await this.#inLine(async () => {
      const stay = () => {
        if (this.#term !== term) throw closed();
      };
      stay();
      const keys = text === null ? await this.#first() : (JSON.parse(text) as Keys);
      stay();
      this.#keys = keys;
      this.#isDue = Date.now() - keys.bornAt >= this.#maxKeyAgeMs;
      this.#become('unlocked');
    });
    if (this.getState().rotation === 'running') this.#rotateOnce().catch(() => undefined);
  }

  async #first(): Promise<Keys> {
    const any = await this.#ask<{ n: number }>('SELECT count(*) AS n FROM records');
    if (any?.n !== 0) {
      this.#become('key-lost');
      throw new Refused('key-lost', 'The key of these records is gone. Wipe the vault to use it anew.');
    }
    await this.#run("REPLACE INTO phase VALUES (1, 'installed')");
    const keys = { current: 1, bornAt: Date.now(), byVersion: { 1: this.#newKey() } };
    await this.#storeKeys(keys);
    return keys;
  }

  #newKey(): string {
    return this.#device.quickCrypto.randomBytes(32).toString('hex');
  }

  get #keyItem(): string {
    return `vault.${this.#namespace}`;
  }

  #storeKeys(keys: Keys): Promise<void> {
    const { secureStore } = this.#device;
    const guarded = {
      requireAuthentication: true,
      keychainAccessible: secureStore.WHEN_PASSCODE_SET_THIS_DEVICE_ONLY,
    };
    const free = {
      requireAuthentication: false,
      keychainAccessible: secureStore.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY,
    };
    return stored(secureStore.setItemAsync(this.#keyItem, JSON.stringify(keys), this.#isGuarded ? guarded : free));
  }

  // -------------------------------------------------------------------------------------------------------------------

  /** The term in which a call begins. Throws when nothing is open. */
  #begin(): number {
    if (this.#isDisposed) throw gone();
    if (this.#keys !== null) return this.#term;
    throw this.#status === 'locked'
      ? closed()
      : new Refused(this.#status as 'key-lost', `The vault is ${this.#status}.`);
  }

  #keysOf(term: number): Keys {
    if (this.#term !== term || this.#keys === null) throw closed();
    return this.#keys;
  }

  async put(name: string, value: string): Promise<void> {
    const term = this.#begin();
    await this.#inLine(() => this.#encrypt(this.#keysOf(term), name, value));
    if (this.#unread.delete(name)) this.#tell();
  }

  async get(name: string): Promise<string | null> {
    const term = this.#begin();
    const value = await this.#inLine(async () => {
      const keys = this.#keysOf(term);
      const row = await this.#row(name);
      return row === null ? null : { text: this.#decrypt(keys, name, row) };
    });
    if (value === null) return null;
    this.#note(name, value.text !== null);
    if (value.text === null)
      throw new Refused('corrupt', `"${name}" was damaged or forged. Remove it, or put it anew.`);
    return value.text;
  }

  #note(name: string, isFine: boolean): void {
    if (isFine === !this.#unread.has(name)) return;
    if (isFine) this.#unread.delete(name);
    else this.#unread.add(name);
    this.#tell();
  }

  remove(name: string): Promise<void> {
    return this.#inLine(async () => {
      await this.#prepare();
      await this.#run('DELETE FROM records WHERE name = ?', name);
      this.#note(name, true);
    });
  }

  names(): Promise<string[]> {
    return this.#inLine(async () => {
      await this.#prepare();
      return this.#list();
    });
  }

  async #list(): Promise<string[]> {
    const database = await this.#opened();
    return (await stored(database.getAllAsync<{ name: string }>('SELECT name FROM records'))).map(({ name }) => name);
  }

  async rotate(): Promise<void> {
    this.#begin();
    await this.#rotateOnce();
  }

  /** Joins the rotation of this term. One of an earlier term stops by itself. */
  #rotateOnce(): Promise<void> {
    if (this.#rotating?.term === this.#term) return this.#rotating.end;
    const rotating = { term: this.#term, end: this.#rotateAll(this.#term) };
    this.#rotating = rotating;
    const forget = () => {
      if (this.#rotating === rotating) this.#rotating = null;
    };
    rotating.end.then(forget, forget);
    return rotating.end;
  }

  async #rotateAll(term: number): Promise<void> {
    await this.#inLine(async () => {
      const { byVersion, current } = this.#keysOf(term);
      if (Object.keys(byVersion).length > 1) return;
      const next = current + 1;
      await this.#exchange(term, {
        current: next,
        bornAt: Date.now(),
        byVersion: { ...byVersion, [next]: this.#newKey() },
      });
    });
    const names = await this.#inLine(() => this.#list());
    for (const name of names) await this.#inLine(() => this.#renew(term, name));
    await this.#inLine(async () => {
      const { bornAt, byVersion, current } = this.#keysOf(term);
      await this.#exchange(term, { current, bornAt, byVersion: { [current]: byVersion[current] ?? '' } });
    });
  }

  async #exchange(term: number, keys: Keys): Promise<void> {
    await this.#storeKeys(keys);
    if (this.#term !== term) return;
    this.#keys = keys;
    this.#isDue = false;
    this.#tell();
  }

  async #renew(term: number, name: string): Promise<void> {
    const keys = this.#keysOf(term);
    const row = await this.#row(name);
    if (row === null || row.version === keys.current) return;
    const value = this.#decrypt(keys, name, row);
    this.#note(name, value !== null);
    if (value !== null) await this.#encrypt(keys, name, value);
  }

  // -------------------------------------------------------------------------------------------------------------------

  #bound(name: string, version: number) {
    return this.#device.quickCrypto.Buffer.from(`${this.#namespace}/${version}/${name}`);
  }

  async #encrypt(keys: Keys, name: string, value: string): Promise<void> {
    const { Buffer, createCipheriv, randomBytes } = this.#device.quickCrypto;
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(keys.byVersion[keys.current] ?? '', 'hex'), nonce);
    cipher.setAAD(this.#bound(name, keys.current));
    const body = cipher.update(value, 'utf8', 'base64') + cipher.final('base64');
    const tag = cipher.getAuthTag().toString('hex');
    const sql = 'REPLACE INTO records VALUES (?, ?, ?, ?, ?)';
    await this.#run(sql, name, keys.current, nonce.toString('hex'), tag, body);
  }

  #decrypt({ byVersion }: Keys, name: string, { version, nonce, tag, body }: Row): string | null {
    const { Buffer, createDecipheriv } = this.#device.quickCrypto;
    const key = byVersion[version];
    if (key === undefined || tag.length !== 32) return null;
    try {
      const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key, 'hex'), Buffer.from(nonce, 'hex'));
      decipher.setAAD(this.#bound(name, version));
      decipher.setAuthTag(Buffer.from(tag, 'hex'));
      return decipher.update(body, 'base64', 'utf8') + decipher.final('utf8');
    } catch {
      return null;
    }
  }

  #row(name: string): Promise<Row | null> {
    return this.#ask<Row>('SELECT version, nonce, tag, body FROM records WHERE name = ?', name);
  }

  async #ask<T>(sql: string, ...values: string[]): Promise<T | null> {
    const database = await this.#opened();
    return stored(database.getFirstAsync<T>(sql, ...values));
  }

  async #run(sql: string, ...values: (string | number)[]): Promise<void> {
    const database = await this.#opened();
    await stored(database.runAsync(sql, ...values));
  }

  /** Opened at first use. What failed is tried again by the next call. */
  #opened(): Promise<SQLiteDatabase> {
    this.#database ??= this.#openDatabase().catch((error: unknown) => {
      this.#database = null;
      throw error;
    });
    return this.#database;
  }

  async #openDatabase(): Promise<SQLiteDatabase> {
    const database = await stored(this.#device.openDatabaseAsync(`vault.${this.#namespace}.db`));
    const known = await stored(database.getFirstAsync("SELECT 1 FROM sqlite_master WHERE name = 'records'"));
    if (known === null) await stored(database.execAsync(SCHEMA));
    return database;
  }

  #inLine<T>(job: () => Promise<T>): Promise<T> {
    return this.#line.next(() => {
      if (this.#isDisposed) throw gone();
      return job();
    });
  }
}

const closed = () => new Refused('locked', 'The vault is locked.');
const gone = () => new Refused('disposed', 'This vault has ended.');

/** Gives the phone's errors the codes of the contract. */
function stored<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    const text = String(error);
    throw /full|enospc/i.test(text) ? new Refused('storage-full', text) : new Refused('storage-failed', text);
  });
}

function promptFailed(error: unknown): never {
  const text = String(error);
  if (text.includes('Biometry is locked out')) throw new Refused('locked-out', text);
  if (text.includes('User canceled') || text.includes('Authentication failed')) throw new Refused('cancelled', text);
  throw new Refused('storage-failed', text);
}

export const createVault: CreateVault = (options) => new SqliteVault(options);
