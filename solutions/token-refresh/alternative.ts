// Another honest design: a class per signed-in user with a list of waiters, netInfo listened to, and a key hashed from the
// refresh token. No library.
import type {
  CreateSession,
  Session,
  SessionErrorCode,
  SessionOptions,
  SessionState,
  Tokens,
} from '#contract/token-refresh';
import type { SecureStore } from '#phone';

const PLACE = 'auth.tokens';
const TRIES = 3;
const PATIENCE_MS = 5_000;

interface Stored {
  readonly user: string;
  readonly tokens: Tokens;
  readonly at: number;
}

interface Waiter {
  readonly go: (token: string) => void;
  readonly fail: (error: Error) => void;
}

class Turned extends Error {
  readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, why: string) {
    super(why);
    this.code = code;
  }
}
const isOut = () => new Turned('signed-out', 'This session is over.');

/** What an account needs of the phone and the server. */
interface Surroundings {
  readonly isOnline: () => boolean;
  readonly trade: (refreshToken: string, signal: AbortSignal) => Promise<Outcome>;
  /** Writes in turn. False when it could not be written or another account has taken over. */
  readonly save: (account: Account, stored: Stored) => Promise<boolean>;
  readonly ended: (account: Account) => Promise<void>;
}

type Outcome = Tokens | 'ended' | { readonly waitMs: number | null };

/** One user's tokens for as long as that user is signed in. */
class Account {
  stored: Stored;
  isClosed = false;
  #waiters: Waiter[] = [];
  #isRefreshing = false;
  #hurry: (() => void) | null = null;
  readonly #around: Surroundings;

  constructor(stored: Stored, around: Surroundings) {
    this.stored = stored;
    this.#around = around;
  }

  get token(): string {
    return this.stored.tokens.accessToken;
  }

  /** Also true for a token from the future: after a clock was set back its age is anybody's guess. */
  get isOld(): boolean {
    const { expiresIn } = this.stored.tokens;
    const ageS = (Date.now() - this.stored.at) / 1_000;
    return ageS < 0 || ageS > expiresIn - Math.min(30, expiresIn / 2);
  }

  renewed(): Promise<string> {
    return new Promise((go, fail) => {
      this.#waiters.push({ go, fail });
      if (!this.#isRefreshing) void this.#refresh();
    });
  }

  /** Nobody waits any longer, and whatever is out is dropped when it comes. */
  close(error: Error): void {
    this.isClosed = true;
    this.#tell((waiter) => waiter.fail(error));
    this.#hurry?.();
  }

  #tell(how: (waiter: Waiter) => void): void {
    for (const waiter of this.#waiters.splice(0)) how(waiter);
  }

  async #refresh(): Promise<void> {
    this.#isRefreshing = true;
    const error = await this.#tryThrice();
    this.#isRefreshing = false;
    if (error) this.#tell((waiter) => waiter.fail(error));
    else this.#tell((waiter) => waiter.go(this.token));
  }

  /** Null once a new pair is stored, else what to tell those who wait. */
  async #tryThrice(): Promise<Error | null> {
    for (let nth = 1; nth <= TRIES; nth += 1) {
      if (this.isClosed) return isOut();
      if (!this.#around.isOnline()) return new Turned('network', 'The phone is offline.');
      const outcome = await this.#try();
      if (this.isClosed) return isOut();
      if (outcome === 'ended') {
        await this.#around.ended(this);
        return isOut();
      }
      if ('accessToken' in outcome) {
        const stored = { user: this.stored.user, tokens: outcome, at: Date.now() };
        if (await this.#around.save(this, stored)) return null;
      }
      const asked = 'waitMs' in outcome ? outcome.waitMs : null;
      if (nth === TRIES || (asked ?? 0) > 5_000) break;
      await this.#sleep(asked ?? nth * 1_000);
    }
    return this.isClosed ? isOut() : new Turned('refresh-unavailable', 'No new token to be had now.');
  }

  #try(): Promise<Outcome> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), PATIENCE_MS);
    this.#hurry = () => abort.abort();
    return this.#around
      .trade(this.stored.tokens.refreshToken, abort.signal)
      .catch((): Outcome => ({ waitMs: null }))
      .finally(() => clearTimeout(timer));
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((wake) => {
      const timer = setTimeout(wake, ms);
      this.#hurry = () => {
        clearTimeout(timer);
        wake();
      };
    });
  }
}

