// Another honest design: a class, and a journal beside the tables. Each changed column is an entry of its own with a
// running number; a removed row leaves its table at once and lives on as an entry. A sync settles entries, not rows.
import type {
  Changes,
  CreateSync,
  DatabaseErrorCode,
  Fields,
  Migration,
  PullResult,
  Row,
  SyncDatabase,
  SyncFailure,
  SyncOptions,
  SyncResult,
  SyncState,
  TableChanges,
  Value,
} from '#contract/delta-sync';
import type { SQLiteBindValue, SQLiteDatabase } from '#phone';

const FILE = 'tasks.sqlite';
const ROUNDS = 3;
const ID_SIGNS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** What happened to a row here and is not on the server yet. `col` is empty for a removal; a creation has an entry more. */
interface Entry {
  readonly nr: number;
  readonly tbl: string;
  readonly row: string;
  readonly col: string;
  readonly kind: 'created' | 'changed' | 'removed';
}

interface DatabaseRow {
  readonly id: string;
  readonly [column: string]: string | number | null;
}

class SyncTrouble extends Error {
  readonly failure: SyncFailure;
  constructor(failure: SyncFailure) {
    super(`The sync has failed: ${failure.code}. Sync again later.`);
    this.failure = failure;
  }
}

class Refusal extends Error {
  readonly code: DatabaseErrorCode;
  constructor(code: DatabaseErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

class JournaledDatabase implements SyncDatabase {
  readonly #options: SyncOptions;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();
  #database: SQLiteDatabase | null = null;
  #isReady = false;
  #whenReady: (() => void)[] = [];
  #isWriting = false;
  #writersWaiting: (() => void)[] = [];
  #state: SyncState = { status: 'idle', lastPulledAt: null, unsynced: 0, error: null };
  #isSyncing = false;
  #askedMeanwhile: { resolve(result: SyncResult): void; reject(error: unknown): void }[] = [];

  constructor(options: SyncOptions) {
    this.#options = options;
  }

  // -------------------------------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    if (this.#isReady) return;
    try {
      this.#database ??= await this.#options.device.openDatabaseAsync(FILE);
      const database = this.#database;
      await this.#exclusively(async () => {
        if (!this.#isReady) await database.withExclusiveTransactionAsync((txn) => this.#build(txn));
      });
      const [last] = await database.getAllAsync<{ at: number }>('SELECT at FROM journal_sync');
      await this.#tell(database, { lastPulledAt: last?.at ?? null });
    } catch (cause) {
      throw new Refusal('storage', 'The database could not be opened. Try again.', cause);
    }
    this.#isReady = true;
    for (const go of this.#whenReady.splice(0)) go();
  }

  /** Statements that do nothing the second time; a column that is there already is found by its name. */
  async #build(txn: SQLiteDatabase): Promise<void> {
    await txn.execAsync(
      `CREATE TABLE IF NOT EXISTS journal (nr INTEGER PRIMARY KEY AUTOINCREMENT, tbl TEXT, row TEXT, col TEXT, kind TEXT);
       CREATE UNIQUE INDEX IF NOT EXISTS journal_place ON journal (tbl, row, col);
       CREATE TABLE IF NOT EXISTS journal_sync (one INTEGER PRIMARY KEY, at REAL, schema INTEGER)`,
    );
    for (const [table, columns] of Object.entries(this.#options.schema.tables)) {
      await txn.execAsync(`CREATE TABLE IF NOT EXISTS ${name(table)} ("id" TEXT PRIMARY KEY)`);
      const there = await txn.getAllAsync<{ name: string }>(`PRAGMA table_info(${name(table)})`);
      for (const column of Object.keys(columns)) {
        if (there.some((one) => one.name === column)) continue;
        await txn.execAsync(`ALTER TABLE ${name(table)} ADD COLUMN ${name(column)}`);
      }
    }
  }

  // -------------------------------------------------------------------------------------------------------------------

  async create(table: string, fields: Fields): Promise<string> {
    this.#check(table, fields);
    const id = Array.from({ length: 16 }, () => ID_SIGNS[Math.floor(Math.random() * ID_SIGNS.length)]).join('');
    await this.#write(async (txn) => {
      const row = this.#complete(table, { ...fields, id });
      await this.#put(txn, table, row);
      await this.#enter(txn, table, id, ['', ...this.#columns(table)], 'created');
    });
    return id;
  }

  async update(table: string, id: string, fields: Fields): Promise<void> {
    this.#check(table, fields);
    await this.#write(async (txn) => {
      await this.#mustExist(txn, table, id);
      const columns = Object.keys(fields);
      if (columns.length === 0) return;
      const settings = columns.map((column) => `${name(column)} = ?`).join(', ');
      await txn.runAsync(`UPDATE ${name(table)} SET ${settings} WHERE "id" = ?`, [...Object.values(fields), id]);
      await this.#enter(txn, table, id, columns, 'changed');
    });
  }

  async remove(table: string, id: string): Promise<void> {
    this.#check(table, {});
    await this.#write(async (txn) => {
      await this.#mustExist(txn, table, id);
      await txn.runAsync(`DELETE FROM ${name(table)} WHERE "id" = ?`, id);
      await txn.runAsync('DELETE FROM journal WHERE tbl = ? AND row = ?', table, id);
      await this.#enter(txn, table, id, [''], 'removed');
    });
  }

  /** Entries get new numbers, also where a column was changed before: they are newer than any push that is out. */
  async #enter(txn: SQLiteDatabase, table: string, id: string, columns: string[], kind: Entry['kind']): Promise<void> {
    if (columns.length === 0) return;
    const marks = columns.map(() => '(?, ?, ?, ?)').join(', ');
    await txn.runAsync(
      `INSERT OR REPLACE INTO journal (tbl, row, col, kind) VALUES ${marks}`,
      columns.flatMap((column) => [table, id, column, kind]),
    );
  }

  async #mustExist(txn: SQLiteDatabase, table: string, id: string): Promise<void> {
    const found = await txn.getFirstAsync(`SELECT 1 FROM ${name(table)} WHERE "id" = ?`, id);
    if (!found) throw new Refusal('not-found', `There is no ${table} ${id}.`);
  }

  async get(table: string, id: string): Promise<Row | null> {
    this.#check(table, {});
    const found = await this.#read((database) =>
      database.getFirstAsync<DatabaseRow>(`SELECT * FROM ${name(table)} WHERE "id" = ?`, id),
    );
    return found && this.#fromDatabase(table, found);
  }

  async list(table: string): Promise<Row[]> {
    this.#check(table, {});
    const found = await this.#read((database) => database.getAllAsync<DatabaseRow>(`SELECT * FROM ${name(table)}`));
    return found.map((row) => this.#fromDatabase(table, row));
  }

  // -------------------------------------------------------------------------------------------------------------------

  async sync(): Promise<SyncResult> {
    await this.#ready();
    if (this.#isSyncing) return new Promise((resolve, reject) => this.#askedMeanwhile.push({ resolve, reject }));
    this.#isSyncing = true;
    try {
      return await this.#run();
    } finally {
      this.#isSyncing = false;
      this.#runForOthers();
    }
  }

  #runForOthers(): void {
    const asked = this.#askedMeanwhile.splice(0);
    if (asked.length === 0) return;
    this.sync().then(
      (result) => {
        for (const { resolve } of asked) resolve(result);
      },
      (error: unknown) => {
        for (const { reject } of asked) reject(error);
      },
    );
  }

  async #run(): Promise<SyncResult> {
    const sum = { pulled: 0, pushed: 0, conflicts: 0 };
    let error: SyncFailure | null = { code: 'conflict' };
    try {
      for (let round = 0; round < ROUNDS && error; round += 1) if (await this.#round(sum)) error = null;
    } catch (cause) {
      error = cause instanceof SyncTrouble ? cause.failure : { code: 'storage' };
    }
    this.#mustBeAlive();
    this.#change({ status: 'idle', error });
    return sum;
  }

  /** True when nothing is left to do. */
  async #round(sum: { pulled: number; pushed: number; conflicts: number }): Promise<boolean> {
    this.#change({ status: 'pulling' });
    const pulled = await this.#askForChanges();
    await this.#write(async (txn) => {
      for (const table of Object.keys(this.#options.schema.tables)) {
        const changes = Object.hasOwn(pulled.changes, table) ? pulled.changes[table] : undefined;
        if (changes) sum.conflicts += await this.#take(txn, table, changes);
        if (changes) sum.pulled += changes.created.length + changes.updated.length + changes.deleted.length;
      }
      const version = this.#options.schema.version;
      await txn.runAsync('INSERT OR REPLACE INTO journal_sync VALUES (1, ?, ?)', pulled.timestamp, version);
    });
    this.#change({ lastPulledAt: pulled.timestamp });

    const database = await this.#alive();
    const entries = await database.getAllAsync<Entry>('SELECT * FROM journal ORDER BY nr');
    if (entries.length === 0) return true;
    const changes = await this.#changesOf(database, entries);
    this.#change({ status: 'pushing' });
    if (!(await this.#sendChanges(changes, pulled.timestamp))) return false;
    // Whatever was entered since has a higher number.
    await this.#write((txn) => this.#settle(txn, entries));
    sum.pushed += countOf(changes);
    return true;
  }

  async #settle(txn: SQLiteDatabase, entries: readonly Entry[]): Promise<void> {
    await txn.runAsync('DELETE FROM journal WHERE nr <= ?', entries.at(-1)?.nr ?? 0);
  }

  /** Gives how many of the rows were changed here as well. */
  async #take(txn: SQLiteDatabase, table: string, { created, updated, deleted }: TableChanges): Promise<number> {
    const journal = await txn.getAllAsync<Entry>('SELECT * FROM journal WHERE tbl = ?', table);
    const byRow = Map.groupBy(journal, ({ row }) => row);
    let conflicts = 0;
    for (const remote of [...created, ...updated].map((row) => this.#complete(table, row))) {
      const mine = byRow.get(remote.id);
      if (mine?.some(({ kind }) => kind === 'removed')) continue;
      if (mine) conflicts += 1;
      await this.#put(txn, table, mine ? await this.#merge(txn, table, remote, mine) : remote);
    }
    for (const id of deleted) {
      await txn.runAsync(`DELETE FROM ${name(table)} WHERE "id" = ?`, id);
      if (byRow.has(id)) await txn.runAsync('DELETE FROM journal WHERE tbl = ? AND row = ?', table, id);
    }
    return conflicts;
  }

  async #merge(txn: SQLiteDatabase, table: string, remote: Row, mine: readonly Entry[]): Promise<Row> {
    const stored = await txn.getFirstAsync<DatabaseRow>(`SELECT * FROM ${name(table)} WHERE "id" = ?`, remote.id);
    const local = stored ? this.#fromDatabase(table, stored) : remote;
    const changed = new Set(mine.map(({ col }) => col));
    const own = Object.entries(local).filter(([column]) => changed.has(column));
    const resolved: Row = { ...remote, ...Object.fromEntries(own) };
    const { resolve } = this.#options;
    if (!resolve) return resolved;
    const decided: Row = { ...resolve(table, local, remote, resolved), id: remote.id };
    await txn.runAsync('DELETE FROM journal WHERE tbl = ? AND row = ?', table, remote.id);
    const different = this.#columns(table).filter((column) => decided[column] !== remote[column]);
    await this.#enter(txn, table, remote.id, different, 'changed');
    return decided;
  }

  async #changesOf(database: SQLiteDatabase, entries: readonly Entry[]): Promise<Changes> {
    const changes: [string, { created: Row[]; updated: Row[]; deleted: string[] }][] = [];
    for (const [table, ofTable] of Map.groupBy(entries, ({ tbl }) => tbl)) {
      const lists: { created: Row[]; updated: Row[]; deleted: string[] } = { created: [], updated: [], deleted: [] };
      for (const [id, ofRow] of Map.groupBy(ofTable, ({ row }) => row)) {
        const stored = await database.getFirstAsync<DatabaseRow>(`SELECT * FROM ${name(table)} WHERE "id" = ?`, id);
        const isNew = ofRow.some(({ kind }) => kind === 'created');
        // Removed already, or removed since the journal was read: then its entry comes with the next push.
        if (ofRow.some(({ kind }) => kind === 'removed')) lists.deleted.push(id);
        else if (stored) lists[isNew ? 'created' : 'updated'].push(this.#fromDatabase(table, stored));
      }
      changes.push([table, lists]);
    }
    return Object.fromEntries(changes);
  }

  // -------------------------------------------------------------------------------------------------------------------

  async #askForChanges(): Promise<PullResult> {
    const database = await this.#alive();
    const { schema, apiUrl, pull } = this.#options;
    const [last] = await database.getAllAsync<{ at: number; schema: number }>('SELECT at, schema FROM journal_sync');
    const lastPulledAt = last?.at ?? null;
    const migration = last && last.schema < schema.version ? this.#gainedSince(last.schema) : null;
    const request = { lastPulledAt, schemaVersion: schema.version, migration };
    if (pull) return pull(request, this.#abort.signal).catch(asTrouble);
    const url = new URL(`${apiUrl}/sync`);
    url.searchParams.set('last_pulled_at', String(lastPulledAt));
    url.searchParams.set('schema_version', String(schema.version));
    url.searchParams.set('migration', JSON.stringify(migration));
    const answer = await this.#send(url.href, {});
    if (answer.status !== 200) throw new SyncTrouble({ code: 'http', status: answer.status });
    return readPull(await answer.text().catch(() => ''));
  }

  #gainedSince(from: number): Migration {
    const tables: string[] = [];
    const columns: { table: string; columns: string[] }[] = [];
    for (const [table, known] of Object.entries(this.#options.schema.tables)) {
      const names = Object.keys(known);
      const gained = names.filter((column) => (known[column]?.since ?? 0) > from);
      if (gained.length === names.length) tables.push(table);
      else if (gained.length > 0) columns.push({ table, columns: gained });
    }
    return { from, tables, columns };
  }

  /** False on a conflict. */
  async #sendChanges(changes: Changes, lastPulledAt: number): Promise<boolean> {
    const { apiUrl, push } = this.#options;
    if (push) return (await push({ changes, lastPulledAt }, this.#abort.signal).catch(asTrouble)) === 'ok';
    const answer = await this.#send(`${apiUrl}/sync?last_pulled_at=${lastPulledAt}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ changes }),
    });
    if (answer.status === 409) return false;
    if (answer.status !== 200) throw new SyncTrouble({ code: 'http', status: answer.status });
    const body = parse(await answer.text().catch(() => ''));
    if (typeof body !== 'object' || body === null) throw new SyncTrouble({ code: 'bad-response' });
    return true;
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    this.#mustBeAlive();
    const send = this.#options.fetch ?? fetch;
    try {
      return await send(url, { ...init, signal: this.#abort.signal });
    } catch {
      throw new SyncTrouble({ code: 'network' });
    }
  }

  // -------------------------------------------------------------------------------------------------------------------

  getState(): SyncState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    this.#abort.abort();
    this.#listeners.clear();
    for (const go of this.#whenReady.splice(0)) go();
  }

  #change(change: Partial<SyncState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  async #tell(database: SQLiteDatabase, change: Partial<SyncState>): Promise<void> {
    const [found] = await database.getAllAsync<{ n: number }>(
      'SELECT count(*) AS n FROM (SELECT DISTINCT tbl, row FROM journal)',
    );
    this.#change({ ...change, unsynced: found?.n ?? 0 });
  }

  #mustBeAlive(): void {
    if (this.#abort.signal.aborted) throw new Refusal('disposed', 'This database was disposed. Create a new one.');
  }

  async #ready(): Promise<void> {
    if (!this.#isReady && !this.#abort.signal.aborted) await new Promise<void>((go) => this.#whenReady.push(go));
    this.#mustBeAlive();
  }

  async #alive(): Promise<SQLiteDatabase> {
    await this.#ready();
    if (!this.#database) throw new Refusal('storage', 'The database is not open. Call start again.');
    return this.#database;
  }

  async #read<T>(ask: (database: SQLiteDatabase) => Promise<T>): Promise<T> {
    const database = await this.#alive();
    return ask(database).catch((cause) => {
      throw new Refusal('storage', 'The phone’s storage failed. Try again.', cause);
    });
  }

  /** One exclusive transaction after another. */
  async #write(task: (txn: SQLiteDatabase) => Promise<void>): Promise<void> {
    const database = await this.#alive();
    await this.#exclusively(async () => {
      this.#mustBeAlive();
      let count: { n: number } | null = null;
      try {
        await database.withExclusiveTransactionAsync(async (txn) => {
          await task(txn);
          count = await txn.getFirstAsync<{ n: number }>(
            'SELECT count(*) AS n FROM (SELECT DISTINCT tbl, row FROM journal)',
          );
        });
      } catch (cause) {
        if (cause instanceof Refusal) throw cause;
        throw new Refusal('storage', 'The phone’s storage failed. Try again.', cause);
      }
      this.#change({ unsynced: (count as { n: number } | null)?.n ?? 0 });
    });
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    while (this.#isWriting) await new Promise<void>((go) => this.#writersWaiting.push(go));
    this.#isWriting = true;
    try {
      await work();
    } finally {
      this.#isWriting = false;
      this.#writersWaiting.shift()?.();
    }
  }

  // -------------------------------------------------------------------------------------------------------------------

  #columns(table: string): string[] {
    return Object.keys(this.#options.schema.tables[table] ?? {});
  }

  #check(table: string, fields: Fields): void {
    const { tables } = this.#options.schema;
    const columns = Object.hasOwn(tables, table) ? tables[table] : undefined;
    if (!columns) throw new Refusal('invalid', `The schema has no table ${table}.`);
    for (const [column, value] of Object.entries(fields)) {
      const type = Object.hasOwn(columns, column) ? columns[column]?.type : undefined;
      const isRight = type && (value === null || (typeof value === type && !Number.isNaN(value)));
      if (!isRight) throw new Refusal('invalid', `${table}.${column} cannot be ${String(value)}.`);
    }
  }

  /** A row with every column of the schema, and none besides. */
  #complete(table: string, row: Row): Row {
    const values = this.#columns(table).map((column): [string, Value] => [
      column,
      Object.hasOwn(row, column) ? (row[column] ?? null) : null,
    ]);
    return { ...Object.fromEntries(values), id: row.id };
  }

  async #put(txn: SQLiteDatabase, table: string, row: Row): Promise<void> {
    const columns = ['id', ...this.#columns(table)];
    const values = columns.map((column): SQLiteBindValue => row[column] ?? null);
    const list = columns.map(name).join(', ');
    const marks = columns.map(() => '?').join(', ');
    await txn.runAsync(`INSERT OR REPLACE INTO ${name(table)} (${list}) VALUES (${marks})`, values);
  }

  #fromDatabase(table: string, stored: DatabaseRow): Row {
    const known = this.#options.schema.tables[table] ?? {};
    const row = this.#complete(table, stored);
    const values = Object.entries(row).map(([column, value]): [string, Value] => {
      const isTruth = Object.hasOwn(known, column) && known[column]?.type === 'boolean' && value !== null;
      return [column, isTruth ? value === 1 : value];
    });
    return { ...Object.fromEntries(values), id: row.id };
  }
}

