// WatermelonDB's own `synchronize` against the server of delta-sync, beside a phone that runs the reference.
import { Database, Model } from '@nozbe/watermelondb';
import LokiJSAdapter from '@nozbe/watermelondb/adapters/lokijs';
import { appSchema, tableSchema } from '@nozbe/watermelondb/Schema';
import { type SyncDatabaseChangeSet, synchronize } from '@nozbe/watermelondb/sync';
import logger from '@nozbe/watermelondb/utils/common/logger';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBackend, type SyncBackend } from '../../katas/delta-sync/backend.ts';
import type { Schema, SyncDatabase } from '../../katas/delta-sync/contract.ts';
import { createSync } from '../../solutions/delta-sync/index.ts';
import { createPhone, type TestPhone } from '../phone/testing/index.ts';

const API = 'https://api.example.test';
const SCHEMA: Schema = {
  version: 1,
  tables: {
    task: {
      title: { type: 'string', since: 1 },
      done: { type: 'boolean', since: 1 },
      order: { type: 'number', since: 1 },
    },
  },
};

class Task extends Model {
  static override table = 'task';
}

logger.silence();

let phone: TestPhone;
let backend: SyncBackend;
let melon: Database;
let reference: SyncDatabase;

beforeEach(async () => {
  phone = createPhone();
  backend = createBackend(phone.backendContext);
  melon = createMelon();
  reference = createSync({ device: phone.device, apiUrl: API, schema: SCHEMA, fetch: wire });
  await reference.start();
});
afterEach(() => phone.dispose());

/** What befalls a request of WatermelonDB's on its way: by default nothing. */
type Road = (request: Request) => Promise<Response>;
const wire: typeof fetch = async (input, init) => backend.app.fetch(new Request(input, init));
const usual: Road = async (request) => backend.app.fetch(request);

/** Each strikes the first push. */
const ROADS: [name: string, road: () => Road, failure: string | null][] = [
  ['nothing in the way', () => usual, null],
  [
    'the answer to a push lost',
    once(async (request) => {
      await backend.app.fetch(request);
      throw new TypeError('Network request failed');
    }),
    'Network request failed',
  ],
  ['a push answered with 500', once(async () => new Response('{}', { status: 500 })), 'push: 500'],
  [
    'a push that arrives twice',
    once(async (request) => {
      const answer = await backend.app.fetch(request.clone());
      await backend.app.fetch(request);
      return answer;
    }),
    null,
  ],
  [
    'a push that finds its row changed',
    once(async (request) => {
      backend.write('task', 'shared0000000001', { title: 'changed on the website', order: 3 });
      return backend.app.fetch(request);
    }),
    'push: 409',
  ],
];

test.each(ROADS)('agrees with a phone that runs the reference, with %s', async (_, makeRoad, failure) => {
  const road = makeRoad();
  backend.write('task', 'shared0000000001', { title: 'milk', done: false, order: 1 });
  backend.write('task', 'shared0000000002', { title: 'bread', done: true, order: 2 });
  await melonSync(road);
  await reference.sync();

  await writeInMelon();
  await reference.update('task', 'shared0000000001', { done: true });
  const own = await reference.create('task', { title: 'from the phone', done: false, order: 5 });
  const heard = await melonSync(road).then(
    () => null,
    (error: Error) => error.message,
  );
  await reference.sync();
  for (const _round of [1, 2]) {
    await melonSync(road);
    await reference.sync();
  }

  const rows = byId(await reference.list('task'));
  expect(heard).toBe(failure);
  expect(byId(await melonRows())).toEqual(rows);
  expect(byId(backend.rows('task').map(bare))).toEqual(rows);
  expect(rows.map(({ title }) => title).sort()).toEqual(['from melon', 'from the phone', 'oat milk']);
  expect(rows.find(({ id }) => id === 'shared0000000001')?.done).toBe(true);
  expect([rows.some(({ id }) => id === own), reference.getState().unsynced]).toEqual([true, 0]);
});

