// Another honest design: no pattern, no library. One class; every change of the state goes through one reducer; each
// secret has a keychain item of its own, with a rule for which one counts; the lock seals the pair into MMKV.
import type {
  Auth,
  AuthErrorCode,
  AuthOptions,
  AuthState,
  CreateAuth,
  Credentials,
  DeviceSession,
  GuardVerdict,
} from '#contract/auth';
import type { Device } from '#phone';
import {
  asBody,
  asFlow,
  asOut,
  asPass,
  asUser,
  type Body,
  type Flow,
  flowOf,
  isVerdict,
  type Out,
  type Pass,
  parse,
  passOf,
  type Reply,
  refusalOf,
  shown,
} from './alternative/records.ts';
import { Refusal, refuseStorage } from './alternative/refusal.ts';
import { seal, unseal } from './alternative/sealing.ts';
import { type Happening, OUT, reduce } from './alternative/state.ts';
import { isNearItsEnd, isTooLong, limited, orAborted, sleep } from './alternative/time.ts';

const ITEMS = { session: 'a.session', key: 'a.key', flow: 'a.flow', out: 'a.out' } as const;
const SEALED = 'a.sealed';
const INSTALL = 'a.install';
const GUARDED = { requireAuthentication: true };

// ---------------------------------------------------------------------------------------------------------------------
// What is held in memory

/** One stay of somebody, or one attempt to get in. */
class Stay {
  over: AuthErrorCode | null = null;
  readonly ending = new AbortController();
  pass: Pass | null = null;
  /** Seals the pass, when the lock is on. */
  key: Uint8Array | null = null;
  renewal: Promise<void> | null = null;
  attempt: Promise<void> | null = null;

  end(why: AuthErrorCode): void {
    this.over ??= why;
    this.ending.abort();
  }

  check(): void {
    if (this.over) throw new Refusal(this.over);
  }
}

class PhoneAuth implements Auth {
  readonly #device: Device;
  readonly #apiUrl: string;
  readonly #listeners = new Set<() => void>();
  #state: AuthState = { ...OUT, status: 'restoring' };
  #stay = new Stay();
  /** For what is done whoever comes and goes, such as paying debts. */
  readonly #outside = new Stay();
  #flow: Flow | null = null;
  #out: Out = { debts: [], isLeaving: false };
  #route: string | null = null;
  #starting: Promise<void> | null = null;
  #unlocking: Promise<boolean> | null = null;
  #payment: Promise<void> = Promise.resolve();
  #queue: Promise<unknown> = Promise.resolve();
  #awaySinceMs: number | null = null;
  #isDisposed = false;
  #stopListening = () => {};
  #open = () => {};
  readonly #opened: Promise<void>;

  constructor({ device, apiUrl }: AuthOptions) {
    this.#device = device;
    this.#apiUrl = apiUrl;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  readonly getState = (): AuthState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #tell(event: Happening): void {
    if (this.#isDisposed) return;
    this.#state = reduce(this.#state, event);
    for (const listener of [...this.#listeners]) listener();
  }

  #leave(why: AuthErrorCode): Stay {
    this.#stay.end(why);
    this.#stay = new Stay();
    return this.#stay;
  }

  async #ready(): Promise<Stay> {
    await this.#opened;
    if (this.#isDisposed) throw new Refusal('disposed');
    return this.#stay;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Storage, one change after another

  #inTurn<T>(own: Stay, job: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => {
      own.check();
      return job();
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #read(item: string): Promise<Body | null> {
    const text = await this.#device.secureStore.getItemAsync(item).catch(refuseStorage);
    return asBody(parse(text));
  }

  #write(item: string, value: object): Promise<void> {
    return this.#device.secureStore.setItemAsync(item, JSON.stringify(value)).catch(refuseStorage);
  }

  #remove(item: string): Promise<void> {
    return this.#device.secureStore.deleteItemAsync(item).catch(refuseStorage);
  }

