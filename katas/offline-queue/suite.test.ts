import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { MutationDraft, OfflineQueue, OfflineQueueOptions, QueuedMutation } from '#contract/offline-queue';
import { createPhone, type SentRequest, type TestPhone } from '#phone/testing';
import { createBackend, type QueueBackend } from './backend.ts';

const API = 'https://api.fieldwork.test';
const MUTATIONS = `${API}/mutations`;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const server = setupServer();
let phone: TestPhone;
let backend: QueueBackend;

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
beforeEach(() => {
  phone = createPhone();
  backend = createBackend({ nowMs: phone.serverNowMs, record: () => {}, push: () => {} });
  server.use(http.all(`${API}/*`, ({ request }) => backend.app.fetch(request)));
});
afterEach(() => {
  vi.restoreAllMocks();
  phone.dispose();
  server.resetHandlers();
});
afterAll(() => server.close());

// ---------------------------------------------------------------------------------------------------------------------
// mid: what is saved is kept, arrives once, and in order

test('sends what was saved', { tags: ['delivers-what-is-saved', 'R10'] }, async () => {
  const queue = await launch();

  await queue.enqueue({ entityId: 'visit-41', kind: 'visit.note', payload: { title: 'Valve 3 leaks' } });
  await phone.settle();

  expect(backend.applied).toMatchObject([
    {
      entityId: 'visit-41',
      kind: 'visit.note',
      payload: { title: 'Valve 3 leaks' },
      version: 1,
    },
  ]);
  expect(phone.requests.map(({ headers }) => headers['content-type'])).toEqual([
    expect.stringContaining('application/json'),
  ]);
  expect(queue.getState()).toEqual({ status: 'idle', pending: [], deadLetters: [] });
});

test('shows what is pending in the order of the calls', { tags: ['delivers-what-is-saved', 'R10'] }, async () => {
  const queue = await launch();
  await phone.goOffline();

  const first = await queue.enqueue(update('pump-2', 'off'));
  const second = await queue.enqueue(update('lift-9', 'checked'));
  const third = await queue.enqueue(update('pump-2', 'on'));

  expect(queue.getState().pending).toEqual([first, second, third]);
  expect(first).toMatchObject({ ...update('pump-2', 'off'), enqueuedAt: '2026-03-02T09:00:00.000Z', attempts: 0 });
  expect(new Set([first.id, second.id, third.id]).size).toBe(3);
});

test('tells subscribers of every status, until they leave', { tags: ['delivers-what-is-saved', 'R10'] }, async () => {
  const queue = await launch();
  const seen: string[] = [];
  const leave = queue.subscribe(() => seen.push(queue.getState().status));

  await phone.goOffline();
  await queue.enqueue(update('boiler-5', 'lit'));
  await phone.goOnline();
  const seenBefore = [...seen];
  leave();
  await queue.enqueue(update('boiler-5', 'out'));
  await phone.settle();

  expect(seenBefore).toEqual(expect.arrayContaining(['offline', 'sending']));
  expect(seenBefore.at(-1)).toBe('idle');
  expect(seen).toEqual(seenBefore);
  expect(titles('boiler-5')).toEqual(['lit', 'out']);
});

test('shows what is out, what waits for a pause to end, and how often it was sent', {
  tags: ['delivers-what-is-saved', 'R10'],
}, async () => {
  const queue = await launch();
  const road = blockRoad();
  server.use(http.post(MUTATIONS, () => json(500), { once: true }));
  vi.spyOn(Math, 'random').mockReturnValue(0.9);

  const saved = await queue.enqueue(update('kiln-2', 'hot'));
  await phone.settle();
  const inAPause = queue.getState();
  await phone.pass(SECOND);
  const out = queue.getState();
  const relaunched = (await launch()).getState();
  road.open();

  expect(inAPause).toEqual({ status: 'backing-off', pending: [{ ...saved, attempts: 1 }], deadLetters: [] });
  expect(out).toEqual({ status: 'sending', pending: [{ ...saved, attempts: 2 }], deadLetters: [] });
  expect(relaunched).toEqual({ status: 'sending', pending: [{ ...saved, attempts: 1 }], deadLetters: [] });
});

test('keeps mutations enqueued before start has ended', { tags: ['delivers-what-is-saved', 'R10'] }, async () => {
  const queue = await create();

  const early = [queue.enqueue(update('tank-1', 'half')), queue.enqueue(update('tank-1', 'full'))];
  await queue.start();
  await Promise.all(early);
  await phone.settle();

  expect(titles('tank-1')).toEqual(['half', 'full']);
});

test('sends through the fetch it was given', { tags: ['delivers-what-is-saved', 'R10'] }, async () => {
  const withToken: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('Authorization', 'Bearer t-77');
    return fetch(input, { ...init, headers });
  };
  const queue = await launch({ fetch: withToken });

  await queue.enqueue(update('gate-3', 'open'));
  await phone.settle();

  expect(phone.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer t-77']);
  expect(titles('gate-3')).toEqual(['open']);
});

test('leaves the request to send when one is given', { tags: ['delivers-what-is-saved', 'R10'] }, async () => {
  const sent: { entityId: string; key: string }[] = [];
  const queue = await launch({
    send: async ({ entityId }, { idempotencyKey, signal }) => {
      signal.throwIfAborted();
      sent.push({ entityId, key: idempotencyKey });
      return Response.json({ id: 'change-1', version: 1 }, { status: 201 });
    },
  });

  const saved = await queue.enqueue(update('meter-12', '0042'));
  await phone.settle();

  expect(sent).toEqual([{ entityId: 'meter-12', key: saved.idempotencyKey }]);
  expect(phone.requests).toEqual([]);
  expect(queue.getState().pending).toEqual([]);
});

