// The simulation: people sign in, lock, leave and come back for days, while answers get lost and the app is killed.
import fc from 'fast-check';
import type { Auth, AuthModule, AuthState } from '#contract/auth';
import {
  atSend,
  bearerOf,
  defineAction,
  defineScenario,
  type Invariant,
  leavesWithFreshToken,
  type OpenContext,
  oneRenewalAtATime,
  type PhoneView,
  type Renewal,
  type RequestRecord,
  renewsWithReason,
  type Stage,
  type TraceEvent,
  type WorldView,
} from '#simulator';
import { type AuthBackend, createBackend, PEOPLE, type ServerSession } from './backend.ts';

type Person = keyof typeof PEOPLE;

/** One call of `fetch`. Its serial travels in a header, so that each of its requests is known. */
interface Call {
  readonly serial: number;
  /** The session it was begun under; null when that could not be told. */
  readonly session: ServerSession | null;
  readonly isBegunOnline: boolean;
  status: number | null;
}

interface Facts {
  readonly calls: Call[];
  /** The last session whose sign-in was answered. */
  heard: ServerSession | null;
  /** Who is in, as far as promises have told. */
  current: ServerSession | null;
  /** The id of a code entry that is open, as far as promises have told. */
  hasOpenFlow: boolean;
  /** Sign-ins, codes and sign-outs that are under way. */
  changing: number;
  /** One of them was cut off: what the app says next counts. */
  isInDoubt: boolean;
  /** Sessions whose sign-out has resolved here, with a token that could be read. */
  readonly left: Set<ServerSession>;
  /** Another face was enrolled while the lock was on. */
  mayLose: boolean;
  /** Since it was installed last, the app has not started. */
  isNewInstall: boolean;
  /** Sessions begun before the last installation. */
  readonly former: Set<ServerSession>;
  promptsDue: number;
}

type AuthStage = Stage<Auth, AuthBackend, Facts>;
type AuthWorld = WorldView<Auth, AuthBackend, Facts>;
type AuthInvariant = Invariant<Auth, AuthBackend, Facts>;
type Opening = OpenContext<AuthModule, AuthBackend, Facts>;

const API = 'https://api.example.test';
const LOGIN = 'POST /auth/login';
const VERIFY = 'POST /auth/otp/verify';
const BACKUP = 'POST /auth/backup-codes/verify';
const RESEND = 'POST /auth/otp/resend';
const REFRESH = 'POST /auth/refresh';
const LOGOUT = 'POST /auth/logout';
const ME = 'GET /me';
const ECHO = 'POST /private/echo';
const LIST = 'GET /auth/sessions';
const PROTECTED = [ME, ECHO, LIST];
const WAYS_IN = [LOGIN, VERIFY, BACKUP];
const START_TRIES = 30;
const HOUR_MS = 3_600_000;
const OFFLINE_LIMIT_MS = 72 * HOUR_MS;
const LIFE_MS = 270_000;
const LOCK_AFTER_MS = 300_000;
/** What a slow disk may add to the age of a token. */
const SLACK_MS = 20_000;
const TOKEN = /[ar]t-\d{2}-\d{4}/g;
const SECRET = /[ar]t-\d{2}-\d{4}|otp-\d{4}/;

// ---------------------------------------------------------------------------------------------------------------------
// What people do

function call({ app, facts, phone, follow }: AuthStage, path: string, init: RequestInit = {}): void {
  const serial = facts.calls.length + 1;
  const isSure = facts.changing === 0 && !facts.isInDoubt;
  const made: Call = { serial, session: isSure ? facts.current : null, isBegunOnline: phone.isOnline, status: null };
  facts.calls.push(made);
  const headers = { ...(init.headers as Record<string, string> | undefined), 'x-call': String(serial) };
  follow(`${path}, call ${serial}`, () => app.fetch(path, { ...init, headers }), {
    done: (response) => {
      made.status = response?.status ?? null;
    },
  });
}

const read = (stage: AuthStage) => call(stage, '/me');

function echo(stage: AuthStage, text: string): void {
  const headers = { 'Content-Type': 'application/json' };
  call(stage, '/private/echo', { method: 'POST', headers, body: JSON.stringify({ text }) });
}

/** Who is in changes. One such thing at a time: people wait for their own taps. */
function change(
  { app, facts, follow }: AuthStage,
  label: string,
  start: () => Promise<unknown>,
  done = () => {},
): void {
  if (facts.changing > 0) return;
  facts.changing += 1;
  const settle = () => {
    facts.changing -= 1;
    const { status } = stateOf(app);
    facts.hasOpenFlow = status === 'otpRequired';
    if (status === 'signedOut' || status === 'otpRequired') facts.current = null;
    else if (facts.heard !== null && !facts.left.has(facts.heard)) facts.current = facts.heard;
  };
  follow(label, start, {
    done: () => {
      settle();
      done();
    },
    failed: settle,
  });
}

function signIn(stage: AuthStage, person: Person, done = () => {}): void {
  const { email, password } = PEOPLE[person];
  leaving(stage, `signIn as ${person}`, () => stage.app.signIn({ email, password }), done);
}

const signOut = (stage: AuthStage, done = () => {}) => leaving(stage, 'signOut', () => stage.app.signOut(), done);

/** What ends the session that is on: whatever its token could be read for is owed. */
function leaving(stage: AuthStage, label: string, start: () => Promise<unknown>, done: () => void): void {
  const { app, facts } = stage;
  const { status, lock } = stateOf(app);
  const isReadable = status === 'signedIn' || lock === 'offlineLimit';
  const leaves = isReadable && !facts.isInDoubt ? facts.current : null;
  change(stage, label, start, () => {
    if (leaves !== null && facts.current !== leaves) facts.left.add(leaves);
    done();
  });
}

