// The server of the kata: signs people in, with a code if they want one, rotates tokens, and ends sessions.
import type { Context } from 'hono';
import { Hono } from 'hono/quick';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { DeviceSession, User } from '#contract/auth';
import type { Backend, BackendContext } from '#simulator';

/** A request as it arrived, and how it was answered. */
export interface LoggedRequest {
  /** Method and route, such as `POST /auth/login`. */
  readonly endpoint: string;
  readonly key: string | null;
  readonly body: string;
  readonly status: number;
}

interface Account {
  readonly user: User;
  readonly password: string;
  readonly hasSecondFactor: boolean;
  readonly backupCodes: Set<string>;
}

/** A pair of tokens. Pairs of one session follow one another. */
export interface Pair {
  readonly session: ServerSession;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** The pair its refresh token was traded for. */
  next: Pair | null;
  /** One of its tokens has been seen since. */
  isUsed: boolean;
  accessEndsAtMs: number;
  readonly refreshEndsAtMs: number;
}

export interface ServerSession {
  readonly sessionId: string;
  readonly user: User;
  readonly deviceId: string;
  readonly deviceName: string;
  readonly createdAtMs: number;
  lastSeenAtMs: number;
  newest: Pair | null;
  endedBy: 'logout' | 'otherDevice' | 'admin' | 'reuse' | null;
}

/** A sign-in that waits for its code. */
export interface OtpFlow {
  readonly otpFlowId: string;
  readonly account: { readonly user: User };
  readonly deviceId: string;
  readonly deviceName: string;
  code: string;
  expiresAtMs: number;
  nextResendAtMs: number;
  attemptsLeft: number;
  resendsLeft: number;
  isOver: boolean;
}

export interface AuthBackend extends Backend {
  readonly requests: readonly LoggedRequest[];
  /** What protected writes have left behind. */
  readonly echoes: readonly { readonly userId: string; readonly sessionId: string; readonly text: string }[];
  readonly sessions: readonly ServerSession[];
  readonly flows: readonly OtpFlow[];
  /** Sessions that reuse detection has ended. */
  readonly alarms: readonly string[];
  /** The pair a token belongs to, whichever of the two it is. */
  pairOf(token: string): Pair | undefined;
  /** The session that a sign-in with this idempotency key has begun. */
  sessionBegunBy(key: string): ServerSession | undefined;
  isAlive(session: ServerSession): boolean;
  /** Every access token there is has run out; refresh tokens are as good as before. */
  expireAccessTokens(): void;
  /** An administrator, or another phone, ends all sessions of a user. */
  endSessionsOf(userId: string): void;
  /** The same person signs in on another phone. */
  signInElsewhere(email: string, deviceName: string): ServerSession;
}

/** The people of this server. Texts of SMS: `OtpFlow.code`. */
export const PEOPLE = {
  ada: { email: 'ada@example.test', password: 'analytical-engine' },
  bo: { email: 'bo@example.test', password: 'second factor, please', backupCode: 'BCKP-7701' },
  noor: { email: 'noor@example.test', password: 'ночь-1001' },
} as const;

const SECOND = 1_000;
const ACCESS_SECONDS = 300;
const REFRESH_MS = 30 * 86_400 * SECOND;
const CODE_SECONDS = 300;
const RESEND_SECONDS = 30;
const ATTEMPTS = 5;
const RESENDS = 3;
const FAILURES_MAX = 5;
const FAILURES_MS = 15 * 60 * SECOND;
const KEY_MEMORY_MS = 86_400 * SECOND;

interface Answer {
  readonly status: ContentfulStatusCode | 204;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** The pair that the answer hands out: its life begins anew when the answer is repeated. */
  readonly pair?: Pair;
}
const refuse = (status: ContentfulStatusCode, code: string, more: object = {}): Answer => ({
  status,
  body: { code, ...more },
});

type Fields = Readonly<Record<string, string>>;

