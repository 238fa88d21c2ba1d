import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { ChannelEvent, ChannelHandler, Realtime, RealtimeOptions } from '#contract/realtime-reconnect';
import { createPhone, holdAnswers, type TestPhone } from '#phone/testing';
import { APP_KEY, createBackend, type RealtimeBackend } from './backend.ts';

const API = 'https://api.example.test';
const SOCKETS = 'wss://ws.example.test';
const AUTH = `${API}/pusher/auth`;
const HISTORY = `${API}/channels/:name/events`;
const USER = 'private-user-7';
/** Begins like none that needs an auth. */
const ORDERS = 'semi-private-orders';
const PRICES = 'prices';
const BOARD = 'private-board';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** What a moment of work may add to a time. */
const MOMENT = 100;

const server = setupServer();
let phone: TestPhone;
let backend: RealtimeBackend;
let beforeLoading: () => void;

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
beforeEach(() => {
  phone = createPhone();
  beforeLoading = () => undefined;
  useBackend();
  server.use(http.all(`${API}/*`, answerAsUsual));
});
afterEach(() => {
  vi.restoreAllMocks();
  phone.dispose();
  server.resetHandlers();
});
afterAll(() => server.close());

// ---------------------------------------------------------------------------------------------------------------------
// mid: one socket, all channels on it, back after a break

test('connects, subscribes, and hands on the events of the application alone', {
  tags: ['delivers-live', 'R10', 'E7'],
}, async () => {
  const realtime = await launch();
  const orders = join(realtime, ORDERS);
  const prices = join(realtime, PRICES, null);
  const noise = ['no frame', '7', 'null', '[]', '{"event":7,"channel":"prices","data":"{}"}'];
  phone.interceptFrames((text) => [...noise, text]);
  await connect(realtime);

  backend.publish(ORDERS, 'as text');
  backend.publish(ORDERS, 'as object', { form: 'object', name: 'order_moved' });
  backend.publish(PRICES, '9,50 €');
  backend.pusher.pingAll();
  backend.pusher.announceHeads();
  phone.interceptFrames((text) => [text.replace('"{}"', '"no JSON"')]);
  backend.pusher.trigger(PRICES, 'not-pusher:closing', {});
  for (const name of ['head', 'pusher:note', 'pusher_internal:member_added']) backend.pusher.trigger(PRICES, name, {});
  await phone.settle();

  expect(orders.events).toEqual([
    { name: 'message', data: { text: 'as text', seq: 1 }, seq: 1 },
    { name: 'order_moved', data: { text: 'as object', seq: 2 }, seq: 2 },
  ]);
  expect(prices.events).toEqual([
    { name: 'message', data: { text: '9,50 €' }, seq: null },
    { name: 'not-pusher:closing', data: 'no JSON', seq: null },
  ]);
  const { origin, pathname, searchParams } = new URL(phone.sockets[0]?.url ?? '');
  expect([origin, pathname, searchParams.get('protocol')]).toEqual([SOCKETS, `/app/${APP_KEY}`, '7']);
});

test('shows connection and channels as they change', { tags: ['delivers-live', 'R10'] }, async () => {
  const realtime = await launch();
  const seen: string[] = [realtime.getState().status];
  const stop = realtime.subscribe(() => {
    const { status, channels } = realtime.getState();
    seen.push(status, String(channels[ORDERS]));
  });
  const before = { ...realtime.getState() };
  const orders = join(realtime, ORDERS);

  await connect(realtime);
  const { status, socketId, attempt, channels } = realtime.getState();
  realtime.disconnect();
  const after = realtime.getState();
  stop();
  const told = seen.length;
  await connect(realtime);
  orders.leave();

  expect(before).toEqual({ status: 'idle', attempt: 0, socketId: null, channels: {} });
  expect([...new Set(seen)].slice(0, 6)).toEqual(['idle', 'pending', 'connecting', 'connected', 'catching-up', 'live']);
  expect({ status, socketId, attempt, channels }).toEqual({
    status: 'connected',
    socketId: '100001.48271',
    attempt: 0,
    channels: { [ORDERS]: 'live' },
  });
  expect(after).toEqual({ status: 'idle', attempt: 0, socketId: null, channels: { [ORDERS]: 'pending' } });
  expect(seen).toHaveLength(told);
  expect(realtime.getState().channels).toEqual({});
});

test('has one handler for a channel, through joins and leaves of one tick', {
  tags: ['joins-once', 'E5', 'E6', 'R10'],
}, async () => {
  const { realtime, orders, prices } = await live();
  expect(() => join(realtime, ORDERS)).toThrow();
  backend.publish(ORDERS, 'zero');
  await phone.settle();

  join(realtime, 'nobody-stays').leave();
  orders.leave();
  const again = join(realtime, ORDERS, 1);
  orders.leave();
  prices.leave();
  prices.leave();
  await phone.pass(SECOND);
  backend.publish(ORDERS, 'one');
  backend.publish(PRICES, '7,00 €');
  await phone.settle();

  expect([textsOf(orders), textsOf(again), textsOf(prices)]).toEqual([['zero'], ['one'], []]);
  expect(['nobody-stays', ORDERS, PRICES].map((name) => backend.pusher.subscribersOf(name).length)).toEqual([0, 1, 0]);
  expect(realtime.getState().channels).toEqual({ [USER]: 'live', [ORDERS]: 'live' });
});

