import { createHmac } from 'node:crypto';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { ServerEnd } from '../phone/server-socket.ts';
import type { Json } from './plan.ts';
import type { PusherOptions } from './pusher-api.ts';
import { createPusherServer } from './pusher-server.ts';

const URL_OF_APP = 'wss://ws.example.test/app/app-key?protocol=7&client=kata&version=1';
const ESTABLISHED = { event: 'pusher:connection_established' };

interface Frame {
  readonly event: string;
  readonly channel?: string;
  readonly data: Json;
  readonly user_id?: string;
}

/** A server on a clock that the test moves, and the sockets that connect to it. */
function createWorld(options: Partial<PusherOptions> = {}) {
  let nowMs = 0;
  let timers: { atMs: number; run: () => void }[] = [];
  const pusher = createPusherServer({
    context: {
      nowMs: () => nowMs,
      record: () => undefined,
      push: () => undefined,
      after(delayMs, run) {
        const timer = { atMs: nowMs + delayMs, run };
        timers.push(timer);
        return () => {
          timers = timers.filter((one) => one !== timer);
        };
      },
    },
    appKey: 'app-key',
    secret: 'app-secret',
    ...options,
  });
  const app = new Hono();
  app.post('/pusher/auth', pusher.auth);
  app.get('/channels/:name/events', pusher.events);

  /** Lets the server's time pass. */
  function pass(ms: number): void {
    const untilMs = nowMs + ms;
    for (;;) {
      const next = timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (!next || next.atMs > untilMs) break;
      timers = timers.filter((one) => one !== next);
      nowMs = next.atMs;
      next.run();
    }
    nowMs = untilMs;
  }

  function connect(url = URL_OF_APP) {
    const frames: Frame[] = [];
    const closes: number[] = [];
    const end = new ServerEnd({
      sendToApp: (text) => frames.push(JSON.parse(text) as Frame),
      closeFromServer: (code) => {
        closes.push(code);
        end.closed(code);
      },
      terminateFromServer: () => {
        closes.push(1006);
        end.closed(1006);
      },
    });
    pusher.sockets.connect({ url, headers: new Headers() }, end);
    const say = (event: string, data: Json, channel?: string) => end.received(JSON.stringify({ event, data, channel }));
    const first = frames[0]?.data;
    const socketId = typeof first === 'string' ? (JSON.parse(first) as { socket_id: string }).socket_id : '';
    const authorise = async (channel: string, headers: Record<string, string> = {}) => {
      const body = new URLSearchParams({ socket_id: socketId, channel_name: channel }).toString();
      const answer = await app.request('/pusher/auth', { method: 'POST', body, headers });
      return { status: answer.status, body: (await answer.json()) as { auth: string; channel_data?: string } };
    };
    const subscribe = async (channel: string, headers: Record<string, string> = {}) => {
      const { body } = await authorise(channel, headers);
      say('pusher:subscribe', { channel, ...body });
      return frames.at(-1);
    };
    return { frames, closes, end, say, socketId, authorise, subscribe };
  }
  return { pusher, app, pass, connect };
}

test('greets each connection with a socket id of its own and the activity timeout, as text inside the JSON', () => {
  const { connect } = createWorld({ activityTimeoutS: 30 });

  const [first, second] = [connect(), connect()];

  expect(first.frames).toEqual([
    { event: 'pusher:connection_established', data: '{"socket_id":"100001.48271","activity_timeout":30}' },
  ]);
  expect(second.socketId).not.toBe(first.socketId);
});

test.each([
  ['an unknown key', 'wss://ws.example.test/app/other?protocol=7', 4001],
  ['another protocol', 'wss://ws.example.test/app/app-key?protocol=5', 4007],
  ['no protocol', 'wss://ws.example.test/app/app-key', 4008],
])('refuses %s, saying why first', (_, url, code) => {
  const { connect, pusher } = createWorld();

  const { frames, closes } = connect(url);

  expect(frames).toMatchObject([{ event: 'pusher:error', data: { code } }]);
  expect(closes).toEqual([code]);
  expect(pusher.connections()).toEqual([]);
});

test('subscribes to a public channel without auth, and to a private one only with the right signature', async () => {
  const { connect, pusher } = createWorld();
  const phone = connect();

  phone.say('pusher:subscribe', { channel: 'news' });
  phone.say('pusher:subscribe', { channel: 'private-a' });
  phone.say('pusher:subscribe', { channel: 'private-a', auth: 'app-key:00' });
  await phone.subscribe('private-a');

  expect(phone.frames.slice(1)).toMatchObject([
    { event: 'pusher_internal:subscription_succeeded', channel: 'news', data: '{}' },
    { event: 'pusher:subscription_error', channel: 'private-a' },
    { event: 'pusher:subscription_error', channel: 'private-a' },
    { event: 'pusher_internal:subscription_succeeded', channel: 'private-a', data: '{}' },
  ]);
  expect(pusher.subscribersOf('private-a')).toEqual([phone.socketId]);
});