export function createBackend(context: BackendContext): AuthBackend {
  const accounts = new Map<string, Account>(
    (['ada', 'bo', 'noor'] as const).map((id) => {
      const { email, password } = PEOPLE[id];
      const name = { ada: 'Ada', bo: 'Bo', noor: 'نور' }[id];
      const backupCodes = new Set(id === 'bo' ? [PEOPLE.bo.backupCode, 'BCKP-7702'] : []);
      return [email, { user: { id, name, email }, password, hasSecondFactor: id === 'bo', backupCodes }];
    }),
  );
  const requests: LoggedRequest[] = [];
  const echoes: { userId: string; sessionId: string; text: string }[] = [];
  const sessions: ServerSession[] = [];
  const flows: OtpFlow[] = [];
  const alarms: string[] = [];
  const pairs = new Map<string, Pair>();
  const failures = new Map<string, number[]>();
  const answers = new Map<string, { readonly request: string; readonly answer: Answer; readonly atMs: number }>();
  const now = () => context.nowMs();

  // -------------------------------------------------------------------------------------------------------------------
  // Tokens

  function issue(session: ServerSession): Pair {
    const nth = Number(session.newest?.accessToken.slice(-4) ?? 0) + 1;
    const name = `${session.sessionId.slice(-2)}-${String(nth).padStart(4, '0')}`;
    const pair: Pair = {
      session,
      accessToken: `at-${name}`,
      refreshToken: `rt-${name}`,
      next: null,
      isUsed: false,
      accessEndsAtMs: now() + ACCESS_SECONDS * SECOND,
      refreshEndsAtMs: now() + REFRESH_MS,
    };
    pairs.set(pair.accessToken, pair).set(pair.refreshToken, pair);
    session.newest = pair;
    return pair;
  }

  function tokensOf(pair: Pair): object {
    const iso = (ms: number) => new Date(ms).toISOString();
    pair.accessEndsAtMs = now() + ACCESS_SECONDS * SECOND;
    return {
      accessToken: {
        token: pair.accessToken,
        expiresAt: iso(pair.accessEndsAtMs),
        expiresInSeconds: ACCESS_SECONDS,
        scopes: ['me', 'echo'],
      },
      refreshToken: { token: pair.refreshToken, expiresAt: iso(pair.refreshEndsAtMs) },
    };
  }

  function begin(user: User, { deviceId = '', deviceName = '' }: Fields): Answer {
    const sessionId = `session-${String(sessions.length + 1).padStart(2, '0')}`;
    const createdAtMs = now();
    const session: ServerSession = {
      sessionId,
      user,
      deviceId,
      deviceName,
      createdAtMs,
      lastSeenAtMs: createdAtMs,
      newest: null,
      endedBy: null,
    };
    sessions.push(session);
    context.record('signed-in', { userId: user.id, sessionId });
    const pair = issue(session);
    return { status: 200, body: { user, sessionId, ...tokensOf(pair) }, pair };
  }

  function end(session: ServerSession, endedBy: NonNullable<ServerSession['endedBy']>): void {
    if (session.endedBy) return;
    session.endedBy = endedBy;
    context.record('session-ended', { userId: session.user.id, sessionId: session.sessionId, endedBy });
  }

  /** Rotation with reuse detection. Source: RFC 9700, 4.14.2. */
  function refresh({ refreshToken = '' }: Fields): Answer {
    const pair = pairs.get(refreshToken);
    if (pair?.refreshToken !== refreshToken || pair.session.endedBy) return refuse(401, 'session_revoked');
    if (now() >= pair.refreshEndsAtMs) return refuse(401, 'refresh_expired');
    pair.isUsed = true;
    if (pair.next?.isUsed) {
      alarms.push(pair.session.sessionId);
      end(pair.session, 'reuse');
      return refuse(401, 'token_reused');
    }
    pair.next ??= issue(pair.session);
    return { status: 200, body: tokensOf(pair.next), pair: pair.next };
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Signing in

  function login(fields: Fields): Answer {
    const { email = '', password } = fields;
    const recent = (failures.get(email) ?? []).filter((atMs) => now() - atMs < FAILURES_MS);
    if (recent.length >= FAILURES_MAX) return tooMany(Number(recent[0]) + FAILURES_MS);
    const account = accounts.get(email);
    if (account === undefined || account.password !== password) {
      failures.set(email, [...recent, now()]);
      return refuse(401, 'bad_credentials');
    }
    failures.delete(email);
    return account.hasSecondFactor ? askForCode(account, fields) : begin(account.user, fields);
  }

  function tooMany(untilMs: number): Answer {
    return { ...refuse(429, 'too_many'), headers: { 'Retry-After': String(Math.ceil((untilMs - now()) / SECOND)) } };
  }

  function askForCode(account: Account, { deviceId = '', deviceName = '' }: Fields): Answer {
    const n = flows.length + 1;
    const flow: OtpFlow = {
      otpFlowId: `otp-${String(n).padStart(4, '0')}`,
      account,
      deviceId,
      deviceName,
      code: codeOf(n, 0),
      expiresAtMs: now() + CODE_SECONDS * SECOND,
      nextResendAtMs: now() + RESEND_SECONDS * SECOND,
      attemptsLeft: ATTEMPTS,
      resendsLeft: RESENDS,
      isOver: false,
    };
    flows.push(flow);
    context.record('code-sent', { userId: account.user.id });
    const { otpFlowId } = flow;
    const flowFields = { otpFlowId, method: 'sms', maskedDestination: '••• ••42', length: 6, ...clocksOf(flow) };
    return { status: 200, body: { requires2FA: true, ...flowFields } };
  }

  const clocksOf = ({ attemptsLeft }: OtpFlow) => ({
    expiresInSeconds: CODE_SECONDS,
    resendInSeconds: RESEND_SECONDS,
    attemptsLeft,
  });

  /** Six digits, other ones for each flow and each resend. */
  const codeOf = (flow: number, resends: number) =>
    String((flow * 7_919 + resends * 104_729 + 100_003) % 1_000_000).padStart(6, '0');

  const openFlow = (id: string | undefined): OtpFlow | undefined => {
    const flow = flows.find(({ otpFlowId }) => otpFlowId === id);
    return flow && !flow.isOver && now() < flow.expiresAtMs ? flow : undefined;
  };

  function enter(fields: Fields, isRight: (flow: OtpFlow) => boolean): Answer {
    const flow = openFlow(fields.otpFlowId);
    if (!flow) return refuse(410, 'flow_ended');
    if (isRight(flow)) {
      flow.isOver = true;
      return begin(flow.account.user, { deviceId: flow.deviceId, deviceName: flow.deviceName });
    }
    flow.attemptsLeft -= 1;
    flow.isOver = flow.attemptsLeft === 0;
    return flow.isOver ? refuse(410, 'flow_ended') : refuse(422, 'wrong_code', { attemptsLeft: flow.attemptsLeft });
  }

  const verify = (fields: Fields) => enter(fields, ({ code }) => code === fields.code);
  const useBackupCode = (fields: Fields) =>
    enter(
      fields,
      ({ account }) => accounts.get(account.user.email)?.backupCodes.delete(fields.backupCode ?? '') === true,
    );

  function resend({ otpFlowId }: Fields): Answer {
    const flow = openFlow(otpFlowId);
    if (!flow) return refuse(410, 'flow_ended');
    if (flow.resendsLeft === 0 || now() < flow.nextResendAtMs)
      return tooMany(flow.resendsLeft === 0 ? flow.expiresAtMs : flow.nextResendAtMs);
    flow.resendsLeft -= 1;
    flow.code = codeOf(flows.indexOf(flow) + 1, RESENDS - flow.resendsLeft);
    flow.expiresAtMs = now() + CODE_SECONDS * SECOND;
    flow.nextResendAtMs = now() + RESEND_SECONDS * SECOND;
    return { status: 200, body: clocksOf(flow) };
  }

  function logout({ refreshToken = '' }: Fields): Answer {
    const pair = pairs.get(refreshToken);
    if (pair?.refreshToken === refreshToken) end(pair.session, 'logout');
    return { status: 204 };
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Protected resources

  /** The session a request belongs to, or why it is refused. */
  function admit(authorization: string | undefined): ServerSession | Answer {
    const token = authorization?.replace(/^Bearer /, '') ?? '';
    const pair = pairs.get(token);
    if (pair?.accessToken !== token) return refuse(401, 'token_invalid');
    pair.isUsed = true;
    if (pair.session.endedBy) return refuse(401, 'session_revoked');
    if (now() >= pair.accessEndsAtMs) return refuse(401, 'token_expired');
    pair.session.lastSeenAtMs = now();
    return pair.session;
  }

  const isAlive = (session: ServerSession) => !session.endedBy && now() < Number(session.newest?.refreshEndsAtMs);
  const aliveOf = (userId: string) => sessions.filter((one) => one.user.id === userId && isAlive(one));

  function list({ user }: ServerSession): Answer {
    const iso = (ms: number) => new Date(ms).toISOString();
    const body = aliveOf(user.id).map(
      ({ sessionId, deviceId, deviceName, createdAtMs, lastSeenAtMs }): DeviceSession => ({
        sessionId,
        userId: user.id,
        deviceId,
        deviceName,
        createdAt: iso(createdAtMs),
        lastSeenAt: iso(lastSeenAtMs),
      }),
    );
    return { status: 200, body };
  }

  function endOne({ user }: ServerSession, sessionId: string): Answer {
    const found = aliveOf(user.id).find((one) => one.sessionId === sessionId);
    if (!found) return refuse(404, 'no_such_session');
    end(found, 'otherDevice');
    return { status: 204 };
  }

  function echo({ user, sessionId }: ServerSession, body: Fields): Answer {
    const { text } = body;
    if (text === undefined) return refuse(422, 'incomplete');
    if (text.startsWith('admin:')) return refuse(403, 'forbidden');
    echoes.push({ userId: user.id, sessionId, text });
    return { status: 200, body: { text, userId: user.id } };
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The way in

  const toResponse = (c: Context, { status, body, headers = {} }: Answer) => {
    const dated = { Date: new Date(now()).toUTCString(), ...headers };
    return status === 204 ? c.body(null, 204, dated) : c.json(body ?? {}, status, dated);
  };

  /** The same key gets the same answer, with no second effect. Another request under that key is a mistake. */
  function once(key: string, request: string, answer: () => Answer): Answer {
    const seen = answers.get(key);
    if (seen && now() - seen.atMs < KEY_MEMORY_MS) {
      if (seen.request !== request) return refuse(422, 'key_reused');
      if (seen.answer.pair) tokensOf(seen.answer.pair);
      return seen.answer;
    }
    const given = answer();
    answers.set(key, { request, answer: given, atMs: now() });
    return given;
  }

  const app = new Hono();
  app.use(async (c, next) => {
    const body = await c.req.text();
    await next();
    const { pathname } = new URL(c.req.url);
    const key = c.req.header('Idempotency-Key') ?? null;
    requests.push({ endpoint: `${c.req.method} ${pathname}`, key, body, status: c.res.status });
  });
  const post = (path: string, answer: (fields: Fields) => Answer) =>
    app.post(path, async (c) => {
      const key = c.req.header('Idempotency-Key');
      const text = await c.req.text();
      const fields = readFields(text);
      if (!key || !fields) return toResponse(c, refuse(400, 'bad_request'));
      return toResponse(
        c,
        once(key, `${path} ${text}`, () => answer(fields)),
      );
    });
  const forSession = (c: Context, answer: (session: ServerSession) => Answer) => {
    const session = admit(c.req.header('Authorization'));
    return toResponse(c, 'status' in session ? session : answer(session));
  };

  post('/auth/login', login);
  post('/auth/otp/verify', verify);
  post('/auth/otp/resend', resend);
  post('/auth/backup-codes/verify', useBackupCode);
  post('/auth/refresh', refresh);
  post('/auth/logout', logout);
  app.get('/auth/sessions', (c) => forSession(c, list));
  app.delete('/auth/sessions/:sessionId', (c) => forSession(c, (own) => endOne(own, c.req.param('sessionId'))));
  app.get('/me', (c) => forSession(c, ({ user }) => ({ status: 200, body: user })));
  app.post('/private/echo', async (c) => {
    const fields = readFields(await c.req.text()) ?? {};
    return forSession(c, (session) => echo(session, fields));
  });

  return {
    app,
    requests,
    echoes,
    sessions,
    flows,
    alarms,
    pairOf: (token) => pairs.get(token),
    sessionBegunBy: (key) => answers.get(key)?.answer.pair?.session,
    isAlive,
    expireAccessTokens: () => {
      for (const pair of pairs.values()) pair.accessEndsAtMs = 0;
    },
    endSessionsOf: (userId) => {
      for (const session of aliveOf(userId)) end(session, 'admin');
    },
    signInElsewhere: (email, deviceName) => {
      const account = accounts.get(email);
      if (!account) throw new Error(`Nobody here has the address ${email}. The people are in PEOPLE.`);
      begin(account.user, { deviceId: `device-of-${deviceName}`, deviceName });
      return sessions[sessions.length - 1] as ServerSession;
    },
  };
}

/** The text fields of a JSON object; null when it is none. */
function readFields(text: string): Fields | null {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return null;
    return Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'string'));
  } catch {
    return null;
  }
}
