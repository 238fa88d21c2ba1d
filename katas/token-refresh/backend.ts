// The server of the kata: hands out token pairs, rotates them, and takes an old refresh token in a new hand for theft.
import type { Context } from 'hono';
import { Hono } from 'hono/quick';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Tokens } from '#contract/token-refresh';
import type { Backend, BackendContext } from '#simulator';

/** A request as it arrived, on whichever host, and how it was answered. */
export interface LoggedRequest {
  /** Such as `https://api.example.test`. */
  readonly origin: string;
  /** Method and path, such as `POST /orders`. */
  readonly endpoint: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
}

export interface Order {
  readonly userId: string;
  readonly item: string;
  readonly key: string;
}

/** One pair of tokens. Pairs of one sign-in form a family. */
export interface Pair extends Tokens {
  /** The sign-in it descends from, from 1. */
  readonly family: number;
  readonly userId: string;
  /** The pair its refresh token was traded for. */
  next: Pair | null;
  /** One of its tokens has been seen since. */
  isUsed: boolean;
  accessEndsAtMs: number;
}

export interface SessionBackend extends Backend {
  readonly requests: readonly LoggedRequest[];
  readonly orders: readonly Order[];
  /** For the pairs to come, in seconds. */
  expiresIn: number;
  /** Families that reuse detection has revoked. */
  readonly stolen: ReadonlySet<number>;
  /** API requests that were refused because their access token had run out. */
  refusals: number;
  /** What a login screen gets. Begins a family. */
  signIn(userId: string): Tokens & { readonly userId: string };
  /** The pair a token belongs to, whichever of the two it is. */
  pairOf(token: string): Pair | undefined;
  newestOf(family: number): Pair | undefined;
  /** Every access token there is has run out; refresh tokens are as good as before. */
  expireAccessTokens(): void;
  /** An administrator ends all sessions of a user. */
  revoke(userId: string): void;
  isRevoked(family: number): boolean;
}

interface Answer {
  readonly status: ContentfulStatusCode;
  readonly body: object;
}

const KEY_MEMORY_MS = 24 * 3_600_000;
const INVALID_GRANT: Answer = { status: 400, body: { error: 'invalid_grant' } };

