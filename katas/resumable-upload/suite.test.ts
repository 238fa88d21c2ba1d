import { createHash } from 'node:crypto';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { PickedFile, Uploader, UploaderOptions } from '#contract/resumable-upload';
import {
  CACHE_URI,
  codeOf,
  createPhone,
  DOCUMENTS_URI,
  holdAnswers,
  type SentRequest,
  syntheticBytes,
  type TestPhone,
} from '#phone/testing';
import { createBackend, type UploadBackend } from './backend.ts';

const API = 'https://api.example.test';
const CREATE = `${API}/uploads`;
const LINKS = `${API}/uploads/:id/urls`;
const COMPLETE = `${API}/uploads/:id/complete`;
const PARTS = 'https://storage.example.test/parts/:id/:part';
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const server = setupServer();
let phone: TestPhone;
let backend: UploadBackend;

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
beforeEach(() => {
  phone = createPhone();
  backend = createBackend(phone.backendContext);
  server.use(http.all(`${API}/*`, answerAsUsual), http.put(PARTS, answerAsUsual));
});
afterEach(() => {
  vi.restoreAllMocks();
  phone.dispose();
  server.resetHandlers();
});
afterAll(() => server.close());

// ---------------------------------------------------------------------------------------------------------------------
// mid: a file arrives whole, in parts, and the bar does not lie

test('uploads a file in parts, each once, as it was picked', { tags: ['uploads-as-picked', 'R7'] }, async () => {
  backend.partSize = 300;
  const uploader = await launch();

  const id = await uploader.add(pick('lake.mov', 1_000));
  const { fileUrl } = await uploader.whenDone(id);

  expect(sentParts()).toEqual([1, 2, 3, 4]);
  expect(backend.puts.map(({ sizeBytes }) => sizeBytes).sort()).toEqual([100, 300, 300, 300]);
  expect(arrived()).toEqual({ 'lake.mov': hashOf('lake.mov', 1_000) });
  expect(uploader.getState().uploads).toEqual([
    {
      ...{ id, fileName: 'lake.mov', status: 'done', sentBytes: 1_000, totalBytes: 1_000 },
      ...{ fileUrl, error: null },
    },
  ]);
  expect(fileUrl).toBe('https://files.example.test/up-1/lake.mov');
});

test('uploads an empty file, one of just a part, and the same one twice', {
  tags: ['uploads-as-picked', 'E1', 'E2', 'E5'],
}, async () => {
  await phone.goOffline();
  const uploader = await launch();

  const files = [pick('empty.txt', 0), pick('part.txt', 256), pick('more.txt', 257), pick('more.txt', 257)];
  const ids = await Promise.all(files.map((file) => uploader.add(file)));
  const atFirst = stateOf(uploader);
  await phone.goOnline();
  await Promise.all(ids.map((id) => uploader.whenDone(id)));

  expect(backend.files.map(({ fileName, bytes }) => `${fileName} ${bytes.length}`).sort()).toEqual([
    ...['empty.txt 0', 'more.txt 257', 'more.txt 257', 'part.txt 256'],
  ]);
  expect(backend.puts.map(({ sizeBytes }) => sizeBytes).sort((a, b) => a - b)).toEqual([0, 1, 1, 256, 256, 256]);
  expect(atFirst).toEqual(['waiting 0/0', 'waiting 0/256', 'waiting 0/257', 'waiting 0/257']);
  expect(new Set(ids).size).toBe(4);
});

test('accepts a file once it is safe from the OS and from a kill', {
  tags: ['safe-before-accepted', 'E6', 'R1'],
}, async () => {
  const uploader = await launch();
  await phone.goOffline();
  const id = await uploader.add({ ...pick('fjord.jpg', 700), mime: 'image/jpeg' });

  phone.clearCache();
  const relaunched = await create();
  const before = relaunched.getState();
  await relaunched.start();
  const shown = relaunched.getState().uploads;
  await phone.settle();
  await phone.goOnline();
  await relaunched.whenDone(id);

  expect(before).toEqual({ uploads: [] });
  expect(shown).toMatchObject([{ id, fileName: 'fjord.jpg', status: 'waiting', sentBytes: 0, totalBytes: 700 }]);
  expect(sentTo('POST', /uploads$/).map(({ body }) => JSON.parse(body))).toEqual([
    { fileName: 'fjord.jpg', mime: 'image/jpeg', size: 700, sha256: hashOf('fjord.jpg', 700) },
  ]);
  expect(arrived()).toEqual({ 'fjord.jpg': hashOf('fjord.jpg', 700) });
});

test('does not accept a file before the phone has stored it', { tags: ['safe-before-accepted', 'R1'] }, async () => {
  const uploader = await launch();
  phone.holdWrites();

  const adding = uploader.add(pick('ridge.jpg', 400));
  const early = await Promise.race([adding, phone.settle().then(() => 'not yet')]);
  const sentEarly = phone.requests.length;
  await phone.releaseWrites();
  const lost = codeOf(uploader.add({ uri: `${CACHE_URI}nowhere.jpg`, fileName: 'nowhere.jpg', mime: 'image/jpeg' }));

  expect([early, sentEarly]).toEqual(['not yet', 0]);
  expect(uploader.getState().uploads.map(({ id }) => id)).toEqual([await adding]);
  expect(await lost).toBe('source-lost');
});

test('keeps three parts in flight over all uploads, and the older upload first', {
  tags: ['three-in-flight', 'R3'],
}, async () => {
  const uploader = await launch();
  const road = blockRoad(PARTS);

  const first = await uploader.add(pick('one.mov', 256 * 4));
  const second = await uploader.add(pick('two.mov', 256 * 2));
  await phone.pass(SECOND);
  const atFirst = partsOnTheRoad();
  const states = stateOf(uploader);
  road.letOneThrough();
  await phone.pass(SECOND);
  const thenOut = partsOnTheRoad();
  road.open();
  await Promise.all([uploader.whenDone(first), uploader.whenDone(second)]);
  const single = await launch({ concurrency: 1 });
  blockRoad(PARTS);
  await single.add(pick('three.mov', 256 * 2));
  await phone.pass(SECOND);

  expect([atFirst, thenOut]).toEqual([
    ['up-1/1', 'up-1/2', 'up-1/3'],
    ['up-1/1', 'up-1/2', 'up-1/3', 'up-1/4'],
  ]);
  expect(states).toEqual(['uploading 0/1024', 'queued 0/512']);
  expect(partsOnTheRoad().slice(6)).toEqual(['up-3/1']);
});

test('keeps the order of many uploads over a restart', { tags: ['three-in-flight', 'R3'] }, async () => {
  const uploader = await launch();
  await phone.goOffline();
  const names = Array.from({ length: 12 }, (_, n) => `${n + 1}.jpg`);
  for (const name of names.slice(0, 11)) await uploader.add(pick(name, 10));

  const relaunched = await launch();
  await relaunched.add(pick('12.jpg', 10));
  const shown = relaunched.getState().uploads.map(({ fileName }) => fileName);
  await phone.goOnline();
  await phone.pass(3 * SECOND);

  expect(shown).toEqual(names);
  expect([...backend.uploads.values()].map(({ fileName }) => fileName)).toEqual(names);
});

