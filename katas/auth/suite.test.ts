import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Auth } from '#contract/auth';
import type { Device } from '#phone';
import { codeOf, createPhone, holdAnswers, type SentRequest, type TestPhone } from '#phone/testing';
import { type AuthBackend, createBackend, PEOPLE } from './backend.ts';

const API = 'https://api.example.test';
const ME = `${API}/me`;
const ECHO = `${API}/private/echo`;
const LOGIN = `${API}/auth/login`;
const VERIFY = `${API}/auth/otp/verify`;
const BACKUP = `${API}/auth/backup-codes/verify`;
const RESEND = `${API}/auth/otp/resend`;
const SESSIONS = `${API}/auth/sessions`;
const REFRESH = `${API}/auth/refresh`;
const LOGOUT = `${API}/auth/logout`;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const OUT = {
  status: 'signedOut',
  user: null,
  stale: false,
  otp: null,
  lock: null,
  biometricLock: false,
  endedBy: null,
};
const ADA = { id: 'ada', name: 'Ada', email: PEOPLE.ada.email };
/** Of the answers that let in, or ask for a code, what cannot be done without. */
const PAIR = { accessToken: { token: 'at-09-0001', expiresInSeconds: 300 }, refreshToken: { token: 'rt-09-0001' } };
const TOKENS = { ...PAIR, user: ADA };
const TIMES = { expiresInSeconds: 300, resendInSeconds: 30, attemptsLeft: 5 };
const ENTRY = { requires2FA: true, otpFlowId: 'otp-0009', maskedDestination: '••• ••42', ...TIMES };

const server = setupServer();
let phone: TestPhone;
let backend: AuthBackend;

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
beforeEach(() => {
  phone = createPhone();
  backend = createBackend(phone.backendContext);
  server.use(http.all(`${API}/*`, answerAsUsual));
});
afterEach(() => {
  vi.restoreAllMocks();
  phone.dispose();
  server.resetHandlers();
});
afterAll(() => server.close());

// ---------------------------------------------------------------------------------------------------------------------
// mid: in by a password, in by a code, in by what is stored

test('signs in with a password, and tells who is in', { tags: ['signs-in', 'R14'] }, async () => {
  const auth = await launch();
  const statuses = watch(auth);

  await auth.signIn(PEOPLE.ada);

  expect(auth.getState()).toEqual({ ...OUT, status: 'signedIn', user: ADA });
  expect(statuses).toEqual(['signedIn']);
  expect(JSON.parse(sentTo(LOGIN)[0]?.body ?? '')).toEqual({
    ...PEOPLE.ada,
    deviceId: expect.stringMatching(/./),
    deviceName: expect.stringMatching(/./),
  });
  expect(await (await auth.fetch('/me')).json()).toEqual(ADA);
});

test('says why a sign-in was turned down', { tags: ['signs-in', 'R14'] }, async () => {
  const auth = await launch();
  const wrong = { email: PEOPLE.noor.email, password: 'пароль' };

  const codes = [await codeOf(auth.signIn({ ...wrong, email: 'nobody@example.test' }))];
  for (let n = 0; n < 6; n += 1) codes.push(await codeOf(auth.signIn(wrong)));
  server.use(http.post(LOGIN, () => json(500)));
  codes.push(await codeOf(auth.signIn(PEOPLE.ada)));
  await phone.goOffline();
  const sentBefore = phone.requests.length;
  codes.push(await codeOf(auth.signIn(PEOPLE.ada)));

  expect(codes).toEqual([...Array(6).fill('badCredentials'), 'tooMany', 'network', 'offline']);
  expect(phone.requests).toHaveLength(sentBefore);
  expect(auth.getState()).toEqual(OUT);
});

test('lets nobody in by an answer to the password that is not as promised', { tags: ['signs-in', 'R14'] }, async () => {
  const auth = await launch();

  for (const answer of [
    () => json(500, TOKENS),
    () => json(500, ENTRY),
    () => json(401, {}),
    () => json(403, { code: 'bad_credentials' }),
    ...[...without(TOKENS), ...without(ENTRY)].map((body) => () => json(200, body)),
  ]) {
    server.use(http.post(LOGIN, answer));
    expect([await codeOf(auth.signIn(PEOPLE.ada)), auth.getState()]).toEqual(['network', OUT]);
  }

  expect(secretsIn(stored())).toEqual([]);
});

test('gives up a sign-in without an answer after 10 s', { tags: ['signs-in', 'R14'] }, async () => {
  const auth = await launch();
  server.use(http.post(LOGIN, silence));

  const ending = codeOf(auth.signIn(PEOPLE.ada));
  await phone.pass(9 * SECOND);
  const early = await Promise.race([ending, phone.settle().then(() => 'still waits')]);
  await phone.pass(2 * SECOND);

  expect([early, await ending]).toEqual(['still waits', 'network']);
});

test('guards routes, and gives back the first it refused once', { tags: ['guards-the-door', 'R1'] }, async () => {
  const auth = await create();
  const early = auth.guard('/inbox');
  await auth.start();
  const verdicts = [auth.guard('/settings'), auth.guard('/orders/7'), auth.takeReturnRoute()];
  await auth.signIn(PEOPLE.ada);
  verdicts.push(auth.guard('/home'), auth.takeReturnRoute(), auth.takeReturnRoute());
  await auth.signOut();
  verdicts.push(auth.guard('/inbox'));
  await auth.signOut();
  await auth.signIn(PEOPLE.bo);
  verdicts.push(auth.guard('/home'));

  expect(early).toBe('wait');
  expect(verdicts).toEqual(['signIn', 'signIn', null, 'allow', '/settings', null, 'signIn', 'signIn']);
  await auth.verifyOtp(smsCode());
  expect(auth.takeReturnRoute()).toBe('/home');
});

test('gives back the route that waited for the lock', { tags: ['guards-the-door', 'R1'] }, async () => {
  const first = await signedIn();
  await first.setBiometricLock(true);
  const auth = await launch();

  const verdicts = [auth.guard('/orders/7'), auth.guard('/home'), auth.takeReturnRoute()];
  await auth.unlock();

  expect([...verdicts, auth.takeReturnRoute()]).toEqual(['unlock', 'unlock', null, '/orders/7']);
});

test('turns calls away while nobody is in', { tags: ['guards-the-door', 'R1'] }, async () => {
  const auth = await create();
  const early = codeOf(auth.fetch('/me'));
  await phone.settle();
  const waits = await Promise.race([early, phone.settle().then(() => 'still waits')]);
  await auth.start();
  await auth.signIn(PEOPLE.bo);

  const codes = [waits, await early, await codeOf(auth.fetch('/me')), await codeOf(auth.listSessions())];

  expect(codes).toEqual(['still waits', 'signedOut', 'signedOut', 'signedOut']);
  expect(phone.requests.map(({ url }) => url)).toEqual([LOGIN]);
});

test('takes up a session without a flash of the login, and without a request', {
  tags: ['no-flash', 'R1'],
}, async () => {
  await signedIn();
  await phone.pass(269 * SECOND);
  const sentBefore = phone.requests.length;

  const auth = await create();
  const statuses = watch(auth);
  const first = [auth.getState(), auth.guard('/inbox')];
  await auth.start();

  expect(first).toEqual([{ ...OUT, status: 'restoring' }, 'wait']);
  expect(statuses).toEqual(['signedIn']);
  expect(auth.getState()).toEqual({ ...OUT, status: 'signedIn', user: ADA });
  expect(phone.requests).toHaveLength(sentBefore);
});

test('starts again after storage could not be read, and once only', { tags: ['no-flash', 'R1'] }, async () => {
  await signedIn();
  const auth = await create();
  const statuses = watch(auth);
  vi.spyOn(phone.device.asyncStorage, 'getItem').mockRejectedValueOnce(new Error('not now'));
  vi.spyOn(phone.device.secureStore, 'getItemAsync').mockRejectedValueOnce(new Error('not now'));

  const failed = [await codeOf(auth.start()), auth.getState().status, auth.guard('/inbox')];
  // An attempt that reads nothing from AsyncStorage has started now.
  expect(['storage', 'none']).toContain(await codeOf(auth.start()));
  await auth.start();
  const listeners = phone.listenerCount();
  await auth.start();

  expect([failed, statuses]).toEqual([['storage', 'restoring', 'wait'], ['signedIn']]);
  expect(phone.listenerCount()).toBe(listeners);
});

test('renews at the start when little is left, and waits for 5 s at most', { tags: ['no-flash', 'R1'] }, async () => {
  await signedIn();
  await phone.pass(271 * SECOND);
  const fresh = await launch();
  const atFirst = [fresh.getState().stale, refreshes().length];
  await phone.pass(5 * MINUTE);
  server.use(http.post(REFRESH, silence));

  const auth = await create();
  const statuses = watch(auth);
  void auth.start();
  await phone.pass(4_900);
  const early = auth.getState().status;
  await phone.pass(200);

  expect(atFirst).toEqual([false, 1]);
  expect(early).toBe('restoring');
  expect(statuses).toEqual(['signedIn']);
  expect(auth.getState()).toMatchObject({ user: ADA, stale: true });
});