test('keeps an acknowledged mutation through a kill', { tags: ['durable-before-acknowledged', 'R1'] }, async () => {
  const queue = await launch();
  await phone.goOffline();

  const saved = await queue.enqueue(update('door-8', 'sealed'));
  const relaunched = await launch();

  expect(relaunched.getState().pending).toEqual([saved]);
  await phone.goOnline();
  expect(titles('door-8')).toEqual(['sealed']);
});

test('acknowledges nothing the disk does not have yet', { tags: ['durable-before-acknowledged', 'R1'] }, async () => {
  const queue = await launch();
  await phone.goOffline();
  const acknowledged: string[] = [];
  phone.holdWrites();

  void queue.enqueue(update('fan-1', 'slow')).then(({ id }) => acknowledged.push(id));
  void queue.enqueue(update('fan-2', 'fast')).then(({ id }) => acknowledged.push(id));
  await phone.settle();
  const relaunched = await launch();

  expect(idsOf(relaunched)).toEqual(expect.arrayContaining(acknowledged));
  await relaunched.enqueue(update('fan-3', 'still works'));
  expect(relaunched.getState().pending.at(-1)).toMatchObject(update('fan-3', 'still works'));
});

test('keeps a mutation until its answer is there', { tags: ['kept-until-answered', 'R1'] }, async () => {
  const queue = await launch();
  const road = blockRoad();

  await queue.enqueue(update('roof-6', 'wet'));
  await phone.settle();
  const relaunched = await launch();
  road.open();
  await phone.settle();

  expect(phone.requests).toHaveLength(2);
  expect(titles('roof-6')).toContain('wet');
  expect(relaunched.getState().pending).toEqual([]);
});

test('resends the same key after a lost answer', { tags: ['one-key-for-life', 'R2'] }, async () => {
  server.use(http.post(MUTATIONS, applyAndLoseAnswer, { once: true }));
  const queue = await launch();

  const saved = await queue.enqueue(update('visit-7', 'arrived'));
  await phone.pass(SECOND);

  expect(phone.requests.map(keyOf)).toEqual([saved.idempotencyKey, saved.idempotencyKey]);
  expect(titles('visit-7')).toEqual(['arrived']);
});

