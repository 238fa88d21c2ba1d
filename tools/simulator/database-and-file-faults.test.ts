import { Hono } from 'hono';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../phone/device.ts';
import type { StoredEntry } from '../phone/disk.ts';
import { CACHE_URI, DOCUMENTS_URI, syntheticBytes } from '../phone/file-tree.ts';
import { catchRejections, hashTrace } from './run.ts';
import { API_URL, type ProbeLaunch, type ProbeOptions, type ProbeResult, runProbe, step } from './testing/probe.ts';
import { inTurn, worlds } from './testing/worlds.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

interface Seen extends ProbeResult {
  readonly heard: readonly string[];
  /** What the first phone's disk holds at the end. */
  readonly stored: readonly StoredEntry[];
}

/** An app that makes its calls at the first launch; `furnish` fills the disk before it. */
async function run(
  call: (launch: ProbeLaunch, note: (text: string) => void) => unknown,
  options: ProbeOptions = {},
): Promise<Seen> {
  const heard: string[] = [];
  let stored: readonly StoredEntry[] = [];
  const note = (text: string) => heard.push(text);
  const open = (launch: ProbeLaunch) => {
    if (launch.launch > 1) return undefined;
    void (async () => call(launch, note))().then(
      (value) => note(`ok ${JSON.stringify(value) ?? ''}`.trim()),
      (error: Error) => note(error.message),
    );
    return undefined;
  };
  const invariant = {
    id: 'disk',
    promise: 'notes what is stored',
    spec: [],
    settled: ({ phones }: { phones: readonly { disk: { entries(): StoredEntry[] } }[] }) => {
      stored = phones[0]?.disk.entries() ?? [];
      return undefined;
    },
  };
  const result = await runProbe(open, { ...options, scenario: { ...options.scenario, invariants: [invariant] } });
  return { ...result, heard, stored };
}

const TABLE = 'CREATE TABLE task (id INTEGER PRIMARY KEY, title TEXT)';

/** Makes the table beforehand, so that the first write of the app is the first to the disk. */
const withTable: ProbeOptions['scenario'] = {
  furnish: (disk) => disk.databases.open('a.db').exec(TABLE),
};

async function addTwo({ device }: ProbeLaunch): Promise<string> {
  const database = await device.openDatabaseAsync('a.db');
  await database.withTransactionAsync(async () => {
    await database.runAsync('INSERT INTO task (title) VALUES (?)', 'one');
    await database.runAsync('INSERT INTO task (title) VALUES (?)', 'two');
  });
  return 'committed';
}

const titles = ({ stored }: Seen) => stored.filter(({ key }) => key.endsWith('/title')).map(({ value }) => value);
const isKilled = ({ trace }: ProbeResult) => trace.some((event) => event.kind === 'kill' && event.atMs < 90_000);

test.each([
  [1, 'kill-before', [], true],
  [2, 'kill-after', [], true],
  [3, 'kill-before', [], true],
  [3, 'torn', [], true],
  [3, 'kill-after', ['one', 'two'], true],
  [2, 'full', [], false],
  [3, 'failed', [], false],
  [3, 'slow', ['one', 'two'], false],
] as const)('keeps all or nothing of a transaction whose write %i meets %s', async (nth, kind, kept, killed) => {
  const seen = await run(addTwo, { faults: [{ target: 'storage.write', nth, kind }], scenario: withTable });

  expect([titles(seen), isKilled(seen)]).toEqual([kept, killed]);
  expect([...seen.struck]).toEqual([[`storage.write ${kind}`, 1]]);
});

test.each([
  ['storage.write', 'full', 'Error code 13: database or disk is full'],
  ['storage.write', 'failed', 'Error code 10: disk I/O error'],
  ['storage.read', 'failed', 'Error code 10: disk I/O error'],
])('rejects with the error of SQLite when a %s meets %s', async (target, kind, message) => {
  const call = async ({ device }: ProbeLaunch) => {
    const database = await device.openDatabaseAsync('a.db');
    await database.getAllAsync('SELECT * FROM task');
    await database.runAsync("INSERT INTO task (title) VALUES ('x')");
  };

  const seen = await run(call, { faults: [{ target, kind }], scenario: withTable });

  expect(seen.heard).toEqual([message]);
});

test('numbers statements and commits as writes, and beginnings as none', async () => {
  const { counts, costs } = await run(addTwo, { scenario: withTable });

  expect([counts[0]?.get('storage.write'), counts[0]?.get('storage.read'), costs.storageWrites]).toEqual([
    3,
    undefined,
    3,
  ]);
});

