import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Session } from '#contract/token-refresh';
import { codeOf, createPhone, holdAnswers, type SentRequest, type TestPhone } from '#phone/testing';
import { createBackend, type SessionBackend } from './backend.ts';

const API = 'https://api.example.test';
const ME = `${API}/me`;
const ORDERS = `${API}/orders`;
const REFRESH = `${API}/auth/refresh`;
const LOGOUT = `${API}/auth/logout`;
const FILES = 'https://files.example.test';
/** Begins with the letters of the API's address, and is somebody else's. */
const LOOKALIKE = 'https://api.example.test.evil.test';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const server = setupServer();
let phone: TestPhone;
let backend: SessionBackend;

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
beforeEach(() => {
  phone = createPhone();
  backend = createBackend(phone.backendContext);
  for (const host of [API, FILES, LOOKALIKE]) server.use(http.all(`${host}/*`, answerAsUsual));
});
afterEach(() => {
  vi.restoreAllMocks();
  phone.dispose();
  server.resetHandlers();
});
afterAll(() => server.close());

// ---------------------------------------------------------------------------------------------------------------------
// mid: one token for all, kept safe, renewed once

test('sends requests with the token, and otherwise as they came', { tags: ['carries-the-token', 'R15'] }, async () => {
  const session = await launch();
  await session.adopt(backend.signIn('ada'));

  const answers = [
    await session.fetch(ME, { headers: { 'Accept-Language': 'de' } }),
    await session.fetch(new URL('/me?full=1', API)),
  ];

  expect(await bodiesOf(answers)).toEqual([{ userId: 'ada' }, { userId: 'ada' }]);
  expect(phone.requests).toMatchObject([
    { method: 'GET', url: ME, headers: { authorization: 'Bearer at-01-0001', 'accept-language': 'de' } },
    { method: 'GET', url: `${ME}?full=1`, headers: { authorization: 'Bearer at-01-0001' } },
  ]);
});

test('tells who is signed in, and turns calls away when nobody is', {
  tags: ['carries-the-token', 'R15'],
}, async () => {
  const session = await launch();
  const seen = new Set<string | null>([session.getState().status]);
  const leave = session.subscribe(() => seen.add(session.getState().userId ?? session.getState().reason));

  const turnedAway = await Promise.all([codeOf(session.fetch(ME)), codeOf(session.getAccessToken())]);
  const sentBefore = phone.requests.length;
  await session.adopt(backend.signIn('mira'));
  await session.signOut();
  leave();
  await session.adopt(backend.signIn('noor'));

  expect([turnedAway, sentBefore]).toEqual([['signed-out', 'signed-out'], 0]);
  expect([...seen]).toEqual(['signed-out', 'mira', 'user']);
  expect(session.getState()).toEqual({ status: 'signed-in', userId: 'noor', reason: null });
});

test('keeps tokens in the keychain and nowhere else', { tags: ['keeps-secrets', 'R1'] }, async () => {
  const said = (['log', 'info', 'warn', 'error', 'debug'] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation(() => undefined),
  );
  const session = await signedIn('ada');

  backend.expireAccessTokens();
  await session.fetch(ME);
  await session.getAccessToken();

  const open = phone.disk.entries().filter(({ module }) => module !== 'secureStore');
  const logs = said.flatMap(({ mock }) => mock.calls);
  expect(JSON.stringify([open, logs, phone.requests.map(({ url }) => url)])).not.toMatch(/[ar]t-\d\d-/);
  expect(keychain()).toMatch('rt-01-0002');
});

test('stores both tokens of a pair in one value', { tags: ['one-record', 'R1'] }, async () => {
  const session = await signedIn('ada');
  const atFirst = storedTokens();

  backend.expireAccessTokens();
  await session.fetch(ME);

  expect(atFirst).toEqual([['at-01-0001', 'rt-01-0001']]);
  expect(storedTokens()).toEqual([['at-01-0002', 'rt-01-0002']]);
});

test('shares one refresh among twenty 401s', { tags: ['single-flight', 'E1', 'R2'] }, async () => {
  const session = await signedIn('ada');

  backend.expireAccessTokens();
  const answers = await Promise.all(Array.from({ length: 20 }, () => session.fetch(ME)));

  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(refreshes()).toHaveLength(1);
  expect(sentTo(ME).map(bearerOf)).toEqual([...Array(20).fill('at-01-0001'), ...Array(20).fill('at-01-0002')]);
});