const name = (text: string): string => `"${text}"`;

const countOf = (changes: Changes): number =>
  Object.values(changes).reduce(
    (sum, { created, updated, deleted }) => sum + created.length + updated.length + deleted.length,
    0,
  );

function asTrouble(cause: unknown): never {
  const { code, status } = cause as { code?: unknown; status?: unknown };
  if (code === 'http' && typeof status === 'number') throw new SyncTrouble({ code, status });
  throw new SyncTrouble({ code: code === 'bad-response' ? code : 'network' });
}

function readPull(text: string): PullResult {
  const body = parse(text) as Partial<PullResult> | null;
  const tables = body?.changes && !Array.isArray(body.changes) ? Object.values(body.changes) : null;
  const isWhole = tables?.every(
    (table) =>
      [table?.created, table?.updated].every((rows) => Array.isArray(rows) && rows.every((row) => isText(row?.id))) &&
      Array.isArray(table?.deleted) &&
      table.deleted.every(isText),
  );
  if (!body?.changes || typeof body.timestamp !== 'number' || !isWhole) throw new SyncTrouble({ code: 'bad-response' });
  return { changes: body.changes, timestamp: body.timestamp };
}

const isText = (value: unknown): boolean => typeof value === 'string';

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const createSync: CreateSync = (options) => new JournaledDatabase(options);
