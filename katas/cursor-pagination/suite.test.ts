import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Page, Pager, PagerOptions } from '#contract/cursor-pagination';
import { createPhone, type TestPhone } from '#phone/testing';
import { createBackend, type FeedBackend, type Post } from './backend.ts';

const API = 'https://api.cragbook.test';
const POSTS = `${API}/posts`;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LIMIT = 5;

const server = setupServer();
let phone: TestPhone;
let backend: FeedBackend;

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
beforeEach(() => {
  phone = createPhone();
  backend = createBackend(phone.backendContext);
  server.use(http.all(`${API}/*`, ({ request }) => backend.app.fetch(request)));
});
afterEach(() => {
  vi.restoreAllMocks();
  phone.dispose();
  server.resetHandlers();
});
afterAll(() => server.close());

// ---------------------------------------------------------------------------------------------------------------------
// mid: the list grows page by page, holds each post once, and has an end

test('loads page after page in the order of the server', { tags: ['walks-the-feed', 'R12'] }, async () => {
  const pager = await launch({ limit: 7 });

  await pager.loadMore();
  await phone.pass(10 * MINUTE);
  await pager.loadMore();

  expect(pager.getState()).toEqual({
    items: backend.feed().slice(0, 21),
    status: 'idle',
    hasMore: true,
    source: 'network',
    error: null,
  });
});

test('tells listeners what it is doing, until they leave', { tags: ['walks-the-feed', 'R12'] }, async () => {
  const pager = await create();
  const before = pager.getState();
  const seen: string[] = [];
  const leave = pager.subscribe(() => seen.push(pager.getState().status));

  await pager.start();
  await pager.loadMore();
  await pager.refresh();
  const seenBefore = seen.filter((status, n) => status !== seen[n - 1]);
  leave();
  const told = seen.length;
  await pager.loadMore();

  expect(before).toEqual({ items: [], status: 'idle', hasMore: true, source: 'none', error: null });
  expect(seenBefore).toEqual(['loading-first', 'idle', 'loading-more', 'idle', 'refreshing', 'idle']);
  expect(seen).toHaveLength(told);
});

test('asks for twenty at a time through the fetch it was given', { tags: ['walks-the-feed', 'R12'] }, async () => {
  const withToken: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('Authorization', 'Bearer t-31');
    return fetch(input, { ...init, headers });
  };
  const { createPager } = await phone.coldStart(() => import('#attempt/cursor-pagination'));
  const pager = createPager<Post>({ device: phone.device, apiUrl: API, path: '/posts', fetch: withToken });

  await pager.start();

  expect(phone.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer t-31']);
  expect(backend.requests).toMatchObject([{ limit: 20, cursor: null, topic: null }]);
  expect(pager.getState().items).toEqual(backend.feed().slice(0, 20));
});

test('sends back each cursor as it came, with its params', { tags: ['opaque-cursor', 'R1'] }, async () => {
  const pager = await launch({ params: { topic: 'camp & fire' } });

  await pager.loadMore();
  await pager.loadMore();

  const [first, second] = [...backend.issued.keys()];
  expect(backend.requests).toMatchObject([
    { topic: 'camp & fire', cursor: null, status: 200 },
    { topic: 'camp & fire', cursor: first, status: 200 },
    { topic: 'camp & fire', cursor: second, status: 200 },
  ]);
});

test('sends a cursor of two kilobytes unharmed', { tags: ['opaque-cursor', 'R1'] }, async () => {
  const cursor = `next page+1/2=50%&more#end?"ü–" ${'k9+/'.repeat(500)}==`;
  answerInTurn([page(['x1', 'x2'], cursor), page(['x3'], null)]);
  const pager = await launch({ params: { topic: 'trail+rail', beginner: true, year: 2026 } });

  await pager.loadMore();

  const { searchParams } = new URL(phone.requests[1]?.url ?? '');
  expect(Object.fromEntries(searchParams)).toEqual({
    topic: 'trail+rail',
    beginner: 'true',
    year: '2026',
    limit: '5',
    cursor,
  });
  expect(idsOf(pager)).toEqual(['x1', 'x2', 'x3']);
});