  async #setOut(out: Out): Promise<void> {
    await this.#write(ITEMS.out, out);
    this.#out = out;
  }

  #plain<T>(use: () => T): T {
    try {
      return use();
    } catch {
      throw new Refusal('storage');
    }
  }

  /** All that lets somebody in. The item in the open goes first: it is the one that counts. */
  async #forget(): Promise<void> {
    await this.#remove(ITEMS.session);
    if (this.#device.mmkv.contains(SEALED)) await this.#breakSeal();
    if (this.#flow) await this.#remove(ITEMS.flow);
    this.#flow = null;
  }

  async #breakSeal(): Promise<void> {
    await this.#remove(ITEMS.key);
    this.#plain(() => this.#device.mmkv.delete(SEALED));
  }

  /** A sign-out whose removals have failed is finished before anybody else comes in. */
  async #finishLeaving(): Promise<void> {
    if (!this.#out.isLeaving) return;
    await this.#forget();
    await this.#setOut({ ...this.#out, isLeaving: false });
  }

  async #keep(own: Stay, pass: Pass): Promise<void> {
    const { key } = own;
    if (key) this.#plain(() => this.#device.mmkv.set(SEALED, seal(this.#device, key, JSON.stringify(pass))));
    else await this.#write(ITEMS.session, pass);
    own.pass = pass;
  }

  /** The mark of this installation, which is the phone's id. Whatever secret is here without it is somebody else's. */
  async #install(): Promise<string> {
    const known = this.#device.mmkv.getString(INSTALL);
    if (known !== undefined) return known;
    for (const item of Object.values(ITEMS)) await this.#remove(item);
    const id = crypto.randomUUID();
    this.#plain(() => this.#device.mmkv.set(INSTALL, id));
    return id;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Launch

  async start(): Promise<void> {
    if (this.#isDisposed) throw new Refusal('disposed');
    this.#starting ??= this.#restore().catch((error: unknown) => {
      this.#starting = null;
      throw error;
    });
    return this.#starting;
  }

  async #restore(): Promise<void> {
    const own = this.#stay;
    const isOurs = this.#device.mmkv.getString(INSTALL) !== undefined;
    if (!isOurs) await this.#install().catch(() => undefined);
    const out = isOurs ? await this.#read(ITEMS.out) : null;
    const session = isOurs ? await this.#read(ITEMS.session) : null;
    const flow = isOurs ? await this.#read(ITEMS.flow) : null;
    own.check();
    this.#out = asOut(out);
    this.#listen();
    await this.#take(own, asPass(session), asFlow(flow), isOurs);
    if (this.#isDisposed) throw new Refusal('disposed');
    this.#open();
    this.#pay();
  }

  async #take(own: Stay, pass: Pass | null, flow: Flow | null, isOurs: boolean): Promise<void> {
    const isGone = this.#out.isLeaving || (pass !== null && this.#out.debts.includes(pass.refresh));
    if (isGone) {
      await this.#finishLeaving().catch(() => undefined);
      this.#tell({ type: 'out', endedBy: null });
    } else if (pass) {
      own.pass = pass;
      await this.#decide(own);
    } else if (isOurs && this.#device.mmkv.contains(SEALED)) {
      this.#tell({ type: 'shut', lock: 'biometric', isSealed: true });
    } else if (flow) {
      this.#flow = flow;
      this.#tell({ type: 'asked', otp: shown(flow) });
    } else this.#tell({ type: 'out', endedBy: null });
  }

  #listen(): void {
    const { netInfo, appState } = this.#device;
    let wasOnline = true;
    const network = netInfo.addEventListener(({ isConnected }) => {
      if (isConnected && !wasOnline) this.#networkIsBack();
      wasOnline = isConnected;
    });
    const front = appState.addEventListener('change', (next) => {
      if (next === 'background') this.#awaySinceMs ??= Date.now();
      else this.#personIsBack();
    });
    this.#stopListening = () => {
      network();
      front.remove();
    };
  }

  #networkIsBack(): void {
    this.#pay();
    if (this.#state.stale || this.#state.lock === 'offlineLimit') void this.#decide(this.#stay);
  }

  #personIsBack(): void {
    const awayMs = Date.now() - (this.#awaySinceMs ?? Date.now());
    this.#awaySinceMs = null;
    this.#pay();
    const { key, pass } = this.#stay;
    if (key && (awayMs < 0 || awayMs >= 300_000)) {
      this.#leave('locked');
      this.#tell({ type: 'shut', lock: 'biometric', isSealed: true });
    } else if (pass && this.#state.status === 'signedIn' && isTooLong(pass)) {
      this.#tell({ type: 'shut', lock: 'offlineLimit', isSealed: key !== null });
      void this.#decide(this.#stay);
    }
  }

  /** Renews if there is need, waits for 5 s at most, and then lets in or keeps out. */
  async #decide(own: Stay): Promise<void> {
    const { pass } = own;
    if (!pass) return;
    const isFresh = isNearItsEnd(pass)
      ? await Promise.race([
          this.#renewed(own).then(
            () => true,
            () => false,
          ),
          sleep(5_000, own.ending.signal).then(() => false),
        ])
      : true;
    if (own.over) return;
    const isSealed = own.key !== null;
    if (isFresh || !isTooLong(pass)) this.#tell({ type: 'in', user: pass.user, isStale: !isFresh, isSealed });
    else this.#tell({ type: 'shut', lock: 'offlineLimit', isSealed });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Renewal

  #renewed(own: Stay): Promise<void> {
    own.renewal ??= this.#renew(own).finally(() => {
      own.renewal = null;
    });
    return own.renewal;
  }

  async #renew(own: Stay): Promise<void> {
    let why: AuthErrorCode = 'network';
    for (const pauseMs of [1_000, 2_000, null]) {
      await this.#mustBeOnline(own);
      const refresh = own.pass?.refresh ?? '';
      const reply = await this.#post('/auth/refresh', { refreshToken: refresh }, refresh, own, 5_000).catch(() => null);
      own.check();
      if (reply && isVerdict(reply)) await this.#endedByServer(own);
      const pass = reply && own.pass && passOf(reply, own.pass.user);
      if (pass) {
        const isKept = await this.#inTurn(own, () => this.#keep(own, pass)).then(
          () => true,
          () => false,
        );
        own.check();
        if (isKept) {
          this.#heard(own, pass);
          return;
        }
        why = 'storage';
      }
      if (pauseMs !== null) await sleep(pauseMs, own.ending.signal);
      own.check();
    }
    this.#tell({ type: 'unheard' });
    throw new Refusal(why);
  }

  #heard(own: Stay, { user }: Pass): void {
    const { stale, lock } = this.#state;
    if (stale || lock === 'offlineLimit') this.#tell({ type: 'in', user, isStale: false, isSealed: own.key !== null });
  }

  async #endedByServer(own: Stay): Promise<never> {
    await this.#inTurn(own, () => this.#forget()).catch(() => undefined);
    own.check();
    this.#leave('signedOut');
    this.#tell({ type: 'out', endedBy: 'server' });
    throw new Refusal('signedOut');
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The door

  readonly fetch = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const own = await this.#ready();
    const { status } = this.#state;
    if (status !== 'signedIn' || !own.pass) throw new Refusal(status === 'locked' ? 'locked' : 'signedOut');
    await this.#mustBeOnline(own);
    if (isNearItsEnd(own.pass)) await orAborted(this.#renewed(own), init.signal);
    await this.#mustBeOnline(own);
    const token = own.pass.access;
    const answer = await this.#send(own, path, init, token);
    if (answer.status !== 401 || own.over) return answer;

    const code = asBody(parse(await answer.clone().text()))?.code;
    own.check();
    if (code === 'session_revoked') await this.#endedByServer(own);
    if (code !== undefined && code !== 'token_expired' && code !== 'token_invalid') return answer;
    if (own.pass.access === token) await orAborted(this.#renewed(own), init.signal);
    own.check();
    return this.#send(own, path, init, own.pass.access);
  };

  async #send(own: Stay, path: string, init: RequestInit, token: string): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${token}`);
    const limit = limited(10_000, [own.ending.signal, init.signal]);
    try {
      return await fetch(this.#apiUrl + path, { ...init, headers, signal: limit.signal });
    } catch {
      if (init.signal?.aborted) throw init.signal.reason;
      own.check();
      throw new Refusal('network');
    } finally {
      limit.end();
    }
  }

  readonly guard = (route: string): GuardVerdict => {
    const { status } = this.#state;
    if (status === 'restoring') return 'wait';
    if (status === 'signedIn') return 'allow';
    this.#route ??= route;
    return status === 'locked' ? 'unlock' : 'signIn';
  };

  readonly takeReturnRoute = (): string | null => {
    const route = this.#state.status === 'signedIn' ? this.#route : null;
    if (route !== null) this.#route = null;
    return route;
  };

  async listSessions(): Promise<DeviceSession[]> {
    const answer = await this.fetch('/auth/sessions');
    const list = parse(await answer.text());
    if (answer.status !== 200 || !Array.isArray(list)) throw new Refusal('network');
    return list;
  }

  async endSession(sessionId: string): Promise<void> {
    const { status } = await this.fetch(`/auth/sessions/${sessionId}`, { method: 'DELETE' });
    if (status !== 204 && status !== 404) throw new Refusal('network');
  }

  // -------------------------------------------------------------------------------------------------------------------
  // In

  async signIn({ email, password }: Credentials): Promise<void> {
    await this.#ready();
    // Whoever else signs in meanwhile is overtaken, and does not turn this one away.
    await this.#mustBeOnline(this.#outside);
    if (this.#state.status !== 'signedOut' || this.#stay.attempt) await this.signOut();
    const own = this.#leave('sessionChanged');
    await this.#attempt(own, async () => {
      const deviceId = await this.#install();
      await this.#inTurn(own, () => this.#finishLeaving());
      const body = {
        email,
        password,
        deviceId,
        deviceName: `${this.#device.localization.getLocales()[0]?.languageTag} phone`,
      };
      const reply = await this.#post('/auth/login', body, crypto.randomUUID(), own);
      const flow = flowOf(reply.body, null);
      if (reply.status === 200 && reply.body.requires2FA === true && flow) await this.#ask(own, flow);
      else await this.#admit(own, reply);
    });
  }

  #attempt(own: Stay, run: () => Promise<void>): Promise<void> {
    own.attempt ??= run().finally(() => {
      own.attempt = null;
    });
    return own.attempt;
  }

  async #admit(own: Stay, reply: Reply): Promise<void> {
    own.check();
    const user = asUser(reply.body.user);
    const pass = user && passOf(reply, user);
    if (!pass) throw new Refusal(refusalOf(reply));
    await this.#inTurn(own, async () => {
      await this.#keep(own, pass);
      // A launch takes the session before the entry.
      if (this.#flow) await this.#remove(ITEMS.flow).catch(() => undefined);
    });
    own.check();
    this.#flow = null;
    this.#tell({ type: 'in', user: pass.user, isStale: false, isSealed: false });
  }

  async #ask(own: Stay, flow: Flow): Promise<void> {
    await this.#inTurn(own, () => this.#write(ITEMS.flow, flow));
    own.check();
    this.#flow = flow;
    this.#tell({ type: 'asked', otp: shown(flow) });
  }

  #entry(): Flow {
    if (this.#state.status !== 'otpRequired' || !this.#flow) throw new Refusal('flowEnded');
    return this.#flow;
  }

  async verifyOtp(code: string): Promise<void> {
    const own = await this.#ready();
    const { id } = this.#entry();
    if (code.length !== 6 || /\D/.test(code)) throw new Refusal('badCode');
    await this.#attempt(own, () => this.#tryCode(own, '/auth/otp/verify', { otpFlowId: id, code }));
  }

  async useBackupCode(backupCode: string): Promise<void> {
    const own = await this.#ready();
    const { id } = this.#entry();
    await this.#attempt(own, () => this.#tryCode(own, '/auth/backup-codes/verify', { otpFlowId: id, backupCode }));
  }

  async #tryCode(own: Stay, path: string, body: Record<string, string>): Promise<void> {
    const reply = await this.#post(path, body, JSON.stringify(body), own);
    own.check();
    const attemptsLeft = Number(reply.body.attemptsLeft);
    if (reply.status === 410) await this.#entryEnded(own);
    if (reply.status === 422 && attemptsLeft > 0) await this.#update(own, { ...this.#entry(), attemptsLeft });
    await this.#admit(own, reply);
  }

  async resendOtp(): Promise<void> {
    const own = await this.#ready();
    const flow = this.#entry();
    if (new Date() < new Date(flow.nextResendAt)) throw new Refusal('cooldown');
    const reply = await this.#post('/auth/otp/resend', { otpFlowId: flow.id }, crypto.randomUUID(), own);
    own.check();
    // Another code may have let the person in meanwhile.
    if (this.#flow?.id !== flow.id) throw new Refusal('flowEnded');
    if (reply.status === 410) await this.#entryEnded(own);
    const next = reply.status === 200 ? flowOf(reply.body, flow) : null;
    if (!next) throw new Refusal(refusalOf(reply));
    await this.#update(own, next);
  }

  async #update(own: Stay, flow: Flow): Promise<void> {
    this.#flow = flow;
    await this.#inTurn(own, () => this.#write(ITEMS.flow, flow)).catch(() => undefined);
    own.check();
    this.#tell({ type: 'asked', otp: shown(flow) });
  }

  async #entryEnded(own: Stay): Promise<never> {
    await this.#inTurn(own, () => this.#forget()).catch(() => undefined);
    own.check();
    this.#leave('flowEnded');
    this.#tell({ type: 'out', endedBy: null });
    throw new Refusal('flowEnded');
  }

  async cancelOtp(): Promise<void> {
    await this.#ready();
    if (this.#state.status === 'otpRequired') await this.signOut();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Out

  async signOut(): Promise<void> {
    const own = await this.#ready();
    this.#route = null;
    const { status } = this.#state;
    if (status === 'signedOut' && !own.attempt) return;
    const wasIn = status === 'signedIn' || status === 'locked';
    await this.#inTurn(own, async () => {
      const debts = own.pass ? [...this.#out.debts, own.pass.refresh] : this.#out.debts;
      // This write decides. Where the next ones fail or are cut off, the next launch goes on with them.
      await this.#setOut({ debts, isLeaving: true });
      own.end(status === 'otpRequired' ? 'flowEnded' : 'sessionChanged');
      await this.#finishLeaving().catch(() => undefined);
    }).catch((error: unknown) => {
      if (!own.over) throw error;
    });
    if (this.#isDisposed) throw new Refusal('disposed');
    if (this.#stay !== own) {
      // The lock or the server was faster: there may be something left to leave.
      await this.signOut();
      return;
    }
    this.#stay = new Stay();
    this.#tell({ type: 'out', endedBy: wasIn ? 'user' : null });
    this.#pay();
  }

  #pay(): void {
    this.#payment = this.#payment.then(() => this.#payAll()).catch(() => undefined);
  }

  async #payAll(): Promise<void> {
    for (const debt of this.#out.debts) {
      const { status } = await this.#post('/auth/logout', { refreshToken: debt }, `out ${debt}`, this.#outside);
      if (status !== 204) continue;
      const isOther = (one: string) => one !== debt;
      await this.#inTurn(this.#outside, () => this.#setOut({ ...this.#out, debts: this.#out.debts.filter(isOther) }));
    }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The lock

  async setBiometricLock(on: boolean): Promise<boolean> {
    const own = await this.#ready();
    if (this.#state.status !== 'signedIn') return false;
    if ((own.key !== null) === on) return true;
    const { localAuthentication } = this.#device;
    if (on) {
      if (!(await localAuthentication.hasHardwareAsync()) || !(await localAuthentication.isEnrolledAsync()))
        return false;
      if (!(await localAuthentication.authenticateAsync()).success) return false;
    }
    try {
      await this.#inTurn(own, async () => {
        if ((own.key !== null) !== on) await (on ? this.#seal(own) : this.#unseal(own));
      });
    } catch {
      if (!this.#isDisposed) return false;
    }
    if (this.#isDisposed) throw new Refusal('disposed');
    return true;
  }

  async #seal(own: Stay): Promise<void> {
    const { quickCrypto, secureStore, mmkv } = this.#device;
    const key = quickCrypto.randomBytes(32);
    await secureStore.setItemAsync(ITEMS.key, key.toString('base64'), GUARDED).catch(refuseStorage);
    this.#plain(() => mmkv.set(SEALED, seal(this.#device, key, JSON.stringify(own.pass))));
    await this.#remove(ITEMS.session);
    own.key = key;
    this.#tell({ type: 'sealed', isSealed: true });
  }

  async #unseal(own: Stay): Promise<void> {
    await this.#write(ITEMS.session, own.pass ?? {});
    own.key = null;
    this.#tell({ type: 'sealed', isSealed: false });
    await this.#breakSeal().catch(() => undefined);
  }

  unlock(): Promise<boolean> {
    this.#unlocking ??= this.#unlock().finally(() => {
      this.#unlocking = null;
    });
    return this.#unlocking;
  }

  async #unlock(): Promise<boolean> {
    const own = await this.#ready();
    if (this.#state.lock === 'biometric') await this.#openSeal(own).catch(() => undefined);
    else if (this.#state.lock === 'offlineLimit') await this.#decide(own);
    if (this.#isDisposed) throw new Refusal('disposed');
    return this.#state.status === 'signedIn';
  }

  async #openSeal(own: Stay): Promise<void> {
    const text = await this.#device.secureStore.getItemAsync(ITEMS.key);
    own.check();
    const key = text === null ? null : this.#device.quickCrypto.Buffer.from(text, 'base64');
    const sealed = key && asPass(asBody(parse(unseal(this.#device, key, this.#device.mmkv.getString(SEALED) ?? ''))));
    // Switched off while the app was away, the lock fell shut on a session in the open.
    const pass = sealed ?? asPass(await this.#read(ITEMS.session));
    own.check();
    if (pass) {
      own.pass = pass;
      own.key = sealed && key;
      await this.#decide(own);
      return;
    }
    await this.#inTurn(own, () => this.#forget()).catch(() => undefined);
    own.check();
    this.#leave('signedOut');
    this.#tell({ type: 'out', endedBy: 'lostSecret' });
  }

  // -------------------------------------------------------------------------------------------------------------------

  async #mustBeOnline(own: Stay): Promise<void> {
    const { isConnected } = await this.#device.netInfo.fetch();
    own.check();
    if (isConnected) return;
    if (own.pass && isNearItsEnd(own.pass)) this.#tell({ type: 'unheard' });
    throw new Refusal('offline');
  }

  /** `what`: hashed into the key, so that the same thing has the same key on every launch. */
  async #post(path: string, body: object, what: string, own: Stay, ms = 10_000): Promise<Reply> {
    await this.#mustBeOnline(own);
    const key = this.#device.quickCrypto.createHash('sha256').update(`${path} ${what}`).digest('base64url');
    const limit = limited(ms, [own.ending.signal]);
    try {
      const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
      const init = { method: 'POST', headers, body: JSON.stringify(body), signal: limit.signal };
      const answer = await fetch(this.#apiUrl + path, init);
      return { status: answer.status, body: asBody(parse(await answer.text())) ?? {} };
    } catch {
      own.check();
      throw new Refusal('network');
    } finally {
      limit.end();
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#stay.end('disposed');
    this.#outside.end('disposed');
    this.#stopListening();
    this.#open();
  }
}

export const createAuth: CreateAuth = (options) => {
  const auth = new PhoneAuth(options);
  return {
    start: () => auth.start(),
    signIn: (credentials) => auth.signIn(credentials),
    verifyOtp: (code) => auth.verifyOtp(code),
    resendOtp: () => auth.resendOtp(),
    useBackupCode: (code) => auth.useBackupCode(code),
    cancelOtp: () => auth.cancelOtp(),
    fetch: auth.fetch,
    guard: auth.guard,
    takeReturnRoute: auth.takeReturnRoute,
    setBiometricLock: (on) => auth.setBiometricLock(on),
    unlock: () => auth.unlock(),
    listSessions: () => auth.listSessions(),
    endSession: (sessionId) => auth.endSession(sessionId),
    signOut: () => auth.signOut(),
    getState: auth.getState,
    subscribe: auth.subscribe,
    dispose: () => auth.dispose(),
  };
};