test('lets a database and all other storage take turns in the order of the calls', async () => {
  const order = async ({ device }: ProbeLaunch, note: (text: string) => void) => {
    const database = await device.openDatabaseAsync('a.db');
    await Promise.all([
      database.runAsync("INSERT INTO task (title) VALUES ('x')").then(() => note('database')),
      device.asyncStorage.setItem('a', '1').then(() => note('asyncStorage')),
      database.execAsync('BEGIN').then(() => note('begin')),
      database.getAllAsync('SELECT 1').then(() => note('select')),
    ]);
  };

  for (const { heard } of await inTurn(worlds(10), (world) => run(order, { world, scenario: withTable })))
    expect(heard).toEqual(['database', 'asyncStorage', 'begin', 'select', 'ok']);
});

test("gives SQL the phone's clock and its own draws, alike in each run of a plan", async () => {
  const ask = async ({ device }: ProbeLaunch) => {
    const database = await device.openDatabaseAsync('a.db');
    return database.getFirstAsync("SELECT datetime('now') AS at, random() AS n");
  };

  const [once, again, other] = await Promise.resolve().then(async () => [
    (await run(ask, { world: 1 })).heard,
    (await run(ask, { world: 1 })).heard,
    (await run(ask, { world: 2 })).heard,
  ]);

  expect(once?.[0]).toContain('"at":"2026-03-02 09:00:00"');
  expect([again, other === undefined || other[0] === once?.[0]]).toEqual([once, false]);
});

test.each([
  ['kill-before', []],
  ['torn', ['1234']],
  ['kill-after', ['12345678']],
] as const)('leaves of a file what %s lets it', async (kind, kept) => {
  const write = ({ device }: ProbeLaunch) =>
    new device.fileSystem.File(device.fileSystem.Paths.document, 'a').write('12345678');

  const seen = await run(write, { faults: [{ target: 'storage.write', kind }] });

  expect(seen.stored.map(({ value }) => value)).toEqual(kept);
});

test('names the file and the slice in the trace', async () => {
  const read = async ({ device }: ProbeLaunch) => {
    await new device.fileSystem.File(`${CACHE_URI}pick/photo.jpg`).open().readBytes(4);
  };
  const furnish = (disk: { files: { set(uri: string, text: string): void } }) =>
    disk.files.set(`${CACHE_URI}pick/photo.jpg`, '12345678');

  const { trace } = await run(read, { scenario: { furnish } });

  expect(trace.filter(({ kind }) => kind === 'storage')).toMatchObject([
    { call: 'file.readBytes', detail: 'photo.jpg 0+4', phase: 'acked' },
  ]);
});

/** A server that keeps what it is sent, and sends it back. */
function bytesBackend() {
  const parts: Uint8Array[] = [];
  const app = new Hono();
  app.put('/parts/:n', async (context) => {
    parts.push(new Uint8Array(await context.req.arrayBuffer()));
    return context.body(null, 204);
  });
  app.get('/parts/:n', (context) => context.body(new Uint8Array(parts[Number(context.req.param('n'))] ?? [])));
  return { app, parts };
}

test('carries bytes to the server and back unchanged, and records their number and hash', async () => {
  const backend = bytesBackend();
  const bytes = syntheticBytes(100_000, 3);
  const call = async ({ platform }: ProbeLaunch) => {
    const body = bytes.slice();
    const sent = platform.fetch(`${API_URL}/parts/0`, { method: 'PUT', body });
    body.fill(0);
    await sent;
    const back = await platform.fetch(`${API_URL}/parts/0`);
    return Buffer.compare(Buffer.from(await back.arrayBuffer()), bytes);
  };

  const seen = await run(call, { scenario: { backend: () => backend } });

  expect(Buffer.compare(backend.parts[0] ?? new Uint8Array(), bytes)).toBe(0);
  expect(seen.heard).toEqual(['ok 0']);
  expect(seen.requests[0]?.body).toMatch(/^<100000 bytes, sha256 [0-9a-f]{64}>$/);
  expect(seen.costs.bytesSent).toBeGreaterThan(100_000);
});

test('gives half of the bytes of an answer that is cut short', async () => {
  const backend = bytesBackend();
  backend.parts.push(syntheticBytes(1_000));
  const call = async ({ platform }: ProbeLaunch) =>
    (await (await platform.fetch(`${API_URL}/parts/0`)).arrayBuffer()).byteLength;

  const faults = [{ target: 'GET /parts/:n', kind: 'truncate' }];
  const seen = await run(call, { faults, scenario: { backend: () => backend, endpoints: ['GET /parts/:n'] } });

  expect(seen.heard).toEqual(['ok 500']);
});