test('lets a caller go who gives up, and goes on for the others', { tags: ['single-flight', 'R2'] }, async () => {
  const session = await signedIn('ada');
  backend.expireAccessTokens();
  const road = blockRoad(REFRESH);
  const impatient = new AbortController();

  const first = session.fetch(ME, { signal: impatient.signal });
  const second = session.fetch(ME);
  const gaveUp = nameOf(first);
  await phone.settle();
  impatient.abort();
  const early = await Promise.race([gaveUp, phone.settle().then(() => 'still waits')]);
  road.open();

  expect(early).toBe('AbortError');
  expect((await second).status).toBe(200);
  expect(refreshes()).toHaveLength(1);
});

test('turns a caller away who has given up before the call', { tags: ['single-flight', 'R2'] }, async () => {
  const session = await signedIn('ada');
  await phone.pass(5 * MINUTE);
  server.use(http.post(REFRESH, silence));

  const call = nameOf(session.fetch(ME, { signal: AbortSignal.abort() }));

  expect(await Promise.race([call, phone.settle().then(() => 'still waits')])).toBe('AbortError');
  expect(sentTo(ME)).toEqual([]);
});

test('refreshes a token with less than 30 s left before anything leaves', {
  tags: ['ahead-of-time', 'R3'],
}, async () => {
  const session = await signedIn('ada');

  await phone.pass(269 * SECOND);
  await session.fetch(ME);
  const atFirst = [refreshes().length, await session.getAccessToken()];
  await phone.pass(2 * SECOND);
  const [token] = await Promise.all([session.getAccessToken(), session.fetch(ME), session.fetch(ME)]);

  expect(atFirst).toEqual([0, 'at-01-0001']);
  expect(token).toBe('at-01-0002');
  expect(refreshes()).toHaveLength(1);
  expect(sentTo(ME).map(bearerOf)).toEqual(['at-01-0001', 'at-01-0002', 'at-01-0002']);
});

test('gives a second 401 to the caller', { tags: ['replays-once', 'R4'] }, async () => {
  server.use(http.get(ME, () => json(401)));
  const session = await signedIn('ada');

  const { status } = await session.fetch(ME);
  const atFirst = [sentTo(ME).length, refreshes().length];
  await phone.pass(280 * SECOND);
  await session.fetch(ME);

  expect(status).toBe(401);
  expect(atFirst).toEqual([2, 1]);
  expect(refreshes()).toHaveLength(2);
});

test('hands every other answer on as it is', { tags: ['only-for-401', 'R4'] }, async () => {
  const session = await signedIn('ada');
  server.use(http.get(ME, () => json(500, { trouble: true }), { once: true }));

  const answers = [await session.fetch(ME), await session.fetch(`${API}/admin`), await session.fetch(`${API}/nowhere`)];

  expect(answers.map(({ status }) => status)).toEqual([500, 403, 404]);
  expect(await answers[0]?.json()).toEqual({ trouble: true });
  expect(phone.requests).toHaveLength(3);
});

test('replays the same request, in whichever form it came', { tags: ['same-request', 'R5'] }, async () => {
  const session = await signedIn('ada');
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': 'k-815', 'X-Trace': 'abc' };
  const bolt = { method: 'POST', headers, body: JSON.stringify({ item: 'bolt' }) };
  const screw = {
    ...bolt,
    headers: { ...headers, 'Idempotency-Key': 'k-816' },
    body: JSON.stringify({ item: 'screw' }),
  };

  backend.expireAccessTokens();
  const first = await session.fetch(`${ORDERS}?from=cart`, bolt);
  backend.expireAccessTokens();
  const second = await session.fetch(new Request(ORDERS, screw));

  expect([first.status, second.status]).toEqual([201, 201]);
  expect(backend.orders).toMatchObject([
    { userId: 'ada', item: 'bolt', key: 'k-815' },
    { userId: 'ada', item: 'screw', key: 'k-816' },
  ]);
  const [a, b, c, d] = phone.requests.filter(({ url }) => url.startsWith(ORDERS)).map(withoutToken);
  expect([b, d]).toEqual([a, c]);
  expect([a, c]).toMatchObject([{ body: bolt.body }, { headers: { 'x-trace': 'abc' }, body: screw.body }]);
});

test('gives back the 401 of a body that can be read only once', { tags: ['same-request', 'R5'] }, async () => {
  const session = await signedIn('ada');
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': 'k-900' };
  const body = new Response('{"item":"nut"}').body;
  const upload: RequestInit & { duplex: 'half' } = { method: 'POST', headers, body, duplex: 'half' };

  backend.expireAccessTokens();
  const { status } = await session.fetch(ORDERS, upload);

  expect(status).toBe(401);
  expect(sentTo(ORDERS)).toHaveLength(1);
});

