import { expect, test } from 'vitest';
import { createAsyncStorage } from './async-storage.ts';
import { ASYNC_STORAGE_QUOTA_BYTES, Disk } from './disk.ts';
import { TestHost } from './testing/test-host.ts';

function createStorage() {
  const disk = new Disk();
  const host = new TestHost({ faults: [], gate: { held: false, waiting: [] } });
  return { disk, storage: createAsyncStorage(host, disk) };
}

test('gives back what was stored, and null for what was not', async () => {
  const { storage } = createStorage();
  await storage.setItem('a', '1');
  await storage.multiSet([
    ['b', '2'],
    ['c', ''],
  ]);

  expect(await storage.getItem('a')).toBe('1');
  expect(await storage.getItem('none')).toBeNull();
  expect(await storage.multiGet(['c', 'none', 'b'])).toEqual([
    ['c', ''],
    ['none', null],
    ['b', '2'],
  ]);
});

test('removes one, several or all', async () => {
  const { storage, disk } = createStorage();
  await storage.multiSet(['a', 'b', 'c', 'd'].map((key) => [key, '1']));

  await storage.removeItem('a');
  await storage.multiRemove(['b', 'none']);
  const left = await storage.getAllKeys();
  await storage.clear();

  expect(left).toEqual(['c', 'd']);
  expect([await storage.getAllKeys(), disk.asyncStorage.usedBytes()]).toEqual([[], 0]);
});

test('runs calls one after another, in the order in which they were made', async () => {
  const { storage } = createStorage();

  const results = await Promise.all([
    storage.setItem('a', '1'),
    storage.getItem('a'),
    storage.setItem('a', '2'),
    storage.getItem('a'),
    storage.clear(),
    storage.getAllKeys(),
  ]);

  expect(results).toEqual([undefined, '1', undefined, '2', undefined, []]);
});

test.each([
  ['a value that is no text', 'setItem', ['a', 7], 'asyncStorage.setItem value of "a" must be a string, got number.'],
  [
    'a value that is not there',
    'setItem',
    ['a', undefined],
    'asyncStorage.setItem value of "a" must be a string, got undefined.',
  ],
  ['null', 'setItem', ['a', null], 'asyncStorage.setItem value of "a" must be a string, got null.'],
  ['a key that is no text', 'setItem', [7, 'a'], 'asyncStorage.setItem key must be a string, got number.'],
  [
    'a key to read that is no text',
    'getItem',
    [undefined],
    'asyncStorage.getItem key must be a string, got undefined.',
  ],
  [
    'one of several values',
    'multiSet',
    [
      [
        ['a', '1'],
        ['b', {}],
      ],
    ],
    'asyncStorage.multiSet value of "b" must be a string, got object.',
  ],
])('rejects %s with a TypeError, and stores nothing', async (_what, call, args, message) => {
  const { storage, disk } = createStorage();
  const calls = storage as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;

  await expect(calls[call]?.(...args)).rejects.toThrow(new TypeError(message));

  expect(disk.entries()).toEqual([]);
});

// Only `setItem` and `getItem` look at the key: others leak an error of Node, or do nothing without a word.
test.each([
  ['multiSet', [[[7, '1']]]],
  ['multiGet', [[7]]],
  ['removeItem', [7]],
  ['multiRemove', [[7]]],
])('rejects a key that is no text in %s with a TypeError that says so', async (call, args) => {
  const { storage } = createStorage();
  const calls = storage as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;

  await expect(calls[call]?.(...args)).rejects.toThrow(
    new TypeError(`asyncStorage.${call} key must be a string, got number.`),
  );
});

test('rejects what would take the store over 6 MB, and keeps the old value', async () => {
  const { storage, disk } = createStorage();
  await storage.setItem('a', 'old');
  const room = ASYNC_STORAGE_QUOTA_BYTES - disk.asyncStorage.usedBytes();

  await expect(storage.setItem('b', 'x'.repeat(room))).rejects.toThrow('database or disk is full');
  await expect(storage.setItem('a', 'x'.repeat(room + 4))).rejects.toThrow('database or disk is full');

  expect(disk.asyncStorage.entries()).toEqual([['a', 'old']]);
});

test('takes what just fits, key included, and counts UTF-8 bytes', async () => {
  const { storage, disk } = createStorage();
  disk.asyncStorageQuotaBytes = 10;

  await storage.setItem('key', 'größ');
  await expect(storage.setItem('b', '')).resolves.toBeUndefined();

  expect(disk.asyncStorage.usedBytes()).toBe(10);
  await expect(storage.setItem('c', '')).rejects.toThrow('database or disk is full');
});

test('makes room when a value becomes shorter or goes', async () => {
  const { storage, disk } = createStorage();
  disk.asyncStorageQuotaBytes = 10;
  await storage.setItem('a', '123456789');

  await storage.setItem('a', '1');
  await storage.setItem('b', '1234567');
  await storage.removeItem('b');
  await storage.setItem('c', '1234567');

  expect(disk.asyncStorage.entries()).toEqual([
    ['a', '1'],
    ['c', '1234567'],
  ]);
});

test('goes on after a call that failed', async () => {
  const { storage } = createStorage();
  const failed = storage.setItem('a', 7 as unknown as string).catch((error: Error) => error.name);

  expect(await failed).toBe('TypeError');
  await expect(storage.setItem('a', '7')).resolves.toBeUndefined();
});

// A key that is written again goes to the end: `set` takes it out first.
test('lists keys in the order of their first insertion', async () => {
  const { storage } = createStorage();
  for (const key of ['a', 'b', 'a']) await storage.setItem(key, '1');

  expect(await storage.getAllKeys()).toEqual(['a', 'b']);
});