type CodeKind = 'right' | 'wrong' | 'short' | 'backup';

function enterCode(stage: AuthStage, kind: CodeKind): void {
  const { app, backend } = stage;
  if (stateOf(app).status !== 'otpRequired') {
    read(stage);
    return;
  }
  const right = backend.flows.at(-1)?.code ?? '000000';
  const code = { right, wrong: '000000', short: '123', backup: PEOPLE.bo.backupCode }[kind];
  change(stage, `${kind} code`, () => (kind === 'backup' ? app.useBackupCode(code) : app.verifyOtp(code)));
}

function unlock(stage: AuthStage, done = () => {}): void {
  const { app, facts, follow } = stage;
  facts.promptsDue += 1;
  follow('unlock', () => app.unlock(), { done });
}

function switchLock(stage: AuthStage, on: boolean): void {
  const { app, facts, follow } = stage;
  if (on) facts.promptsDue += 1;
  follow(`setBiometricLock(${on})`, () => app.setBiometricLock(on));
}

/** Then the renewal is out, or its answer just in. */
function leaveWhileLoading(stage: AuthStage, next: Person | null): void {
  stage.backend.expireAccessTokens();
  read(stage);
  echo(stage, 'last words');
  signOut(stage, next === null ? undefined : () => signIn(stage, next));
}

const nothing = fc.constant({});
type Nothing = Record<string, never>;
const person = fc.constantFrom<Person>('ada', 'bo', 'noor');
const codeKind = fc.constantFrom<CodeKind>('right', 'right', 'wrong', 'short', 'backup');