test('keeps the session, whatever befalls a renewal', { tags: ['stays-signed-in', 'R2'] }, async () => {
  const auth = await signedIn();
  await phone.pass(5 * MINUTE);

  for (const answer of [
    lostAnswer,
    () => json(500, { code: 'session_revoked' }),
    () => json(403, { code: 'session_revoked' }),
    () => json(408),
    () => json(429, {}, { 'Retry-After': '2' }),
    () => json(401, {}),
    () => json(401, { code: 'token_expired' }),
    () => json(503, TOKENS),
    ...without(PAIR).map((body) => () => json(200, body)),
  ]) {
    server.use(http.post(REFRESH, answer));
    const ending = codeOf(auth.fetch('/me'));
    await phone.pass(20 * SECOND);
    expect(await ending).toBe('network');
  }
  server.use(http.post(REFRESH, answerAsUsual));

  expect(auth.getState()).toEqual({ ...OUT, status: 'signedIn', user: ADA, stale: true });
  expect([await statusOf(auth.fetch('/me')), auth.getState().stale]).toEqual([200, false]);
});

test('takes the page of a captive portal for no answer', { tags: ['stays-signed-in', 'E8', 'R2'] }, async () => {
  const auth = await launch();
  server.use(http.post(LOGIN, () => page(200)));
  const atLogin = [await codeOf(auth.signIn(PEOPLE.ada)), auth.getState().status];
  server.use(http.post(LOGIN, answerAsUsual));
  await auth.signIn(PEOPLE.ada);
  backend.expireAccessTokens();
  const pages = [page(200), page(401)];
  server.use(http.post(REFRESH, () => pages.shift()?.clone() ?? page(200)));

  const ending = codeOf(auth.fetch('/me'));
  await phone.pass(20 * SECOND);

  expect([...atLogin, await ending]).toEqual(['network', 'signedOut', 'network']);
  expect(auth.getState()).toMatchObject({ status: 'signedIn', user: ADA });
  expect((await launch()).getState().status).toBe('signedIn');
});

test('renews a token with less than 30 s left before a call leaves', { tags: ['renews-in-time', 'R4'] }, async () => {
  const auth = await signedIn();

  await phone.pass(269 * SECOND);
  await auth.fetch('/me');
  const atFirst = refreshes().length;
  await phone.pass(2 * SECOND);
  await auth.fetch('/me');

  expect([atFirst, refreshes().length]).toEqual([0, 1]);
  expect(sentTo(ME).map(bearerOf)).toEqual(['at-01-0001', 'at-01-0002']);
});

test('waits for all three tries of a renewal', { tags: ['renews-in-time', 'R4'] }, async () => {
  const auth = await signedIn();
  const statuses: number[] = [];

  for (const failures of [
    [silence, silence],
    [() => page(200), () => json(200, { refreshToken: PAIR.refreshToken })],
  ]) {
    await phone.pass(5 * MINUTE);
    const answers = [...failures, answerAsUsual];
    server.use(http.post(REFRESH, (info) => answers.shift()?.(info)));
    const ending = statusOf(auth.fetch('/me'));
    await phone.pass(14 * SECOND);
    statuses.push(await ending);
  }

  expect([statuses, refreshes().length]).toEqual([[200, 200], 6]);
});

test('repeats a call once with a new token after a 401', { tags: ['renews-in-time', 'R4'] }, async () => {
  const auth = await signedIn();
  const init = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Trace': 'k-7' },
    body: '{"text":"привет"}',
  };
  const answers: number[] = [];

  for (const code of ['token_expired', 'token_invalid', undefined]) {
    server.use(http.post(ECHO, () => json(401, { code }), { once: true }));
    answers.push(await statusOf(auth.fetch('/private/echo', init)));
  }

  expect(answers).toEqual([200, 200, 200]);
  expect([refreshes().length, backend.echoes.map(({ text }) => text)]).toEqual([3, Array(3).fill('привет')]);
  expect(new Set(sentTo(ECHO).map(({ headers, body }) => headers['x-trace'] + body)).size).toBe(1);
});

test('hands every other answer on, and a request that fails as network', {
  tags: ['renews-in-time', 'R4'],
}, async () => {
  const auth = await signedIn();
  const init = { method: 'POST', body: '{"text":"admin: delete all"}' };

  const statuses = [await statusOf(auth.fetch('/private/echo', init)), await statusOf(auth.fetch('/nowhere'))];
  server.use(http.get(ME, silence));
  const slow = codeOf(auth.fetch('/me'));
  await phone.pass(11 * SECOND);

  expect([...statuses, await slow]).toEqual([403, 404, 'network']);
  expect([refreshes(), auth.getState()]).toEqual([[], { ...OUT, status: 'signedIn', user: ADA }]);
});

test('passes the abort of a caller on as it is', { tags: ['renews-in-time', 'R4'] }, async () => {
  const auth = await signedIn();
  const ends: unknown[] = [];

  for (const url of [ME, REFRESH]) {
    server.use(http.all(url, silence));
    const leaving = new AbortController();
    const ending = auth.fetch('/me', { signal: leaving.signal }).catch((reason: unknown) => reason);
    await phone.settle();
    leaving.abort('screen closed');
    ends.push(await Promise.race([ending, phone.settle().then(() => 'still waits')]));
    await phone.pass(5 * MINUTE);
  }

  expect(ends).toEqual(['screen closed', 'screen closed']);
  expect(auth.getState()).toMatchObject({ status: 'signedIn', user: ADA });
});

test('shares one renewal among twenty calls', { tags: ['single-flight', 'E3', 'R4'] }, async () => {
  const auth = await signedIn();
  backend.expireAccessTokens();

  const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(auth.fetch('/me'))));

  expect(statuses).toEqual(Array(20).fill(200));
  expect(refreshes()).toHaveLength(1);
  expect(sentTo(ME)).toHaveLength(40);
});

test('gives a second 401 to the caller', { tags: ['no-loops', 'R4'] }, async () => {
  const auth = await signedIn();
  server.use(http.get(ME, () => json(401, { code: 'token_invalid' })));

  const status = await statusOf(auth.fetch('/me'));

  expect(status).toBe(401);
  expect([sentTo(ME).length, refreshes().length]).toEqual([2, 1]);
  expect(auth.getState().status).toBe('signedIn');
});

test('keeps secrets in the keychain, and passwords and codes nowhere', { tags: ['keeps-secrets', 'R6'] }, async () => {
  const said = (['log', 'info', 'warn', 'error', 'debug'] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation(() => undefined),
  );
  const auth = await launch();
  const states: unknown[] = [];
  auth.subscribe(() => states.push(auth.getState()));

  await auth.signIn(PEOPLE.bo);
  const entering = phone.disk.entries();
  const code = smsCode();
  await auth.verifyOtp(code);
  backend.expireAccessTokens();
  await auth.fetch('/me');
  const stored = [...entering, ...phone.disk.entries()];

  const open = stored.filter(({ module }) => module !== 'secureStore');
  const logs = said.flatMap(({ mock }) => mock.calls);
  const urls = phone.requests.map(({ url }) => url);
  expect(JSON.stringify([open, logs, states, urls])).not.toMatch(/[ar]t-\d\d-\d{4}|otp-\d{4}/);
  expect(JSON.stringify([stored, logs, states, urls])).not.toMatch(new RegExp(`${PEOPLE.bo.password}|${code}`));
});

test('asks for the code, counts wrong ones, and lets in with the right one', {
  tags: ['enters-codes', 'R9'],
}, async () => {
  const auth = await launch();

  await auth.signIn(PEOPLE.bo);
  const asked = auth.getState();
  const wrong = await codeOf(auth.verifyOtp('000000'));
  const left = auth.getState().otp?.attemptsLeft;
  await auth.verifyOtp(smsCode());

  expect(asked).toEqual({
    ...OUT,
    status: 'otpRequired',
    otp: { maskedDestination: '••• ••42', expiresAt: inSeconds(300), nextResendAt: inSeconds(30), attemptsLeft: 5 },
  });
  expect([wrong, left]).toEqual(['badCode', 4]);
  expect(auth.getState()).toMatchObject({ status: 'signedIn', user: { id: 'bo' }, otp: null });
});

