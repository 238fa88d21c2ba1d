// The reference. Every session is one `Stay`: a call holds on to the stay it began in, and what belongs to an ended stay
// can neither send, nor store, nor bring anything back.
import { createStore } from 'zustand/vanilla';
import type { CreateSession, SessionErrorCode, SessionState, Tokens } from '#contract/token-refresh';

const RECORD_KEY = 'session';
const MARGIN_SECONDS = 30;
const TRY_MS = 5_000;
const RETRY_AFTER_MAX_MS = 5_000;
const NEVER = Number.POSITIVE_INFINITY;
/** After each try. */
const PAUSES_MS = [1_000, 2_000, NEVER];

/** What the keychain holds: all of it in one value, so that no kill can tear a pair apart. */
interface StoredSession extends Tokens {
  readonly userId: string;
  /** By the phone's clock, which is the one its age will be counted by. */
  readonly receivedAtMs: number;
  /** Sent with every try to trade this refresh token. Stored with it, so it outlives a kill in between. */
  readonly refreshKey: string;
}

/** One person's session, from the sign-in (or the launch) to its end. */
interface Stay {
  stored: StoredSession;
  /** The refresh that is going on, for all who need one. */
  refreshing: Promise<void> | null;
  /** Aborts when the stay ends, for whatever reason. */
  readonly ending: AbortController;
}

/** Nobody knows whether the server has rotated; the key makes it safe to ask again. */
interface Transient {
  readonly retryAfterMs: number | null;
}
type Verdict = Tokens | 'ended' | Transient;

const UNKNOWN: SessionState = { status: 'unknown', userId: null, reason: null };
const signedIn = (userId: string): SessionState => ({ status: 'signed-in', userId, reason: null });
const nobody = (reason: SessionState['reason']): SessionState => ({ status: 'signed-out', userId: null, reason });