test('reads slices of the size that the server has chosen, when they are sent', {
  tags: ['slices-only', 'R3'],
}, async () => {
  backend.partSize = 65_536;
  const uploader = await launch();
  const road = blockRoad(PARTS);

  const id = await uploader.add(pick('long.mov', 400_000));
  await phone.pass(SECOND);
  const { reads } = phone.disk.files;
  const readEarly = reads.map(({ sizeBytes }) => sizeBytes);
  road.open();
  await uploader.whenDone(id);

  expect(readEarly).toEqual([65_536, 65_536, 65_536]);
  expect(reads.map(({ offset, sizeBytes }) => [offset, sizeBytes])).toEqual([
    ...[0, 1, 2, 3, 4, 5].map((n) => [n * 65_536, 65_536]),
    [393_216, 6_784],
  ]);
  expect(arrived()).toEqual({ 'long.mov': hashOf('long.mov', 400_000) });
});

test('sends the token to the API, and none to the storage host', { tags: ['no-token-abroad', 'R13'] }, async () => {
  const withToken: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('Authorization', 'Bearer t-4711');
    return fetch(input, { ...init, headers });
  };
  const uploader = await launch({ fetch: withToken });

  const id = await uploader.add(pick('pass.pdf', 600));
  await phone.pass(2 * SECOND);
  const onStorage = sentTo('PUT', /parts/);
  const onApi = phone.requests.filter(({ url }) => url.startsWith(API));

  expect(JSON.stringify(onStorage)).not.toMatch(/t-4711|authorization/i);
  expect(new Set(onApi.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer t-4711']));
  expect(uploader.getState().uploads).toMatchObject([{ id, status: 'done' }]);
});

test('counts a part once the server has acknowledged it', { tags: ['honest-progress', 'R6'] }, async () => {
  const uploader = await launch();
  const road = blockRoad(PARTS);
  const last = blockRoad(COMPLETE);
  const seen = [] as string[];
  uploader.subscribe(() => seen.push(...stateOf(uploader).filter((line) => line !== seen.at(-1))));

  const id = await uploader.add(pick('bar.mov', 600));
  await phone.pass(SECOND);
  for (let n = 0; n < 3; n += 1) {
    road.letOneThrough();
    await phone.pass(SECOND);
  }
  last.open();
  await uploader.whenDone(id);

  expect(
    seen.map((line) => line.replace('queued', 'uploading')).filter((line, at, all) => line !== all[at - 1]),
  ).toEqual(['uploading 0/600', 'uploading 256/600', 'uploading 512/600', 'completing 600/600', 'done 600/600']);
});

test('says of each upload whether it waits, is under way or has its turn to come', {
  tags: ['honest-progress', 'R6'],
}, async () => {
  await phone.goOnline('cellular');
  const uploader = await launch({ concurrency: 1 });
  const road = blockRoad(PARTS);
  await uploader.add({ ...pick('wifi.mov', 300), metered: false });
  await uploader.add(pick('any.mov', 300));
  await phone.pass(SECOND);
  const atFirst = stateOf(uploader);

  await phone.goOnline('wifi');
  road.letOneThrough();
  await phone.pass(SECOND);

  expect(atFirst).toEqual(['waiting 0/300', 'uploading 0/300']);
  expect(stateOf(uploader)).toEqual(['uploading 0/300', 'queued 256/300']);
});

test('shows after a restart in a tunnel how far it had come', { tags: ['honest-progress', 'R6'] }, async () => {
  const uploader = await launch();
  const road = blockRoad(PARTS);
  const id = await uploader.add(pick('tunnel.mov', 1_200));
  await phone.settle();
  road.letOneThrough();
  await phone.settle();
  road.letOneThrough();
  await phone.pass(SECOND);

  await phone.goOffline();
  const relaunched = await launch();
  const inTheTunnel = stateOf(relaunched);
  road.open();
  await phone.goOnline();
  await relaunched.whenDone(id);

  expect(inTheTunnel).toEqual(['waiting 512/1200']);
  expect(stateOf(relaunched)).toEqual(['done 1200/1200']);
});

test('completes with all parts in order and the tags as they were given', {
  tags: ['completes-in-order', 'R7'],
}, async () => {
  const uploader = await launch();
  const road = blockRoad(PARTS);

  const id = await uploader.add(pick('order.mov', 900));
  for (let n = 0; n < 4; n += 1) {
    await phone.pass(SECOND);
    road.letLastThrough();
  }
  await uploader.whenDone(id);

  const tags = [...(backend.uploads.get('up-1')?.parts ?? [])].map(([part, { etag }]) => ({ part, etag }));
  expect(tags[0]?.part).not.toBe(1);
  expect(sentTo('POST', /complete$/).map(({ body }) => JSON.parse(body))).toEqual([
    { parts: tags.sort((a, b) => a.part - b.part) },
  ]);
});

test('pauses at once and over a restart, and goes on where it was', {
  tags: ['pauses-and-resumes', 'R10'],
}, async () => {
  const uploader = await launch();
  const late = hold(PARTS);
  const id = await uploader.add(pick('break.mov', 1_500));
  await phone.settle();
  late.releaseOne();
  await phone.pass(SECOND);

  await uploader.pause(id);
  late.release();
  await phone.pass(MINUTE);
  const paused = [...stateOf(uploader), sentParts().length];
  const relaunched = await launch();
  await phone.pass(MINUTE);
  const stillPaused = [...stateOf(relaunched), sentParts().length];
  await relaunched.resume(id);
  await relaunched.whenDone(id);

  expect(paused).toEqual(['paused 256/1500', 4]);
  expect(stillPaused).toEqual(paused);
  expect(sentParts()).toEqual([1, 2, 3, 4, 5, 6]);
});

test('pauses one upload and lets the others go on', { tags: ['pauses-and-resumes', 'R10'] }, async () => {
  const uploader = await launch();
  await phone.goOffline();
  const first = await uploader.add(pick('rest.mov', 300));
  const second = await uploader.add(pick('go.mov', 300));

  await uploader.pause(first);
  await phone.goOnline();
  await uploader.whenDone(second);
  await uploader.pause(second);
  await uploader.resume(second);

  expect(stateOf(uploader)).toEqual(['paused 0/300', 'done 300/300']);
  expect(sentTo('POST', /uploads$/)).toHaveLength(1);
  expect(await codeOf(uploader.pause('nobody'))).toBe('unknown-id');
});

test('changes nothing when what is completing or done is paused or resumed', {
  tags: ['pauses-and-resumes', 'R10'],
}, async () => {
  const uploader = await launch();
  const road = blockRoad(COMPLETE);
  for (const size of [0, 300]) await uploader.add(pick(`${size}.txt`, size));
  const ids = uploader.getState().uploads.map(({ id }) => id);
  await phone.pass(SECOND);

  const before = stateOf(uploader);
  for (const id of ids) await uploader.pause(id);
  for (const id of ids) await uploader.resume(id);
  const after = stateOf(uploader);
  road.open();
  await phone.pass(SECOND);
  phone.failNextWrite('failed');
  const late = ids.flatMap((id) => [codeOf(uploader.pause(id)), codeOf(uploader.resume(id))]);

  expect(await Promise.all(late)).toEqual(['none', 'none', 'none', 'none']);
  expect(before).toEqual(['completing 0/0', 'completing 300/300']);
  expect(after).toEqual(before);
  expect(stateOf(uploader)).toEqual(['done 0/0', 'done 300/300']);
  expect(sentTo('GET', /./)).toEqual([]);
});

test('says so when a pause or a resume cannot be stored, and holds to it for this launch', {
  tags: ['pauses-and-resumes', 'R10'],
}, async () => {
  const uploader = await launch();
  await phone.goOffline();
  const id = await uploader.add(pick('brittle.mov', 300));

  phone.failNextWrite('failed');
  const pausing = await codeOf(uploader.pause(id));
  await phone.goOnline();
  await phone.pass(MINUTE);
  const paused = [...stateOf(uploader), phone.requests.length];
  phone.failNextWrite('failed');
  const resuming = await codeOf(uploader.resume(id));
  await phone.pass(SECOND);

  expect([pausing, resuming]).toEqual(['storage-failed', 'storage-failed']);
  expect(paused).toEqual(['paused 0/300', 0]);
  expect(stateOf(uploader)).toEqual(['done 300/300']);
});

test('sends nothing after a pause, also while the phone is still storing what comes next', {
  tags: ['pauses-and-resumes', 'R10'],
}, async () => {
  const uploader = await launch();
  const road = blockRoad(PARTS);
  const id = await uploader.add(pick('anew.mov', 200));
  await phone.settle();
  phone.holdWrites();
  backend.clearOpen();
  road.open();
  await phone.settle();
  const sentBefore = phone.requests.length;

  const pausing = uploader.pause(id);
  await phone.releaseWrites();
  await pausing;
  await phone.pass(MINUTE);
  const sentAfter = phone.requests.slice(sentBefore);
  await uploader.resume(id);
  await uploader.whenDone(id);

  expect(sentAfter).toEqual([]);
  expect(arrived()).toEqual({ 'anew.mov': hashOf('anew.mov', 200) });
});

test('sends nothing offline, and goes on at once with the network or the foreground', {
  tags: ['silent-offline', 'R10'],
}, async () => {
  await phone.goOffline();
  const uploader = await launch();
  const id = await uploader.add(pick('train.mov', 600));
  await phone.pass(HOUR);
  const sentOffline = phone.requests.length;
  const offline = stateOf(uploader);

  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  server.use(http.put(PARTS, () => new HttpResponse(null, { status: 503 })));
  await phone.goOnline();
  await phone.settle();
  const triedOnce = sentParts();
  await phone.goOffline();
  server.use(http.put(PARTS, answerAsUsual));
  await phone.goOnline();
  await uploader.whenDone(id);

  server.use(http.post(CREATE, () => json(500), { once: true }));
  const second = await uploader.add(pick('front.mov', 200));
  await phone.pass(100);
  await phone.goToBackground();
  const sentInTheBack = sentTo('POST', /uploads$/).length;
  await phone.goToForeground();
  await uploader.whenDone(second);

  expect([sentOffline, offline]).toEqual([0, ['waiting 0/600']]);
  expect([triedOnce, sentInTheBack]).toEqual([[1, 2, 3], 2]);
  // Either network or foreground ends a pause: no time has passed.
  expect(phone.requests.at(-1)?.atMs).toBeLessThan(HOUR + SECOND);
});

test('shows all there is at once, and sends nothing before it knows of a network', {
  tags: ['silent-offline', 'R10'],
}, async () => {
  const first = await launch();
  await phone.goOffline();
  await first.add(pick('dark.mov', 300));

  const { createUploader } = await phone.coldStart(() => import('#attempt/resumable-upload'));
  const { netInfo } = phone.device;
  const silent = { ...netInfo, fetch: () => new Promise<never>(() => {}), addEventListener: () => () => {} };
  const uploader = createUploader({ device: { ...phone.device, netInfo: silent }, apiUrl: API });
  await phone.goOnline();
  await uploader.start();
  const atOnce = stateOf(uploader);
  await phone.goToBackground();
  await phone.goToForeground();
  await phone.pass(MINUTE);

  expect([atOnce, stateOf(uploader)]).toEqual([['waiting 0/300'], ['waiting 0/300']]);
  expect(phone.requests).toEqual([]);
});

test('forgets a cancelled upload but for one DELETE', { tags: ['cancels-for-good', 'R11'] }, async () => {
  const uploader = await launch();
  const road = blockRoad(PARTS);
  const id = await uploader.add(pick('oops.mov', 900));
  const ending = codeOf(uploader.whenDone(id));
  await phone.settle();
  road.letOneThrough();
  await phone.settle();
  const sentBefore = phone.requests.length;

  // Whoever presses everything at once has cancelled all the same.
  await Promise.allSettled([uploader.cancel(id), uploader.cancel(id), uploader.pause(id), uploader.resume(id)]);
  road.open();
  await phone.pass(10 * MINUTE);

  expect(phone.requests.slice(sentBefore).map(({ method, url }) => `${method} ${url}`)).toEqual([
    `DELETE ${API}/uploads/up-1`,
  ]);
  expect([await ending, await codeOf(uploader.whenDone(id))]).toEqual(['cancelled', 'unknown-id']);
  expect([copies(), uploader.getState().uploads]).toEqual([[], []]);
  expect((await launch()).getState().uploads).toEqual([]);
});

test('never completes what is cancelled while it completes', { tags: ['cancels-for-good', 'E9'] }, async () => {
  const uploader = await launch();
  const lost = http.post(COMPLETE, () => HttpResponse.error());
  server.use(lost);
  const id = await uploader.add(pick('late.mov', 200));
  await phone.pass(100);

  await uploader.cancel(id);
  server.use(http.post(COMPLETE, answerAsUsual));
  await phone.pass(10 * MINUTE);

  expect([backend.files, backend.deleted, copies()]).toEqual([[], ['up-1'], []]);
});

test('only forgets what is done when it is cancelled', { tags: ['cancels-for-good', 'R11'] }, async () => {
  const uploader = await launch();
  const id = await uploader.add(pick('over.mov', 300));
  await uploader.whenDone(id);

  await uploader.cancel(id);
  await phone.pass(SECOND);

  expect([sentTo('DELETE', /./), backend.files.length]).toEqual([[], 1]);
  expect([uploader.getState().uploads, (await launch()).getState().uploads]).toEqual([[], []]);
});

test('goes on when a cancel cannot be stored', { tags: ['cancels-for-good', 'R11'] }, async () => {
  const uploader = await launch();
  await phone.goOffline();
  const id = await uploader.add(pick('stays.mov', 300));

  phone.failNextWrite('failed');
  const told = await codeOf(uploader.cancel(id));
  const shown = stateOf(uploader);
  await phone.goOnline();
  await uploader.whenDone(id);

  expect([told, shown]).toEqual(['storage-failed', ['waiting 0/300']]);
  expect(arrived()).toEqual({ 'stays.mov': hashOf('stays.mov', 300) });
});

test('keeps its copies in a folder of its own, and touches no other file', {
  tags: ['leaves-no-copies', 'R11'],
}, async () => {
  const notes = `${DOCUMENTS_URI}notes.txt`;
  phone.disk.files.write(notes, syntheticBytes(10));
  await phone.goOffline();
  const uploader = await launch();

  await uploader.add(pick('own.jpg', 300));
  await launch();

  const own = copies().filter((uri) => uri !== notes);
  expect(own.map((uri) => uri.slice(DOCUMENTS_URI.length).includes('/'))).toEqual([true]);
  expect(copies()).toContain(notes);
});

test('removes the copy of what is done, and orphaned ones at start', {
  tags: ['leaves-no-copies', 'R11'],
}, async () => {
  const uploader = await launch();
  const id = await uploader.add(pick('gone.jpg', 300));
  const kept = copies();
  await uploader.whenDone(id);
  await phone.settle();
  const afterDone = copies();

  await phone.goOffline();
  phone.failNextWrite('kill-after', { after: 0 });
  void uploader.add(pick('torn.jpg', 300)).catch(() => undefined);
  await phone.settle();
  const relaunched = await launch();
  await relaunched.cancel(id);

  expect([kept.length, afterDone, copies()]).toEqual([1, [], []]);
  expect(relaunched.getState().uploads).toEqual([]);
});

test('tells in a later launch where the file is', { tags: ['ends-cleanly', 'R12'] }, async () => {
  const uploader = await launch();
  const id = await uploader.add(pick('memory.jpg', 300));
  await uploader.whenDone(id);
  await phone.pass(SECOND);

  const relaunched = await create();
  const early = relaunched.whenDone(id);
  await relaunched.start();
  await phone.pass(SECOND);

  expect(await early).toEqual({ fileUrl: 'https://files.example.test/up-1/memory.jpg' });
  expect(await codeOf(relaunched.whenDone('nobody'))).toBe('unknown-id');
  expect(sentTo('GET', /uploads/)).toEqual([]);
});

test('begins nothing when it is disposed while it starts', { tags: ['ends-cleanly', 'R12'] }, async () => {
  const uploader = await launch();
  await phone.goOffline();
  await uploader.add(pick('never.mov', 300));

  const relaunched = await create();
  const starting = codeOf(relaunched.start());
  const waiting = codeOf(relaunched.cancel('nobody'));
  relaunched.dispose();
  await phone.goOnline();
  await phone.pass(MINUTE);

  expect([phone.listenerCount(), phone.requests]).toEqual([0, []]);
  expect(['disposed', 'none']).toContain(await starting);
  // Where the storage answers at once, `start` may have known before `dispose` that there is nobody of that name.
  expect(['disposed', 'unknown-id']).toContain(await waiting);
});

test('passes over a record that cannot be read', { tags: ['ends-cleanly', 'R12'] }, async () => {
  const uploader = await launch();
  await phone.goOffline();
  for (const name of ['torn-77.mov', 'whole-78.mov']) await uploader.add(pick(name, 300));
  // Where all uploads stand in one record, there is no single one to lose.
  const ofOne = phone.disk.entries().filter(({ value }) => value.includes('torn-77') && !value.includes('whole-78'));
  const torn = ofOne.filter(({ module }) => module === 'asyncStorage' || module === 'mmkv');
  for (const { module, key } of torn) phone.disk[module as 'asyncStorage'].set(key, '{"half');

  const relaunched = await launch();

  const left = torn.length > 0 ? ['whole-78.mov'] : ['torn-77.mov', 'whole-78.mov'];
  expect(relaunched.getState().uploads.map(({ fileName }) => fileName)).toEqual(left);
  expect(copies()).toHaveLength(left.length);
});

test('tells those who wait, now and later, that an upload has failed', { tags: ['ends-cleanly', 'R12'] }, async () => {
  backend.sizeMax = 100;
  const uploader = await launch();

  const id = await uploader.add(pick('heavy.mov', 300));
  const waiting = codeOf(uploader.whenDone(id));
  await phone.pass(SECOND);
  const relaunched = await launch();

  expect(await Promise.race([waiting, phone.settle().then(() => 'still waits')])).toBe('failed');
  expect(await codeOf(relaunched.whenDone(id))).toBe('failed');
  await relaunched.cancel(id);
  expect([await codeOf(relaunched.whenDone(id)), copies()]).toEqual(['unknown-id', []]);
});

test('tells listeners nothing after dispose', { tags: ['ends-cleanly', 'R12'] }, async () => {
  const uploader = await launch();
  const road = blockRoad(PARTS);
  await uploader.add(pick('hush.mov', 1_500));
  await phone.pass(SECOND);
  let calls = 0;
  uploader.subscribe(() => {
    calls += 1;
  });

  for (let n = 0; n < 2; n += 1) {
    road.letOneThrough();
    await phone.pass(20);
  }
  const callsBefore = calls;
  uploader.dispose();
  road.open();
  await phone.pass(MINUTE);

  expect(calls).toBe(callsBefore);
});

test('sends nothing of a file that was being taken in at dispose', { tags: ['ends-cleanly', 'R12'] }, async () => {
  const uploader = await launch();
  phone.holdWrites();
  const adding = codeOf(uploader.add(pick('tail.mov', 300)));
  await phone.settle();

  uploader.dispose();
  await phone.releaseWrites();
  await phone.pass(MINUTE);

  expect(phone.requests).toEqual([]);
  // What waits for the storage may end as it would have.
  expect(['disposed', 'none']).toContain(await adding);
});

test('leaves nothing running after dispose', { tags: ['ends-cleanly', 'R12'] }, async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  const uploader = await launch();
  const timersBefore = vi.getTimerCount();
  server.use(http.put(PARTS, () => new HttpResponse(null, { status: 503 })));
  const id = await uploader.add(pick('end.mov', 2_000));
  const ending = codeOf(uploader.whenDone(id));
  await phone.pass(100);
  const sentBefore = phone.requests.length;

  const timersAmid = vi.getTimerCount();
  uploader.dispose();
  const timersAfter = vi.getTimerCount();
  await phone.goOffline();
  await phone.goOnline();
  await phone.pass(HOUR);

  expect([phone.listenerCount(), phone.requests.length]).toEqual([0, sentBefore]);
  expect([timersAmid > timersBefore, timersAfter]).toEqual([true, timersBefore]);
  expect([await codeOf(uploader.start()), await codeOf(uploader.pause(id))]).toEqual(['disposed', 'disposed']);
  expect([await ending, await codeOf(uploader.add(pick('more.mov', 1)))]).toEqual(['disposed', 'disposed']);
});

