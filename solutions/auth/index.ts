// The reference. Two patterns do the hard parts: '#solutions/token-refresh' renews and repeats, '#solutions/secure-storage'
// keeps what only the owner may open. Here it is decided who is in, by three means:
//
//   one value   all secrets are one keychain item: each step is one write, and is believed once that is done
//   one visit   from a launch or a sign-in to whatever ends it: what belongs to one that is over changes nothing
//   one reason  the signal of a visit that is over carries the error for its calls: whoever waits hears it
//
// `server` knows what is asked of the auth service and what its answers mean, `refusals` the words for what is turned down.
import { createStore } from 'zustand/vanilla';
import type { AuthErrorCode, AuthState, CreateAuth, User } from '#contract/auth';
import type { VaultError } from '#contract/secure-storage';
import type { Session, SessionError, Tokens } from '#contract/token-refresh';
import { CodedError, createGate, createTurns, isDone } from '#solutions/offline-queue';
import { createVault } from '#solutions/secure-storage';
import { createSerialQueue, createSession, parseJson, singleFlight, withTimeLimit } from '#solutions/token-refresh';
import { failAs, refusal } from './refusals.ts';
import {
  ADMISSION,
  type CodeEntry,
  createServer,
  ENTRY,
  entryOf,
  isLike,
  pairOf,
  REQUEST_MS,
  TIMES,
} from './server.ts';

const SECRETS_ITEM = 'auth.secrets';
const INSTALL_KEY = 'auth.install';
const SEALED_NAME = 'session';
const RESTORE_MS = 5_000;
/** Longer than the session pattern needs for all its tries. */
const RENEWAL_MS = 30_000;
const LOCK_AFTER_MS = 300_000;
const OFFLINE_LIMIT_MS = 72 * 3_600_000;

/** From a launch, or the beginning of a sign-in, to whatever ends it. */
class Visit {
  /** Aborts with the error for whoever still waits. */
  readonly ending = new AbortController();
  readonly signal = this.ending.signal;
  session: Session | null = null;
  /** The password or the code that is being tried. */
  entering: Promise<void> | null = null;

  stillOn(): void {
    if (this.signal.aborted) throw this.signal.reason;
  }
}

/** The keychain value. */
interface Secrets {
  /** While it is sealed it lies in the vault, and here in memory only. */
  readonly session: KeptSession | null;
  readonly isSealed: boolean;
  readonly entry: CodeEntry | null;
  /** Refresh tokens of sessions that ended here and that the server has yet to hear of. */
  readonly owed: readonly string[];
}

interface KeptSession {
  readonly user: User;
  /** Of the last sign-in or renewal, by the phone's clock. */
  readonly validatedAtMs: number;
  /** The session pattern's own: the `Tokens`, and what it wants to know of them. */
  readonly record: string;
}

const NO_SESSION = { session: null, isSealed: false, entry: null };
const NOBODY = { user: null, stale: false, otp: null, lock: null, biometricLock: false, endedBy: null };