export function createBackend(context: BackendContext): SessionBackend {
  const requests: LoggedRequest[] = [];
  const orders: Order[] = [];
  const pairs = new Map<string, Pair>();
  const newest = new Map<number, Pair>();
  const revoked = new Set<number>();
  const stolen = new Set<number>();
  const answersByKey = new Map<string, { readonly refreshToken: string; readonly atMs: number }>();
  const ordersByKey = new Map<string, object>();

  function issue(family: number, userId: string, previous: Pair | null): Pair {
    const nth = (Number(previous?.accessToken.slice(-4)) || 0) + 1;
    const name = `${String(family).padStart(2, '0')}-${String(nth).padStart(4, '0')}`;
    const pair: Pair = {
      accessToken: `at-${name}`,
      refreshToken: `rt-${name}`,
      expiresIn: backend.expiresIn,
      family,
      userId,
      next: null,
      isUsed: false,
      accessEndsAtMs: context.nowMs() + backend.expiresIn * 1_000,
    };
    pairs.set(pair.accessToken, pair).set(pair.refreshToken, pair);
    newest.set(family, pair);
    return pair;
  }

  /** The same answer as before: what the phone has missed is as good as new. */
  function answerWith(pair: Pair): Answer {
    const { accessToken, refreshToken, expiresIn } = pair;
    pair.accessEndsAtMs = context.nowMs() + expiresIn * 1_000;
    return { status: 200, body: { accessToken, refreshToken, expiresIn } };
  }

  /** Rotation with reuse detection. Source: RFC 9700, 4.14.2. */
  function refresh(key: string | undefined, refreshToken: string): Answer {
    const pair = pairs.get(refreshToken);
    if (pair?.refreshToken !== refreshToken || revoked.has(pair.family)) return INVALID_GRANT;
    pair.isUsed = true;
    const seen = key === undefined ? undefined : answersByKey.get(key);
    if (seen && seen.refreshToken !== refreshToken) return { status: 422, body: { error: 'key_reused' } };
    if (seen && pair.next && context.nowMs() - seen.atMs < KEY_MEMORY_MS) return answerWith(pair.next);
    if (pair.next?.isUsed) return detectReuse(pair);
    if (key !== undefined) answersByKey.set(key, { refreshToken, atMs: context.nowMs() });
    if (pair.next) return answerWith(pair.next);
    pair.next = issue(pair.family, pair.userId, pair);
    context.record('rotated', { userId: pair.userId, family: pair.family });
    return answerWith(pair.next);
  }

  function detectReuse({ family, userId }: Pair): Answer {
    revoked.add(family);
    stolen.add(family);
    context.record('reuse-detected', { userId, family });
    return INVALID_GRANT;
  }

  function logout(refreshToken: string): void {
    const pair = pairs.get(refreshToken);
    if (!pair || revoked.has(pair.family)) return;
    revoked.add(pair.family);
    context.record('signed-out', { userId: pair.userId, family: pair.family });
  }

  /** Whose request it is, or null when it must be refused. */
  function userOf(authorization: string | undefined): string | null {
    const token = authorization?.replace(/^Bearer /, '') ?? '';
    const pair = pairs.get(token);
    if (pair?.accessToken !== token || revoked.has(pair.family)) return null;
    pair.isUsed = true;
    if (context.nowMs() < pair.accessEndsAtMs) return pair.userId;
    backend.refusals += 1;
    return null;
  }

  function order(userId: string, key: string | undefined, body: unknown): Answer {
    if (key === undefined || !isObject(body) || typeof body.item !== 'string')
      return { status: 422, body: { error: 'incomplete' } };
    const done = ordersByKey.get(key);
    if (done) return { status: 200, body: done };
    orders.push({ userId, item: body.item, key });
    const answer = { orderId: `order-${orders.length}`, userId };
    ordersByKey.set(key, answer);
    context.record('ordered', { userId, item: body.item });
    return { status: 201, body: answer };
  }

  const toJson = ({ status, body }: Answer, c: Context) =>
    c.json(body, status, { Date: new Date(context.nowMs()).toUTCString() });
  const forUser = (c: Context, answer: (userId: string) => Answer) => {
    const userId = userOf(c.req.header('Authorization'));
    return toJson(userId === null ? { status: 401, body: { error: 'invalid_token' } } : answer(userId), c);
  };

  const app = new Hono();
  app.use(async (c, next) => {
    const body = await c.req.text();
    await next();
    const { origin, pathname } = new URL(c.req.url);
    const endpoint = `${c.req.method} ${pathname}`;
    requests.push({ origin, endpoint, headers: Object.fromEntries(c.req.raw.headers), body, status: c.res.status });
  });
  app.post('/auth/refresh', async (c) => {
    const body: unknown = await c.req.json().catch(() => null);
    if (!isObject(body) || typeof body.refreshToken !== 'string')
      return toJson({ status: 400, body: { error: 'invalid_request' } }, c);
    return toJson(refresh(c.req.header('Idempotency-Key'), body.refreshToken), c);
  });
  app.post('/auth/logout', async (c) => {
    const body: unknown = await c.req.json().catch(() => null);
    if (isObject(body) && typeof body.refreshToken === 'string') logout(body.refreshToken);
    return c.body(null, 204);
  });
  app.get('/me', (c) => forUser(c, (userId) => ({ status: 200, body: { userId } })));
  app.get('/admin', (c) => forUser(c, () => ({ status: 403, body: { error: 'insufficient_scope' } })));
  app.post('/orders', async (c) => {
    const body: unknown = await c.req.json().catch(() => null);
    return forUser(c, (userId) => order(userId, c.req.header('Idempotency-Key'), body));
  });
  // Served by the storage host, which asks for no token of ours.
  app.get('/files/:name', (c) => c.text(`content of ${c.req.param('name')}`));

  const backend: SessionBackend = {
    app,
    requests,
    orders,
    expiresIn: 300,
    stolen,
    refusals: 0,
    signIn: (userId) => {
      const { accessToken, refreshToken, expiresIn } = issue(newest.size + 1, userId, null);
      return { accessToken, refreshToken, expiresIn, userId };
    },
    pairOf: (token) => pairs.get(token),
    newestOf: (family) => newest.get(family),
    expireAccessTokens: () => {
      for (const pair of pairs.values()) pair.accessEndsAtMs = 0;
    },
    revoke: (userId) => {
      for (const [family, pair] of newest) if (pair.userId === userId) revoked.add(family);
    },
    isRevoked: (family) => revoked.has(family),
  };
  return backend;
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