// ---------------------------------------------------------------------------------------------------------------------
// senior: lost answers, kills, old links, bad hours

test('asks the server after a kill, and sends only what it lacks', {
  tags: ['asks-the-server', 'E3', 'R2'],
}, async () => {
  const uploader = await launch();
  server.use(http.put(PARTS, doAndBeSilent));
  const id = await uploader.add(pick('kill.mov', 1_300));
  await phone.settle();

  server.use(http.put(PARTS, answerAsUsual));
  const relaunched = await launch();
  await relaunched.whenDone(id);

  expect(sentParts()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(phone.requests.map(({ method }) => method).filter((method) => method === 'GET')).toHaveLength(1);
  expect(arrived()).toEqual({ 'kill.mov': hashOf('kill.mov', 1_300) });
});

test('asks the server once a launch, however often it is paused', { tags: ['spends-little', 'R14'] }, async () => {
  const uploader = await launch();
  const road = blockRoad(PARTS);
  const id = await uploader.add(pick('calm.mov', 300));
  await phone.settle();

  for (let n = 0; n < 3; n += 1) {
    await uploader.pause(id);
    await uploader.resume(id);
    await phone.settle();
  }
  road.open();
  await uploader.whenDone(id);

  expect(sentTo('GET', /./).length).toBeLessThanOrEqual(1);
});

test('creates an upload once, with one key, whenever it is killed', { tags: ['one-create-key', 'R2'] }, async () => {
  const uploader = await launch();
  server.use(http.post(CREATE, doAndLoseAnswer));
  const id = await uploader.add(pick('key.mov', 600));
  await phone.settle();

  await launch();
  await phone.settle();
  server.use(http.post(CREATE, answerAsUsual), http.put(PARTS, doAndBeSilent));
  await launch();
  await phone.settle();
  server.use(http.put(PARTS, answerAsUsual));
  const last = await launch();
  await last.whenDone(id);

  const creates = sentTo('POST', /uploads$/);
  expect(new Set(creates.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  expect(creates[0]?.headers['idempotency-key']).toBeTruthy();
  expect([creates.length, backend.uploads.size, backend.files.length]).toEqual([3, 1, 1]);
  expect(sentParts()).toEqual([1, 2, 3]);
});

test('asks for links as they are needed, ten at most', { tags: ['links-when-needed', 'R4'] }, async () => {
  backend.partSize = 50;
  const uploader = await launch();
  const road = blockRoad(PARTS);

  const id = await uploader.add(pick('links.mov', 50 * 40));
  await phone.pass(SECOND);
  const askedEarly = askedLinks();
  road.open();
  await uploader.whenDone(id);

  expect(askedEarly.flat().length).toBeLessThanOrEqual(10);
  expect(Math.max(...askedLinks().map(({ length }) => length))).toBeLessThanOrEqual(10);
  expect(Math.max(...unusedLinks())).toBeLessThanOrEqual(10);
  expect(askedLinks().length).toBeLessThanOrEqual(7);
  expect(sentParts()).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
});

test('takes an expired link for no failure of the part', { tags: ['renews-links', 'R4'] }, async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  const uploader = await launch();
  const road = blockRoad(PARTS);
  const id = await uploader.add(pick('stale.mov', 1_500));
  await phone.settle();

  await phone.pass(16 * MINUTE);
  road.open();
  await uploader.whenDone(id);

  const links = sentTo('PUT', /parts/).map(({ url }) => url);
  expect(phone.requests.at(-1)?.atMs).toBeLessThan(16 * MINUTE + 500);
  expect(new Set(links).size).toBe(links.length);
  expect(backend.puts.filter(({ status }) => status === 200)).toHaveLength(6);
});

test('does not renew a link for ever', { tags: ['renews-links', 'R4'] }, async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  server.use(http.put(PARTS, () => new HttpResponse(null, { status: 403 })));
  const uploader = await launch();

  await uploader.add(pick('forbidden.mov', 200));
  await phone.pass(10 * MINUTE);

  const tries = sentTo('PUT', /parts/).map(({ atMs }) => Math.round(atMs / SECOND));
  expect(tries).toEqual([0, 1, 3, 7, 15, 31, 61, 91].flatMap((at) => [at, at, at]));
  expect(uploader.getState().uploads).toMatchObject([{ status: 'failed', error: { code: 'server' } }]);
});

test('tries a failed part again alone, less and less often, then lets a person decide', {
  tags: ['retries-alone', 'R5'],
}, async () => {
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.999);
  failPart(2, [500, 422, 400, 409, 413, 415, 408, 429]);
  const uploader = await launch();
  const id = await uploader.add(pick('bad.mov', 1_200));
  const ending = codeOf(uploader.whenDone(id));
  await phone.pass(5 * MINUTE);
  const gaps = gapsOf(sentTo('PUT', /parts\/up-1\/2/));
  const failed = uploader.getState().uploads;
  const others = sentParts().filter((part) => part !== 2);
  const asked = sentTo('GET', /./).length;

  random.mockReturnValue(0.25);
  await uploader.resume(id);
  await phone.pass(10 * SECOND);
  const drawn = gapsOf(sentTo('PUT', /parts\/up-1\/2/).slice(8, 11));
  server.use(http.put(PARTS, answerAsUsual));
  await phone.pass(MINUTE);

  expect(gaps).toEqual([1, 2, 4, 8, 16, 30, 30]);
  expect([failed[0]?.status, failed[0]?.error?.code, failed[0]?.sentBytes]).toEqual(['failed', 'server', 944]);
  expect([others, asked, await ending]).toEqual([[1, 3, 4, 5], 0, 'failed']);
  expect(drawn).toEqual([0.3, 0.5]);
  expect(sentParts().filter((part) => part !== 2)).toEqual(others);
});