test('sends nothing for what is no code, for a resend before its time, and offline', {
  tags: ['enters-codes', 'R9'],
}, async () => {
  const auth = await launch();
  const outside = [await codeOf(auth.verifyOtp('123456')), await codeOf(auth.resendOtp())];
  await auth.signIn(PEOPLE.bo);
  const sentBefore = phone.requests.length;

  const codes = await Promise.all(
    ['', '12345', '1234567', '12a456', ' 12345'].map((one) => codeOf(auth.verifyOtp(one))),
  );
  await phone.pass(29 * SECOND);
  codes.push(await codeOf(auth.resendOtp()));
  await phone.goOffline();
  await phone.pass(2 * SECOND);
  codes.push(await codeOf(auth.resendOtp()), await codeOf(auth.verifyOtp(smsCode())));
  codes.push(await codeOf(auth.useBackupCode(PEOPLE.bo.backupCode)));

  expect(outside).toEqual(['flowEnded', 'flowEnded']);
  expect(codes).toEqual([...Array(5).fill('badCode'), 'cooldown', 'offline', 'offline', 'offline']);
  expect(phone.requests).toHaveLength(sentBefore);
});

test('sends one code at a time, and shares it with a double tap', { tags: ['enters-codes', 'R9'] }, async () => {
  const auth = await launch();
  await auth.signIn(PEOPLE.bo);
  const late = holdAnswer(VERIFY);

  const taps = [auth.verifyOtp(smsCode()), auth.verifyOtp(smsCode()), auth.useBackupCode('BCKP-0000')].map(codeOf);
  await phone.settle();
  late.release();

  expect(await Promise.all(taps)).toEqual(['none', 'none', 'none']);
  expect(phone.requests.map(({ url }) => url)).toEqual([LOGIN, VERIFY]);
});

test('keeps the entry after every answer that decides nothing', { tags: ['enters-codes', 'R9'] }, async () => {
  const auth = await launch();
  await auth.signIn(PEOPLE.bo);
  const asked = auth.getState();
  await phone.pass(31 * SECOND);
  const answers: [() => Response, string][] = [
    [() => json(429), 'tooMany'],
    [() => json(422, { code: 'key_reused' }), 'network'],
    [() => json(500, { ...TOKENS, code: 'wrong_code', attemptsLeft: 1 }), 'network'],
    [() => HttpResponse.error(), 'network'],
    ...without(TOKENS).map((body): [() => Response, string] => [() => json(200, body), 'network']),
  ];

  for (const [answer, code] of answers) {
    server.use(http.post(VERIFY, answer), http.post(BACKUP, answer));
    const ends = [await codeOf(auth.verifyOtp(smsCode())), await codeOf(auth.useBackupCode('BCKP-0000'))];
    expect([...ends, auth.getState()]).toEqual([code, code, asked]);
  }
  server.use(http.post(VERIFY, () => json(422, { code: 'wrong_code' })));

  expect(['badCode', 'network']).toContain(await codeOf(auth.verifyOtp(smsCode())));
  expect(auth.getState()).toEqual(asked);
});

test('keeps the code there is when another one is not sent', { tags: ['enters-codes', 'R9'] }, async () => {
  const auth = await launch();
  await auth.signIn(PEOPLE.bo);
  const asked = auth.getState();
  await phone.pass(31 * SECOND);
  const ends: string[] = [];

  for (const answer of [
    () => json(429),
    () => json(500, { ...TIMES, attemptsLeft: 1 }),
    lostAnswer,
    ...without({ ...TIMES, attemptsLeft: 1 }).map((body) => () => json(200, body)),
  ]) {
    server.use(http.post(RESEND, answer));
    ends.push(await codeOf(auth.resendOtp()));
    expect(auth.getState()).toEqual(asked);
  }
  server.use(http.post(RESEND, () => json(410, { code: 'flow_ended' })));
  ends.push(await codeOf(auth.resendOtp()));

  expect(ends).toEqual(['tooMany', ...Array(5).fill('network'), 'flowEnded']);
  expect([auth.getState(), (await launch()).getState()]).toEqual([OUT, OUT]);
});

test('asks for a code no longer than there is one to ask for', { tags: ['enters-codes', 'R9'] }, async () => {
  const auth = await signedIn();
  await auth.cancelOtp();
  const after = auth.getState().status;
  await auth.signIn(PEOPLE.bo);
  await auth.verifyOtp(smsCode());
  const sentBefore = phone.requests.length;

  const codes = [auth.verifyOtp('123456'), auth.useBackupCode('BCKP-7702'), auth.resendOtp()].map(codeOf);

  expect(after).toBe('signedIn');
  expect(await Promise.all(codes)).toEqual(['flowEnded', 'flowEnded', 'flowEnded']);
  expect([phone.requests.length, auth.getState().status]).toEqual([sentBefore, 'signedIn']);
});

test('takes a resent code or a backup code, and ends when the server says so', {
  tags: ['enters-codes', 'R9'],
}, async () => {
  const auth = await launch();
  await auth.signIn(PEOPLE.bo);
  const old = smsCode();
  await phone.pass(31 * SECOND);
  await auth.resendOtp();
  const resent = auth.getState().otp;
  const withOld = await codeOf(auth.verifyOtp(old));
  const withWrong = await codeOf(auth.useBackupCode('BCKP-0000'));
  await auth.useBackupCode(PEOPLE.bo.backupCode);
  const status = auth.getState().status;
  await auth.signOut();
  await auth.signIn(PEOPLE.bo);
  await phone.pass(301 * SECOND);

  const late = await codeOf(auth.verifyOtp(smsCode()));

  expect(resent).toMatchObject({ attemptsLeft: 5, nextResendAt: expect.stringMatching(/T09:01:01/) });
  expect([withOld, withWrong, status]).toEqual(['badCode', 'badCode', 'signedIn']);
  expect([late, auth.getState()]).toEqual(['flowEnded', OUT]);
  expect((await launch()).getState().status).toBe('signedOut');
});

test('forgets the code entry when it is cancelled, and whatever comes of it', {
  tags: ['enters-codes', 'R9'],
}, async () => {
  const auth = await launch();
  await auth.signIn(PEOPLE.bo);
  const late = holdAnswer(VERIFY);
  const entering = codeOf(auth.verifyOtp(smsCode()));
  await phone.settle();

  await auth.cancelOtp();
  late.release();

  expect(await entering).toBe('flowEnded');
  expect([auth.getState(), secretsIn(stored())]).toEqual([OUT, []]);
});

test('lists the phones of a person, and ends one of them', { tags: ['lists-phones', 'R15'] }, async () => {
  const auth = await signedIn();
  const tablet = backend.signInElsewhere(PEOPLE.ada.email, 'tablet');

  const names = (await auth.listSessions()).map(({ sessionId, userId }) => [sessionId, userId]);
  await auth.endSession(tablet.sessionId);
  await auth.endSession(tablet.sessionId);
  const failed: string[] = [];
  for (const answer of [() => json(500, []), () => json(200, {}), () => page(200)]) {
    server.use(http.get(SESSIONS, answer));
    failed.push(await codeOf(auth.listSessions()));
  }
  server.use(http.delete(`${SESSIONS}/*`, () => json(403)));
  failed.push(await codeOf(auth.endSession('session-01')));

  expect(names).toEqual([
    ['session-01', 'ada'],
    ['session-02', 'ada'],
  ]);
  expect(backend.sessions.map(({ endedBy }) => endedBy)).toEqual([null, 'otherDevice']);
  expect([failed, auth.getState().status]).toEqual([Array(4).fill('network'), 'signedIn']);
});

test('ends all at dispose, and keeps what is stored', { tags: ['ends-cleanly', 'R16'] }, async () => {
  const listenersBefore = phone.listenerCount();
  const auth = await signedIn();
  await phone.pass(5 * MINUTE);
  server.use(http.post(REFRESH, silence));
  const waiter = codeOf(auth.fetch('/me'));
  await phone.settle();

  auth.dispose();
  const sentBefore = phone.requests.length;
  const ending = await Promise.race([waiter, phone.settle().then(() => 'still waits')]);
  await phone.goOffline();
  await phone.goOnline();
  await phone.pass(MINUTE);
  server.use(http.post(REFRESH, answerAsUsual));

  expect([ending, await codeOf(auth.fetch('/me')), await codeOf(auth.signOut())]).toEqual(Array(3).fill('disposed'));
  expect([phone.requests.length, phone.listenerCount()]).toEqual([sentBefore, listenersBefore]);
  expect((await launch()).getState().user).toEqual(ADA);
});

test('turns away at dispose whoever waits, and whoever comes later', { tags: ['ends-cleanly', 'R16'] }, async () => {
  server.use(http.all(`${API}/*`, silence));
  const early = await create();
  const waiting = [early.start(), early.fetch('/me'), early.signIn(PEOPLE.ada)];
  early.dispose();
  const ends = [await endsOf(waiting)];
  const entering = await launch();
  const login = entering.signIn(PEOPLE.ada);
  await phone.settle();
  entering.dispose();
  ends.push(await endsOf([login, entering.start()]));
  server.use(http.post(LOGIN, answerAsUsual));
  const asked = await launch();
  await asked.signIn(PEOPLE.bo);
  await phone.pass(31 * SECOND);
  const tries = [asked.verifyOtp('123456'), asked.resendOtp()];
  await phone.settle();
  asked.dispose();
  ends.push(await endsOf([...tries, asked.cancelOtp()]));

  expect(ends.flat()).toEqual(Array(8).fill('disposed'));
  expect([early, entering, asked].map((auth) => auth.getState().status)).toEqual([
    'restoring',
    'signedOut',
    'otpRequired',
  ]);
});