test('signs socket id and channel as the protocol says, so that the auth of another connection is worth nothing', async () => {
  const { connect } = createWorld();
  const [mine, other] = [connect(), connect()];

  const { body } = await mine.authorise('private-a');
  other.say('pusher:subscribe', { channel: 'private-a', auth: body.auth });

  const hex = createHmac('sha256', 'app-secret').update('100001.48271:private-a').digest('hex');
  expect(body).toEqual({ auth: `app-key:${hex}` });
  expect(other.frames.at(-1)).toMatchObject({ event: 'pusher:subscription_error' });
});

test("answers auth as the kata decides: 403, another answer, or a member's data", async () => {
  const { connect } = createWorld({
    authorize: ({ channel, context }) => {
      if (context.req.header('authorization') === undefined) return Response.json({ error: 'token' }, { status: 401 });
      return channel === 'presence-room' ? { userId: 'ana', userInfo: { name: 'Ana' } } : false;
    },
  });
  const phone = connect();
  const headers = { authorization: 'Bearer t' };

  const noToken = await phone.authorise('private-a');
  const denied = await phone.authorise('private-a', headers);
  const member = await phone.authorise('presence-room', headers);

  expect([noToken.status, denied.status, member.status]).toEqual([401, 403, 200]);
  expect(member.body.channel_data).toBe('{"user_id":"ana","user_info":{"name":"Ana"}}');
});

test('tells the members of a presence channel who comes first and who goes last', async () => {
  const { connect, pusher } = createWorld({
    authorize: ({ context }) => ({ userId: context.req.header('x-user') ?? '' }),
  });
  const [ana, phone, tablet] = [connect(), connect(), connect()];

  await ana.subscribe('presence-room', { 'x-user': 'ana' });
  await phone.subscribe('presence-room', { 'x-user': 'ben' });
  const welcome = await tablet.subscribe('presence-room', { 'x-user': 'ben' });
  phone.end.closed(1006);
  tablet.say('pusher:unsubscribe', { channel: 'presence-room' });

  expect(welcome?.data).toBe('{"presence":{"count":2,"ids":["ana","ben"],"hash":{"ana":null,"ben":null}}}');
  expect(ana.frames.slice(2)).toMatchObject([
    { event: 'pusher_internal:member_added', data: '{"user_id":"ben","user_info":null}' },
    { event: 'pusher_internal:member_removed', data: '{"user_id":"ben"}' },
  ]);
  expect(pusher.membersOf('presence-room').map(({ userId }) => userId)).toEqual(['ana']);
});

test('passes client events on to the others of a private channel, and refuses all other ones', async () => {
  const heard: unknown[] = [];
  const { connect } = createWorld({ onClientEvent: (event) => heard.push(event) });
  const [ana, ben] = [connect(), connect()];
  await ana.subscribe('private-a');
  await ben.subscribe('private-a');
  ana.say('pusher:subscribe', { channel: 'news' });

  ana.say('client-typing', { isTyping: true }, 'private-a');
  ana.say('client-typing', {}, 'news');
  ana.say('client-typing', {}, 'private-b');

  expect(ben.frames.at(-1)).toEqual({ event: 'client-typing', channel: 'private-a', data: '{"isTyping":true}' });
  expect(ana.frames.slice(-2)).toMatchObject([
    { event: 'pusher:error', data: { code: 4301 } },
    { event: 'pusher:error', data: { code: 4301 } },
  ]);
  expect(heard).toEqual([
    { socketId: ana.socketId, channel: 'private-a', name: 'client-typing', data: { isTyping: true } },
  ]);
});

test('answers a ping, and says what is wrong with frames that are none', () => {
  const { connect } = createWorld();
  const phone = connect();

  phone.say('pusher:ping', {});
  phone.end.received('not JSON');
  phone.say('pusher:dance', {});

  expect(phone.frames.slice(1).map(({ event }) => event)).toEqual(['pusher:pong', 'pusher:error', 'pusher:error']);
});

test('pings whom it has not heard for one and a half timeouts, and puts out who does not answer', () => {
  const { connect, pass, pusher } = createWorld({ activityTimeoutS: 100 });
  const [answers, talks, silent] = [connect(), connect(), connect()];

  pass(100_000);
  talks.say('pusher:ping', {});
  pass(50_000);
  answers.say('pusher:pong', {});
  pass(60_000);

  const pings = [answers, talks, silent].map(
    ({ frames }) => frames.filter(({ event }) => event === 'pusher:ping').length,
  );
  expect(pings).toEqual([1, 0, 1]);
  expect(silent.closes).toEqual([4201]);
  expect(pusher.connections().map(({ socketId }) => socketId)).toEqual([answers.socketId, talks.socketId]);
});

