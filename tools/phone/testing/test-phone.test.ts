import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPhone, type TestPhone } from './test-phone.ts';

const START_MS = Date.parse('2026-03-02T09:00:00.000Z');
const realFetch = globalThis.fetch;
const realSetTimeout = globalThis.setTimeout;

let phone: TestPhone;
beforeEach(() => {
  vi.stubGlobal('fetch', async () => Response.json({ ok: true }));
  phone = createPhone();
});
afterEach(() => {
  phone.dispose();
  vi.unstubAllGlobals();
});

const ending = (promise: Promise<unknown>) =>
  promise.then(
    (value) => `ok ${String(value)}`,
    (error: Error) => `${error.name}: ${error.message}`,
  );

test('passes time timer by timer, promises settling in between', async () => {
  const seen: string[] = [];
  const at = () => (Date.now() - START_MS) / 1_000;
  setTimeout(async () => {
    await phone.device.asyncStorage.setItem('a', '1');
    seen.push(`stored at ${at()}`);
    setTimeout(() => seen.push(`planned then at ${at()}`), 2_000);
  }, 1_000);
  setTimeout(() => seen.push(`late at ${at()}`), 60_000);

  await phone.pass(10_000);

  expect(seen).toEqual(['stored at 1', 'planned then at 3']);
  expect([at(), phone.serverNowMs() - START_MS]).toEqual([10, 10_000]);
});

test('starts both clocks where it is told to', () => {
  phone.dispose();
  phone = createPhone({ now: '2027-01-01T00:00:00.000Z' });

  expect([Date.now(), phone.serverNowMs()]).toEqual([Date.UTC(2027, 0, 1), Date.UTC(2027, 0, 1)]);
});

test('records each request as it left the phone, with the time', async () => {
  await phone.pass(1_500);

  await fetch('https://api.example.test/a', { method: 'PUT', body: '{"b":1}', headers: { 'X-Key': 'k' } });

  expect(phone.requests).toEqual([
    {
      method: 'PUT',
      url: 'https://api.example.test/a',
      headers: { 'content-type': 'text/plain;charset=UTF-8', 'x-key': 'k' },
      body: '{"b":1}',
      atMs: 1_500,
    },
  ]);
});

test('fails requests while offline, tells netInfo, and works again online', async () => {
  const seen: string[] = [];
  phone.device.netInfo.addEventListener(({ type }) => seen.push(type));
  await phone.settle();

  await phone.goOffline();
  const offline = await ending(fetch('https://api.example.test/a'));
  await phone.goOnline('cellular');
  const online = await ending(fetch('https://api.example.test/a').then(({ status }) => status));

  expect([offline, online]).toEqual(['TypeError: Network request failed', 'ok 200']);
  expect(seen).toEqual(['wifi', 'none', 'cellular']);
  expect(phone.requests).toHaveLength(2);
});

test('kills the app: nothing it awaited settles, timers go, storage stays', async () => {
  const seen: string[] = [];
  phone.disk.asyncStorage.set('old', '1');
  phone.device.mmkv.set('old', 1);
  const { device } = phone;
  void device.asyncStorage.setItem('new', '1').finally(() => seen.push('storage'));
  void fetch('https://api.example.test/a').finally(() => seen.push('request'));
  setTimeout(() => seen.push('timer'), 10);
  device.netInfo.addEventListener(() => seen.push('listener'));

  phone.kill();
  await phone.pass(1_000);
  await phone.goOffline();
  device.mmkv.set('late', 1);

  expect(seen).toEqual([]);
  expect(phone.disk.entries().map(({ module, key }) => `${module} ${key}`)).toEqual(['asyncStorage old', 'mmkv old']);
});

test('launches the app anew: fresh module state, new modules, old storage, in the foreground', async () => {
  const load = () => import('./counter-app.ts');
  const before = await phone.coldStart(load);
  const counts = [before.add(), before.add()];
  const { device } = phone;
  device.mmkv.set('kept', 1);
  await phone.goToBackground();

  const after = await phone.coldStart(load);

  expect([...counts, after.add()]).toEqual([1, 2, 1]);
  expect(phone.device).not.toBe(device);
  expect([phone.device.mmkv.getNumber('kept'), phone.device.appState.currentState]).toEqual([1, 'active']);
});