test('gives every mutation a key of its own', { tags: ['one-key-for-life', 'R2'] }, async () => {
  const queue = await launch();

  const same = [0, 1, 2].map(() => queue.enqueue(update('counter-3', 'tick')));
  const saved = await Promise.all(same);
  await phone.settle();

  expect(new Set(saved.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(3);
  expect(titles('counter-3')).toEqual(['tick', 'tick', 'tick']);
});

test('waits for an answer before the next of the same entity', { tags: ['first-in-first-out', 'R3'] }, async () => {
  const queue = await launch();
  const road = blockRoad();

  await queue.enqueue(update('site-20', 'a'));
  await queue.enqueue(update('site-20', 'b'));
  await phone.settle();
  const sentBefore = phone.requests.length;
  road.open();
  await phone.settle();

  expect(sentBefore).toBe(1);
  expect(titles('site-20')).toEqual(['a', 'b']);
});

test('lets nothing overtake a mutation that is retried', { tags: ['first-in-first-out', 'R3'] }, async () => {
  server.use(http.post(MUTATIONS, () => json(503), { once: true }));
  const queue = await launch();

  await queue.enqueue(update('site-31', 'dig'));
  await queue.enqueue(update('site-31', 'pour'));
  await queue.enqueue(update('site-31', 'cover'));
  await phone.pass(2 * SECOND);

  expect(titles('site-31')).toEqual(['dig', 'pour', 'cover']);
});

test('keeps the order over a restart', { tags: ['first-in-first-out', 'R3'] }, async () => {
  const queue = await launch();
  await phone.goOffline();
  const words = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];
  for (const word of words.slice(0, 6)) await queue.enqueue(update('log-88', word));

  const second = await launch();
  for (const word of words.slice(6)) await second.enqueue(update('log-88', word));
  await launch();
  await phone.goOnline();

  expect(titles('log-88')).toEqual(words);
});

test('sends four entities at a time', { tags: ['four-at-a-time', 'R3'] }, async () => {
  const queue = await launch();
  const road = blockRoad();

  const saves = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7'].map((entityId) => queue.enqueue(update(entityId, 'ok')));
  await Promise.all(saves);
  await phone.settle();
  const sentBefore = phone.requests.length;
  road.letOneThrough();
  await phone.settle();
  const sentAfterOne = phone.requests.length;
  road.open();
  await phone.settle();

  expect([sentBefore, sentAfterOne]).toEqual([4, 5]);
  expect(backend.applied).toHaveLength(7);
});

test('sends nothing while offline, however long', { tags: ['silent-offline', 'R6'] }, async () => {
  const queue = await launch();
  await phone.goOffline();

  await queue.enqueue(update('mast-2', 'climbed'));
  await phone.pass(HOUR);
  const sentOffline = phone.requests.length;
  await phone.goOnline('cellular');

  expect(sentOffline).toBe(0);
  expect(titles('mast-2')).toEqual(['climbed']);
});

test('falls silent when the connection goes during a pause', { tags: ['silent-offline', 'R6'] }, async () => {
  server.use(http.post(MUTATIONS, () => json(500)));
  const queue = await launch();
  await queue.enqueue(update('mast-5', 'painted'));
  await phone.pass(10 * SECOND);

  await phone.goOffline();
  const sentBefore = phone.requests.length;
  await phone.pass(HOUR);
  const sentOffline = phone.requests.length - sentBefore;
  acceptAgain();
  await phone.goOnline();

  expect(sentOffline).toBe(0);
  expect(titles('mast-5')).toEqual(['painted']);
});

test('asks whether it is online before it sends after a launch', { tags: ['silent-offline', 'R6'] }, async () => {
  const queue = await launch();
  await phone.goOffline();
  await queue.enqueue(update('well-1', 'deep'));

  const relaunched = await launch();
  await phone.pass(MINUTE);

  expect(phone.requests).toEqual([]);
  expect(relaunched.getState()).toMatchObject({ status: 'offline', pending: [update('well-1', 'deep')] });
});

test('leaves no listener and sends nothing after dispose', { tags: ['ends-cleanly', 'R13'] }, async () => {
  const before = phone.listenerCount();
  const queue = await launch();
  const whileOpen = phone.listenerCount();
  await phone.goOffline();
  await queue.enqueue(update('crane-6', 'parked'));

  queue.dispose();
  await phone.goOnline();
  await phone.goToBackground();
  await phone.goToForeground();
  await phone.pass(MINUTE);

  expect(whileOpen).toBeGreaterThan(before);
  expect(phone.listenerCount()).toBe(before);
  expect(phone.requests).toEqual([]);
});

test('turns down what waits for start when it is disposed', { tags: ['ends-cleanly', 'R13'] }, async () => {
  const queue = await create();
  const early = queue.enqueue(update('lamp-4', 'on')).then(
    () => 'kept',
    ({ code }) => code,
  );

  queue.dispose();
  await phone.settle();

  expect(await early).toBe('disposed');
  expect(phone.requests).toEqual([]);
});

test('stops retrying and turns calls down after dispose', { tags: ['ends-cleanly', 'R13'] }, async () => {
  server.use(http.post(MUTATIONS, () => json(502)));
  const queue = await launch();
  await queue.enqueue(update('crane-7', 'moved'));
  await phone.pass(3 * SECOND);

  queue.dispose();
  const sentBefore = phone.requests.length;
  await phone.pass(5 * MINUTE);

  expect(phone.requests).toHaveLength(sentBefore);
  await expect(queue.enqueue(update('crane-7', 'late'))).rejects.toMatchObject({ code: 'disposed' });
  expect((await launch()).getState().pending).toMatchObject([update('crane-7', 'moved')]);
});

// ---------------------------------------------------------------------------------------------------------------------
// senior: the bad day

test('keeps the key of a mutation whose answer a kill took', { tags: ['key-survives-a-kill', 'E1'] }, async () => {
  server.use(http.post(MUTATIONS, applyAndNeverAnswer, { once: true }));
  const queue = await launch();

  const saved = await queue.enqueue(update('visit-63', 'signed'));
  await phone.settle();
  const relaunched = await launch();

  expect(phone.requests.map(keyOf)).toEqual([saved.idempotencyKey, saved.idempotencyKey]);
  expect(titles('visit-63')).toEqual(['signed']);
  expect(relaunched.getState().pending).toEqual([]);
});

test('is not confused by a kill before the removal', { tags: ['key-survives-a-kill', 'E3'] }, async () => {
  const queue = await launch();
  await phone.goOffline();
  await queue.enqueue(update('visit-64', 'first'));
  await queue.enqueue(update('visit-64', 'second'));

  phone.holdWrites();
  await phone.goOnline();
  const relaunched = await launch();

  expect(titles('visit-64')).toEqual(['first', 'second']);
  expect(relaunched.getState().pending).toEqual([]);
});

test('loses none of ten saved in the same tick', { tags: ['survives-the-same-tick', 'E4'] }, async () => {
  const queue = await launch();
  await phone.goOffline();

  const saves = [3, 1, 4, 1, 5, 9, 2, 6, 5, 8].map((digit) => queue.enqueue(update('form-pi', `digit ${digit}`)));
  const saved = await Promise.all(saves);
  const relaunched = await launch();

  expect(relaunched.getState().pending).toEqual(saved);
  await phone.goOnline();
  expect(titles('form-pi')).toEqual(saved.map(titleOf));
});

test('draws each pause within its bound', { tags: ['backs-off', 'R4'] }, async () => {
  server.use(http.post(MUTATIONS, () => json(500)));
  const queue = await launch();

  await queue.enqueue(update('tap-1', 'drips'));
  await phone.pass(5 * MINUTE);

  const pausesMs = gapsOf(phone.requests);
  const boundsMs = pausesMs.map((_, index) => Math.min(30 * SECOND, 500 * 2 ** index));
  const tooLong = pausesMs.filter((pauseMs, index) => pauseMs > Number(boundsMs[index]) + 1);
  expect(tooLong).toEqual([]);
  expect(phone.requests.length).toBeGreaterThan(10);
  expect(phone.requests.length).toBeLessThan(50);
});

test('spreads its pauses over the whole range', { tags: ['backs-off', 'R4'] }, async () => {
  failEveryOther();
  const queue = await launch();
  await phone.goOffline();
  for (let round = 1; round <= 40; round += 1) await queue.enqueue(update('tap-2', `round ${round}`));

  await phone.goOnline();
  await phone.pass(MINUTE);

  const pausesMs = gapsOf(phone.requests).filter((_, index) => index % 2 === 0);
  expect(pausesMs).toHaveLength(40);
  expect(Math.max(...pausesMs)).toBeLessThanOrEqual(501);
  expect(pausesMs.filter((pauseMs) => pauseMs < 250).length).toBeGreaterThan(3);
  expect(pausesMs.filter((pauseMs) => pauseMs > 250).length).toBeGreaterThan(3);
});

test('arrives within 30 s once an hour of outage ends', { tags: ['backs-off', 'R4'] }, async () => {
  server.use(http.post(MUTATIONS, () => json(503)));
  const queue = await launch();
  await queue.enqueue(update('tap-3', 'fixed'));
  await phone.pass(HOUR);

  acceptAgain();
  await phone.pass(30 * SECOND + 1);

  expect(titles('tap-3')).toEqual(['fixed']);
});

test('starts its pauses anew after a success', { tags: ['backs-off', 'R4'] }, async () => {
  const answers = [500, 500, 500, 500, 500, 500, 500, 'apply', 500, 'apply'] as const;
  answerInTurn(answers);
  const queue = await launch();

  await queue.enqueue(update('tap-4', 'closed'));
  await queue.enqueue(update('tap-4', 'opened'));
  await phone.pass(2 * MINUTE);

  expect(titles('tap-4')).toEqual(['closed', 'opened']);
  expect(gapsOf(phone.requests).at(-1)).toBeLessThanOrEqual(501);
});

test('counts four failures at once as one', { tags: ['backs-off', 'R4'] }, async () => {
  const queue = await launch();
  await phone.goOffline();
  for (const entityId of ['k1', 'k2', 'k3', 'k4']) await queue.enqueue(update(entityId, 'done'));
  answerInTurn([503, 503, 503, 503]);

  await phone.goOnline();
  await phone.pass(501);

  expect(backend.applied).toHaveLength(4);
});

test('waits as many seconds as Retry-After says', { tags: ['obeys-retry-after', 'R4'] }, async () => {
  backend.throttleNext(95, 'seconds');
  const queue = await launch();

  await queue.enqueue(update('tap-5', 'old'));
  await phone.pass(20 * SECOND);
  await queue.enqueue(update('tap-6', 'new'));
  await phone.goOffline();
  await phone.goOnline();
  await phone.pass(74 * SECOND);
  const leftAtSecond = secondsOf(phone.requests);
  await phone.pass(2 * SECOND);

  expect(leftAtSecond).toEqual([0]);
  expect(backend.applied).toHaveLength(2);
});

test('waits for months where Retry-After says so, longer than a timer can be set for', {
  tags: ['obeys-retry-after', 'R4'],
}, async () => {
  backend.throttleNext(9_999_999, 'seconds');
  const queue = await launch();

  await queue.enqueue(update('tap-9', 'patient'));
  await phone.pass(24 * HOUR);

  expect(phone.requests).toHaveLength(1);
  expect(queue.getState().status).toBe('backing-off');
});

test('keeps to the later end when a shorter Retry-After follows', { tags: ['obeys-retry-after', 'R4'] }, async () => {
  backend.throttleNext(80, 'seconds');
  backend.throttleNext(5, 'seconds');
  const queue = await launch();

  await Promise.all([queue.enqueue(update('tap-11', 'drips')), queue.enqueue(update('tap-12', 'hums'))]);
  await phone.pass(79 * SECOND);
  const leftAtSecond = secondsOf(phone.requests);
  await phone.pass(2 * SECOND);

  expect(leftAtSecond).toEqual([0, 0]);
  expect(backend.applied).toHaveLength(2);
});

test('waits until the date Retry-After names', { tags: ['obeys-retry-after', 'E6'] }, async () => {
  backend.throttleNext(47, 'date');
  const queue = await launch();

  await queue.enqueue(update('tap-7', 'rusty'));
  await phone.pass(46 * SECOND);
  const leftAtSecond = secondsOf(phone.requests);
  await phone.pass(2 * SECOND);

  expect(leftAtSecond).toEqual([0]);
  expect(titles('tap-7')).toEqual(['rusty']);
});

test('backs off as usual when the date has passed', { tags: ['obeys-retry-after', 'E6'] }, async () => {
  const inThePast = { 'Retry-After': 'Mon, 02 Mar 2026 08:00:00 GMT', Date: 'Mon, 02 Mar 2026 09:00:00 GMT' };
  server.use(http.post(MUTATIONS, () => json(429, {}, inThePast), { once: true }));
  const queue = await launch();

  await queue.enqueue(update('tap-8', 'new washer'));
  await phone.pass(501);

  expect(phone.requests).toHaveLength(2);
  expect(titles('tap-8')).toEqual(['new washer']);
});

test('sets a refused mutation aside for good', { tags: ['refused-once', 'R5'] }, async () => {
  const queue = await launch();

  const saved = await queue.enqueue(update('report-5', ' '));
  await phone.pass(10 * MINUTE);
  const relaunched = await launch();
  await phone.pass(10 * MINUTE);

  expect(phone.requests).toHaveLength(1);
  expect(relaunched.getState().pending).toEqual([]);
  expect(relaunched.getState().deadLetters).toMatchObject([
    {
      id: saved.id,
      reason: 'refused',
      status: 422,
      message: 'title must not be empty',
      mutation: update('report-5', ' '),
    },
  ]);
});

test('takes every other 4xx for permanent', { tags: ['refused-once', 'R5'] }, async () => {
  const queue = await launch();
  answerInTurn([400, 403, 404, 409, 410, 413]);

  const entities = ['q1', 'q2', 'q3', 'q4', 'q5', 'q6'];
  for (const entityId of entities) {
    await queue.enqueue(update(entityId, 'x'));
    await phone.settle();
  }
  await phone.pass(MINUTE);

  expect(phone.requests).toHaveLength(6);
  expect(refusalsOf(queue)).toEqual([400, 403, 404, 409, 410, 413]);
});

test('keeps the message of a refusal, or an empty text', { tags: ['refused-once', 'R5'] }, async () => {
  const answers = [
    () => json(403, { message: 'not yours' }),
    () => json(403, { message: 5 }),
    () => json(403, { error: 'forbidden' }),
    () => HttpResponse.html('<p>Forbidden</p>', { status: 403 }),
  ];
  server.use(http.post(MUTATIONS, () => answers.shift()?.() ?? json(500)));
  const queue = await launch();

  for (const entityId of ['m1', 'm2', 'm3', 'm4']) {
    await queue.enqueue(update(entityId, 'x'));
    await phone.settle();
  }

  const letters = (await launch()).getState().deadLetters;
  expect(letters.map((letter) => (letter.reason === 'refused' ? letter.message : null))).toEqual([
    'not yours',
    ...['', '', ''],
  ]);
});

test('retries a dead letter in its old place with its old key', { tags: ['a-person-decides', 'R5'] }, async () => {
  const queue = await launch();
  answerInTurn([422]);
  const first = await queue.enqueue(update('report-8', 'draft'));
  const second = await queue.enqueue(update('report-8', 'final'));
  await phone.settle();

  const relaunched = await launch();
  await relaunched.retry(first.id);
  await phone.settle();

  expect(backend.appliedTo('report-8').map(({ key }) => key)).toEqual([first.idempotencyKey, second.idempotencyKey]);
  expect(relaunched.getState()).toEqual({ status: 'idle', pending: [], deadLetters: [] });
});

test('retries and discards the dead letter it is asked for', { tags: ['a-person-decides', 'R5'] }, async () => {
  answerInTurn([403, 403, 403]);
  const queue = await launch();
  const saved = [];
  for (const entityId of ['seal-1', 'seal-2', 'seal-3']) saved.push(await queue.enqueue(update(entityId, 'x')));
  await phone.settle();
  const [first, second, third] = saved.map(({ id }) => id);

  await queue.discard(third ?? '');
  await queue.retry(second ?? '');
  await phone.settle();

  expect(backend.applied.map(({ entityId }) => entityId)).toEqual(['seal-2']);
  expect(queue.getState().deadLetters.map(({ id }) => id)).toEqual([first]);
});

test('discards a dead letter for good', { tags: ['a-person-decides', 'R5'] }, async () => {
  const queue = await launch();
  const wrong = await queue.enqueue(update('report-9', ''));
  await queue.enqueue(update('report-9', 'better'));
  await phone.settle();

  await queue.discard(wrong.id);
  await phone.settle();
  const relaunched = await launch();

  expect(titles('report-9')).toEqual(['better']);
  expect(relaunched.getState()).toEqual({ status: 'idle', pending: [], deadLetters: [] });
  await expect(relaunched.discard(wrong.id)).rejects.toMatchObject({ code: 'not-found' });
  await expect(relaunched.retry(wrong.id)).rejects.toMatchObject({ code: 'not-found' });
});

test('holds back only the entity of a dead letter', { tags: ['blocks-one-entity', 'R5'] }, async () => {
  const queue = await launch();
  await queue.enqueue(update('form-12', ''));
  const behind = await queue.enqueue(update('form-12', 'waits'));
  await queue.enqueue(update('form-13', 'goes'));
  await phone.pass(MINUTE);

  const relaunched = await launch();
  await relaunched.enqueue(update('form-14', 'goes too'));
  await phone.pass(MINUTE);

  expect(backend.applied.map(titleOf)).toEqual(['goes', 'goes too']);
  expect(idsOf(relaunched)).toEqual([behind.id]);
});

test('drains once when all triggers fire together', { tags: ['one-drain', 'R7'] }, async () => {
  const queue = await launch();
  await phone.goOffline();
  await phone.goToBackground();
  await queue.enqueue(update('van-1', 'loaded'));
  await queue.enqueue(update('van-2', 'fuelled'));
  const road = blockRoad();

  await Promise.all([phone.goOnline(), phone.goToForeground(), queue.start(), queue.start()]);
  await phone.settle();
  road.open();
  await phone.settle();

  expect(phone.requests).toHaveLength(2);
  expect(titles('van-1')).toEqual(['loaded']);
  expect(titles('van-2')).toEqual(['fuelled']);
});

test('sends one at a time when the connection flaps', { tags: ['one-drain', 'E5'] }, async () => {
  const queue = await launch();
  const road = blockRoad();
  await queue.enqueue(update('van-3', 'on its way'));
  await phone.settle();

  for (let flap = 0; flap < 5; flap += 1) {
    await phone.goOffline();
    await phone.goOnline();
  }
  const sentWhileOut = phone.requests.length;
  road.open();
  await phone.pass(SECOND);

  expect(sentWhileOut).toBe(1);
  expect(titles('van-3')).toEqual(['on its way']);
});

test('is not fooled by a captive portal', { tags: ['knows-a-success', 'E2'] }, async () => {
  const login = () => HttpResponse.html('<html><body>Welcome to HotelNet. Please sign in.</body></html>');
  server.use(http.post(MUTATIONS, login, { once: true }));
  const queue = await launch();

  await queue.enqueue(update('room-9', 'inspected'));
  await phone.pass(SECOND);

  expect(phone.requests).toHaveLength(2);
  expect(titles('room-9')).toEqual(['inspected']);
  expect(queue.getState().deadLetters).toEqual([]);
});

test('takes 304, 408, 425, 429 and every 5xx for passing', { tags: ['knows-a-success', 'R12'] }, async () => {
  answerInTurn([304, 408, 425, 429, 500, 502, 503, 504, 599]);
  const queue = await launch();

  const saved = await queue.enqueue(update('room-11', 'aired'));
  await phone.pass(3 * MINUTE);

  expect(phone.requests.map(keyOf)).toEqual(Array(10).fill(saved.idempotencyKey));
  expect(titles('room-11')).toEqual(['aired']);
});

test('has one effect when the server applies, then answers 500', { tags: ['knows-a-success', 'E8'] }, async () => {
  server.use(http.post(MUTATIONS, applyAndAnswer500, { once: true }));
  const queue = await launch();

  await queue.enqueue(update('room-12', 'booked'));
  await queue.enqueue(update('room-12', 'paid'));
  await phone.pass(SECOND);

  expect(phone.requests).toHaveLength(3);
  expect(titles('room-12')).toEqual(['booked', 'paid']);
});

test('pauses at a 401 until the app comes to the foreground', { tags: ['waits-for-the-session', 'R11'] }, async () => {
  const queue = await launch();
  backend.endSession();
  await queue.enqueue(update('shift-1', 'begun'));
  await phone.settle();

  await queue.enqueue(update('shift-2', 'begun'));
  await phone.pass(10 * MINUTE);
  const sentPaused = phone.requests.length;
  const paused = queue.getState();
  backend.renewSession();
  await phone.goToBackground();
  await phone.goToForeground();

  expect(sentPaused).toBe(1);
  expect(paused).toMatchObject({ status: 'paused', deadLetters: [] });
  expect(titles('shift-1')).toEqual(['begun']);
  expect(titles('shift-2')).toEqual(['begun']);
});

test('rejects clearly when the disk is full', { tags: ['turns-down-clearly', 'R9'] }, async () => {
  const queue = await launch();
  await phone.goOffline();
  await queue.enqueue(update('photo-1', 'kept'));

  phone.failNextWrite('full');
  await expect(queue.enqueue(update('photo-2', 'no room'))).rejects.toMatchObject({ code: 'storage-full' });
  phone.failNextWrite('failed');
  await expect(queue.enqueue(update('photo-3', 'bad sector'))).rejects.toMatchObject({ code: 'storage-failed' });
  await queue.enqueue(update('photo-4', 'kept too'));

  expect(queue.getState().pending.map(titleOf)).toEqual(['kept', 'kept too']);
  await phone.goOnline();
  expect(backend.applied.map(titleOf).sort()).toEqual(['kept', 'kept too']);
});

test('holds a thousand, not one more', { tags: ['turns-down-clearly', 'R9'] }, async () => {
  const queue = await launch();
  await phone.goOffline();

  const saves = Array.from({ length: 1_001 }, (_, n) => queue.enqueue(update(`bolt-${n}`, 'tight')));
  const ends = await Promise.allSettled(saves);

  expect(ends.slice(0, 1_000).every(({ status }) => status === 'fulfilled')).toBe(true);
  expect(ends.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'queue-full' } });
  expect(queue.getState().pending).toHaveLength(1_000);
});

