import { afterAll, beforeAll, expect, test } from 'vitest';
import { CACHE_URI } from '../phone/file-tree.ts';
import { conditionWords } from './conditions.ts';
import { DEVICE_CONDITION_NAMES } from './device-conditions.ts';
import { conditionArguments } from './generate.ts';
import { catchRejections } from './run.ts';
import { storyEvents } from './story-events.ts';
import { createProbe, type ProbeLaunch, type ProbeOptions, runProbe, step } from './testing/probe.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

const ending = (promise: Promise<unknown>) =>
  promise.then(
    (value) => `ok ${String(value)}`,
    (error: Error) => error.message,
  );

/** An app that says at each tap what its phone gives it. A tap opens the app only when `opensApp` is true. */
async function tapping(
  tap: (launch: ProbeLaunch, heard: string[]) => unknown,
  options: ProbeOptions,
  open: (launch: ProbeLaunch) => unknown = () => undefined,
) {
  const heard: string[] = [];
  const result = await runProbe((launch) => {
    void open(launch);
    return { tap: () => void tap(launch, heard) };
  }, options);
  return { ...result, heard };
}

test('fills the disk for a while, for every store that needs room', async () => {
  const tap = async ({ device }: ProbeLaunch, heard: string[]) => {
    heard.push(
      await ending(device.asyncStorage.setItem('a', '1')),
      await ending(new device.fileSystem.File(device.fileSystem.Paths.cache, 'a').write('1')),
      await ending(device.secureStore.setItemAsync('a', '1')),
    );
  };

  const steps = [step('lowDisk', { ms: 1_500 }), step('tap'), step('tap')];
  const { heard } = await tapping(tap, { steps });

  expect(heard).toEqual([
    'database or disk is full (code 13 SQLITE_FULL)',
    expect.stringContaining('No space left on device'),
    'ok undefined',
    'ok undefined',
    'ok undefined',
    'ok undefined',
  ]);
});

test('counts what is removed from a full disk as room, and two fillings as one', async () => {
  const free: number[] = [];
  const tap = ({ device }: ProbeLaunch) => {
    free.push(device.fileSystem.Paths.availableDiskSpace);
    new device.fileSystem.File(device.fileSystem.Paths.cache, 'old').delete();
    free.push(device.fileSystem.Paths.availableDiskSpace);
  };
  const furnish: NonNullable<ProbeOptions['scenario']>['furnish'] = (disk) => {
    disk.freeBytes = 1_000;
    disk.files.write(`${CACHE_URI}old`, new Uint8Array(300));
  };
  let last = 0;
  const steps = [step('lowDisk', { ms: 1_500 }), step('lowDisk', { ms: 5_000 }), null, step('tap')];

  await tapping(tap, { steps, scenario: { furnish } }, ({ device }) => {
    last = device.fileSystem.Paths.availableDiskSpace;
  });

  expect([free, last]).toEqual([[0, 300], 1_000]);
});

test('loses guarded keychain items when another face is enrolled, and all when the keychain is lost', async () => {
  const tap = async ({ device }: ProbeLaunch, heard: string[]) => {
    heard.push(
      String(await device.secureStore.getItemAsync('guarded')),
      String(await device.secureStore.getItemAsync('plain')),
    );
  };
  const open = async ({ device, launch }: ProbeLaunch) => {
    if (launch > 1) return;
    await device.secureStore.setItemAsync('guarded', 'secret', { requireAuthentication: true });
    await device.secureStore.setItemAsync('plain', 'token');
  };

  const steps = [
    step('tap'),
    ...Array(6).fill(null),
    step('enrolment'),
    step('tap'),
    step('keychainLost'),
    step('tap'),
  ];
  const { heard, costs } = await tapping(tap, { steps }, open);

  expect(heard).toEqual(['secret', 'token', 'null', 'token', 'null', 'null']);
  expect(costs.prompts).toBe(1);
});

test('puts the app into the background while the screen is locked, and keychain items out of reach', async () => {
  const heard: string[] = [];
  const open = ({ device, launch }: ProbeLaunch) => {
    if (launch > 1) return;
    void device.secureStore.setItemAsync('token', 'secret');
    device.appState.addEventListener('change', async (state) => {
      heard.push(state, await ending(device.secureStore.getItemAsync('token')));
    });
  };

  await tapping(() => undefined, { steps: [null, step('screenLock', { ms: 3_000 })], slots: 10 }, open);

  expect(heard).toEqual([
    'background',
    expect.stringContaining('User interaction is not allowed'),
    'active',
    'ok secret',
  ]);
});