test('counts the listeners of the present launch', async () => {
  phone.device.netInfo.addEventListener(() => undefined);
  const subscription = phone.device.appState.addEventListener('change', () => undefined);

  const most = phone.listenerCount();
  subscription.remove();
  const fewer = phone.listenerCount();
  await phone.coldStart(async () => undefined);

  expect([most, fewer, phone.listenerCount()]).toEqual([2, 1, 0]);
});

// They are deaf and are counted until the next launch.
test('counts no listener after a kill', () => {
  phone.device.netInfo.addEventListener(() => undefined);

  phone.kill();

  expect(phone.listenerCount()).toBe(0);
});

test('stops timers in the background while the clock moves on', async () => {
  const seen: string[] = [];
  setTimeout(() => seen.push('timer'), 10_000);
  phone.device.appState.addEventListener('change', (state) => seen.push(state));

  await phone.goToBackground();
  await phone.pass(60_000);
  const asleep = [...seen, Date.now() - START_MS];
  await phone.goToForeground();
  await phone.pass(10_000);

  expect(asleep).toEqual(['background', 60_000]);
  expect(seen).toEqual(['background', 'active', 'timer']);
});

test("moves the server's clock while the app is in the background", async () => {
  await phone.goToBackground();
  await phone.pass(60_000);

  expect(phone.serverNowMs() - START_MS).toBe(60_000);
});

test('jumps the clock of the phone, and neither its timers nor the clock of the server', async () => {
  const seen: number[] = [];
  setTimeout(() => seen.push(Date.now() - START_MS), 10_000);

  phone.jumpClock(-3_600_000);
  const atOnce = [Date.now() - START_MS, phone.serverNowMs() - START_MS];
  await phone.pass(10_000);

  expect(atOnce).toEqual([-3_600_000, 0]);
  expect(seen).toEqual([-3_590_000]);
  expect(phone.serverNowMs() - START_MS).toBe(10_000);
});

test.each([
  ['full', 'Error: database or disk is full (code 13 SQLITE_FULL)'],
  ['failed', 'Error: disk I/O error (code 10 SQLITE_IOERR)'],
] as const)('fails the next write with %s, keeps the old value, and only once', async (fault, message) => {
  const { asyncStorage } = phone.device;
  await asyncStorage.setItem('a', 'old');

  phone.failNextWrite(fault);
  const read = await ending(asyncStorage.getItem('a'));
  const failed = await ending(asyncStorage.setItem('a', 'new'));
  const kept = await asyncStorage.getItem('a');
  await asyncStorage.setItem('a', 'newer');

  expect([read, failed, kept, await asyncStorage.getItem('a')]).toEqual(['ok old', message, 'old', 'newer']);
});

test('fails the next synchronous write as well', () => {
  phone.failNextWrite('full');

  expect(() => phone.device.mmkv.set('a', 1)).toThrow('ENOSPC');
  expect(() => phone.device.mmkv.set('a', 1)).not.toThrow();
});

test('holds writes unapplied until they are released, and what comes after them', async () => {
  const { asyncStorage } = phone.device;
  const order: string[] = [];
  phone.holdWrites();
  void asyncStorage.setItem('a', '1').then(() => order.push('write'));
  void asyncStorage.getItem('a').then((value) => order.push(`read ${value}`));

  await phone.pass(60_000);
  const held = [...order, phone.disk.asyncStorage.get('a')];
  await phone.releaseWrites();

  expect(held).toEqual([undefined]);
  expect(order).toEqual(['write', 'read 1']);
});

test('forgets held writes at a kill, and holds nothing afterwards', async () => {
  phone.holdWrites();
  void phone.device.asyncStorage.setItem('a', '1');
  await phone.settle();

  await phone.coldStart(async () => undefined);
  await phone.device.asyncStorage.setItem('b', '1');
  await phone.releaseWrites();

  expect(phone.disk.asyncStorage.keys()).toEqual(['b']);
});

test('puts the real clock, timers and network back', () => {
  phone.dispose();

  expect(globalThis.setTimeout).toBe(realSetTimeout);
  expect(globalThis.fetch).toBe(realFetch);
});
