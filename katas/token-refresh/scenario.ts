// The simulation: people use an app all day while tokens run out, answers get lost and the app is killed at bad moments.
import fc from 'fast-check';
import type { Session, SessionState, TokenRefreshModule } from '#contract/token-refresh';
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
import { createBackend, type SessionBackend } from './backend.ts';

/** A sign-in as the person knows it. */
interface Login {
  readonly family: number;
  readonly userId: string;
  /** By the phone's clock. */
  readonly adoptedAtMs: number;
  /** A sign-out of it has resolved. */
  isSignedOut: boolean;
  /** An administrator has ended it. */
  isRevoked: boolean;
}

/** One call of `fetch`. Its serial travels in a header, so that each of its requests is known. */
interface Call {
  readonly serial: number;
  readonly endpoint: string;
  /** The sign-in it was begun under; null when that could not be told. */
  readonly login: Login | null;
  status: number | null;
}

interface Facts {
  /** Life of an access token in this world, in seconds. */
  expiresIn: number;
  readonly logins: Map<number, Login>;
  readonly calls: Call[];
  /** Who is signed in, as far as promises have told. */
  current: Login | null;
  /** Sign-ins and sign-outs that are under way. */
  changing: number;
  /** One of them was cut off, or two went on at once: only the keychain can tell who is signed in. */
  isInDoubt: boolean;
  isHealed: boolean;
}

type SessionStage = Stage<Session, SessionBackend, Facts>;
type SessionWorld = WorldView<Session, SessionBackend, Facts>;
type SessionInvariant = Invariant<Session, SessionBackend, Facts>;
type Opening = OpenContext<TokenRefreshModule, SessionBackend, Facts>;

const API = 'https://api.example.test';
const FILES = 'https://files.example.test';
const REFRESH = 'POST /auth/refresh';
const LOGOUT = 'POST /auth/logout';
const FILE = 'GET /files/:name';
const START_TRIES = 5;
const MARGIN_SECONDS = 30;
/** What a clock and a queue of writes may add to the age of a token. */
const SLACK_MS = 6_000;
const TOKEN = /[ar]t-\d{2}-\d{4}/g;

// ---------------------------------------------------------------------------------------------------------------------
// What people do

function call({ app, facts, follow }: SessionStage, endpoint: string, url: string, init: RequestInit = {}): void {
  const serial = facts.calls.length + 1;
  const isSure = facts.changing === 0 && !facts.isInDoubt;
  const made: Call = { serial, endpoint, login: isSure ? facts.current : null, status: null };
  facts.calls.push(made);
  const headers = { ...(init.headers as Record<string, string> | undefined), 'x-call': String(serial) };
  follow(`${endpoint}, call ${serial}`, () => app.fetch(url, { ...init, headers }), {
    done: (response) => {
      made.status = response?.status ?? null;
    },
  });
}

const getMe = (stage: SessionStage) => call(stage, 'GET /me', `${API}/me`);

function order(stage: SessionStage, item: string): void {
  const key = `order-key-${stage.facts.calls.length + 1}`;
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key };
  call(stage, 'POST /orders', `${API}/orders`, { method: 'POST', headers, body: JSON.stringify({ item }) });
}

/** Who is signed in changes: until that has ended nobody can say. */
function changeWho(facts: Facts): { done(login: Login | null): void; failed(): void } {
  facts.changing += 1;
  if (facts.changing > 1) facts.isInDoubt = true;
  return {
    done: (login) => {
      facts.changing -= 1;
      facts.current = login;
    },
    failed: () => {
      facts.changing -= 1;
    },
  };
}

function signIn({ app, backend, facts, follow, phone }: SessionStage, userId: string, then = () => {}): void {
  const tokens = backend.signIn(userId);
  const family = backend.pairOf(tokens.accessToken)?.family ?? 0;
  const login: Login = { family, userId, adoptedAtMs: phone.nowMs, isSignedOut: false, isRevoked: false };
  facts.logins.set(family, login);
  const change = changeWho(facts);
  follow(`adopt the session of ${userId}`, () => app.adopt(tokens), {
    done: () => {
      change.done(login);
      then();
    },
    failed: change.failed,
  });
}