test('draws a whole pause after a try that the network has brought forward', {
  tags: ['retries-alone', 'R5'],
}, async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  server.use(http.put(PARTS, () => HttpResponse.error()));
  const uploader = await launch();
  await uploader.add(pick('early.mov', 200));
  await phone.pass(100);

  await phone.goOffline();
  await phone.goOnline();
  await phone.pass(7 * SECOND);

  expect(gapsOf(sentTo('PUT', /parts/))).toEqual([0.1, 2, 4]);
});

test('takes neither a portal nor a bare 200 for an acknowledgement', { tags: ['retries-alone', 'R5'] }, async () => {
  const page = () => HttpResponse.html('<html>Welcome to TrainNet</html>');
  const statuses = [413, 415, 422];
  const answers = [
    ...[page, () => new HttpResponse(null, { status: 200 }), () => HttpResponse.error()],
    ...statuses.map((status) => () => json(status)),
  ];
  server.use(...[500, 413, 415].map((status) => http.post(COMPLETE, () => json(status), { once: true })));
  server.use(http.post(CREATE, () => json(404), { once: true }));
  const pages = [http.post(CREATE, page, { once: true }), http.post(LINKS, page, { once: true })];
  server.use(...pages, http.post(COMPLETE, page, { once: true }));
  server.use(http.put(PARTS, (info) => answers.shift()?.() ?? answerAsUsual(info)));
  const uploader = await launch();

  const id = await uploader.add(pick('hotel.mov', 200));
  await phone.pass(5 * MINUTE);

  expect(uploader.getState().uploads).toMatchObject([{ id, status: 'done' }]);
  expect(sentTo('PUT', /parts/)).toHaveLength(7);
  expect(arrived()).toEqual({ 'hotel.mov': hashOf('hotel.mov', 200) });
});