test('rejects what JSON cannot hold', { tags: ['turns-down-clearly', 'E9'] }, async () => {
  const queue = await launch();
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const storedBefore = phone.disk.entries();

  const saves = [circular, { liters: 10n }, undefined].map((payload) =>
    queue.enqueue({ entityId: 'tank-77', kind: 'tank.measure', payload }),
  );
  const ends = await Promise.allSettled(saves);

  expect(ends).toMatchObject(Array(3).fill({ status: 'rejected', reason: { code: 'not-serialisable' } }));
  expect(phone.disk.entries()).toEqual(storedBefore);
  expect(queue.getState().pending).toEqual([]);
});

// ---------------------------------------------------------------------------------------------------------------------
// staff: the crisis

test('sets a damaged record aside and keeps the others', { tags: ['survives-damage', 'R8'] }, async () => {
  const queue = await launch();
  await phone.goOffline();
  for (const title of ['alpha-541', 'bravo-542', 'delta-543']) await queue.enqueue(update('diary-5', title));

  cutShort('bravo-542');
  const relaunched = await launch();
  const [letter] = relaunched.getState().deadLetters;
  const again = await launch();
  await phone.goOnline();
  const drained = again.getState();
  await expect(again.retry(letter?.id ?? '')).rejects.toMatchObject({ code: 'not-found' });
  await again.discard(letter?.id ?? '');

  expect(letter).toMatchObject({ reason: 'unreadable', mutation: null });
  expect(titles('diary-5')).toEqual(['alpha-541', 'delta-543']);
  expect(drained).toEqual({ status: 'idle', pending: [], deadLetters: [letter] });
  expect((await launch()).getState().deadLetters).toEqual([]);
});