function signOut({ app, facts, follow }: SessionStage, then = () => {}): void {
  const leaving = facts.changing === 0 && !facts.isInDoubt ? facts.current : null;
  const change = changeWho(facts);
  follow('signOut', () => app.signOut(), {
    done: () => {
      change.done(null);
      // A session that was over already may have left its record in a keychain that failed.
      if (leaving && facts.changing === 0) leaving.isSignedOut = !leaving.isRevoked;
      then();
    },
    failed: change.failed,
  });
}

/** A file from the other host takes as long as a request or two: then the refresh is out, or its answer just in. */
function leaveWhileLoading(stage: SessionStage, { next }: { next: string | null }): void {
  stage.backend.expireAccessTokens();
  getMe(stage);
  order(stage, 'washer');
  const url = `${FILES}/files/goodbye.gif`;
  const signOutThen = () => signOut(stage, next === null ? undefined : () => signIn(stage, next));
  stage.follow('GET /files/:name', () => stage.app.fetch(url), { done: signOutThen, failed: signOutThen });
}

const nothing = fc.constant({});
type Nothing = Record<string, never>;

const actions = {
  read: defineAction<Session, SessionBackend, Facts, Nothing>({
    weight: 5,
    args: nothing,
    says: () => 'opens the profile',
    run: getMe,
  }),
  burst: defineAction<Session, SessionBackend, Facts, { count: number }>({
    weight: 3,
    args: fc.record({ count: fc.integer({ min: 2, max: 6 }) }),
    says: ({ count }) => `opens a screen that sends ${count} requests at once`,
    run: (stage, { count }) => {
      for (let n = 0; n < count; n += 1) getMe(stage);
    },
  }),
  order: defineAction<Session, SessionBackend, Facts, { item: string }>({
    weight: 3,
    args: fc.record({ item: fc.constantFrom('bolt', 'gasket', 'Schlüssel', '温度計') }),
    says: ({ item }) => `orders "${item}"`,
    run: (stage, { item }) => order(stage, item),
  }),
  download: defineAction<Session, SessionBackend, Facts, { name: string }>({
    args: fc.record({ name: fc.constantFrom('map.pdf', 'photo.jpg') }),
    says: ({ name }) => `downloads ${name} from the storage host`,
    run: (stage, { name }) => call(stage, FILE, `${FILES}/files/${name}`),
  }),
  openAdmin: defineAction<Session, SessionBackend, Facts, Nothing>({
    args: nothing,
    says: () => 'opens a page that needs a permission',
    run: (stage) => call(stage, 'GET /admin', `${API}/admin`),
  }),
  connect: defineAction<Session, SessionBackend, Facts, Nothing>({
    args: nothing,
    says: () => 'opens a chat, whose socket asks for a token',
    run: ({ app, follow }) => follow('getAccessToken', () => app.getAccessToken()),
  }),
  signOut: defineAction<Session, SessionBackend, Facts, Nothing>({
    args: nothing,
    says: () => 'signs out',
    run: (stage) => signOut(stage),
  }),
  leave: defineAction<Session, SessionBackend, Facts, { next: string | null }>({
    weight: 2,
    args: fc.record({ next: fc.constantFrom(null, 'ada', 'bo') }),
    says: ({ next }) =>
      `signs out while two screens load with a token that has run out${next ? `, then ${next} signs in` : ''}`,
    run: leaveWhileLoading,
  }),
  signIn: defineAction<Session, SessionBackend, Facts, { userId: string }>({
    weight: 2,
    args: fc.record({ userId: fc.constantFrom('ada', 'bo') }),
    says: ({ userId }) => `signs in as ${userId}`,
    run: (stage, { userId }) => signIn(stage, userId),
  }),
  tokensRunOut: defineAction<Session, SessionBackend, Facts, Nothing>({
    weight: 2,
    args: nothing,
    says: () => 'comes back to three screens after the server has let all access tokens run out',
    run: (stage) => {
      stage.backend.expireAccessTokens();
      for (let n = 0; n < 3; n += 1) getMe(stage);
    },
  }),
  revoked: defineAction<Session, SessionBackend, Facts, { userId: string }>({
    args: fc.record({ userId: fc.constantFrom('ada', 'bo') }),
    says: ({ userId }) => `hears that an administrator has ended all sessions of ${userId}`,
    run: ({ backend, facts }, { userId }) => {
      backend.revoke(userId);
      for (const login of facts.logins.values()) if (login.userId === userId) login.isRevoked = true;
    },
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// Launches

/** As a shell would: a start that fails is tried again; the first launch shows the login screen; then comes the home screen. */
function begin(app: Session, opening: Opening, triesLeft: number): void {
  const { facts, backend, phone, follow } = opening;
  const stage: SessionStage = { app, facts, backend, phone: phone as PhoneView<Session>, follow };
  follow('start', () => app.start(), {
    done: () => {
      if (facts.isInDoubt) facts.current = storedLogin(phone, backend, facts);
      facts.isInDoubt = false;
      if (facts.logins.size === 0) signIn(stage, 'ada', () => getMe(stage));
      else goHome(stage);
    },
    failed: () => {
      if (triesLeft > 1) begin(app, opening, triesLeft - 1);
    },
  });
}

/** At the very end the home screen finds its token expired: whoever cannot refresh now never will. */
function goHome(stage: SessionStage): void {
  if (stage.facts.isHealed) stage.backend.expireAccessTokens();
  getMe(stage);
}

function storedLogin(phone: PhoneView<unknown>, backend: SessionBackend, facts: Facts): Login | null {
  const [token] = tokensIn(secretsOf(phone).join(' '));
  return facts.logins.get(backend.pairOf(token ?? '')?.family ?? 0) ?? null;
}

// ---------------------------------------------------------------------------------------------------------------------
// What can be seen. An attempt is not trusted to keep to its types.

const tokensIn = (text: string): string[] => text.match(TOKEN) ?? [];
const secretsOf = ({ disk }: PhoneView<unknown>): string[] => disk.secureStore.entries().map(([, value]) => value);

function shown(world: SessionWorld): Partial<SessionState> {
  const state: Partial<SessionState> | undefined = world.phones[0]?.app?.getState();
  return { status: 'unknown', userId: null, ...state };
}

const callOf = ({ headers }: RequestRecord): number => Number(headers['x-call'] ?? 0);
const isOnApi = ({ url }: RequestRecord): boolean => url.startsWith(`${API}/`);
const refreshTokenIn = ({ body }: RequestRecord): string => tokensIn(body ?? '').find((one) => one[0] === 'r') ?? '';
const tokensOf = (request: RequestRecord): string[] =>
  tokensIn(`${request.url} ${Object.values(request.headers).join(' ')} ${request.body ?? ''}`);

const isKeychainWrite = (event: TraceEvent): boolean =>
  event.kind === 'storage' && event.phase === 'applied' && event.call.startsWith('secureStore.');

/** Tokens that have ever been in the keychain. */
function storedTokens(world: SessionWorld): { note(event: TraceEvent): void; has(token: string): boolean } {
  const stored = new Set<string>();
  return {
    note(event) {
      if (!isKeychainWrite(event)) return;
      for (const phone of world.phones) {
        for (const value of secretsOf(phone)) for (const token of tokensIn(value)) stored.add(token);
      }
    },
    has: (token) => stored.has(token),
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: where tokens are kept, and where they go

const secretsInTheKeychain: SessionInvariant = {
  id: 'secrets-in-the-keychain',
  promise: 'No token is in plain storage, in a URL or in a log.',
  spec: ['R1'],
  watch: (world) => (event) => {
    if (event.kind === 'log') {
      const [token] = tokensIn(event.text);
      return token && `The token ${token} was written to the log: "${event.text.slice(0, 80)}".`;
    }
    if (event.kind === 'request' && event.phase === 'sent') {
      const [token] = tokensIn(event.request.url);
      return token && `The token ${token} stood in the URL ${event.request.url}.`;
    }
    if (event.kind !== 'storage' || event.phase !== 'applied' || isKeychainWrite(event)) return undefined;
    const { asyncStorage, mmkv } = world.phones[event.phone]?.disk ?? {};
    for (const [key, value] of [...(asyncStorage?.entries() ?? []), ...(mmkv?.entries() ?? [])]) {
      const [token] = tokensIn(String(value));
      if (token) return `The token ${token} is stored in the open, under "${key}".`;
    }
    return undefined;
  },
};

const storedInOneRecord: SessionInvariant = {
  id: 'stored-in-one-record',
  promise: 'Whenever a token is stored, its pair is stored in the same value.',
  spec: ['R1'],
  watch:
    ({ backend, phones }) =>
    (event) => {
      if (!isKeychainWrite(event)) return undefined;
      for (const value of phones.flatMap(secretsOf)) {
        const tokens = tokensIn(value);
        for (const token of tokens) {
          const pair = backend.pairOf(token);
          if (pair && !(tokens.includes(pair.accessToken) && tokens.includes(pair.refreshToken)))
            return `A stored value holds ${token}, but not the other token of its pair.`;
        }
      }
      return undefined;
    },
};

const tokenToItsOrigin: SessionInvariant = {
  id: 'token-to-its-origin',
  promise: 'Requests to other hosts carry no token and are not repeated.',
  spec: ['R11'],
  watch: atSend(() => {
    const seen = new Set<number>();
    return (request) => {
      if (isOnApi(request)) return undefined;
      const [token] = tokensOf(request);
      if (token || request.headers.authorization) return `${request.url} was sent the token ${token}.`;
      const serial = callOf(request);
      if (serial > 0 && seen.has(serial)) return `${request.url} was sent a second time for call ${serial}.`;
      seen.add(serial);
      return undefined;
    };
  }),
};

const outsideTheInterceptor: SessionInvariant = {
  id: 'outside-the-interceptor',
  promise: 'Refresh and logout carry no access token.',
  spec: ['R11'],
  watch: atSend(() => (request) => {
    if (request.endpoint !== REFRESH && request.endpoint !== LOGOUT) return undefined;
    const token = bearerOf(request);
    return token === '' ? undefined : `${request.endpoint} was sent with the access token ${token}.`;
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: refreshes

const renewal: Renewal<SessionWorld> = {
  endpoint: REFRESH,
  tokenOf: refreshTokenIn,
  pairOf({ backend }, token) {
    const pair = backend.pairOf(token);
    if (!pair) return undefined;
    const { accessToken, expiresIn, family } = pair;
    return { accessToken, session: family, dueMs: (expiresIn - Math.min(MARGIN_SECONDS, expiresIn / 2)) * 1_000 };
  },
  brought({ backend }, event) {
    if (event.kind !== 'request' || event.phase !== 'received' || event.request.endpoint !== REFRESH) return undefined;
    return event.note === '200' ? backend.pairOf(refreshTokenIn(event.request))?.next?.accessToken : undefined;
  },
  adoptedAtMs: ({ backend, facts }, token) => facts.logins.get(backend.pairOf(token)?.family ?? 0)?.adoptedAtMs,
  graceMs: SLACK_MS,
};

const oneRefreshAtATime: SessionInvariant = {
  id: 'one-refresh-at-a-time',
  promise: 'A session has one refresh out at most.',
  spec: ['R2', 'E1'],
  watch: oneRenewalAtATime(renewal),
};

const silentOffline: SessionInvariant = {
  id: 'silent-offline',
  promise: 'No refresh leaves while netInfo says offline.',
  spec: ['R9'],
  watch: atSend(
    () => (request) =>
      request.endpoint === REFRESH && !request.sentOnline
        ? `Refresh ${request.nth} left while the phone was offline.`
        : undefined,
  ),
};

const sameKeyPerToken: SessionInvariant = {
  id: 'same-key-per-token',
  promise: 'All tries with one refresh token carry one key, and no other token has it.',
  spec: ['R7', 'E3'],
  watch: atSend(() => {
    const keys = new Map<string, string>();
    const owners = new Map<string, string>();
    return (request) => {
      if (request.endpoint !== REFRESH) return undefined;
      const token = refreshTokenIn(request);
      const key = request.headers['idempotency-key'];
      if (!key) return `Refresh ${request.nth} left without a key.`;
      const before = keys.get(token) ?? key;
      const owner = owners.get(key) ?? token;
      keys.set(token, key);
      owners.set(key, token);
      if (before !== key) return `${token} was sent with key ${before}, then with key ${key}.`;
      return owner === token ? undefined : `Key ${key} was sent with ${owner}, then with ${token}.`;
    };
  }),
};

const noFalseAlarm: SessionInvariant = {
  id: 'no-false-alarm',
  promise: 'The server never takes this honest phone for a thief.',
  spec: ['R7', 'E12'],
  watch: () => (event) => {
    if (event.kind !== 'effect' || event.label !== 'reuse-detected') return undefined;
    return `The server saw an old refresh token again and revoked the session: ${JSON.stringify(event.data)}.`;
  },
};

const storedBeforeUsed: SessionInvariant = {
  id: 'stored-before-used',
  promise: 'No request leaves with a token that was not stored first.',
  spec: ['R6'],
  watch: (world) => {
    const stored = storedTokens(world);
    return (event) => {
      stored.note(event);
      if (event.kind !== 'request' || event.phase !== 'sent') return undefined;
      const token = tokensOf(event.request).find((one) => !stored.has(one));
      return token && `${event.request.endpoint} left with ${token}, which was not stored yet.`;
    };
  },
};

const supersededStaysUnused: SessionInvariant = {
  id: 'superseded-stays-unused',
  promise: 'A refresh token is not sent again once its successor is stored.',
  spec: ['R6', 'E4'],
  watch: (world) => {
    const stored = storedTokens(world);
    return (event) => {
      stored.note(event);
      if (event.kind !== 'request' || event.phase !== 'sent' || event.request.endpoint !== REFRESH) return undefined;
      const token = refreshTokenIn(event.request);
      const successor = world.backend.pairOf(token)?.next?.refreshToken;
      if (successor === undefined || !stored.has(successor)) return undefined;
      return `Refresh ${event.request.nth} sent ${token}, although its successor ${successor} was stored.`;
    };
  },
};

function pairIsNewest(world: SessionWorld): string | undefined {
  const { backend, facts, phones } = world;
  const login = facts.current;
  if (!login || facts.isInDoubt || backend.isRevoked(login.family)) return undefined;
  const newest = backend.newestOf(login.family);
  const stored = tokensIn(phones.flatMap(secretsOf).join(' '));
  if (newest && stored.includes(newest.refreshToken) && stored.includes(newest.accessToken)) return undefined;
  return `After one more refresh the server's newest token is ${newest?.refreshToken}, but the phone holds ${stored.join(', ') || 'none'}.`;
}

const canGoOn: SessionInvariant = {
  id: 'can-go-on',
  promise: 'After all that has gone wrong one more call succeeds, and the stored pair is the newest.',
  spec: ['E3'],
  watch:
    ({ facts }) =>
    (event) => {
      if (event.kind === 'condition' && event.condition === 'healed') facts.isHealed = true;
      return undefined;
    },
  relaunched: (world) => {
    const { facts, backend } = world;
    const broken = pairIsNewest(world);
    const home = facts.calls.at(-1);
    if (broken || !home?.login || backend.isRevoked(home.login.family) || home.status === 200) return broken;
    return `The last call of ${home.login.userId} ended with ${home.status ?? 'a rejection'}.`;
  },
};

const refreshHasAReason: SessionInvariant = {
  id: 'refresh-has-a-reason',
  promise: 'Only a token that is old, or was refused while it was current, is refreshed.',
  spec: ['R4', 'E2'],
  watch: renewsWithReason(renewal, 'steady'),
};

const oneRefreshPerJump: SessionInvariant = {
  id: 'one-refresh-per-jump',
  promise: 'A clock that jumps costs one refresh at most.',
  spec: ['R12', 'E7'],
  watch: renewsWithReason(renewal, 'jumped'),
};

const refreshedInTime: SessionInvariant = {
  id: 'refreshed-in-time',
  promise: 'A call does not leave with a token that is about to end.',
  spec: ['R3', 'E8'],
  watch: leavesWithFreshToken(renewal, () => {
    const sent = new Set<number>();
    return (request) => {
      const isFirst = !sent.has(callOf(request));
      sent.add(callOf(request));
      return isFirst;
    };
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: calls

const oneReplay: SessionInvariant = {
  id: 'one-replay',
  promise: 'A call is sent again once at most, and only after a 401.',
  spec: ['R4'],
  watch: () => {
    const sends = new Map<number, { count: number; status: string }>();
    return (event) => {
      if (event.kind !== 'request' || !isOnApi(event.request)) return undefined;
      const serial = callOf(event.request);
      if (serial === 0) return undefined;
      const seen = sends.get(serial) ?? { count: 0, status: '' };
      if (event.phase === 'received') sends.set(serial, { ...seen, status: event.note });
      if (event.phase !== 'sent') return undefined;
      sends.set(serial, { ...seen, count: seen.count + 1 });
      if (seen.count === 0 || (seen.count === 1 && seen.status === '401')) return undefined;
      return `Call ${serial} (${event.request.endpoint}) was sent ${seen.count + 1} times; its last answer was ${seen.status || 'none'}.`;
    };
  },
};

const replayIsTheSame: SessionInvariant = {
  id: 'replay-is-the-same',
  promise: 'A replay is the same request with another token.',
  spec: ['R5'],
  watch: atSend(() => {
    const first = new Map<number, string>();
    return (request) => {
      const serial = callOf(request);
      if (serial === 0) return undefined;
      const { authorization: _, ...headers } = request.headers;
      const text = JSON.stringify([request.method, request.url, Object.entries(headers).sort(), request.body]);
      const before = first.get(serial) ?? text;
      first.set(serial, before);
      return before === text ? undefined : `Call ${serial} was sent as ${before}, then as ${text}.`;
    };
  }),
};

const neverAsAnother: SessionInvariant = {
  id: 'never-as-another',
  promise: 'No call is sent with the token of a session it was not begun under.',
  spec: ['R10', 'E6'],
  watch: atSend(({ backend, facts }: SessionWorld) => (request) => {
    const made = facts.calls[callOf(request) - 1];
    const pair = backend.pairOf(bearerOf(request));
    if (!made?.login || !pair || pair.family === made.login.family) return undefined;
    return `Call ${made.serial}, begun by ${made.login.userId} in session ${made.login.family}, was sent by ${pair.userId} in session ${pair.family}.`;
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: who is signed in

const startsFromStorage: SessionInvariant = {
  id: 'starts-from-storage',
  promise: 'Start tells who is signed in from the keychain alone, and nothing leaves before.',
  spec: ['R9'],
  watch: (world) => {
    let hasStarted = false;
    return (event) => {
      if (event.kind === 'launch') hasStarted = false;
      if (event.kind === 'request' && event.phase === 'sent' && !hasStarted && isOnApi(event.request))
        return `${event.request.endpoint} left before start had ended.`;
      if (event.kind !== 'settled' || event.label !== 'start' || event.error !== null) return undefined;
      hasStarted = true;
      const [phone] = world.phones;
      const [token] = phone ? tokensIn(secretsOf(phone).join(' ')) : [];
      const { status } = shown(world);
      if (!token || status === 'signed-in') return undefined;
      return `The keychain held ${token} when start resolved, but the status was ${status}.`;
    };
  },
};

/** The session that nobody has ended, while the app says that nobody is signed in. */
function forgotten(world: SessionWorld): string | undefined {
  const { current, isInDoubt, changing } = world.facts;
  if (!current || isInDoubt || changing > 0) return undefined;
  if (current.isRevoked) return undefined;
  const { status, userId, reason } = shown(world);
  if (status === 'signed-in' && userId === current.userId) return undefined;
  return `Nobody has ended the session of ${current.userId}, but the app shows ${status}, ${userId}, ${reason}.`;
}

const staysSignedIn: SessionInvariant = {
  id: 'stays-signed-in',
  promise: 'A session that neither the person nor an administrator has ended goes on.',
  spec: ['R8'],
  settled: forgotten,
  relaunched: forgotten,
};

const seesTheEnd: SessionInvariant = {
  id: 'sees-the-end',
  promise: 'Once a call has been made after the server ended a session, nobody is signed in and nothing is stored.',
  spec: ['R8', 'E10'],
  relaunched: (world) => {
    const { backend, facts, phones } = world;
    const { current } = facts;
    if (!current || facts.isInDoubt || !backend.isRevoked(current.family)) return undefined;
    const { status } = shown(world);
    const [token] = tokensIn(phones.flatMap(secretsOf).join(' '));
    if (status === 'signed-out' && !token) return undefined;
    return `The server has ended the session of ${current.userId}; the app shows ${status} and stores ${token ?? 'nothing'}.`;
  },
};

const signedOutStaysOut: SessionInvariant = {
  id: 'signed-out-stays-out',
  promise: 'After a sign-out nothing but one logout request carries a token of that session.',
  spec: ['R10'],
  watch: atSend(({ backend, facts }: SessionWorld) => {
    const told = new Set<number>();
    return (request) => {
      for (const token of tokensOf(request)) {
        const family = backend.pairOf(token)?.family ?? 0;
        if (!facts.logins.get(family)?.isSignedOut && request.endpoint !== LOGOUT) continue;
        if (request.endpoint !== LOGOUT) return `${request.endpoint} left with ${token} after the sign-out.`;
        if (told.has(family)) return `A second logout request left with ${token}.`;
        told.add(family);
      }
      return undefined;
    };
  }),
};

function resurrected(world: SessionWorld): string | undefined {
  const { backend, facts, phones } = world;
  if (facts.logins.size === 0 || facts.current || facts.isInDoubt || facts.changing > 0) return undefined;
  const { status, userId } = shown(world);
  const isMeant = (token: string) => !facts.logins.get(backend.pairOf(token)?.family ?? 0)?.isRevoked;
  const token = tokensIn(phones.flatMap(secretsOf).join(' ')).find(isMeant);
  if (status !== 'signed-in' && !token) return undefined;
  return `Nobody is signed in, but the app shows ${status}, ${userId}, and stores ${token ?? 'nothing'}.`;
}

const nothingComesBack: SessionInvariant = {
  id: 'nothing-comes-back',
  promise: 'What was signed out stays out, in memory and in the keychain.',
  spec: ['R10', 'E5'],
  settled: resurrected,
  relaunched: resurrected,
};

// ---------------------------------------------------------------------------------------------------------------------

export const scenario = defineScenario<TokenRefreshModule, Session, SessionBackend, Facts>({
  kata: 'token-refresh',
  apiUrl: API,
  slots: 14,
  gapsMs: [0, 3, 120, 1_500, 30_000, 310_000],
  endpoints: ['GET /me', 'GET /admin', 'POST /orders', FILE, REFRESH, LOGOUT],
  backend: createBackend,
  facts: () => ({
    expiresIn: 300,
    logins: new Map(),
    calls: [],
    current: null,
    changing: 0,
    isInDoubt: false,
    isHealed: false,
  }),
  furnish(_disk, facts, _phone, pick) {
    facts.expiresIn = [300, 300, 300, 20][pick('expires-in', 4)] ?? 300;
  },
  open(opening) {
    const { module, device, apiUrl, backend, facts, stateChanged } = opening;
    backend.expiresIn = facts.expiresIn;
    if (facts.changing > 0) facts.isInDoubt = true;
    facts.changing = 0;
    const app = module.createSession({ device, apiUrl });
    app.subscribe(stateChanged);
    begin(app, opening, START_TRIES);
    return app;
  },
  close: (app) => app.dispose(),
  view: (app) => {
    const { status, userId } = app.getState();
    return { status, userId };
  },
  actions,
  conditions: {
    offline: { weight: 2, forMs: [3_000, 60_000, 3_600_000] },
    background: { forMs: [10_000, 400_000] },
    kill: { weight: 2, forMs: [200, 60_000] },
    clock: { byMs: [-3_600_000, 3_600_000] },
    outage: { forMs: [8_000, 120_000] },
    flap: { forMs: [150, 1_200] },
  },
  faults: {
    [REFRESH]: [
      'request-lost',
      'response-lost',
      'hang',
      'delay',
      'duplicate',
      'truncate',
      'portal',
      'answer-403',
      'answer-408',
      'answer-425',
      'answer-429-seconds',
      'answer-429-date',
      'answer-500',
      'answer-503',
      'applied-then-500',
      'kill-before',
      'kill-after',
    ],
    'GET /me': ['response-lost', 'hang', 'delay', 'answer-401', 'answer-403', 'answer-500', 'portal', 'kill-after'],
    'POST /orders': ['request-lost', 'delay', 'duplicate', 'answer-401', 'answer-503', 'kill-before'],
    [FILE]: ['answer-401'],
    [LOGOUT]: ['request-lost', 'hang', 'answer-401', 'answer-500', 'kill-before', 'kill-after'],
    'secureStore.write': ['failed', 'slow', 'kill-before', 'kill-after'],
    'secureStore.read': ['failed', 'slow', 'kill-before'],
  },
  invariants: [
    secretsInTheKeychain,
    storedInOneRecord,
    tokenToItsOrigin,
    outsideTheInterceptor,
    oneRefreshAtATime,
    silentOffline,
    sameKeyPerToken,
    noFalseAlarm,
    storedBeforeUsed,
    supersededStaysUnused,
    canGoOn,
    refreshHasAReason,
    oneRefreshPerJump,
    refreshedInTime,
    oneReplay,
    replayIsTheSame,
    neverAsAnother,
    startsFromStorage,
    staysSignedIn,
    seesTheEnd,
    signedOutStaysOut,
    nothingComesBack,
  ],
  budgets: [
    {
      id: 'refreshes',
      promise: 'One refresh for each life of an access token.',
      spec: ['R14'],
      measure: ({ requests }) => requests.filter(({ endpoint }) => endpoint === REFRESH).length,
      allowance: 1.25,
    },
    {
      id: 'keychain-writes',
      promise: 'One write to the keychain for each refresh.',
      spec: ['R14'],
      measure: ({ costs }) => costs.secureWrites,
      allowance: 1.25,
    },
    {
      id: 'keychain-reads',
      promise: 'One read of the keychain for each launch, none for a request.',
      spec: ['R14'],
      measure: ({ costs }) => costs.secureReads,
      allowance: 1.25,
    },
    {
      id: 'refusals',
      promise: 'Few requests are sent in vain, with a token that has run out.',
      spec: ['R14'],
      measure: ({ backend }) => backend.refusals,
      allowance: 1.25,
    },
  ],
  patienceMs: 120_000,
});