test('turns away at dispose whoever waits for the server', { tags: ['ends-cleanly', 'R16'] }, async () => {
  const calling = await signedIn();
  server.use(http.get(ME, silence), http.post(REFRESH, silence));
  const call = calling.fetch('/me');
  await phone.settle();
  calling.dispose();
  const ends = await endsOf([call, calling.listSessions(), calling.setBiometricLock(true)]);
  await phone.pass(80 * HOUR);
  const starting = await create();
  const start = starting.start();
  await phone.settle();
  starting.dispose();
  ends.push(...(await endsOf([start])));
  const locked = await create();
  void locked.start();
  await phone.pass(6 * SECOND);
  const opening = locked.unlock();
  await phone.settle();
  locked.dispose();
  ends.push(...(await endsOf([opening])));

  expect(ends).toEqual(Array(5).fill('disposed'));
  expect([starting, locked].map((auth) => auth.getState().status)).toEqual(['restoring', 'locked']);
});

test('shows no change after dispose, with the lock on', { tags: ['ends-cleanly', 'R16'] }, async () => {
  const auth = await signedIn();
  await auth.setBiometricLock(true);
  const shown = auth.getState();
  const changes: unknown[] = [];
  auth.subscribe(() => changes.push(auth.getState()));

  auth.dispose();
  await phone.goToBackground();
  await phone.pass(HOUR);
  await phone.goToForeground();

  expect([changes, auth.getState()]).toEqual([[], shown]);
  expect(await endsOf([auth.fetch('/me'), auth.unlock()])).toEqual(['disposed', 'disposed']);
});

test('lets nobody in after dispose whose session was being stored', { tags: ['ends-cleanly', 'R16'] }, async () => {
  const auth = await launch();
  phone.holdWrites();
  const ending = codeOf(auth.signIn(PEOPLE.ada));
  await phone.settle();

  auth.dispose();
  await phone.releaseWrites();

  expect([await ending, auth.getState()]).toEqual(['disposed', OUT]);
});

test('changes nothing after dispose, also when the lock is just being switched', {
  tags: ['ends-cleanly', 'R16'],
}, async () => {
  const auth = await signedIn();
  await auth.setBiometricLock(true);
  const locked = auth.getState();
  phone.holdWrites();
  const switching = codeOf(auth.setBiometricLock(false));
  await phone.settle();

  auth.dispose();
  await phone.releaseWrites();

  expect([await switching, auth.getState()]).toEqual(['disposed', locked]);
});

// ---------------------------------------------------------------------------------------------------------------------
// senior: lost answers, kills, locks, and people who come and go

test('stores a new pair before a call carries it', { tags: ['stored-before-used', 'R3'] }, async () => {
  const auth = await signedIn();
  backend.expireAccessTokens();

  phone.holdWrites();
  const calls = [statusOf(auth.fetch('/me')), statusOf(auth.fetch('/me'))];
  await phone.settle();
  const early = sentTo(ME).map(bearerOf);
  await phone.releaseWrites();

  expect(early).toEqual(['at-01-0001', 'at-01-0001']);
  expect(await Promise.all(calls)).toEqual([200, 200]);
});

test('stores both tokens of a pair in one value', { tags: ['one-record', 'R3'] }, async () => {
  const auth = await signedIn();
  const atFirst = storedTokens();

  backend.expireAccessTokens();
  await auth.fetch('/me');

  expect([atFirst, storedTokens()]).toEqual([[['at-01-0001', 'rt-01-0001']], [['at-01-0002', 'rt-01-0002']]]);
});

test('rejects with storage when a pair cannot be stored, and goes on later', {
  tags: ['stored-before-used', 'R3'],
}, async () => {
  const auth = await launch();
  phone.failNextWrite('failed');
  const atSignIn = [await codeOf(auth.signIn(PEOPLE.ada)), auth.getState().status];
  await auth.signIn(PEOPLE.ada);
  await phone.pass(5 * MINUTE);
  for (let n = 0; n < 3; n += 1) phone.failNextWrite('failed');

  const waiter = codeOf(auth.fetch('/me'));
  await phone.pass(10 * SECOND);
  // An attempt that stops at the first failed write leaves two of them for later calls.
  for (let n = 0; n < 2; n += 1) {
    void auth.fetch('/me').catch(() => undefined);
    await phone.pass(10 * SECOND);
  }

  expect([...atSignIn, await waiter, auth.getState().status]).toEqual(['storage', 'signedOut', 'storage', 'signedIn']);
  expect(await statusOf(auth.fetch('/me'))).toBe(200);
  expect(backend.alarms).toEqual([]);
});

test('rejects with storage also where the lock keeps the pair', { tags: ['stored-before-used', 'R3'] }, async () => {
  const auth = await signedIn();
  await auth.setBiometricLock(true);
  await phone.pass(5 * MINUTE);
  for (let n = 0; n < 3; n += 1) phone.failNextWrite('failed');

  const waiter = codeOf(auth.fetch('/me'));
  await phone.pass(10 * SECOND);
  await useUpFaults();

  expect([await waiter, auth.getState().status]).toEqual(['storage', 'signedIn']);
  expect(await statusOf(auth.fetch('/me'))).toBe(200);
});

test('gets the pair whose answer was lost, also after a kill', {
  tags: ['survives-lost-answers', 'E1', 'E2', 'R3'],
}, async () => {
  const auth = await signedIn();
  backend.expireAccessTokens();
  server.use(http.post(REFRESH, lostAnswer, { once: true }));
  const first = statusOf(auth.fetch('/me'));
  await phone.pass(5 * SECOND);
  backend.expireAccessTokens();
  phone.failNextWrite('kill-before');
  void auth.fetch('/me').catch(() => undefined);
  await phone.settle();

  const relaunched = await launch();

  expect(await first).toBe(200);
  expect(await statusOf(relaunched.fetch('/me'))).toBe(200);
  const keys = refreshes().map(({ headers, body }) => `${body} ${headers['idempotency-key']}`);
  expect([keys.length, new Set(keys).size]).toEqual([4, 2]);
  expect(backend.alarms).toEqual([]);
});

test('does not renew again for a 401 that comes late', { tags: ['late-401', 'E4', 'R4'] }, async () => {
  const auth = await signedIn();
  backend.expireAccessTokens();
  const late = holdAnswer(ME);

  const slow = statusOf(auth.fetch('/me'));
  await phone.settle();
  await auth.fetch('/me');
  late.release();

  expect(await slow).toBe(200);
  expect(sentTo(ME).map(bearerOf)).toEqual(['at-01-0001', 'at-01-0001', 'at-01-0002', 'at-01-0002']);
  expect(refreshes()).toHaveLength(1);
});

test('goes on with the code entry after a kill', { tags: ['resumes-code-entry', 'R9', 'E7'] }, async () => {
  const auth = await launch();
  await auth.signIn(PEOPLE.bo);
  await codeOf(auth.verifyOtp('000000'));
  const before = auth.getState();

  const relaunched = await create();
  const statuses = watch(relaunched);
  await relaunched.start();
  const after = relaunched.getState();
  await relaunched.verifyOtp(smsCode());

  expect([after, statuses]).toEqual([before, ['otpRequired', 'signedIn']]);
});