const NUMBERED: Partial<PusherOptions> = { isNumbered: (channel) => channel === 'feed', historyMax: 3 };

test('numbers the events of a numbered channel from 1, and leaves the others alone', () => {
  const { connect, pusher } = createWorld(NUMBERED);
  const phone = connect();
  for (const channel of ['feed', 'news']) phone.say('pusher:subscribe', { channel });

  const seqs = [
    pusher.trigger('feed', 'a', { x: 1 }),
    pusher.trigger('news', 'b', {}),
    pusher.trigger('feed', 'c', {}),
  ];

  expect(seqs).toEqual([1, null, 2]);
  expect(phone.frames.slice(3)).toEqual([
    { event: 'a', channel: 'feed', data: '{"x":1,"seq":1}' },
    { event: 'b', channel: 'news', data: '{}' },
    { event: 'c', channel: 'feed', data: '{"seq":2}' },
  ]);
  expect(pusher.headOf('feed')).toBe(2);
});

test('sends an event as an object where asked, and not to the one it came from', () => {
  const { connect, pusher } = createWorld();
  const [ana, ben] = [connect(), connect()];
  for (const phone of [ana, ben]) phone.say('pusher:subscribe', { channel: 'news' });

  pusher.trigger('news', 'a', { x: 1 }, { form: 'object', exceptSocketId: ana.socketId });

  expect(ana.frames).toHaveLength(2);
  expect(ben.frames.at(-1)).toEqual({ event: 'a', channel: 'news', data: { x: 1 } });
});

test('tells subscribers the head every minute, for as long as anybody is connected', () => {
  const { connect, pusher, pass } = createWorld(NUMBERED);
  const phone = connect();
  phone.say('pusher:subscribe', { channel: 'feed' });
  pusher.trigger('feed', 'a', {});

  pass(59_000);
  const early = phone.frames.length;
  pass(61_000);
  phone.end.closed(1000);
  pass(600_000);

  expect(early).toBe(3);
  expect(phone.frames.slice(3)).toEqual(Array(2).fill({ event: 'head', channel: 'feed', data: '{"seq":1}' }));
});

test('serves the events after a number in pages, and 410 for what is no longer kept', async () => {
  const { pusher, app } = createWorld(NUMBERED);
  for (const name of ['a', 'b', 'c', 'd']) pusher.trigger('feed', name, {});
  const get = async (query: string) => {
    const answer = await app.request(`/channels/feed/events?${query}`);
    return [answer.status, await answer.json()];
  };

  const page = await get('after=1&limit=2');
  const none = await get('after=4');
  const gone = await get('after=0');
  const bad = await get('after=x');

  expect(page).toEqual([
    200,
    {
      events: [
        { name: 'b', data: { seq: 2 }, seq: 2 },
        { name: 'c', data: { seq: 3 }, seq: 3 },
      ],
      head: 4,
    },
  ]);
  expect(none).toEqual([200, { events: [], head: 4 }]);
  expect([gone[0], bad[0]]).toEqual([410, 400]);
});

test('forgets events on demand', () => {
  const { pusher } = createWorld({ ...NUMBERED, historyMax: 100 });
  for (const name of ['a', 'b', 'c']) pusher.trigger('feed', name, {});

  pusher.forget('feed', 2);

  expect(pusher.eventsAfter('feed', 1)).toBe('gone');
  expect(pusher.eventsAfter('feed', 2)).toMatchObject({ events: [{ seq: 3 }], head: 3 });
  pusher.forget('feed');
  expect(pusher.eventsAfter('feed', 3)).toEqual({ events: [], head: 3 });
});

test('closes all with a code, drops all without one, and refuses new ones for a while', () => {
  const { connect, pusher } = createWorld();
  const closed = connect();
  pusher.closeAll(4100, 'Over capacity');
  const dropped = connect();
  pusher.dropAll();
  pusher.refuseConnections(4004);
  const refused = connect();
  pusher.refuseConnections(null);

  const accepted = connect();

  expect(closed.frames.at(-1)).toEqual({ event: 'pusher:error', data: { code: 4100, message: 'Over capacity' } });
  expect([closed, dropped, refused, accepted].map(({ closes }) => closes)).toEqual([[4100], [1006], [4004], []]);
  expect(accepted.frames).toMatchObject([ESTABLISHED]);
  expect(pusher.connections()).toHaveLength(1);
});

test('goes on numbering and keeps subscriptions apart when one subscribes twice', () => {
  const { connect, pusher } = createWorld(NUMBERED);
  const phone = connect();

  phone.say('pusher:subscribe', { channel: 'feed' });
  phone.say('pusher:subscribe', { channel: 'feed' });
  pusher.trigger('feed', 'a', {});

  expect(phone.frames.slice(2).map(({ event }) => event)).toEqual(['pusher:error', 'a']);
});