test('loses at most one mutation, whichever value is damaged', { tags: ['survives-damage', 'R8'] }, async () => {
  const queue = await launch();
  await phone.goOffline();
  for (const title of ['red-1', 'green-2', 'blue-3']) await queue.enqueue(update('diary-7', title));
  const intact = phone.disk.entries();

  const kept: number[] = [];
  for (const damaged of intact) {
    for (const entry of intact) phone.disk[entry.module].set(entry.key, entry.value);
    phone.disk[damaged.module].set(damaged.key, damaged.value.slice(0, damaged.value.length / 2));
    kept.push((await launch()).getState().pending.length);
  }

  expect(intact.length).toBeGreaterThanOrEqual(3);
  expect(Math.min(...kept)).toBeGreaterThanOrEqual(2);
});

test('sets aside a value that is JSON but no mutation', { tags: ['survives-damage', 'R8'] }, async () => {
  const queue = await launch();
  await phone.goOffline();
  for (const title of ['north-11', 'south-12']) await queue.enqueue(update('diary-9', title));
  const intact = phone.disk.entries();
  const found = intact.find(({ value }) => value.includes('south-12'));

  const shown: unknown[] = [];
  for (const text of ['{}', '[]', '7', 'null', '']) {
    if (found) phone.disk[found.module].set(found.key, text);
    const { pending, deadLetters } = (await launch()).getState();
    shown.push([pending.map(titleOf), deadLetters.map(({ reason }) => reason)]);
  }

  expect(shown).toEqual(Array(5).fill([['north-11'], ['unreadable']]));
});