test.each([
  ['ios', ['keychain']],
  ['android', []],
] as const)('removes the app on %s with all it stored, and opens it afresh', async (platform, kept) => {
  const found: string[][] = [];
  let installs = 0;
  const open = async ({ device }: ProbeLaunch) => {
    const secret = await device.secureStore.getItemAsync('a');
    found.push([...(await device.asyncStorage.getAllKeys()), ...(secret === null ? [] : ['keychain'])]);
    await device.asyncStorage.setItem('a', '1');
    await device.secureStore.setItemAsync('a', '1');
  };
  const steps = [null, step('reinstall', { ms: 500 })];

  const { trace } = await tapping(
    () => undefined,
    {
      steps,
      slots: 5,
      scenario: {
        platform,
        invariants: [
          {
            id: 'installs',
            promise: 'notes the installs',
            spec: [],
            settled: ({ phones }) => {
              installs = phones[0]?.installs ?? 0;
              return undefined;
            },
          },
        ],
      },
    },
    open,
  );

  expect([found.slice(0, 2), installs]).toEqual([[[], [...kept]], 2]);
  expect(trace.flatMap((event) => (event.kind === 'kill' ? [event.during] : []))[0]).toBe('as it was removed');
});

test('empties the cache, and only that', async () => {
  const tap = ({ device }: ProbeLaunch, heard: string[]) => {
    const { File, Paths } = device.fileSystem;
    heard.push([new File(Paths.cache, 'a').exists, new File(Paths.document, 'a').exists, Paths.cache.exists].join(' '));
  };
  const open = async ({ device, launch }: ProbeLaunch) => {
    if (launch > 1) return;
    const { File, Paths } = device.fileSystem;
    await new File(Paths.cache, 'a').write('1');
    await new File(Paths.document, 'a').write('1');
  };

  const { heard } = await tapping(tap, { steps: [step('tap'), step('cacheCleared'), step('tap')] }, open);

  expect(heard).toEqual(['true true true', 'false true true']);
});

test('ends whatever lasts when the world heals', async () => {
  const heard: string[] = [];
  const steps = [step('lowDisk', { ms: 10_000_000 }), step('screenLock', { ms: 10_000_000 })];

  await runProbe(
    ({ device, launch }) => {
      if (launch === 2) void ending(device.asyncStorage.setItem('a', '1')).then((text) => heard.push(text));
      return undefined;
    },
    {
      steps,
      slots: 5,
      scenario: {
        invariants: [
          {
            id: 'healed',
            promise: 'notes the phone',
            spec: [],
            settled: ({ phones }) => {
              heard.push(`locked ${phones[0]?.conditions.isLocked}`);
              return undefined;
            },
          },
        ],
      },
    },
  );

  expect(heard).toEqual(['locked false', 'ok undefined']);
});

test('tells each condition in words, and draws it', async () => {
  const words = DEVICE_CONDITION_NAMES.map((name) => conditionWords(step(name, { ms: 60_000 })));
  const steps = DEVICE_CONDITION_NAMES.map((name) => step(name, { ms: 100 }));

  const { trace } = await tapping(() => undefined, { steps });
  const drawn = storyEvents(trace, null).map(({ text }) => text);

  expect(words).toEqual([
    'the app is removed, installed anew, and opened after 60 s',
    'another face or finger is enrolled',
    'the phone loses all that is in its keychain',
    'the screen is locked for 60 s',
    "the phone's disk is full for 60 s",
    "the OS clears the app's cache",
  ]);
  for (const text of [
    'removed, and installed anew',
    'the screen is unlocked',
    'the disk has room again',
    'the cache is emptied',
  ])
    expect(drawn).toContain(text);
});

test('gives conditions that take no time one length to choose', () => {
  const { scenario } = createProbe(() => undefined, { conditions: { enrolment: {}, lowDisk: { forMs: [5] } } });

  expect(conditionArguments(scenario)).toEqual([
    { name: 'enrolment', weight: 1, choices: [0] },
    { name: 'lowDisk', weight: 1, choices: [5] },
  ]);
});
