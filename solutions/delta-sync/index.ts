// The reference. What sync has to know about a row stands in the row itself, so a local write is one statement, and no
// kill can part the two. All that changes the database is done in turn; a pull is one transaction.
import { createStore } from 'zustand/vanilla';
import type {
  CreateSync,
  DatabaseErrorCode,
  Fields,
  Migration,
  Pull,
  PullResult,
  Push,
  Resolve,
  Row,
  Schema,
  SyncFailure,
  SyncResult,
  SyncState,
  TableChanges,
  Value,
} from '#contract/delta-sync';
import type { SQLiteDatabase } from '#phone';

const DATABASE = 'app.db';
const ROUNDS = 3;

/** A row as it is stored: booleans as 0 and 1, and beside the schema's columns what sync has to know. */
interface StoredRow {
  readonly id: string;
  readonly [column: string]: string | number | null;
  readonly _status: 'synced' | 'created' | 'updated' | 'deleted';
  /** JSON: the columns that were given a value here since the row was last synced. */
  readonly _changed: string;
  /** Grows with every local write: tells whether a row is still what a push has read. */
  readonly _edit: number;
}

/** When this phone last pulled, and with which schema: written together with what was pulled. */
interface LastPull {
  readonly lastPulledAt: number | null;
  readonly schemaVersion: number | null;
}