test('takes no half an answer for a whole one', { tags: ['retries-alone', 'R5'] }, async () => {
  const whole = { part: 2, url: 'https://storage.example.test/parts/up-1/2', etag: '"e"', size: 44 };
  const halves = (...bodies: object[]) => {
    const left = bodies.map((body) => () => HttpResponse.json(body));
    return (info: Info) => left.shift()?.() ?? answerAsUsual(info);
  };
  const without = (name: keyof typeof whole) => ({ ...whole, [name]: undefined });
  server.use(
    http.post(CREATE, halves({}, { uploadId: 'up-9' }, { partSize: 256 })),
    http.get(
      `${API}/uploads/:id`,
      halves({}, ...[null, without('part'), without('etag')].map((one) => ({ parts: [one] }))),
    ),
    http.post(COMPLETE, halves({}, { fileUrl: null })),
  );
  const uploader = await launch();
  const road = blockRoad(PARTS);
  const id = await uploader.add(pick('half.mov', 300));
  await phone.pass(MINUTE);
  road.letOneThrough();
  await phone.pass(SECOND);

  server.use(
    http.put(PARTS, answerAsUsual),
    http.post(
      LINKS,
      halves({}, { urls: [] }, ...[null, without('part'), without('url')].map((one) => ({ urls: [one] }))),
    ),
  );
  const relaunched = await launch();
  await phone.pass(5 * MINUTE);

  expect(relaunched.getState().uploads).toMatchObject([{ id, status: 'done' }]);
  const keys = sentTo('POST', /uploads$/).map(({ headers }) => headers['idempotency-key']);
  expect([keys.length, new Set(keys).size]).toEqual([4, 1]);
  expect(sentTo('GET', /uploads/)).toHaveLength(5);
  expect(sentTo('POST', /complete$/)).toHaveLength(3);
  expect(sentParts()).toEqual([1, 2, 2]);
  expect(arrived()).toEqual({ 'half.mov': hashOf('half.mov', 300) });
});

