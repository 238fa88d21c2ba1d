import { expect, test } from 'vitest';
import { createTestBench } from './testing/launch-device.ts';

const KEY = new Uint8Array(32).fill(1);
const NONCE = new Uint8Array(12).fill(2);
const NAME = new TextEncoder().encode('name');

test('opens what it sealed, and nothing that was changed or has another name', () => {
  const { quickCrypto } = createTestBench().device;
  const cipher = quickCrypto.createCipheriv('aes-256-gcm', KEY, NONCE);
  cipher.setAAD(NAME);
  const sealed = quickCrypto.Buffer.concat([cipher.update('secret', 'utf8'), cipher.final()]);
  const tag = cipher.getAuthTag();

  const open = (text: Uint8Array, name: Uint8Array) => {
    const decipher = quickCrypto.createDecipheriv('aes-256-gcm', KEY, NONCE);
    decipher.setAAD(name);
    decipher.setAuthTag(tag);
    return decipher.update(text, undefined, 'utf8') + decipher.final('utf8');
  };

  expect(open(sealed, NAME)).toBe('secret');
  expect(() => open(sealed, new Uint8Array([1]))).toThrow();
  expect(() =>
    open(
      sealed.map((byte) => byte ^ 1),
      NAME,
    ),
  ).toThrow();
});

test('keeps key, nonce and additional data of each use for a test to look at', () => {
  const { device, seen } = createTestBench();

  device.quickCrypto.createCipheriv('aes-256-gcm', KEY, NONCE).setAAD(NAME);
  device.quickCrypto.createDecipheriv('aes-256-gcm', KEY, NONCE);

  const use = { algorithm: 'aes-256-gcm', key: '01'.repeat(32), nonce: '02'.repeat(12) };
  expect(seen.cipherCalls).toEqual([
    { ...use, does: 'encrypt', additionalData: '6e616d65' },
    { ...use, does: 'decrypt', additionalData: '' },
  ]);
});

test('draws other bytes at each call and in each launch, and the same in each run', () => {
  const draw = () => {
    const { device, relaunch } = createTestBench();
    const { quickCrypto } = device;
    const drawn = [quickCrypto.randomBytes(12), quickCrypto.randomBytes(12), relaunch().quickCrypto.randomBytes(12)];
    return [...drawn.map((bytes) => bytes.toString('hex')), quickCrypto.randomUUID()];
  };

  const once = draw();

  expect(new Set(once).size).toBe(4);
  expect(draw()).toEqual(once);
});

test('never draws one nonce twice in ten thousand', () => {
  const { quickCrypto } = createTestBench().device;
  const nonces = new Set(Array.from({ length: 10_000 }, () => quickCrypto.randomBytes(12).toString('hex')));

  expect(nonces.size).toBe(10_000);
});

test('hashes and derives as Node does', () => {
  const { quickCrypto } = createTestBench().device;

  expect(quickCrypto.createHash('sha256').update('abc').digest('hex')).toMatch(/^ba7816bf/);
  expect(quickCrypto.createHmac('sha256', 'key').update('abc').digest('hex')).toMatch(/^9c196e32/);
  expect(quickCrypto.pbkdf2Sync('password', 'salt', 2, 32, 'sha256').toString('hex')).toMatch(/^ae4d0c95/);
  expect(quickCrypto.timingSafeEqual(KEY, KEY)).toBe(true);
});
