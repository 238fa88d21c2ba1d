import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Changes, Fields, Resolve, Row, Schema, SyncDatabase, SyncOptions } from '#contract/delta-sync';
import { codeOf, createPhone, holdAnswers, type TestPhone } from '#phone/testing';
import { createBackend, type SyncBackend } from './backend.ts';

const API = 'https://api.example.test';
const SYNC = `${API}/sync`;
const HOUR = 3_600_000;

const text = (since = 1) => ({ type: 'string', since }) as const;
const number = (since = 1) => ({ type: 'number', since }) as const;
const truth = (since = 1) => ({ type: 'boolean', since }) as const;

const SCHEMA: Schema = {
  version: 1,
  tables: { task: { title: text(), done: truth(), order: number() }, tag: { label: text() } },
};
/** The same app, two versions later. */
const SCHEMA_3: Schema = {
  version: 3,
  tables: {
    task: { title: text(), done: truth(), order: number(), starred: truth(2), note: text(3) },
    tag: { label: text() },
    list: { name: text(3), size: number(3) },
  },
};
const MILK = { title: 'milk', done: false, order: 1 };
const BREAD = { title: 'Brot "dunkel"', done: true, order: 2.5 };

const server = setupServer();
let phone: TestPhone;
let backend: SyncBackend;

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
beforeEach(() => {
  phone = createPhone();
  backend = createBackend(phone.backendContext);
  server.use(http.all(SYNC, answerAsUsual));
});
afterEach(() => {
  phone.dispose();
  server.resetHandlers();
});
afterAll(() => server.close());

// ---------------------------------------------------------------------------------------------------------------------
// mid: rows on the phone, pulled and pushed

