// The reference. Two patterns do the hard parts: '#solutions/token-refresh' renews and repeats, '#solutions/secure-storage'
// keeps what only the owner may open. Here it is decided who is in: every stay is one `Visit`, and what belongs to a visit
// that is over changes nothing any more. All secrets are one keychain value, so that each step is one write.
import { createStore } from 'zustand/vanilla';
import type {
  AuthErrorCode,
  AuthState,
  CreateAuth,
  Credentials,
  DeviceSession,
  GuardVerdict,
  User,
} from '#contract/auth';
import type { Vault } from '#contract/secure-storage';
import type { Session, Tokens } from '#contract/token-refresh';
import type { Device } from '#phone';
import { createVault } from '#solutions/secure-storage';
import { createSession } from '#solutions/token-refresh';

const SECRETS_ITEM = 'auth.secrets';
const INSTALL_KEY = 'auth.install';
const SEALED_NAME = 'session';
const SECOND_MS = 1_000;
const REQUEST_MS = 10 * SECOND_MS;
/** Longer than the session pattern needs for all its tries. */
const RENEWAL_MS = 30 * SECOND_MS;
const RESTORE_MS = 5 * SECOND_MS;
const OFFLINE_LIMIT_MS = 72 * 3_600 * SECOND_MS;
const LOCK_AFTER_MS = 300 * SECOND_MS;

/** What is stored of a session. */
interface KeptSession {
  readonly user: User;
  /** To sign out with. */
  readonly refreshToken: string;
  /** Of the last sign-in or renewal, by the phone's clock. */
  readonly validatedAtMs: number;
  /** The session pattern's own record: what is in it is its business. */
  readonly record: string;
}

interface OtpFlow {
  readonly otpFlowId: string;
  readonly maskedDestination: string;
  readonly expiresAt: string;
  readonly nextResendAt: string;
  readonly attemptsLeft: number;
}

/** The keychain value. */
interface Secrets {
  /** In the open here, unless it is sealed in the vault. */
  readonly session: KeptSession | null;
  readonly isSealed: boolean;
  readonly flow: OtpFlow | null;
  /** Refresh tokens of sessions that ended here and that the server has yet to hear of. */
  readonly owed: readonly string[];
}
const NOTHING: Secrets = { session: null, isSealed: false, flow: null, owed: [] };

/** From the launch, or the beginning of a sign-in, to whatever ends it. */
interface Visit {
  /** Why calls of this visit are turned down; null while it goes on. */
  over: AuthErrorCode | null;
  session: Session | null;
  kept: KeptSession | null;
  isSealed: boolean;
  /** The pair that the session pattern was given last. */
  received: Tokens | null;
  /** The last new pair could not be stored. */
  isUnstored: boolean;
  /** The password or the code that is being tried. */
  entering: Promise<void> | null;
}
const newVisit = (): Visit => ({
  over: null,
  session: null,
  kept: null,
  isSealed: false,
  received: null,
  isUnstored: false,
  entering: null,
});

interface Answer {
  readonly status: number;
  readonly body: Fields;
}

const NOBODY: AuthState = {
  status: 'signedOut',
  user: null,
  stale: false,
  otp: null,
  lock: null,
  biometricLock: false,
  endedBy: null,
};
const VERDICTS = {
  restoring: 'wait',
  signedIn: 'allow',
  locked: 'unlock',
  otpRequired: 'signIn',
  signedOut: 'signIn',
} as const satisfies Record<AuthState['status'], GuardVerdict>;