export const createSync: CreateSync = ({ device, schema, resolve, ...wire }) => {
  const tables = Object.entries(schema.tables).map(([name, columns]) => describeTable(name, columns));
  const pull = wire.pull ?? pullOver(wire.apiUrl, wire.fetch ?? fetch);
  const push = wire.push ?? pushOver(wire.apiUrl, wire.fetch ?? fetch);
  const store = createStore<SyncState>(() => ({ status: 'idle', lastPulledAt: null, unsynced: 0, error: null }));
  const ending = new AbortController();
  const isDisposed = () => ending.signal.aborted;

  let database: SQLiteDatabase | undefined;
  let starting: Promise<void> | undefined;
  let lastPull: LastPull = { lastPulledAt: null, schemaVersion: null };
  let unsynced = new Set<string>();

  let openGate = () => {};
  const started = new Promise<void>((open) => {
    openGate = open;
  });

  function publish(change: Partial<SyncState>): void {
    const { lastPulledAt } = lastPull;
    store.setState({ lastPulledAt, unsynced: unsynced.size, ...change });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The database: reads at any time, writes one after another

  function opened(): SQLiteDatabase {
    if (isDisposed() || !database) throw disposed();
    return database;
  }

  async function read<T>(ask: (database: SQLiteDatabase) => Promise<T>): Promise<T> {
    await started;
    return ask(opened()).catch(rethrowAsStorageError);
  }

  let lastTurn: Promise<unknown> = started;

  /** A second transaction would fail on the first one's lock, and a lone statement with it. */
  function inTurn<T>(write: (database: SQLiteDatabase) => Promise<T>): Promise<T> {
    const turn = lastTurn.then(() => write(opened()).catch(rethrowAsStorageError));
    lastTurn = turn.catch(() => undefined);
    return turn;
  }

  /** Readers see nothing of a transaction before its end: it has a connection of its own. */
  async function transaction(task: (txn: SQLiteDatabase) => Promise<void>): Promise<void> {
    await inTurn(async (database) => {
      let left = unsynced;
      await database.withExclusiveTransactionAsync(async (txn) => {
        await task(txn);
        left = await findUnsynced(txn, tables);
      });
      unsynced = left;
    });
  }

  function start(): Promise<void> {
    starting ??= open().catch((error) => {
      starting = undefined;
      throw error;
    });
    return starting;
  }

  async function open(): Promise<void> {
    try {
      database ??= await device.openDatabaseAsync(DATABASE);
      await migrate(database, tables);
      lastPull = (await database.getFirstAsync<LastPull>(SELECT_LAST_PULL)) ?? lastPull;
      unsynced = await findUnsynced(database, tables);
    } catch (cause) {
      rethrowAsStorageError(cause);
    }
    publish({});
    openGate();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Local writes: one statement each

  async function create(name: string, fields: Fields): Promise<string> {
    const table = tableFor(name, fields);
    const id = newId();
    const row = toRow(table, { ...fields, id });
    // A new row is changed in every column there is: those that nobody named are null because a person left them out.
    const values = [...valuesOf(table, row), 'created', JSON.stringify(table.columns)];
    await inTurn((database) => database.runAsync(table.insert, values));
    noteUnsynced(table, id);
    return id;
  }

  async function update(name: string, id: string, fields: Fields): Promise<void> {
    const table = tableFor(name, fields);
    const columns = Object.keys(fields);
    const assigned = columns.map((column) => `${quoted(column)} = ?, `).join('');
    await inTurn(async (database) => {
      const before = await database.getFirstAsync<StoredRow>(table.selectOne, id);
      if (!before) throw notFound(name, id);
      const changed = JSON.stringify([...new Set([...changedIn(before), ...columns])]);
      const status = before._status === 'created' ? 'created' : 'updated';
      const values = [...columns.map((column) => fields[column] ?? null), changed, status, id];
      await database.runAsync(
        `UPDATE ${table.quotedName} SET ${assigned} _changed = ?, _status = ?, _edit = _edit + 1 WHERE id = ?`,
        values,
      );
    });
    noteUnsynced(table, id);
  }

  /** The row becomes a tombstone, even one that was never pushed: the answer to a push may be lost, its effect is not. */
  async function remove(name: string, id: string): Promise<void> {
    const table = tableFor(name, {});
    const { changes } = await inTurn((database) =>
      database.runAsync(
        `UPDATE ${table.quotedName} SET _status = 'deleted', _edit = _edit + 1 WHERE id = ? AND _status <> 'deleted'`,
        id,
      ),
    );
    if (changes === 0) throw notFound(name, id);
    noteUnsynced(table, id);
  }

  function noteUnsynced({ name }: Table, id: string): void {
    unsynced.add(`${name}/${id}`);
    publish({});
  }

  async function get(name: string, id: string): Promise<Row | null> {
    const table = tableFor(name, {});
    const stored = await read((database) => database.getFirstAsync<StoredRow>(table.selectOne, id));
    return stored && toRow(table, stored);
  }

  async function list(name: string): Promise<Row[]> {
    const table = tableFor(name, {});
    const stored = await read((database) => database.getAllAsync<StoredRow>(table.selectAll));
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

  let lastRun: Promise<unknown> = started;
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
    opened();
    const { lastPulledAt, schemaVersion: from } = lastPull;
    const migration = from === null || from === schema.version ? null : migrationFrom(from, schema);
    const pulled = await pull({ lastPulledAt, schemaVersion: schema.version, migration }, ending.signal);
    await storePull(pulled, result);
    return pulled.timestamp;
  }

  /** All that was pulled, when it was, and by which schema: one transaction. */
  async function storePull({ changes, timestamp }: PullResult, result: Counts): Promise<void> {
    const counts = { pulled: 0, pushed: 0, conflicts: 0 };
    await transaction(async (txn) => {
      for (const table of tables) {
        // What the schema does not know stays out. `changes` came as JSON: its tables are its own properties.
        const ofTable = Object.hasOwn(changes, table.name) ? changes[table.name] : undefined;
        if (ofTable) await storeTable(txn, table, ofTable, counts);
      }
      await txn.runAsync(STORE_LAST_PULL, timestamp, schema.version);
    });
    lastPull = { lastPulledAt: timestamp, schemaVersion: schema.version };
    result.pulled += counts.pulled;
    result.conflicts += counts.conflicts;
    publish({});
  }

  async function storeTable(txn: SQLiteDatabase, table: Table, changes: TableChanges, counts: Counts): Promise<void> {
    const { created, updated, deleted } = changes;
    const mine = new Map((await txn.getAllAsync<StoredRow>(table.selectUnsynced)).map((row) => [row.id, row]));
    const rows: unknown[][] = [];
    for (const pulled of [...created, ...updated]) {
      const local = mine.get(pulled.id);
      // The deletion made here is on its way: the row stays hidden.
      if (local?._status === 'deleted') continue;
      if (local) counts.conflicts += 1;
      const { row, changed } = merge(table, local, toRow(table, pulled), resolve);
      rows.push([...valuesOf(table, row), changed.length === 0 ? 'synced' : 'updated', JSON.stringify(changed)]);
    }
    counts.pulled += created.length + updated.length + deleted.length;
    if (rows.length > 0) await txn.runAsync(table.upsertAll, JSON.stringify(rows));
    if (deleted.length > 0) await txn.runAsync(table.deleteAll, JSON.stringify(deleted));
  }

  async function readUnsynced(): Promise<Unsynced[]> {
    const found: Unsynced[] = [];
    for (const table of tables) {
      const rows = await read((database) => database.getAllAsync<StoredRow>(table.selectUnsynced));
      if (rows.length > 0) found.push({ table, rows });
    }
    return found;
  }

  /** Only what is still as it was read: a row written since then has something the server does not know. */
  async function markSynced(batch: readonly Unsynced[], result: Counts): Promise<void> {
    for (const { rows } of batch) result.pushed += rows.length;
    await transaction(async (txn) => {
      for (const { table, rows } of batch) {
        const asRead = JSON.stringify(rows.map(({ id, _edit }) => [id, _edit]));
        await txn.runAsync(table.forgetTombstones, asRead);
        await txn.runAsync(table.markSynced, asRead);
      }
    });
    publish({});
  }

  function dispose(): void {
    ending.abort();
    openGate();
    const close = () => database?.closeAsync().catch(() => undefined);
    void Promise.allSettled([starting, lastTurn]).then(close);
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

// ---------------------------------------------------------------------------------------------------------------------
// Merging

type Counts = { -readonly [what in keyof SyncResult]: number };

/** Per column: what was changed here stays, the rest is the server's. What then differs from the server is unsynced. */
function merge(table: Table, stored: StoredRow | undefined, remote: Row, resolve: Resolve | undefined) {
  if (!stored) return { row: remote, changed: [] };
  const local = toRow(table, stored);
  const kept = Object.fromEntries(changedIn(stored).map((column) => [column, local[column] ?? null]));
  const resolved: Row = { ...remote, ...kept, id: remote.id };
  const row = resolve?.(table.name, local, remote, resolved) ?? resolved;
  return { row, changed: table.columns.filter((column) => row[column] !== remote[column]) };
}

const changedIn = ({ _changed }: StoredRow): string[] => JSON.parse(_changed);

/** What the schema has gained since an older version: a table is new when all its columns are. */
function migrationFrom(from: number, { tables }: Schema): Migration {
  const gained = Object.entries(tables).map(([table, columns]) => {
    const young = Object.entries(columns).filter(([, { since }]) => since > from);
    return { table, columns: young.map(([column]) => column), isNew: young.length === Object.keys(columns).length };
  });
  const grown = gained.filter(({ columns, isNew }) => !isNew && columns.length > 0);
  return {
    from,
    tables: gained.filter(({ isNew }) => isNew).map(({ table }) => table),
    columns: grown.map(({ table, columns }) => ({ table, columns })),
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Tables, and their SQL

type Table = ReturnType<typeof describeTable>;
interface Unsynced {
  readonly table: Table;
  readonly rows: readonly StoredRow[];
}

/** Names may be words of SQL, such as `order`. */
const quoted = (name: string) => `"${name}"`;

const SELECT_LAST_PULL = 'SELECT last_pulled_at AS lastPulledAt, schema_version AS schemaVersion FROM _sync';
const STORE_LAST_PULL = 'INSERT OR REPLACE INTO _sync (id, last_pulled_at, schema_version) VALUES (1, ?, ?)';
const CREATE_SYNC = 'CREATE TABLE IF NOT EXISTS _sync (id INTEGER PRIMARY KEY, last_pulled_at, schema_version)';

function describeTable(name: string, types: Schema['tables'][string]) {
  const columns = Object.keys(types);
  const quotedName = quoted(name);
  const stored = ['id', ...columns, '_status', '_changed'].map(quoted);
  const into = `INSERT INTO ${quotedName} (${stored.join(', ')})`;
  const nth = stored.map((_, n) => `value ->> ${n}`).join(', ');
  const replaced = stored.slice(1).map((column) => `${column} = excluded.${column}`);
  const asRead = '(id, _edit) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))';
  return {
    name,
    columns,
    types,
    quotedName,
    selectOne: `SELECT * FROM ${quotedName} WHERE id = ? AND _status <> 'deleted'`,
    selectAll: `SELECT * FROM ${quotedName} WHERE _status <> 'deleted'`,
    selectUnsynced: `SELECT * FROM ${quotedName} WHERE _status <> 'synced'`,
    insert: `${into} VALUES (${stored.map(() => '?').join(', ')})`,
    /** All rows of a pull in one statement, however many: they come as one value of JSON. */
    upsertAll: `${into} SELECT ${nth} FROM json_each(?) WHERE true ON CONFLICT (id) DO UPDATE SET ${replaced.join(', ')}`,
    deleteAll: `DELETE FROM ${quotedName} WHERE id IN (SELECT value FROM json_each(?))`,
    forgetTombstones: `DELETE FROM ${quotedName} WHERE _status = 'deleted' AND ${asRead}`,
    markSynced: `UPDATE ${quotedName} SET _status = 'synced', _changed = '[]' WHERE ${asRead}`,
  };
}

/** Adds what the schema has and the database has not: nothing is ever taken away, so the rows stay as they are. */
async function migrate(database: SQLiteDatabase, tables: readonly Table[]): Promise<void> {
  const found = await database.getAllAsync<{ place: string }>(
    "SELECT m.name || '.' || c.name AS place FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'",
  );
  const known = new Set(found.map(({ place }) => place));
  const missing = tables.flatMap(({ name, quotedName, columns }) => {
    const unknown = columns.filter((column) => !known.has(`${name}.${column}`)).map(quoted);
    if (known.has(`${name}.id`)) return unknown.map((column) => `ALTER TABLE ${quotedName} ADD COLUMN ${column}`);
    return [`CREATE TABLE ${quotedName} (${['id TEXT PRIMARY KEY', BOOKKEEPING, ...unknown].join(', ')})`];
  });
  if (missing.length === 0) return;
  const text = [CREATE_SYNC, ...missing].join(';\n');
  await database.withExclusiveTransactionAsync((txn) => txn.execAsync(text));
}

const BOOKKEEPING = '_status TEXT NOT NULL, _changed TEXT NOT NULL, _edit INTEGER NOT NULL DEFAULT 0';

/** `table/id` of every row that some push still has to bring to the server. */
async function findUnsynced(database: SQLiteDatabase, tables: readonly Table[]): Promise<Set<string>> {
  const selects = tables.map(
    (t) => `SELECT '${t.name}/' || id AS place FROM ${t.quotedName} WHERE _status <> 'synced'`,
  );
  const found = await database.getAllAsync<{ place: string }>(selects.join(' UNION ALL '));
  return new Set(found.map(({ place }) => place));
}

/** The id and the schema's columns, whatever else there is. A column may be called `constructor`: only own ones count. */
function toRow({ columns, types }: Table, stored: { readonly id: string; readonly [column: string]: unknown }): Row {
  const own = (column: string): Value => {
    const value = Object.hasOwn(stored, column) ? (stored[column] as Value) : null;
    // SQLite has no booleans.
    return types[column]?.type === 'boolean' && typeof value === 'number' ? value === 1 : value;
  };
  return { ...Object.fromEntries(columns.map((column) => [column, own(column)])), id: stored.id };
}

const valuesOf = ({ columns }: Table, row: Row): Value[] => [row.id, ...columns.map((column) => row[column] ?? null)];

function fits({ types, columns }: Table, column: string, value: Value): boolean {
  if (!columns.includes(column)) return false;
  if (value === null) return true;
  return typeof value === types[column]?.type && (typeof value !== 'number' || Number.isFinite(value));
}

function toChanges(batch: readonly Unsynced[]): Record<string, TableChanges> {
  const lists = batch.map(({ table, rows }): [string, TableChanges] => {
    const having = (status: StoredRow['_status']) => rows.filter(({ _status }) => _status === status);
    return [
      table.name,
      {
        created: having('created').map((row) => toRow(table, row)),
        updated: having('updated').map((row) => toRow(table, row)),
        deleted: having('deleted').map(({ id }) => id),
      },
    ];
  });
  return Object.fromEntries(lists);
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** 16 of 62 signs: with a million rows, a chance of 1 in 10^16 that any two are alike. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

// ---------------------------------------------------------------------------------------------------------------------
// The wire

function pullOver(apiUrl: string, send: typeof fetch): Pull {
  return async ({ lastPulledAt, schemaVersion, migration }, signal) => {
    const told = encodeURIComponent(JSON.stringify(migration));
    const query = `last_pulled_at=${lastPulledAt}&schema_version=${schemaVersion}&migration=${told}`;
    const answer = await send(`${apiUrl}/sync?${query}`, { signal });
    if (answer.status !== 200) throw failed('http', answer.status);
    const body = await bodyOf(answer);
    if (!isPullResult(body)) throw failed('bad-response');
    return body;
  };
}

function pushOver(apiUrl: string, send: typeof fetch): Push {
  return async ({ changes, lastPulledAt }, signal) => {
    const answer = await send(`${apiUrl}/sync?last_pulled_at=${lastPulledAt}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ changes }),
      signal,
    });
    if (answer.status === 409) return 'conflict';
    if (answer.status !== 200) throw failed('http', answer.status);
    // A captive portal answers 200 as well. Whoever believes it forgets changes that went nowhere.
    if (!isObject(await bodyOf(answer))) throw failed('bad-response');
    return 'ok';
  };
}

const bodyOf = (answer: Response): Promise<unknown> => answer.json().catch(() => null);

function isPullResult(body: unknown): body is PullResult {
  if (!isObject(body) || !isObject(body.changes)) return false;
  return typeof body.timestamp === 'number' && Object.values(body.changes).every(isTableChanges);
}

function isTableChanges(value: unknown): value is TableChanges {
  if (!isObject(value)) return false;
  const { created, updated, deleted } = value;
  const isRow = (row: unknown) => isObject(row) && typeof row.id === 'string';
  const areRows = [created, updated].every((rows) => Array.isArray(rows) && rows.every(isRow));
  return areRows && Array.isArray(deleted) && deleted.every((id) => typeof id === 'string');
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// ---------------------------------------------------------------------------------------------------------------------
// What goes wrong

const FAILURES: Readonly<Record<SyncFailure['code'], string>> = {
  network: 'There was no answer. Sync again later.',
  http: 'The server did not do it. Sync again later.',
  'bad-response': 'The answer is none of the server’s. Sync again later.',
  conflict: 'Somebody else keeps changing the same rows. Sync again later.',
  storage: 'The phone’s storage failed. Make room, and try again.',
};

const failed = (code: SyncFailure['code'], status?: number) =>
  Object.assign(new Error(FAILURES[code]), { code, status });

/** What a failure means for the state. What is not known here is a request without an answer. */
function failureOf(cause: unknown): SyncFailure {
  const { code, status } = isObject(cause) ? cause : {};
  if (code === 'http' && typeof status === 'number') return { code, status };
  if (code === 'http' || code === 'bad-response' || code === 'conflict' || code === 'storage') return { code };
  return { code: 'network' };
}

const databaseError = (code: DatabaseErrorCode, message: string, cause?: unknown) =>
  Object.assign(new Error(message, { cause }), { code });
const disposed = () => databaseError('disposed', 'The database was disposed. Create a new one.');
const invalid = (why: string) => databaseError('invalid', why);
const notFound = (table: string, id: string) =>
  databaseError('not-found', `There is no row ${id} in ${table}. It may have been deleted meanwhile.`);

function rethrowAsStorageError(cause: unknown): never {
  throw isObject(cause) && cause.code === 'not-found' ? cause : databaseError('storage', FAILURES.storage, cause);
}
