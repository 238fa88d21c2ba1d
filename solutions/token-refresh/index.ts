// The reference. Every session is one `Stay`: a call holds on to the stay it began in, and what belongs to an ended stay
// can neither send, nor store, nor bring anything back.
import { createStore } from 'zustand/vanilla';
import type { CreateSession, SessionErrorCode, SessionState, Tokens } from '#contract/token-refresh';
import { isObject, type JsonAnswer, parseJson, postJson } from './json.ts';
import { createSerialQueue, type InTurn } from './serial-queue.ts';
import { singleFlight } from './single-flight.ts';
import { pause, unlessAborted, withTimeLimit } from './waiting.ts';

// What this session is made of serves other patterns and features as well.
export { type Fields, isObject, type JsonAnswer, parseJson, postJson } from './json.ts';
export { createSerialQueue, type InTurn } from './serial-queue.ts';
export { singleFlight } from './single-flight.ts';
export { withTimeLimit } from './waiting.ts';

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
  /** Resolves when the pair is a new one: one refresh, for all who need one. */
  readonly refreshed: () => Promise<void>;
  /** Aborts when the stay ends, for whatever reason. */
  readonly ending: AbortController;
}

/** Nobody knows whether the server has rotated; the key makes it safe to ask again. */
interface Transient {
  readonly retryAfterMs: number | null;
  readonly cause?: unknown;
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
  const started = Promise.withResolvers<void>();
  const queue = createSerialQueue(started.promise);

  /** All that changes the record is done one after another, in the order of the calls. */
  const inTurn: InTurn = (job) =>
    queue(() => {
      if (isDisposed) throw disposed();
      return job();
    });

  // -------------------------------------------------------------------------------------------------------------------
  // Coming and going

  function begin(stored: StoredSession): void {
    stay?.ending.abort();
    const own: Stay = { stored, refreshed: singleFlight(() => renew(own)), ending: new AbortController() };
    stay = own;
    store.setState(signedIn(stored.userId));
  }

  const isOver = (one: Stay): boolean => one.ending.signal.aborted;
  const gone = () => (isDisposed ? disposed() : signedOut());

  async function restore(): Promise<void> {
    if (isDisposed) throw disposed();
    if (store.getState().status !== 'unknown') return;
    const text = await secureStore.getItemAsync(RECORD_KEY).catch(rethrowAsStorageError);
    if (isDisposed) throw disposed();
    const stored = readRecord(text);
    if (stored) begin(stored);
    else store.setState(nobody(null));
  }

  const restoreOnce = singleFlight(restore);

  async function start(): Promise<void> {
    await restoreOnce();
    started.resolve();
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
    await postJson(`${apiUrl}/auth/logout`, { refreshToken }, {}).catch(() => undefined);
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
    await started.promise;
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
    if (isRefreshNeeded) await unlessAborted(own.refreshed(), signal);
    if (isOver(own)) throw gone();
    return own.stored.accessToken;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Refresh: one for all, stored before anybody may go on

  async function renew(own: Stay): Promise<void> {
    for (const pauseMs of PAUSES_MS) {
      const { isConnected } = await netInfo.fetch();
      if (isOver(own)) return;
      if (!isConnected) throw offline();

      const verdict = await ask(own);
      if (verdict === 'ended') return endByServer(own);
      // A pair that the keychain does not take is asked for again: the same key gets the same pair.
      const failure = 'accessToken' in verdict ? await keep(own, verdict) : verdict;
      if (!failure || isOver(own)) return;

      const waitMs = failure.retryAfterMs ?? pauseMs;
      if (pauseMs === NEVER || waitMs > RETRY_AFTER_MAX_MS) throw unavailable(failure.cause);
      await pause(waitMs, own.ending.signal);
    }
  }

  /** One try. Its time covers the body too. */
  async function ask({ stored, ending }: Stay): Promise<Verdict> {
    const { refreshToken, refreshKey } = stored;
    const headers = { 'Idempotency-Key': refreshKey };
    try {
      return await withTimeLimit(TRY_MS, [ending.signal], async (signal) =>
        refresh
          ? refresh(refreshToken, signal)
          : judge(await postJson(`${apiUrl}/auth/refresh`, { refreshToken }, headers, signal)),
      );
    } catch (cause) {
      return { retryAfterMs: null, cause };
    }
  }

  /** Stores a new pair, then lets it be used. Null when that is done, or the stay was over. */
  function keep(own: Stay, tokens: Tokens): Promise<Transient | null> {
    const stored = toRecord(own.stored.userId, tokens, Date.now());
    return inTurn(async () => {
      if (isOver(own)) return null;
      try {
        await write(stored);
      } catch (cause) {
        return { retryAfterMs: null, cause };
      }
      own.stored = stored;
      return null;
    });
  }

  const write = (stored: StoredSession) => secureStore.setItemAsync(RECORD_KEY, JSON.stringify(stored));

  function dispose(): void {
    isDisposed = true;
    stay?.ending.abort();
    started.resolve();
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

function judge({ status, headers, body }: JsonAnswer): Verdict {
  if (status === 200 && areTokens(body)) return body;
  // RFC 6749, 5.2. All else may be a proxy, a portal or a bad hour: no reason to send anybody to the login screen.
  if (status === 400 && body?.error === 'invalid_grant') return 'ended';
  if (status === 401 && body) return 'ended';
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
  const record = parseJson(text ?? '');
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

// ---------------------------------------------------------------------------------------------------------------------

function sessionError(code: SessionErrorCode, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}
const signedOut = () => sessionError('signed-out', 'Nobody is signed in. Show the login screen.');
const offline = () => sessionError('network', 'The phone is offline, and the token has to be refreshed first.');
const unavailable = (cause: unknown) =>
  sessionError('refresh-unavailable', 'The token could not be refreshed now. Try again later.', cause);
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
