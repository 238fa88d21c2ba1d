import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Chat, Message, PickedFile } from '#contract/chat';
import { codeOf, createPhone, holdAnswers, type TestPhone } from '#phone/testing';
import { type ChatBackend, createBackend, PIECE_BYTES, UPLOADS } from './backend.ts';

const API = 'https://api.talk.test';
const MESSAGES = `${API}/chat/:chatId/message`;
const PAGES = `${API}/chat/:chatId/all`;
const RECEIPTS = `${API}/chat/:chatId/receipts`;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const CACHE = 'file:///cache/';

const server = setupServer();
let phone: TestPhone;
let backend: ChatBackend;

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
beforeEach(() => {
  phone = createPhone();
  backend = createBackend(phone.backendContext);
  phone.connectSockets(backend.pusher.sockets);
  for (const host of [API, UPLOADS]) server.use(http.all(`${host}/*`, answerAsUsual));
  for (const [chatId, ...userIds] of [
    ['lunch', 'ada', 'bo'],
    ['trip', 'ada', 'cy'],
    ['work', 'ada', 'dee'],
    ['home', 'ada', 'eve'],
  ] as const)
    backend.addChat(chatId, userIds);
});
afterEach(() => {
  phone.dispose();
  server.resetHandlers();
  vi.restoreAllMocks();
});
afterAll(() => server.close());

// ---------------------------------------------------------------------------------------------------------------------
// mid: a message is kept, sent once, shown once, in order

test('shows the list by its last activity, and what is stored of it without a network', {
  tags: ['goes-live', 'R8'],
}, async () => {
  await write('lunch', 'bo', 'Pizza?');
  await write('trip', 'cy', 'Tickets are in');
  await write('trip', 'cy', 'Window or aisle?');
  const chat = await launch();
  const before = chat.getState();
  await phone.pass(2 * SECOND);
  const { connection, chats } = chat.getState();

  await phone.goOffline();
  const next = await launch();
  const stored = next.getState().chats;
  await phone.pass(SECOND);

  expect(before).toMatchObject({ chats: [], threads: {} });
  expect([connection, next.getState().connection]).toEqual(['live', 'offline']);
  expect(chats.slice(0, 2)).toMatchObject([
    { chatId: 'trip', preview: 'Window or aisle?', unreadCount: 2 },
    { chatId: 'lunch', preview: 'Pizza?', unreadCount: 1, participants: [{ userId: 'ada' }, { userId: 'bo' }] },
  ]);
  expect(stored).toEqual(chats);
});

test('reads the list in pages of 15, one at a time', { tags: ['goes-live', 'R8'] }, async () => {
  for (let n = 1; n <= 30; n += 1) backend.addChat(`more-${n}`, ['ada', 'bo']);
  const chat = await live();
  const first = chat.getState();

  await Promise.all([chat.loadMoreChats(), chat.loadMoreChats()]);
  const second = chat.getState();
  await chat.loadMoreChats();
  await chat.loadMoreChats();

  const { chats, hasMoreChats } = chat.getState();
  expect([first, second].map((one) => [one.chats.length, one.hasMoreChats])).toEqual([
    [15, true],
    [30, true],
  ]);
  expect([chats.length, new Set(chats.map(({ chatId }) => chatId)).size, hasMoreChats]).toEqual([34, 34, false]);
  expect(sentTo('/chat/all')).toHaveLength(3);
});