test('makes ids of 16 letters and digits, and keeps them', { tags: ['makes-its-own-ids', 'R1'] }, async () => {
  const database = await launch();

  const ids = await Promise.all(Array.from({ length: 40 }, () => database.create('task', MILK)));
  await database.sync();
  await database.sync();
  const relaunched = await launch();

  expect(ids.filter((id) => !/^[a-zA-Z0-9]{16}$/.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(40);
  expect(idsOf(await relaunched.list('task'))).toEqual([...ids].sort());
  expect(idsOf(backend.rows('task'))).toEqual([...ids].sort());
});

test('stores a write with its need to be pushed, whenever the app is killed', {
  tags: ['stores-with-bookkeeping', 'R2'],
}, async () => {
  const seen: unknown[] = [];
  for (const fault of ['kill-before', 'kill-after'] as const) {
    for (let after = 0; after < 3; after += 1) {
      freshPhone();
      const database = await launch();
      phone.failNextWrite(fault, { after });
      const wasKilled = (await ending(database.create('task', MILK))) === 'no answer';
      const relaunched = wasKilled ? await launch() : database;
      const rows = await relaunched.list('task');
      seen.push([rows.length, relaunched.getState().unsynced]);
    }
  }

  expect(seen.filter((one) => !['[0,0]', '[1,1]'].includes(JSON.stringify(one)))).toEqual([]);
});

test('rejects a write that the storage has refused, and changes nothing', {
  tags: ['stores-with-bookkeeping', 'R2'],
}, async () => {
  const database = await launch();
  const id = await database.create('task', MILK);

  const codes: string[] = [];
  for (const write of [
    () => database.create('task', BREAD),
    () => database.update('task', id, { order: 7 }),
    () => database.remove('task', id),
  ]) {
    phone.failNextWrite('full');
    codes.push(await codeOf(write()));
  }

  expect(codes).toEqual(['storage', 'storage', 'storage']);
  expect([await database.list('task'), database.getState().unsynced]).toEqual([[{ id, ...MILK }], 1]);
});

test('takes local writes while a pull is under way, and while it is being stored', {
  tags: ['writes-at-any-time', 'E12', 'R2'],
}, async () => {
  for (let n = 0; n < 20; n += 1) backend.write('task', `remote-${n}`, { ...MILK, order: n });
  const database = await launch();
  const known = await database.create('task', MILK);
  const answer = holdAnswer('get');

  const syncing = database.sync();
  await phone.settle();
  const early = await ending(database.create('task', BREAD));
  phone.holdWrites();
  answer.release();
  await phone.settle();
  const writes = [
    codeOf(database.create('task', BREAD)),
    codeOf(database.update('task', known, { title: 'oat milk' })),
    codeOf(database.create('tag', { label: 'urgent' })),
  ];
  await phone.settle();
  await phone.releaseWrites();
  const codes = await Promise.all(writes);
  await syncing;
  await database.sync();

  expect([early, ...codes]).toEqual(['none', 'none', 'none', 'none']);
  expect([backend.rows('task').length, backend.rows('tag').length]).toEqual([23, 1]);
  expect(backend.row('task', known)?.title).toBe('oat milk');
});

test('shows rows by the columns of the schema', { tags: ['shows-rows', 'R14'] }, async () => {
  const database = await launch();

  const milk = await database.create('task', MILK);
  const blank = await database.create('task', {});
  const gone = await database.create('task', BREAD);
  await database.update('task', milk, { title: 'O\'Reilly; DROP TABLE "task" 温度計', done: true });
  await database.update('task', blank, { order: 0, done: false });
  await database.remove('task', gone);
  const seen = async (of: SyncDatabase) => [
    await of.get('task', milk),
    await of.get('task', blank),
    await of.get('task', gone),
    idsOf(await of.list('task')),
    await of.list('tag'),
  ];
  const first = await seen(database);

  expect(first).toEqual([
    { id: milk, title: 'O\'Reilly; DROP TABLE "task" 温度計', done: true, order: 1 },
    { id: blank, title: null, done: false, order: 0 },
    null,
    [milk, blank].sort(),
    [],
  ]);
  expect(await seen(await launch())).toEqual(first);
});

test('turns down what the schema does not know, and rows that are not there', {
  tags: ['shows-rows', 'R14'],
}, async () => {
  const database = await launch();
  const id = await database.create('task', MILK);
  const gone = await database.create('task', BREAD);
  await database.remove('task', gone);

  const codes = await Promise.all([
    codeOf(database.create('toString', {})),
    codeOf(database.list('nothing')),
    codeOf(database.create('task', { color: 'red' })),
    codeOf(database.update('task', id, { constructor: 'x' } as Fields)),
    codeOf(database.update('task', id, { done: 1 })),
    codeOf(database.update('task', id, { order: Number.NaN })),
    codeOf(database.update('task', 'unknown', { done: true })),
    codeOf(database.update('task', gone, { done: true })),
    codeOf(database.remove('task', gone)),
    codeOf(database.remove('tag', id)),
  ]);

  expect(codes).toEqual([...Array(6).fill('invalid'), ...Array(4).fill('not-found')]);
  expect(await database.list('task')).toEqual([{ id, ...MILK }]);
});

test('tells its state at each change, and what is left to push over a restart', {
  tags: ['tells-its-state', 'R14'],
}, async () => {
  const database = await launch();
  const seen: string[] = [];
  const note = () => {
    const { status, unsynced, error } = database.getState();
    const line = `${status} ${unsynced} ${error?.code ?? 'fine'}`;
    if (seen.at(-1) !== line) seen.push(line);
  };
  const before = database.getState();
  const leave = database.subscribe(note);

  const id = await database.create('task', MILK);
  await database.create('tag', { label: 'a' });
  await database.update('task', id, { done: true });
  await database.sync();
  leave();
  await database.update('task', id, { order: 2 });
  const updated = database.getState().unsynced;
  await database.remove('task', id);
  const { lastPulledAt } = database.getState();
  const relaunched = await launch();

  expect(before).toEqual({ status: 'idle', lastPulledAt: null, unsynced: 0, error: null });
  // Between the last two it may show that the push is done while the sync is not.
  expect(seen.filter((line) => line !== 'pushing 0 fine')).toEqual([
    'idle 1 fine',
    'idle 2 fine',
    'pulling 2 fine',
    'pushing 2 fine',
    'idle 0 fine',
  ]);
  expect([updated, lastPulledAt]).toEqual([1, backend.pulls[0]?.timestamp]);
  expect(relaunched.getState()).toEqual({ status: 'idle', lastPulledAt, unsynced: 1, error: null });
});

test('lets calls wait until it has started, and starts after a failure', {
  tags: ['tells-its-state', 'R14'],
}, async () => {
  const database = await create();
  const early = [codeOf(database.create('task', MILK)), codeOf(database.list('task')), codeOf(database.sync())];
  await phone.settle();
  const sentBefore = phone.requests.length;

  phone.failNextWrite('full');
  const first = await codeOf(database.start());
  await database.start();
  await database.start();

  expect([first, sentBefore]).toEqual(['storage', 0]);
  expect(await Promise.all(early)).toEqual(['none', 'none', 'none']);
  expect(backend.rows('task')).toHaveLength(1);
});

test('pulls, then pushes with the time of that pull', { tags: ['pulls-then-pushes', 'E7', 'R3'] }, async () => {
  backend.write('task', 'remote', BREAD);
  const database = await launch();
  const id = await database.create('task', MILK);

  const first = await database.sync();
  const second = await database.sync();
  const third = await database.sync();
  await database.update('task', 'remote', { done: false });
  await database.sync();

  const [one, two, three, four] = backend.pulls.map(({ timestamp }) => timestamp);
  expect(sent()).toEqual(['GET null', `POST ${one}`, `GET ${one}`, `GET ${two}`, `GET ${three}`, `POST ${four}`]);
  expect([third, database.getState().lastPulledAt]).toEqual([{ pulled: 0, pushed: 0, conflicts: 0 }, four]);
  expect(first).toEqual({ pulled: 1, pushed: 1, conflicts: 0 });
  // The server tells of every change, this phone's own too.
  expect(second).toEqual({ pulled: 1, pushed: 0, conflicts: 0 });
  expect(sortById(await database.list('task'))).toEqual(
    sortById([
      { id, ...MILK },
      { id: 'remote', ...BREAD, done: false },
    ]),
  );
  expect(backend.rows('task')).toHaveLength(2);
});

test('goes by the server’s time, whatever its own clock says', { tags: ['goes-by-server-time', 'R4'] }, async () => {
  const database = await launch();
  const titles: unknown[] = [];

  for (const jumpMs of [-3 * HOUR, 0, 30 * HOUR, HOUR]) {
    phone.jumpClock(jumpMs);
    const before = backend.pulls.length;
    await database.sync();
    await phone.pass(1_000);
    backend.write('task', 'remote', { ...MILK, title: `after pull ${before + 1}` });
    await phone.pass(1_000);
    await database.sync();
    titles.push((await database.get('task', 'remote'))?.title);
  }

  expect(titles).toEqual([1, 3, 5, 7].map((n) => `after pull ${n}`));
  expect(backend.pulls.map(({ lastPulledAt }) => lastPulledAt)).toEqual([
    null,
    ...backend.pulls.slice(0, -1).map(({ timestamp }) => timestamp),
  ]);
});

test('takes rows away that were deleted elsewhere, even changed ones', {
  tags: ['takes-deletions', 'R6'],
}, async () => {
  for (const id of ['a', 'b', 'c']) backend.write('task', id, MILK);
  const database = await launch();
  await database.sync();
  await database.update('task', 'b', { title: 'changed here' });
  await database.remove('task', 'c');

  for (const id of ['a', 'b', 'c', 'never-heard-of']) backend.erase('task', id);
  const { pushed } = await database.sync();

  expect([await database.list('task'), database.getState().unsynced, pushed]).toEqual([[], 0, 0]);
  expect(await (await launch()).list('task')).toEqual([]);
});

test('hides a removed row and keeps its deletion until the server has it', {
  tags: ['keeps-tombstones', 'R7'],
}, async () => {
  backend.write('task', 'a', MILK);
  const database = await launch();
  await database.sync();

  await database.remove('task', 'a');
  const atOnce = [await database.get('task', 'a'), database.getState().unsynced];
  server.use(http.post(SYNC, () => HttpResponse.json({ message: 'not now' }, { status: 503 })));
  await database.sync();
  server.use(http.all(SYNC, answerAsUsual));
  const relaunched = await launch();
  const { pushed } = await relaunched.sync();
  await relaunched.sync();

  expect(atOnce).toEqual([null, 1]);
  expect([pushed, backend.isDeleted('task', 'a'), relaunched.getState().unsynced]).toEqual([1, true, 0]);
  expect(await relaunched.list('task')).toEqual([]);
  expect(pushedChanges()).toEqual([{ task: { created: [], updated: [], deleted: ['a'] } }]);
});

test('pushes what was changed, by its id and the columns of the schema', {
  tags: ['sends-only-rows', 'R8'],
}, async () => {
  backend.write('task', 'remote', BREAD);
  backend.write('task', 'unchanged', BREAD);
  const database = await launch();
  await database.sync();

  const id = await database.create('task', { title: 'mlik' });
  await database.update('task', id, { title: 'milk' });
  await database.update('task', 'remote', { done: false });
  await database.sync();

  const { task } = pushedChanges()[0] ?? {};
  expect(task).toEqual({
    created: [{ id, title: 'milk', done: null, order: null }],
    updated: [{ id: 'remote', ...BREAD, done: false }],
    deleted: [],
  });
});

test('ends all at dispose, and keeps what is stored', { tags: ['ends-cleanly', 'R15'] }, async () => {
  const listenersBefore = phone.listenerCount();
  const unstarted = await create();
  const waiting = Promise.all([
    ending(unstarted.list('task')),
    ending(unstarted.create('task', MILK)),
    ending(unstarted.sync()),
  ]);
  unstarted.dispose();
  const turnedAway = await waiting;
  const database = await launch();
  const id = await database.create('task', MILK);
  server.use(http.get(SYNC, () => new Promise<Response>(() => {})));
  const syncing = ending(database.sync());
  await phone.settle();

  database.dispose();
  const ended = await syncing;
  const codes = await Promise.all([
    codeOf(database.create('task', BREAD)),
    codeOf(database.update('task', id, { done: true })),
    codeOf(database.remove('task', id)),
    codeOf(database.get('task', id)),
    codeOf(database.list('task')),
    codeOf(database.sync()),
  ]);
  await phone.pass(HOUR);

  expect(ended).not.toBe('no answer');
  expect(turnedAway).toEqual(Array(3).fill('disposed'));
  expect(codes).toEqual(Array(6).fill('disposed'));
  expect([phone.requests.length, phone.listenerCount()]).toEqual([1, listenersBefore]);
  expect(await (await launch()).list('task')).toEqual([{ id, ...MILK }]);
});

// ---------------------------------------------------------------------------------------------------------------------
// senior: kills, conflicts, edits meanwhile

test('stores all of a pull or nothing, whenever the app is killed', {
  tags: ['stores-a-pull-at-once', 'R3'],
}, async () => {
  const seen = new Set<string>();
  for (const fault of ['kill-before', 'kill-after'] as const) {
    for (let after = 0, wasKilled = true; wasKilled && after < 12; after += 1) {
      freshPhone();
      changeAtFirst();
      const database = await launch();
      await database.sync();
      changeMore();
      phone.failNextWrite(fault, { after });
      wasKilled = (await ending(database.sync())) === 'no answer';
      const relaunched = wasKilled ? await launch() : database;
      seen.add(await pictureOf(relaunched));
    }
  }

  expect([...seen].sort()).toEqual([
    'after pull 1: a=one, b=two, tag x=red',
    'after pull 2: a=ONE, c=three, tag x=RED, tag y=blue',
  ]);
});

test('stores nothing of a pull for which there is no room, and all of it later', {
  tags: ['stores-a-pull-at-once', 'E11', 'R3'],
}, async () => {
  changeAtFirst();
  const database = await launch();
  await database.sync();
  changeMore();
  const seen: string[] = [];

  for (let after = 0; after < 12 && seen.at(-1) !== 'fine'; after += 1) {
    phone.failNextWrite('full', { after });
    await database.sync();
    const { error, status } = database.getState();
    seen.push(error ? `${status} ${error.code}, ${await pictureOf(database)}` : 'fine');
  }

  expect(new Set(seen)).toEqual(new Set(['idle storage, after pull 1: a=one, b=two, tag x=red', 'fine']));
  expect(await pictureOf(database)).toContain('a=ONE, c=three, tag x=RED, tag y=blue');
});

test('keeps the columns changed here, and takes the others from the server', {
  tags: ['merges-by-column', 'R5'],
}, async () => {
  for (const id of ['both', 'theirs', 'mine']) backend.write('task', id, MILK);
  const database = await launch();
  await database.sync();
  await database.update('task', 'both', { title: 'oat milk' });
  await database.update('task', 'mine', { order: 9 });

  backend.write('task', 'both', { title: 'soy milk', done: true, order: 4 });
  backend.write('task', 'theirs', { title: 'rice', done: true });
  backend.write('task', 'new', BREAD);
  const { conflicts, pushed } = await database.sync();

  const expected = [
    { id: 'both', title: 'oat milk', done: true, order: 4 },
    { id: 'mine', ...MILK, order: 9 },
    { id: 'new', ...BREAD },
    { id: 'theirs', title: 'rice', done: true, order: 1 },
  ];
  expect(sortById(await database.list('task'))).toEqual(expected);
  expect(backend.rows('task')).toEqual(expected);
  expect([conflicts, pushed]).toEqual([1, 2]);
});

test('keeps each column changed here, over several pulls and a restart, until it is pushed', {
  tags: ['loses-no-write', 'R5', 'R9'],
}, async () => {
  backend.write('task', 'a', MILK);
  const database = await launch();
  await database.sync();
  await database.update('task', 'a', { title: 'oat milk' });
  await database.update('task', 'a', { order: 7 });
  server.use(http.post(SYNC, () => HttpResponse.error()));

  backend.write('task', 'a', { title: 'soy milk', order: 2 });
  await database.sync();
  const relaunched = await launch();
  backend.write('task', 'a', { title: 'rice milk', order: 3, done: true });
  await relaunched.sync();
  const merged = await relaunched.get('task', 'a');
  server.use(http.post(SYNC, answerAsUsual));
  await relaunched.sync();

  expect(merged).toEqual({ id: 'a', title: 'oat milk', done: true, order: 7 });
  expect(backend.row('task', 'a')).toEqual(merged);
});

test('takes a row for what it is here, whether it comes as created or updated, once or twice', {
  tags: ['agrees-in-the-end', 'E5', 'E6', 'R5'],
}, async () => {
  for (const id of ['known', 'removed', 'gone']) backend.write('task', id, MILK);
  const database = await launch();
  await database.sync();
  await database.update('task', 'known', { done: true });
  await database.remove('task', 'removed');

  const created = [
    { id: 'known', ...MILK, order: 5 },
    { id: 'removed', ...BREAD },
  ];
  const changes = { task: { created, updated: [{ id: 'new', ...BREAD }], deleted: ['gone', 'unheard-of'] } };
  const answer = { changes, timestamp: phone.serverNowMs() + 5_000 };
  server.use(http.get(SYNC, () => HttpResponse.json(answer)));
  server.use(http.post(SYNC, () => HttpResponse.error()));
  await database.sync();
  const once = sortById(await database.list('task'));
  await database.sync();
  const twice = sortById(await database.list('task'));

  expect(once).toEqual([
    { id: 'known', ...MILK, done: true, order: 5 },
    { id: 'new', ...BREAD },
  ]);
  expect(twice).toEqual(once);
  expect(database.getState()).toMatchObject({ unsynced: 2, lastPulledAt: answer.timestamp });
});

test('comes through when the answer to a push is lost, with a kill and without', {
  tags: ['outlives-a-lost-answer', 'E1'],
}, async () => {
  const states: unknown[] = [];
  for (const isKilled of [false, true]) {
    freshPhone();
    backend.write('task', 'a', MILK);
    let database = await launch();
    await database.sync();
    const id = await database.create('task', BREAD);
    await database.update('task', 'a', { done: true });
    server.use(http.post(SYNC, lostAnswer, { once: true }));
    await database.sync();
    states.push(database.getState().error?.code, database.getState().unsynced);

    if (isKilled) database = await launch();
    await database.sync();
    await database.sync();
    expect(sortById(await database.list('task'))).toEqual(
      sortById([
        { id: 'a', ...MILK, done: true },
        { id, ...BREAD },
      ]),
    );
    expect(backend.rows('task')).toEqual(sortById(await database.list('task')));
    expect(database.getState()).toMatchObject({ unsynced: 0, error: null });
  }

  expect(states).toEqual(['network', 2, 'network', 2]);
});

test('deletes for good what was created, pushed without an answer, and removed', {
  tags: ['deletes-for-good', 'E4', 'R7'],
}, async () => {
  const left: unknown[] = [];
  for (const isKilled of [false, true]) {
    freshPhone();
    let database = await launch();
    const id = await database.create('task', MILK);
    server.use(http.post(SYNC, lostAnswer, { once: true }));
    await database.sync();

    if (isKilled) database = await launch();
    await database.remove('task', id);
    await database.sync();
    await database.sync();
    left.push([await database.list('task'), backend.rows('task'), database.getState().unsynced]);
  }

  expect(left).toEqual(Array(2).fill([[], [], 0]));
});

test('pushes once more what was changed or removed during the push', {
  tags: ['keeps-newer-edits', 'E2', 'E3', 'R9'],
}, async () => {
  backend.write('task', 'known', MILK);
  const database = await launch();
  await database.sync();
  await database.update('task', 'known', { done: true });
  const edited = await database.create('task', MILK);
  const removed = await database.create('task', BREAD);
  const other = await database.create('tag', { label: 'a' });
  const answer = holdAnswer('post');

  const syncing = database.sync();
  await phone.settle();
  await database.update('task', edited, { title: 'oat milk' });
  await database.remove('task', removed);
  await database.remove('task', 'known');
  answer.release();
  await phone.settle();
  await syncing;
  const relaunched = await launch();
  const between = [idsOf(await relaunched.list('task')), relaunched.getState().unsynced];
  await relaunched.sync();

  expect([between, relaunched.getState().unsynced]).toEqual([[[edited], 3], 0]);
  expect(backend.rows('task')).toEqual([{ id: edited, ...MILK, title: 'oat milk' }]);
  expect(pushedIds()).toEqual([['known', edited, removed, other].sort(), ['known', edited, removed].sort()]);
});

test('pulls and pushes once more after a conflict', { tags: ['ends-its-rounds', 'R10'] }, async () => {
  backend.write('task', 'a', MILK);
  const database = await launch();
  await database.sync();
  await database.update('task', 'a', { title: 'oat milk' });
  server.use(
    http.post(SYNC, (info) => {
      backend.write('task', 'a', { title: 'soy milk', order: 8 });
      server.use(http.post(SYNC, answerAsUsual));
      return answerAsUsual(info);
    }),
  );

  const result = await database.sync();

  expect(sent().slice(1).map(methodOf)).toEqual(['GET', 'POST', 'GET', 'POST']);
  expect(result).toEqual({ pulled: 1, pushed: 1, conflicts: 1 });
  expect(backend.row('task', 'a')).toEqual({ id: 'a', title: 'oat milk', done: false, order: 8 });
  expect(database.getState()).toMatchObject({ status: 'idle', unsynced: 0, error: null });
});

test('gives up after three rounds, and loses nothing', { tags: ['ends-its-rounds', 'R10'] }, async () => {
  const database = await launch();
  const id = await database.create('task', MILK);
  server.use(http.post(SYNC, () => HttpResponse.json({ message: 'conflict' }, { status: 409 })));

  const { pushed } = await database.sync();
  const rounds = sent().map(methodOf);
  const given = database.getState();
  server.use(http.post(SYNC, answerAsUsual));
  await database.sync();

  expect(rounds).toEqual(['GET', 'POST', 'GET', 'POST', 'GET', 'POST']);
  expect([pushed, given.status, given.error, given.unsynced]).toEqual([0, 'idle', { code: 'conflict' }, 1]);
  expect([backend.row('task', id)?.title, database.getState().error]).toEqual(['milk', null]);
});

test('says why a sync has failed, and takes no portal for the server', {
  tags: ['fails-safely', 'R10'],
}, async () => {
  const database = await launch();
  const id = await database.create('task', MILK);
  const odd = [
    { changes: [], timestamp: 5 },
    { changes: {} },
    { changes: { task: { created: [{ title: 'x' }], updated: [], deleted: [] } }, timestamp: 5 },
    { changes: { task: { created: [], updated: {}, deleted: [] } }, timestamp: 5 },
    { changes: { task: { created: [], updated: [], deleted: [7] } }, timestamp: 5 },
    null,
  ];
  const answers: ['get' | 'post', () => Response][] = [
    ...(['get', 'post'] as const).flatMap((method): ['get' | 'post', () => Response][] => [
      [method, () => HttpResponse.error()],
      [method, () => HttpResponse.json({}, { status: 503 })],
      [method, () => HttpResponse.json({}, { status: 422 })],
      [method, () => HttpResponse.html('<html>Welcome to Free WiFi</html>')],
      [method, () => HttpResponse.text('{"changes":{"task":')],
    ]),
    ...odd.map((body): ['get', () => Response] => ['get', () => HttpResponse.json(body)]),
  ];

  const errors: unknown[] = [];
  for (const [method, answer] of answers) {
    server.use(http[method](SYNC, answer, { once: true }));
    await database.sync();
    errors.push(database.getState().error);
  }
  const unsynced = database.getState().unsynced;
  await database.sync();

  const each = [
    { code: 'network' },
    { code: 'http', status: 503 },
    { code: 'http', status: 422 },
    { code: 'bad-response' },
    { code: 'bad-response' },
  ];
  expect(errors).toEqual([...each, ...each, ...odd.map(() => ({ code: 'bad-response' }))]);
  expect([unsynced, backend.rows('task')]).toEqual([1, [{ id, ...MILK }]]);
  expect(database.getState()).toMatchObject({ unsynced: 0, error: null });
});

test('runs one sync at a time, and one more for all who ask meanwhile', {
  tags: ['one-at-a-time', 'R11'],
}, async () => {
  const database = await launch();
  await database.create('task', MILK);
  const answer = holdAnswer('post');

  const first = database.sync();
  await phone.settle();
  const late = await database.create('task', BREAD);
  const more = [database.sync(), database.sync(), database.sync()];
  await phone.settle();
  const sentMeanwhile = sent().map(methodOf);
  answer.release();
  await phone.settle();
  const results = await Promise.all(more);

  expect(sentMeanwhile).toEqual(['GET', 'POST']);
  expect((await first).pushed).toBe(1);
  expect(results).toEqual(Array(3).fill({ pulled: 1, pushed: 1, conflicts: 0 }));
  expect(sent().map(methodOf)).toEqual(['GET', 'POST', 'GET', 'POST']);
  expect(backend.row('task', late)).toEqual({ id: late, ...BREAD });
});

test('lets resolve decide where both sides have changed a row, and only there', {
  tags: ['asks-resolve', 'R13'],
}, async () => {
  for (const id of ['both', 'same', 'mine', 'theirs', 'gone']) backend.write('task', id, MILK);
  const asked: unknown[] = [];
  const resolve: Resolve = (table, local, remote, resolved) => {
    asked.push([table, local, remote, resolved]);
    return local.id === 'same' ? remote : { ...resolved, order: Number(local.order) + Number(remote.order) };
  };
  const database = await launch({ resolve });
  await database.sync();
  for (const id of ['both', 'same', 'mine']) await database.update('task', id, { title: 'here' });
  await database.remove('task', 'gone');
  for (const id of ['both', 'same', 'theirs', 'gone']) backend.write('task', id, { title: 'there', order: 5 });

  await database.sync();

  const local = { ...MILK, title: 'here' };
  const remote = { ...MILK, title: 'there', order: 5 };
  const argumentsFor = (id: string) => ['task', { id, ...local }, { id, ...remote }, { id, ...remote, title: 'here' }];
  expect(asked).toEqual(expect.arrayContaining([argumentsFor('both'), argumentsFor('same')]));
  expect(asked).toHaveLength(2);
  expect(backend.row('task', 'both')).toEqual({ id: 'both', ...MILK, title: 'here', order: 6 });
  expect(await database.get('task', 'same')).toEqual({ id: 'same', ...remote });
  expect(pushedIds()).toEqual([['both', 'gone', 'mine']]);
  expect(database.getState().unsynced).toBe(0);
});

test('takes ten thousand rows in the first pull', { tags: ['takes-a-large-pull', 'E8'] }, async () => {
  const created = Array.from({ length: 10_000 }, (_, n) => ({
    id: `row-${n}`,
    title: `task ${n}`,
    done: n % 2 === 0,
    order: n,
  }));
  const answer = { changes: { task: { created, updated: [], deleted: [] } }, timestamp: phone.serverNowMs() };
  server.use(http.get(SYNC, () => HttpResponse.json(answer), { once: true }));
  const database = await launch();

  const { pulled } = await database.sync();

  expect([pulled, (await database.list('task')).length, database.getState().unsynced]).toEqual([10_000, 10_000, 0]);
  expect(await database.get('task', 'row-9999')).toEqual({
    id: 'row-9999',
    title: 'task 9999',
    done: false,
    order: 9_999,
  });
});

// ---------------------------------------------------------------------------------------------------------------------
// staff: the app changes while its data is out in the world

test('asks once for what a newer schema has gained', { tags: ['tells-what-is-new', 'R12'] }, async () => {
  backend.write('task', 'a', { ...MILK, starred: true, note: 'semi-skimmed' });
  backend.write('list', 'groceries', { name: 'Groceries', size: 3 });
  await (await launch()).sync();

  const database = await launch({ schema: SCHEMA_3 });
  const before = await database.get('task', 'a');
  await database.sync();
  await database.sync();

  expect(backend.pulls.map(({ schemaVersion, migration }) => [schemaVersion, migration])).toEqual([
    [1, null],
    [3, { from: 1, tables: ['list'], columns: [{ table: 'task', columns: ['starred', 'note'] }] }],
    [3, null],
  ]);
  expect(before).toEqual({ id: 'a', ...MILK, starred: null, note: null });
  expect(await database.get('task', 'a')).toEqual({ id: 'a', ...MILK, starred: true, note: 'semi-skimmed' });
  expect(await database.list('list')).toEqual([{ id: 'groceries', name: 'Groceries', size: 3 }]);
});

test('brings rows that were never pushed from schema 1 to 3', {
  tags: ['tells-what-is-new', 'E9', 'R12'],
}, async () => {
  backend.write('task', 'a', { ...MILK, starred: true, note: 'semi-skimmed' });
  backend.write('task', 'gone', BREAD);
  const old = await launch();
  await old.sync();
  await old.update('task', 'a', { title: 'oat milk' });
  await old.remove('task', 'gone');
  const id = await old.create('task', BREAD);
  server.use(http.post(SYNC, lostAnswer, { once: true }));
  await old.sync();

  backend.write('task', id, { starred: false });
  server.use(http.get(SYNC, () => HttpResponse.error(), { once: true }));
  const first = await launch({ schema: SCHEMA_3 });
  const unsynced = first.getState().unsynced;
  await first.sync();
  const database = await launch({ schema: SCHEMA_3 });
  await database.sync();
  await database.sync();

  const expected = [
    { id: 'a', ...MILK, title: 'oat milk', starred: true, note: 'semi-skimmed' },
    { id, ...BREAD, starred: false, note: null },
  ];
  expect(unsynced).toBe(3);
  expect(backend.pulls.map(({ migration }) => migration?.from ?? null)).toEqual([null, null, 1, null]);
  expect(sortById(await database.list('task'))).toEqual(sortById(expected));
  expect([backend.isDeleted('task', 'gone'), database.getState().unsynced]).toEqual([true, 0]);
});

test('leaves alone what it does not know in a pull', { tags: ['knows-its-schema', 'R12'] }, async () => {
  backend.write('task', 'a', { ...MILK, color: 'red', _status: 'x', __proto: 1 });
  backend.write('invoice', 'i', { total: 5 });
  backend.write('tag', 'short', {});
  const database = await launch();

  const first = await database.sync();
  backend.erase('invoice', 'i');
  await database.update('task', 'a', { done: true });
  await database.sync();

  expect(first).toEqual({ pulled: 2, pushed: 0, conflicts: 0 });
  expect(await database.get('task', 'a')).toEqual({ id: 'a', ...MILK, done: true });
  expect(await database.get('tag', 'short')).toEqual({ id: 'short', label: null });
  expect(pushedChanges()[0]?.task?.updated).toEqual([{ id: 'a', ...MILK, done: true }]);
  expect(database.getState()).toMatchObject({ unsynced: 0, error: null });
});

test('takes names of SQL and of Object.prototype for names', { tags: ['knows-its-schema', 'E10'] }, async () => {
  const odd = { constructor: text(), toString: number(), group: truth() };
  const schema: Schema = { version: 1, tables: { table: { ...odd }, valueOf: { hasOwnProperty: text() } } };
  backend.write('table', 'remote', { constructor: 'there', toString: 1, group: true } as unknown as Fields);
  const database = await launch({ schema });

  const id = await database.create('table', { constructor: 'here' } as unknown as Fields);
  const blank = await database.create('valueOf', {});
  await database.sync();
  await database.update('table', 'remote', { toString: 2 } as unknown as Fields);
  backend.write('table', 'remote', { group: false });
  await database.sync();

  expect(await database.get('valueOf', blank)).toEqual({ id: blank, hasOwnProperty: null });
  expect(sortById(await database.list('table'))).toEqual(
    sortById([
      { id, constructor: 'here', toString: null, group: null },
      { id: 'remote', constructor: 'there', toString: 2, group: false },
    ] as unknown as Row[]),
  );
  expect(backend.rows('table')).toEqual(sortById(await database.list('table')));
});

// ---------------------------------------------------------------------------------------------------------------------

/** Launches the app, as after a kill if it ran before, without starting the database. */
async function create(options: Partial<SyncOptions> = {}): Promise<SyncDatabase> {
  const { createSync } = await phone.coldStart(() => import('#attempt/delta-sync'));
  return createSync({ device: phone.device, apiUrl: API, schema: SCHEMA, ...options });
}

async function launch(options: Partial<SyncOptions> = {}): Promise<SyncDatabase> {
  const database = await create(options);
  await database.start();
  await phone.settle();
  return database;
}

/** A phone that nobody has used, and a server that nobody has asked. */
function freshPhone(): void {
  phone.dispose();
  phone = createPhone();
  backend = createBackend(phone.backendContext);
}

function changeAtFirst(): void {
  backend.write('task', 'a', { ...MILK, title: 'one' });
  backend.write('task', 'b', { ...MILK, title: 'two' });
  backend.write('tag', 'x', { label: 'red' });
}

function changeMore(): void {
  backend.write('task', 'a', { title: 'ONE' });
  backend.erase('task', 'b');
  backend.write('task', 'c', { ...MILK, title: 'three' });
  backend.write('tag', 'x', { label: 'RED' });
  backend.write('tag', 'y', { label: 'blue' });
}

/** What a phone shows, and since when. */
async function pictureOf(database: SyncDatabase): Promise<string> {
  const tasks = sortById(await database.list('task')).map(({ id, title }) => `${id}=${title}`);
  const tags = sortById(await database.list('tag')).map(({ id, label }) => `tag ${id}=${label}`);
  const nth = backend.pulls.findIndex(({ timestamp }) => timestamp === database.getState().lastPulledAt) + 1;
  return `after pull ${nth}: ${[...tasks, ...tags].join(', ')}`;
}

const sortById = (rows: readonly Row[]): Row[] => [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
const idsOf = (rows: readonly Row[]): string[] => rows.map(({ id }) => id).sort();

/** Requests in order, each with the time it carries. */
const sent = (): string[] =>
  phone.requests.map(({ method, url }) => `${method} ${new URL(url).searchParams.get('last_pulled_at')}`);
const methodOf = (line: string): string => line.split(' ')[0] ?? '';

/** Changes that the server has accepted, without tables in which there were none. */
const pushedChanges = (): Changes[] =>
  backend.pushes.map(({ changes }) =>
    Object.fromEntries(
      Object.entries(changes).filter(([, lists]) => Object.values(lists).some(({ length }) => length > 0)),
    ),
  );
const pushedIds = (): string[][] =>
  pushedChanges().map((changes) =>
    Object.values(changes)
      .flatMap(({ created, updated, deleted }) => [...[...created, ...updated].map(({ id }) => id), ...deleted])
      .sort(),
  );

/** How a call ends, or that it does not: as after a kill. */
function ending(call: Promise<unknown>): Promise<string> {
  return Promise.race([
    codeOf(call),
    phone
      .settle()
      .then(() => phone.settle())
      .then(() => 'no answer'),
  ]);
}

const answerAsUsual = ({ request }: { request: Request }) => backend.app.fetch(request);

/** The server does it, and nobody hears of it. */
async function lostAnswer({ request }: { request: Request }): Promise<Response> {
  await backend.app.fetch(request);
  return HttpResponse.error();
}

/** The server answers the next request of this method at once, but its answer takes until it is released. */
const holdAnswer = (method: 'get' | 'post') => holdAnswers(server, backend.app.fetch, { url: SYNC, method, count: 1 });