test('says nothing to the server of a channel that is left before it is asked to subscribe', {
  tags: ['joins-once', 'R10'],
}, async () => {
  phone.failNextConnect('hang');
  const realtime = await launch();
  await connect(realtime);

  join(realtime, 'private-nobody').leave();
  await phone.pass(12 * SECOND);
  join(realtime, 'private-nobody').leave();
  await phone.pass(SECOND);

  expect(phone.sockets.map(({ state }) => state)).toEqual(['closed', 'open']);
  expect(said().filter((text) => text.includes('private-nobody'))).toEqual([]);
});

test('sends client events on live channels, and queues none', { tags: ['sends-when-live', 'R10'] }, async () => {
  const realtime = await launch();
  const send = (channel: string, name = 'client-typing') => realtime.send(channel, name, { isTyping: true });
  join(realtime, USER);
  join(realtime, BOARD);
  const early = send(USER);
  await connect(realtime);

  const tries = [send(USER), send(USER, 'typing'), send(BOARD), send('elsewhere')];
  await phone.settle();
  realtime.disconnect();
  const late = send(USER);
  await connect(realtime);

  expect([early, tries, late]).toEqual([false, [true, false, false, false], false]);
  expect(backend.clientEvents).toMatchObject([{ channel: USER, name: 'client-typing', data: { isTyping: true } }]);
});

test('gives up a try that is not greeted within 10 s, and its socket for good', {
  tags: ['one-socket', 'R1'],
}, async () => {
  const realtime = await launch();
  const orders = join(realtime, ORDERS);
  phone.failNextConnect('hang');
  phone.interceptFrames((text, socket) =>
    socket === phone.sockets[1] && text.includes('connection_established') ? ['no greeting'] : [text],
  );

  realtime.connect();
  await phone.pass(9 * SECOND);
  const early = phone.sockets.length;
  await phone.pass(24 * SECOND);
  backend.publish(ORDERS, 'one');
  await phone.settle();

  expect([early, phone.sockets.length]).toEqual([1, 3]);
  expect(openSockets()).toEqual([phone.sockets[2]]);
  expect(textsOf(orders)).toEqual(['one']);
});

test('counts nothing that an abandoned socket still brings', { tags: ['one-socket', 'R1'] }, async () => {
  const made = rememberSockets();
  const { realtime, orders } = await live();
  await phone.goOffline();
  await phone.goOnline();
  await phone.pass(MOMENT);

  const frame = { event: 'message', channel: ORDERS, data: { text: 'late', seq: 1 } };
  made[0]?.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }));
  made[0]?.dispatchEvent(new CloseEvent('close', { code: 4_001 }));
  await phone.settle();

  expect(textsOf(orders)).toEqual([]);
  expect([phone.sockets.length, openSockets().length, realtime.getState().status]).toEqual([2, 1, 'connected']);
});

test('comes back within a second after a break', { tags: ['comes-back', 'R2'] }, async () => {
  const { realtime, orders } = await live();

  await phone.sockets[0]?.drop();
  const { status, attempt, socketId, channels } = realtime.getState();
  await phone.pass(SECOND + MOMENT);
  backend.publish(ORDERS, 'one');
  await phone.settle();

  expect({ status, attempt, socketId, orders: channels[ORDERS] }).toEqual({
    status: 'waiting',
    attempt: 1,
    socketId: null,
    orders: 'pending',
  });
  expect(realtime.getState()).toMatchObject({ status: 'connected', socketId: '100002.96542' });
  expect(openSockets()).toHaveLength(1);
  expect(textsOf(orders)).toEqual(['one']);
});