class TokenSession implements Session {
  readonly #options: SessionOptions;
  readonly #disk: SecureStore;
  readonly #listeners = new Set<() => void>();
  #stopListening = () => {};
  /** netInfo tells its listeners how things are soon after they have joined. */
  readonly #hasHeardOfNetwork: Promise<void>;
  #endTheWait = () => {};
  #state: SessionState = { status: 'unknown', userId: null, reason: null };
  #account: Account | null = null;
  #isOnline = true;
  #isDisposed = false;
  #open: () => void = () => {};
  readonly #gate = new Promise<void>((open) => {
    this.#open = open;
  });
  #writes: Promise<unknown> = this.#gate;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#disk = options.device.secureStore;
    this.#hasHeardOfNetwork = new Promise((heard) => {
      this.#endTheWait = heard;
      this.#stopListening = options.device.netInfo.addEventListener(({ isConnected }) => {
        this.#isOnline = isConnected;
        heard();
      });
    });
  }

  async start(): Promise<void> {
    this.#check();
    const text = await this.#disk.getItemAsync(PLACE).catch(keychainFailed);
    await this.#hasHeardOfNetwork;
    this.#check();
    if (this.#state.status !== 'unknown') return;
    const stored = fromText(text);
    if (stored) this.#enter(stored);
    else this.#show({ status: 'signed-out', userId: null, reason: null });
    this.#open();
  }

  async adopt({ userId, accessToken, refreshToken, expiresIn }: Tokens & { readonly userId: string }): Promise<void> {
    const stored = { user: userId, tokens: { accessToken, refreshToken, expiresIn }, at: Date.now() };
    await this.#oneByOne(async () => {
      await this.#disk.setItemAsync(PLACE, JSON.stringify(stored)).catch(keychainFailed);
      this.#enter(stored);
    });
  }

  async signOut(): Promise<void> {
    await this.#oneByOne(async () => {
      const account = this.#account;
      this.#account = null;
      account?.close(isOut());
      try {
        await this.#disk.deleteItemAsync(PLACE);
      } catch (error) {
        if (account) this.#enter(account.stored);
        keychainFailed(error);
      }
      if (!account) return;
      this.#show({ status: 'signed-out', userId: null, reason: 'user' });
      const { refreshToken } = account.stored.tokens;
      this.#send('/auth/logout', { refreshToken }, {}).catch(() => undefined);
    });
  }

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const request = input instanceof Request ? input : null;
    if (!this.#isOurs(request?.url ?? String(input))) return fetch(input, init);
    const copy = new Headers(init.headers ?? request?.headers);
    const signal = init.signal ?? request?.signal ?? null;
    const send = (token: string) => {
      const headers = new Headers(copy);
      headers.set('Authorization', `Bearer ${token}`);
      return fetch(request?.clone() ?? input, { ...init, headers });
    };

    const account = await orAborted(signal, this.#whoIsIn());
    let mayRefresh = true;
    let token = account.token;
    if (account.isOld) {
      mayRefresh = false;
      token = await orAborted(signal, account.renewed());
    }
    if (account.isClosed) throw this.#over();
    const answer = await send(token);
    const isOneWay = init.body instanceof ReadableStream;
    if (answer.status !== 401 || isOneWay || account.isClosed) return answer;
    if (account.token === token) {
      if (!mayRefresh) return answer;
      await orAborted(signal, account.renewed());
    }
    if (account.isClosed) throw this.#over();
    return send(account.token);
  };

  async getAccessToken(): Promise<string> {
    const account = await this.#whoIsIn();
    return account.isOld ? account.renewed() : account.token;
  }

  getState(): SessionState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#stopListening();
    this.#endTheWait();
    this.#account?.close(this.#over());
    this.#open();
  }

  async #whoIsIn(): Promise<Account> {
    if (this.#state.status === 'unknown') await this.#gate;
    this.#check();
    if (!this.#account) throw isOut();
    return this.#account;
  }

  #enter(stored: Stored): void {
    this.#account?.close(isOut());
    this.#account = new Account(stored, {
      isOnline: () => this.#isOnline,
      trade: (refreshToken, signal) => this.#trade(refreshToken, signal),
      save: (account, next) => this.#save(account, next),
      ended: (account) => this.#ended(account),
    });
    this.#show({ status: 'signed-in', userId: stored.user, reason: null });
  }

  #save(account: Account, stored: Stored): Promise<boolean> {
    return this.#oneByOne(async () => {
      if (account.isClosed) return false;
      const text = JSON.stringify(stored);
      const isStored = await this.#disk.setItemAsync(PLACE, text).then(
        () => true,
        () => false,
      );
      if (isStored) account.stored = stored;
      return isStored && !account.isClosed;
    }).catch(() => false);
  }

  #ended(account: Account): Promise<void> {
    return this.#oneByOne(async () => {
      if (account.isClosed) return;
      this.#account = null;
      await this.#disk.deleteItemAsync(PLACE).catch(() => undefined);
      this.#show({ status: 'signed-out', userId: null, reason: 'session-ended' });
      account.close(isOut());
    });
  }

  async #trade(refreshToken: string, signal: AbortSignal): Promise<Outcome> {
    const { refresh } = this.#options;
    if (refresh) return refresh(refreshToken, signal);
    const answer = await this.#send(
      '/auth/refresh',
      { refreshToken },
      { 'Idempotency-Key': hash(refreshToken) },
      signal,
    );
    const body: unknown = await answer.json().catch(() => null);
    const isJson = typeof body === 'object' && body !== null && !Array.isArray(body);
    if (answer.status === 200 && isTokens(body)) return body;
    if (answer.status === 401 && isJson) return 'ended';
    if (answer.status === 400 && isJson && 'error' in body && body.error === 'invalid_grant') return 'ended';
    return { waitMs: waitAskedFor(answer.headers) };
  }

  #send(path: string, body: object, extra: Record<string, string>, signal: AbortSignal | null = null) {
    const headers = { 'Content-Type': 'application/json', ...extra };
    return fetch(this.#options.apiUrl + path, { method: 'POST', headers, body: JSON.stringify(body), signal });
  }

  /** Everything that writes waits for what was asked before it. */
  #oneByOne<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#writes.then(() => {
      this.#check();
      return job();
    });
    this.#writes = result.catch(() => undefined);
    return result;
  }

  #isOurs(url: string): boolean {
    return URL.parse(url)?.origin === new URL(this.#options.apiUrl).origin;
  }

  #show(state: SessionState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }

  #over(): Error {
    return this.#isDisposed ? new Turned('disposed', 'The session was disposed.') : isOut();
  }

  #check(): void {
    if (this.#isDisposed) throw this.#over();
  }
}