test('asks once for a page, however many ask for it', { tags: ['one-page-at-a-time', 'R2'] }, async () => {
  const pager = await launch();
  const road = blockRoad();

  const calls = [pager.loadMore(), pager.loadMore(), pager.loadMore()];
  await phone.settle();
  calls.push(pager.loadMore(), pager.loadMore());
  await phone.settle();
  road.open();
  await Promise.all(calls);

  expect(phone.requests).toHaveLength(2);
  expect(pager.getState().items).toEqual(backend.feed().slice(0, 10));
});

test('joins a first page or a refresh that is out', { tags: ['one-page-at-a-time', 'R2'] }, async () => {
  const pager = await create();

  await Promise.all([pager.start(), pager.loadMore(), pager.refresh()]);
  const sentAtFirst = phone.requests.length;
  await Promise.all([pager.refresh(), pager.loadMore(), pager.refresh(), pager.loadMore()]);

  expect([sentAtFirst, phone.requests.length]).toEqual([1, 2]);
  expect(pager.getState().items).toEqual(backend.feed().slice(0, 5));
});

test('joins a first page that is on its way, whatever has asked for it', {
  tags: ['one-page-at-a-time', 'R2'],
}, async () => {
  const pager = await create();
  backend.failNext(503);
  await pager.start();
  const cursorLost = () => HttpResponse.json({ error: 'invalid_cursor' }, { status: 400 });
  const ways: [() => Promise<void>, string][] = [
    [() => pager.loadMore(), 'loading-first'],
    [() => pager.refresh(), 'refreshing'],
    [() => pager.setParams({ topic: 'boats' }), 'loading-first'],
    [() => pager.loadMore(), 'refreshing'],
  ];
  const seen: unknown[] = [];

  for (const [nth, [ask]] of ways.entries()) {
    const road = blockRoad();
    if (nth === 3) server.use(http.get(POSTS, cursorLost, { once: true }));
    const calls = [ask()];
    await phone.settle();
    const sentBefore = phone.requests.length;
    calls.push(pager.refresh(), pager.loadMore());
    await phone.settle();
    seen.push([pager.getState().status, phone.requests.length - sentBefore]);
    road.open();
    await Promise.all(calls);
  }

  expect(seen).toEqual(ways.map(([, status]) => [status, 0]));
});

test('updates a post that comes again, where it stands', { tags: ['no-post-twice', 'E1'] }, async () => {
  const pager = await launch();
  const firstPage = backend.feed().slice(0, 5);
  const fifth = firstPage[4] as Post;

  backend.rename(fifth.id, 'Now with photos');
  backend.move(fifth.id, fifth.score - 5);
  await pager.loadMore();

  const { items } = pager.getState();
  expect(items[4]).toEqual({ ...fifth, title: 'Now with photos', score: fifth.score - 5 });
  expect(items.slice(0, 4)).toEqual(firstPage.slice(0, 4));
  expect(new Set(idsOf(pager)).size).toBe(items.length);
  expect(items).toHaveLength(9);
});

test('shows a post once that a page holds twice', { tags: ['no-post-twice', 'R3'] }, async () => {
  answerInTurn([
    page(['m1', 'm2', { id: 'm1', title: 'second look' }], 'c-1'),
    page(['m3', 'm2', { id: 'm3', title: 'edited' }, { id: 'm2', title: 'edited too' }], null),
  ]);
  const pager = await launch();
  const first = pager.getState().items.map(({ id, title }) => [id, title]);

  await pager.loadMore();

  expect(first).toEqual([
    ['m1', 'second look'],
    ['m2', 'm2'],
  ]);
  expect(pager.getState().items.map(({ id, title }) => [id, title])).toEqual([
    ['m1', 'second look'],
    ['m2', 'edited too'],
    ['m3', 'edited'],
  ]);
});