test('subscribes to every channel again, each with an auth for the new connection', {
  tags: ['renews-subscriptions', 'R5'],
}, async () => {
  const asAda: typeof fetch = (input, init) =>
    fetch(input, { ...init, headers: { ...init?.headers, Authorization: 'Bearer ada' } });
  const { realtime, user, prices } = await live({ fetch: asAda });

  for (const nth of [0, 1]) {
    await phone.sockets[nth]?.drop();
    await phone.pass(3 * SECOND);
  }
  backend.publish(USER, 'one');
  backend.publish(PRICES, '1,00 €');
  await phone.settle();

  expect(Object.values(realtime.getState().channels)).toEqual(['live', 'live', 'live']);
  expect([textsOf(user), textsOf(prices)]).toEqual([['one'], ['1,00 €']]);
  expect(new Set(phone.requests.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer ada']));
  expect(phone.requests.find(({ url }) => url === AUTH)?.headers['content-type']).toMatch('x-www-form-urlencoded');
  expect(auths()).toEqual(['100001.48271', '100002.96542', '100003.144813'].map((id) => [id, USER]));
});

test('lets a denied channel be until it is joined anew, and goes on with the others', {
  tags: ['denied-alone', 'R5'],
}, async () => {
  const realtime = await launch();
  const board = join(realtime, BOARD);
  const user = join(realtime, USER);
  await connect(realtime);
  const atFirst = { ...realtime.getState().channels };

  await phone.sockets[0]?.drop();
  await phone.pass(5 * MINUTE);
  backend.publish(USER, 'one');
  const afterBreak = { ...realtime.getState().channels };
  board.leave();
  join(realtime, BOARD);
  await phone.pass(SECOND);

  expect([atFirst, afterBreak]).toEqual([
    { [BOARD]: 'denied', [USER]: 'live' },
    { [BOARD]: 'denied', [USER]: 'live' },
  ]);
  expect(textsOf(user)).toEqual(['one']);
  expect(auths().filter(([, channel]) => channel === BOARD)).toEqual([
    ['100001.48271', BOARD],
    ['100002.96542', BOARD],
  ]);
});

test('tries nothing while offline, and at once when the network is back', {
  tags: ['silent-offline', 'R4'],
}, async () => {
  const { realtime, orders } = await live();

  await phone.goOffline();
  const status = [realtime.getState().status, realtime.getState().channels[ORDERS]];
  const sentBefore = sentSoFar();
  backend.publish(ORDERS, 'missed');
  await phone.pass(10 * MINUTE);
  const sentOffline = sentSoFar() - sentBefore;
  await phone.goOnline();
  await phone.pass(MOMENT);

  expect([status, sentOffline]).toEqual([['offline', 'pending'], 0]);
  expect(realtime.getState().status).toBe('connected');
  expect(textsOf(orders)).toEqual(['missed']);
});

test('begins offline without a try, and ends a pause for another network alone', {
  tags: ['silent-offline', 'R4'],
}, async () => {
  useSeededRandom();
  await phone.goOffline();
  const realtime = await launch();
  await connect(realtime);
  const atFirst = [realtime.getState().status, phone.sockets.length];
  refuseConnections(8);
  await phone.goOnline();
  await phone.pass(40 * SECOND);
  const tried = phone.sockets.length;

  await phone.goOnline();
  const afterNoNews = phone.sockets.length;
  await phone.goOnline('cellular');
  const afterNews = phone.sockets.length;

  expect(atFirst).toEqual(['offline', 0]);
  expect([afterNoNews - tried, afterNews - tried]).toEqual([0, 1]);
});

test('goes on when a handler throws, and counts its event as given', { tags: ['shields-handlers', 'R9'] }, async () => {
  useSeededRandom();
  for (const text of ['one', 'two']) backend.publish(ORDERS, text);
  const realtime = await launch();
  const orders = join(realtime, ORDERS, 0, (event) => {
    if (event.seq !== 4) throw new Error('no row for this order');
  });
  const prices = join(realtime, PRICES, null, () => {
    throw new Error('no such price');
  });
  await connect(realtime);
  const page = [...textsOf(orders)];

  backend.publish(ORDERS, 'three');
  backend.publish(PRICES, '2,00 €');
  await phone.settle();
  await phone.sockets[0]?.drop();
  await phone.pass(2 * SECOND);
  backend.publish(ORDERS, 'four');
  backend.publish(PRICES, '3,00 €');
  await phone.settle();

  expect([page, phone.sockets.length]).toEqual([['one', 'two'], 2]);
  expect([textsOf(orders), textsOf(prices)]).toEqual([
    ['one', 'two', 'three', 'four'],
    ['2,00 €', '3,00 €'],
  ]);
});

test('calls no handler after leave or disconnect, in the middle of a page either', {
  tags: ['ends-cleanly', 'R9'],
}, async () => {
  for (let n = 1; n <= 5; n += 1) for (const channel of [ORDERS, USER]) backend.publish(channel, `${n}`);
  const realtime = await launch();
  const orders = join(realtime, ORDERS, 0, ({ seq }) => {
    if (seq === 2) orders.leave();
  });
  await connect(realtime);
  const user = join(realtime, USER, 0, ({ seq }) => {
    if (seq === 3) realtime.disconnect();
  });

  await phone.pass(MINUTE);
  const atFirst = [...textsOf(user)];
  await connect(realtime);

  expect([textsOf(orders), atFirst]).toEqual([
    ['1', '2'],
    ['1', '2', '3'],
  ]);
  expect(textsOf(user)).toEqual(['1', '2', '3', '4', '5']);
});

test('lets go by what comes for a channel that was left a moment before', {
  tags: ['ends-cleanly', 'R9'],
}, async () => {
  server.use(http.post(AUTH, () => json(200, { auth: 'app-key:of-old' }), { once: true }));
  const realtime = await launch();
  const [user, orders, prices] = [join(realtime, USER), join(realtime, ORDERS), join(realtime, PRICES, null)];
  const lastStraws: [RegExp, Feature][] = [
    [/subscription_error/, user],
    [/one event/, orders],
    [/succeeded.+prices/, prices],
  ];
  phone.interceptFrames((text) => {
    for (const [straw, feature] of lastStraws) if (straw.test(text)) feature.leave();
    return [text];
  });

  await connect(realtime);
  backend.publish(ORDERS, 'one event');
  await phone.settle();

  expect(realtime.getState()).toMatchObject({ status: 'connected', channels: {} });
  expect([user.events, orders.events, prices.events, prices.resets]).toEqual([[], [], [], 0]);
});

test('lets no feature load anew for an answer that comes after leave or disconnect', {
  tags: ['ends-cleanly', 'R9'],
}, async () => {
  const { fetch, answers } = createSlowFetch();
  const realtime = await launch({ fetch });
  const channels = [ORDERS, 'news'];
  const [orders, news] = channels.map((channel) => join(realtime, channel));
  for (const channel of channels) {
    backend.publish(channel, 'no longer kept');
    backend.pusher.forget(channel);
  }
  await connect(realtime);

  orders?.leave();
  realtime.disconnect();
  for (const answer of answers) answer();
  await phone.pass(SECOND);

  expect([answers.length, orders?.resets, news?.resets]).toEqual([2, 0, 0]);
});

test('leaves no timer behind, wherever it is disposed of', { tags: ['ends-cleanly', 'R9'] }, async () => {
  let answers: typeof fetch = askBackend;
  const moments: Record<string, (realtime: Realtime) => Promise<unknown>> = {
    connecting: (realtime) => {
      phone.failNextConnect('hang');
      return connect(realtime);
    },
    paused: (realtime) => connect(realtime).then(() => phone.sockets.at(-1)?.drop()),
    'in the background': (realtime) => connect(realtime).then(() => phone.goToBackground()),
    'without an auth': (realtime) => {
      answers = async () => json(503);
      return connect(realtime);
    },
    'without a page': (realtime) => {
      answers = async (input, init) => (String(input) === AUTH ? askBackend(input, init) : json(503));
      return connect(realtime);
    },
    'without an answer': (realtime) => {
      loseFrames((text) => text.includes('subscription_succeeded'));
      return connect(realtime);
    },
    'without a pong': async (realtime) => {
      phone.interceptFrames(null);
      await connect(realtime);
      loseFrames(() => true);
      await phone.pass(2 * MINUTE);
    },
  };

  const left: [string, number][] = [];
  const timers = watchTimers();
  for (const [moment, arrive] of Object.entries(moments)) {
    const realtime = await launch({ fetch: (input, init) => answers(input, init) });
    for (const channel of [USER, ORDERS]) join(realtime, channel);
    await arrive(realtime);
    realtime.dispose();
    await phone.settle();
    left.push([moment, timers.size]);
  }

  expect(left).toEqual(Object.keys(moments).map((moment) => [moment, 0]));
});

test('leaves no socket, timer, listener or try behind at dispose', { tags: ['ends-cleanly', 'R9'] }, async () => {
  const listenersBefore = phone.listenerCount();
  backend.publish(ORDERS, 'one');
  const late = hold(HISTORY);
  const { realtime, orders, prices } = await live();

  realtime.dispose();
  const sentBefore = sentSoFar();
  const last = structuredClone(realtime.getState());
  const { resets } = prices;
  late.release();
  await phone.pass(10 * MINUTE);
  realtime.connect();
  join(realtime, 'too-late').leave();
  join(realtime, 'much-too-late');
  await phone.goOffline();
  await phone.goOnline();
  await phone.pass(MINUTE);

  expect([sentSoFar() - sentBefore, openSockets().length, backend.pusher.connections().length]).toEqual([0, 0, 0]);
  expect([phone.listenerCount(), realtime.getState()]).toEqual([listenersBefore, last]);
  expect([last.status, realtime.send(PRICES, 'client-typing', {})]).toEqual(['idle', false]);
  expect([orders.events, prices.resets]).toEqual([[], resets]);
});

// ---------------------------------------------------------------------------------------------------------------------
// senior: dead lines, close codes, gaps

test('waits longer from try to try, and never beyond 30 s', { tags: ['backs-off', 'R2'] }, async () => {
  useSeededRandom();
  const realtime = await launch();
  refuseConnections(12);

  realtime.connect();
  await phone.pass(7 * MINUTE);

  const gaps = phone.sockets.slice(1).map(({ atMs }, n) => atMs - Number(phone.sockets[n]?.atMs));
  const bounds = gaps.map((_, n) => Math.min(30 * SECOND, SECOND * 2 ** n) + MOMENT);
  expect(gaps.filter((gap, n) => gap > Number(bounds[n]))).toEqual([]);
  expect(gaps).toHaveLength(12);
  expect(sum(gaps)).toBeGreaterThan(40 * SECOND);
  expect(realtime.getState()).toMatchObject({ status: 'connected', attempt: 12 });
});

test('counts on while connections break after a second', { tags: ['backs-off', 'E2', 'R2'] }, async () => {
  useSeededRandom();
  await connect(await launch());

  backend.waver(5 * MINUTE, SECOND);
  await phone.pass(5 * MINUTE);

  expect(phone.sockets.length).toBeGreaterThan(5);
  expect(phone.sockets.length).toBeLessThan(45);
});

test('begins the count anew after 10 s of connection, and not before', { tags: ['backs-off', 'R2'] }, async () => {
  const { realtime } = await live();
  backend.pusher.closeAll(4_200);
  await phone.pass(10 * SECOND);
  refuseConnections(3);
  await phone.sockets[1]?.drop();
  const counts = [realtime.getState().attempt];
  await phone.pass(MINUTE);

  for (const lastsMs of [11 * SECOND, 9 * SECOND, 11 * SECOND]) {
    await phone.sockets.at(-1)?.drop();
    counts.push(realtime.getState().attempt);
    await passUntil(() => realtime.getState().status === 'connected');
    await phone.pass(lastsMs);
  }
  await phone.sockets.at(-1)?.drop();
  counts.push(realtime.getState().attempt);

  expect(counts).toEqual([1, 1, 1, 2, 1]);
});

test('stays away after 4001 until connect is called', { tags: ['obeys-close-codes', 'R11'] }, async () => {
  const { realtime } = await live();

  backend.pusher.closeAll(4_001);
  await phone.pass(MINUTE);
  await phone.goOnline('cellular');
  await phone.goToBackground();
  await phone.pass(MINUTE);
  await phone.goToForeground();
  const refused = [realtime.getState().status, phone.sockets.length];
  await connect(realtime);

  expect(refused).toEqual(['refused', 1]);
  expect(realtime.getState()).toMatchObject({ status: 'connected', channels: { [ORDERS]: 'live' } });
});

test('waits a second and more after 4100, and not at all after a first 4200', {
  tags: ['obeys-close-codes', 'R11'],
}, async () => {
  await live();
  await phone.pass(11 * SECOND);

  backend.pusher.closeAll(4_200);
  await phone.settle();
  const atOnce = phone.sockets.length;
  await phone.pass(11 * SECOND);
  backend.pusher.closeAll(4_100);
  await phone.pass(990);
  const early = phone.sockets.length;
  await phone.pass(SECOND + MOMENT);
  const afterBusy = phone.sockets.length;
  backend.pusher.closeAll(4_200);
  await phone.settle();

  expect([atOnce, early, afterBusy, phone.sockets.length]).toEqual([2, 2, 3, 3]);
});

test('pings a line that is quiet for the activity timeout, and gives it up 30 s later', {
  tags: ['heartbeat', 'E1', 'R3'],
}, async () => {
  useBackend({ activityTimeoutS: 40 });
  const realtime = await launch();
  const prices = join(realtime, PRICES, null);
  await connect(realtime);
  const times = (event: string) => said().filter((text) => text.includes(event)).length;
  await phone.pass(30 * SECOND);
  backend.pusher.pingAll();
  await phone.pass(30 * SECOND);
  const signOfLife = [times('pusher:ping'), times('pusher:pong')];
  await phone.pass(20 * SECOND);
  const whileAlive = [times('pusher:ping'), phone.sockets.length];

  phone.sockets[0]?.goSilent();
  await phone.pass(58 * SECOND);
  const whileSilent = [times('pusher:ping'), phone.sockets.length];
  await phone.pass(5 * SECOND);

  expect([signOfLife, whileAlive, whileSilent]).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
  ]);
  expect([phone.sockets.length, realtime.getState().status]).toEqual([2, 'connected']);
  expect(prices.resets).toBe(2);
});