test('keeps the user signed in, whatever befalls a refresh', { tags: ['stays-signed-in', 'R8'] }, async () => {
  const session = await signedIn('ada');
  await phone.pass(6 * MINUTE);

  const answers = [
    lostAnswer,
    () => json(500),
    () => json(403),
    () => json(400, { error: 'invalid_request' }),
    () => json(503, { error: 'invalid_grant' }),
  ];
  for (const answer of answers) {
    server.use(http.post(REFRESH, answer));
    const ending = codeOf(session.fetch(ME));
    await phone.pass(5 * SECOND);
    expect(await ending).toBe('refresh-unavailable');
  }
  const relaunched = await launch();

  expect(session.getState()).toEqual({ status: 'signed-in', userId: 'ada', reason: null });
  expect(relaunched.getState()).toEqual({ status: 'signed-in', userId: 'ada', reason: null });
});

test('adds nothing to requests for other hosts', { tags: ['own-origin-only', 'R11'] }, async () => {
  const session = await signedIn('ada');
  server.use(http.get(`${FILES}/files/secret.pdf`, () => json(401)));

  await session.fetch(`${FILES}/files/map.pdf`);
  await session.fetch(`${FILES}/files/map.pdf`, { headers: { Authorization: 'AWS4 signed', 'X-Part': '3' } });
  await session.fetch(`${LOOKALIKE}/files/map.pdf`);
  const { status } = await session.fetch(`${FILES}/files/secret.pdf`);

  expect(status).toBe(401);
  expect(phone.requests.map(({ headers }) => headers)).toEqual([
    {},
    { authorization: 'AWS4 signed', 'x-part': '3' },
    {},
    {},
  ]);
});

test('asks for new tokens outside its own 401 handling', { tags: ['outside-the-interceptor', 'R11'] }, async () => {
  const session = await signedIn('ada');
  server.use(http.post(REFRESH, () => json(401, { error: 'unauthorized' })));
  server.use(http.post(LOGOUT, () => json(401)));

  backend.expireAccessTokens();
  const ending = codeOf(session.fetch(ME));
  await phone.pass(5 * SECOND);
  const refreshedTimes = refreshes().length;
  await session.adopt(backend.signIn('ada'));
  await session.signOut();
  await phone.pass(5 * SECOND);

  expect([await ending, refreshedTimes, refreshes().length]).toEqual(['signed-out', 1, 1]);
  expect([...refreshes(), ...sentTo(LOGOUT)].map(bearerOf)).toEqual(['', '']);
});

test('is signed in from storage, offline and with an old token', { tags: ['starts-offline', 'R9'] }, async () => {
  await signedIn('ada');
  await phone.goOffline();

  const session = await create();
  const early = codeOf(session.fetch(ME));
  const atFirst = session.getState().status;
  await phone.pass(3 * HOUR);
  await session.start();

  expect(atFirst).toBe('unknown');
  expect(session.getState()).toEqual({ status: 'signed-in', userId: 'ada', reason: null });
  expect(await early).toBe('network');
  expect(phone.requests).toEqual([]);
});

test('takes a record it cannot read for none', { tags: ['starts-offline', 'R9'] }, async () => {
  const states: unknown[] = [];

  for (const text of ['', 'null', '[]', '{}', '{"accessToken":"at-01']) {
    await signedIn('ada');
    for (const { module, key } of phone.disk.entries()) phone.disk[module].set(key, text);
    states.push((await launch()).getState());
  }
  const session = await signedIn('bo');

  expect(states).toEqual(Array(5).fill({ status: 'signed-out', userId: null, reason: null }));
  expect((await session.fetch(ME)).status).toBe(200);
});

test('gives up its tries when the phone goes offline', { tags: ['silent-offline', 'R9'] }, async () => {
  const session = await signedIn('ada');
  await phone.pass(5 * MINUTE);
  server.use(http.post(REFRESH, () => json(503)));

  const ending = codeOf(session.fetch(ME));
  await phone.settle();
  await phone.goOffline();
  await phone.pass(5 * SECOND);

  expect(await ending).toBe('network');
  expect(refreshes()).toHaveLength(1);
});

test('asks for no token while offline', { tags: ['silent-offline', 'R9'] }, async () => {
  const session = await signedIn('ada');
  await phone.pass(HOUR);
  await phone.goOffline();

  const codes = await Promise.all([codeOf(session.fetch(ME)), codeOf(session.getAccessToken())]);
  await phone.pass(HOUR);
  const sentOffline = phone.requests.length;
  await phone.goOnline('cellular');
  const { status } = await session.fetch(ME);

  expect([codes, sentOffline]).toEqual([['network', 'network'], 0]);
  expect(status).toBe(200);
});