test('shows a message as sending as soon as send resolves, offline too', {
  tags: ['durable-first', 'R1'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  await chat.openChat('trip');
  await phone.goOffline();

  const { localId } = await chat.send('lunch', { text: 'In the tunnel' });

  expect(threadOf(chat, 'lunch')).toMatchObject([
    { localId, fromUserId: 'ada', text: 'In the tunnel', status: 'sending', id: null, progress: null, failure: null },
  ]);
  expect(threadOf(chat, 'lunch')[0]?.sequenceId).toBeNull();
  expect(threadOf(chat, 'trip')).toEqual([]);
  await phone.goOnline();
  await phone.pass(10 * SECOND);
  expect(threadOf(chat, 'lunch')).toMatchObject([{ localId, status: 'sent', sequenceId: 1 }]);
});

test('keeps a message when the app is killed before its first try has ended', {
  tags: ['durable-first', 'R1'],
}, async () => {
  const chat = await live();
  server.use(http.post(MESSAGES, silence));
  await chat.send('trip', { text: 'Window' });
  await phone.settle();

  server.resetHandlers();
  usual();
  await live();
  await phone.pass(5 * SECOND);

  expect(onServer('trip')).toEqual(['Window']);
});

test('sends every try of a message with one localId, after a restart and a retry too', {
  tags: ['one-identity', 'E3', 'R2'],
}, async () => {
  let chat = await live();
  const lost = loseAnswers(MESSAGES);
  await chat.send('lunch', { text: 'On my way' });
  await phone.pass(40 * SECOND);
  server.use(http.post(MESSAGES, () => json(403, { message: 'blocked' })));
  // Its own event would tell that it is sent.
  phone.interceptFrames(() => []);
  chat = await live();
  await chat.openChat('work');
  const { localId } = await chat.send('work', { text: 'Ready' });
  await phone.pass(5 * SECOND);
  server.resetHandlers();
  usual();
  await chat.retry(localId);
  await phone.pass(5 * SECOND);

  const ids = (chatId: string) => new Set(posted(chatId).map((body) => body.localId));
  expect(lost.count).toBeGreaterThan(0);
  expect([ids('lunch').size, [...ids('work')]]).toEqual([1, [localId]]);
  expect(onServer('lunch')).toEqual(['On my way']);
  expect(onServer('work')).toEqual(['Ready']);
});

test('shows one row under one key when the event comes before the answer', {
  tags: ['one-row', 'E1', 'R3'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  const road = hold(MESSAGES);
  await chat.send('lunch', { text: 'First!' });
  const [before] = threadOf(chat, 'lunch');
  await phone.pass(SECOND);
  const byEvent = threadOf(chat, 'lunch');

  road.release();
  await phone.pass(SECOND);

  expect(byEvent).toMatchObject([{ key: before?.key, status: 'sent', sequenceId: 1, text: 'First!' }]);
  expect(threadOf(chat, 'lunch')).toEqual(byEvent);
});

test('shows one row when the answer comes first, the event twice, and a page last', {
  tags: ['one-row', 'E3', 'R3'],
}, async () => {
  await write('lunch', 'bo', 'Hungry?');
  const chat = await live();
  await chat.openChat('lunch');
  const held: string[] = [];
  phone.interceptFrames((text) => {
    if (!text.includes('message_created')) return [text];
    held.push(text);
    return [];
  });
  await chat.send('lunch', { text: 'Very' });
  await phone.pass(SECOND);
  const byAnswer = threadOf(chat, 'lunch').map(({ key }) => key);

  phone.interceptFrames((text) => (held.length > 0 ? [...held, ...held.splice(0), text] : [text]));
  backend.pusher.announceHeads();
  await phone.pass(2 * SECOND);
  await chat.closeChat('lunch');
  await chat.openChat('lunch');
  await chat.loadOlder('lunch');

  expect(threadOf(chat, 'lunch').map(({ key }) => key)).toEqual(byAnswer);
  expect(textsOf(chat, 'lunch')).toEqual(['Hungry?', 'Very']);
});

test('takes an answer for the whole truth when no event comes', { tags: ['one-row', 'R3'] }, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  phone.interceptFrames((text) => (text.includes('message_created') ? [] : [text]));

  await chat.send('lunch', { text: 'Only the answer' });
  await phone.pass(30 * SECOND);

  expect(threadOf(chat, 'lunch')).toMatchObject([{ text: 'Only the answer', status: 'sent', sequenceId: 1 }]);
  expect(posted('lunch')).toHaveLength(1);
});

test('takes a failed message for sent when the server turns out to have it', {
  tags: ['one-row', 'R3'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  phone.interceptFrames((text) => (text.includes('message_created') ? [] : [text]));
  server.use(
    http.post(MESSAGES, async ({ request }) => {
      await backend.app.fetch(request);
      return json(403, { message: 'The proxy says no.' });
    }),
  );
  await chat.send('lunch', { text: 'Did it?' });
  await phone.pass(SECOND);
  const [failed] = threadOf(chat, 'lunch');

  phone.interceptFrames(null);
  backend.pusher.announceHeads();
  await phone.pass(2 * SECOND);

  expect(failed).toMatchObject({ status: 'failed' });
  expect(threadOf(chat, 'lunch')).toMatchObject([{ key: failed?.key, status: 'sent', failure: null }]);
});

test('sends one message of a chat at a time, in the order of send', { tags: ['send-order', 'R4'] }, async () => {
  const chat = await live();
  const road = hold(MESSAGES, 1);
  const texts = ['one', 'two', 'three', 'four'];

  await Promise.all(texts.map((text) => chat.send('lunch', { text })));
  await phone.pass(2 * SECOND);
  const early = posted('lunch').map(({ text }) => text);
  road.release();
  await phone.pass(3 * SECOND);

  expect(early).toEqual(['one']);
  expect(onServer('lunch')).toEqual(texts);
});

test('sends to three chats side by side, and to no fourth', { tags: ['send-order', 'R4'] }, async () => {
  const chat = await live();
  const road = hold(MESSAGES);

  for (const chatId of ['lunch', 'trip', 'work', 'home']) await chat.send(chatId, { text: `to ${chatId}` });
  await phone.pass(2 * SECOND);
  const early = sentTo('/message').length;
  road.release();
  await phone.pass(3 * SECOND);

  expect(early).toBe(3);
  expect(onServer('home')).toEqual(['to home']);
});

test('orders a thread by sequenceId when clocks are an hour off', {
  tags: ['order-on-screen', 'E6', 'R6'],
}, async () => {
  await write('lunch', 'bo', 'An hour ahead', '2026-03-02T10:00:00.000Z');
  const chat = await live();
  await chat.openChat('lunch');
  phone.jumpClock(-HOUR);
  await chat.send('lunch', { text: 'An hour behind' });
  await phone.pass(2 * SECOND);
  await write('lunch', 'bo', 'Later', '2026-03-02T08:30:00.000Z');
  await phone.goOffline();
  await chat.send('lunch', { text: 'Not yet sent' });

  expect(textsOf(chat, 'lunch')).toEqual(['An hour ahead', 'An hour behind', 'Later', 'Not yet sent']);
});

test('loads the latest page once, and what is stored from then on', { tags: ['history', 'R10'] }, async () => {
  for (let n = 1; n <= 120; n += 1) backend.write('lunch', n % 3 ? 'bo' : 'ada', `line ${n}`);
  const chat = await live();

  await chat.openChat('lunch');
  const first = textsOf(chat, 'lunch');
  await chat.closeChat('lunch');
  const closed = Object.keys(chat.getState().threads);
  await phone.goOffline();
  const next = await launch();
  await next.openChat('lunch');

  expect([first.length, first[0], first.at(-1)]).toEqual([50, 'line 71', 'line 120']);
  expect(closed).toEqual([]);
  expect(textsOf(next, 'lunch')).toEqual(first);
  expect(sentTo('/chat/lunch/all')).toHaveLength(1);
});

test('scrolls back page by page, from what is stored first, to the very beginning', {
  tags: ['history', 'R10'],
}, async () => {
  for (let n = 1; n <= 120; n += 1) backend.write('lunch', 'bo', `line ${n}`);
  let chat = await live();
  await chat.openChat('lunch');

  await Promise.all([chat.loadOlder('lunch'), chat.loadOlder('lunch')]);
  const once = textsOf(chat, 'lunch').length;
  chat = await live();
  await chat.openChat('lunch');
  // Who shows all that is stored at once has nothing stored left to show.
  if (textsOf(chat, 'lunch').length < 100) await chat.loadOlder('lunch');
  const stored = [textsOf(chat, 'lunch').length, sentTo('/chat/lunch/all').length];
  const before = chat.getState().threads.lunch?.hasOlder;
  await chat.loadOlder('lunch');
  await chat.loadOlder('lunch');

  expect([once, stored, before]).toEqual([100, [100, 2], true]);
  expect(textsOf(chat, 'lunch')).toEqual(Array.from({ length: 120 }, (_, n) => `line ${n + 1}`));
  expect(chat.getState().threads.lunch).toMatchObject({ hasOlder: false, loadingOlder: false });
  expect(sentTo('/chat/lunch/all')).toHaveLength(3);
});

test('keeps older and new messages apart when both come at once', { tags: ['history', 'E11', 'R10'] }, async () => {
  for (let n = 1; n <= 60; n += 1) backend.write('lunch', 'bo', `line ${n}`);
  const chat = await live();
  await chat.openChat('lunch');
  const road = hold(PAGES);

  const loading = chat.loadOlder('lunch');
  await phone.settle();
  const during = chat.getState().threads.lunch?.loadingOlder;
  await write('lunch', 'bo', 'line 61');
  road.release();
  await loading;

  expect(during).toBe(true);
  expect(textsOf(chat, 'lunch')).toEqual(Array.from({ length: 61 }, (_, n) => `line ${n + 1}`));
});

test('shows a thread that the list has not got to yet', { tags: ['history', 'R10'] }, async () => {
  await write('home', 'eve', 'Are you there?');
  for (let n = 1; n <= 15; n += 1) {
    if (!backend.chats.has(`more-${n}`)) backend.addChat(`more-${n}`, ['ada', 'bo']);
    await write(`more-${n}`, 'bo', 'Hello');
  }
  const chat = await live();

  await chat.openChat('home');
  await phone.pass(2 * SECOND);

  const { messages, hasOlder } = chat.getState().threads.home ?? {};
  expect(chat.getState().chats.map(({ chatId }) => chatId)).not.toContain('home');
  expect([messages?.map(({ text }) => text), hasOlder]).toEqual([['Are you there?'], false]);
});

test('says that older messages are loading, and tells its listeners', { tags: ['history', 'R10'] }, async () => {
  for (let n = 1; n <= 70; n += 1) backend.write('lunch', 'bo', `line ${n}`);
  const chat = await live();
  await chat.openChat('lunch');
  await phone.pass(2 * SECOND);
  const seen: (boolean | undefined)[] = [];
  chat.subscribe(() => seen.push(chat.getState().threads.lunch?.loadingOlder));
  const held = hold(PAGES);

  const loading = chat.loadOlder('lunch');
  await phone.settle();
  const amid = chat.getState().threads.lunch?.loadingOlder;
  await held.release();
  await loading;

  expect([amid, seen.includes(true), seen.at(-1)]).toEqual([true, true, false]);
  expect(threadOf(chat, 'lunch')).toHaveLength(70);
});

test('leaves a thread as it was when older messages cannot be had', { tags: ['history', 'R10'] }, async () => {
  for (let n = 1; n <= 70; n += 1) backend.write('lunch', 'bo', `line ${n}`);
  const chat = await live();
  await chat.openChat('lunch');
  server.use(http.get(PAGES, () => json(503)));

  await chat.loadOlder('lunch');

  const { messages = [], hasOlder, loadingOlder } = chat.getState().threads.lunch ?? {};
  expect([messages.length, hasOlder, loadingOlder]).toEqual([50, true, false]);
});

test('shows a thread opened without a network as soon as there is one', {
  tags: ['history', 'E12', 'R10'],
}, async () => {
  await write('trip', 'cy', 'Tickets are in');
  let chat = await live();
  await phone.goOffline();
  chat = await launch();

  await chat.openChat('trip');
  const offline = chat.getState().threads.trip;
  await phone.goOnline();
  await phone.pass(5 * SECOND);

  expect(offline).toEqual({ messages: [], hasOlder: true, loadingOlder: false });
  expect(textsOf(chat, 'trip')).toEqual(['Tickets are in']);
});

test('asks for the page of an opening again only while it is live', { tags: ['history', 'R10'] }, async () => {
  for (let n = 1; n <= 3; n += 1) backend.write('lunch', 'bo', `line ${n}`);
  phone.interceptFrames(() => []);
  const chat = await live();
  server.use(http.get(PAGES, () => json(503)));
  await chat.openChat('lunch');
  await phone.pass(10 * MINUTE);
  const deaf = [chat.getState().connection, sentTo('/lunch/all').length];

  server.resetHandlers();
  usual();
  phone.interceptFrames((text) => [text]);
  await phone.pass(2 * MINUTE);

  expect(deaf).toEqual(['connecting', 1]);
  expect(chat.getState().connection).toBe('live');
  expect(textsOf(chat, 'lunch')).toEqual(['line 1', 'line 2', 'line 3']);
});

test('asks for the page of an opening again after pauses, unless it was refused', {
  tags: ['history', 'R10'],
}, async () => {
  for (const chatId of ['lunch', 'trip']) for (let n = 1; n <= 3; n += 1) backend.write(chatId, 'bo', `line ${n}`);
  const chat = await live();
  const asked = { lunch: 0, trip: 0 };
  server.use(
    http.get(`${API}/chat/lunch/all`, ({ request }) => {
      asked.lunch += 1;
      return asked.lunch <= 5 ? json(503) : answerAsUsual({ request });
    }),
    http.get(`${API}/chat/trip/all`, () => {
      asked.trip += 1;
      return json(403);
    }),
  );
  await chat.openChat('lunch');
  await chat.openChat('trip');
  await phone.pass(2 * MINUTE);
  for (const chatId of ['work', 'home']) await write(chatId, 'dee', 'a reason to look around');
  await phone.pass(MINUTE);

  expect(asked).toEqual({ lunch: 6, trip: 1 });
  expect(textsOf(chat, 'lunch')).toEqual(['line 1', 'line 2', 'line 3']);
});

test('climbs from sent to delivered to read, and not back when marks come late', {
  tags: ['status-climbs', 'R12'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  await chat.send('lunch', { text: 'Here?' });
  await phone.pass(2 * SECOND);
  const seen = [threadOf(chat, 'lunch')[0]?.status];
  for (const marks of [{ deliveredUpTo: 1 }, { readUpTo: 1 }]) {
    backend.mark('lunch', 'bo', marks);
    await phone.pass(SECOND);
    seen.push(threadOf(chat, 'lunch')[0]?.status);
  }

  const late = { chatId: 'lunch', userId: 'bo', deliveredUpTo: 1, readUpTo: 0, unreadCount: 0 };
  backend.pusher.trigger('private-user-ada', 'receipt_updated', late);
  await phone.pass(SECOND);

  seen.push(threadOf(chat, 'lunch')[0]?.status);
  expect(seen).toEqual(['sent', 'delivered', 'read', 'read']);
});

test('tells its listeners, and is silent once disposed', { tags: ['good-manners', 'R15'] }, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  const seen: string[][] = [];
  const leave = chat.subscribe(() => seen.push(textsOf(chat, 'lunch')));
  await write('lunch', 'bo', 'Heard');
  leave();
  await write('lunch', 'bo', 'Not heard');
  await phone.pass(2 * SECOND);
  const before = chat.getState();
  await phone.goToBackground();
  await phone.goToForeground();
  await phone.pass(SECOND);
  const isSame = chat.getState() === before;
  const refused = await codeOf(chat.send('lunch', {}));
  const unknown = await Promise.all([codeOf(chat.retry('nobody')), codeOf(chat.discard('nobody'))]);

  chat.dispose();
  await phone.settle();
  const sent = phone.requests.length;
  const over = await Promise.all([
    codeOf(chat.send('lunch', { text: 'Too late' })),
    codeOf(chat.openChat('lunch')),
    codeOf(chat.loadOlder('lunch')),
    codeOf(chat.closeChat('lunch')),
    codeOf(chat.loadMoreChats()),
    codeOf(chat.markRead('lunch', 2)),
    codeOf(chat.retry('nobody')),
    codeOf(chat.discard('nobody')),
  ]);
  await phone.goOffline();
  await phone.goOnline();
  await phone.pass(5 * MINUTE);

  expect(seen.at(-1)).toEqual(['Heard']);
  expect([isSame, refused, unknown]).toEqual([true, 'empty', ['not-found', 'not-found']]);
  expect(over).toEqual(Array(8).fill('over'));
  expect([phone.requests.length - sent, phone.listenerCount(), openSockets()]).toEqual([0, 0, 0]);
});

test('ends the requests that are out when it is disposed', { tags: ['good-manners', 'R15'] }, async () => {
  const chat = await live();
  const signals: AbortSignal[] = [];
  server.use(
    http.post(MESSAGES, ({ request }) => {
      signals.push(request.signal);
      return silence();
    }),
  );
  await chat.send('lunch', { text: 'On its way' });
  await chat.send('trip', { text: 'So is this' });
  await phone.settle();

  chat.dispose();
  await phone.settle();

  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
});

test('says how the storage failed, and keeps and sends nothing then', {
  tags: ['durable-first', 'R1'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  const codes: (string | undefined)[] = [];
  for (const failure of ['full', 'failed'] as const) {
    phone.failNextWrite(failure);
    codes.push(await codeOf(chat.send('lunch', { text: failure })));
  }
  phone.failNextWrite('failed');
  codes.push(await codeOf(chat.send('lunch', { attachments: [pick('big.jpg', 6_000)] })));
  const { freeBytes } = phone.disk;
  phone.disk.freeBytes = 1_000;
  codes.push(await codeOf(chat.send('lunch', { attachments: [pick('big.jpg', 6_000)] })));
  phone.disk.freeBytes = freeBytes;
  // The copy finds room, and what is to be known of it does not.
  const fits = pick('fits.jpg', 6_000);
  phone.disk.freeBytes = 6_010;
  codes.push(await codeOf(chat.send('lunch', { attachments: [fits] })));
  phone.disk.freeBytes = freeBytes;
  const copies = copiesOf(6_000);
  await phone.goOffline();
  const { localId } = await chat.send('lunch', { text: 'taken' });
  phone.failNextWrite('failed');
  codes.push(await codeOf(chat.discard(localId)));
  await phone.goOnline();
  await phone.pass(10 * SECOND);

  const [full, failed] = ['storage-full', 'storage-failed'];
  expect([codes, copies]).toEqual([[full, failed, failed, full, full, failed], 0]);
  expect(onServer('lunch')).toEqual(['taken']);
  expect(textsOf(chat, 'lunch')).toEqual(['taken']);
});

// ---------------------------------------------------------------------------------------------------------------------
// senior: nothing missing, nothing twice, whatever happens

test('hears of chats that are not open, with preview, unread count and receipt', {
  tags: ['hears-every-chat', 'R7'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');

  await write('trip', 'cy', 'Gate 12');
  backend.addChat('new', ['ada', 'fay']);
  await write('new', 'fay', 'Hello, it is Fay');
  await phone.pass(2 * SECOND);

  expect(chat.getState().chats.slice(0, 2)).toMatchObject([
    { chatId: 'new', preview: 'Hello, it is Fay', unreadCount: 1 },
    { chatId: 'trip', preview: 'Gate 12', unreadCount: 1 },
  ]);
  expect(receiptOf('trip')).toMatchObject({ deliveredUpTo: 1, readUpTo: 0 });
  await chat.openChat('trip');
  expect(textsOf(chat, 'trip')).toEqual(['Gate 12']);
});

test('asks for what is missing when 7 follows 5', { tags: ['finds-gaps', 'E4', 'R7'] }, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  await write('lunch', 'bo', 'five');
  phone.interceptFrames((text) => (text.includes('"six\\"') ? [] : [text]));
  await write('lunch', 'bo', 'six');
  await write('trip', 'cy', 'seven');

  await phone.pass(SECOND + 200);

  expect(textsOf(chat, 'lunch')).toEqual(['five', 'six']);
  expect(chat.getState().chats.map(({ preview }) => preview)).toContain('seven');
});

test('counts what it does not know as read: names of events, and marks of other chats', {
  tags: ['finds-gaps', 'R7'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  await write('lunch', 'bo', 'one');
  await phone.pass(2 * SECOND);
  const before = [textsOf(chat, 'lunch'), chat.getState().chats] as const;
  const sent = phone.requests.length;

  const marks = { chatId: 'lunch', userId: 'ada', deliveredUpTo: 1, readUpTo: 1, unreadCount: 0 };
  for (const name of ['mark_suggested', 'message_translated']) backend.pusher.trigger('private-user-ada', name, marks);
  const message = { ...backend.chats.get('lunch')?.messages[0], text: 'edited' };
  const line = before[1].find(({ chatId }) => chatId === 'lunch');
  const edit = { message, chat: { ...line, preview: 'edited', lastSequenceId: 1, receipts: [] } };
  backend.pusher.trigger('private-user-ada', 'message_updated', JSON.parse(JSON.stringify(edit)));
  // Nor is a chat known of which only marks have been heard.
  backend.pusher.trigger('private-user-ada', 'receipt_updated', { ...marks, chatId: 'elsewhere' });
  await phone.pass(5 * SECOND);

  expect([textsOf(chat, 'lunch'), chat.getState().chats]).toEqual(before);
  expect(phone.requests.length - sent).toBe(0);
});

test('notices by the head that the last event was lost', { tags: ['finds-gaps', 'E4', 'R7'] }, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  phone.interceptFrames((text) => (text.includes('message_created') ? [] : [text]));
  await write('lunch', 'bo', 'Are you there?');
  await phone.pass(10 * SECOND);
  const early = textsOf(chat, 'lunch');

  backend.pusher.announceHeads();
  await phone.pass(SECOND + 200);

  expect([early, textsOf(chat, 'lunch')]).toEqual([[], ['Are you there?']]);
});

test('stores every event in the end, though a kill or a full disk kept it from being stored', {
  tags: ['cursor-after-store', 'R7'],
}, async () => {
  const texts: string[] = [];
  const hear = async (text: string) => {
    texts.push(text);
    await write('lunch', 'bo', text);
  };
  // However many writes an event takes, one of three events meets the kill.
  for (const after of [0, 1, 2]) {
    await live();
    phone.failNextWrite('kill-before', { after });
    for (const n of [1, 2, 3]) await hear(`event ${n}, killed after ${after}`);
  }
  await live();
  phone.failNextWrite('full');
  await hear('refused');
  await hear('taken');
  await phone.pass(MINUTE);

  await phone.goOffline();
  const next = await launch();
  await next.openChat('lunch');

  expect(textsOf(next, 'lunch')).toEqual(texts);
});

test('catches up on 300 events after a long time away, page by page', {
  tags: ['catches-up', 'E5', 'R16'],
}, async () => {
  await write('lunch', 'bo', 'line 0');
  const chat = await live();
  await chat.openChat('lunch');
  await phone.goOffline();
  // A clock that is wrong must not matter: nothing is asked for by time.
  phone.jumpClock(3 * HOUR);
  for (let n = 1; n <= 300; n += 1) backend.write('lunch', 'bo', `line ${n}`);
  const before = sentTo('/chat/all/after').length;

  await phone.goOnline();
  await phone.pass(20 * SECOND);

  expect(textsOf(chat, 'lunch')).toEqual(Array.from({ length: 301 }, (_, n) => `line ${n}`));
  expect(sentTo('/chat/all/after').length - before).toBeLessThanOrEqual(5);
  expect(chat.getState().connection).toBe('live');
});

test('asks for nothing while nothing is new, and catches up on a push with an unknown number', {
  tags: ['catches-up', 'R16'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  await write('lunch', 'bo', 'Hello');
  await phone.pass(5 * SECOND);
  const before = phone.requests.length;
  await phone.push({ chatId: 'lunch', seq: backend.headOf('ada') });
  await phone.pass(10 * MINUTE);
  const quiet = phone.requests.slice(before).map(({ url }) => url);
  phone.interceptFrames((text) => (text.includes('message_created') ? [] : [text]));
  await write('lunch', 'bo', 'Look at your phone');

  await phone.push({ chatId: 'lunch', seq: backend.headOf('ada') });
  await phone.pass(3 * SECOND);

  expect(quiet).toEqual([]);
  expect(textsOf(chat, 'lunch')).toEqual(['Hello', 'Look at your phone']);
});

test('tries again what may work later, and shows as failed what never will', {
  tags: ['transient-or-permanent', 'R5'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  const answers = [
    json(503),
    json(429, {}, { 'Retry-After': '30' }),
    HttpResponse.html('<html>Free WiFi</html>'),
    json(422, { message: 'Too long.' }),
  ];
  server.use(http.post(MESSAGES, ({ request }) => answers.shift() ?? answerAsUsual({ request })));
  const { localId } = await chat.send('lunch', { text: 'Hmm' });
  await phone.pass(20 * SECOND);
  const early = [posted('lunch').length, threadOf(chat, 'lunch')[0]?.status];

  await phone.pass(2 * MINUTE);
  await chat.send('lunch', { text: 'Next' });
  await phone.pass(SECOND);

  expect(early).toEqual([2, 'sending']);
  expect(posted('lunch').map(({ text }) => text)).toEqual(['Hmm', 'Hmm', 'Hmm', 'Hmm', 'Next']);
  expect(threadOf(chat, 'lunch')).toMatchObject([
    { text: 'Next', status: 'sent', failure: null },
    { localId, status: 'failed', failure: { code: 'refused', status: 422, message: 'Too long.' } },
  ]);
});

test('tries a server that is down ever more rarely, with one pause for all that is sent', {
  tags: ['transient-or-permanent', 'R5'],
}, async () => {
  const chat = await live();
  server.use(http.post(MESSAGES, () => json(503)));
  for (const chatId of ['lunch', 'trip', 'work']) await chat.send(chatId, { text: 'Hello?' });
  await phone.pass(10 * MINUTE);
  const tries = sentTo('/message').length;

  server.resetHandlers();
  usual();
  await phone.pass(MINUTE);
  const arrived = ['lunch', 'trip', 'work'].map(onServer);
  server.use(http.post(MESSAGES, () => json(503), { once: true }));
  await chat.send('home', { text: 'Soon' });
  await phone.pass(2 * SECOND);

  // Three at a time: pauses of up to 30 s, 15 s on average. After a success they begin anew.
  expect(tries).toBeGreaterThan(30);
  expect(tries).toBeLessThan(300);
  expect([arrived, onServer('home')]).toEqual([[['Hello?'], ['Hello?'], ['Hello?']], ['Soon']]);
});

test('holds no message for the page of an opening that could not be had', {
  tags: ['transient-or-permanent', 'R5'],
}, async () => {
  backend.write('trip', 'cy', 'line 1');
  const chat = await live();
  server.use(http.get(PAGES, () => json(429, {}, { 'Retry-After': '60' }), { once: true }));
  await phone.goOffline();
  await chat.openChat('trip');
  await phone.goOnline();
  await phone.pass(5 * SECOND);

  await chat.send('lunch', { text: 'Nothing waits' });
  await phone.pass(SECOND);

  expect(onServer('lunch')).toEqual(['Nothing waits']);
});

test('holds no message for a discarded one whose file was on its way', {
  tags: ['transient-or-permanent', 'R5'],
}, async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  const chat = await live();
  const road = hold(`${UPLOADS}/*`, 2);
  const { localId } = await chat.send('lunch', { attachments: [pick('film.mp4', 3 * PIECE_BYTES, 'video/mp4')] });
  await phone.pass(SECOND);

  await chat.discard(localId);
  road.release();
  await phone.settle();
  await chat.send('trip', { text: 'Nothing waits' });
  await phone.settle();

  expect(onServer('trip')).toEqual(['Nothing waits']);
});

test('holds all that is sent while the server asks for a pause, and nothing for what is read', {
  tags: ['transient-or-permanent', 'R5'],
}, async () => {
  for (let n = 1; n <= 70; n += 1) backend.write('trip', 'cy', `line ${n}`);
  const chat = await live();
  await chat.openChat('trip');
  server.use(http.get(PAGES, () => json(429, {}, { 'Retry-After': '60' })));
  await chat.loadOlder('trip');
  await chat.send('lunch', { text: 'Not held' });
  await phone.pass(SECOND);
  const afterReading = onServer('lunch');

  server.use(http.post(RECEIPTS, () => json(429, {}, { 'Retry-After': '60' }), { once: true }));
  await write('lunch', 'bo', 'A reason for a receipt');
  await phone.pass(2 * SECOND);
  await chat.send('work', { text: 'Held' });
  await phone.pass(50 * SECOND);
  const amid = onServer('work');
  await phone.pass(30 * SECOND);

  expect([afterReading, amid, onServer('work')]).toEqual([['Not held'], [], ['Held']]);
});

test('lets a failed message step aside, go last on retry, and vanish on discard', {
  tags: ['transient-or-permanent', 'R5'],
}, async () => {
  const chat = await live();
  await chat.openChat('trip');
  const refused = ['one', 'two'];
  server.use(
    http.post(MESSAGES, async ({ request }) => {
      const { text } = (await request.clone().json()) as { text: string };
      return refused.includes(text) ? json(403, { message: 'Blocked.' }) : answerAsUsual({ request });
    }),
  );
  const [one, two] = await Promise.all(['one', 'two', 'three'].map((text) => chat.send('trip', { text })));
  await phone.pass(5 * SECOND);
  const aside = threadOf(chat, 'trip').map(({ text, status }) => `${text} ${status}`);

  refused.length = 0;
  await phone.goOffline();
  await chat.send('trip', { text: 'four' });
  await chat.retry(one?.localId ?? '');
  await chat.discard(two?.localId ?? '');
  const waiting = textsOf(chat, 'trip');
  await phone.goOnline();
  await phone.pass(10 * SECOND);

  expect(aside).toEqual(['three sent', 'one failed', 'two failed']);
  expect(waiting).toEqual(['three', 'four', 'one']);
  expect(onServer('trip')).toEqual(['three', 'four', 'one']);
  expect(textsOf(chat, 'trip')).toEqual(['three', 'four', 'one']);
});

test('shows nothing of a discarded message, though the server refuses it afterwards', {
  tags: ['transient-or-permanent', 'R5'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  let refuse = () => {};
  const refused = new Promise<void>((resolve) => {
    refuse = resolve;
  });
  server.use(
    http.post(MESSAGES, async () => {
      await refused;
      return json(403, { message: 'blocked' });
    }),
  );

  const { localId } = await chat.send('lunch', { text: 'Never mind' });
  await phone.settle();
  await chat.discard(localId);
  refuse();
  await phone.pass(SECOND);
  const shown = threadOf(chat, 'lunch');
  const next = await live();
  await next.openChat('lunch');

  expect([shown, threadOf(next, 'lunch')]).toEqual([[], []]);
});

test('gives a message up that nobody took for 24 hours, and counts anew after a retry', {
  tags: ['transient-or-permanent', 'R5'],
}, async () => {
  let chat = await live();
  await phone.goOffline();
  const { localId } = await chat.send('work', { text: 'Good morning' });
  await phone.pass(MINUTE);
  chat = await launch();
  await chat.openChat('work');
  await phone.pass(24 * HOUR);
  await phone.goOnline();
  await phone.pass(10 * SECOND);
  const expired = threadOf(chat, 'work');

  await chat.retry(localId);
  await phone.pass(10 * SECOND);

  expect(expired).toMatchObject([{ status: 'failed', failure: { code: 'expired', status: null, message: '' } }]);
  expect(onServer('work')).toEqual(['Good morning']);
});

test('tells delivered at once and then rarely, and read only for what somebody has seen', {
  tags: ['marks-rise', 'R11'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  for (let n = 1; n <= 100; n += 1) backend.write('lunch', 'bo', `line ${n}`);
  await phone.pass(5 * SECOND);
  const burst = [sentTo('/receipts').length <= 4, receiptOf('lunch')];

  await chat.markRead('trip', 1);
  await phone.goToBackground();
  await chat.markRead('lunch', 100);
  await phone.goToForeground();
  await phone.pass(3 * SECOND);
  const unseen = receiptOf('lunch')?.readUpTo;
  await chat.markRead('lunch', 60);
  const unread = chat.getState().chats.find(({ chatId }) => chatId === 'lunch')?.unreadCount;
  await chat.markRead('lunch', 20);
  await phone.pass(3 * SECOND);

  expect(burst).toMatchObject([true, { deliveredUpTo: 100, readUpTo: 0 }]);
  expect([unseen, unread]).toEqual([0, 40]);
  expect(receiptOf('lunch')).toMatchObject({ deliveredUpTo: 100, readUpTo: 60 });
  expect(receiptOf('trip')).toMatchObject({ readUpTo: 0 });
});

test("counts what is unread by itself while its mark is ahead of the server's", {
  tags: ['marks-rise', 'R11'],
}, async () => {
  for (let n = 1; n <= 4; n += 1) await write('lunch', 'bo', `line ${n}`);
  const chat = await live();
  await chat.openChat('lunch');
  await phone.pass(2 * SECOND);
  server.use(http.post(RECEIPTS, () => json(503)));
  const unread = () => chat.getState().chats.find(({ chatId }) => chatId === 'lunch')?.unreadCount;

  await chat.markRead('lunch', 4);
  const seen = [unread()];
  for (const [userId, text] of [
    ['bo', 'line 5'],
    ['ada', 'From the tablet'],
    ['bo', 'line 7'],
  ] as const) {
    await write('lunch', userId, text);
    seen.push(unread());
  }

  expect(seen).toEqual([0, 1, 1, 2]);
});

test('counts nothing of its own as unread, and shows as read what was read elsewhere before', {
  tags: ['marks-rise', 'E9', 'R11'],
}, async () => {
  await write('trip', 'cy', 'Tickets are in');
  backend.mark('trip', 'ada', { readUpTo: 1 });
  await write('lunch', 'bo', 'Pizza?');
  const chat = await live();
  for (const chatId of ['lunch', 'trip']) await chat.openChat(chatId);
  await chat.send('lunch', { text: 'Yes' });
  await phone.pass(2 * SECOND);
  await phone.goOffline();

  await chat.markRead('lunch', 1);

  expect(chat.getState().chats.map(({ unreadCount }) => unreadCount)).toEqual([0, 0, 0, 0]);
  expect(threadOf(chat, 'trip')).toMatchObject([{ fromUserId: 'cy', status: 'read' }]);
});

test('lets a read mark only rise, also while nobody else knows of it', { tags: ['marks-rise', 'R11'] }, async () => {
  for (let n = 1; n <= 3; n += 1) await write('lunch', 'bo', `line ${n}`);
  const chat = await live();
  await chat.openChat('lunch');
  await phone.pass(2 * SECOND);
  await phone.goOffline();

  await chat.markRead('lunch', 2);
  await chat.markRead('lunch', 1);

  expect(threadOf(chat, 'lunch').map(({ status }) => status)).toEqual(['read', 'read', 'delivered']);
  expect(chat.getState().chats[0]?.unreadCount).toBe(1);
});

test('sends no mark twice, and a refused one not before it has risen', { tags: ['marks-rise', 'R11'] }, async () => {
  const chat = await live();
  await chat.openChat('trip');
  await chat.markRead('trip', 1);
  await chat.openChat('lunch');
  server.use(
    http.post(RECEIPTS, silence, { once: true }),
    http.post(RECEIPTS, () => json(403), { once: true }),
  );

  await write('lunch', 'bo', 'one');
  await phone.pass(10 * SECOND);
  const unanswered = sentTo('/receipts').length;
  await phone.pass(5 * MINUTE);
  const refused = sentTo('/receipts').length;
  await write('lunch', 'bo', 'two');
  await phone.pass(5 * SECOND);

  expect([unanswered, refused, sentTo('/receipts').length]).toEqual([1, 2, 3]);
  expect(receiptOf('lunch')).toMatchObject({ deliveredUpTo: 2 });
});

test('keeps a read mark over a kill, and follows the tablet', {
  tags: ['marks-rise', 'E9', 'E10', 'R11'],
}, async () => {
  for (let n = 1; n <= 4; n += 1) await write('lunch', 'bo', `line ${n}`);
  let chat = await live();
  await chat.openChat('lunch');
  await phone.pass(2 * SECOND);
  await phone.goOffline();
  await chat.markRead('lunch', 2);

  chat = await launch();
  const kept = chat.getState().chats[0]?.unreadCount;
  await phone.goOnline();
  await phone.pass(5 * SECOND);
  const sent = receiptOf('lunch')?.readUpTo;
  backend.write('lunch', 'ada', 'From the tablet');
  backend.mark('lunch', 'ada', { readUpTo: 4 });
  await phone.pass(2 * SECOND);
  await chat.openChat('lunch');

  expect([kept, sent]).toEqual([2, 2]);
  expect(chat.getState().chats[0]).toMatchObject({ unreadCount: 0, preview: 'From the tablet' });
  expect(threadOf(chat, 'lunch').at(-1)).toMatchObject({ fromUserId: 'ada', text: 'From the tablet', status: 'sent' });
});

test('sends files in pieces one after another, then the message, and text behind it', {
  tags: ['uploads-resume', 'E13', 'R13'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  const files = [
    pick('a.jpg', PIECE_BYTES + 1_000),
    pick('b.mp4', 3_000, 'video/mp4'),
    pick('c.pdf', 50, 'application/pdf'),
  ];
  const seen = new Set<number>();
  chat.subscribe(() => seen.add(threadOf(chat, 'lunch')[0]?.progress ?? 2));

  await chat.send('lunch', { text: '', attachments: files });
  await chat.send('lunch', { text: 'What do you think?' });
  await phone.pass(5 * SECOND);

  const [sent, text] = backend.chats.get('lunch')?.messages ?? [];
  expect(sent?.attachments).toMatchObject([
    { type: 'image', mime: 'image/jpeg', sizeBytes: PIECE_BYTES + 1_000 },
    { type: 'video', mime: 'video/mp4', sizeBytes: 3_000 },
    { type: 'file', mime: 'application/pdf', sizeBytes: 50 },
  ]);
  expect([sent?.text, text?.text]).toEqual(['', 'What do you think?']);
  expect(ranges()).toEqual([
    `bytes 0-262143/263144`,
    `bytes 262144-263143/263144`,
    'bytes 0-2999/3000',
    'bytes 0-49/50',
  ]);
  const progress = [...seen].filter((value) => value <= 1);
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
  expect(progress.some((value) => value > 0 && value < 1)).toBe(true);
  expect(threadOf(chat, 'lunch')).toMatchObject([{ status: 'sent', progress: null }, { status: 'sent' }]);
});

test('shows as progress what the server has confirmed', { tags: ['uploads-resume', 'R13'] }, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  let pieces = 0;
  server.use(
    http.put(`${UPLOADS}/*`, ({ request }) => {
      pieces += 1;
      return pieces < 4 ? answerAsUsual({ request }) : silence();
    }),
  );

  await chat.send('lunch', { attachments: [pick('half.jpg', 2 * PIECE_BYTES), pick('rest.jpg', 2 * PIECE_BYTES)] });
  await phone.pass(5 * SECOND);

  expect(threadOf(chat, 'lunch').map(({ status, progress }) => [status, progress])).toEqual([['sending', 0.75]]);
});

test('goes on after a kill where the server has got to', { tags: ['uploads-resume', 'R13'] }, async () => {
  const chat = await live();
  server.use(
    http.put(`${UPLOADS}/*`, ({ request }) =>
      request.headers.get('Content-Range')?.startsWith('bytes 524288') ? silence() : answerAsUsual({ request }),
    ),
  );
  await chat.send('lunch', { text: 'The whole trip', attachments: [pick('c.mp4', 3 * PIECE_BYTES)] });
  await phone.pass(2 * SECOND);

  server.resetHandlers();
  usual();
  await live();
  await phone.pass(5 * SECOND);

  expect(ranges().map((range) => range.split('-')[0])).toEqual([
    'bytes 0',
    'bytes 262144',
    'bytes 524288',
    'bytes 524288',
  ]);
  expect(onServer('lunch')).toEqual(['The whole trip']);
});

test('presigns the same upload again when its URL has run out', {
  tags: ['uploads-resume', 'E8', 'R13'],
}, async () => {
  const chat = await live();
  let expired = 2;
  server.use(
    http.put(`${UPLOADS}/*`, ({ request }) => {
      const isSecond = request.headers.get('Content-Range')?.startsWith('bytes 262144');
      if (!isSecond || expired === 0) return answerAsUsual({ request });
      expired -= 1;
      return json(403, { error: 'expired' });
    }),
  );

  await chat.send('lunch', { text: 'Slow', attachments: [pick('d.jpg', 2 * PIECE_BYTES)] });
  await phone.pass(10 * SECOND);

  const presigned = sentTo('/uploads/presign').map(({ body }) => (JSON.parse(body) as { uploadId: string }).uploadId);
  expect([presigned.length, new Set(presigned).size, backend.files.size]).toEqual([3, 1, 1]);
  expect(ranges().map((range) => range.split('-')[0])).toEqual(['bytes 0', ...Array(3).fill('bytes 262144')]);
  expect(onServer('lunch')).toEqual(['Slow']);
});

test('believes no failure of the storage host, and rests after three URLs that had run out', {
  tags: ['uploads-resume', 'R13'],
}, async () => {
  const chat = await live();
  const answers = [json(500, { received: 2 * PIECE_BYTES }), json(201, { received: 2 * PIECE_BYTES })];
  server.use(http.put(`${UPLOADS}/*`, ({ request }) => answers.shift() ?? answerAsUsual({ request })));
  await chat.send('lunch', { attachments: [pick('whole.jpg', 2 * PIECE_BYTES)] });
  await phone.pass(10 * SECOND);
  const sent = { messages: onServer('lunch').length, pieces: ranges().length };

  server.use(http.all(`${UPLOADS}/*`, () => json(403)));
  const before = sentTo('/uploads/presign').length;
  await chat.send('trip', { attachments: [pick('late.jpg', 3_000)] });
  await phone.pass(MINUTE);
  const presigned = sentTo('/uploads/presign').length - before;
  server.resetHandlers();
  usual();
  await phone.pass(MINUTE);

  expect(sent).toEqual({ messages: 1, pieces: 4 });
  // Three for each try; within a minute there are a dozen tries at most, but for a very lucky draw.
  expect(presigned).toBeGreaterThanOrEqual(3);
  expect(presigned).toBeLessThan(90);
  expect(onServer('trip')).toHaveLength(1);
});

test('asks for no more than one URL at each try while the storage host is down', {
  tags: ['uploads-resume', 'R13'],
}, async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  const chat = await live();
  let tries = 0;
  server.use(
    http.all(`${UPLOADS}/*`, () => {
      tries += 1;
      return json(503);
    }),
  );

  await chat.send('lunch', { attachments: [pick('soon.jpg', 3_000)] });
  await phone.pass(1_400);

  // The first at once, the second after half a second, the next a second after that.
  expect({ tries }).toEqual({ tries: 2 });
  expect(sentTo('/uploads/presign').length).toBeLessThanOrEqual(tries);
});

test('sends no message without the URLs of its files, though the phone could not store them', {
  tags: ['uploads-resume', 'R13'],
}, async () => {
  const chat = await live();
  server.use(
    http.put(`${UPLOADS}/*`, async ({ request }) => {
      const answer = await answerAsUsual({ request });
      phone.failNextWrite('failed');
      return answer;
    }),
  );

  await chat.send('lunch', { text: 'Look', attachments: [pick('seen.jpg', 3_000)] });
  await phone.pass(MINUTE);

  const [message] = backend.chats.get('lunch')?.messages ?? [];
  expect(message?.attachments.map(({ url }) => url.startsWith('https://'))).toEqual([true]);
  expect(posted('lunch')).toHaveLength(1);
});

test('asks for three URLs in one try when each has run out', { tags: ['uploads-resume', 'R13'] }, async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  const chat = await live();
  server.use(http.all(`${UPLOADS}/*`, () => json(403)));

  await chat.send('lunch', { attachments: [pick('late.jpg', 3_000)] });
  await phone.pass(400);

  expect(sentTo('/uploads/presign')).toHaveLength(3);
});

test('sends a file without a byte, too', { tags: ['uploads-resume', 'R13'] }, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  await phone.goOffline();
  await chat.send('lunch', { attachments: [pick('empty.txt', 0, 'text/plain')] });
  const progress = threadOf(chat, 'lunch')[0]?.progress ?? Number.NaN;

  await phone.goOnline();
  await phone.pass(5 * SECOND);

  expect(progress >= 0 && progress <= 1).toBe(true);
  expect(backend.chats.get('lunch')?.messages[0]?.attachments).toMatchObject([{ type: 'file', sizeBytes: 0 }]);
});

test('takes a 409 of the storage host for its word on where to go on', {
  tags: ['uploads-resume', 'R13'],
}, async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  const chat = await live();
  let puts = 0;
  server.use(
    http.put(`${UPLOADS}/*`, async ({ request }) => {
      puts += 1;
      const answer = await answerAsUsual({ request });
      return puts === 1 ? json(409, (await answer.json()) as object) : answer;
    }),
  );

  await chat.send('lunch', { attachments: [pick('on.jpg', 2 * PIECE_BYTES)] });
  await phone.pass(400);

  expect([onServer('lunch').length, puts, sentTo('/uploads/presign').length]).toEqual([1, 2, 1]);
});

test('gives a message up whose file the server will not have', { tags: ['uploads-resume', 'R13'] }, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  server.use(http.post(`${API}/uploads/presign`, () => json(413, { message: 'Too large.' })));

  const { localId } = await chat.send('lunch', { attachments: [pick('big.mov', 9_000, 'video/quicktime')] });
  await chat.send('lunch', { text: 'Then without it' });
  await phone.pass(10 * SECOND);

  expect(threadOf(chat, 'lunch')).toMatchObject([
    { text: 'Then without it', status: 'sent' },
    { localId, status: 'failed', failure: { code: 'refused', status: 413, message: 'Too large.' } },
  ]);
  expect(sentTo('/uploads/presign')).toHaveLength(1);
});

test('sends its own copy of a file that the picker has lost since, and drops the copy then', {
  tags: ['private-copy', 'E7', 'R1'],
}, async () => {
  const chat = await live();
  await phone.goOffline();
  const file = pick('e.jpg', 5_000);
  await chat.openChat('lunch');
  const { localId } = await chat.send('lunch', { attachments: [file] });
  const copies = copiesOf(5_000);
  const shown = threadOf(chat, 'lunch')[0]?.attachments;

  phone.disk.files.remove(file.uri);
  const gone = await codeOf(chat.send('lunch', { attachments: [file] }));
  await phone.goOnline();
  await phone.pass(10 * SECOND);

  expect([localId.length > 0, copies, gone]).toEqual([true, 1, 'source-lost']);
  expect(shown).toMatchObject([{ type: 'image', mime: 'image/jpeg', sizeBytes: 5_000 }]);
  expect(backend.chats.get('lunch')?.messages).toMatchObject([{ attachments: [{ sizeBytes: 5_000 }] }]);
  expect(copiesOf(5_000)).toBe(0);
});

test('sends nothing after a 401 until a token comes, then all goes on', {
  tags: ['waits-for-token', 'R14'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  backend.revoke('ada');
  await chat.send('lunch', { text: 'Still me' });
  await chat.send('trip', { text: 'Me too' });
  await phone.pass(SECOND);
  const state = chat.getState().connection;
  const sent = phone.requests.length;
  await phone.pass(5 * MINUTE);
  const silent = phone.requests.length - sent;

  await write('lunch', 'bo', 'Meanwhile');
  chat.setToken(backend.issueToken('ada'));
  await phone.pass(10 * SECOND);

  expect([state, silent, chat.getState().connection]).toEqual(['needsToken', 0, 'live']);
  expect(onServer('trip')).toEqual(['Me too']);
  expect(textsOf(chat, 'lunch')).toEqual(['Meanwhile', 'Still me']);
});

test('asks again for a page that got a 401 for an older token', {
  tags: ['waits-for-token', 'R14'],
}, async () => {
  for (let n = 1; n <= 120; n += 1) backend.write('lunch', 'bo', `line ${n}`);
  const chat = await live();
  await chat.openChat('lunch');
  const late = Promise.withResolvers<void>();
  const refused = http.get(PAGES, () => late.promise.then(() => json(401)), { once: true });
  server.use(refused);

  const older = chat.loadOlder('lunch');
  await phone.settle();
  chat.setToken(backend.issueToken('ada'));
  late.resolve();
  await phone.pass(2 * SECOND);
  await older;

  expect([threadOf(chat, 'lunch').length, chat.getState().connection]).toEqual([100, 'live']);
});

test('authorises the channel with the newest token after the socket was down', {
  tags: ['waits-for-token', 'E14', 'R14'],
}, async () => {
  const chat = await live();
  await phone.goOffline();
  const token = backend.issueToken('ada');
  chat.setToken(token);
  await phone.goOnline();
  await phone.pass(10 * SECOND);

  expect(sentTo('/pusher/auth').at(-1)?.headers.authorization).toBe(`Bearer ${token}`);
  expect(chat.getState().connection).toBe('live');
});

test('tries a connection that was refused again with the next token, and in the foreground', {
  tags: ['waits-for-token', 'R14'],
}, async () => {
  const chat = await live();
  /** On the way to the background. */
  let tries = Number.NaN;
  const comeBack: Record<string, () => unknown> = {
    'a token': () => chat.setToken(backend.issueToken('ada')),
    'the foreground': async () => {
      const sockets = phone.sockets.length;
      await phone.goToBackground();
      tries = phone.sockets.length - sockets;
      await phone.goToForeground();
    },
  };
  const seen: Record<string, string[]> = {};

  for (const [reason, happens] of Object.entries(comeBack)) {
    backend.pusher.refuseConnections(4001);
    backend.pusher.closeAll(4001);
    await phone.pass(5 * MINUTE);
    const before = chat.getState().connection;
    backend.pusher.refuseConnections(null);
    await phone.pass(MINUTE);
    const still = chat.getState().connection;
    await happens();
    await phone.pass(10 * SECOND);
    seen[reason] = [before, still, chat.getState().connection];
  }

  const back = ['connecting', 'connecting', 'live'];
  expect(seen).toEqual({ 'a token': back, 'the foreground': back });
  expect(tries).toBe(0);
});

test('leaves nothing behind at a sign-out, and shows and sends nobody what is not theirs', {
  tags: ['leaves-nothing', 'R14'],
}, async () => {
  await write('lunch', 'bo', 'Between us');
  let chat = await live();
  await chat.openChat('lunch');
  await phone.goOffline();
  await chat.send('lunch', { text: 'A secret', attachments: [pick('f.jpg', 7_000)] });
  await chat.send('trip', { text: 'Another' });

  const cy = await launch('cy');
  const foreign = [cy.getState().chats, cy.getState().threads];
  cy.dispose();
  chat = await launch();
  await chat.signOut();
  const { chats, threads } = chat.getState();
  const after = await launch('cy');
  await phone.goOnline();
  await phone.pass(10 * SECOND);

  expect([foreign, chats, threads]).toEqual([[[], {}], [], {}]);
  expect(after.getState().chats.map(({ chatId }) => chatId)).toEqual(['trip']);
  expect(JSON.stringify(phone.disk.entries())).not.toMatch(/secret|Another|Between us/);
  expect([copiesOf(7_000), onServer('trip'), onServer('lunch')]).toEqual([0, [], ['Between us']]);
});

test('may be asked to sign out again when the storage has failed', { tags: ['leaves-nothing', 'R14'] }, async () => {
  await write('lunch', 'bo', 'Between us');
  const chat = await live();

  phone.failNextWrite('failed');
  const told = await codeOf(chat.signOut());
  await chat.signOut();

  expect(told).toBe('storage-failed');
  expect(chat.getState().chats).toEqual([]);
  expect(JSON.stringify(phone.disk.entries())).not.toContain('Between us');
});

test('finds its queue and its files again after somebody else has used the phone', {
  tags: ['leaves-nothing', 'R14'],
}, async () => {
  let chat = await live();
  await phone.goOffline();
  await chat.send('lunch', { text: 'Later', attachments: [pick('mine.jpg', 4_000)] });
  chat.dispose();
  const cy = await launch('cy');
  await phone.pass(SECOND);
  cy.dispose();

  chat = await launch();
  await phone.goOnline();
  await phone.pass(10 * SECOND);

  expect(backend.chats.get('lunch')?.messages).toMatchObject([{ text: 'Later', attachments: [{ sizeBytes: 4_000 }] }]);
});

// ---------------------------------------------------------------------------------------------------------------------
// staff: the server has forgotten

test('begins anew with a read mark that the server has not heard of', {
  tags: ['begins-anew', 'R9'],
}, async () => {
  for (let n = 1; n <= 4; n += 1) await write('lunch', 'bo', `line ${n}`);
  const chat = await live();
  await chat.openChat('lunch');
  await phone.pass(2 * SECOND);
  await phone.goOffline();
  await chat.markRead('lunch', 3);
  backend.write('trip', 'cy', 'Meanwhile');
  backend.forget('ada');
  server.use(http.post(RECEIPTS, () => json(503)));

  await phone.goOnline();
  await phone.pass(20 * SECOND);

  const { connection, chats } = chat.getState();
  expect(connection).toBe('live');
  expect(chats.slice(0, 2)).toMatchObject([
    { chatId: 'trip', preview: 'Meanwhile', unreadCount: 1 },
    { chatId: 'lunch', preview: 'line 4' },
  ]);
  expect(chats[1]?.unreadCount).toBeLessThanOrEqual(1);
});

test('begins anew for a 410 alone, and for no other refusal', {
  tags: ['begins-anew', 'R9'],
}, async () => {
  const chat = await live();
  await chat.openChat('lunch');
  await phone.goOffline();
  await write('lunch', 'bo', 'Meanwhile');
  server.use(http.get(`${API}/chat/all/after`, () => json(403), { once: true }));
  const lists = sentTo('/chat/all').length;

  await phone.goOnline();
  await phone.pass(MINUTE);
  await phone.goOffline();
  await phone.goOnline();
  await phone.pass(MINUTE);

  expect([chat.getState().connection, textsOf(chat, 'lunch')]).toEqual(['live', ['Meanwhile']]);
  expect(sentTo('/chat/all')).toHaveLength(lists);
});

test('begins anew after a 410, and shows no message next to one across the hole', {
  tags: ['begins-anew', 'R9'],
}, async () => {
  for (let n = 1; n <= 5; n += 1) backend.write('lunch', 'bo', `line ${n}`);
  const chat = await live();
  await chat.openChat('lunch');
  await phone.goOffline();
  await chat.send('lunch', { text: 'Mine' });
  for (let n = 6; n <= 80; n += 1) backend.write('lunch', 'bo', `line ${n}`);
  await write('trip', 'cy', 'And this');
  backend.forget('ada');

  await phone.goOnline();
  await phone.pass(20 * SECOND);
  const shown = textsOf(chat, 'lunch');
  await chat.loadOlder('lunch');

  const all = [...Array.from({ length: 80 }, (_, n) => `line ${n + 1}`), 'Mine'];
  expect(shown).toEqual(all.slice(-shown.length));
  expect(shown.length).toBeGreaterThanOrEqual(50);
  expect(textsOf(chat, 'lunch')).toEqual(all);
  expect(chat.getState().chats.map(({ preview }) => preview)).toContain('And this');
});

test('shows no hole when the answer to a message comes after a 410', {
  tags: ['begins-anew', 'R9'],
}, async () => {
  for (let n = 1; n <= 10; n += 1) backend.write('home', 'eve', `line ${n}`);
  await fillFirstPage();
  const chat = await live();
  const road = hold(MESSAGES);
  await chat.send('home', { text: 'mine' });
  await phone.pass(SECOND);
  phone.interceptFrames(() => []);
  for (let n = 12; n <= 90; n += 1) backend.write('home', 'eve', `line ${n}`);
  await fillFirstPage();
  backend.forget('ada');
  backend.pusher.closeAll(4200);
  phone.interceptFrames(null);
  await phone.pass(6 * SECOND);

  road.release();
  await phone.pass(2 * SECOND);
  await chat.openChat('home');
  await write('home', 'eve', 'line 91');
  await phone.pass(5 * SECOND);

  const shown = threadOf(chat, 'home').map(({ sequenceId }) => sequenceId);
  const [oldest] = shown;
  expect(shown).toEqual(Array.from({ length: shown.length }, (_, n) => Number(oldest) + n));
  expect(shown.at(-1)).toBe(91);
});

test('shows an own message at once in a chat that it knows nothing of', {
  tags: ['begins-anew', 'R9'],
}, async () => {
  await fillFirstPage();
  const chat = await live();
  phone.interceptFrames(() => []);
  const road = hold(PAGES);
  void chat.openChat('home');

  await chat.send('home', { text: 'hello' });
  await phone.pass(SECOND);

  expect(threadOf(chat, 'home').map(({ text, status }) => [text, status])).toEqual([['hello', 'sent']]);
  road.release();
});

/** So many chats have news that the others are not on the list's first page. */
async function fillFirstPage(): Promise<void> {
  for (let n = 1; n <= 20; n += 1) {
    if (!backend.chats.has(`more-${n}`)) backend.addChat(`more-${n}`, ['ada', 'bo']);
    await write(`more-${n}`, 'bo', 'hi');
  }
}

// ---------------------------------------------------------------------------------------------------------------------

async function launch(userId = 'ada'): Promise<Chat> {
  const { createChat } = await phone.coldStart(() => import('#attempt/chat'));
  const chat = createChat({ device: phone.device, apiUrl: API, userId, accessToken: backend.issueToken(userId) });
  await chat.start();
  return chat;
}

async function live(): Promise<Chat> {
  const chat = await launch();
  await phone.pass(2 * SECOND);
  return chat;
}

/** Somebody else writes, a moment after whatever was before. */
async function write(chatId: string, userId: string, text: string, sentAt?: string): Promise<void> {
  await phone.pass(10);
  backend.write(chatId, userId, text, sentAt);
  await phone.pass(100);
}

/** A file in the picker's cache. */
function pick(name: string, sizeBytes: number, mime = 'image/jpeg'): PickedFile {
  const uri = CACHE + name;
  phone.disk.files.write(uri, new Uint8Array(sizeBytes).fill(name.charCodeAt(0)));
  return { uri, name, mime, sizeBytes };
}

const copiesOf = (sizeBytes: number): number =>
  phone.disk.files.list().filter((uri) => !uri.startsWith(CACHE) && phone.disk.files.read(uri)?.length === sizeBytes)
    .length;

const threadOf = (chat: Chat, chatId: string): readonly Message[] => chat.getState().threads[chatId]?.messages ?? [];
const textsOf = (chat: Chat, chatId: string): string[] => threadOf(chat, chatId).map(({ text }) => text);
const onServer = (chatId: string): string[] => backend.chats.get(chatId)?.messages.map(({ text }) => text) ?? [];
const receiptOf = (chatId: string) => backend.chats.get(chatId)?.receipts.get('ada');
const sentTo = (path: string) => phone.requests.filter(({ url }) => new URL(url).pathname.endsWith(path));
const posted = (chatId: string) =>
  sentTo(`/chat/${chatId}/message`).map(({ body }) => JSON.parse(body) as { localId: string; text: string });
const ranges = (): string[] =>
  phone.requests.filter(({ method }) => method === 'PUT').map(({ headers }) => headers['content-range'] ?? '');
const openSockets = (): number =>
  phone.sockets.filter(({ state }) => state === 'connecting' || state === 'open').length;

const answerAsUsual = ({ request }: { request: Request }) => backend.app.fetch(request);
const silence = () => new Promise<Response>(() => {});
const json = (status: number, body: object = {}, headers: Record<string, string> = {}): Response =>
  HttpResponse.json(body, { status, headers });

function usual(): void {
  for (const host of [API, UPLOADS]) server.use(http.all(`${host}/*`, answerAsUsual));
}

/** The server does as it is asked; nobody hears of it. */
function loseAnswers(url: string): { count: number } {
  const lost = { count: 0 };
  server.use(
    http.all(url, async ({ request }) => {
      lost.count += 1;
      await backend.app.fetch(request);
      return HttpResponse.error();
    }),
  );
  return lost;
}

/** The server answers at once, but its first `count` answers take until they are released. */
const hold = (url: string, count = Number.POSITIVE_INFINITY) => holdAnswers(server, backend.app.fetch, { url, count });
