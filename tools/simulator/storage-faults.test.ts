import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../phone/device.ts';
import type { STORAGE_FAULTS } from './fault-kinds.ts';
import { catchRejections } from './run.ts';
import { type ProbeLaunch, type ProbeResult, runProbe } from './testing/probe.ts';
import { inTurn, worlds } from './testing/worlds.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

interface Seen extends ProbeResult {
  readonly heard: string | null;
  readonly afterMs: number;
  /** What the disk holds at the end, as `key=value`. */
  readonly stored: readonly string[];
}

const OLD = 'old=1';

/** An app that finds one old entry and makes one storage call, under one fault. */
async function callUnder(
  fault: { target?: string; kind: string },
  call: (device: Device) => unknown,
  world = 1,
): Promise<Seen> {
  const seen = { heard: null as string | null, afterMs: 0, stored: [] as string[] };
  const open = ({ platform, device, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    const note = (heard: string) => {
      seen.heard = heard;
      seen.afterMs = platform.performance.now();
    };
    void (async () => call(device))().then(
      (value) => note(JSON.stringify(value) ?? 'done'),
      (error: Error) => note(error.message),
    );
    return undefined;
  };
  const result = await runProbe(open, {
    world,
    faults: [{ target: 'storage.write', ...fault }],
    scenario: {
      furnish: (disk) => {
        disk.asyncStorage.set('old', '1');
        disk.mmkv.set('old', '1');
      },
      invariants: [
        {
          id: 'disk',
          promise: 'notes what is stored',
          spec: [],
          settled: ({ phones }) => {
            seen.stored = phones[0]?.disk.asyncStorage.entries().map((entry) => entry.join('=')) ?? [];
            return undefined;
          },
        },
      ],
    },
  });
  return { ...result, ...seen };
}

const isKilled = ({ trace }: ProbeResult) => trace.some((event) => event.kind === 'kill' && event.atMs < 90_000);

/** What each kind promises of a write of `new` over two keys: what is stored, what the app heard, whether it was killed. */
const PROMISES: Record<
  keyof typeof STORAGE_FAULTS,
  readonly [stored: string[], heard: string | null, killed: boolean]
> = {
  slow: [['a=1', 'b=2', 'c=3', 'd=4'], 'done', false],
  full: [[], 'database or disk is full (code 13 SQLITE_FULL)', false],
  failed: [[], 'disk I/O error (code 10 SQLITE_IOERR)', false],
  lost: [[], 'done', false],
  torn: [['a=1', 'b=2'], null, true],
  'kill-before': [[], null, true],
  'kill-after': [['a=1', 'b=2', 'c=3', 'd=4'], null, true],
};

test.each(Object.entries(PROMISES))('does to a write what %s says', async (kind, [stored, heard, killed]) => {
  const seen = await callUnder({ kind }, ({ asyncStorage }) =>
    asyncStorage.multiSet([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
      ['d', '4'],
    ]),
  );

  expect({ stored: seen.stored, heard: seen.heard, killed: isKilled(seen) }).toEqual({
    stored: [OLD, ...stored],
    heard,
    killed,
  });
  expect([...seen.struck]).toEqual([[`storage.write ${kind}`, 1]]);
});

test.each([
  ['full', 'database or disk is full (code 13 SQLITE_FULL)'],
  ['failed', 'disk I/O error (code 10 SQLITE_IOERR)'],
])('keeps the old value when a write fails with %s', async (kind, message) => {
  const seen = await callUnder({ kind }, ({ asyncStorage }) => asyncStorage.setItem('old', '2'));

  expect([seen.stored, seen.heard]).toEqual([[OLD], message]);
});

test('tears a removal of several keys, and leaves a single write undone', async () => {
  const write = await callUnder({ kind: 'torn' }, ({ asyncStorage }) => asyncStorage.setItem('a', '1'));
  const removal = await callUnder({ kind: 'torn' }, ({ asyncStorage }) => asyncStorage.multiRemove(['old', 'none']));

  expect([write.stored, isKilled(write)]).toEqual([[OLD], true]);
  expect([removal.stored, isKilled(removal)]).toEqual([[], true]);
});

test('answers within 3 ms when nothing is wrong, and after 2 to 10 seconds when slow', async () => {
  const write = ({ asyncStorage }: Device) => asyncStorage.setItem('a', '1');

  const quick = await inTurn(worlds(10), (world) => callUnder({ kind: 'none of these' }, write, world));
  const slow = await inTurn(worlds(10), (world) => callUnder({ kind: 'slow' }, write, world));

  expect(Math.max(...quick.map(({ afterMs }) => afterMs))).toBeLessThanOrEqual(3);
  expect(Math.min(...slow.map(({ afterMs }) => afterMs))).toBeGreaterThan(2_000);
  expect(Math.max(...slow.map(({ afterMs }) => afterMs))).toBeLessThan(10_003);
});

test.each([
  ['slow', '"1"', false],
  ['failed', 'disk I/O error (code 10 SQLITE_IOERR)', false],
  ['kill-before', null, true],
  ['kill-after', null, true],
])('does to a read what %s says', async (kind, heard, killed) => {
  const seen = await callUnder({ target: 'storage.read', kind }, ({ asyncStorage }) => asyncStorage.getItem('old'));

  expect([seen.heard, isKilled(seen), seen.stored]).toEqual([heard, killed, [OLD]]);
});

test.each([
  ['full', 'Failed to set value: MMKV could not grow its file (ENOSPC: no space left on device)'],
  ['failed', 'Failed to set value: MMKV could not write its file (EIO: i/o error)'],
])('makes a synchronous write throw with %s, and keeps the old value', async (kind, message) => {
  const values: unknown[] = [];
  const seen = await callUnder({ kind }, ({ mmkv }) => {
    try {
      mmkv.set('old', '2');
    } finally {
      values.push(mmkv.getString('old'));
    }
  });

  expect([seen.heard, values]).toEqual([message, ['1']]);
});

test.each([
  ['kill-before', undefined],
  ['kill-after', 'yes'],
  ['torn', undefined],
])('kills the app at a synchronous write with %s', async (kind, stored) => {
  const values: unknown[] = [];
  let launches = 0;
  const open = ({ device }: ProbeLaunch) => {
    launches += 1;
    values.push(device.mmkv.getString('new'));
    if (launches === 1) device.mmkv.set('new', 'yes');
    return undefined;
  };

  await runProbe(open, { faults: [{ target: 'storage.write', kind }] });

  expect(values).toEqual([undefined, stored, stored]);
});

test('counts reads and writes apart, each from 1', async () => {
  const heard: string[] = [];
  const open = ({ device, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    const { asyncStorage } = device;
    const note = (name: string, promise: Promise<unknown>) =>
      void promise.then(
        () => heard.push(`${name} ok`),
        () => heard.push(`${name} failed`),
      );
    note('write 1', asyncStorage.setItem('a', '1'));
    note('read 1', asyncStorage.getItem('a'));
    note('write 2', asyncStorage.setItem('b', '1'));
    note('read 2', asyncStorage.getAllKeys());
    return undefined;
  };

  const { counts, costs } = await runProbe(open, {
    faults: [
      { target: 'storage.write', nth: 2, kind: 'full' },
      { target: 'storage.read', nth: 1, kind: 'failed' },
    ],
  });

  expect(heard).toEqual(['write 1 ok', 'read 1 failed', 'write 2 failed', 'read 2 ok']);
  expect([counts[0]?.get('storage.write'), counts[0]?.get('storage.read')]).toEqual([2, 2]);
  expect([costs.storageWrites, costs.storageReads, costs.storageBytes]).toEqual([1, 1, 1]);
});

// A kind that cannot strike a place is noted as struck there, so that a scenario's author takes it for covered.
test.each([
  [
    'a full disk',
    'a read',
    { target: 'storage.read', kind: 'full' },
    ({ asyncStorage }: Device) => asyncStorage.getItem('a'),
  ],
  ['slowness', 'a synchronous write', { kind: 'slow' }, ({ mmkv }: Device) => mmkv.set('a', 1)],
])('does not claim that %s struck %s', async (_kind, _place, fault, call) => {
  const { struck } = await callUnder(fault, call);

  expect([...struck]).toEqual([]);
});