test('waits as long as Retry-After asks, and no event cuts it short', {
  tags: ['obeys-retry-after', 'R5'],
}, async () => {
  const at = (ms: number) => new Date(phone.serverNowMs() + ms).toUTCString();
  const answers = [
    () => json(429, { 'Retry-After': '40' }),
    () => json(503, { 'Retry-After': at(20 * SECOND), Date: at(0) }),
    () => json(503, { 'Retry-After': at(-20 * SECOND), Date: at(0) }),
    () => json(503, { 'Retry-After': '0' }),
  ];
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  server.use(http.put(PARTS, (info) => answers.shift()?.() ?? answerAsUsual(info)));
  const uploader = await launch();
  await uploader.add(pick('later.mov', 200));
  await phone.pass(5 * SECOND);

  await phone.goOffline();
  await phone.goOnline();
  await phone.goToBackground();
  await phone.goToForeground();
  const status = stateOf(uploader);
  await phone.pass(2 * MINUTE);
  const gaps = gapsOf(sentTo('PUT', /parts/));
  server.use(http.put(PARTS, () => json(503, { 'Retry-After': '9999999' })));
  await uploader.add(pick('months.mov', 200));
  await phone.pass(HOUR);

  expect(status).toEqual(['waiting 0/200']);
  expect(gaps).toEqual([40, 20, 2, 4]);
  // Longer than a timer can be set for.
  expect(sentTo('PUT', /up-2/)).toHaveLength(1);
});

test('is done when only the answer to complete was lost', {
  tags: ['survives-lost-complete', 'E4', 'R7'],
}, async () => {
  const uploader = await launch();
  server.use(http.post(COMPLETE, doAndLoseAnswer, { once: true }));
  const first = await uploader.add(pick('twice.mov', 300));
  await phone.pass(2 * SECOND);

  server.use(http.post(COMPLETE, doAndBeSilent));
  const second = await uploader.add(pick('killed.mov', 300));
  await phone.pass(SECOND);
  const relaunched = await launch();
  await relaunched.whenDone(second);

  expect(await relaunched.whenDone(first)).toEqual({ fileUrl: 'https://files.example.test/up-1/twice.mov' });
  expect(backend.files.map(({ fileName }) => fileName)).toEqual(['twice.mov', 'killed.mov']);
  expect(sentParts()).toEqual([1, 1, 2, 2]);
});

test('sends what is missing when complete is refused, and gives up the second time', {
  tags: ['mends-once', 'E13', 'R7'],
}, async () => {
  const uploader = await launch();
  const road = blockRoad(COMPLETE);
  const id = await uploader.add(pick('hole.mov', 700));
  await phone.settle();
  backend.losePart('up-1');
  road.open();
  await uploader.whenDone(id);
  const resent = sentTo('PUT', /parts/).slice(3).length;

  server.use(http.post(COMPLETE, () => json(400)));
  await uploader.add(pick('holes.mov', 700));
  await phone.pass(SECOND);

  expect([resent, arrived()]).toEqual([1, { 'hole.mov': hashOf('hole.mov', 700) }]);
  expect(uploader.getState().uploads[1]).toMatchObject({ status: 'failed', error: { code: 'server' } });
  expect(sentTo('POST', /up-2\/complete$/)).toHaveLength(2);
});

test('turns a file down for want of room, and leaves nothing behind', {
  tags: ['survives-a-full-disk', 'E12'],
}, async () => {
  const uploader = await launch();
  const large = pick('large.mov', 90_000);
  const stored = phone.disk.entries().map(({ key }) => key);

  phone.setFreeSpace(50_000);
  const noRoom = await codeOf(uploader.add(large));
  phone.setFreeSpace(90_050);
  const noRoomForTheRecord = await codeOf(uploader.add(large));
  await phone.pass(SECOND);

  expect([noRoom, noRoomForTheRecord]).toEqual(['storage-full', 'storage-full']);
  expect(phone.disk.entries().map(({ key }) => key)).toEqual(stored);
  expect([uploader.getState().uploads, phone.requests]).toEqual([[], []]);
});