test('sends the same code with the same key after a lost answer and a kill', {
  tags: ['resumes-code-entry', 'E7', 'R9'],
}, async () => {
  const auth = await launch();
  await auth.signIn(PEOPLE.bo);
  server.use(http.post(VERIFY, lostAnswer, { once: true }));

  const lost = await codeOf(auth.verifyOtp(smsCode()));
  server.use(http.post(VERIFY, lostAnswer, { once: true }));
  await codeOf(auth.verifyOtp(smsCode()));
  const relaunched = await launch();
  await relaunched.verifyOtp(smsCode());

  expect([lost, relaunched.getState().status]).toEqual(['network', 'signedIn']);
  expect(new Set(sentTo(VERIFY).map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  expect(backend.sessions).toHaveLength(1);
});

test('keeps the entry when the session that a code brings cannot be stored', {
  tags: ['resumes-code-entry', 'R9'],
}, async () => {
  const auth = await launch();
  await auth.signIn(PEOPLE.bo);
  const asked = auth.getState();

  phone.failNextWrite('failed');
  const failed = [await codeOf(auth.verifyOtp(smsCode())), auth.getState()];
  await auth.verifyOtp(smsCode());

  expect(failed).toEqual(['storage', asked]);
  expect([auth.getState().status, (await launch()).getState().status]).toEqual(['signedIn', 'signedIn']);
  expect(backend.sessions).toHaveLength(1);
});

test('puts the tokens behind the prompt when the lock is on', { tags: ['locks-the-secret', 'R7'] }, async () => {
  const auth = await signedIn();
  const isOn = await auth.setBiometricLock(true);
  backend.expireAccessTokens();
  const status = await statusOf(auth.fetch('/me'));
  const prompts = [phone.promptCount()];

  const relaunched = await launch();
  const locked = relaunched.getState();
  const sentBefore = phone.requests.length;
  const refused = [await codeOf(relaunched.fetch('/me')), relaunched.guard('/inbox')];
  await phone.pass(HOUR);
  prompts.push(phone.promptCount());
  const sentLocked = phone.requests.length;
  const isIn = await Promise.all([relaunched.unlock(), relaunched.unlock()]);
  prompts.push(phone.promptCount());

  expect([isOn, status, prompts]).toEqual([true, 200, [1, 1, 2]]);
  expect(locked).toEqual({ ...OUT, status: 'locked', lock: 'biometric', biometricLock: true });
  expect([...refused, sentLocked]).toEqual(['locked', 'unlock', sentBefore]);
  expect([secretsIn(stored(isOpen)), guardedItems()]).toEqual([[], expect.arrayContaining([expect.any(String)])]);
  expect([isIn, relaunched.getState()]).toEqual([
    [true, true],
    { ...OUT, status: 'signedIn', user: ADA, biometricLock: true },
  ]);
  expect(await statusOf(relaunched.fetch('/me'))).toBe(200);
});

test('switches the lock off, and needs no prompt from then on', { tags: ['locks-the-secret', 'R7'] }, async () => {
  const auth = await signedIn();
  await auth.setBiometricLock(true);

  const isOff = await auth.setBiometricLock(false);
  const relaunched = await launch();

  expect([isOff, auth.getState().biometricLock, relaunched.getState().status]).toEqual([true, false, 'signedIn']);
  expect(phone.promptCount()).toBe(1);
});

test('prompts once for a lock that is switched on twice, or is on', { tags: ['locks-the-secret', 'R7'] }, async () => {
  const auth = await signedIn();

  const answers = [await auth.setBiometricLock(false), await auth.setBiometricLock(true)];
  answers.push(await auth.setBiometricLock(true));
  const prompts = phone.promptCount();
  const state = auth.getState();
  await auth.setBiometricLock(false);
  answers.push(...(await Promise.all([auth.setBiometricLock(true), auth.setBiometricLock(true)])));

  expect([answers, prompts, state]).toEqual([
    Array(5).fill(true),
    1,
    { ...OUT, status: 'signedIn', user: ADA, biometricLock: true },
  ]);
  expect(auth.getState()).toEqual(state);
  expect(await statusOf(auth.fetch('/me'))).toBe(200);
});

test('asks for the face first, then whether the server was heard', { tags: ['locks-the-secret', 'R7'] }, async () => {
  const first = await signedIn();
  await first.setBiometricLock(true);
  await phone.goOffline();
  await phone.pass(73 * HOUR);

  const auth = await launch();
  const locks = [auth.getState().lock, await auth.unlock(), auth.getState(), await auth.setBiometricLock(true)];
  await phone.goOnline();

  expect(locks).toEqual([
    'biometric',
    false,
    { ...OUT, status: 'locked', lock: 'offlineLimit', biometricLock: true },
    false,
  ]);
  expect(auth.getState()).toEqual({ ...OUT, status: 'signedIn', user: ADA, biometricLock: true });
  expect(phone.promptCount()).toBe(2);
});

test('locks after 300 s away, by the clock and not by a timer', { tags: ['locks-in-time', 'R7'] }, async () => {
  const auth = await signedIn();
  await auth.setBiometricLock(true);
  const statuses: string[] = [];
  const away = async (ms: number, jumpMs = 0) => {
    await phone.goToBackground();
    await phone.pass(ms);
    if (jumpMs !== 0) phone.jumpClock(jumpMs);
    await phone.goToForeground();
    statuses.push(auth.getState().status, await codeOf(auth.fetch('/me')));
    await auth.unlock();
  };

  await away(299 * SECOND);
  await away(301 * SECOND);
  await away(60 * SECOND, -HOUR);
  await auth.setBiometricLock(false);
  await away(HOUR);

  expect(statuses).toEqual(['signedIn', 'none', 'locked', 'locked', 'locked', 'locked', 'signedIn', 'none']);
});

test('stays locked, and keeps the session, when the prompt is refused', {
  tags: ['takes-no-for-no', 'E12', 'R7'],
}, async () => {
  const auth = await signedIn();
  await auth.setBiometricLock(true);
  const relaunched = await launch();
  const isIn: unknown[] = [];

  for (const error of ['system_cancel', 'user_cancel', 'lockout'] as const) {
    phone.answerPrompts({ success: false, error });
    isIn.push(await relaunched.unlock(), relaunched.getState().status);
  }
  const asked = phone.promptCount();
  phone.answerPrompts({ success: true });
  isIn.push(await relaunched.unlock());

  expect(isIn).toEqual([false, 'locked', false, 'locked', false, 'locked', true]);
  expect(asked).toBe(4);
  expect(await statusOf(relaunched.fetch('/me'))).toBe(200);
});

test('changes nothing when the lock cannot be switched on', { tags: ['takes-no-for-no', 'R7'] }, async () => {
  const auth = await launch();
  const answers = [await auth.setBiometricLock(true)];
  await auth.signIn(PEOPLE.ada);

  phone.answerPrompts({ success: false, error: 'user_cancel' });
  answers.push(await auth.setBiometricLock(true));
  phone.answerPrompts({ success: true });
  phone.setBiometrics({ isEnrolled: false });
  answers.push(await auth.setBiometricLock(true));
  phone.setBiometrics({ hasHardware: false, isEnrolled: true });
  answers.push(await auth.setBiometricLock(true));

  expect(answers).toEqual([false, false, false, false]);
  expect([auth.getState().biometricLock, (await launch()).getState().status]).toEqual([false, 'signedIn']);
});

test('keeps the session, wherever the app is killed while the lock is switched', {
  tags: ['switches-safely', 'E14', 'R7'],
}, async () => {
  const ends: string[] = [];

  for (const on of [true, false]) {
    for (let after = 0; after < 8; after += 1) {
      phone.dispose();
      phone = createPhone();
      backend = createBackend(phone.backendContext);
      const auth = await signedIn();
      if (!on) await auth.setBiometricLock(true);
      phone.failNextWrite('kill-before', { after });
      void auth.setBiometricLock(on);
      await phone.settle();
      const relaunched = await launch();
      await relaunched.unlock();
      ends.push(`${relaunched.getState().status} ${await codeOf(relaunched.fetch('/me'))}`);
    }
  }

  expect(new Set(ends)).toEqual(new Set(['signedIn none']));
});

test('changes nothing, wherever a write fails while the lock is switched', {
  tags: ['switches-safely', 'R7'],
}, async () => {
  const ends: unknown[] = [];

  for (const [on, writes] of [
    [true, 6],
    [false, 2],
  ] as const) {
    for (let after = 0; after < writes; after += 1) {
      const auth = await signedIn();
      if (!on) await auth.setBiometricLock(true);
      phone.failNextWrite('failed', { after });
      const isDone = await auth.setBiometricLock(on);
      await useUpFaults();
      backend.expireAccessTokens();
      ends.push([auth.getState().biometricLock === (isDone === on), await codeOf(auth.fetch('/me'))]);
      const relaunched = await launch();
      await relaunched.unlock();
      ends.push([true, await codeOf(relaunched.fetch('/me'))]);
      await relaunched.signOut();
    }
  }

  expect(ends).toEqual(ends.map(() => [true, 'none']));
});

test('goes on when the app was away while the lock was switched on', {
  tags: ['switches-safely', 'R7'],
}, async () => {
  const ends: unknown[] = [];

  for (let after = 0; after < 6; after += 1) ends.push(await leaveWhileSwitching(await signedIn(), true, after));

  expect(ends).toEqual(Array(6).fill([true, 'none']));
});

test('goes on when the app was away while the lock was switched off', {
  tags: ['switches-safely', 'R7'],
}, async () => {
  const ends: unknown[] = [];

  for (let after = 0; after < 3; after += 1) {
    const auth = await signedIn();
    await auth.setBiometricLock(true);
    ends.push(await leaveWhileSwitching(auth, false, after));
  }

  expect(ends).toEqual(Array(3).fill([true, 'none']));
});

/** For longer than the lock waits, after so many writes. Then tries to go on, and signs out. */
async function leaveWhileSwitching(auth: Auth, on: boolean, after: number): Promise<unknown> {
  phone.holdWrites();
  const switching = auth.setBiometricLock(on);
  await phone.settle();
  for (let n = 0; n < after; n += 1) {
    const released = phone.releaseWrites();
    phone.holdWrites();
    await released;
  }
  await phone.goToBackground();
  await phone.pass(301 * SECOND);
  await phone.goToForeground();
  await phone.releaseWrites();
  await switching;
  const end = [await auth.unlock(), await codeOf(auth.fetch('/me'))];
  await auth.signOut();
  return end;
}

test('signs out at once on a dead network, with nothing left to use', {
  tags: ['signs-out-at-once', 'R10'],
}, async () => {
  const auth = await signedIn();
  server.use(http.post(LOGOUT, silence));

  const ending = codeOf(auth.signOut());
  await phone.pass(SECOND);
  const early = await Promise.race([ending, phone.settle().then(() => 'still waits')]);

  expect([early, auth.getState()]).toEqual(['none', { ...OUT, endedBy: 'user' }]);
  expect([await codeOf(auth.fetch('/me')), stored().match(/at-01/)]).toEqual(['signedOut', null]);
  expect((await launch()).getState()).toEqual(OUT);
});

test('lets this phone forget while locked, where the token cannot be read', {
  tags: ['signs-out-at-once', 'R10'],
}, async () => {
  const first = await signedIn();
  await first.setBiometricLock(true);
  const auth = await launch();
  const sentBefore = phone.requests.length;

  await auth.signOut();

  await phone.settle();

  expect(auth.getState()).toEqual({ ...OUT, endedBy: 'user' });
  expect([phone.requests.length, phone.promptCount(), guardedItems()]).toEqual([sentBefore, 1, []]);
  await auth.signIn(PEOPLE.noor);
  expect((await launch()).getState()).toMatchObject({ status: 'signedIn', user: { id: 'noor' } });
});

test('changes nothing when nobody is in who could sign out', { tags: ['signs-out-at-once', 'R10'] }, async () => {
  const auth = await signedIn();
  await auth.signOut();
  const statuses = watch(auth);
  phone.failNextWrite('failed');

  const codes = [await codeOf(auth.signOut()), await codeOf(auth.cancelOtp())];

  expect([codes, statuses, auth.getState()]).toEqual([['none', 'none'], [], { ...OUT, endedBy: 'user' }]);
});

test('keeps the session when a sign-out cannot be stored', { tags: ['signs-out-at-once', 'R10'] }, async () => {
  const auth = await signedIn();

  phone.failNextWrite('failed');
  const code = await codeOf(auth.signOut());
  const status = auth.getState().status;
  await auth.signOut();

  expect([code, status, auth.getState().status]).toEqual(['storage', 'signedIn', 'signedOut']);
  expect((await launch()).getState().status).toBe('signedOut');
});

test('owes the server a sign-out until it has heard of it', { tags: ['pays-its-debts', 'E5', 'R10'] }, async () => {
  const auth = await signedIn();
  await auth.fetch('/me');
  await phone.goOffline();
  await auth.signOut();
  const sentOffline = sentTo(LOGOUT).length;
  server.use(http.post(LOGOUT, () => page(200)));
  await phone.goOnline();
  const afterPortal = backend.sessions[0]?.endedBy;
  server.use(http.post(LOGOUT, () => json(500)));
  const relaunched = await launch();
  await relaunched.signIn(PEOPLE.noor);
  server.use(http.post(LOGOUT, answerAsUsual));
  await phone.goToBackground();
  await phone.goToForeground();
  const ended = backend.sessions.map(({ endedBy }) => endedBy);
  const sent = sentTo(LOGOUT).length;
  await launch();

  expect([sentOffline, afterPortal, ended]).toEqual([0, null, ['logout', null]]);
  expect([sentTo(LOGOUT).length, stored().match(/rt-01/)]).toEqual([sent, null]);
});

test('owes each sign-out by itself: one that is paid takes no other with it', {
  tags: ['pays-its-debts', 'R10'],
}, async () => {
  server.use(http.post(LOGOUT, () => json(500)));
  const auth = await signedIn();
  await auth.signOut();
  await auth.signIn(PEOPLE.noor);
  await auth.signOut();
  const tries = [answerAsUsual];
  server.use(http.post(LOGOUT, ({ request }) => tries.shift()?.({ request }) ?? json(500)));
  await phone.goToBackground();
  await phone.goToForeground();
  const ended = backend.sessions.filter(({ endedBy }) => endedBy === 'logout').length;
  server.use(http.post(LOGOUT, answerAsUsual));

  await launch();

  expect([ended, backend.sessions.map(({ endedBy }) => endedBy)]).toEqual([1, ['logout', 'logout']]);
});

test('is either in, or out and owing, wherever the app is killed in a sign-out', {
  tags: ['pays-its-debts', 'E6', 'R10'],
}, async () => {
  const ends: string[] = [];

  for (const fault of ['kill-before', 'kill-after'] as const) {
    for (let after = 0; after < 4; after += 1) {
      phone.dispose();
      phone = createPhone();
      backend = createBackend(phone.backendContext);
      const auth = await signedIn();
      await phone.goOffline();
      phone.failNextWrite(fault, { after });
      void auth.signOut();
      await phone.settle();
      await phone.goOnline();
      const relaunched = await launch();
      ends.push(`${relaunched.getState().status} ${backend.sessions[0]?.endedBy}`);
    }
  }

  for (const end of ends) expect(['signedIn null', 'signedOut logout']).toContain(end);
  expect(ends[0]).toBe('signedIn null');
});

test('lets nothing come back that arrives after a sign-out', { tags: ['no-ghosts', 'E5', 'R11'] }, async () => {
  const auth = await signedIn();
  await phone.pass(5 * MINUTE);
  const late = holdAnswer(REFRESH);
  const waiter = codeOf(auth.fetch('/me'));
  await phone.settle();

  await auth.signOut();
  late.release();
  await phone.pass(20 * SECOND);

  expect(['sessionChanged', 'signedOut']).toContain(await waiter);
  expect({ status: auth.getState().status, sent: sentTo(ME) }).toEqual({ status: 'signedOut', sent: [] });
  expect([secretsIn(stored()), backend.sessions[0]?.endedBy]).toEqual([[], 'logout']);
  expect((await launch()).getState().status).toBe('signedOut');
});

test('drops a sign-in that another one has overtaken', { tags: ['no-ghosts', 'R11'] }, async () => {
  const auth = await launch();
  const late = holdAnswer(LOGIN);
  const first = codeOf(auth.signIn(PEOPLE.ada));
  await phone.settle();

  await auth.signIn(PEOPLE.noor);
  late.release();
  await phone.settle();

  expect(await first).toBe('sessionChanged');
  expect(auth.getState()).toMatchObject({ status: 'signedIn', user: { id: 'noor' } });
  expect((await launch()).getState().user).toMatchObject({ id: 'noor' });
});

test('ends a sign-in that is under way by a sign-out', { tags: ['no-ghosts', 'R11'] }, async () => {
  const auth = await launch();
  const late = holdAnswer(LOGIN);
  const entering = codeOf(auth.signIn(PEOPLE.ada));
  await phone.settle();

  await auth.signOut();
  late.release();

  expect([await entering, auth.getState()]).toEqual(['sessionChanged', OUT]);
  expect([secretsIn(stored()), (await launch()).getState()]).toEqual([[], OUT]);
});

test('lets the second of two in who sign in at once', { tags: ['no-ghosts', 'R11'] }, async () => {
  const auth = await launch();

  const ends = await Promise.all([PEOPLE.ada, PEOPLE.noor].map((who) => codeOf(auth.signIn(who))));

  expect(ends).toEqual(['sessionChanged', 'none']);
  expect(auth.getState()).toMatchObject({ status: 'signedIn', user: { id: 'noor' } });
  expect((await launch()).getState().user).toMatchObject({ id: 'noor' });
});

test('lets no answer to an entry that was cancelled touch the next one', { tags: ['no-ghosts', 'R11'] }, async () => {
  for (const answer of [
    () => json(410, { code: 'flow_ended' }),
    () => json(422, { code: 'wrong_code', attemptsLeft: 1 }),
    () => json(200, { ...TOKENS, ...TIMES, attemptsLeft: 1 }),
  ]) {
    const auth = await launch();
    await auth.signIn(PEOPLE.bo);
    await phone.pass(31 * SECOND);
    const late = [VERIFY, RESEND].map((url) => holdAnswers(server, answer, { url, count: 1 }));
    const ends = [auth.verifyOtp('123456'), auth.resendOtp()].map(codeOf);
    await phone.settle();
    await auth.cancelOtp();
    await auth.signIn(PEOPLE.bo);
    const asked = auth.getState();
    for (const held of late) held.release();

    expect((await Promise.all(ends))[0]).toBe('flowEnded');
    expect([auth.getState(), (await launch()).getState()]).toEqual([asked, asked]);
  }
});

test('lets no resent code bring back an entry that is over', { tags: ['no-ghosts', 'R11'] }, async () => {
  const auth = await launch();
  await auth.signIn(PEOPLE.bo);
  await phone.pass(31 * SECOND);
  const late = holdAnswer(RESEND);
  const resending = codeOf(auth.resendOtp());
  await phone.settle();
  server.use(http.post(VERIFY, () => json(410, { code: 'flow_ended' })));

  const verified = await codeOf(auth.verifyOtp(smsCode()));
  late.release();

  expect([verified, await resending, auth.getState()]).toEqual(['flowEnded', 'flowEnded', OUT]);
  expect((await launch()).getState()).toEqual(OUT);
});

test('lets no answer about another code touch the person whom a code has let in', {
  tags: ['no-ghosts', 'R11'],
}, async () => {
  for (const answer of [() => json(410, { code: 'flow_ended' }), () => json(200, TIMES)]) {
    const auth = await launch();
    await auth.signIn(PEOPLE.bo);
    await phone.pass(31 * SECOND);
    const late = holdAnswers(server, answer, { url: RESEND, count: 1 });
    const resending = codeOf(auth.resendOtp());
    await phone.settle();

    await auth.verifyOtp(smsCode());
    late.release();
    await resending;

    const now = auth.getState();
    const next = await launch();
    const states = [now, next.getState()];
    expect(states.map(({ status, otp }) => [status, otp])).toEqual(Array(2).fill(['signedIn', null]));
    await next.signOut();
  }
});

test('never repeats the call of one person as another', { tags: ['never-as-another', 'E11', 'R11'] }, async () => {
  const auth = await signedIn();
  backend.expireAccessTokens();
  const late = holdAnswer(ECHO);
  const ending = auth.fetch('/private/echo', { method: 'POST', body: '{"text":"from ada"}' }).then(
    ({ status }) => status,
    ({ code }) => code,
  );
  await phone.settle();

  await auth.signIn(PEOPLE.noor);
  late.release();
  await phone.pass(20 * SECOND);

  expect([401, 'sessionChanged']).toContain(await ending);
  expect([backend.echoes, sentTo(ECHO).length]).toEqual([[], 1]);
  expect(backend.sessions.map(({ user, endedBy }) => [user.id, endedBy])).toEqual([
    ['ada', 'logout'],
    ['noor', null],
  ]);
});

test('decides offline at once, sends nothing, and renews when it is back', {
  tags: ['works-offline', 'R12'],
}, async () => {
  await signedIn();
  await phone.goOffline();
  await phone.pass(3 * HOUR);
  const sentBefore = phone.requests.length;

  const auth = await launch();
  const offline = [auth.getState(), await codeOf(auth.fetch('/me'))];
  await phone.pass(HOUR);
  const sentOffline = phone.requests.length;
  await phone.goOnline('cellular');

  expect(offline).toEqual([{ ...OUT, status: 'signedIn', user: ADA, stale: true }, 'offline']);
  expect(sentOffline).toBe(sentBefore);
  expect([refreshes().length, auth.getState().stale]).toEqual([1, false]);
});

test('sends no call offline, with a good token neither', { tags: ['works-offline', 'R12'] }, async () => {
  const auth = await signedIn();
  await phone.goOffline();
  const sentBefore = phone.requests.length;

  const codes = [await codeOf(auth.fetch('/me')), await codeOf(auth.listSessions())];
  const isStale = [auth.getState().stale];
  await phone.pass(5 * MINUTE);
  codes.push(await codeOf(auth.fetch('/me')));
  isStale.push(auth.getState().stale);

  expect([...codes, phone.requests.length]).toEqual(['offline', 'offline', 'offline', sentBefore]);
  expect([auth.getState().status, isStale]).toEqual(['signedIn', [false, true]]);
});

test('believes the newest that is told of the network, whenever it goes during a launch', {
  tags: ['works-offline', 'R12'],
}, async () => {
  await signedIn();
  await phone.pass(5 * MINUTE);
  const sentOffline: string[] = [];

  for (const ms of [5, 15, 25, 35, 45]) {
    const auth = await create(withSlowReads);
    void auth.start();
    await phone.pass(ms);
    await phone.goOffline();
    const sentBefore = phone.requests.length;
    await phone.pass(20 * SECOND);
    sentOffline.push(...phone.requests.slice(sentBefore).map(({ url }) => `gone after ${ms} ms, sent: ${url}`));
    await phone.goOnline();
    backend.expireAccessTokens();
    await phone.pass(5 * MINUTE);
  }

  expect(sentOffline).toEqual([]);
});

test('asks on return how long the server was not heard, not on leaving', {
  tags: ['limits-offline-use', 'R12'],
}, async () => {
  const auth = await signedIn();
  await phone.goOffline();
  await phone.pass(73 * HOUR);

  await phone.goToBackground();
  const left = auth.getState();
  await phone.goToForeground();
  await phone.settle();

  expect([left, auth.getState()].map(({ status, lock }) => [status, lock])).toEqual([
    ['signedIn', null],
    ['locked', 'offlineLimit'],
  ]);
});

test('keeps people out who were 72 h without the server, until it is heard', {
  tags: ['limits-offline-use', 'R12'],
}, async () => {
  const first = await signedIn();
  await phone.goOffline();
  await phone.pass(71 * HOUR);
  const within = (await launch()).getState().status;
  await phone.pass(HOUR);

  const auth = await launch();
  const beyond = [auth.getState(), await codeOf(auth.fetch('/me')), await auth.unlock()];
  await phone.goOnline();
  const back = auth.getState();
  await phone.goOffline();
  await phone.goToBackground();
  await phone.pass(73 * HOUR);
  await phone.goToForeground();
  const awake = auth.getState();

  expect(first.getState().status).toBe('signedIn');
  expect([within, ...beyond]).toEqual([
    'signedIn',
    { ...OUT, status: 'locked', lock: 'offlineLimit' },
    'locked',
    false,
  ]);
  expect(back).toEqual({ ...OUT, status: 'signedIn', user: ADA });
  expect(awake).toMatchObject({ status: 'locked', lock: 'offlineLimit' });
  expect(phone.promptCount()).toBe(0);
});

test('opens after the limit with an unlock, once the server can be heard', {
  tags: ['limits-offline-use', 'R12'],
}, async () => {
  await signedIn();
  await phone.pass(80 * HOUR);
  server.use(http.post(REFRESH, () => json(503)));
  const starting = launch();
  await phone.pass(10 * SECOND);
  const auth = await starting;
  const lock = auth.getState().lock;
  server.use(http.post(REFRESH, answerAsUsual));
  await phone.pass(20 * SECOND);

  const isIn = await auth.unlock();

  expect([lock, isIn, auth.getState().status]).toEqual(['offlineLimit', true, 'signedIn']);
});

test('has nothing to unlock where nothing is locked', { tags: ['limits-offline-use', 'R12'] }, async () => {
  const auth = await launch();
  phone.failNextWrite('failed');
  await codeOf(auth.signIn(PEOPLE.ada));

  const answers = [await auth.unlock(), auth.getState().status];
  await auth.signIn(PEOPLE.ada);
  answers.push(await auth.unlock());

  expect([answers, phone.promptCount()]).toEqual([[false, 'signedOut', true], 0]);
});

test('opens after the limit by a renewal that took its time', { tags: ['limits-offline-use', 'R12'] }, async () => {
  await signedIn();
  await phone.pass(80 * HOUR);
  server.use(http.post(REFRESH, silence, { once: true }));

  const auth = await create();
  const statuses = watch(auth);
  void auth.start();
  await phone.pass(10 * SECOND);

  expect(statuses).toEqual(['locked', 'signedIn']);
  expect(auth.getState()).toEqual({ ...OUT, status: 'signedIn', user: ADA });
});

test('stays shut after the limit when a call finds no server', { tags: ['limits-offline-use', 'R12'] }, async () => {
  const auth = await signedIn();
  server.use(http.post(REFRESH, silence));
  await phone.pass(5 * MINUTE);
  const call = codeOf(auth.fetch('/me'));
  await phone.settle();

  phone.jumpClock(73 * HOUR);
  await phone.goToBackground();
  await phone.goToForeground();
  const atOnce = auth.getState();
  await phone.pass(30 * SECOND);

  expect(atOnce).toEqual({ ...OUT, status: 'locked', lock: 'offlineLimit' });
  expect([await call, auth.getState()]).toEqual(['network', atOnce]);
});

test('learns at the next call that the session was ended elsewhere', {
  tags: ['sees-the-end', 'E10', 'R2'],
}, async () => {
  const auth = await signedIn();
  await phone.goOffline();
  backend.endSessionsOf('ada');
  await phone.pass(HOUR);
  const offline = auth.getState().status;
  await phone.goOnline();

  const codes = await Promise.all([auth.fetch('/me'), auth.fetch('/me')].map(endOf));

  expect(offline).toBe('signedIn');
  for (const code of codes) expect([401, 'signedOut']).toContain(code);
  expect(auth.getState()).toEqual({ ...OUT, endedBy: 'server' });
  expect([refreshes().length <= 1, secretsIn(stored()), (await launch()).getState()]).toEqual([true, [], OUT]);
});

test('ends with each of the three verdicts of a renewal', { tags: ['sees-the-end', 'R2'] }, async () => {
  const ends: unknown[] = [];

  for (const code of ['session_revoked', 'token_reused', 'refresh_expired']) {
    const auth = await signedIn();
    backend.expireAccessTokens();
    server.use(http.post(REFRESH, () => json(401, { code }), { once: true }));
    ends.push(await endOf(auth.fetch('/me')), auth.getState().endedBy);
  }

  expect(ends.filter((_, n) => n % 2 === 1)).toEqual(['server', 'server', 'server']);
  expect(refreshes()).toHaveLength(3);
});

test('says that the server has ended it, also when the secrets cannot be removed', {
  tags: ['sees-the-end', 'R2'],
}, async () => {
  const auth = await signedIn();
  backend.endSessionsOf('ada');

  phone.failNextWrite('failed');
  const end = await endOf(auth.fetch('/me'));

  expect([401, 'signedOut']).toContain(end);
  expect(auth.getState()).toEqual({ ...OUT, endedBy: 'server' });
  expect(await codeOf(auth.fetch('/me'))).toBe('signedOut');
});

// ---------------------------------------------------------------------------------------------------------------------
// staff: the crisis

test('pays one renewal at most for a clock that is moved', { tags: ['trusts-no-clock', 'E9', 'R5'] }, async () => {
  const auth = await signedIn();
  const costs: number[] = [];

  for (const jumpMs of [-HOUR, HOUR, 24 * HOUR, -24 * HOUR]) {
    const before = refreshes().length;
    phone.jumpClock(jumpMs);
    for (let n = 0; n < 4; n += 1) {
      expect(await statusOf(auth.fetch('/me'))).toBe(200);
      await phone.pass(30 * SECOND);
    }
    costs.push(refreshes().length - before);
    backend.expireAccessTokens();
    await auth.fetch('/me');
  }

  expect(Math.max(...costs)).toBeLessThanOrEqual(1);
  expect(auth.getState()).toMatchObject({ status: 'signedIn', user: ADA });
});

test('wipes the rest when another face has been enrolled', { tags: ['loses-the-secret', 'E15', 'R8'] }, async () => {
  const auth = await signedIn();
  await auth.setBiometricLock(true);
  phone.enrolBiometrics();

  const relaunched = await launch();
  const locked = relaunched.getState().status;
  const isIn = await relaunched.unlock();

  expect([locked, isIn, relaunched.getState()]).toEqual(['locked', false, { ...OUT, endedBy: 'lostSecret' }]);
  expect([secretsIn(stored()), guardedItems(), (await launch()).getState()]).toEqual([[], [], OUT]);
  const again = await signedIn();
  expect([await again.setBiometricLock(true), (await launch()).getState().status]).toEqual([true, 'locked']);
});

test('starts signed out when the keychain has outlived the app', {
  tags: ['begins-anew', 'E13', 'R13'],
}, async () => {
  const locked = await signedIn();
  await locked.setBiometricLock(true);
  phone.reinstall();
  const first = (await launch()).getState();
  const guarded = guardedItems();
  await signedIn();
  phone.reinstall();
  const second = (await launch()).getState();
  const left = stored();
  const auth = await signedIn();

  expect([first, guarded, second, secretsIn(left)]).toEqual([OUT, [], OUT, []]);
  expect([auth.getState().status, (await launch()).getState().status]).toEqual(['signedIn', 'signedIn']);
});

test('signs in or says storage, wherever a write fails on a new phone', {
  tags: ['begins-anew', 'R13'],
}, async () => {
  const ends: string[] = [];

  for (let after = 0; after < 6; after += 1) {
    phone.dispose();
    phone = createPhone();
    backend = createBackend(phone.backendContext);
    phone.failNextWrite('failed');
    phone.failNextWrite('failed', { after });
    const auth = await launch();
    const code = await codeOf(auth.signIn(PEOPLE.ada));
    ends.push(`${code} ${auth.getState().status}`);
    await useUpFaults();
    await auth.signIn(PEOPLE.ada);
    expect((await launch()).getState()).toMatchObject({ status: 'signedIn', user: ADA });
  }

  for (const end of ends) expect(['none signedIn', 'storage signedOut']).toContain(end);
});

test('sends one deviceId for each installation', { tags: ['begins-anew', 'R13'] }, async () => {
  const auth = await signedIn();
  await auth.signOut();
  await auth.signIn(PEOPLE.noor);
  const relaunched = await launch();
  await relaunched.signIn(PEOPLE.bo);
  phone.reinstall();
  await signedIn();

  const [a, b, c, d] = sentTo(LOGIN).map(({ body }) => JSON.parse(body).deviceId);

  expect([b, c]).toEqual([a, a]);
  expect(d).not.toBe(a);
});

// ---------------------------------------------------------------------------------------------------------------------

/** Launches the app, as after a kill if it ran before, without starting. */
async function create(change = (device: Device) => device): Promise<Auth> {
  const { createAuth } = await phone.coldStart(() => import('#attempt/auth'));
  return createAuth({ device: change(phone.device), apiUrl: API });
}

/** A device of which each read takes 10 ms. */
function withSlowReads(device: Device): Device {
  const { asyncStorage, secureStore } = device;
  const later = <A extends unknown[], R>(read: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return read(...args);
    };
  };
  return {
    ...device,
    asyncStorage: { ...asyncStorage, getItem: later(asyncStorage.getItem) },
    secureStore: { ...secureStore, getItemAsync: later(secureStore.getItemAsync) },
  };
}

async function launch(): Promise<Auth> {
  const auth = await create();
  await auth.start();
  await phone.settle();
  return auth;
}

async function signedIn(): Promise<Auth> {
  const auth = await launch();
  await auth.signIn(PEOPLE.ada);
  return auth;
}

/** Failures that were meant for writes which nobody has made. */
async function useUpFaults(): Promise<void> {
  for (let n = 0; n < 8; n += 1) await phone.device.asyncStorage.setItem('spare', '').catch(() => undefined);
}

/** Statuses as subscribers see them change. */
function watch(auth: Auth): string[] {
  const seen: string[] = [];
  auth.subscribe(() => {
    const { status } = auth.getState();
    if (status !== seen.at(-1)) seen.push(status);
  });
  return seen;
}

const sentTo = (url: string) => phone.requests.filter((request) => request.url === url);
const refreshes = () => sentTo(REFRESH);
const bearerOf = ({ headers }: SentRequest) => headers.authorization?.replace('Bearer ', '') ?? '';
const smsCode = () => backend.flows.at(-1)?.code ?? '';
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * SECOND).toISOString();