test('finds out within 30 s whether a line survives a change of network', {
  tags: ['heartbeat', 'R3'],
}, async () => {
  const { realtime, orders } = await live();

  await phone.goOnline('cellular');
  backend.publish(ORDERS, 'missed');
  await phone.pass(20 * SECOND);
  await phone.goOnline('wifi');
  await phone.pass(11 * SECOND + MOMENT);

  expect(realtime.getState().status).toBe('connected');
  expect(textsOf(orders)).toEqual(['missed']);
});

test('asks again when auth fails or a subscription is not answered', { tags: ['auth-again', 'R5'] }, async () => {
  useSeededRandom();
  const answers = [() => json(200, { auth: 'app-key:of-old' }), () => json(500), () => HttpResponse.error()];
  server.use(http.post(AUTH, ({ request }) => answers.shift()?.() ?? backend.app.fetch(request)));
  let swallowed = 0;
  phone.interceptFrames((text) => {
    if (!text.includes('subscription_succeeded') || swallowed >= 2) return [text];
    swallowed += 1;
    return [];
  });
  const realtime = await launch();
  const user = join(realtime, USER);
  const orders = join(realtime, ORDERS);

  await connect(realtime);
  await phone.pass(8 * SECOND);
  const early = swallowed;
  await phone.pass(MINUTE);
  backend.publish(USER, 'one');
  backend.publish(ORDERS, 'two');
  await phone.settle();

  const before = auths().length;
  server.use(http.post(AUTH, () => json(503)));
  join(realtime, 'private-user-8');
  await phone.pass(MINUTE);
  const asked = auths().length - before;

  expect(early).toBe(2);
  expect(realtime.getState().channels).toEqual({ [USER]: 'live', [ORDERS]: 'live', 'private-user-8': 'pending' });
  expect([textsOf(user), textsOf(orders)]).toEqual([['one'], ['two']]);
  expect(asked).toBeGreaterThan(3);
  expect(asked).toBeLessThan(20);
});