test('ends all at dispose, and keeps what is stored', { tags: ['ends-cleanly', 'R13'] }, async () => {
  const listenersBefore = phone.listenerCount();
  const session = await signedIn('ada');
  server.use(http.post(REFRESH, () => json(503)));
  backend.expireAccessTokens();
  const waiter = codeOf(session.fetch(ME));
  await phone.settle();

  session.dispose();
  const sentBefore = phone.requests.length;
  const ending = await Promise.race([waiter, phone.settle().then(() => 'still waits')]);
  await phone.pass(MINUTE);

  expect(ending).toBe('disposed');
  expect(phone.requests).toHaveLength(sentBefore);
  expect(phone.listenerCount()).toBe(listenersBefore);
  expect([await codeOf(session.fetch(ME)), await codeOf(session.start())]).toEqual(['disposed', 'disposed']);
  expect((await launch()).getState().userId).toBe('ada');
});

test('ends a try that is out at dispose', {
  tags: ['ends-cleanly', 'R13'],
}, async () => {
  const session = await signedIn('ada');
  backend.expireAccessTokens();
  await session.fetch(ME);
  server.use(http.post(REFRESH, silence));
  await phone.pass(5 * MINUTE);
  const waiters = [codeOf(session.fetch(ME)), codeOf(session.getAccessToken())];
  await phone.settle();

  session.dispose();
  const endings = await Promise.race([Promise.all(waiters), phone.settle().then(() => 'still wait')]);
  await phone.pass(MINUTE);

  expect(endings).toEqual(['disposed', 'disposed']);
  expect(refreshes()).toHaveLength(2);
});

test('gives a call that is out its answer after dispose', { tags: ['ends-cleanly', 'R13'] }, async () => {
  const session = await signedIn('ada');
  backend.expireAccessTokens();
  const late = holdAnswer(ME);
  const call = session.fetch(ME);
  await phone.settle();

  session.dispose();
  late.release();
  const { status } = await call;
  await session.fetch(`${FILES}/files/map.pdf`);

  expect(status).toBe(401);
  expect(phone.requests.map(({ url }) => url)).toEqual([ME, `${FILES}/files/map.pdf`]);
});

test('turns everybody away once it is disposed', { tags: ['ends-cleanly', 'R13'] }, async () => {
  const session = await create();
  const early = [codeOf(session.fetch(ME)), codeOf(session.adopt(backend.signIn('ada')))];
  const starting = codeOf(session.start());

  session.dispose();
  const calls = [session.start(), session.adopt(backend.signIn('bo')), session.signOut(), session.getAccessToken()];
  const endings = Promise.all([...early, starting, ...calls.map(codeOf)]);

  expect(await Promise.race([endings, phone.settle().then(() => 'still wait')])).toEqual(Array(7).fill('disposed'));
  expect([session.getState().status, storedTokens()]).toEqual(['unknown', []]);
});

// ---------------------------------------------------------------------------------------------------------------------
// senior: lost answers, kills, and people who come and go

test('ends the session when the server says so, and only then', { tags: ['sees-the-end', 'E10', 'R8'] }, async () => {
  const session = await signedIn('ada');
  await phone.goOffline();
  backend.revoke('ada');
  await phone.pass(HOUR);
  const offline = session.getState().status;
  await phone.goOnline();

  const codes = await Promise.all([codeOf(session.fetch(ME)), codeOf(session.fetch(ME))]);

  expect([offline, ...codes]).toEqual(['signed-in', 'signed-out', 'signed-out']);
  expect(session.getState()).toEqual({ status: 'signed-out', userId: null, reason: 'session-ended' });
  expect([refreshes().length, storedTokens()]).toEqual([1, []]);
  expect((await launch()).getState()).toEqual({ status: 'signed-out', userId: null, reason: null });
});

test('asks no more for a session that the server has ended', { tags: ['sees-the-end', 'R8'] }, async () => {
  const session = await signedIn('ada');
  const late = holdAnswer(ORDERS);
  backend.revoke('ada');
  const slow = session.fetch(ORDERS, { method: 'POST', body: '{}' }).then(
    ({ status }) => status,
    ({ code }) => code,
  );
  await phone.settle();

  await codeOf(session.fetch(ME));
  late.release();

  expect([401, 'signed-out']).toContain(await slow);
  expect([refreshes().length, sentTo(ORDERS).length, session.getState().status]).toEqual([1, 1, 'signed-out']);
});