test('leaves alone what other features keep on the phone', { tags: ['survives-damage', 'R8'] }, async () => {
  phone.disk.asyncStorage.set('settings', 'dark');
  phone.disk.mmkv.set('lastTab', 'visits');
  const queue = await launch();

  await queue.enqueue(update('diary-10', 'mine'));
  await phone.settle();
  const relaunched = await launch();

  expect(relaunched.getState()).toEqual({ status: 'idle', pending: [], deadLetters: [] });
  expect(phone.disk.asyncStorage.get('settings')).toBe('dark');
  expect(phone.disk.mmkv.get('lastTab')).toBe('visits');
});

test('takes over the queue of version 1', { tags: ['takes-over-the-old-queue', 'E10'] }, async () => {
  phone.disk.asyncStorage.set('mutationQueue', JSON.stringify(OLD_QUEUE));
  await phone.goOffline();
  const queue = await launch();

  await queue.enqueue(update('visit-1', 'new'));
  await phone.goOnline();

  expect(backend.appliedTo('visit-1').map(titleOf)).toEqual(['old a', 'old c', 'new']);
  expect(phone.requests.map(keyOf)).toEqual(expect.arrayContaining(['old-key-a', 'old-key-b', 'old-key-c']));
  expect(phone.disk.asyncStorage.get('mutationQueue')).toBeUndefined();
});