test('goes on when progress cannot be stored', { tags: ['survives-a-full-disk', 'E10'] }, async () => {
  const uploader = await launch();
  const road = blockRoad(PARTS);
  const id = await uploader.add(pick('full.mov', 900));
  await phone.settle();

  phone.setFreeSpace(0);
  road.open();
  const { fileUrl } = await uploader.whenDone(id);
  await phone.settle();
  phone.setFreeSpace(1_000_000);
  const relaunched = await launch();

  expect(await relaunched.whenDone(id)).toEqual({ fileUrl });
  expect(sentParts()).toEqual([1, 2, 3, 4]);
  expect(backend.files).toHaveLength(1);
});

test('spares a network that costs money, also when it comes up midway', {
  tags: ['spares-metered', 'E7', 'R15'],
}, async () => {
  await phone.goOnline('cellular');
  const uploader = await launch();
  const patient = await uploader.add({ ...pick('wifi.mov', 1_000), metered: false });
  const urgent = await uploader.add(pick('now.mov', 300));
  await uploader.whenDone(urgent);
  const waiting = [stateOf(uploader)[0], sentTo('POST', /uploads$/).length];

  const late = hold(PARTS);
  await phone.goOnline('wifi');
  await phone.settle();
  await phone.goOnline('cellular');
  late.release();
  await phone.pass(10 * MINUTE);
  const midway = [stateOf(uploader)[0], sentParts().length];
  await phone.goOnline('wifi');
  await uploader.whenDone(patient);

  expect(waiting).toEqual(['waiting 0/1000', 1]);
  expect(midway).toEqual(['waiting 0/1000', 5]);
  expect(arrived()['wifi.mov']).toBe(hashOf('wifi.mov', 1_000));
});

test('takes no for an answer when a file is too large or of the wrong kind', {
  tags: ['takes-no-for-an-answer', 'E11'],
}, async () => {
  backend.sizeMax = 500;
  const uploader = await launch();

  const large = await uploader.add(pick('huge.mov', 501));
  await uploader.add({ ...pick('tool.exe', 10), mime: 'application/x-msdownload' });
  await phone.pass(10 * MINUTE);
  const codes = uploader.getState().uploads.map(({ status, error }) => [status, error?.code]);
  const tries = sentTo('POST', /uploads$/).length;
  backend.sizeMax = 5_000;
  await uploader.resume(large);
  await uploader.whenDone(large);

  expect(codes).toEqual([
    ['failed', 'too-large'],
    ['failed', 'refused'],
  ]);
  expect(tries).toBe(2);
});

test('calls listeners four times a second for progress, and at the end', {
  tags: ['spares-listeners', 'R14'],
}, async () => {
  backend.partSize = 10;
  const uploader = await launch();
  server.use(
    http.put(PARTS, async (info) => {
      const part = Number(new URL(info.request.url).pathname.split('/').at(-1));
      await new Promise((resolve) => setTimeout(resolve, 20 + ((part * 13) % 30)));
      return answerAsUsual(info);
    }),
  );
  const calls: { atMs: number; line: string }[] = [];
  await uploader.add(pick('fine.mov', 400));
  uploader.subscribe(() => calls.push({ atMs: performance.now(), line: stateOf(uploader).join() }));
  const snapshot = uploader.getState();

  await phone.pass(5 * SECOND);
  const atLast = uploader.getState();

  const progress = calls.filter(({ line }) => line.startsWith('uploading')).map(({ atMs }) => atMs);
  const spans = progress.slice(4).map((atMs, n) => atMs - Number(progress[n]));
  expect(Math.min(...spans, SECOND)).toBeGreaterThanOrEqual(SECOND);
  expect(new Set(calls.map(({ line }) => line)).size).toBe(calls.length);
  expect([calls.at(-1)?.line, uploader.getState() === snapshot]).toEqual(['done 400/400', false]);
  expect(uploader.getState()).toBe(atLast);
});

test('tells of held-back progress, also when nothing more happens', {
  tags: ['spares-listeners', 'R14'],
}, async () => {
  backend.partSize = 100;
  const uploader = await launch();
  const road = blockRoad(PARTS);
  await uploader.add(pick('still.mov', 500));
  await phone.pass(SECOND);
  const heard: string[] = [];
  uploader.subscribe(() => heard.push(...stateOf(uploader)));

  for (let n = 0; n < 3; n += 1) {
    road.letOneThrough();
    await phone.pass(20);
  }
  await phone.pass(SECOND);

  expect(heard.at(-1)).toBe('uploading 300/500');
  expect(stateOf(uploader)).toEqual(['uploading 300/500']);
});

// ---------------------------------------------------------------------------------------------------------------------
// staff: the crisis

test('sends nothing from a copy that is gone or has another size', { tags: ['checks-the-copy', 'R8'] }, async () => {
  const uploader = await launch();
  await phone.goOffline();
  for (const name of ['a.mov', 'b.mov', 'c.mov']) await uploader.add(pick(name, 600));
  const copiesOf = (name: string) => copies().filter((uri) => phone.disk.files.sha256(uri) === hashOf(name, 600));

  for (const uri of copiesOf('a.mov')) phone.disk.files.remove(uri);
  for (const uri of copiesOf('b.mov')) phone.disk.files.write(uri, syntheticBytes(599));
  const relaunched = await launch();
  await phone.goOnline();
  await phone.pass(SECOND);

  expect(relaunched.getState().uploads.map(({ status, error }) => `${status} ${error?.code}`)).toEqual([
    ...['failed source-lost', 'failed source-lost', 'done undefined'],
  ]);
  expect(new Set(backend.puts.map(({ uploadId }) => backend.uploads.get(uploadId)?.fileName))).toEqual(
    new Set(['c.mov']),
  );
});

test('sends all parts once more for a wrong checksum, then fails', { tags: ['heeds-the-checksum', 'R8'] }, async () => {
  const uploader = await launch();
  backend.spoilNext(1);
  const id = await uploader.add(pick('spoilt.mov', 700));
  await uploader.whenDone(id);
  const sent = sentParts();

  backend.spoilNext(100);
  await uploader.add(pick('rotten.mov', 300));
  await phone.pass(10 * MINUTE);

  expect(sent).toEqual([1, 1, 2, 2, 3, 3]);
  expect(arrived()).toEqual({ 'spoilt.mov': hashOf('spoilt.mov', 700) });
  expect(uploader.getState().uploads[1]).toMatchObject({ status: 'failed', error: { code: 'checksum' } });
  expect(sentTo('PUT', /up-2/)).toHaveLength(4);
});