test('leaves who comes next alone when the session before has ended', { tags: ['sees-the-end', 'R8'] }, async () => {
  const session = await signedIn('ada');
  backend.revoke('ada');
  const late = holdAnswer(REFRESH);
  const call = session.fetch(ME).then(
    ({ status }) => status,
    ({ code }) => code,
  );
  await phone.settle();

  phone.holdWrites();
  const change = session.adopt(backend.signIn('bo'));
  late.release();
  await phone.settle();
  await phone.releaseWrites();
  await change;
  await phone.settle();

  expect([401, 'signed-out']).toContain(await call);
  expect(session.getState()).toEqual({ status: 'signed-in', userId: 'bo', reason: null });
  expect(storedTokens()).toEqual([['at-02-0001', 'rt-02-0001']]);
});

test('stores the new pair before it lets anybody go on', { tags: ['stored-before-used', 'R6'] }, async () => {
  const session = await signedIn('ada');
  backend.expireAccessTokens();

  phone.holdWrites();
  const calls = [session.fetch(ME), session.fetch(ME)];
  const token = session.getAccessToken();
  await phone.settle();
  const sentBefore = sentTo(ME).map(bearerOf);
  await phone.releaseWrites();
  const answers = await Promise.all(calls);

  expect(sentBefore).toEqual(['at-01-0001', 'at-01-0001']);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(await token).toMatch(/^at-01-000[12]$/);
  expect(keychain()).toMatch('at-01-0002');
});

test('rejects every waiter when the tries are used up, and begins anew', {
  tags: ['releases-the-waiters', 'R7'],
}, async () => {
  const session = await signedIn('ada');
  await phone.pass(5 * MINUTE);
  server.use(http.post(REFRESH, () => json(503)));

  const waiters = [session.fetch(ME), session.fetch(ORDERS), session.getAccessToken()].map(codeOf);
  await phone.pass(10 * SECOND);
  const codes = await Promise.race([Promise.all(waiters), phone.settle().then(() => 'still waiting')]);
  server.use(http.post(REFRESH, answerAsUsual));
  const { status } = await session.fetch(ME);

  expect(codes).toEqual(Array(3).fill('refresh-unavailable'));
  expect(status).toBe(200);
});

test('tries three times, 5 s each, 1 s and 2 s apart', { tags: ['tries-thrice', 'R7'] }, async () => {
  const session = await signedIn('ada');
  await phone.pass(5 * MINUTE);
  const answers = [() => json(500), silence, silence];
  server.use(http.post(REFRESH, () => answers.shift()?.() ?? json(500)));

  const startMs = phone.serverNowMs();
  const ending = codeOf(session.fetch(ME)).then((code) => [code, phone.serverNowMs() - startMs] as const);
  await phone.pass(MINUTE);
  const [code, tookMs] = await ending;

  expect(gapsOf(refreshes())).toEqual([SECOND, 7 * SECOND]);
  expect(code).toBe('refresh-unavailable');
  expect(Math.abs(tookMs - 13 * SECOND)).toBeLessThan(100);
});

test('waits as long as Retry-After asks, up to 5 s', { tags: ['tries-thrice', 'R7'] }, async () => {
  const session = await signedIn('ada');
  await phone.pass(5 * MINUTE);
  const at = (ms: number) => new Date(phone.serverNowMs() + ms).toUTCString();
  const answers = [
    () => json(429, {}, { 'Retry-After': '5' }),
    () => json(503, {}, { 'Retry-After': at(3 * SECOND), Date: at(0) }),
    () => json(500),
    () => json(429, {}, { 'Retry-After': '60' }),
  ];
  server.use(http.post(REFRESH, () => answers.shift()?.() ?? json(500)));

  const patient = codeOf(session.fetch(ME));
  await phone.pass(20 * SECOND);
  const gapsMs = gapsOf(refreshes());
  const turnedAway = codeOf(session.fetch(ME));
  await phone.pass(20 * SECOND);

  expect(gapsMs).toEqual([5 * SECOND, 3 * SECOND]);
  expect(refreshes()).toHaveLength(4);
  expect(await Promise.all([patient, turnedAway])).toEqual(['refresh-unavailable', 'refresh-unavailable']);
});

test('pauses as ever for a Retry-After that says nothing', { tags: ['tries-thrice', 'R7'] }, async () => {
  const session = await signedIn('ada');
  await phone.pass(5 * MINUTE);
  const at = (ms: number) => new Date(phone.serverNowMs() + ms).toUTCString();
  const headers = [
    { 'Retry-After': '0' },
    { 'Retry-After': 'soon' },
    { 'Retry-After': '4' },
    { 'Retry-After': at(-3 * SECOND), Date: at(0) },
    { 'Retry-After': at(4 * SECOND) },
  ];
  server.use(http.post(REFRESH, () => json(503, {}, headers.shift() ?? {})));

  const startMs = phone.serverNowMs();
  const first = codeOf(session.fetch(ME)).then(() => phone.serverNowMs() - startMs);
  await phone.pass(20 * SECOND);
  const second = codeOf(session.fetch(ME));
  await phone.pass(20 * SECOND);

  // After the third try there is nothing to wait for, whatever the answer asks.
  expect(Math.abs((await first) - 3 * SECOND)).toBeLessThan(100);
  expect(gapsOf(refreshes())).toEqual([SECOND, 2 * SECOND, 17 * SECOND, SECOND, 2 * SECOND]);
  expect(await second).toBe('refresh-unavailable');
});