test('sends a large file in slices, at the cost of its bytes', async () => {
  const backend = bytesBackend();
  const size = 1_000_000;
  const partSize = 262_144;
  const call = async ({ platform, device }: ProbeLaunch) => {
    const handle = new device.fileSystem.File(`${DOCUMENTS_URI}film.mp4`).open();
    for (let n = 0; n * partSize < size; n += 1)
      await platform.fetch(`${API_URL}/parts/${n}`, { method: 'PUT', body: await handle.readBytes(partSize) });
  };
  const furnish: NonNullable<ProbeOptions['scenario']>['furnish'] = (disk) =>
    disk.files.write(`${DOCUMENTS_URI}film.mp4`, syntheticBytes(size));

  await run(call, { scenario: { backend: () => backend, furnish } });

  expect(Buffer.compare(Buffer.concat(backend.parts), syntheticBytes(size))).toBe(0);
});

const everything = async ({ platform, device }: ProbeLaunch) => {
  const database = await device.openDatabaseAsync('a.db');
  await database.execAsync(`${TABLE}; BEGIN; INSERT INTO task (title) VALUES (hex(randomblob(8))); COMMIT`);
  const { File, Paths } = device.fileSystem;
  const key = device.quickCrypto.randomBytes(32);
  const cipher = device.quickCrypto.createCipheriv('aes-256-gcm', key, device.quickCrypto.randomBytes(12));
  await new File(Paths.document, 'sealed').write(cipher.update('secret', 'utf8'));
  await device.secureStore.setItemAsync('key', key.toString('base64'), { requireAuthentication: true });
  await platform.fetch(`${API_URL}/things`, { method: 'POST', body: await new File(Paths.document, 'sealed').bytes() });
  await device.secureStore.getItemAsync('key');
};

test('gives the same trace and the same disk for the same plan', async () => {
  const steps = [null, step('lowDisk', { ms: 2_000 }), step('reinstall', { ms: 500 })];
  const runs = await inTurn([1, 1, 2], (world) => run(everything, { world, steps }));

  const prints = runs.map(({ trace }) => hashTrace(trace));

  expect([prints[1] === prints[0], prints[2] === prints[0]]).toEqual([true, false]);
});

test('frees databases with their world', async () => {
  const disks: Device[] = [];
  let find = (): unknown => undefined;
  await runProbe(
    ({ device }) => {
      disks.push(device);
      void device.openDatabaseAsync('a.db');
      return undefined;
    },
    {
      scenario: {
        furnish: (disk) => {
          find = () => disk.databases.find('a.db');
        },
      },
    },
  );

  expect([disks.length > 0, find()]).toEqual([true, undefined]);
});

test('uploads a whole file without reading it into the memory of the app', async () => {
  const backend = bytesBackend();
  const file = `${DOCUMENTS_URI}film.mp4`;
  const progress: number[] = [];
  let reads: readonly unknown[] | null = null;
  const call = async ({ device }: ProbeLaunch) => {
    const { status } = await new device.fileSystem.File(file).upload(`${API_URL}/parts/0`, {
      httpMethod: 'PUT',
      onProgress: ({ bytesSent }) => progress.push(bytesSent),
    });
    return status;
  };
  const furnish: NonNullable<ProbeOptions['scenario']>['furnish'] = (disk) => {
    disk.files.write(file, syntheticBytes(50_000));
    ({ reads } = disk.files);
  };

  const { heard } = await run(call, { scenario: { backend: () => backend, furnish } });

  expect([heard, progress, backend.parts[0]?.length, reads]).toEqual([['ok 204'], [50_000], 50_000, []]);
});

test('ends an upload that is cancelled, and one that finds no network', async () => {
  const file = `${DOCUMENTS_URI}film.mp4`;
  const call = async ({ device }: ProbeLaunch, note: (text: string) => void) => {
    const upload = () => new device.fileSystem.File(file).createUploadTask(`${API_URL}/parts/0`, { httpMethod: 'PUT' });
    const cancelled = upload();
    const ended = cancelled.uploadAsync().catch((error: Error) => note(`${cancelled.state} ${error.name}`));
    await Promise.resolve();
    cancelled.cancel();
    await ended;
    const lost = upload();
    await lost.uploadAsync().catch((error: Error) => note(`${lost.state} ${error.message}`));
  };
  const faults = [1, 2].map((nth) => ({ target: 'PUT /parts/:n', nth, kind: 'request-lost' }));

  const { heard } = await run(call, {
    faults,
    scenario: {
      backend: bytesBackend,
      endpoints: ['PUT /parts/:n'],
      furnish: (disk) => disk.files.write(file, syntheticBytes(100)),
    },
  });

  expect(heard).toEqual(['cancelled AbortError', 'error Network request failed', 'ok']);
});

test('counts what a database makes durable', async () => {
  const call = async (launch: ProbeLaunch) => {
    await addTwo(launch);
    const database = await launch.device.openDatabaseAsync('a.db');
    await database.runAsync("INSERT INTO task (title) VALUES ('three')");
  };

  const { costs } = await run(call, { scenario: withTable });

  expect([costs.databaseCommits, costs.storageWrites]).toEqual([2, 4]);
});