type Entry = ReturnType<TestPhone['disk']['entries']>[number];

/** All that lies on the phone, or so much of it, as text. */
const stored = (isMeant = (_: Entry) => true) =>
  phone.disk
    .entries()
    .filter(isMeant)
    .map(({ key, value }) => `${key}: ${value}`)
    .join('\n');
/** What can be read without a prompt. */
const isOpen = ({ module, key }: Entry) => module !== 'secureStore' || !guardedItems().includes(key);
const secretsIn = (text: string) => text.match(/[ar]t-\d\d-\d{4}|otp-\d{4}/g) ?? [];
/** The tokens of each stored value that has any. */
const storedTokens = () =>
  phone.disk
    .entries()
    .map(({ value }) => [...new Set(secretsIn(value))].sort())
    .filter(({ length }) => length > 0);
const guardedItems = () =>
  phone.disk.secureStore.keys().filter((key) => phone.disk.secureStore.rulesOf(key).requireAuthentication);

const statusOf = (call: Promise<Response>) => call.then(({ status }) => status);
const endOf = (call: Promise<Response>) =>
  call.then(
    ({ status }) => status,
    ({ code }: { code: string }) => code,
  );

/** How each ends, now. */
const endsOf = (calls: readonly Promise<unknown>[]) =>
  Promise.all(calls.map((call) => Promise.race([codeOf(call), phone.settle().then(() => 'still waits')])));

/** The body without one of its parts, in all ways there are. */
function without(body: object): object[] {
  return Object.entries(body).flatMap(([name, part]) => {
    const { [name]: _, ...rest } = body as Record<string, unknown>;
    const deeper = typeof part === 'object' ? without(part).map((less) => ({ ...body, [name]: less })) : [];
    return [rest, ...deeper];
  });
}

const answerAsUsual = ({ request }: { request: Request }) => backend.app.fetch(request);
const silence = () => new Promise<Response>(() => {});
const page = (status: number) => HttpResponse.html('<html>Welcome to Free WiFi</html>', { status });

function json(status: number, body: object = { code: 'trouble' }, headers: Record<string, string> = {}): Response {
  return HttpResponse.json(body, { status, headers });
}

/** The server does it, and nobody hears of it. */
async function lostAnswer({ request }: { request: Request }): Promise<Response> {
  await backend.app.fetch(request);
  return HttpResponse.error();
}

/** The server answers the next request at once, but its answer takes until it is released. */
const holdAnswer = (url: string) => holdAnswers(server, backend.app.fetch, { url, count: 1 });
