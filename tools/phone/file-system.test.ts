import { expect, test } from 'vitest';
import { syntheticBytes } from './file-tree.ts';
import { createTestBench, ending, settle } from './testing/launch-device.ts';

const FREE_BYTES = 1_000_000;

function openFiles() {
  const bench = createTestBench();
  bench.disk.freeBytes = FREE_BYTES;
  const { File, Directory, Paths } = bench.device.fileSystem;
  const at = (name: string) => new File(Paths.document, name);
  const stored = (file: { uri: string }) => {
    const bytes = bench.disk.files.read(file.uri);
    return bytes && Buffer.from(bytes).toString();
  };
  return { ...bench, File, Directory, Paths, at, stored };
}

test('writes and reads text, bytes and base64', async () => {
  const { at } = openFiles();
  const file = at('a.txt');

  await file.write('größe');
  const read = [await file.text(), await file.base64(), file.size, file.exists, file.name];
  await file.write(new Uint8Array([1, 2]));
  await file.write('Aw==', { encoding: 'base64', append: true });

  expect(read).toEqual(['größe', 'Z3LDtsOfZQ==', 7, true, 'a.txt']);
  expect([...(await file.bytes())]).toEqual([1, 2, 3]);
});

test('keeps its own copy of bytes, and hands out copies', async () => {
  const { at, stored } = openFiles();
  const bytes = new TextEncoder().encode('abc');
  await at('a').write(bytes);

  bytes.fill(0);
  (await at('a').bytes()).fill(0);

  expect(stored(at('a'))).toBe('abc');
});

test('reads a file in slices, fewer bytes at its end and none behind it', async () => {
  const { at, disk } = openFiles();
  await at('a').write('abcdefg');
  const handle = at('a').open();

  const parts = [
    await handle.readBytes(3),
    await handle.readBytes(3),
    await handle.readBytes(3),
    await handle.readBytes(3),
  ];
  handle.offset = 1;
  parts.push(await handle.readBytes(2));
  handle.close();

  expect(parts.map((part) => Buffer.from(part).toString())).toEqual(['abc', 'def', 'g', '', 'bc']);
  expect(disk.files.reads.map(({ offset, sizeBytes }) => [offset, sizeBytes])).toEqual([
    [0, 3],
    [3, 3],
    [6, 1],
    [7, 0],
    [1, 2],
  ]);
  expect(await ending(handle.readBytes(1))).toContain('is closed');
});

test('gives each of several slices asked for at once its own place', async () => {
  const { at } = openFiles();
  await at('a').write('abcdef');
  const handle = at('a').open();

  const parts = await Promise.all([handle.readBytes(2), handle.readBytes(2), handle.readBytes(2)]);

  expect(parts.map((part) => Buffer.from(part).toString())).toEqual(['ab', 'cd', 'ef']);
});

test('writes into the middle of a file', async () => {
  const { at, stored } = openFiles();
  await at('a').write('abcdef');
  const handle = at('a').open();
  handle.offset = 2;

  await handle.writeBytes(new TextEncoder().encode('XY'));

  expect(stored(at('a'))).toBe('abXYef');
});

test('digests a content without reading it into the memory of the app', async () => {
  const { at, disk } = openFiles();
  await at('a').write('abc');

  const digests = [await at('a').digest('SHA-256'), at('a').md5];

  expect(digests).toEqual([
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    '900150983cd24fb0d6963f7d28e17f72',
  ]);
  expect(disk.files.reads).toEqual([]);
});

test('copies and moves, into a directory under the same name, and onto nothing that is there', async () => {
  const { at, Directory, Paths, stored } = openFiles();
  const folder = new Directory(Paths.document, 'folder');
  folder.create();
  await at('a').write('one');
  await at('b').write('two');
  const moved = at('b');

  await at('a').copy(folder);
  await moved.move(folder);
  const refused = await ending(at('a').copy(moved));
  await at('a').copy(moved, { overwrite: true });

  expect(folder.list().map(({ name }) => name)).toEqual(['a', 'b']);
  expect([moved.uri, at('b').exists, stored(moved)]).toEqual([`${folder.uri}b`, false, 'one']);
  expect(refused).toContain('Destination already exists');
});