test('goes on after a short page and ends at null', { tags: ['knows-the-end', 'R4', 'E8'] }, async () => {
  backend.hide(['p-58', 'p-46', 'p-43', 'p-40']);
  const pager = await launch({ params: { topic: 'boats' } });

  for (let call = 0; call < 12 && pager.getState().hasMore; call += 1) await pager.loadMore();
  const end = pager.getState();
  const old = backend.feed('boats');
  const fresh = backend.post({ topic: 'boats', score: 99, title: 'A new hull' });
  const sent = phone.requests.length;
  let told = 0;
  const leave = pager.subscribe(() => {
    told += 1;
  });
  await pager.loadMore();
  const sentAtTheEnd = phone.requests.length - sent + told;
  leave();
  await pager.refresh();

  expect(end).toMatchObject({ items: old, hasMore: false, status: 'idle' });
  expect(sentAtTheEnd).toBe(0);
  expect(pager.getState().hasMore).toBe(true);
  expect(idsOf(pager)[0]).toBe(fresh.id);
});

test('shows all of a page that holds more than it asked for', { tags: ['knows-the-end', 'E5'] }, async () => {
  answerInTurn([page(['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'c-9'), page(['h', 'i', 'j', 'k', 'l', 'm'], null)]);
  const pager = await launch();

  await pager.loadMore();

  expect(idsOf(pager).join('')).toBe('abcdefghijklm');
  expect(pager.getState().hasMore).toBe(false);
});

test('becomes the fresh first page in one change', { tags: ['refreshes-in-one-change', 'R7'] }, async () => {
  const pager = await launch();
  await pager.loadMore();
  const old = idsOf(pager);
  backend.post({ topic: 'boats', score: 98, title: 'Sails for sale' });
  const lists: string[] = [];
  const leave = pager.subscribe(() => lists.push(idsOf(pager).join()));
  const road = blockRoad();

  const refreshed = pager.refresh();
  await phone.settle();
  const { status } = pager.getState();
  road.open();
  await refreshed;
  const fresh = idsOf(pager);
  leave();
  await pager.loadMore();

  expect(status).toBe('refreshing');
  expect(fresh).toEqual(feedIds().slice(0, 5));
  expect(new Set(lists)).toEqual(new Set([old.join(), fresh.join()]));
  expect(idsOf(pager)).toEqual(feedIds().slice(0, 10));
});

test('clears the list at once when the params change', { tags: ['one-question-at-a-time', 'R8'] }, async () => {
  const pager = await launch();

  const changed = pager.setParams({ topic: 'trail+rail' });
  const meanwhile = pager.getState();
  await changed;
  const first = pager.getState().items;
  await pager.loadMore();

  expect(meanwhile).toEqual({ items: [], status: 'loading-first', hasMore: true, source: 'none', error: null });
  expect(first).toEqual(backend.feed('trail+rail').slice(0, 5));
  expect(backend.requests.at(-1)).toMatchObject({ topic: 'trail+rail', status: 200 });
});

test('sends nothing while offline and says so at once', { tags: ['silent-offline', 'R11'] }, async () => {
  const pager = await launch();
  const shown = pager.getState();
  await phone.goOffline();

  await pager.loadMore();
  const afterMore = pager.getState();
  await pager.refresh();
  const afterRefresh = pager.getState();
  const sentOffline = phone.requests.length - 1;
  await phone.goOnline('cellular');
  await pager.loadMore();

  expect(sentOffline).toBe(0);
  expect(afterMore).toEqual({ ...shown, error: { code: 'network' } });
  expect(afterRefresh).toEqual(afterMore);
  expect(pager.getState()).toMatchObject({ items: backend.feed().slice(0, 10), error: null });
});

test('changes and sends nothing after dispose', { tags: ['ends-cleanly', 'R12'] }, async () => {
  const listenersBefore = phone.listenerCount();
  const { signals, fetch: watched } = watchSignals();
  const pager = await launch({ fetch: watched });
  const road = blockRoad();
  const onTheWay = pager.loadMore();
  await phone.settle();
  let told = 0;
  pager.subscribe(() => {
    told += 1;
  });

  pager.dispose();
  const left = pager.getState();
  road.open();
  await phone.settle();
  await Promise.all([onTheWay, pager.loadMore(), pager.refresh(), pager.setParams({ topic: 'boats' }), pager.start()]);
  await phone.pass(MINUTE);

  expect(signals.at(-1)?.aborted).toBe(true);
  expect(phone.requests).toHaveLength(2);
  expect(told).toBe(0);
  expect(pager.getState()).toEqual(left);
  expect(phone.listenerCount()).toBe(listenersBefore);
});

test('shows and sends nothing when disposed while it reads the store', { tags: ['ends-cleanly', 'R12'] }, async () => {
  await launch({ cacheKey: 'home-feed' });
  await phone.settle();
  const pager = await create({ cacheKey: 'home-feed' });
  const before = phone.requests.length;

  const started = pager.start();
  pager.dispose();
  const left = pager.getState();
  await started;
  await phone.settle();

  expect(pager.getState()).toEqual(left);
  expect(phone.requests).toHaveLength(before);
});

// ---------------------------------------------------------------------------------------------------------------------
// senior: bad networks, late answers, restarts

test('keeps the list when a page fails', { tags: ['keeps-the-list', 'R5'] }, async () => {
  const pager = await launch();
  await pager.loadMore();
  const shown = pager.getState();

  backend.failNext(503);
  await pager.loadMore();
  const failed = pager.getState();
  await pager.loadMore();

  expect(failed).toEqual({ ...shown, error: { code: 'http', status: 503 } });
  expect(pager.getState()).toMatchObject({ items: backend.feed().slice(0, 15), error: null });
});

test('keeps list and cursor when a refresh fails', { tags: ['keeps-the-list', 'R7'] }, async () => {
  const pager = await launch();
  await pager.loadMore();
  const shown = pager.getState();

  backend.failNext(429);
  await pager.refresh();
  const failed = pager.getState();
  await pager.loadMore();

  expect(failed).toEqual({ ...shown, error: { code: 'http', status: 429 } });
  expect(idsOf(pager)).toEqual(feedIds().slice(0, 15));
});

test('asks for a failed page again with the same cursor', { tags: ['asks-the-same-again', 'R5'] }, async () => {
  const pager = await launch();
  await pager.loadMore();
  const cursor = [...backend.issued.keys()].at(-1);
  server.use(http.get(POSTS, () => HttpResponse.error(), { once: true }));

  await pager.loadMore();
  const broken = pager.getState().error;
  backend.failNext(500, 400);
  await pager.loadMore();
  await pager.loadMore();
  await pager.loadMore();

  expect(broken).toEqual({ code: 'network' });
  expect(phone.requests.slice(-4).map(cursorOf)).toEqual([cursor, cursor, cursor, cursor]);
  expect(idsOf(pager)).toEqual(feedIds().slice(0, 15));
});

test('tells a lost body from a page that is none', { tags: ['keeps-the-list', 'R5'] }, async () => {
  const pager = await launch();
  const shown = pager.getState();
  const torn = () =>
    new Response(
      new ReadableStream({
        start(body) {
          body.enqueue(new TextEncoder().encode('{"items":[],'));
          body.error(new Error('the line is dead'));
        },
      }),
    );
  answerInTurn([torn, () => new Response('{"items":[],')]);

  await pager.loadMore();
  const lost = pager.getState();
  await pager.loadMore();

  expect(lost).toEqual({ ...shown, error: { code: 'network' } });
  expect(pager.getState()).toEqual({ ...shown, error: { code: 'bad-response' } });
});

test('says why a fetchPage it was given has failed', { tags: ['keeps-the-list', 'R5'] }, async () => {
  const failures = [
    { code: 'http', status: 418 },
    { code: 'http' },
    { code: 'bad-response', status: 200 },
    { code: 'ECONNRESET', status: 7 },
    new Error('boom'),
    'no reason',
    null,
  ];
  const left = [...failures];
  const pager = await launch({
    fetchPage: async ({ cursor }) => (cursor === null ? page(['a', 'b'], 'c-1') : Promise.reject(left.shift())),
  });
  const errors: unknown[] = [];

  for (const _ of failures) {
    await pager.loadMore();
    errors.push(pager.getState().error);
  }

  expect(errors).toEqual([
    { code: 'http', status: 418 },
    { code: 'http' },
    { code: 'bad-response' },
    { code: 'network' },
    { code: 'network' },
    { code: 'network' },
    { code: 'network' },
  ]);
  expect(idsOf(pager)).toEqual(['a', 'b']);
});

test('takes what is no page for a failed one', { tags: ['knows-a-page', 'E9'] }, async () => {
  const pager = await launch();
  const shown = pager.getState();
  const portal = () => HttpResponse.html('<html><body>Welcome aboard. Accept our terms.</body></html>');
  const notPages = [
    {},
    [],
    null,
    { items: 'none', nextCursor: null },
    { items: [] },
    { items: [{}], nextCursor: null },
    { items: [], nextCursor: 7 },
  ];
  answerInTurn([portal, ...notPages.map((body) => () => HttpResponse.json(body))]);

  const states: unknown[] = [];
  for (let call = 0; call <= notPages.length; call += 1) {
    await pager.loadMore();
    states.push(pager.getState());
  }
  await pager.loadMore();

  expect(states).toMatchObject(Array(8).fill({ ...shown, error: { code: 'bad-response' } }));
  expect(idsOf(pager)).toEqual(feedIds().slice(0, 10));
});

test('tries again only when it is asked to', { tags: ['never-retries', 'R5'] }, async () => {
  const pager = await launch();
  backend.failNext(503, 503);
  await pager.loadMore();
  await pager.refresh();

  await phone.goOffline();
  await phone.goOnline();
  await phone.goToBackground();
  await phone.goToForeground();
  await phone.pass(10 * MINUTE);

  expect(phone.requests).toHaveLength(3);
  expect(pager.getState().error).toEqual({ code: 'http', status: 503 });
});

test('lets a refresh overtake a next page', { tags: ['newest-question-wins', 'E4'] }, async () => {
  const { signals, fetch: watched } = watchSignals();
  const pager = await launch({ fetch: watched });
  const road = blockRoad();

  const calls = [pager.loadMore()];
  await phone.settle();
  calls.push(pager.refresh());
  await phone.settle();
  road.open();
  await Promise.all(calls);

  expect(signals.slice(1).map((signal) => signal?.aborted)).toEqual([true, false]);
  expect(phone.requests.map(cursorOf).at(-1)).toBeNull();
  expect(pager.getState()).toMatchObject({ items: backend.feed().slice(0, 5), status: 'idle', error: null });
});

test('ignores what was aborted and answers all the same', { tags: ['newest-question-wins', 'E6'] }, async () => {
  const deaf: typeof fetch = (input, init) => fetch(input, { ...init, signal: null });
  const pager = await launch({ fetch: deaf });
  const road = blockRoad();
  const calls = [pager.loadMore()];
  await phone.settle();
  calls.push(pager.refresh());
  await phone.settle();
  calls.push(pager.setParams({ topic: 'boats' }));
  await phone.settle();

  road.answer(2);
  await phone.settle();
  const answered = pager.getState();
  road.answer(0);
  await phone.settle();
  road.answer(1, () => HttpResponse.json({ error: 'oops' }, { status: 500 }));
  await phone.settle();
  await Promise.all(calls);

  expect(answered).toMatchObject({ items: backend.feed('boats').slice(0, 5), status: 'idle', error: null });
  expect(pager.getState()).toEqual(answered);
});

test('shows the last of three questions in a tick', { tags: ['newest-question-wins', 'E10'] }, async () => {
  const pager = await launch({ params: { topic: 'boats' } });
  const shown: string[] = [];
  pager.subscribe(() => shown.push(...pager.getState().items.map(({ topic }) => topic)));

  const calls = ['camp & fire', 'boats', 'trail+rail'].map((topic) => pager.setParams({ topic }));
  await Promise.all(calls);
  await phone.settle();
  const road = blockRoad();
  calls.push(pager.setParams({ topic: 'boats' }), pager.setParams({ topic: 'trail+rail' }));
  await phone.settle();
  const { status } = pager.getState();
  road.open();
  await Promise.all(calls);

  expect(status).toBe('loading-first');
  expect(pager.getState()).toMatchObject({
    items: backend.feed('trail+rail').slice(0, 5),
    status: 'idle',
    error: null,
  });
  expect(new Set(shown)).toEqual(new Set(['trail+rail']));
});

test('passes over pages that bring nothing new', { tags: ['passes-over-empty-pages', 'E3'] }, async () => {
  const edited = { id: 'b', title: 'edited' };
  const down = () => HttpResponse.json({ error: 'unavailable' }, { status: 503 });
  answerInTurn([page(['a', 'b'], 'c-1'), page([edited, 'a'], 'c-2'), down, page([], 'c-3'), page(['a', 'z'], 'c-4')]);
  const pager = await launch();

  await pager.loadMore();
  const failed = pager.getState();
  const statuses: string[] = [];
  pager.subscribe(() => statuses.push(pager.getState().status));
  await pager.loadMore();

  expect(phone.requests.map(cursorOf)).toEqual([null, 'c-1', 'c-2', 'c-2', 'c-3']);
  expect(failed).toMatchObject({ items: [{ id: 'a' }, edited], hasMore: true, error: { code: 'http', status: 503 } });
  expect(idsOf(pager)).toEqual(['a', 'b', 'z']);
  expect(statuses.filter((status, n) => status !== statuses[n - 1])).toEqual(['loading-more', 'idle']);
});

test('asks for five pages in a call at most', { tags: ['passes-over-empty-pages', 'E3'] }, async () => {
  answerInTurn([page(['a', 'b'], 'c-0'), ...Array.from({ length: 30 }, (_, n) => page([], `c-${n + 1}`))]);
  const pager = await launch();

  void pager.loadMore();
  await waitFor(() => phone.requests.length >= 6);
  const sent = phone.requests.length;
  const state = pager.getState();
  void pager.loadMore();
  await waitFor(() => phone.requests.length >= 11);

  expect(sent).toBe(6);
  expect(state).toMatchObject({ status: 'idle', hasMore: true, error: null });
  expect(idsOf(pager)).toEqual(['a', 'b']);
  expect(phone.requests.slice(6).map(cursorOf)).toEqual(['c-5', 'c-6', 'c-7', 'c-8', 'c-9']);
});

test('shows the stored first page before any answer', { tags: ['shows-the-stored-page', 'R9'] }, async () => {
  const pager = await launch({ cacheKey: 'home-feed' });
  await pager.loadMore();
  backend.post({ topic: 'boats', score: 97, title: 'Leak found' });
  await pager.setParams({ topic: 'boats' });
  await pager.setParams({});
  await phone.settle();
  const stored = phone.disk.entries().length;
  const road = blockRoad();

  const relaunched = await create({ cacheKey: 'home-feed' });
  const started = relaunched.start();
  await phone.settle();
  const early = relaunched.getState();
  backend.remove('p-60');
  road.open();
  await started;

  expect(stored).toBe(1);
  expect(early).toMatchObject({ items: pager.getState().items, status: 'refreshing', hasMore: true, source: 'cache' });
  expect(relaunched.getState()).toMatchObject({ items: backend.feed().slice(0, 5), source: 'network' });
});

test('stores first pages and nothing else', { tags: ['shows-the-stored-page', 'R9'] }, async () => {
  await launch();
  await phone.settle();
  const withoutKey = phone.disk.entries().length;
  const pager = await launch({ cacheKey: 'home-feed' });
  const firstPage = idsOf(pager);
  await pager.loadMore();
  backend.failNext(503);
  await pager.refresh();
  await phone.settle();
  await phone.goOffline();

  const relaunched = await launch({ cacheKey: 'home-feed' });

  expect(withoutKey).toBe(0);
  expect([relaunched.getState().source, idsOf(relaunched)]).toEqual(['cache', firstPage]);
});

test('asks for the top while it shows the stored page', { tags: ['stored-page-has-no-cursor', 'R9'] }, async () => {
  await launch({ cacheKey: 'home-feed' });
  await phone.settle();
  backend.failNext(503);

  const relaunched = await launch({ cacheKey: 'home-feed' });
  const failed = relaunched.getState();
  await relaunched.loadMore();

  expect(failed).toMatchObject({
    source: 'cache',
    hasMore: true,
    status: 'idle',
    error: { code: 'http', status: 503 },
  });
  expect(failed.items).toHaveLength(5);
  expect(backend.requests.map(({ cursor }) => cursor)).toEqual([null, null, null]);
  expect(relaunched.getState()).toMatchObject({ source: 'network', error: null });
});

test('shows no stored page of other params', { tags: ['stored-page-of-these-params', 'R9'] }, async () => {
  await launch({ cacheKey: 'home-feed', params: { topic: 'boats', draft: false } });
  await phone.settle();
  await phone.goOffline();

  const other = await launch({ cacheKey: 'home-feed', params: { topic: 'boats', draft: true } });
  const otherList = await launch({ cacheKey: 'group-feed', params: { topic: 'boats', draft: false } });
  const none = await launch({ cacheKey: 'home-feed' });
  const same = await launch({ cacheKey: 'home-feed', params: { draft: false, topic: 'boats' } });

  expect([other, otherList, none].map((one) => one.getState().source)).toEqual(['none', 'none', 'none']);
  expect(other.getState().items).toEqual([]);
  expect(same.getState()).toMatchObject({ source: 'cache', items: backend.feed('boats').slice(0, 5) });
});

// ---------------------------------------------------------------------------------------------------------------------
// staff: cursors that end, a disk that fails, a clock that is wrong

test('begins again from the top when the cursor is refused', { tags: ['restarts-from-the-top', 'R10'] }, async () => {
  const pager = await launch();
  await pager.loadMore();
  const shown = idsOf(pager);
  backend.post({ topic: 'boats', score: 96, title: 'High water' });
  await phone.pass(16 * MINUTE);
  const lists: string[] = [];
  pager.subscribe(() => lists.push(idsOf(pager).join()));

  await pager.loadMore();
  const restarted = pager.getState();
  server.use(http.get(POSTS, () => HttpResponse.json({ error: 'invalid_cursor' }, { status: 400 }), { once: true }));
  await pager.loadMore();

  const sent = phone.requests.slice(2).map(cursorOf);
  expect(sent.map((cursor) => cursor === null)).toEqual([false, true, false, true]);
  expect(restarted).toMatchObject({ items: backend.feed().slice(0, 5), status: 'idle', error: null });
  expect(new Set(lists)).toEqual(new Set([shown.join(), feedIds().slice(0, 5).join()]));
  expect(pager.getState()).toMatchObject({ items: backend.feed().slice(0, 5), error: null });
});

test('does not loop when the top is refused too', { tags: ['restarts-from-the-top', 'R10'] }, async () => {
  const pager = await launch();
  const shown = pager.getState();
  const gone = () => HttpResponse.json({ error: 'cursor_expired' }, { status: 410 });
  answerInTurn(Array(20).fill(gone));

  void pager.loadMore();
  await waitFor(() => phone.requests.length >= 3);

  expect(phone.requests.map(cursorOf).map((cursor) => cursor === null)).toEqual([true, false, true]);
  expect(pager.getState()).toEqual({ ...shown, error: { code: 'http', status: 410 } });
});

test('takes no other answer for a refused cursor', { tags: ['restarts-from-the-top', 'R10'] }, async () => {
  const pager = await launch();
  const shown = pager.getState();
  const others = [
    () => HttpResponse.json({ error: 'invalid_cursor' }, { status: 422 }),
    () => HttpResponse.json({ error: 'invalid_topic' }, { status: 400 }),
    () => HttpResponse.json(null, { status: 400 }),
  ];
  answerInTurn(others);
  const states: unknown[] = [];

  for (const _ of others) {
    await pager.loadMore();
    states.push(pager.getState());
  }

  expect(states).toEqual([422, 400, 400].map((status) => ({ ...shown, error: { code: 'http', status } })));
  expect(phone.requests.slice(1).map(cursorOf)).toEqual(Array(3).fill([...backend.issued.keys()].at(0)));
});

test('takes the word of a fetchPage for a refused cursor', { tags: ['restarts-from-the-top', 'R10'] }, async () => {
  const asked: (string | null)[] = [];
  const answers = [page(['a', 'b'], 'c-1'), 'restart', page(['b', 'c'], 'c-2'), 'restart', 'restart'] as const;
  const left: (Page<Post> | 'restart')[] = [...answers];
  const pager = await launch({
    fetchPage: async ({ cursor }) => {
      asked.push(cursor);
      return left.shift() ?? page([], null);
    },
  });

  await pager.loadMore();
  const restarted = idsOf(pager);
  await pager.loadMore();

  expect(restarted).toEqual(['b', 'c']);
  expect(asked).toEqual([null, 'c-1', null, 'c-2', null]);
  expect(pager.getState()).toMatchObject({ items: [{ id: 'b' }, { id: 'c' }], error: { code: 'bad-response' } });
  expect(phone.requests).toEqual([]);
});

test('lives with a disk that is damaged or full', { tags: ['lives-with-a-bad-disk', 'E7'] }, async () => {
  await launch({ cacheKey: 'home-feed' });
  await phone.settle();
  for (const { module, key, value } of phone.disk.entries()) {
    phone.disk[module].set(key, value.slice(0, value.length / 2));
  }
  const road = blockRoad();
  const pager = await create({ cacheKey: 'home-feed' });
  const started = pager.start();
  await phone.settle();
  const early = pager.getState();

  phone.failNextWrite('full');
  road.open();
  await started;
  await phone.settle();

  expect(early).toMatchObject({ items: [], source: 'none', status: 'loading-first' });
  expect(pager.getState()).toMatchObject({ items: backend.feed().slice(0, 5), source: 'network', error: null });
});

test('refreshes when the clock was set back', { tags: ['trusts-no-clock', 'E11'] }, async () => {
  const pager = await launch();
  const fresh = backend.post({ topic: 'boats', score: 95, title: 'Time travel' });

  phone.jumpClock(-HOUR);
  await pager.refresh();

  expect(idsOf(pager)[0]).toBe(fresh.id);
  expect(phone.requests).toHaveLength(2);
});

// ---------------------------------------------------------------------------------------------------------------------

type Answer = Page<Post> | (() => Response);

/** Launches the app, as after a kill if it ran before, without starting the pager. */
async function create(options: Partial<PagerOptions<Post>> = {}): Promise<Pager<Post>> {
  const { createPager } = await phone.coldStart(() => import('#attempt/cursor-pagination'));
  return createPager<Post>({ device: phone.device, apiUrl: API, path: '/posts', limit: LIMIT, ...options });
}

async function launch(options: Partial<PagerOptions<Post>> = {}): Promise<Pager<Post>> {
  const pager = await create(options);
  await pager.start();
  return pager;
}

const idsOf = (pager: Pager<Post>): string[] => pager.getState().items.map(({ id }) => id);
const feedIds = (): string[] => backend.feed().map(({ id }) => id);
const cursorOf = ({ url }: { url: string }): string | null => new URL(url).searchParams.get('cursor');

/** A page made by hand. A post that is only named has its id for a title. */
function page(posts: readonly (string | { id: string; title: string })[], nextCursor: string | null): Page<Post> {
  const items = posts.map((one) => (typeof one === 'string' ? { id: one, title: one } : one));
  const rest = { topic: 'boats', score: 1, createdAt: '2026-03-01T18:00:00.000Z' };
  return { items: items.map((item) => ({ ...item, ...rest })), nextCursor };
}

/** Answers the next requests one by one, then leaves them to the server. */
function answerInTurn(answers: readonly Answer[]): void {
  const left = [...answers];
  server.use(
    http.get(POSTS, ({ request }) => {
      const answer = left.shift();
      if (!answer) return backend.app.fetch(request);
      return typeof answer === 'function' ? answer() : HttpResponse.json(answer);
    }),
  );
}

/** Requests wait on their way to the server until they are let through. */
function blockRoad() {
  const waiting: ((answer?: () => Response) => void)[] = [];
  let isOpen = false;
  server.use(
    http.get(POSTS, async ({ request }) => {
      const answer = isOpen ? undefined : await new Promise<(() => Response) | undefined>((go) => waiting.push(go));
      return answer ? answer() : backend.app.fetch(request.clone());
    }),
  );
  return {
    /** Answers the nth request that waits, from 0, by the server or by hand. */
    answer: (nth: number, by?: () => Response) => waiting[nth]?.(by),
    open() {
      isOpen = true;
      for (const go of waiting) go();
    },
  };
}

/** A `fetch` that remembers the signal of each request. */
function watchSignals() {
  const signals: (AbortSignal | null | undefined)[] = [];
  const watched: typeof fetch = (input, init) => {
    signals.push(init?.signal ?? (input instanceof Request ? input.signal : undefined));
    return fetch(input, init);
  };
  return { signals, fetch: watched };
}

/** Lets things happen until it is so, and then some more: what goes on without end is not waited for. */
async function waitFor(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20 && !isSo(); turn += 1) await phone.pass(1);
  await phone.pass(1);
  await phone.pass(1);
}