const actions = {
  read: defineAction<Auth, AuthBackend, Facts, Nothing>({
    weight: 4,
    args: nothing,
    says: () => 'opens the profile',
    run: read,
  }),
  burst: defineAction<Auth, AuthBackend, Facts, { count: number }>({
    weight: 2,
    args: fc.record({ count: fc.integer({ min: 2, max: 5 }) }),
    says: ({ count }) => `opens a screen that makes ${count} calls at once`,
    run: (stage, { count }) => {
      for (let n = 0; n < count; n += 1) read(stage);
    },
  }),
  echo: defineAction<Auth, AuthBackend, Facts, { text: string }>({
    weight: 2,
    args: fc.record({ text: fc.constantFrom('hello', 'grüß dich', '温度', 'admin: all') }),
    says: ({ text }) => `writes "${text}"`,
    run: (stage, { text }) => echo(stage, text),
  }),
  lookAtPhones: defineAction<Auth, AuthBackend, Facts, Nothing>({
    args: nothing,
    says: () => 'looks at the list of phones',
    run: ({ app, follow }) => follow('listSessions', () => app.listSessions()),
  }),
  signIn: defineAction<Auth, AuthBackend, Facts, { person: Person }>({
    weight: 3,
    args: fc.record({ person }),
    says: ({ person }) => `signs in as ${person}`,
    run: (stage, { person }) => signIn(stage, person),
  }),
  mistype: defineAction<Auth, AuthBackend, Facts, Nothing>({
    args: nothing,
    says: () => 'mistypes the password, if asked for it',
    run: (stage) => {
      if (stateOf(stage.app).status !== 'signedOut') return read(stage);
      change(stage, 'signIn in vain', () => stage.app.signIn({ email: PEOPLE.noor.email, password: 'oops' }));
    },
  }),
  enterCode: defineAction<Auth, AuthBackend, Facts, { kind: CodeKind }>({
    weight: 4,
    args: fc.record({ kind: codeKind }),
    says: ({ kind }) => `enters a code (${kind})`,
    run: (stage, { kind }) => enterCode(stage, kind),
  }),
  signInWithCode: defineAction<Auth, AuthBackend, Facts, { kind: CodeKind }>({
    weight: 2,
    args: fc.record({ kind: codeKind }),
    says: ({ kind }) => `signs in as bo, and enters the code that is asked for (${kind})`,
    run: (stage, { kind }) => signIn(stage, 'bo', () => enterCode(stage, kind)),
  }),
  resend: defineAction<Auth, AuthBackend, Facts, Nothing>({
    args: nothing,
    says: () => 'asks for another code',
    run: (stage) => change(stage, 'resendOtp', () => stage.app.resendOtp()),
  }),
  signOut: defineAction<Auth, AuthBackend, Facts, Nothing>({
    args: nothing,
    says: () => 'signs out',
    run: (stage) => signOut(stage),
  }),
  leave: defineAction<Auth, AuthBackend, Facts, { next: Person | null }>({
    weight: 2,
    args: fc.record({ next: fc.constantFrom<Person | null>(null, 'ada', 'noor') }),
    says: ({ next }) =>
      `signs out while a screen loads with a token that has run out${next ? `, then ${next} signs in` : ''}`,
    run: (stage, { next }) => leaveWhileLoading(stage, next),
  }),
  lock: defineAction<Auth, AuthBackend, Facts, { on: boolean }>({
    weight: 3,
    args: fc.record({ on: fc.constantFrom(true, true, false) }),
    says: ({ on }) => `switches the lock ${on ? 'on' : 'off'}`,
    run: (stage, { on }) => switchLock(stage, on),
  }),
  unlock: defineAction<Auth, AuthBackend, Facts, Nothing>({
    weight: 2,
    args: nothing,
    says: () => 'unlocks the app',
    run: (stage) => unlock(stage, () => read(stage)),
  }),
  tokensRunOut: defineAction<Auth, AuthBackend, Facts, Nothing>({
    weight: 2,
    args: nothing,
    says: () => 'comes back to three screens after the server has let all access tokens run out',
    run: (stage) => {
      stage.backend.expireAccessTokens();
      for (let n = 0; n < 3; n += 1) read(stage);
    },
  }),
  endedElsewhere: defineAction<Auth, AuthBackend, Facts, { person: Person }>({
    args: fc.record({ person }),
    says: ({ person }) => `hears that all sessions of ${person} were ended from another phone`,
    run: ({ backend }, { person }) => backend.endSessionsOf(person),
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// Launches

/** As a shell would: a start that fails is tried again; the first launch shows the login screen; then comes the home screen. */
function begin(app: Auth, opening: Opening, triesLeft: number): void {
  const { facts, backend, phone, follow } = opening;
  const stage: AuthStage = { app, facts, backend, phone: phone as PhoneView<Auth>, follow };
  follow('start', () => app.start(), {
    done: () => {
      const isFirst = facts.heard === null && facts.calls.length === 0;
      trustTheApp(app, facts);
      facts.isNewInstall = false;
      if (isFirst) signIn(stage, 'ada', () => read(stage));
      else if (stateOf(app).status === 'signedIn') read(stage);
    },
    failed: () => {
      if (triesLeft > 1) begin(app, opening, triesLeft - 1);
    },
  });
}

/** After a change was cut off: who is in now will be told by the first token that leaves. */
function trustTheApp(app: Auth, facts: Facts): void {
  if (!facts.isInDoubt) return;
  const { status } = stateOf(app);
  facts.hasOpenFlow = status === 'otpRequired';
  if (status === 'signedIn' || status === 'locked') return;
  facts.current = null;
  facts.isInDoubt = false;
}

/** Whoever cannot renew now never will. */
function comeBack(stage: AuthStage): void {
  stage.backend.expireAccessTokens();
  if (stateOf(stage.app).status === 'locked') unlock(stage, () => read(stage));
  else read(stage);
}

// ---------------------------------------------------------------------------------------------------------------------
// What can be seen. An attempt is not trusted to keep to its types.

const stateOf = (app: Auth): Partial<AuthState> => app.getState() ?? {};
const shown = (world: AuthWorld): Partial<AuthState> => {
  const app = world.phones[0]?.app;
  return app ? stateOf(app) : {};
};

const tokensIn = (text: string): string[] => text.match(TOKEN) ?? [];
const keyOf = ({ headers }: RequestRecord): string => headers['idempotency-key'] ?? '';
const callOf = ({ headers }: RequestRecord): number => Number(headers['x-call'] ?? 0);
const refreshTokenIn = ({ body }: RequestRecord): string => tokensIn(body ?? '').find((one) => one[0] === 'r') ?? '';
const tokensOf = (request: RequestRecord): string[] => tokensIn(`${bearerOf(request)} ${request.body ?? ''}`);
const sentBy = (event: TraceEvent): RequestRecord | null =>
  event.kind === 'request' && event.phase === 'sent' ? event.request : null;

const isApplied = (event: TraceEvent): boolean => event.kind === 'storage' && event.phase === 'applied';
const isKeychainWrite = (event: TraceEvent): boolean =>
  event.kind === 'storage' && event.phase === 'applied' && event.call.startsWith('secureStore.');
const hasStarted = (event: TraceEvent): boolean =>
  event.kind === 'settled' && event.label === 'start' && event.error === null;

/** Values in the keychain, with whether a prompt guards them. */
function* keychainOf({ phones }: AuthWorld): Iterable<{ value: string; isGuarded: boolean }> {
  const store = phones[0]?.disk.secureStore;
  if (!store) return;
  for (const [key, value] of store.entries()) yield { value, isGuarded: store.rulesOf(key).requireAuthentication };
}

/** Tokens that can be read from the keychain without a prompt. */
const openTokens = (world: AuthWorld): string[] =>
  [...keychainOf(world)].flatMap(({ value, isGuarded }) => (isGuarded ? [] : tokensIn(value)));

/** What everybody's facts rest on: it comes first, and never fails. */
const bookkeeping = (world: AuthWorld) => (event: TraceEvent) => {
  const { facts, backend } = world;
  if (event.kind === 'request' && event.phase === 'received' && event.note === '200') {
    if (WAYS_IN.includes(event.request.endpoint))
      facts.heard = backend.sessionBegunBy(keyOf(event.request)) ?? facts.heard;
  }
  if (event.kind === 'kill') {
    facts.isInDoubt ||= facts.changing > 0;
    facts.changing = 0;
  }
  const sent = sentBy(event);
  if (sent && facts.isInDoubt && PROTECTED.includes(sent.endpoint)) {
    facts.current = backend.pairOf(bearerOf(sent))?.session ?? null;
    // An app that has a token to send is past its code, though its start be told only after that call.
    if (facts.current) facts.hasOpenFlow = false;
    facts.isInDoubt = false;
  }
  if (event.kind !== 'condition') return;
  if (event.condition === 'enrolled' && world.phones[0]?.disk.secureStore.keys().some((key) => isGuarded(world, key)))
    facts.mayLose = true;
  if (event.condition !== 'reinstalled') return;
  for (const session of backend.sessions) facts.former.add(session);
  facts.current = null;
  facts.hasOpenFlow = false;
  facts.isInDoubt = false;
  facts.isNewInstall = true;
  facts.mayLose = false;
  facts.left.clear();
};
const isGuarded = ({ phones }: AuthWorld, key: string): boolean =>
  phones[0]?.disk.secureStore.rulesOf(key).requireAuthentication === true;

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: the door

const noFlash: AuthInvariant = {
  id: 'no-flash',
  promise: 'The state begins as restoring, and does not pass through signedOut on the way in.',
  spec: ['R1'],
  watch: (world) => {
    const keepBooks = bookkeeping(world);
    let isStarting = false;
    let hasFlashed = false;
    return (event) => {
      keepBooks(event);
      if (event.kind === 'launch') hasFlashed = false;
      if (event.kind === 'action' && event.label === 'start') {
        isStarting = true;
        const { status } = shown(world);
        if (world.phones[0]?.app && status !== 'restoring') return `Before start the status was ${status}.`;
      }
      if (event.kind === 'state' && isStarting && shown(world).status === 'signedOut') hasFlashed = true;
      if (!hasStarted(event)) return undefined;
      isStarting = false;
      const { status } = shown(world);
      return hasFlashed && (status === 'signedIn' || status === 'locked')
        ? `The status was signedOut on the way to ${status}.`
        : undefined;
    };
  },
};

const doorIsShut: AuthInvariant = {
  id: 'door-is-shut',
  promise: 'No protected request leaves unless somebody is signed in.',
  spec: ['R1'],
  watch: atSend((world: AuthWorld) => (request) => {
    if (!PROTECTED.includes(request.endpoint)) return undefined;
    const { status } = shown(world);
    return status === 'signedIn' ? undefined : `${request.endpoint} left while the status was ${status}.`;
  }),
};

const renewal: Renewal<AuthWorld> = {
  endpoint: REFRESH,
  tokenOf: refreshTokenIn,
  pairOf({ backend }, token) {
    const pair = backend.pairOf(token);
    return pair && { accessToken: pair.accessToken, session: pair.session, dueMs: LIFE_MS };
  },
  brought: (world, event) => pairAnswered(world, event)?.accessToken,
  graceMs: SLACK_MS,
};

const oneRenewalOut: AuthInvariant = {
  id: 'one-renewal-at-a-time',
  promise: 'A session has one renewal out at most.',
  spec: ['R4', 'E3'],
  watch: oneRenewalAtATime(renewal),
};

const oneRepeat: AuthInvariant = {
  id: 'one-repeat',
  promise: 'A call is sent again once at most, only after a 401, and as it was.',
  spec: ['R4'],
  watch: () => {
    const sends = new Map<number, { count: number; status: string; text: string }>();
    return (event) => {
      if (event.kind !== 'request') return undefined;
      const { request, phase } = event;
      const serial = callOf(request);
      if (serial === 0) return undefined;
      const seen = sends.get(serial) ?? { count: 0, status: '', text: '' };
      if (phase === 'received') sends.set(serial, { ...seen, status: event.note });
      if (phase !== 'sent') return undefined;
      const text = `${request.method} ${request.url} ${request.body ?? ''}`;
      sends.set(serial, { ...seen, count: seen.count + 1, text });
      if (seen.count === 0) return undefined;
      if (text !== seen.text) return `Call ${serial} was sent as ${seen.text}, then as ${text}.`;
      if (seen.count === 1 && seen.status === '401') return undefined;
      return `Call ${serial} (${request.endpoint}) was sent ${seen.count + 1} times; its last answer was ${seen.status || 'none'}.`;
    };
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: tokens

const keepsSecrets: AuthInvariant = {
  id: 'keeps-secrets',
  promise: 'No token and no flow id lies in plain storage, in the state, in a URL or in the log.',
  spec: ['R6'],
  watch: (world) => (event) => {
    const secretIn = (text: string) => SECRET.exec(text)?.[0];
    if (event.kind === 'log') {
      const secret = secretIn(event.text);
      return secret && `${secret} was written to the log.`;
    }
    if (event.kind === 'state') {
      const secret = secretIn(JSON.stringify(shown(world)));
      return secret && `${secret} stood in the state.`;
    }
    const sent = sentBy(event);
    if (sent) {
      const secret = secretIn(sent.url);
      return secret && `${secret} stood in the URL ${sent.url}.`;
    }
    if (!isApplied(event) || isKeychainWrite(event)) return undefined;
    for (const { module, key, value } of world.phones[0]?.disk.entries() ?? []) {
      const secret = module === 'secureStore' ? undefined : secretIn(value);
      if (secret) return `${secret} is stored in the open, in ${module} under "${key}".`;
    }
    return undefined;
  },
};

const onePlaceForAPair: AuthInvariant = {
  id: 'one-place-for-a-pair',
  promise: 'Wherever an access token is stored, its refresh token is in the same value.',
  spec: ['R3'],
  watch: (world) => (event) => {
    if (!isKeychainWrite(event)) return undefined;
    for (const { value } of keychainOf(world)) {
      const tokens = tokensIn(value);
      for (const token of tokens) {
        const pair = world.backend.pairOf(token);
        if (pair?.accessToken === token && !tokens.includes(pair.refreshToken))
          return `A stored value holds ${token}, but not its refresh token.`;
      }
    }
    return undefined;
  },
};

/** The tokens of an answer, as far as the server knows what it has answered. */
function pairAnswered({ backend }: AuthWorld, event: TraceEvent) {
  if (event.kind !== 'request' || event.phase !== 'received' || event.note !== '200') return null;
  const { request } = event;
  if (request.endpoint === REFRESH) return backend.pairOf(refreshTokenIn(request))?.next ?? null;
  if (!WAYS_IN.includes(request.endpoint)) return null;
  const session = backend.sessionBegunBy(keyOf(request));
  return session ? (backend.pairOf(`at-${session.sessionId.slice(-2)}-0001`) ?? null) : null;
}

const storedBeforeUsed: AuthInvariant = {
  id: 'stored-before-used',
  promise: 'Between the answer that brings a pair and the first request that carries it, something was stored.',
  spec: ['R3'],
  watch: (world) => {
    let writes = 0;
    const writesAtReceipt = new Map<string, number>();
    return (event) => {
      if (isApplied(event)) writes += 1;
      const pair = pairAnswered(world, event);
      if (pair && !writesAtReceipt.has(pair.accessToken)) {
        writesAtReceipt.set(pair.accessToken, writes);
        writesAtReceipt.set(pair.refreshToken, writes);
      }
      const sent = sentBy(event);
      const token = sent && tokensOf(sent).find((one) => writesAtReceipt.get(one) === writes);
      return token ? `${sent.endpoint} left with ${token} before anything was stored since it came.` : undefined;
    };
  },
};

const noFalseAlarm: AuthInvariant = {
  id: 'no-false-alarm',
  promise: 'The server never takes this honest phone for a thief, and one key belongs to one request.',
  spec: ['R3', 'E1', 'E2'],
  watch: () => {
    const bodies = new Map<string, string>();
    return (event) => {
      if (event.kind === 'effect' && event.label === 'session-ended') {
        const data = JSON.stringify(event.data);
        if (data.includes('"reuse"'))
          return `The server saw an old refresh token again and ended the session: ${data}.`;
      }
      const sent = sentBy(event);
      if (!sent?.endpoint.startsWith('POST /auth/')) return undefined;
      const key = keyOf(sent);
      if (key === '') return `${sent.endpoint} left without a key.`;
      const text = `${sent.endpoint} ${sent.body}`;
      const before = bodies.get(key) ?? text;
      bodies.set(key, before);
      return before === text ? undefined : `Key ${key} was sent with ${before}, then with ${text}.`;
    };
  },
};

const renewalHasAReason: AuthInvariant = {
  id: 'renewal-has-a-reason',
  promise: 'Only a token that is old, or was refused while it was current, is renewed.',
  spec: ['R4', 'E4'],
  watch: renewsWithReason(renewal, 'steady'),
};

const oneRenewalPerMove: AuthInvariant = {
  id: 'one-renewal-per-move',
  promise: 'A clock that is moved costs one renewal at most.',
  spec: ['R5', 'E9'],
  watch: renewsWithReason(renewal, 'jumped'),
};

const renewedInTime: AuthInvariant = {
  id: 'renewed-in-time',
  promise: 'A call does not leave with a token that is about to end.',
  spec: ['R4'],
  watch: leavesWithFreshToken(renewal, () => {
    const sent = new Set<number>();
    return (request) => {
      const serial = callOf(request);
      const isFirst = serial > 0 && !sent.has(serial);
      sent.add(serial);
      return isFirst;
    };
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: who is in

/** The session that nobody has ended, while the app says that nobody is in. */
function thrownOut(world: AuthWorld): string | undefined {
  const { facts, backend } = world;
  const { current } = facts;
  const { status, endedBy } = shown(world);
  if (status !== 'signedOut' || !current || facts.isInDoubt || facts.changing > 0) return undefined;
  if (!backend.isAlive(current) || facts.mayLose) {
    facts.current = null;
    facts.mayLose = false;
    return undefined;
  }
  return `Nobody has ended ${current.sessionId} of ${current.user.id}, but the app shows signedOut, ended by ${endedBy}.`;
}

const staysSignedIn: AuthInvariant = {
  id: 'stays-signed-in',
  promise: 'A session that neither the person nor the server has ended, and whose secret is there, goes on.',
  spec: ['R2', 'E8'],
  watch: (world) => (event) => (event.kind === 'state' || hasStarted(event) ? thrownOut(world) : undefined),
  settled: thrownOut,
  relaunched: thrownOut,
};

const canGoOn: AuthInvariant = {
  id: 'can-go-on',
  promise: 'After all that has gone wrong, whoever is in by the server is in here, and one more call succeeds.',
  spec: ['R2', 'E2'],
  relaunched: (world) => {
    const { facts, backend } = world;
    const { current } = facts;
    if (!current || facts.isInDoubt || !backend.isAlive(current)) return undefined;
    const { status, lock, user } = shown(world);
    if (status !== 'signedIn' || user?.id !== current.user.id)
      return `${current.sessionId} of ${current.user.id} is alive, but the app shows ${status}, ${lock}, ${user?.id}.`;
    const last = facts.calls.at(-1);
    return last?.status === 200
      ? undefined
      : `The last call of ${user.id} ended with ${last?.status ?? 'a rejection'}.`;
  },
};

const seesTheEnd: AuthInvariant = {
  id: 'sees-the-end',
  promise: 'Once a call has been made after the server ended a session, nobody is in and no secret is left.',
  spec: ['R2', 'E10'],
  relaunched: (world) => {
    const { facts, backend } = world;
    const { current } = facts;
    if (!current || facts.isInDoubt || backend.isAlive(current)) return undefined;
    const { status } = shown(world);
    const token = openTokens(world).find((one) => backend.pairOf(one)?.session === current);
    if (status === 'signedOut' && !token) return undefined;
    return `The server has ended ${current.sessionId}; the app shows ${status} and stores ${token ?? 'nothing'}.`;
  },
};

const nothingLeft: AuthInvariant = {
  id: 'nothing-left',
  promise: 'When a sign-out has resolved, no access token is stored (unless the keychain refused), and nobody is in.',
  spec: ['R10'],
  watch: (world) => {
    let hasRefused = false;
    let wasIn = false;
    return (event) => {
      if (event.kind === 'action' && event.label === 'signOut') {
        const before = shown(world).status;
        wasIn = before === 'signedIn' || before === 'locked';
        hasRefused = false;
      }
      if (event.kind === 'storage' && event.phase === 'failed') hasRefused = true;
      if (event.kind !== 'settled' || event.label !== 'signOut' || event.error !== null) return undefined;
      const { status } = shown(world);
      const token = openTokens(world).find((one) => one.startsWith('at-'));
      if (!wasIn || (status === 'signedOut' && (!token || hasRefused))) return undefined;
      return `After the sign-out the status was ${status}, and ${token ?? 'nothing'} was stored.`;
    };
  },
};

const debtsArePaid: AuthInvariant = {
  id: 'debts-are-paid',
  promise: 'Every sign-out has ended its session on the server.',
  spec: ['R10', 'E5', 'E6'],
  relaunched: ({ facts, backend }) => {
    const open = [...facts.left].find((session) => backend.isAlive(session));
    return open && `${open.user.id} has signed out of ${open.sessionId}, but the server was never told.`;
  },
};

const noGhosts: AuthInvariant = {
  id: 'no-ghosts',
  promise: 'After a sign-out nothing but its logout carries a token of that session, and nobody comes back.',
  spec: ['R11', 'E5'],
  watch: atSend((world: AuthWorld) => (request) => {
    if (request.endpoint === LOGOUT) return undefined;
    const ghost = tokensOf(request).find((token) => {
      const session = world.backend.pairOf(token)?.session;
      return session !== undefined && world.facts.left.has(session);
    });
    return ghost && `${request.endpoint} left with ${ghost} after the sign-out.`;
  }),
  settled: cameBack,
  relaunched: cameBack,
};

function cameBack({ facts, phones }: AuthWorld): string | undefined {
  if (facts.current || facts.isInDoubt || facts.changing > 0 || facts.heard === null) return undefined;
  const app = phones[0]?.app;
  const { status, user } = app ? stateOf(app) : {};
  return status === 'signedIn' || status === 'locked'
    ? `Nobody is in, but the app shows ${status}, ${user?.id}.`
    : undefined;
}

const neverAsAnother: AuthInvariant = {
  id: 'never-as-another',
  promise: 'No call is sent with the token of a session it was not begun under.',
  spec: ['R11', 'E11'],
  watch: atSend(({ backend, facts }: AuthWorld) => (request) => {
    const made = facts.calls[callOf(request) - 1];
    const session = backend.pairOf(bearerOf(request))?.session;
    if (!made?.session || !session || session === made.session) return undefined;
    return `Call ${made.serial}, begun in ${made.session.sessionId} of ${made.session.user.id}, was sent in ${session.sessionId} of ${session.user.id}.`;
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: codes, the lock, offline, installations

const oneCodeAtATime: AuthInvariant = {
  id: 'one-code-at-a-time',
  promise: 'One code is out at a time, and only what can be a code is sent.',
  spec: ['R9'],
  watch: atSend(() => (sent, others) => {
    if (sent.endpoint !== VERIFY && sent.endpoint !== BACKUP) return undefined;
    const { code } = fieldsOf(sent);
    if (sent.endpoint === VERIFY && !/^\d{6}$/.test(code ?? '')) return `The code "${code}" was sent.`;
    const isTwin = ({ endpoint }: RequestRecord) => endpoint === VERIFY || endpoint === BACKUP;
    return others().some(isTwin) ? `Code ${sent.nth} left while another was still out.` : undefined;
  }),
};

const entryResumes: AuthInvariant = {
  id: 'entry-resumes',
  promise: 'An open code entry outlives a kill, and the same code has the same key.',
  spec: ['R9', 'E7'],
  watch: (world) => {
    const keys = new Map<string, string>();
    return (event) => {
      const sent = sentBy(event);
      if (sent?.endpoint === VERIFY) {
        const before = keys.get(sent.body ?? '') ?? keyOf(sent);
        keys.set(sent.body ?? '', before);
        if (before !== keyOf(sent)) return `The same code was sent with key ${before}, then with key ${keyOf(sent)}.`;
      }
      const { facts } = world;
      if (!hasStarted(event) || !facts.hasOpenFlow || facts.isInDoubt) return undefined;
      const { status } = shown(world);
      return status === 'otpRequired'
        ? undefined
        : `A code was being asked for, but after the launch the status was ${status}.`;
    };
  },
};

function fieldsOf({ body }: RequestRecord): Record<string, string> {
  try {
    return JSON.parse(body ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}

const lockHoldsTheSecret: AuthInvariant = {
  id: 'lock-holds-the-secret',
  promise: 'While locked, no token of the session can be read without a prompt, and nothing is sent.',
  spec: ['R7'],
  watch: (world) => {
    let promptsAtLock = 0;
    let wasLocked = false;
    return (event) => {
      const sent = sentBy(event);
      if (!sent && event.kind !== 'state' && !hasStarted(event)) return undefined;
      const isLocked = shown(world).lock === 'biometric';
      if (isLocked && (!wasLocked || event.kind !== 'request')) promptsAtLock = world.costs.prompts;
      wasLocked = isLocked;
      if (!isLocked) return undefined;
      if (!sent) return readable(world);
      if (sent.endpoint === LOGOUT || world.costs.prompts > promptsAtLock) return undefined;
      return `${sent.endpoint} left while the app was locked.`;
    };
  },
};

/** What somebody who holds a locked phone can read. */
function readable(world: AuthWorld): string | undefined {
  const { facts, backend } = world;
  const token = openTokens(world).find((one) => backend.pairOf(one)?.session === facts.current);
  if (token && facts.current) return `The app was locked, and ${token} could be read without a prompt.`;
  const isWorthALock = facts.current !== null && backend.isAlive(facts.current) && !facts.mayLose;
  if (!isWorthALock || [...keychainOf(world)].some((one) => one.isGuarded)) return undefined;
  return 'The app was locked, and nothing in the keychain needed a prompt to be read.';
}

const locksInTime: AuthInvariant = {
  id: 'locks-in-time',
  promise:
    'With the lock on, nothing protected leaves after a launch or a return after 300 s before a prompt was answered.',
  spec: ['R7'],
  watch: (world) => {
    let isOn = false;
    let leftAtMs = 0;
    /** Prompts so far when a lock fell due; null when none is. */
    let dueSince: number | null = null;
    return (event) => {
      if (event.kind === 'state') {
        const { biometricLock, status } = shown(world);
        isOn = biometricLock === true;
        if (status === 'signedOut' || status === 'otpRequired') dueSince = null;
      }
      // From here on a kill may leave it on or off.
      if (event.kind === 'action' && event.label.startsWith('setBiometricLock')) isOn = false;
      const nowMs = world.phones[0]?.nowMs ?? 0;
      if (event.kind === 'launch' && isOn) dueSince = world.costs.prompts;
      if (event.kind === 'condition' && event.condition === 'background') leftAtMs = nowMs;
      if (event.kind === 'condition' && event.condition === 'foreground') {
        const awayMs = nowMs - leftAtMs;
        if (isOn && (awayMs < 0 || awayMs >= LOCK_AFTER_MS)) dueSince = world.costs.prompts;
      }
      const sent = sentBy(event);
      if (!sent || dueSince === null || !PROTECTED.includes(sent.endpoint)) return undefined;
      return world.costs.prompts > dueSince ? undefined : `${sent.endpoint} left although the app had to be locked.`;
    };
  },
};

const onePromptPerUnlock: AuthInvariant = {
  id: 'one-prompt-per-unlock',
  promise: 'A person is asked for a face once per unlock or switching on, and at no other time.',
  spec: ['R7', 'E12'],
  watch:
    ({ costs, facts }) =>
    (event) => {
      if (event.kind !== 'settled' || costs.prompts <= facts.promptsDue) return undefined;
      return `There were ${costs.prompts} prompts for ${facts.promptsDue} occasions.`;
    },
};

const silentOffline: AuthInvariant = {
  id: 'silent-offline',
  promise: 'Nothing is sent while netInfo says offline, but the repeat of a call begun online.',
  spec: ['R12'],
  watch: atSend(({ facts }: AuthWorld) => {
    const sent = new Set<number>();
    return (request) => {
      const serial = callOf(request);
      const isRepeat = serial > 0 && sent.has(serial);
      sent.add(serial);
      if (request.sentOnline || (isRepeat && facts.calls[serial - 1]?.isBegunOnline)) return undefined;
      return `${request.endpoint} left while the phone was offline.`;
    };
  }),
  relaunched: (world) => {
    const { status, stale } = shown(world);
    return status === 'signedIn' && stale ? 'The server was heard, and the state is still stale.' : undefined;
  },
};

const offlineLimit: AuthInvariant = {
  id: 'offline-limit',
  promise: 'Nobody comes in after 72 h without the server.',
  spec: ['R12'],
  watch: (world) => {
    let heardAtMs = Number.NaN;
    return (event) => {
      const nowMs = world.phones[0]?.nowMs ?? 0;
      if (pairAnswered(world, event)) heardAtMs = nowMs;
      if (!hasStarted(event)) return undefined;
      const { status, stale } = shown(world);
      if (status !== 'signedIn' || !stale || !(nowMs - heardAtMs > OFFLINE_LIMIT_MS + SLACK_MS)) return undefined;
      return `The app let somebody in ${Math.round((nowMs - heardAtMs) / HOUR_MS)} h after it last heard the server.`;
    };
  },
};

const lostSecretEnds: AuthInvariant = {
  id: 'lost-secret-ends',
  promise: 'When the secret is lost the session ends, says so, and leaves no token behind.',
  spec: ['R8', 'E15'],
  watch: (world) => (event) => {
    if (event.kind !== 'state') return undefined;
    const { status, endedBy } = shown(world);
    if (status !== 'signedOut' || endedBy !== 'lostSecret') return undefined;
    const token = openTokens(world).find((one) => world.backend.pairOf(one)?.session === world.facts.current);
    return token && `The secret was lost, and ${token} is still stored.`;
  },
};

function isFormer({ backend, facts }: AuthWorld, token: string): boolean {
  const session = backend.pairOf(token)?.session;
  return session !== undefined && facts.former.has(session);
}

const beginsAnew: AuthInvariant = {
  id: 'begins-anew',
  promise:
    'An installation knows nothing of the one before, and has one deviceId; its mark is there before its first secret.',
  spec: ['R13', 'E13'],
  watch: (world) => {
    const ids = new Map<number, string>();
    return (event) => {
      const phone = world.phones[0];
      if (!phone) return undefined;
      if (hasStarted(event) && world.facts.isNewInstall && shown(world).status !== 'signedOut')
        return `After a new installation the status was ${shown(world).status}.`;
      if (isKeychainWrite(event) && phone.disk.entries().every(({ module }) => module === 'secureStore')) {
        const token = openTokens(world).find((one) => !isFormer(world, one));
        if (token) return `${token} was stored before there was any mark of this installation.`;
      }
      const sent = sentBy(event);
      if (sent?.endpoint !== LOGIN) return undefined;
      const { deviceId = '' } = fieldsOf(sent);
      const known = ids.get(phone.installs) ?? deviceId;
      ids.set(phone.installs, known);
      if (deviceId === '' || known !== deviceId)
        return `Two sign-ins of one installation sent ${known} and ${deviceId}.`;
      const other = [...ids].find(([install, id]) => install !== phone.installs && id === deviceId);
      return other && `Installation ${phone.installs} sent the deviceId of installation ${other[0]}.`;
    };
  },
  relaunched: (world) => {
    const former = openTokens(world).find((one) => isFormer(world, one));
    return former && `${former} of an earlier installation is still in the keychain.`;
  },
};

// ---------------------------------------------------------------------------------------------------------------------

export const scenario = defineScenario<AuthModule, Auth, AuthBackend, Facts>({
  kata: 'auth',
  apiUrl: API,
  slots: 14,
  gapsMs: [0, 3, 120, 1_500, 5_000, 30_000, 310_000, 263_000_000],
  endpoints: [LOGIN, VERIFY, BACKUP, RESEND, REFRESH, LOGOUT, LIST, 'DELETE /auth/sessions/:sessionId', ME, ECHO],
  backend: createBackend,
  facts: () => ({
    calls: [],
    heard: null,
    current: null,
    hasOpenFlow: false,
    changing: 0,
    isInDoubt: false,
    left: new Set(),
    mayLose: false,
    isNewInstall: false,
    former: new Set(),
    promptsDue: 0,
  }),
  open(opening) {
    const { module, device, apiUrl, stateChanged } = opening;
    const app = module.createAuth({ device, apiUrl });
    app.subscribe(stateChanged);
    begin(app, opening, START_TRIES);
    return app;
  },
  healed: comeBack,
  close: (app) => app.dispose(),
  view: (app) => {
    const { status, user, stale, lock, biometricLock } = app.getState();
    return { status, user: user?.id ?? null, stale, lock, biometricLock };
  },
  actions,
  conditions: {
    offline: { weight: 2, forMs: [3_000, 60_000, 300_000_000] },
    background: { forMs: [10_000, 400_000] },
    kill: { weight: 2, forMs: [200, 60_000] },
    clock: { byMs: [-HOUR_MS, HOUR_MS, 24 * HOUR_MS] },
    outage: { forMs: [8_000, 120_000] },
    reinstall: { forMs: [1_000] },
    enrolment: {},
  },
  faults: {
    [LOGIN]: [
      'response-lost',
      'hang',
      'delay',
      'portal',
      'answer-401',
      'answer-429-seconds',
      'answer-503',
      'kill-after',
    ],
    [VERIFY]: ['response-lost', 'delay', 'duplicate', 'portal', 'applied-then-500', 'kill-before', 'kill-after'],
    [REFRESH]: [
      'request-lost',
      'response-lost',
      'hang',
      'delay',
      'duplicate',
      'truncate',
      'portal',
      'answer-401',
      'answer-403',
      'answer-408',
      'answer-429-seconds',
      'answer-500',
      'applied-then-500',
      'kill-before',
      'kill-after',
    ],
    [LOGOUT]: [
      'request-lost',
      'response-lost',
      'hang',
      'portal',
      'answer-401',
      'answer-500',
      'kill-before',
      'kill-after',
    ],
    [ME]: ['response-lost', 'hang', 'delay', 'answer-401', 'answer-403', 'answer-500', 'kill-after'],
    [ECHO]: ['request-lost', 'delay', 'duplicate', 'answer-401', 'answer-503', 'kill-before'],
    'secureStore.write': ['failed', 'slow', 'kill-before', 'kill-after'],
    'secureStore.read': ['failed', 'slow', 'kill-before'],
    'storage.write': ['failed', 'kill-before', 'kill-after'],
    'storage.read': ['failed', 'slow'],
    localAuthentication: ['user-cancel', 'system-cancel', 'lockout', 'kill-before', 'kill-after'],
  },
  invariants: [
    noFlash,
    doorIsShut,
    oneRenewalOut,
    oneRepeat,
    keepsSecrets,
    onePlaceForAPair,
    storedBeforeUsed,
    noFalseAlarm,
    renewalHasAReason,
    oneRenewalPerMove,
    renewedInTime,
    staysSignedIn,
    canGoOn,
    seesTheEnd,
    nothingLeft,
    debtsArePaid,
    noGhosts,
    neverAsAnother,
    oneCodeAtATime,
    entryResumes,
    lockHoldsTheSecret,
    locksInTime,
    onePromptPerUnlock,
    silentOffline,
    offlineLimit,
    lostSecretEnds,
    beginsAnew,
  ],
  budgets: [
    {
      id: 'renewals',
      promise: 'One renewal for each life of an access token.',
      spec: ['R17'],
      measure: ({ requests }) => requests.filter(({ endpoint }) => endpoint === REFRESH).length,
      allowance: 1.25,
    },
    {
      id: 'keychain-writes',
      promise: 'One write to the keychain for each renewal.',
      spec: ['R17'],
      measure: ({ costs }) => costs.secureWrites,
      allowance: 1.6,
    },
    {
      id: 'requests',
      promise: 'No request that nobody needs.',
      spec: ['R17'],
      measure: ({ costs }) => costs.requests,
      allowance: 1.25,
    },
    {
      id: 'offline-wakeups',
      promise: 'No timer while offline.',
      spec: ['R17'],
      measure: ({ costs }) => costs.offlineWakeups,
      allowance: 1.5,
    },
  ],
  patienceMs: 120_000,
});