test('makes and removes directories, with all that is in them', async () => {
  const { at, Directory, Paths } = openFiles();
  const inner = new Directory(Paths.document, 'outer', 'inner');
  expect(() => inner.create()).toThrow('Create it first');

  inner.create({ intermediates: true });
  await at('outer/inner/a').write('x');
  const listed = new Directory(Paths.document, 'outer').list().map(({ uri }) => uri);
  expect(() => inner.create()).toThrow('already exists');
  expect(() => inner.create({ idempotent: true })).not.toThrow();
  new Directory(Paths.document, 'outer').delete();

  expect(listed).toEqual([inner.uri]);
  expect([inner.exists, at('outer/inner/a').exists, Paths.document.exists]).toEqual([false, false, true]);
});

test('says what is missing', async () => {
  const { at, File } = openFiles();

  expect(await ending(at('a').text())).toContain('does not exist');
  expect(await ending(at('no/a').write('x'))).toContain('Create it first');
  expect(() => at('a').delete()).toThrow('does not exist');
  expect(() => at('a').open()).toThrow('does not exist');
  expect(() => new File('a.txt')).toThrow('Begin with Paths.document');
});

test('takes room on the disk, gives it back, and refuses what does not fit', async () => {
  const { at, disk, Paths } = openFiles();
  await at('a').write(syntheticBytes(400_000));
  await at('a').copy(at('b'));
  const left = Paths.availableDiskSpace;

  const heard = await ending(at('c').write(syntheticBytes(300_000)));
  at('a').delete();
  await at('c').write(syntheticBytes(300_000));

  expect([left, heard]).toEqual([200_000, `Unable to file.write ${at('c').uri}: No space left on device (ENOSPC)`]);
  expect(disk.freeBytes).toBe(300_000);
});

test.each([
  ['kill-before', undefined],
  ['torn', 'new '],
  ['kill-after', 'new text'],
] as const)('leaves of a new file what %s lets it', async (fault, kept) => {
  const { at, faults, stored } = openFiles();
  faults.push(fault);

  void at('a').write('new text');
  await settle();

  expect(stored(at('a'))).toBe(kept);
});

test('leaves half a copy when it is torn, and moves at once or not at all', async () => {
  const copied = openFiles();
  const moved = openFiles();
  for (const { at, disk } of [copied, moved]) disk.files.set(at('a').uri, '1234');
  copied.faults.push('torn');
  moved.faults.push('torn');

  void copied.at('a').copy(copied.at('b'));
  void moved.at('a').move(moved.at('b'));
  await settle();

  expect([copied.stored(copied.at('a')), copied.stored(copied.at('b'))]).toEqual(['1234', '12']);
  expect([moved.stored(moved.at('a')), moved.stored(moved.at('b'))]).toEqual(['1234', undefined]);
});

test.each([
  ['full', 'No space left on device'],
  ['failed', 'Input/output error'],
] as const)('keeps the old content when a write meets %s', async (fault, message) => {
  const { at, faults, stored } = openFiles();
  await at('a').write('old');
  faults.push(fault);

  expect(await ending(at('a').write('new'))).toContain(message);
  expect(stored(at('a'))).toBe('old');
});

test('makes the same large content for the same size and seed, and a digest of all its copies once', () => {
  const bytes = syntheticBytes(10 * 1024 * 1024, 7);

  expect(syntheticBytes(10 * 1024 * 1024, 7)).toBe(bytes);
  expect(syntheticBytes(64, 8)).not.toEqual(syntheticBytes(64, 9));
  // Parts differ, so that one in another's place is noticed.
  expect(bytes.subarray(0, 65_536)).not.toEqual(bytes.subarray(65_536, 131_072));
});

test('tells the app that a lost write is done', async () => {
  const { at, faults, stored } = openFiles();
  faults.push('lost');

  expect([await ending(at('a').write('new')), stored(at('a'))]).toEqual(['ok undefined', undefined]);
});