// ---------------------------------------------------------------------------------------------------------------------

function createMelon(): Database {
  const columns = Object.entries(SCHEMA.tables.task ?? {}).map(([name, { type }]) => ({ name, type }));
  const adapter = new LokiJSAdapter({
    schema: appSchema({ version: SCHEMA.version, tables: [tableSchema({ name: 'task', columns })] }),
    useWebWorker: false,
    useIncrementalIndexedDB: false,
    // Nothing is saved, so nothing waits for a timer.
    extraLokiOptions: { autosave: false },
  });
  return new Database({ adapter, modelClasses: [Task] });
}

/** Creates a row, edits one and deletes one. */
function writeInMelon(): Promise<void> {
  const tasks = melon.get<Task>('task');
  return melon.write(async () => {
    await tasks.create((task) => {
      task._setRaw('title', 'from melon');
      task._setRaw('done', false);
      task._setRaw('order', 4);
    });
    const edited = await tasks.find('shared0000000001');
    await edited.update((task) => task._setRaw('title', 'oat milk'));
    const deleted = await tasks.find('shared0000000002');
    await deleted.markAsDeleted();
  });
}

async function melonRows() {
  const tasks = await melon.get<Task>('task').query().fetch();
  return tasks.map(({ _raw }) => bare(_raw as unknown as Record<string, unknown>));
}

/** As an app would call it: any status but 200 is an error, and a later call tries again. */
function melonSync(road: Road): Promise<void> {
  return synchronize({
    database: melon,
    // The server does not know what a phone has.
    sendCreatedAsUpdated: true,
    pullChanges: async ({ lastPulledAt, schemaVersion, migration }) => {
      const told = encodeURIComponent(JSON.stringify(migration ?? null));
      const query = `last_pulled_at=${lastPulledAt ?? null}&schema_version=${schemaVersion}&migration=${told}`;
      const answer = await backend.app.fetch(new Request(`${API}/sync?${query}`));
      const { changes, timestamp } = (await answer.json()) as { changes: object; timestamp: number };
      return { changes: createdAsUpdated(changes) as SyncDatabaseChangeSet, timestamp };
    },
    pushChanges: async ({ changes, lastPulledAt }) => {
      const init = { method: 'POST', body: JSON.stringify({ changes: withoutBookkeeping(changes) }) };
      const answer = await road(new Request(`${API}/sync?last_pulled_at=${lastPulledAt}`, init));
      if (answer.status !== 200) throw new Error(`push: ${answer.status}`);
    },
  });
}

type Raw = Readonly<Record<string, unknown>>;
interface Lists {
  readonly created: readonly Raw[];
  readonly updated: readonly Raw[];
  readonly deleted: readonly string[];
}
const eachTable = (changes: object, change: (lists: Lists) => Lists) =>
  Object.fromEntries(Object.entries(changes).map(([table, lists]) => [table, change(lists as Lists)]));

/** WatermelonDB leaves it to the app to take its own columns off. */
const withoutBookkeeping = (changes: object) =>
  eachTable(changes, ({ created, updated, deleted }) => {
    const strip = ({ _status, _changed, ...row }: Raw) => row;
    return { created: created.map(strip), updated: updated.map(strip), deleted };
  });

/** What the option `sendCreatedAsUpdated` promises to WatermelonDB. */
const createdAsUpdated = (changes: object) =>
  eachTable(changes, ({ created, updated, deleted }) => ({ created: [], updated: [...created, ...updated], deleted }));

/** A road that is as told for the first request, and as usual afterwards. */
function once(first: Road): () => Road {
  return () => {
    let isFirst = true;
    return (request) => {
      const road = isFirst ? first : usual;
      isFirst = false;
      return road(request);
    };
  };
}

const bare = ({ id, title, done, order }: Readonly<Record<string, unknown>>) => ({
  id: String(id),
  title,
  done,
  order,
});
const byId = <T extends { readonly id: string }>(rows: readonly T[]): T[] =>
  [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