test('takes no late answer for a subscription that it has taken back', { tags: ['auth-again', 'R5'] }, async () => {
  useSeededRandom();
  const late: string[] = [];
  phone.interceptFrames((text) => {
    if (!text.includes('subscription_succeeded')) return [text];
    late.push(text);
    return [];
  });
  const realtime = await launch();
  const orders = join(realtime, ORDERS);
  await connect(realtime);
  await phone.pass(10 * SECOND - MOMENT);

  phone.interceptFrames((text) => [...late.splice(0), text]);
  backend.pusher.pingAll();
  await phone.settle();
  const atOnce = [realtime.getState().channels[ORDERS], ...histories()];
  await phone.pass(2 * SECOND);
  backend.publish(ORDERS, 'one');
  await phone.settle();

  expect(atOnce).toEqual(['pending']);
  expect([realtime.getState().channels[ORDERS], textsOf(orders)]).toEqual(['live', ['one']]);
});

test('drops an auth that comes when its connection is gone', { tags: ['auth-again', 'E10', 'R5'] }, async () => {
  const late = hold(AUTH, 1);
  const realtime = await launch();
  const user = join(realtime, USER);
  await connect(realtime);

  await phone.sockets[0]?.drop();
  await phone.pass(SECOND + MOMENT);
  late.release();
  await phone.pass(SECOND);
  backend.publish(USER, 'one');
  await phone.settle();

  const subscribed = phone.sockets.map(
    ({ sent }) => sent.filter(({ text }) => text.includes('pusher:subscribe')).length,
  );
  expect(subscribed).toEqual([0, 1]);
  expect([realtime.getState().channels[USER], textsOf(user)]).toEqual(['live', ['one']]);
});

test('asks for what it has missed once it is subscribed, page by page up to the head', {
  tags: ['subscribes-first', 'R6'],
}, async () => {
  for (let n = 1; n <= 250; n += 1) backend.publish(USER, `${n}`);
  const listening: number[] = [];
  server.use(
    http.get(HISTORY, ({ request }) => {
      listening.push(backend.pusher.subscribersOf(USER).length);
      return backend.app.fetch(request);
    }),
  );
  const realtime = await launch();
  const user = join(realtime, USER, 30);

  await connect(realtime);

  expect(histories()).toEqual([30, 130, 230].map((after) => `${USER} after ${after}`));
  expect(listening).toEqual([1, 1, 1]);
  expect(numbersOf(user)).toEqual(range(31, 250));
});