export const createSession: CreateSession = ({ device, apiUrl, refresh }) => {
  const { secureStore, netInfo } = device;
  const apiOrigin = new URL(apiUrl).origin;
  const store = createStore<SessionState>(() => UNKNOWN);
  let stay: Stay | null = null;
  let isDisposed = false;
  let restoring: Promise<void> | undefined;

  let openGate = () => {};
  const started = new Promise<void>((resolve) => {
    openGate = resolve;
  });
  let lastTurn: Promise<unknown> = started;

  /** All that changes the record is done one after another, in the order of the calls. */
  function inTurn<T>(job: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(() => {
      if (isDisposed) throw disposed();
      return job();
    });
    lastTurn = turn.catch(() => undefined);
    return turn;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Coming and going

  function begin(stored: StoredSession): void {
    stay?.ending.abort();
    stay = { stored, refreshing: null, ending: new AbortController() };
    store.setState(signedIn(stored.userId));
  }

  const isOver = (one: Stay): boolean => one.ending.signal.aborted;
  const gone = () => (isDisposed ? disposed() : signedOut());

  async function restore(): Promise<void> {
    const text = await secureStore.getItemAsync(RECORD_KEY).catch(rethrowAsStorageError);
    if (isDisposed) throw disposed();
    const stored = readRecord(text);
    if (stored) begin(stored);
    else store.setState(nobody(null));
    openGate();
  }

  async function start(): Promise<void> {
    if (isDisposed) throw disposed();
    restoring ??= restore().catch((error: unknown) => {
      restoring = undefined;
      throw error;
    });
    await restoring;
  }

  async function adopt({ userId, ...tokens }: Tokens & { readonly userId: string }): Promise<void> {
    const stored = toRecord(userId, tokens, Date.now());
    await inTurn(async () => {
      await write(stored).catch(rethrowAsStorageError);
      begin(stored);
    });
  }

  function signOut(): Promise<void> {
    return inTurn(async () => {
      const leaving = stay;
      // From here on nothing leaves: not a call that waits, not a refresh that is in a pause.
      leaving?.ending.abort();
      stay = null;
      try {
        // Also when nobody is signed in: the keychain may have kept what the server has ended.
        await secureStore.deleteItemAsync(RECORD_KEY);
      } catch (cause) {
        if (leaving) begin(leaving.stored);
        throw storageFailed(cause);
      }
      if (!leaving) return;
      store.setState(nobody('user'));
      void tellServer(leaving.stored.refreshToken);
    });
  }

  /** Best effort, and past the 401 handling: nobody waits for it, and nothing depends on it. */
  async function tellServer(refreshToken: string): Promise<void> {
    await post('/auth/logout', { refreshToken }, {}).catch(() => undefined);
  }

  /** The server says it is over. If the keychain keeps the record all the same, the next launch learns it anew. */
  function endByServer(ended: Stay): Promise<void> {
    return inTurn(async () => {
      if (isOver(ended)) return;
      ended.ending.abort();
      stay = null;
      await secureStore.deleteItemAsync(RECORD_KEY).catch(() => undefined);
      store.setState(nobody('session-ended'));
    });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Calls

  /** The session a call belongs to, from its beginning to its end. */
  async function currentStay(): Promise<Stay> {
    await started;
    if (isDisposed || !stay) throw gone();
    return stay;
  }

  async function sessionFetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
    if (originOf(input) !== apiOrigin) return fetch(input, init);
    const call = repeatable(input, init);
    const own = await unlessAborted(currentStay(), call.signal);

    const isEarly = isNearItsEnd(own.stored);
    const token = await tokenOf(own, isEarly, call.signal);
    const answer = await call.send(token);
    if (answer.status !== 401 || !call.isRepeatable || isOver(own)) return answer;

    // Somebody else has refreshed while this 401 was on its way: there is a better token already.
    const isOutdated = token !== own.stored.accessToken;
    // A call has one refresh at most. A new token that is refused will not be mended by a newer one.
    if (isEarly && !isOutdated) return answer;
    return call.send(await tokenOf(own, !isOutdated, call.signal));
  }

  async function getAccessToken(): Promise<string> {
    const own = await currentStay();
    return tokenOf(own, isNearItsEnd(own.stored), null);
  }

  /** The token of this session, renewed first or as it is. While one waits for it, the session may end. */
  async function tokenOf(own: Stay, isRefreshNeeded: boolean, signal: AbortSignal | null): Promise<string> {
    if (isRefreshNeeded) await unlessAborted(refreshed(own), signal);
    if (isOver(own)) throw gone();
    return own.stored.accessToken;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Refresh: one for all, stored before anybody may go on

  function refreshed(own: Stay): Promise<void> {
    own.refreshing ??= renew(own).finally(() => {
      own.refreshing = null;
    });
    return own.refreshing;
  }

  async function renew(own: Stay): Promise<void> {
    for (const pauseMs of PAUSES_MS) {
      const { isConnected } = await netInfo.fetch();
      if (isOver(own)) return;
      if (!isConnected) throw offline();

      const verdict = await ask(own);
      if (verdict === 'ended') return endByServer(own);
      // A pair that the keychain does not take is asked for again: the same key gets the same pair.
      const isKept = 'accessToken' in verdict && (await keep(own, verdict));
      if (isKept || isOver(own)) return;

      const waitMs = ('retryAfterMs' in verdict ? verdict.retryAfterMs : null) ?? pauseMs;
      if (pauseMs === NEVER || waitMs > RETRY_AFTER_MAX_MS) break;
      await pause(waitMs, own.ending.signal);
    }
    throw unavailable();
  }

  /** One try. Its time covers the body too. */
  async function ask({ stored, ending }: Stay): Promise<Verdict> {
    const limit = new AbortController();
    const stop = () => limit.abort();
    const timer = setTimeout(stop, TRY_MS);
    ending.signal.addEventListener('abort', stop);
    try {
      const { refreshToken, refreshKey } = stored;
      if (refresh) return await refresh(refreshToken, limit.signal);
      const headers = { 'Idempotency-Key': refreshKey };
      return await judge(await post('/auth/refresh', { refreshToken }, headers, limit.signal));
    } catch {
      return TRY_AGAIN;
    } finally {
      clearTimeout(timer);
      ending.signal.removeEventListener('abort', stop);
    }
  }

  /** Stores a new pair, then lets it be used. False when the keychain has failed or the stay was over. */
  function keep(own: Stay, tokens: Tokens): Promise<boolean> {
    const stored = toRecord(own.stored.userId, tokens, Date.now());
    return inTurn(async () => {
      if (isOver(own)) return false;
      try {
        await write(stored);
      } catch {
        return false;
      }
      own.stored = stored;
      return true;
    });
  }

  const write = (stored: StoredSession) => secureStore.setItemAsync(RECORD_KEY, JSON.stringify(stored));

  /** The session's own requests: the global `fetch`, no token in the header, no 401 handling. */
  function post(path: string, body: object, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
    return fetch(`${apiUrl}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: signal ?? null,
    });
  }

  function dispose(): void {
    isDisposed = true;
    stay?.ending.abort();
    openGate();
  }

  return {
    start,
    adopt,
    fetch: sessionFetch,
    getAccessToken,
    signOut,
    getState: store.getState,
    subscribe: (listener) => store.subscribe(() => listener()),
    dispose,
  };
};

// ---------------------------------------------------------------------------------------------------------------------
// What an answer to a refresh means

const TRY_AGAIN: Transient = { retryAfterMs: null };

async function judge(response: Response): Promise<Verdict> {
  const { status, headers } = response;
  const body: unknown = await response.json().catch(() => null);
  if (status === 200 && areTokens(body)) return body;
  // RFC 6749, 5.2. All else may be a proxy, a portal or a bad hour: no reason to send anybody to the login screen.
  if (status === 400 && isObject(body) && body.error === 'invalid_grant') return 'ended';
  if (status === 401 && isObject(body)) return 'ended';
  return { retryAfterMs: retryAfterMs(headers) };
}

/** RFC 9110, 10.2.3: seconds or a date. The date is held against the server's own `Date`: the phone's may be wrong. */
function retryAfterMs(headers: Headers): number | null {
  const value = headers.get('Retry-After') ?? '';
  const seconds = Number(value);
  const waitMs = Number.isNaN(seconds) ? Date.parse(value) - Date.parse(headers.get('Date') ?? '') : seconds * 1_000;
  return waitMs > 0 ? waitMs : null;
}

// ---------------------------------------------------------------------------------------------------------------------
// The record

function toRecord(
  userId: string,
  { accessToken, refreshToken, expiresIn }: Tokens,
  receivedAtMs: number,
): StoredSession {
  return { userId, accessToken, refreshToken, expiresIn, receivedAtMs, refreshKey: crypto.randomUUID() };
}

function readRecord(text: string | null): StoredSession | null {
  const record = parse(text ?? '');
  // It was written at once: where the tokens are, the rest is.
  return areTokens(record) ? (record as StoredSession) : null;
}

function isNearItsEnd({ receivedAtMs, expiresIn }: StoredSession): boolean {
  const leftSeconds = expiresIn - (Date.now() - receivedAtMs) / 1_000;
  return leftSeconds < Math.min(MARGIN_SECONDS, expiresIn / 2);
}

// ---------------------------------------------------------------------------------------------------------------------
// Requests that can be sent twice

interface RepeatableCall {
  readonly signal: AbortSignal | null;
  readonly isRepeatable: boolean;
  send(token: string): Promise<Response>;
}

/** Takes its own copy of the headers now, whatever the caller does to its object while the call waits. */
function repeatable(input: RequestInfo | URL, init: RequestInit): RepeatableCall {
  const request = input instanceof Request ? input : null;
  const given = new Headers(init.headers ?? request?.headers);
  return {
    signal: init.signal ?? request?.signal ?? null,
    isRepeatable: !(init.body instanceof ReadableStream),
    send: (token) => {
      const headers = new Headers(given);
      headers.set('Authorization', `Bearer ${token}`);
      // A clone is sent, so that the body is still there for a second time.
      return fetch(request?.clone() ?? input, { ...init, headers });
    },
  };
}

/** Throws on what is no address, as the global `fetch` does. */
function originOf(input: RequestInfo | URL): string {
  return new URL(input instanceof Request ? input.url : input).origin;
}

/** A caller that gives up leaves the wait. What it waited for goes on, for the others. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (!signal) return promise;
  const aborted = new Promise<never>((_, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave);
  });
  return Promise.race([promise, aborted]);
}

/** Ends early when the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}

// ---------------------------------------------------------------------------------------------------------------------

function sessionError(code: SessionErrorCode, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}
const signedOut = () => sessionError('signed-out', 'Nobody is signed in. Show the login screen.');
const offline = () => sessionError('network', 'The phone is offline, and the token has to be refreshed first.');
const unavailable = () => sessionError('refresh-unavailable', 'The token could not be refreshed now. Try again later.');
const disposed = () => sessionError('disposed', 'The session was disposed. Create a new one.');
const storageFailed = (cause: unknown) => sessionError('storage-failed', 'The keychain failed. Try again.', cause);

function rethrowAsStorageError(cause: unknown): never {
  throw storageFailed(cause);
}

function areTokens(value: unknown): value is Tokens {
  if (!isObject(value)) return false;
  const { accessToken, refreshToken, expiresIn } = value;
  return typeof accessToken === 'string' && typeof refreshToken === 'string' && Number(expiresIn) > 0;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