test('sends one key with each refresh token, also after a kill', {
  tags: ['one-key-per-token', 'E3', 'R7'],
}, async () => {
  const session = await signedIn('ada');
  backend.expireAccessTokens();
  server.use(http.post(REFRESH, lostAnswer));
  void session.fetch(ME).catch(() => undefined);
  await phone.pass(2 * SECOND);

  server.use(http.post(REFRESH, answerAsUsual));
  const relaunched = await launch();
  const { status } = await relaunched.fetch(ME);
  backend.expireAccessTokens();
  await relaunched.fetch(ME);

  const [first, second, third, next] = refreshes().map(({ headers }) => headers['idempotency-key']);
  expect(first).toBeTruthy();
  expect([second, third]).toEqual([first, first]);
  expect([status, next === first]).toEqual([200, false]);
  expect(keychain()).toMatch('rt-01-0003');
});

test('is no thief when an old try arrives late', { tags: ['one-key-per-token', 'E12'] }, async () => {
  const session = await signedIn('ada');
  await phone.pass(5 * MINUTE);
  const road = blockRoad(REFRESH);

  const call = session.fetch(ME);
  await phone.pass(5 * SECOND + 500);
  road.letTheNextThrough();
  await phone.pass(SECOND);
  const { status } = await call;
  road.open();
  await phone.settle();
  const later = await session.fetch(ME);

  expect(backend.requests.filter(({ endpoint }) => endpoint === 'POST /auth/refresh')).toHaveLength(2);
  expect([status, later.status, backend.stolen.size]).toEqual([200, 200, 0]);
});

test('does not refresh again for a 401 that comes late', { tags: ['late-401', 'E2', 'R4'] }, async () => {
  const session = await signedIn('ada');
  backend.expireAccessTokens();
  const late = holdAnswer(ME);

  const slow = session.fetch(ME);
  await phone.settle();
  await session.fetch(ME);
  late.release();

  expect((await slow).status).toBe(200);
  expect(refreshes()).toHaveLength(1);
  expect(sentTo(ME).map(bearerOf)).toEqual(['at-01-0001', 'at-01-0001', 'at-01-0002', 'at-01-0002']);
});

test('signs out at once, whether or not the server hears of it', { tags: ['signs-out-at-once', 'R10'] }, async () => {
  server.use(http.post(LOGOUT, silence));
  const session = await signedIn('ada');

  await session.signOut();
  await phone.settle();
  const online = [session.getState().status, storedTokens(), sentTo(LOGOUT).map(({ body }) => JSON.parse(body))];
  await session.adopt(backend.signIn('bo'));
  await phone.goOffline();
  await session.signOut();
  await phone.pass(MINUTE);

  expect(online).toEqual(['signed-out', [], [{ refreshToken: 'rt-01-0001' }]]);
  expect(session.getState()).toEqual({ status: 'signed-out', userId: null, reason: 'user' });
  expect(await codeOf(session.fetch(ME))).toBe('signed-out');
  expect((await launch()).getState().status).toBe('signed-out');
});

test('tells the server nothing when nobody is signed in', { tags: ['signs-out-at-once', 'R10'] }, async () => {
  const session = await signedIn('ada');
  backend.revoke('ada');
  phone.failNextWrite('failed');
  await codeOf(session.fetch(ME));
  const left = storedTokens().length;

  phone.failNextWrite('failed');
  const refused = await codeOf(session.signOut());
  await session.signOut();
  await phone.settle();

  expect([left, refused, storedTokens()]).toEqual([1, 'storage-failed', []]);
  expect(session.getState()).toEqual({ status: 'signed-out', userId: null, reason: 'session-ended' });
  expect(sentTo(LOGOUT)).toEqual([]);
});

test('brings nothing back when a refresh ends after the sign-out', { tags: ['no-resurrection', 'E5'] }, async () => {
  const session = await signedIn('ada');
  backend.expireAccessTokens();
  const late = holdAnswer(REFRESH);
  const waiter = codeOf(session.fetch(ME));
  await phone.settle();

  await session.signOut();
  late.release();
  await phone.pass(10 * SECOND);

  expect(await waiter).toBe('signed-out');
  expect([session.getState().status, storedTokens(), refreshes().length]).toEqual(['signed-out', [], 1]);
  expect(sentTo(ME)).toHaveLength(1);
});

