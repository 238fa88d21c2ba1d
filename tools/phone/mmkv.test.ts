import { expect, test } from 'vitest';
import { Disk } from './disk.ts';
import { createMmkv } from './mmkv.ts';
import { TestHost } from './testing/test-host.ts';

function createStore() {
  const disk = new Disk();
  const host = new TestHost({ faults: [], gate: { held: false, waiting: [] } });
  return { disk, host, mmkv: createMmkv(host, disk) };
}

test('has a value on disk as soon as set returns', () => {
  const { disk, mmkv } = createStore();

  mmkv.set('name', 'Ada');

  expect(disk.entries()).toEqual([{ module: 'mmkv', key: 'name', value: 'Ada' }]);
});

test('gives a value only as the type it was set as', () => {
  const { mmkv } = createStore();
  mmkv.set('text', '7');
  mmkv.set('number', 7);
  mmkv.set('boolean', false);

  const read = ['text', 'number', 'boolean', 'none'].map((key) => [
    mmkv.getString(key),
    mmkv.getNumber(key),
    mmkv.getBoolean(key),
  ]);

  expect(read).toEqual([
    ['7', undefined, undefined],
    [undefined, 7, undefined],
    [undefined, undefined, false],
    [undefined, undefined, undefined],
  ]);
});

test('tells which keys there are, also such with a value of false or zero', () => {
  const { mmkv } = createStore();
  mmkv.set('a', false);
  mmkv.set('b', 0);
  mmkv.set('c', '');

  mmkv.delete('b');
  mmkv.delete('none');

  expect(mmkv.getAllKeys()).toEqual(['a', 'c']);
  expect(['a', 'b', 'c'].map((key) => mmkv.contains(key))).toEqual([true, false, true]);
});

test('clears everything, and leaves the other store alone', () => {
  const { disk, mmkv } = createStore();
  disk.asyncStorage.set('a', '1');
  mmkv.set('a', 1);

  mmkv.clearAll();

  expect(disk.entries()).toEqual([{ module: 'asyncStorage', key: 'a', value: '1' }]);
});

test('writes nothing for an app that is dead', () => {
  const { disk, host, mmkv } = createStore();
  host.kill();

  mmkv.set('a', 1);

  expect(disk.entries()).toEqual([]);
});