test('holds what comes while it catches up, and gets by history what it cannot hold', {
  tags: ['subscribes-first', 'R6', 'R7'],
}, async () => {
  for (let n = 1; n <= 3; n += 1) for (const channel of [ORDERS, USER]) backend.publish(channel, `${n}`);
  const late = hold(HISTORY, 2);
  const { realtime, orders, user } = await live();

  for (let n = 4; n <= 620; n += 1) backend.publish(ORDERS, `${n}`);
  for (let n = 4; n <= 9; n += 1) backend.publish(USER, `${n}`);
  await phone.settle();
  const early = [orders.events.length, user.events.length, realtime.getState().channels[ORDERS]];
  late.release();
  await phone.pass(2 * SECOND);

  expect(early).toEqual([0, 0, 'catching-up']);
  expect([numbersOf(orders), numbersOf(user)]).toEqual([range(1, 620), range(1, 9)]);
  expect(realtime.getState().channels[ORDERS]).toBe('live');
  expect(histories().filter((question) => question.startsWith(USER))).toEqual([`${USER} after 0`]);
  // Three of the page and 500 that were held: the next question is about the rest.
  expect(Number(histories().at(2)?.split(' after ')[1])).toBeLessThanOrEqual(503);
  expect(histories().length).toBeGreaterThan(2);
});