test('begins anew when its upload is gone, once', { tags: ['begins-anew-once', 'R9'] }, async () => {
  const uploader = await launch();
  await phone.goOffline();
  const id = await uploader.add(pick('old.mov', 900));
  const road = blockRoad(PARTS);
  await phone.goOnline();
  await phone.settle();

  backend.clearOpen();
  road.open();
  await uploader.whenDone(id);
  const creates = sentTo('POST', /uploads$/).map(({ headers }) => headers['idempotency-key']);
  server.use(http.put(PARTS, () => json(410)));
  await uploader.add(pick('older.mov', 300));
  await phone.pass(10 * MINUTE);

  expect(new Set(creates).size).toBe(2);
  expect(arrived()).toEqual({ 'old.mov': hashOf('old.mov', 900) });
  expect(uploader.getState().uploads[1]).toMatchObject({ status: 'failed', error: { code: 'server' } });
  expect(sentTo('POST', /uploads$/)).toHaveLength(4);
});

test('counts from the start again for who resumes what has failed', {
  tags: ['begins-anew-once', 'R9'],
}, async () => {
  const uploader = await launch();
  server.use(http.put(PARTS, () => json(410)));
  const id = await uploader.add(pick('oldest.mov', 300));
  await phone.pass(MINUTE);
  const failed = stateOf(uploader);
  const sentBefore = phone.requests.length;

  server.use(http.put(PARTS, answerAsUsual));
  backend.clearOpen();
  await uploader.resume(id);
  await phone.pass(MINUTE);

  expect(failed).toEqual(['failed 0/300']);
  expect(phone.requests.slice(sentBefore, sentBefore + 2).map(({ method }) => method)).toEqual(['GET', 'POST']);
  expect([stateOf(uploader), arrived()]).toEqual([['done 300/300'], { 'oldest.mov': hashOf('oldest.mov', 300) }]);
});

test('judges links by the answer, not by the clock', { tags: ['trusts-no-clock', 'E8'] }, async () => {
  backend.partSize = 100;
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  const uploader = await launch();
  phone.jumpClock(3 * HOUR);
  const id = await uploader.add(pick('clock.mov', 1_000));
  const late = (ms: number) => new Date(phone.serverNowMs() + ms).toUTCString();
  const busy = () => json(503, { 'Retry-After': late(10 * SECOND), Date: late(0) });
  server.use(http.post(COMPLETE, busy, { once: true }));
  await phone.pass(SECOND);
  phone.jumpClock(-5 * HOUR);
  await phone.pass(MINUTE);

  expect(uploader.getState().uploads).toMatchObject([{ id, status: 'done' }]);
  expect([askedLinks().length, sentParts().length]).toEqual([1, 10]);
  expect(gapsOf(sentTo('POST', /complete$/))).toEqual([10]);
});

// ---------------------------------------------------------------------------------------------------------------------

/** Puts a file where a picker does. The same name and size give the same content. */
function pick(fileName: string, sizeBytes: number): PickedFile {
  const uri = `${CACHE_URI}${fileName}`;
  phone.disk.files.write(uri, contentOf(fileName, sizeBytes));
  return { uri, fileName, mime: 'video/quicktime' };
}

const contentOf = (fileName: string, sizeBytes: number) =>
  syntheticBytes(sizeBytes, [...fileName].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 10_007);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const hashOf = (fileName: string, sizeBytes: number) => sha256(contentOf(fileName, sizeBytes));

/** Finished files by name, with their hash. */
const arrived = () => Object.fromEntries(backend.files.map(({ fileName, bytes }) => [fileName, sha256(bytes)]));

/** Launches the app, as after a kill if it ran before, without starting the uploader. */
async function create(options: Partial<UploaderOptions> = {}): Promise<Uploader> {
  const { createUploader } = await phone.coldStart(() => import('#attempt/resumable-upload'));
  return createUploader({ device: phone.device, apiUrl: API, ...options });
}

async function launch(options: Partial<UploaderOptions> = {}): Promise<Uploader> {
  const uploader = await create(options);
  await uploader.start();
  await phone.settle();
  return uploader;
}

const sentTo = (method: string, url: RegExp) =>
  phone.requests.filter((request) => request.method === method && url.test(request.url));
/** Numbers of the parts that were sent, in ascending order. */
const sentParts = () =>
  partsOnTheRoad()
    .map((place) => Number(place.split('/')[1]))
    .sort((a, b) => a - b);
/** Parts that have left the phone, such as `up-1/2`, in that order. */
const partsOnTheRoad = () => sentTo('PUT', /parts/).map(({ url }) => /(up-\d+\/\d+)/.exec(url)?.[1] ?? '');
/** After each request, how many links were asked for that no part has used; no link may have expired. */
const unusedLinks = () => {
  let unused = 0;
  return phone.requests.map(({ method, url, body }) => {
    if (/urls$/.test(url)) unused += JSON.parse(body).parts.length;
    if (method === 'PUT') unused -= 1;
    return unused;
  });
};
const askedLinks = () => sentTo('POST', /urls$/).map(({ body }) => JSON.parse(body).parts as number[]);
/** Time between requests, in seconds, to a tenth. */
const gapsOf = (requests: readonly SentRequest[]) =>
  requests.slice(1).map(({ atMs }, n) => Math.round((atMs - Number(requests[n]?.atMs)) / 100) / 10);
const stateOf = (uploader: Uploader) =>
  uploader.getState().uploads.map(({ status, sentBytes, totalBytes }) => `${status} ${sentBytes}/${totalBytes}`);
const copies = () => phone.disk.files.list(DOCUMENTS_URI);

interface Info {
  readonly request: Request;
}

const answerAsUsual = ({ request }: Info) => backend.app.fetch(request);
const json = (status: number, headers: Record<string, string> = {}) =>
  HttpResponse.json({ error: 'no' }, { status, headers });

/** The server does it, and nobody hears of it. */
async function doAndLoseAnswer({ request }: Info): Promise<Response> {
  await backend.app.fetch(request);
  return HttpResponse.error();
}

/** The server does it, and its answer is still on the way. */
async function doAndBeSilent({ request }: Info): Promise<Response> {
  await backend.app.fetch(request);
  return new Promise(() => {});
}

/** With one status after the other, over and over. */
function failPart(part: number, statuses: readonly number[]): void {
  let tries = 0;
  const isIt = ({ request }: Info) => new URL(request.url).pathname.endsWith(`/${part}`);
  const fail = () => {
    tries += 1;
    return json(statuses[(tries - 1) % statuses.length] ?? 500);
  };
  server.use(http.put(PARTS, (info) => (isIt(info) ? fail() : answerAsUsual(info))));
}

/** Requests wait on their way to the server until they are let through. */
function blockRoad(url: string) {
  const waiting: (() => void)[] = [];
  let isOpen = false;
  server.use(
    http.all(url, async ({ request }) => {
      if (!isOpen) await new Promise<void>((go) => waiting.push(go));
      return backend.app.fetch(request);
    }),
  );
  return {
    letOneThrough: () => waiting.shift()?.(),
    letLastThrough: () => waiting.pop()?.(),
    open() {
      isOpen = true;
      for (const go of waiting.splice(0)) go();
    },
  };
}

/** The server does what it is asked at once, but its answers take until they are released. */
const hold = (url: string) => holdAnswers(server, backend.app.fetch, { url });