export const createAuth: CreateAuth = ({ device, apiUrl }) => {
  const { asyncStorage, secureStore, netInfo, appState, localAuthentication } = device;
  const store = createStore<AuthState>(() => ({ ...NOBODY, status: 'restoring' }));
  const vault: Vault = createVault({ device, namespace: 'auth', lockAfterMs: LOCK_AFTER_MS });
  const disposing = new AbortController();
  let visit = newVisit();
  let secrets = NOTHING;
  let deviceId: string | null = null;
  let returnRoute: string | null = null;
  let restoring: Promise<void> | undefined;
  let unlocking: Promise<boolean> | null = null;
  let stopListening = () => {};

  let openGate = () => {};
  const started = new Promise<void>((resolve) => {
    openGate = resolve;
  });

  const show = (change: Partial<AuthState>) => store.setState({ ...NOBODY, biometricLock: visit.isSealed, ...change });

  /** Whatever belonged to the visit so far comes too late from here on. */
  function leave(why: AuthErrorCode): Visit {
    visit.over = why;
    visit.session?.dispose();
    visit = newVisit();
    return visit;
  }

  function stillIn(own: Visit): void {
    if (own.over) throw new AuthFailure(own.over);
  }

  async function ready(): Promise<void> {
    await started;
    stillIn(visit);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // What is stored: written first, believed afterwards, one change after another

  let lastTurn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(own: Visit, job: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(() => {
      stillIn(own);
      return job();
    });
    lastTurn = turn.catch(() => undefined);
    return turn;
  }

  async function write(change: Partial<Secrets>): Promise<void> {
    const next = { ...secrets, ...change };
    await secureStore.setItemAsync(SECRETS_ITEM, JSON.stringify(next)).catch(rethrowAsStorage);
    secrets = next;
  }

  async function save(own: Visit, kept: KeptSession): Promise<void> {
    if (own.isSealed) await vault.put(SEALED_NAME, JSON.stringify(kept));
    else await write({ session: kept, isSealed: false, flow: null });
  }

  /** One write decides it. What the vault still holds then is noise without a key as soon as it comes to it. */
  async function clear(own: Visit, owed = secrets.owed): Promise<void> {
    await write({ ...NOTHING, owed });
    if (own.isSealed) await vault.wipe().catch(() => undefined);
  }

  /** Once per installation. A keychain outlives its app: without the mark, what is in it was left by an earlier one. */
  async function install(): Promise<string> {
    await secureStore.deleteItemAsync(SECRETS_ITEM).catch(rethrowAsStorage);
    await vault.start().catch(rethrowAsStorage);
    const id = crypto.randomUUID();
    await asyncStorage.setItem(INSTALL_KEY, id).catch(rethrowAsStorage);
    deviceId = id;
    return id;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Launch

  async function start(): Promise<void> {
    restoring ??= restore().catch((error: unknown) => {
      restoring = undefined;
      throw error;
    });
    await restoring;
  }

  async function restore(): Promise<void> {
    const own = visit;
    deviceId = await asyncStorage.getItem(INSTALL_KEY).catch(rethrowAsStorage);
    if (deviceId === null) await install().catch(() => undefined);
    else secrets = readSecrets(await secureStore.getItemAsync(SECRETS_ITEM).catch(rethrowAsStorage));
    stillIn(own);
    listen();
    await takeUp(own);
    stillIn(visit);
    openGate();
    payDebts();
  }

  async function takeUp(own: Visit): Promise<void> {
    own.isSealed = secrets.isSealed;
    if (own.isSealed) show({ status: 'locked', lock: 'biometric' });
    else if (secrets.session) await enterStored(own, secrets.session);
    else if (secrets.flow) show({ status: 'otpRequired', otp: shownOf(secrets.flow) });
    else show({});
  }

  function listen(): void {
    let wasOffline = false;
    const network = netInfo.addEventListener(({ isConnected }) => {
      if (wasOffline && isConnected) backOnline();
      wasOffline = !isConnected;
    });
    const app = appState.addEventListener('change', (next) => {
      if (next === 'active') backInFront();
    });
    const lock = vault.subscribe(() => {
      const isShut = vault.getState().status === 'locked' && secrets.isSealed;
      if (isShut && visit.session) lockUp();
    });
    stopListening = () => {
      network();
      app.remove();
      lock();
    };
  }

  function backOnline(): void {
    payDebts();
    const { stale, lock } = store.getState();
    if (stale || lock === 'offlineLimit') void decide(visit);
  }

  function backInFront(): void {
    payDebts();
    const { kept } = visit;
    if (store.getState().status !== 'signedIn' || !kept || !isPastLimit(kept)) return;
    show({ status: 'locked', lock: 'offlineLimit' });
    void decide(visit);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // A session, on top of the session pattern

  /** The pattern's keychain is this visit's part of our one value, or the vault. */
  function openSession(own: Visit): Session {
    const keychain = {
      getItemAsync: async () => own.kept?.record ?? null,
      setItemAsync: (_key: string, record: string) => inTurn(own, () => keepPair(own, record)),
      deleteItemAsync: () => inTurn(own, () => clear(own)),
    };
    const sessionDevice: Device = Object.create(device, { secureStore: { value: keychain } });
    const session = createSession({
      device: sessionDevice,
      apiUrl,
      refresh: (token, signal) => renew(own, token, signal),
    });
    session.subscribe(() => {
      if (session.getState().reason === 'session-ended') lose(own, 'server');
    });
    own.session = session;
    return session;
  }

  async function keepPair(own: Visit, record: string): Promise<void> {
    const user = own.kept?.user;
    if (!user || !own.received)
      throw new Error('A pair came from nowhere: neither a sign-in nor a renewal has brought it.');
    const kept = { user, refreshToken: own.received.refreshToken, validatedAtMs: Date.now(), record };
    own.isUnstored = true;
    await save(own, kept);
    own.isUnstored = false;
    own.kept = kept;
    const { stale, lock } = store.getState();
    if (stale || lock === 'offlineLimit') letIn(own, true);
  }

  /** Only three words of the server end a session. All else, however bad it looks, is no verdict. */
  async function renew(own: Visit, refreshToken: string, signal: AbortSignal): Promise<Tokens | 'ended'> {
    const { status, body } = await post('/auth/refresh', { refreshToken }, keyOf(refreshToken), signal);
    const isVerdict = ['session_revoked', 'token_reused', 'refresh_expired'].includes(String(body.code));
    if (status === 401 && isVerdict) return 'ended';
    const pair = status === 200 ? readPair(body) : null;
    if (!pair) throw new AuthFailure('network');
    own.received = pair;
    return pair;
  }

  async function enterStored(own: Visit, kept: KeptSession): Promise<void> {
    own.kept = kept;
    await openSession(own).start();
    await decide(own);
  }

  /** In, in with what is stored, or kept out because the server was not heard for too long. */
  async function decide(own: Visit): Promise<void> {
    const isFresh = await limited(RESTORE_MS, null, () => freshen(own)).then(
      () => true,
      () => false,
    );
    if (own.over || !own.kept) return;
    if (isFresh || !isPastLimit(own.kept)) letIn(own, isFresh);
    else show({ status: 'locked', lock: 'offlineLimit' });
  }

  function letIn(own: Visit, isFresh: boolean): void {
    show({ status: 'signedIn', user: own.kept?.user ?? null, stale: !isFresh });
  }

  /** A token that lasts for a while, renewed first where it must be. */
  async function freshen(own: Visit): Promise<void> {
    await own.session?.getAccessToken();
  }

  function lose(own: Visit, endedBy: 'server' | 'lostSecret'): void {
    if (own.over) return;
    leave('signedOut');
    show({ endedBy });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The door

  async function authFetch(path: string, init: RequestInit = {}): Promise<Response> {
    await ready();
    const { status } = store.getState();
    const own = visit;
    const { session } = own;
    if (status !== 'signedIn' || !session) throw new AuthFailure(status === 'locked' ? 'locked' : 'signedOut');
    try {
      await limited(RENEWAL_MS, init.signal, () => freshen(own));
      await mustBeOnline();
      const send = (signal: AbortSignal) => session.fetch(apiUrl + path, { ...init, signal });
      return await limited(REQUEST_MS, init.signal, send);
    } catch (cause) {
      stillIn(own);
      throw init.signal?.aborted ? cause : translated(own, cause);
    }
  }

  /** The words of the session pattern in ours. */
  function translated(own: Visit, cause: unknown): unknown {
    if (cause instanceof AuthFailure) return cause;
    const code = isObject(cause) ? cause.code : null;
    const isRenewalInDoubt = code === 'network' || code === 'refresh-unavailable';
    if (isRenewalInDoubt && store.getState().status === 'signedIn') letIn(own, false);
    // The pattern's word for an offline phone.
    if (code === 'network') return new AuthFailure('offline', cause);
    return new AuthFailure(own.isUnstored ? 'storage' : 'network', cause);
  }

  function guard(route: string): GuardVerdict {
    const verdict = VERDICTS[store.getState().status];
    if (verdict === 'unlock' || verdict === 'signIn') returnRoute ??= route;
    return verdict;
  }

  function takeReturnRoute(): string | null {
    if (store.getState().status !== 'signedIn') return null;
    const route = returnRoute;
    returnRoute = null;
    return route;
  }

  async function listSessions(): Promise<DeviceSession[]> {
    const answer = await authFetch('/auth/sessions');
    const body: unknown = await answer.json().catch(() => null);
    if (!answer.ok || !Array.isArray(body)) throw new AuthFailure('network');
    return body;
  }

  async function endSession(sessionId: string): Promise<void> {
    const { ok, status } = await authFetch(`/auth/sessions/${encodeURIComponent(sessionId)}`, { method: 'DELETE' });
    if (!ok && status !== 404) throw new AuthFailure('network');
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Signing in

  async function signIn(credentials: Credentials): Promise<void> {
    await ready();
    await mustBeOnline();
    if (store.getState().status !== 'signedOut' || visit.entering) await signOut();
    const own = leave('sessionChanged');
    await enter(own, () => logIn(own, credentials));
  }

  /** One at a time: whoever comes meanwhile shares its end. */
  function enter(own: Visit, run: () => Promise<void>): Promise<void> {
    own.entering ??= run().finally(() => {
      own.entering = null;
    });
    return own.entering;
  }

  async function logIn(own: Visit, { email, password }: Credentials): Promise<void> {
    const id = deviceId ?? (await install());
    stillIn(own);
    const login = { email, password, deviceId: id, deviceName: 'Phone' };
    const answer = await post('/auth/login', login, crypto.randomUUID());
    stillIn(own);
    if (answer.status === 200 && answer.body.requires2FA === true) await askForCode(own, answer.body);
    else await admit(own, answer);
  }

  async function admit(own: Visit, { status, body }: Answer): Promise<void> {
    const pair = readPair(body);
    const user = readUser(body.user);
    if (status !== 200 || !pair || !user) throw new AuthFailure(refusalOf(status, body.code));
    own.kept = { user, refreshToken: pair.refreshToken, validatedAtMs: Date.now(), record: '' };
    own.received = pair;
    const session = openSession(own);
    await session.start();
    await session.adopt({ ...pair, userId: user.id }).catch((cause: unknown) => {
      stillIn(own);
      session.dispose();
      own.session = null;
      throw new AuthFailure('storage', cause);
    });
    stillIn(own);
    letIn(own, true);
  }

  async function askForCode(own: Visit, body: Fields): Promise<void> {
    const flow = readFlow(body, {
      otpFlowId: String(body.otpFlowId),
      maskedDestination: String(body.maskedDestination),
    });
    await inTurn(own, () => write({ flow }));
    stillIn(own);
    show({ status: 'otpRequired', otp: shownOf(flow) });
  }

  /** Survives a kill, if the keychain takes it; what the screen shows is right in any case. */
  async function changeFlow(own: Visit, flow: OtpFlow): Promise<void> {
    await inTurn(own, () => write({ flow })).catch(() => undefined);
    stillIn(own);
    secrets = { ...secrets, flow };
    show({ status: 'otpRequired', otp: shownOf(flow) });
  }

  async function currentFlow(): Promise<OtpFlow> {
    await ready();
    if (store.getState().status !== 'otpRequired' || !secrets.flow) throw new AuthFailure('flowEnded');
    return secrets.flow;
  }

  async function verifyOtp(code: string): Promise<void> {
    const flow = await currentFlow();
    const own = visit;
    if (!/^\d{6}$/.test(code)) throw new AuthFailure('badCode');
    await enter(own, () => tryCode(own, flow, '/auth/otp/verify', { code }));
  }

  async function useBackupCode(backupCode: string): Promise<void> {
    const flow = await currentFlow();
    const own = visit;
    await enter(own, () => tryCode(own, flow, '/auth/backup-codes/verify', { backupCode }));
  }

  async function tryCode(own: Visit, flow: OtpFlow, path: string, code: Record<string, string>): Promise<void> {
    // The same code has the same key, also after a kill: the server may have taken it, and its answer was lost.
    const answer = await post(
      path,
      { otpFlowId: flow.otpFlowId, ...code },
      keyOf(flow.otpFlowId, ...Object.values(code)),
    );
    stillIn(own);
    const { status, body } = answer;
    if (status === 410) await endFlow(own);
    if (status === 422 && typeof body.attemptsLeft === 'number')
      await changeFlow(own, { ...(secrets.flow ?? flow), attemptsLeft: body.attemptsLeft });
    await admit(own, answer);
  }

  async function resendOtp(): Promise<void> {
    const flow = await currentFlow();
    const own = visit;
    if (Date.now() < Date.parse(flow.nextResendAt)) throw new AuthFailure('cooldown');
    const { status, body } = await post('/auth/otp/resend', { otpFlowId: flow.otpFlowId }, crypto.randomUUID());
    stillIn(own);
    if (status === 410) await endFlow(own);
    if (status !== 200 || typeof body.attemptsLeft !== 'number') throw new AuthFailure(refusalOf(status, body.code));
    await changeFlow(own, readFlow(body, flow));
  }

  async function endFlow(own: Visit): Promise<never> {
    await inTurn(own, () => clear(own)).catch(() => undefined);
    stillIn(own);
    leave('flowEnded');
    show({});
    throw new AuthFailure('flowEnded');
  }

  async function cancelOtp(): Promise<void> {
    await ready();
    if (store.getState().status === 'otpRequired') await signOut();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Signing out: decided by one write, told to the server when it can be

  async function signOut(): Promise<void> {
    await ready();
    returnRoute = null;
    const own = visit;
    const { status } = store.getState();
    if (status === 'signedOut' && !own.entering) return;
    const owed = own.kept ? [own.kept.refreshToken] : [];
    try {
      await inTurn(own, () => clear(own, [...secrets.owed, ...owed]));
      stillIn(own);
    } catch (error) {
      if (!own.over || own.over === 'disposed') throw error;
      // Somebody else was faster. If that was the lock, the person still wants to leave.
      return signOut();
    }
    leave(status === 'otpRequired' ? 'flowEnded' : 'sessionChanged');
    show({ endedBy: status === 'signedIn' || status === 'locked' ? 'user' : null });
    payDebts();
  }

  let lastPayment: Promise<void> = Promise.resolve();

  /** Each occasion gets its turn, since the payment before it may have met a dead line. */
  function payDebts(): void {
    lastPayment = lastPayment.then(pay).catch(() => undefined);
  }

  async function pay(): Promise<void> {
    for (const refreshToken of secrets.owed) {
      const { status } = await post('/auth/logout', { refreshToken }, keyOf('logout', refreshToken));
      if (status !== 204) continue;
      await inTurn(visit, () => write({ owed: secrets.owed.filter((one) => one !== refreshToken) }));
    }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The lock: not a question put before the secret, but the secret itself behind the question

  async function setBiometricLock(on: boolean): Promise<boolean> {
    await ready();
    const own = visit;
    if (store.getState().status !== 'signedIn') return false;
    if (own.isSealed === on) return true;
    if (on && !(await isRecognised())) return false;
    return inTurn(own, () => switchLock(own, on)).then(
      () => true,
      () => false,
    );
  }

  async function switchLock(own: Visit, on: boolean): Promise<void> {
    // A double tap, and the first has done it.
    if (own.isSealed === on) return;
    await (on ? seal(own) : unseal(own));
  }

  async function isRecognised(): Promise<boolean> {
    if (!(await localAuthentication.hasHardwareAsync()) || !(await localAuthentication.isEnrolledAsync())) return false;
    return (await localAuthentication.authenticateAsync({ promptMessage: 'Lock the app with your face' })).success;
  }

  /** Into the vault first: until the copy in the open is gone, it is the one that counts. */
  async function seal(own: Visit): Promise<void> {
    // What an interrupted switch may have left is behind a key that a prompt would be needed for.
    await vault.wipe();
    await vault.unlock();
    await vault.put(SEALED_NAME, JSON.stringify(own.kept));
    await write({ session: null, isSealed: true });
    own.isSealed = true;
    store.setState({ biometricLock: true });
    // The app may have been away meanwhile.
    if (vault.getState().status === 'locked') lockUp();
  }

  async function unseal(own: Visit): Promise<void> {
    await write({ session: own.kept, isSealed: false });
    own.isSealed = false;
    store.setState({ biometricLock: false });
    await vault.wipe().catch(() => undefined);
  }

  function lockUp(): void {
    const own = leave('locked');
    own.isSealed = true;
    show({ status: 'locked', lock: 'biometric' });
  }

  function unlock(): Promise<boolean> {
    unlocking ??= unlockOnce().finally(() => {
      unlocking = null;
    });
    return unlocking;
  }

  async function unlockOnce(): Promise<boolean> {
    await ready();
    const own = visit;
    const { lock } = store.getState();
    if (lock === 'offlineLimit') await decide(own);
    if (lock === 'biometric') await openVault(own);
    return store.getState().status === 'signedIn';
  }

  async function openVault(own: Visit): Promise<void> {
    try {
      await vault.unlock();
      const kept = parse((await vault.get(SEALED_NAME)) ?? '');
      stillIn(own);
      if (isKept(kept)) await enterStored(own, kept);
      else await loseSecret(own);
    } catch (error) {
      const isLost = isObject(error) && (error.code === 'key-lost' || error.code === 'corrupt');
      if (isLost) await loseSecret(own);
      // A prompt that was answered counts once: the next try asks again.
      else if (!own.session) vault.lock();
    }
  }

  async function loseSecret(own: Visit): Promise<void> {
    await inTurn(own, () => clear(own)).catch(() => undefined);
    lose(own, 'lostSecret');
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Requests

  async function mustBeOnline(): Promise<void> {
    if (!(await netInfo.fetch()).isConnected) throw new AuthFailure('offline');
  }

  /** A request of our own. `key`: the same for each try of the same thing. Its time covers the body too. */
  async function post(path: string, fields: object, key: string, caller: AbortSignal | null = null): Promise<Answer> {
    await mustBeOnline();
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
    return limited(REQUEST_MS, caller, async (signal) => {
      const init = { method: 'POST', headers, body: JSON.stringify(fields), signal };
      const response = await fetch(apiUrl + path, init).catch(rethrowAsNetwork);
      const body: unknown = await response.json().catch(() => null);
      return { status: response.status, body: isObject(body) ? body : {} };
    });
  }

  /** Keys end up in logs: no token can be read from a hash. */
  const keyOf = (...parts: readonly string[]): string =>
    device.quickCrypto.createHash('sha256').update(parts.join(' ')).digest('hex');

  /** Gives up after `ms`, when the caller does, and at dispose. */
  async function limited<T>(
    ms: number,
    caller: AbortSignal | null | undefined,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new AuthFailure('network')), ms);
    const stop = () => limit.abort(caller?.aborted ? caller.reason : new AuthFailure('disposed'));
    const stops = caller ? [caller, disposing.signal] : [disposing.signal];
    for (const signal of stops) signal.addEventListener('abort', stop);
    const aborted = new Promise<never>((_, reject) => {
      limit.signal.addEventListener('abort', () => reject(limit.signal.reason));
    });
    try {
      if (stops.some((signal) => signal.aborted)) stop();
      return await Promise.race([aborted, run(limit.signal)]);
    } finally {
      clearTimeout(timer);
      for (const signal of stops) signal.removeEventListener('abort', stop);
    }
  }

  function dispose(): void {
    visit.over ??= 'disposed';
    disposing.abort();
    visit.session?.dispose();
    vault.dispose();
    stopListening();
    openGate();
  }

  return {
    start,
    signIn,
    verifyOtp,
    resendOtp,
    useBackupCode,
    cancelOtp,
    fetch: authFetch,
    guard,
    takeReturnRoute,
    setBiometricLock,
    unlock,
    listSessions,
    endSession,
    signOut,
    getState: store.getState,
    subscribe: (listener) => store.subscribe(() => listener()),
    dispose,
  };
};

const isPastLimit = ({ validatedAtMs }: KeptSession): boolean => Date.now() - validatedAtMs >= OFFLINE_LIMIT_MS;

// ---------------------------------------------------------------------------------------------------------------------
// What comes from outside

type Fields = { readonly [name: string]: unknown };

function refusalOf(status: number, code: unknown): AuthErrorCode {
  if (status === 429) return 'tooMany';
  if (status === 401 && code === 'bad_credentials') return 'badCredentials';
  return status === 422 && code === 'wrong_code' ? 'badCode' : 'network';
}

function readPair({ accessToken, refreshToken }: Fields): Tokens | null {
  if (!isObject(accessToken) || !isObject(refreshToken)) return null;
  const { token, expiresInSeconds } = accessToken;
  if (typeof token !== 'string' || typeof refreshToken.token !== 'string' || !(Number(expiresInSeconds) > 0))
    return null;
  return { accessToken: token, refreshToken: refreshToken.token, expiresIn: Number(expiresInSeconds) };
}

function readUser(value: unknown): User | null {
  if (!isObject(value)) return null;
  const { id, name, email } = value;
  if (typeof id !== 'string' || typeof name !== 'string' || typeof email !== 'string') return null;
  return { id, name, email };
}

/** Times by the phone's clock, from now. */
function readFlow(body: Fields, known: Pick<OtpFlow, 'otpFlowId' | 'maskedDestination'>): OtpFlow {
  const inSeconds = (value: unknown) => new Date(Date.now() + Number(value) * SECOND_MS).toISOString();
  return {
    otpFlowId: known.otpFlowId,
    maskedDestination: known.maskedDestination,
    expiresAt: inSeconds(body.expiresInSeconds),
    nextResendAt: inSeconds(body.resendInSeconds),
    attemptsLeft: Number(body.attemptsLeft),
  };
}

const shownOf = ({ otpFlowId: _, ...shown }: OtpFlow) => shown;

/** They were written at once: where the part that is asked for is, the rest is. */
function readSecrets(text: string | null): Secrets {
  const value = parse(text ?? '');
  return isObject(value) && Array.isArray(value.owed) ? { ...NOTHING, ...value } : NOTHING;
}

function isKept(value: unknown): value is KeptSession {
  return isObject(value) && typeof value.record === 'string';
}

// ---------------------------------------------------------------------------------------------------------------------

const WORDS: Readonly<Record<AuthErrorCode, string>> = {
  badCredentials: 'The address or the password is wrong. Try again.',
  badCode: 'The code is wrong. Look at the message again.',
  flowEnded: 'This code is no longer asked for. Sign in again.',
  cooldown: 'A code was sent a moment ago. Wait before you ask for another.',
  tooMany: 'There were too many attempts. Wait a while.',
  offline: 'The phone is offline. Try again with a network.',
  network: 'The server could not be reached. Try again later.',
  storage: 'The phone could not store this. Try again.',
  locked: 'The app is locked. Unlock it first.',
  signedOut: 'Nobody is signed in. Show the login screen.',
  sessionChanged: 'The session that this call was made in is over.',
  disposed: 'This was disposed. Create a new one.',
};

class AuthFailure extends Error {
  readonly code: AuthErrorCode;

  constructor(code: AuthErrorCode, cause?: unknown) {
    super(WORDS[code], { cause });
    this.code = code;
  }
}

function rethrowAsStorage(cause: unknown): never {
  throw new AuthFailure('storage', cause);
}
function rethrowAsNetwork(cause: unknown): never {
  throw new AuthFailure('network', cause);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
