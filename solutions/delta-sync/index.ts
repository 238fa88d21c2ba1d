// The reference. What sync has to know about a row stands in the row itself (`tables`), so a local write is one statement,
// and no kill can part the two. All that changes the `database` is done in turn; a pull is one transaction, in which what
// comes from the `wire` meets what was changed here (`merge`).
import { createStore } from 'zustand/vanilla';
import type {
  CreateSync,
  Fields,
  PullResult,
  Row,
  SyncFailure,
  SyncResult,
  SyncState,
  TableChanges,
} from '#contract/delta-sync';
import type { SQLiteDatabase } from '#phone';
import { createDatabase } from './database.ts';
import { disposed, failed, failureOf, invalid, notFound, rethrowAsStorageError } from './failures.ts';
import { changedIn, merge } from './merge.ts';
import { migrate, migrationFrom } from './migrate.ts';
import {
  countOf,
  describeTable,
  findUnsynced,
  fits,
  isTombstone,
  newestEdit,
  newId,
  placeOf,
  quoted,
  SELECT_LAST_PULL,
  STORE_LAST_PULL,
  type StoredRow,
  type Table,
  toChanges,
  toRow,
  type Unsynced,
  valuesOf,
} from './tables.ts';
import { pullOver, pushOver } from './wire.ts';

// What other solutions build on.
export { createDatabase } from './database.ts';

const DATABASE = 'app.db';
const ROUNDS = 3;

/** When this phone last pulled, and with which schema: written together with what was pulled. */
interface LastPull {
  readonly lastPulledAt: number | null;
  readonly schemaVersion: number | null;
}

type Counts = { -readonly [what in keyof SyncResult]: number };

/** What a pull has changed here. */
interface Stored {
  pulled: number;
  conflicts: number;
  /** `table/id` of rows that are as on the server now. */
  readonly settled: string[];
}