test('sets aside what cannot be read of the old queue, and takes over the rest', {
  tags: ['takes-over-the-old-queue', 'E10'],
}, async () => {
  const whole = { idempotencyKey: 'old-key-z', ...update('visit-9', 'old z'), enqueuedAt: '2026-02-27T16:20:00.000Z' };
  const lacking = ['idempotencyKey', 'entityId', 'kind'].map((field) => ({
    ...whole,
    [field]: undefined,
  }));
  phone.disk.asyncStorage.set('mutationQueue', JSON.stringify([7, ...lacking, whole]));

  const queue = await launch();
  await phone.settle();

  expect(queue.getState().deadLetters.map(({ reason }) => reason)).toEqual(Array(4).fill('unreadable'));
  expect(phone.requests.map(keyOf)).toEqual(['old-key-z']);
});

test('takes it over once, though killed in the middle', { tags: ['takes-over-the-old-queue', 'E10'] }, async () => {
  phone.disk.asyncStorage.set('mutationQueue', JSON.stringify(OLD_QUEUE));
  await phone.goOffline();
  const cut = await create();
  phone.holdWrites();
  void cut.start();
  await phone.settle();

  const queue = await launch();
  const shown = queue.getState().pending;
  await phone.goOnline();

  expect(shown.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['old-key-a', 'old-key-b', 'old-key-c']);
  expect(phone.requests).toHaveLength(3);
  expect(titles('visit-1')).toEqual(['old a', 'old c']);
});

test('keeps the old queue when the new place cannot be written', {
  tags: ['takes-over-the-old-queue', 'E10'],
}, async () => {
  phone.disk.asyncStorage.set('mutationQueue', JSON.stringify(OLD_QUEUE));
  const queue = await create();
  phone.failNextWrite('full');

  await expect(queue.start()).rejects.toMatchObject({ code: 'storage-full' });
  await queue.start();
  await phone.settle();

  expect(titles('visit-1')).toEqual(['old a', 'old c']);
  expect(titles('visit-2')).toEqual(['old b']);
});

test('keeps its pace when the clock is set back', { tags: ['trusts-no-clock', 'E7'] }, async () => {
  server.use(http.post(MUTATIONS, () => json(503)));
  const queue = await launch();
  await queue.enqueue(update('clock-1', 'early'));
  await phone.pass(MINUTE);

  phone.jumpClock(-HOUR);
  await queue.enqueue(update('clock-1', 'late'));
  acceptAgain();
  await phone.pass(30 * SECOND + 1);

  expect(titles('clock-1')).toEqual(['early', 'late']);
});

