import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CACHE_URI, syntheticBytes } from '../file-tree.ts';
import { createPhone, type TestPhone } from './test-phone.ts';

let phone: TestPhone;
beforeEach(() => {
  vi.stubGlobal('fetch', async (request: Request) => new Response(await request.arrayBuffer()));
  phone = createPhone();
});
afterEach(() => {
  phone.dispose();
  vi.unstubAllGlobals();
});

const ending = (promise: Promise<unknown>) =>
  promise.then(
    (value) => `ok ${String(value)}`,
    (error: Error) => error.message,
  );

const GUARDED = { requireAuthentication: true };

test('removes the app with all it stored but the Keychain, and nothing of the dead app settles', async () => {
  const seen: string[] = [];
  await phone.device.secureStore.setItemAsync('token', 'secret');
  phone.device.mmkv.set('a', 1);
  void phone.device.asyncStorage.setItem('b', '1').finally(() => seen.push('settled'));

  phone.reinstall();
  await phone.coldStart(async () => undefined);

  expect([seen, phone.disk.entries()]).toEqual([[], [{ module: 'secureStore', key: 'token', value: 'secret' }]]);
});

test('removes an Android app with its Keystore', async () => {
  phone.dispose();
  phone = createPhone({ platform: 'android' });
  await phone.device.secureStore.setItemAsync('token', 'secret');

  phone.reinstall();

  expect(phone.disk.entries()).toEqual([]);
});

test('counts prompts over all launches, and loses guarded items when another face is enrolled', async () => {
  await phone.device.secureStore.setItemAsync('key', 'secret', GUARDED);
  await phone.device.secureStore.getItemAsync('key');
  await phone.coldStart(async () => undefined);
  await phone.device.localAuthentication.authenticateAsync();

  phone.enrolBiometrics();

  expect([await phone.device.secureStore.getItemAsync('key'), phone.promptCount()]).toEqual([null, 2]);
});

test('takes the sensor or the keychain away', async () => {
  await phone.device.secureStore.setItemAsync('token', 'secret');

  phone.setBiometrics({ isEnrolled: false });
  phone.loseKeychain();

  expect(phone.device.secureStore.canUseBiometricAuthentication()).toBe(false);
  expect(await phone.device.secureStore.getItemAsync('token')).toBeNull();
});

test('locks the screen: the app is in the background, its keychain out of reach until it is unlocked', async () => {
  await phone.device.secureStore.setItemAsync('token', 'secret');

  await phone.lockScreen();
  const locked = [phone.device.appState.currentState, await ending(phone.device.secureStore.getItemAsync('token'))];
  await phone.unlockScreen();

  expect(locked).toEqual(['background', expect.stringContaining('User interaction is not allowed')]);
  expect(await phone.device.secureStore.getItemAsync('token')).toBe('secret');
});

test('fills the disk and makes room', async () => {
  phone.setFreeSpace(10);
  const heard = await ending(phone.device.asyncStorage.setItem('a', 'x'.repeat(11)));
  phone.setFreeSpace(100);

  expect(heard).toContain('disk is full');
  expect(await ending(phone.device.asyncStorage.setItem('a', 'x'.repeat(11)))).toBe('ok undefined');
});

test('empties the cache', () => {
  phone.disk.files.write(`${CACHE_URI}photo.jpg`, syntheticBytes(10));

  phone.clearCache();

  expect(phone.disk.files.list()).toEqual([]);
});

test.each([
  ['kill-before', ['a']],
  ['torn', ['a', 'b']],
  ['kill-after', ['a', 'b', 'c', 'd']],
] as const)('kills the app at the write it is told, with %s', async (fault, kept) => {
  const heard: string[] = [];
  phone.failNextWrite(fault, { after: 1 });
  const { asyncStorage } = phone.device;

  await asyncStorage.setItem('a', '1');
  void asyncStorage
    .multiSet(
      [
        ['b', '1'],
        ['c', '1'],
        ['d', '1'],
      ].map(([key, value]) => [key, value] as [string, string]),
    )
    .then(() => heard.push('heard'));
  await phone.settle();

  expect([heard, phone.disk.asyncStorage.keys()]).toEqual([[], kept]);
  await phone.coldStart(async () => undefined);
  expect(await phone.device.asyncStorage.getAllKeys()).toEqual(kept);
});

test('sees the key and nonce of each seal', () => {
  const { quickCrypto } = phone.device;
  quickCrypto.createCipheriv('aes-256-gcm', quickCrypto.randomBytes(32), quickCrypto.randomBytes(12));

  expect(phone.cipherCalls).toMatchObject([{ does: 'encrypt', nonce: expect.stringMatching(/^[0-9a-f]{24}$/) }]);
});

test('carries bytes to the server, and records them with number and hash', async () => {
  const bytes = syntheticBytes(1_000);

  const answer = await fetch('https://files.example.test/part', { method: 'PUT', body: bytes.slice() });

  expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), bytes)).toBe(0);
  expect(phone.requests[0]?.body).toMatch(/^<1000 bytes, sha256 /);
  expect(Buffer.compare(phone.requests[0]?.bytes ?? new Uint8Array(), bytes)).toBe(0);
});

test('rolls an open transaction back at a kill, and keeps the database for the next launch', async () => {
  const database = await phone.device.openDatabaseAsync('a.db');
  await database.execAsync("CREATE TABLE t (v); INSERT INTO t VALUES ('kept')");
  await database.execAsync("BEGIN; INSERT INTO t VALUES ('lost')");

  await phone.coldStart(async () => undefined);
  const again = await phone.device.openDatabaseAsync('a.db');

  expect(await again.getAllAsync('SELECT v FROM t')).toEqual([{ v: 'kept' }]);
});