export const createAuth: CreateAuth = ({ device, apiUrl }) => {
  const { asyncStorage, secureStore, appState, localAuthentication } = device;
  const store = createStore<AuthState>(() => ({ ...NOBODY, status: 'restoring' }));
  const vault = createVault({ device, namespace: 'auth', lockAfterMs: LOCK_AFTER_MS });
  const turns = createTurns({ load: restore, begin: payDebts, over: () => refusal('disposed') });
  const gate = createGate(device, mend);
  const { mustBeOnline, ask, refresh } = createServer(device, apiUrl);
  const inTurn = createSerialQueue();
  const payInTurn = createSerialQueue();
  /** For what goes on whoever comes and goes. */
  const app = new Visit();
  let visit = new Visit();
  let secrets: Secrets = { ...NO_SESSION, owed: [] };
  let deviceId: string | null = null;
  let returnRoute: string | null = null;
  let stopListening = () => {};

  /** The visit that a call belongs to, and what screens see of it. Calls made while restoring wait. */
  const current = () => turns.ready().then(() => ({ own: visit, ...store.getState() }));

  function leave(why: AuthErrorCode): Visit {
    visit.stillOn();
    visit.ending.abort(refusal(why));
    visit = new Visit();
    return visit;
  }

  function show(own: Visit, status: AuthState['status'], more: Partial<AuthState>): void {
    own.stillOn();
    store.setState({ ...NOBODY, biometricLock: secrets.isSealed, ...more, status });
  }

  const letIn = (own: Visit, stale: boolean) => show(own, 'signedIn', { user: secrets.session?.user ?? null, stale });

  // -------------------------------------------------------------------------------------------------------------------
  // Secrets: written first, believed afterwards, one change after another, each for a visit that is still on

  const change = (own: Visit, job: () => Promise<void>): Promise<void> =>
    inTurn(async () => {
      own.stillOn();
      await job();
    }).catch(failAs('storage'));

  /** Into the vault first: until the copy in the open is gone, that is the one that counts. */
  async function write(part: Partial<Secrets>): Promise<void> {
    const next = { ...secrets, ...part };
    const inTheOpen = next.isSealed ? { ...next, session: null } : next;
    if (next.isSealed && next.session) await vault.put(SEALED_NAME, JSON.stringify(next.session));
    await secureStore.setItemAsync(SECRETS_ITEM, JSON.stringify(inTheOpen));
    const isVaultDone = secrets.isSealed && !next.isSealed;
    secrets = { ...secrets, ...part };
    if (isVaultDone) await isDone(vault.wipe());
  }

  /** What the server has said is so, whether the keychain takes it or not: the next write tells it again. */
  async function note(part: Partial<Secrets>): Promise<void> {
    await isDone(write(part));
    secrets = { ...secrets, ...part };
  }

  async function end(why: AuthErrorCode, endedBy: AuthState['endedBy'] = null): Promise<void> {
    await note(NO_SESSION);
    show(leave(why), 'signedOut', { endedBy });
  }

  /** A keychain outlives its app: without the mark of this installation, what is in it was left by an earlier one. */
  async function load(): Promise<void> {
    deviceId = await asyncStorage.getItem(INSTALL_KEY);
    if (deviceId === null) {
      await isDone(install());
      return;
    }
    const stored = parseJson((await secureStore.getItemAsync(SECRETS_ITEM)) ?? '');
    // It was written at once: all of it is there. What nobody can read must not shut people out for good.
    secrets = { ...secrets, ...(stored as Secrets | null) };
  }

  const install = singleFlight(async () => {
    await secureStore.deleteItemAsync(SECRETS_ITEM).then(vault.start).catch(failAs('storage'));
    const id = crypto.randomUUID();
    await asyncStorage.setItem(INSTALL_KEY, id).catch(failAs('storage'));
    deviceId = id;
  });

  /** Each occasion gets its turn, since the payment before it may have met a dead line. */
  function payDebts(): void {
    void payInTurn(async () => {
      for (const refreshToken of secrets.owed) await isDone(pay(refreshToken));
    });
  }

  async function pay(refreshToken: string): Promise<void> {
    await ask(null, app.signal, '/auth/logout', { refreshToken });
    await change(app, () => write({ owed: secrets.owed.filter((token) => token !== refreshToken) }));
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Being signed in: a session of the pattern, on a keychain of ours

  async function openSession(own: Visit, user: User, stored: string | null): Promise<Session> {
    const keychain = {
      ...secureStore,
      getItemAsync: async () => stored,
      setItemAsync: (_: string, record: string) =>
        change(own, async () => {
          await write({ session: { user, validatedAtMs: Date.now(), record }, entry: null });
          if (isServerDue()) letIn(own, false);
        }),
      // The server has ended it.
      deleteItemAsync: () => change(own, () => end('signedOut', 'server')),
    };
    const session = createSession({ device: { ...device, secureStore: keychain }, apiUrl, refresh });
    own.signal.addEventListener('abort', session.dispose);
    own.session = session;
    await session.start();
    return session;
  }

  const isServerDue = () => store.getState().stale || store.getState().lock === 'offlineLimit';
  const isPastLimit = () => Date.now() - (secrets.session?.validatedAtMs ?? 0) >= OFFLINE_LIMIT_MS;

  async function takeUp(own: Visit, kept: KeptSession): Promise<void> {
    own.stillOn();
    secrets = { ...secrets, session: kept };
    await openSession(own, kept.user, kept.record);
    await decide(own);
  }

  /** In, in with what is stored, or kept out because the server was not heard for too long. */
  async function decide(own: Visit): Promise<void> {
    const renewed = withTimeLimit(RESTORE_MS, [own.signal], async () => own.session?.getAccessToken());
    const token = await renewed.catch(() => null);
    if (own.signal.aborted) return;
    if (isPastLimit()) show(own, 'locked', { lock: 'offlineLimit' });
    else letIn(own, !token);
  }

  /** The network or the person is back: a reason to hope, for debts too. */
  function mend(): void {
    payDebts();
    if (isServerDue()) void decide(visit);
  }

  /** The person is back, and the server may not have been heard for too long. */
  function lockAtLimit(): void {
    if (store.getState().status !== 'signedIn' || !isPastLimit()) return;
    show(visit, 'locked', { lock: 'offlineLimit' });
    void decide(visit);
  }

  async function authFetch(path: string, init: RequestInit = {}): Promise<Response> {
    const { own, status } = await current();
    const { session } = own;
    if (status !== 'signedIn' || !session) throw refusal(status === 'locked' ? 'locked' : 'signedOut');
    const stops = init.signal ? [init.signal, own.signal] : [own.signal];
    try {
      await withTimeLimit(RENEWAL_MS, stops, session.getAccessToken);
      // With a good token the pattern sends offline as well.
      await mustBeOnline();
      return await withTimeLimit(REQUEST_MS, stops, (signal) => session.fetch(apiUrl + path, { ...init, signal }));
    } catch (failure) {
      if (init.signal?.aborted) throw failure;
      return failInOurWords(own)(failure as SessionError);
    }
  }

  /** For what the session pattern fails with. The reason travels as the cause; its `network` is an offline phone. */
  const failInOurWords = (own: Visit) => (failure: SessionError) => {
    const { code, cause } = failure;
    const isRenewalInDoubt = code === 'network' || code === 'refresh-unavailable';
    if (isRenewalInDoubt && store.getState().status === 'signedIn') letIn(own, true);
    const word = [own.signal.reason, failure, cause].find((one) => one instanceof CodedError);
    throw word ?? refusal(code === 'network' ? 'offline' : 'network', failure);
  };

  // -------------------------------------------------------------------------------------------------------------------
  // The way in: a password, and perhaps a code

  /** One thing at a time is tried: whoever comes meanwhile shares its end. */
  function tryIn(own: Visit, question: () => Promise<object>): Promise<void> {
    const { entry } = secrets;
    const enter = async () => admit(own, await question().catch(noteRefusal(own, entry)));
    own.entering ??= enter().finally(() => {
      own.entering = null;
    });
    return own.entering;
  }

  async function admit(own: Visit, body: object): Promise<void> {
    if (isLike(body, ENTRY)) return change(own, () => askForCode(own, entryOf(body), write));
    if (!isLike(body, ADMISSION)) throw refusal('network');
    const session = await openSession(own, body.user, null);
    await session.adopt({ ...pairOf(body), userId: body.user.id }).catch(failInOurWords(own));
    letIn(own, false);
  }

  /** A refusal may tell that the code entry is over, or how often it can be tried again. */
  const noteRefusal = (own: Visit, entry: CodeEntry | null) => async (failure: CodedError) => {
    const { code, cause } = failure;
    if (entry && code === 'flowEnded') await changeEntry(own, entry, () => end('flowEnded'));
    if (entry && code === 'badCode' && isLike(cause, { attemptsLeft: 0 })) {
      const otp = { ...entry.otp, attemptsLeft: cause.attemptsLeft };
      await changeEntry(own, entry, () => askForCode(own, { ...entry, otp }, note));
    }
    throw failure;
  };

  /** The answer to another question may have let the person in meanwhile. */
  const changeEntry = (own: Visit, { otpFlowId }: CodeEntry, job: () => Promise<void>): Promise<void> =>
    change(own, async () => {
      if (secrets.entry?.otpFlowId !== otpFlowId) throw refusal('flowEnded');
      await job();
    });

  async function askForCode(own: Visit, entry: CodeEntry, keep: typeof write): Promise<void> {
    await keep({ entry });
    show(own, 'otpRequired', { otp: entry.otp });
  }

  async function enterCode(path: string, name: 'code' | 'backupCode', value: string): Promise<void> {
    const { own } = await current();
    if (!secrets.entry) throw refusal('flowEnded');
    const { otpFlowId } = secrets.entry;
    if (name === 'code' && !/^\d{6}$/.test(value)) throw refusal('badCode');
    await tryIn(own, () => ask({}, own.signal, path, { otpFlowId, [name]: value }));
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The way out, the lock, and the launch

  /** Decided by one write, for whoever is in when its turn has come. The server is told when it can be. */
  async function signOut(): Promise<void> {
    await current();
    returnRoute = null;
    await change(app, async () => {
      const { status } = store.getState();
      const { session } = secrets;
      if (status === 'signedOut' && !visit.entering) return;
      const owed = session ? [(JSON.parse(session.record) as Tokens).refreshToken] : [];
      await write({ ...NO_SESSION, owed: [...secrets.owed, ...owed] });
      const endedBy = status === 'signedIn' || status === 'locked' ? 'user' : null;
      show(leave(status === 'otpRequired' ? 'flowEnded' : 'sessionChanged'), 'signedOut', { endedBy });
    });
    payDebts();
  }

  async function switchLock(on: boolean): Promise<void> {
    // A double tap, and the first has done it.
    if (secrets.isSealed === on) return;
    // What an interrupted switch may have left is behind a key that a prompt would be needed for.
    if (on) await vault.wipe().then(vault.unlock);
    await write({ isSealed: on, session: secrets.session });
    app.stillOn();
    store.setState({ biometricLock: on });
    // The app may have been away meanwhile.
    followVault();
  }

  /** The vault is the one that locks. Here it is only heard: two measurements of the time away could disagree. */
  function followVault(): void {
    if (turns.isOver() || !secrets.isSealed || vault.getState().status !== 'locked') return;
    secrets = { ...secrets, session: null };
    show(leave('locked'), 'locked', { lock: 'biometric' });
  }

  /** Asks the owner. A rejection is only a no; the end is nothing where the session must be. */
  async function openVault(own: Visit): Promise<void> {
    const opened = vault.unlock().then(() => vault.get(SEALED_NAME));
    const sealed = await opened.catch((failure: VaultError) => {
      if (failure.code === 'key-lost' || failure.code === 'corrupt') return null;
      // A prompt that was answered counts once: the next try asks again.
      vault.lock();
      throw failure;
    });
    // Switched off while the app was away, the lock fell shut on a session in the open.
    const kept = sealed ? (JSON.parse(sealed) as KeptSession) : secrets.session;
    if (kept) await takeUp(own, kept);
    else await change(own, () => end('signedOut', 'lostSecret'));
  }

  async function restore(): Promise<void> {
    const own = visit;
    await load().catch(failAs('storage'));
    own.stillOn();
    listen();
    const { session, isSealed, entry } = secrets;
    if (isSealed) show(own, 'locked', { lock: 'biometric' });
    else if (session) await takeUp(own, session);
    else show(own, entry ? 'otpRequired' : 'signedOut', { otp: entry?.otp ?? null });
  }

  function listen(): void {
    const foreground = appState.addEventListener('change', (now) => {
      if (now === 'active') lockAtLimit();
    });
    stopListening = () => foreground.remove();
    vault.subscribe(followVault);
    gate.watch();
  }

  return {
    start: turns.open,
    signOut,
    fetch: authFetch,
    getState: store.getState,
    subscribe: (listener) => store.subscribe(() => listener()),
    verifyOtp: (code) => enterCode('/auth/otp/verify', 'code', code),
    useBackupCode: (code) => enterCode('/auth/backup-codes/verify', 'backupCode', code),

    async signIn(credentials) {
      await current();
      await mustBeOnline();
      if (deviceId === null) await install();
      if (store.getState().status !== 'signedOut' || visit.entering) await signOut();
      const own = leave('sessionChanged');
      const login = { ...credentials, deviceId, deviceName: 'Phone' };
      await tryIn(own, () => ask({}, own.signal, '/auth/login', login, crypto.randomUUID()));
    },

    async resendOtp() {
      const { own } = await current();
      const { entry } = secrets;
      if (!entry) throw refusal('flowEnded');
      const { otpFlowId, otp } = entry;
      if (Date.now() < Date.parse(otp.nextResendAt)) throw refusal('cooldown');
      const asked = ask(TIMES, own.signal, '/auth/otp/resend', { otpFlowId }, crypto.randomUUID());
      const times = await asked.catch(noteRefusal(own, entry));
      await changeEntry(own, entry, () => askForCode(own, entryOf({ ...otp, otpFlowId, ...times }), note));
    },

    async cancelOtp() {
      if ((await current()).status === 'otpRequired') await signOut();
    },

    async listSessions() {
      const answer = await authFetch('/auth/sessions');
      const body: unknown = await answer.json().catch(() => null);
      if (!answer.ok || !Array.isArray(body)) throw refusal('network');
      return body;
    },

    async endSession(sessionId) {
      const { ok, status } = await authFetch(`/auth/sessions/${encodeURIComponent(sessionId)}`, { method: 'DELETE' });
      if (!ok && status !== 404) throw refusal('network');
    },

    guard(route) {
      const { status } = store.getState();
      if (status === 'restoring') return 'wait';
      if (status === 'signedIn') return 'allow';
      returnRoute ??= route;
      return status === 'locked' ? 'unlock' : 'signIn';
    },

    takeReturnRoute() {
      if (store.getState().status !== 'signedIn') return null;
      const route = returnRoute;
      returnRoute = null;
      return route;
    },

    async setBiometricLock(on) {
      const { own, status } = await current();
      if (status !== 'signedIn') return false;
      if (secrets.isSealed === on) return true;
      // Where no face is enrolled some phones ask for the passcode: that is not what the vault opens for.
      if (on && !secureStore.canUseBiometricAuthentication()) return false;
      if (on && !(await localAuthentication.authenticateAsync({ promptMessage: 'Lock the app' })).success) return false;
      const isSwitched = await isDone(change(own, () => switchLock(on)));
      app.stillOn();
      return isSwitched;
    },

    unlock: singleFlight(async () => {
      const { own, lock } = await current();
      if (lock === 'offlineLimit') await decide(own);
      if (lock === 'biometric') await isDone(openVault(own));
      visit.stillOn();
      return store.getState().status === 'signedIn';
    }),

    dispose() {
      void turns.end();
      for (const { ending } of [visit, app]) ending.abort(refusal('disposed'));
      stopListening();
      gate.close();
      vault.dispose();
    },
  };
};