test('fills a gap within half a second', { tags: ['no-gaps', 'R7'] }, async () => {
  const { orders } = await live();
  loseFrames((text) => /m[26]/.test(text));

  for (let n = 1; n <= 3; n += 1) backend.publish(ORDERS, `m${n}`);
  await phone.pass(600);
  const first = numbersOf(orders);
  for (let n = 4; n <= 7; n += 1) backend.publish(ORDERS, `m${n}`);
  await phone.pass(600);

  expect(first).toEqual([1, 2, 3]);
  expect(numbersOf(orders)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('gives a client event at once, without a number, while others are missing', {
  tags: ['no-gaps', 'R7'],
}, async () => {
  const { createRealtime } = await phone.coldStart(() => import('#attempt/realtime-reconnect'));
  const [mine, other] = [createRealtime(optionsOf()), createRealtime(optionsOf())];
  const user = join(mine, USER);
  join(other, USER);
  await connect(mine);
  await connect(other);
  backend.publish(USER, 'm0');
  phone.interceptFrames((text, socket) => (socket === phone.sockets[0] && text.includes('m1') ? [] : [text]));
  const late = hold(HISTORY);

  for (const text of ['m1', 'm2']) backend.publish(USER, text);
  other.send(USER, 'client-typing', { isTyping: true });
  await phone.pass(600);
  const early = [numbersOf(user), user.events.at(-1)];
  late.release();
  await phone.pass(SECOND);
  backend.publish(USER, 'm3');
  await phone.settle();

  expect(early).toEqual([[1, null], { name: 'client-typing', data: { isTyping: true }, seq: null }]);
  expect(numbersOf(user)).toEqual([1, null, 2, 3, 4]);
});

test('gives no event twice, by whichever way it comes', { tags: ['no-repeats', 'E4', 'R7'] }, async () => {
  phone.interceptFrames((text) => [text, text]);
  const { orders } = await live();
  backend.publish(ORDERS, '1');
  backend.publish(ORDERS, '2');
  await phone.pass(SECOND);
  const late = hold(HISTORY, 1);

  await phone.sockets[0]?.drop();
  await phone.pass(SECOND + MOMENT);
  backend.publish(ORDERS, '3');
  await phone.settle();
  late.release();
  await phone.pass(2 * SECOND);
  backend.publish(ORDERS, '4');
  await phone.settle();

  expect(textsOf(orders)).toEqual(['1', '2', '3', '4']);
  expect(auths().map(([socketId]) => socketId)).toEqual(['100001.48271', '100002.96542']);
});

test('notices by the next head that the last event was lost', {
  tags: ['notices-silent-loss', 'E3', 'R7'],
}, async () => {
  const { orders } = await live();
  loseFrames((text) => text.includes('the last'));

  backend.publish(ORDERS, 'the last');
  await phone.pass(MINUTE + 600);

  expect(textsOf(orders)).toEqual(['the last']);
});

test('asks one question at a time, and after a failure with longer and longer pauses', {
  tags: ['one-request', 'R7'],
}, async () => {
  useSeededRandom();
  const { orders } = await live();
  const failures = [() => json(503), () => HttpResponse.error(), () => HttpResponse.html('<h1>Hotel</h1>')];
  let isBroken = true;
  let out = 0;
  let most = 0;
  server.use(
    http.get(HISTORY, async ({ request }) => {
      out += 1;
      most = Math.max(most, out);
      await new Promise((resolve) => setTimeout(resolve, 200));
      out -= 1;
      return (isBroken ? failures[histories().length % 3]?.() : null) ?? backend.app.fetch(request);
    }),
  );
  loseFrames((text) => /m[13]/.test(text));
  const before = histories().length;

  for (let n = 1; n <= 5; n += 1) backend.publish(ORDERS, `m${n}`);
  await phone.pass(MINUTE);
  const asked = histories().length - before;
  isBroken = false;
  await phone.pass(31 * SECOND);

  expect(asked).toBeGreaterThan(4);
  expect(asked).toBeLessThan(20);
  expect(most).toBe(1);
  expect(numbersOf(orders)).toEqual([1, 2, 3, 4, 5]);
});

test('takes an answer that is no page for a failure, though nothing has told of a gap', {
  tags: ['one-request', 'R7'],
}, async () => {
  useSeededRandom();
  for (const text of ['one', 'two']) backend.publish(ORDERS, text);
  const noPages = [
    json(503, { events: [], head: 0 }),
    json(200, { events: [] }),
    json(200, { events: 'none', head: 0 }),
    json(200, { head: 0 }),
  ];
  server.use(http.get(HISTORY, ({ request }) => noPages.shift() ?? backend.app.fetch(request)));
  const realtime = await launch();
  const orders = join(realtime, ORDERS);

  await connect(realtime);
  const early = realtime.getState().channels[ORDERS];
  await phone.pass(16 * SECOND);

  expect([early, realtime.getState().channels[ORDERS]]).toEqual(['catching-up', 'live']);
  expect(histories()).toEqual(Array.from({ length: 5 }, () => `${ORDERS} after 0`));
  expect(numbersOf(orders)).toEqual([1, 2]);
});

test('is not live before its last question is answered', { tags: ['one-request', 'R7'] }, async () => {
  backend.publish(ORDERS, 'one');
  phone.interceptFrames((text) => (text.includes('subscription_succeeded') ? [text, text] : [text]));
  const { fetch, answers } = createSlowFetch();
  const realtime = await launch({ fetch });
  join(realtime, ORDERS);
  await connect(realtime);

  answers[0]?.();
  await phone.pass(MOMENT);
  const afterOne = [answers.length, realtime.getState().channels[ORDERS]];
  answers[1]?.();
  await phone.pass(MOMENT);

  // Whether it asks once more when the server has said it twice is up to you.
  expect([
    [1, 'live'],
    [2, 'catching-up'],
  ]).toContainEqual(afterOne);
  expect(realtime.getState().channels[ORDERS]).toBe('live');
});

test('keeps its connection for half a minute in the background, and begins anew after more', {
  tags: ['outlives-the-background', 'E9', 'R12'],
}, async () => {
  const { realtime, orders } = await live();

  await phone.goToBackground();
  await phone.pass(25 * SECOND);
  await phone.goToForeground();
  await phone.pass(MOMENT);
  const afterAMoment = [phone.sockets.length, realtime.getState().status];
  await phone.goToBackground();
  backend.publish(ORDERS, 'over night');
  await phone.pass(8 * 60 * MINUTE);
  await phone.goToForeground();
  await phone.pass(MOMENT);

  expect(afterAMoment).toEqual([1, 'connected']);
  expect([phone.sockets.length, openSockets().length, realtime.getState().status]).toEqual([2, 1, 'connected']);
  expect(textsOf(orders)).toEqual(['over night']);
});

// ---------------------------------------------------------------------------------------------------------------------
// staff: history that is gone, and the herd

test('lets a feature load anew when its history is gone, and goes on from there', {
  tags: ['reloads-when-gone', 'E8', 'R8'],
}, async () => {
  for (let n = 1; n <= 20; n += 1) backend.publish(ORDERS, `${n}`);
  backend.pusher.forget(ORDERS, 12);
  const realtime = await launch();
  const loads = [() => Promise.reject(new Error('no network')), async () => null, async () => 18];
  const orders = join(realtime, ORDERS, 4, undefined, () => loads.shift()?.() ?? Promise.resolve(0));
  await connect(realtime);
  await phone.pass(4 * SECOND);
  const early = [orders.resets, ...numbersOf(orders)];

  backend.publish(ORDERS, '21');
  await phone.settle();
  await phone.sockets[0]?.drop();
  await phone.pass(3 * SECOND);

  expect(early).toEqual([3, 19, 20]);
  expect([orders.resets, ...numbersOf(orders)]).toEqual([3, 19, 20, 21]);
  expect(histories().at(-1)).toBe(`${ORDERS} after 21`);
});

test('lets a channel without numbers load anew at each subscription', {
  tags: ['reloads-when-gone', 'R8'],
}, async () => {
  const realtime = await launch();
  const prices = join(realtime, PRICES, null, undefined, () => Promise.reject(new Error('no network')));
  await connect(realtime);
  const atFirst = prices.resets;

  await phone.sockets[0]?.drop();
  await phone.pass(2 * SECOND);
  backend.publish(PRICES, '5,00 €');
  await phone.settle();

  expect([atFirst, prices.resets]).toEqual([1, 2]);
  expect([textsOf(prices), histories()]).toEqual([['5,00 €'], []]);
  expect(realtime.getState().channels[PRICES]).toBe('live');
});

test('spreads a hundred phones that are dropped together', { tags: ['spreads-the-herd', 'R13'] }, async () => {
  useSeededRandom();
  const { createRealtime } = await phone.coldStart(() => import('#attempt/realtime-reconnect'));
  const herd = Array.from({ length: 100 }, () => createRealtime(optionsOf()));
  for (const one of herd) one.connect();
  await phone.pass(15 * SECOND);

  const breaks: number[] = [];
  const worst: number[] = [];
  for (let nth = 0; nth < 2; nth += 1) {
    const before = phone.sockets.length;
    breaks.push(before);
    backend.pusher.dropAll();
    await phone.pass(15 * SECOND);
    worst.push(crowdIn(phone.sockets.slice(before).map(({ atMs }) => atMs)));
  }

  expect(breaks).toEqual([100, 200]);
  expect(herd.filter((one) => one.getState().status === 'connected')).toHaveLength(100);
  expect(worst.filter((most) => most > 25)).toEqual([]);
});

// ---------------------------------------------------------------------------------------------------------------------

interface Feature {
  readonly events: ChannelEvent[];
  readonly resets: number;
  leave(): void;
}

function useBackend(options: Parameters<typeof createBackend>[1] = {}): void {
  backend = createBackend(phone.backendContext, options);
  phone.connectSockets(backend.sockets);
}

const optionsOf = (): RealtimeOptions => ({
  device: phone.device,
  apiUrl: API,
  socketUrl: SOCKETS,
  appKey: APP_KEY,
});

/** Launches the app, as after a kill if it ran before, without connecting. */
async function launch(options: Partial<RealtimeOptions> = {}): Promise<Realtime> {
  const { createRealtime } = await phone.coldStart(() => {
    beforeLoading();
    return import('#attempt/realtime-reconnect');
  });
  return createRealtime({ ...optionsOf(), ...options });
}

/** Every socket that later launches make. Some platforms go on delivering after `close()`, and so may a test. */
function rememberSockets(): WebSocket[] {
  const made: WebSocket[] = [];
  beforeLoading = () => {
    class RememberedSocket extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        made.push(this);
      }
    }
    vi.stubGlobal('WebSocket', RememberedSocket);
  };
  return made;
}

/** Timers of the latest launch that are set, if the app sends its requests past the platform's `fetch`. */
function watchTimers(): ReadonlySet<unknown> {
  const timers = new Set<unknown>();
  beforeLoading = () => {
    const { setTimeout: set, clearTimeout: clear, setInterval: repeat, clearInterval: end } = globalThis;
    timers.clear();
    vi.stubGlobal('setTimeout', (run: () => void, ms?: number) => {
      const timer = set(() => {
        timers.delete(timer);
        run();
      }, ms);
      timers.add(timer);
      return timer;
    });
    vi.stubGlobal('setInterval', (run: () => void, ms?: number) => {
      const timer = repeat(run, ms);
      timers.add(timer);
      return timer;
    });
    const forget = (stop: typeof clear) => (timer: NodeJS.Timeout) => {
      timers.delete(timer);
      stop(timer);
    };
    vi.stubGlobal('clearTimeout', forget(clear));
    vi.stubGlobal('clearInterval', forget(end));
  };
  return timers;
}

async function connect(realtime: Realtime): Promise<void> {
  realtime.connect();
  await phone.pass(MOMENT);
}

/** A connection with a private, a public and an unnumbered channel. */
async function live(options: Partial<RealtimeOptions> = {}) {
  const realtime = await launch(options);
  const user = join(realtime, USER);
  const orders = join(realtime, ORDERS);
  const prices = join(realtime, PRICES, null);
  await connect(realtime);
  return { realtime, user, orders, prices };
}

function join(
  realtime: Realtime,
  channel: string,
  after: number | null = 0,
  onEvent: ChannelHandler['onEvent'] = () => undefined,
  onReset: ChannelHandler['onReset'] = () => Promise.resolve(null),
): Feature {
  const events: ChannelEvent[] = [];
  let resets = 0;
  const leave = realtime.join(channel, {
    after,
    onEvent(event) {
      events.push(event);
      onEvent(event);
    },
    onReset() {
      resets += 1;
      return onReset();
    },
  });
  return {
    events,
    get resets() {
      return resets;
    },
    leave,
  };
}

const textsOf = ({ events }: Feature): string[] => events.map(({ data }) => (data as { text: string }).text);
const numbersOf = ({ events }: Feature): (number | null)[] => events.map(({ seq }) => seq);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const openSockets = () => phone.sockets.filter(({ state }) => state === 'connecting' || state === 'open');
const sentSoFar = (): number =>
  phone.requests.length + phone.sockets.length + sum(phone.sockets.map(({ sent }) => sent.length));
/** Every frame that has left the app. */
const said = (): string[] => phone.sockets.flatMap(({ sent }) => sent.map(({ text }) => text));
/** Socket id and channel of each request for auth. */
const auths = (): string[][] =>
  phone.requests.filter(({ url }) => url === AUTH).map(({ body }) => [...new URLSearchParams(body).values()].sort());
/** Channel and number of each request for history. */
const histories = (): string[] =>
  phone.requests.flatMap(({ url }) => {
    const { pathname, searchParams } = new URL(url);
    const channel = /^\/channels\/(.+)\/events$/.exec(pathname)?.[1];
    return channel === undefined ? [] : [`${decodeURIComponent(channel)} after ${searchParams.get('after')}`];
  });

/** The most that lie within a tenth of a second. */
const crowdIn = (atMs: readonly number[]): number =>
  Math.max(...atMs.map((from) => atMs.filter((at) => at >= from && at < from + 100).length));

function refuseConnections(times: number): void {
  for (let n = 0; n < times; n += 1) phone.failNextConnect('refused');
}

function loseFrames(isLost: (text: string) => boolean): void {
  phone.interceptFrames((text) => (isLost(text) ? [] : [text]));
}

async function passUntil(isSo: () => boolean): Promise<void> {
  for (let n = 0; n < 400 && !isSo(); n += 1) await phone.pass(MOMENT);
}

/** `Math.random` that draws the same in every run. Source: mulberry32. */
function useSeededRandom(): void {
  let seed = 0x5eed;
  vi.spyOn(Math, 'random').mockImplementation(() => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  });
}

/** The server without a network in between. */
const askBackend: typeof fetch = async (input, init) => backend.app.fetch(new Request(input, init));
/** A `fetch` that knows no abort, whose answers come when they are called. */
function createSlowFetch() {
  const answers: (() => void)[] = [];
  const fetch: RealtimeOptions['fetch'] = async (input, init) => {
    await new Promise<void>((answer) => answers.push(answer));
    return askBackend(input, { ...init, signal: null });
  };
  return { fetch, answers };
}

const answerAsUsual = ({ request }: { request: Request }) => backend.app.fetch(request);
const json = (status: number, body: object = { error: 'no' }): Response => HttpResponse.json(body, { status });

/** The server answers at once, but its first `count` answers take until they are released. */
const hold = (url: string, count = Number.POSITIVE_INFINITY) => holdAnswers(server, backend.app.fetch, { url, count });