export const createSync: CreateSync = ({ device, schema, resolve, ...wire }) => {
  const tables = Object.entries(schema.tables).map(([name, columns]) => describeTable(name, columns));
  const pull = wire.pull ?? pullOver(wire.apiUrl, wire.fetch ?? fetch);
  const push = wire.push ?? pushOver(wire.apiUrl, wire.fetch ?? fetch);
  const store = createStore<SyncState>(() => ({ status: 'idle', lastPulledAt: null, unsynced: 0, error: null }));
  const ending = new AbortController();
  const isDisposed = () => ending.signal.aborted;

  const database = createDatabase({ device, name: DATABASE, load, begin, over: disposed });
  let lastPull: LastPull = { lastPulledAt: null, schemaVersion: null };
  let unsynced = new Set<string>();
  let lastEdit = 0;

  function publish(change: Partial<SyncState>): void {
    const { lastPulledAt } = lastPull;
    store.setState({ lastPulledAt, unsynced: unsynced.size, ...change });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The database: reads at any time, writes one after another

  async function load(opened: SQLiteDatabase) {
    await migrate(opened, schema);
    const stored = await opened.getFirstAsync<LastPull>(SELECT_LAST_PULL);
    return { stored, ...(await findUnsynced(opened, tables)) };
  }

  function begin(loaded: Awaited<ReturnType<typeof load>>): void {
    lastPull = loaded.stored ?? lastPull;
    ({ unsynced, lastEdit } = loaded);
    publish({});
  }

  const start = (): Promise<void> => database.open().catch(rethrowAsStorageError);

  const read = <T>(ask: (opened: SQLiteDatabase) => Promise<T>): Promise<T> =>
    database.read(ask).catch(rethrowAsStorageError);

  const inTurn = <T>(write: (opened: SQLiteDatabase) => Promise<T>): Promise<T> =>
    database.write(write).catch(rethrowAsStorageError);

  /** Readers see nothing of a transaction before its end: it has a connection of its own. */
  const transaction = (task: (txn: SQLiteDatabase) => Promise<void>): Promise<void> =>
    inTurn((opened) => opened.withExclusiveTransactionAsync(task));

  // -------------------------------------------------------------------------------------------------------------------
  // Local writes: one statement each

  /** Drawn in turn: of two rows that are stored, the one stored later has the higher number. */
  function nextEdit(): number {
    lastEdit += 1;
    return lastEdit;
  }

  async function create(name: string, fields: Fields): Promise<string> {
    const table = tableFor(name, fields);
    const id = newId();
    const row = toRow(table, { ...fields, id });
    // A new row is changed in every column there is: those that nobody named are null because a person left them out.
    const values = [...valuesOf(table, row), 'created', JSON.stringify(table.columns)];
    await inTurn((opened) => opened.runAsync(table.insert, [...values, nextEdit()]));
    noteUnsynced(table, id);
    return id;
  }

  async function update(name: string, id: string, fields: Fields): Promise<void> {
    const table = tableFor(name, fields);
    const columns = Object.keys(fields);
    const assigned = columns.map((column) => `${quoted(column)} = ?, `).join('');
    await inTurn(async (opened) => {
      const before = await opened.getFirstAsync<StoredRow>(table.selectOne, id);
      if (!before) throw notFound(name, id);
      const changed = JSON.stringify([...new Set([...changedIn(before), ...columns])]);
      const status = before._status === 'created' ? 'created' : 'updated';
      const values = [...columns.map((column) => fields[column] ?? null), changed, status, nextEdit(), id];
      await opened.runAsync(
        `UPDATE ${table.quotedName} SET ${assigned} _changed = ?, _status = ?, _edit = ? WHERE id = ?`,
        values,
      );
    });
    noteUnsynced(table, id);
  }

  /** The row becomes a tombstone, even one that was never pushed: the answer to a push may be lost, its effect is not. */
  async function remove(name: string, id: string): Promise<void> {
    const table = tableFor(name, {});
    const { changes } = await inTurn((opened) =>
      opened.runAsync(
        `UPDATE ${table.quotedName} SET _status = 'deleted', _edit = ? WHERE id = ? AND _status <> 'deleted'`,
        [nextEdit(), id],
      ),
    );
    if (changes === 0) throw notFound(name, id);
    noteUnsynced(table, id);
  }

  function noteUnsynced(table: Table, id: string): void {
    unsynced.add(placeOf(table, id));
    publish({});
  }

  async function get(name: string, id: string): Promise<Row | null> {
    const table = tableFor(name, {});
    const stored = await read((opened) => opened.getFirstAsync<StoredRow>(table.selectOne, id));
    return stored && toRow(table, stored);
  }

  async function list(name: string): Promise<Row[]> {
    const table = tableFor(name, {});
    const stored = await read((opened) => opened.getAllAsync<StoredRow>(table.selectAll));
    return stored.map((row) => toRow(table, row));
  }

  function tableFor(name: string, fields: Fields): Table {
    const table = tables.find((one) => one.name === name);
    if (!table) throw invalid(`There is no table ${name} in the schema.`);
    for (const [column, value] of Object.entries(fields)) {
      if (!fits(table, column, value)) throw invalid(`${name}.${column} cannot hold ${String(value)}.`);
    }
    return table;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Sync: one run at a time, and one more for all who ask meanwhile

  let lastRun: Promise<unknown> = database.ready().catch(() => undefined);
  let nextRun: Promise<SyncResult> | null = null;

  function sync(): Promise<SyncResult> {
    nextRun ??= queueRun();
    return nextRun;
  }

  function queueRun(): Promise<SyncResult> {
    const queued = lastRun.then(() => {
      // From here on a caller may have written something that this run does not see.
      nextRun = null;
      return run();
    });
    lastRun = queued.catch(() => undefined);
    return queued;
  }

  async function run(): Promise<SyncResult> {
    const result = { pulled: 0, pushed: 0, conflicts: 0 };
    let error: SyncFailure | null = null;
    try {
      await pullAndPush(result);
    } catch (cause) {
      error = failureOf(cause);
    }
    if (isDisposed()) throw disposed();
    publish({ status: 'idle', error });
    return result;
  }

  /** After a conflict the server's changes have to be here before ours can go: pull again. */
  async function pullAndPush(result: Counts): Promise<void> {
    for (let round = 1; round <= ROUNDS; round += 1) {
      publish({ status: 'pulling' });
      const lastPulledAt = await pullOnce(result);

      const batch = await readUnsynced();
      if (batch.length === 0) return;
      publish({ status: 'pushing' });
      const verdict = await push({ changes: toChanges(batch), lastPulledAt }, ending.signal);
      if (verdict === 'ok') return markSynced(batch, result);
    }
    throw failed('conflict');
  }

  async function pullOnce(result: Counts): Promise<number> {
    // A feature's own `pull` may not look at the signal.
    if (isDisposed()) throw disposed();
    const { lastPulledAt, schemaVersion: from } = lastPull;
    const migration = from === null || from === schema.version ? null : migrationFrom(from, schema);
    const pulled = await pull({ lastPulledAt, schemaVersion: schema.version, migration }, ending.signal);
    await storePull(pulled, result);
    return pulled.timestamp;
  }

  /** All that was pulled, when it was, and by which schema: one transaction. */
  async function storePull({ changes, timestamp }: PullResult, result: Counts): Promise<void> {
    const stored: Stored = { pulled: 0, conflicts: 0, settled: [] };
    const news = tables.flatMap((table) => {
      // What the schema does not know stays out. `changes` came as JSON: its tables are its own properties.
      const ofTable = Object.hasOwn(changes, table.name) ? changes[table.name] : undefined;
      return ofTable && countOf(ofTable) > 0 ? [{ table, ofTable }] : [];
    });
    const storeAll = async (txn: SQLiteDatabase): Promise<void> => {
      for (const { table, ofTable } of news) await storeTable(txn, table, ofTable, stored);
      await txn.runAsync(STORE_LAST_PULL, timestamp, schema.version);
    };
    // One statement is a transaction by itself.
    await (news.length === 0 ? inTurn(storeAll) : transaction(storeAll));
    lastPull = { lastPulledAt: timestamp, schemaVersion: schema.version };
    for (const place of stored.settled) unsynced.delete(place);
    result.pulled += stored.pulled;
    result.conflicts += stored.conflicts;
    publish({});
  }

  async function storeTable(txn: SQLiteDatabase, table: Table, changes: TableChanges, stored: Stored): Promise<void> {
    const { created, updated, deleted } = changes;
    const mine = new Map((await txn.getAllAsync<StoredRow>(table.selectUnsynced)).map((row) => [row.id, row]));
    const rows: unknown[][] = [];
    for (const pulled of [...created, ...updated]) {
      const local = mine.get(pulled.id);
      // The deletion made here is on its way: the row stays hidden.
      if (local?._status === 'deleted') continue;
      if (local) stored.conflicts += 1;
      const { row, changed } = merge(table, local, toRow(table, pulled), resolve);
      if (changed.length === 0) stored.settled.push(placeOf(table, row.id));
      const status = changed.length === 0 ? 'synced' : 'updated';
      rows.push([...valuesOf(table, row), status, JSON.stringify(changed), local?._edit ?? 0]);
    }
    stored.pulled += countOf(changes);
    for (const id of deleted) stored.settled.push(placeOf(table, id));
    if (rows.length > 0) await txn.runAsync(table.storeAll, JSON.stringify(rows));
    if (deleted.length > 0) await txn.runAsync(table.deleteAll, JSON.stringify(deleted));
  }

  async function readUnsynced(): Promise<Unsynced[]> {
    if (unsynced.size === 0) return [];
    const found: Unsynced[] = [];
    for (const table of tables) {
      const rows = await read((opened) => opened.getAllAsync<StoredRow>(table.selectUnsynced));
      if (rows.length > 0) found.push({ table, rows });
    }
    return found;
  }

  /** Only what is still as it was read: a row written since then has something the server does not know. */
  async function markSynced(batch: readonly Unsynced[], result: Counts): Promise<void> {
    const settled: string[] = [];
    await transaction(async (txn) => {
      for (const { table, rows } of batch) {
        // Whatever was written since has a higher number.
        const upTo = newestEdit(rows);
        const gone = rows.some(isTombstone) ? await txn.getAllAsync<StoredRow>(table.forgetTombstones, upTo) : [];
        const kept = rows.every(isTombstone) ? [] : await txn.getAllAsync<StoredRow>(table.markSynced, upTo);
        for (const { id } of [...gone, ...kept]) settled.push(placeOf(table, id));
      }
    });
    for (const place of settled) unsynced.delete(place);
    for (const { rows } of batch) result.pushed += rows.length;
    publish({});
  }

  function dispose(): void {
    ending.abort();
    void database.close().catch(() => undefined);
  }

  return {
    start,
    create,
    update,
    remove,
    get,
    list,
    sync,
    getState: store.getState,
    subscribe: (listener) => store.subscribe(() => listener()),
    dispose,
  };
};