test('stores no late pair over who has come next', { tags: ['no-resurrection', 'R10'] }, async () => {
  const session = await signedIn('ada');
  backend.expireAccessTokens();
  const late = holdAnswer(REFRESH);
  const waiter = codeOf(session.fetch(ME));
  await phone.settle();

  phone.holdWrites();
  const change = session.adopt(backend.signIn('bo'));
  late.release();
  await phone.settle();
  await phone.releaseWrites();
  await change;
  await phone.settle();

  expect(await waiter).toBe('signed-out');
  expect([session.getState().userId, storedTokens()]).toEqual(['bo', [['at-02-0001', 'rt-02-0001']]]);
});

test('never replays the call of one user as another', { tags: ['never-as-another', 'E6', 'R10'] }, async () => {
  const session = await signedIn('ada');
  backend.expireAccessTokens();
  const late = holdAnswer(ORDERS);
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': 'k-77' };
  const ending = session.fetch(ORDERS, { method: 'POST', headers, body: '{"item":"ring"}' }).then(
    ({ status }) => status,
    ({ code }) => code,
  );
  await phone.settle();

  await session.signOut();
  await session.adopt(backend.signIn('bo'));
  late.release();
  await phone.pass(10 * SECOND);

  expect([401, 'signed-out']).toContain(await ending);
  expect([backend.orders, sentTo(ORDERS).length]).toEqual([[], 1]);
  expect(await (await session.fetch(ME)).json()).toEqual({ userId: 'bo' });
});

test('uses half the life of a token that lasts 20 s', { tags: ['short-lived', 'E8', 'R3'] }, async () => {
  backend.expiresIn = 20;
  const session = await signedIn('ada');

  await session.fetch(ME);
  await phone.pass(9 * SECOND);
  await session.fetch(ME);
  const refreshedEarly = refreshes().length;
  await phone.pass(2 * SECOND);
  await session.fetch(ME);

  expect([refreshedEarly, refreshes().length]).toEqual([0, 1]);
  expect(sentTo(ME).map(bearerOf)).toEqual(['at-01-0001', 'at-01-0001', 'at-01-0002']);
});

test('takes neither a portal nor its HTML for an answer', { tags: ['knows-a-portal', 'E9'] }, async () => {
  const session = await signedIn('ada');
  await phone.pass(5 * MINUTE);
  const answers = [() => page(200), () => page(401), () => json(200, { welcome: true })];
  server.use(http.post(REFRESH, () => answers.shift()?.() ?? page(200)));

  const ending = codeOf(session.fetch(ME));
  await phone.pass(10 * SECOND);
  server.use(http.post(REFRESH, answerAsUsual));
  const { status } = await session.fetch(ME);

  expect(await ending).toBe('refresh-unavailable');
  expect([status, session.getState().userId]).toEqual([200, 'ada']);
  expect(refreshes()).toHaveLength(4);
});

test('takes only a whole pair for one, and only an object for the end', {
  tags: ['knows-a-portal', 'R8'],
}, async () => {
  const session = await signedIn('ada');
  await phone.pass(5 * MINUTE);
  const pair = { accessToken: 'at-01-0002', refreshToken: 'rt-01-0002', expiresIn: 300 };
  const answers = [
    ...[null, [], 'welcome', { ...pair, expiresIn: 0 }].map((body) => () => HttpResponse.json(body)),
    ...Object.keys(pair).map((name) => () => HttpResponse.json({ ...pair, [name]: undefined })),
    ...[null, [], 'sign in'].map((body) => () => HttpResponse.json(body, { status: 401 })),
    () => HttpResponse.json(null, { status: 400 }),
    () => HttpResponse.json(pair, { status: 203 }),
  ];
  const answersLeft = [...answers];
  server.use(http.post(REFRESH, () => answersLeft.shift()?.() ?? json(500)));

  const codes: string[] = [];
  for (let tries = 0; tries < answers.length; tries += 3) {
    const ending = codeOf(session.fetch(ME));
    await phone.pass(5 * SECOND);
    codes.push(await ending);
  }
  server.use(http.post(REFRESH, answerAsUsual));

  expect(codes).toEqual(Array(4).fill('refresh-unavailable'));
  expect([answersLeft.length, sentTo(ME).length, session.getState().status]).toEqual([0, 0, 'signed-in']);
  expect((await session.fetch(ME)).status).toBe(200);
});

// ---------------------------------------------------------------------------------------------------------------------
// staff: the crisis