test('keeps the order when the clock was set back', { tags: ['trusts-no-clock', 'E7'] }, async () => {
  const queue = await launch();
  await phone.goOffline();
  await queue.enqueue(update('clock-2', 'first'));
  phone.jumpClock(-HOUR);
  await queue.enqueue(update('clock-2', 'second'));

  const relaunched = await launch();
  await relaunched.enqueue(update('clock-2', 'third'));
  await phone.goOnline();

  expect(titles('clock-2')).toEqual(['first', 'second', 'third']);
});

test('measures Retry-After by the clock of the server', { tags: ['trusts-no-clock', 'E7'] }, async () => {
  const queue = await launch();
  phone.jumpClock(-HOUR);
  backend.throttleNext(30, 'date');

  await queue.enqueue(update('clock-3', 'wound'));
  await phone.pass(29 * SECOND);
  const leftAtSecond = secondsOf(phone.requests);
  await phone.pass(2 * SECOND);

  expect(leftAtSecond).toEqual([0]);
  expect(titles('clock-3')).toEqual(['wound']);
});

// ---------------------------------------------------------------------------------------------------------------------

const OLD_QUEUE = [
  { idempotencyKey: 'old-key-a', ...update('visit-1', 'old a'), enqueuedAt: '2026-02-27T16:20:00.000Z' },
  { idempotencyKey: 'old-key-b', ...update('visit-2', 'old b'), enqueuedAt: '2026-02-27T16:21:00.000Z' },
  { idempotencyKey: 'old-key-c', ...update('visit-1', 'old c'), enqueuedAt: '2026-02-27T16:20:30.000Z' },
];

type Answer = number | 'apply';

/** When requests left, in whole seconds since the phone was made. */
function secondsOf(requests: readonly SentRequest[]): number[] {
  return requests.map(({ atMs }) => Math.floor(atMs / SECOND));
}

function update(entityId: string, title: string): MutationDraft {
  return { entityId, kind: 'record.update', payload: { title } };
}

/** Launches the app, as after a kill if it ran before, without starting the queue. */
async function create(options: Partial<OfflineQueueOptions> = {}): Promise<OfflineQueue> {
  const { createOfflineQueue } = await phone.coldStart(() => import('#attempt/offline-queue'));
  return createOfflineQueue({ device: phone.device, apiUrl: API, ...options });
}

async function launch(options: Partial<OfflineQueueOptions> = {}): Promise<OfflineQueue> {
  const queue = await create(options);
  await queue.start();
  await phone.settle();
  return queue;
}

const keyOf = ({ headers }: { headers: Readonly<Record<string, string>> }) => headers['idempotency-key'];
const titleOf = ({ payload }: Pick<QueuedMutation, 'payload'>) => (payload as { title: string }).title;
const titles = (entityId: string) => backend.appliedTo(entityId).map(titleOf);
const idsOf = (queue: OfflineQueue) => queue.getState().pending.map(({ id }) => id);
const refusalsOf = (queue: OfflineQueue) =>
  queue.getState().deadLetters.map((letter) => (letter.reason === 'refused' ? letter.status : null));
const gapsOf = (requests: readonly { atMs: number }[]) =>
  requests.slice(1).map(({ atMs }, index) => atMs - Number(requests[index]?.atMs));

function json(status: number, body: object = { message: 'no' }, headers: Record<string, string> = {}): Response {
  return HttpResponse.json(body, { status, headers });
}

async function applyAndLoseAnswer({ request }: { request: Request }): Promise<Response> {
  await backend.app.fetch(request);
  return HttpResponse.error();
}

async function applyAndNeverAnswer({ request }: { request: Request }): Promise<Response> {
  await backend.app.fetch(request);
  return new Promise(() => {});
}

async function applyAndAnswer500({ request }: { request: Request }): Promise<Response> {
  await backend.app.fetch(request);
  return json(500);
}

function acceptAgain(): void {
  server.use(http.post(MUTATIONS, ({ request }) => backend.app.fetch(request)));
}

/** Answers the next requests one by one with a status, or lets the server apply them. */
function answerInTurn(answers: readonly Answer[]): void {
  const left = [...answers];
  server.use(
    http.post(MUTATIONS, ({ request }) => {
      const answer = left.shift() ?? 'apply';
      if (answer === 304) return new HttpResponse(null, { status: 304 });
      return answer === 'apply' ? backend.app.fetch(request) : json(answer);
    }),
  );
}

function failEveryOther(): void {
  answerInTurn(Array.from({ length: 80 }, (_, index) => (index % 2 === 0 ? 500 : 'apply')));
}

/** Requests wait on their way to the server until they are let through. */
function blockRoad() {
  const waiting: (() => void)[] = [];
  let isOpen = false;
  server.use(
    http.post(MUTATIONS, async ({ request }) => {
      if (!isOpen) await new Promise<void>((go) => waiting.push(go));
      return backend.app.fetch(request);
    }),
  );
  return {
    letOneThrough: () => waiting.shift()?.(),
    open() {
      isOpen = true;
      for (const go of waiting.splice(0)) go();
    },
  };
}

/** Damages the one stored value that holds this text, wherever it is kept: the second half is gone. */
function cutShort(marker: string): void {
  const found = phone.disk.entries().filter(({ value }) => value.includes(marker));
  expect(found, `stored values with "${marker}"`).toHaveLength(1);
  for (const { module, key, value } of found) phone.disk[module].set(key, value.slice(0, value.length / 2));
}