function keychainFailed(cause: unknown): never {
  throw new Turned('storage-failed', `The keychain failed: ${String(cause)}`);
}

function orAborted<T>(signal: AbortSignal | null, promise: Promise<T>): Promise<T> {
  if (signal === null) return promise;
  const aborted = new Promise<never>((_, reject) => {
    const give = () => reject(signal.reason);
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
  return Promise.race([promise, aborted]);
}

function waitAskedFor(headers: Headers): number | null {
  const asked = headers.get('Retry-After') ?? '';
  if (asked.trim() === '') return null;
  const seconds = Number(asked);
  const serverNow = Date.parse(headers.get('Date') ?? '');
  const ms = Number.isNaN(seconds) ? Date.parse(asked) - serverNow : seconds * 1_000;
  return ms > 0 ? ms : null;
}

/** cyrb53: 53 bits that tell tokens apart and do not give them away. */
function hash(text: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let n = 0; n < text.length; n += 1) {
    const code = text.charCodeAt(n);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return `refresh-${(4294967296 * (2097151 & b) + (a >>> 0)).toString(36)}`;
}

function isTokens(value: unknown): value is Tokens {
  if (typeof value !== 'object' || value === null) return false;
  if (!('accessToken' in value && 'refreshToken' in value && 'expiresIn' in value)) return false;
  const { accessToken, refreshToken, expiresIn } = value;
  return [accessToken, refreshToken].every((one) => typeof one === 'string' && one) && Number(expiresIn) > 0;
}

function fromText(text: string | null): Stored | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    if (typeof value !== 'object' || value === null || !('user' in value && 'tokens' in value && 'at' in value))
      return null;
    const { user, tokens, at } = value;
    return typeof user === 'string' && isTokens(tokens) && typeof at === 'number' ? { user, tokens, at } : null;
  } catch {
    return null;
  }
}

export const createSession: CreateSession = (options) => new TokenSession(options);