test('pays one refresh at most for a clock that jumps', { tags: ['trusts-no-clock', 'E7', 'R12'] }, async () => {
  const session = await signedIn('ada');
  const costs: number[] = [];

  for (const jumpMs of [-HOUR, HOUR, 3 * HOUR, -5 * HOUR]) {
    const before = refreshes().length;
    phone.jumpClock(jumpMs);
    for (let n = 0; n < 4; n += 1) {
      expect((await session.fetch(ME)).status).toBe(200);
      await phone.pass(30 * SECOND);
    }
    costs.push(refreshes().length - before);
    backend.expireAccessTokens();
    await session.fetch(ME);
  }

  expect(Math.max(...costs)).toBeLessThanOrEqual(1);
});

test('asks again for a pair that the keychain did not take', { tags: ['outlives-the-keychain', 'E11'] }, async () => {
  const session = await signedIn('ada');
  backend.expireAccessTokens();

  phone.failNextWrite('failed');
  const call = session.fetch(ME);
  await phone.pass(2 * SECOND);
  const { status } = await call;
  phone.failNextWrite('failed');
  const code = await codeOf(session.adopt(backend.signIn('bo')));

  expect(status).toBe(200);
  expect(new Set(refreshes().map(({ body, headers }) => body + headers['idempotency-key'])).size).toBe(1);
  expect(sentTo(ME).map(bearerOf)).toEqual(['at-01-0001', 'at-01-0002']);
  expect([code, session.getState().userId, storedTokens()]).toEqual([
    'storage-failed',
    'ada',
    [['at-01-0002', 'rt-01-0002']],
  ]);
});

// ---------------------------------------------------------------------------------------------------------------------

/** Launches the app, as after a kill if it ran before, without starting the session. */
async function create(): Promise<Session> {
  const { createSession } = await phone.coldStart(() => import('#attempt/token-refresh'));
  return createSession({ device: phone.device, apiUrl: API });
}

async function launch(): Promise<Session> {
  const session = await create();
  await session.start();
  await phone.settle();
  return session;
}

async function signedIn(userId: string): Promise<Session> {
  const session = await launch();
  await session.adopt(backend.signIn(userId));
  return session;
}

const sentTo = (url: string) => phone.requests.filter((request) => request.url === url);
const refreshes = () => sentTo(REFRESH);
const bearerOf = ({ headers }: SentRequest) => headers.authorization?.replace('Bearer ', '') ?? '';
/** Time between requests, to a tenth of a second. */
const gapsOf = (requests: readonly SentRequest[]) =>
  requests.slice(1).map(({ atMs }, index) => Math.round((atMs - Number(requests[index]?.atMs)) / 100) * 100);
const withoutToken = ({ headers: { authorization: _, ...headers }, atMs: __, ...request }: SentRequest) => ({
  ...request,
  headers,
});
const bodiesOf = (answers: readonly Response[]) => Promise.all(answers.map((answer) => answer.json()));

const keychain = () => phone.disk.secureStore.entries().join(' ');
/** The tokens of each stored value that has any. */
const storedTokens = () =>
  phone.disk
    .entries()
    .map(({ value }) => (value.match(/[ar]t-\d\d-\d{4}/g) ?? []).sort())
    .filter(({ length }) => length > 0);

function nameOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'none',
    (error: Error) => error.name,
  );
}

const answerAsUsual = ({ request }: { request: Request }) => backend.app.fetch(request);
const silence = () => new Promise<Response>(() => {});
const page = (status: number) => HttpResponse.html('<html>Welcome to Free WiFi</html>', { status });

function json(status: number, body: object = { error: 'no' }, headers: Record<string, string> = {}): Response {
  return HttpResponse.json(body, { status, headers });
}

/** The server does it, and nobody hears of it. */
async function lostAnswer({ request }: { request: Request }): Promise<Response> {
  await backend.app.fetch(request);
  return HttpResponse.error();
}

/** Requests wait on their way to the server until they are let through; those whose sender has gone arrive all the same. */
function blockRoad(url: string) {
  const waiting: (() => void)[] = [];
  let isOpen = false;
  let passes = 0;
  server.use(
    http.post(url, async ({ request }) => {
      const copy = new Request(request.url, { method: 'POST', headers: request.headers, body: await request.text() });
      if (passes > 0) passes -= 1;
      else if (!isOpen) await new Promise<void>((go) => waiting.push(go));
      return backend.app.fetch(copy);
    }),
  );
  return {
    /** The next request that comes passes those that wait. */
    letTheNextThrough() {
      passes += 1;
    },
    open() {
      isOpen = true;
      for (const go of waiting.splice(0)) go();
    },
  };
}

/** The server answers the next request at once, but its answer takes until it is released. */
const holdAnswer = (url: string) => holdAnswers(server, backend.app.fetch, { url, count: 1 });
