import type { SQLInputValue } from 'node:sqlite';
import { byteLength } from './byte-length.ts';
import type { Disk } from './disk.ts';
import type { Effect, EffectHost } from './host.ts';
import { readText, type StatementKind } from './sqlite-statement.ts';
import {
  type SqliteCall,
  SqliteConnection,
  type SqliteOutcome,
  type SqliteStore,
  sqliteError,
} from './sqlite-store.ts';

export type SQLiteBindValue = string | number | null | boolean | Uint8Array;
/** Values by position, or by name with its prefix: `{ $id: 1 }`. */
export type SQLiteBindParams = readonly SQLiteBindValue[] | Readonly<Record<string, SQLiteBindValue>>;

export interface SQLiteRunResult {
  readonly lastInsertRowId: number;
  readonly changes: number;
}

/**
 * Structural subset of `expo-sqlite`'s `SQLiteDatabase`. Statements run one after another, in the order of the calls;
 * each is durable by itself unless it is in a transaction, and then the commit makes it so.
 */
export interface SQLiteDatabase {
  /** Runs statements one after another, without values. A kill in the middle keeps the first ones, unless they are in a transaction. */
  execAsync(source: string): Promise<void>;
  runAsync(source: string, params: SQLiteBindParams): Promise<SQLiteRunResult>;
  runAsync(source: string, ...params: SQLiteBindValue[]): Promise<SQLiteRunResult>;
  getFirstAsync<T>(source: string, params: SQLiteBindParams): Promise<T | null>;
  getFirstAsync<T>(source: string, ...params: SQLiteBindValue[]): Promise<T | null>;
  getAllAsync<T>(source: string, params: SQLiteBindParams): Promise<T[]>;
  getAllAsync<T>(source: string, ...params: SQLiteBindValue[]): Promise<T[]>;
  /**
   * BEGIN, the task, COMMIT; ROLLBACK when anything rejects. It keeps nobody out: a statement of other code that runs
   * meanwhile is part of the transaction, and a second one meanwhile fails to begin and rolls the first back.
   */
  withTransactionAsync(task: () => Promise<void>): Promise<void>;
  /**
   * A transaction on a connection of its own: only what runs on `txn` is part of it. From its first write on,
   * other writes reject with `database is locked`; other reads see what was there before.
   */
  withExclusiveTransactionAsync(task: (txn: SQLiteDatabase) => Promise<void>): Promise<void>;
  isInTransactionAsync(): Promise<boolean>;
  closeAsync(): Promise<void>;
}

export interface SQLiteOpenOptions {
  /** A connection of its own (default false: handles of one name share one, and with it their transaction). */
  readonly useNewConnection?: boolean;
}

/** The functions of `expo-sqlite` a device has. */
export interface SQLiteModule {
  openDatabaseAsync(databaseName: string, options?: SQLiteOpenOptions): Promise<SQLiteDatabase>;
  /** Rejects while the database is open, and when there is none of that name. */
  deleteDatabaseAsync(databaseName: string): Promise<void>;
}

const writeErrors = {
  full: () => sqliteError(13, 'database or disk is full'),
  failed: () => sqliteError(10, 'disk I/O error'),
};
const readErrors = { failed: writeErrors.failed };

export function createSqlite(host: EffectHost, disk: Disk): SQLiteModule {
  const shared = new Map<string, Handle>();
  const open = new Map<string, number>();

  async function openDatabaseAsync(name: string, { useNewConnection = false }: SQLiteOpenOptions = {}) {
    // Opening finds or makes the file; nothing of the app's is in it yet.
    const store = await host.perform(effect('sqlite.read', 'openDatabaseAsync', name), () =>
      disk.databases.open(name, Math.floor(host.random('sqlite') * 2 ** 32)),
    );
    const handle = (useNewConnection ? undefined : shared.get(name)) ?? {
      store,
      connection: new SqliteConnection(store),
      uses: 0,
    };
    if (!useNewConnection) shared.set(name, handle);
    handle.uses += 1;
    open.set(name, (open.get(name) ?? 0) + 1);
    const closed = () => {
      open.set(name, (open.get(name) ?? 1) - 1);
      if (handle.uses === 0) shared.delete(name);
    };
    return createDatabase(host, handle, closed);
  }

  return {
    openDatabaseAsync,
    deleteDatabaseAsync: (name) =>
      host.perform(
        { ...effect('storage.write', 'deleteDatabaseAsync', name), errors: { failed: writeErrors.failed } },
        (parts) => {
          if (parts === 0) return;
          if ((open.get(name) ?? 0) > 0)
            throw new Error(`Unable to delete database ${name} that is currently open. Close it prior to deletion`);
          if (!disk.databases.remove(name)) throw new Error(`Database ${name} not found`);
        },
      ),
  };
}

/** One native connection, and how many databases of the app's stand on it. */
interface Handle {
  readonly store: SqliteStore;
  readonly connection: SqliteConnection;
  uses: number;
}

const effect = (target: string, call: string, detail: string): Effect => ({ target, call: `sqlite.${call}`, detail });

function createDatabase(host: EffectHost, handle: Handle, onClose: () => void): SQLiteDatabase {
  const { connection, store } = handle;
  let isClosed = false;

  async function perform<T>(
    call: string,
    statement: SqliteCall,
    parts: number,
    apply: (parts: number) => T,
  ): Promise<T> {
    if (isClosed) throw new Error(`sqlite.${call}: Access to closed resource. Database ${store.name} was closed.`);
    const { kind, makesRoom, brief, sizeBytes: textBytes } = readText(statement.sql);
    const place = { target: targetOf(kind), call: `sqlite.${call}`, detail: brief };
    if (kind === 'read') return host.perform({ ...place, errors: readErrors }, () => apply(1));
    const sizeBytes = makesRoom ? 0 : textBytes + sizeOf(statement.params);
    const commits = () => kind === 'commit' || !connection.isInTransaction;
    return host.perform({ ...place, sizeBytes, parts, errors: writeErrors, commits }, apply);
  }

  const runOne = (call: string, statement: SqliteCall): Promise<SqliteOutcome> =>
    perform(call, statement, 1, (parts) =>
      parts === 0 ? { rows: [], lastInsertRowId: 0, changes: 0 } : connection.run(statement, host.nowMs()),
    );

  const database: SQLiteDatabase = {
    execAsync: (source) => {
      const { statements: parts } = readText(source);
      return perform('execAsync', { sql: source, params: [] }, parts, (applied) =>
        connection.exec(source, applied === parts ? Number.POSITIVE_INFINITY : applied, host.nowMs()),
      );
    },
    runAsync: async (sql: string, ...params: unknown[]) => {
      const { lastInsertRowId, changes } = await runOne('runAsync', { sql, params: normalise(params) });
      return { lastInsertRowId, changes };
    },
    getFirstAsync: async <T>(sql: string, ...params: unknown[]) => {
      const { rows } = await runOne('getFirstAsync', { sql, params: normalise(params) });
      return (rows[0] ?? null) as T | null;
    },
    getAllAsync: async <T>(sql: string, ...params: unknown[]) => {
      const { rows } = await runOne('getAllAsync', { sql, params: normalise(params) });
      return rows as T[];
    },
    // The two below do what the package's own source does, step by step.
    withTransactionAsync: async (task) => {
      try {
        await database.execAsync('BEGIN');
        await task();
        await database.execAsync('COMMIT');
      } catch (error) {
        await database.execAsync('ROLLBACK');
        throw error;
      }
    },
    withExclusiveTransactionAsync: async (task) => {
      const own = { store, connection: new SqliteConnection(store), uses: 1 };
      const txn = createDatabase(host, own, () => undefined);
      try {
        await txn.withTransactionAsync(() => task(txn));
      } finally {
        await txn.closeAsync();
      }
    },
    isInTransactionAsync: () =>
      host.perform(effect('sqlite.read', 'isInTransactionAsync', store.name), () => connection.isInTransaction),
    closeAsync: async () => {
      await host.perform(effect('sqlite.read', 'closeAsync', store.name), () => {
        if (isClosed) return;
        isClosed = true;
        handle.uses -= 1;
        if (handle.uses === 0) connection.close();
        onClose();
      });
    },
  };
  return database;
}

/** BEGIN and ROLLBACK touch no disk: no fault strikes there, and nothing is counted. */
function targetOf(kind: StatementKind): string {
  if (kind === 'read') return 'storage.read';
  return kind === 'write' || kind === 'commit' ? 'storage.write' : 'sqlite.read';
}

/** As the package does: one array, one object of names, or values one by one. */
function normalise(given: readonly unknown[]): SqliteCall['params'] {
  const only = given.length === 1 ? given[0] : given;
  if (Array.isArray(only)) return only.map(bindable);
  if (typeof only === 'object' && only !== null && !ArrayBuffer.isView(only) && !(only instanceof ArrayBuffer))
    return Object.fromEntries(Object.entries(only).map(([name, value]) => [name, bindable(value)]));
  return [bindable(only)];
}

function bindable(value: unknown): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return (value ?? null) as SQLInputValue;
}

function sizeOf(params: SqliteCall['params']): number {
  return Object.values(params).reduce(
    (sum: number, value) => sum + (value instanceof Uint8Array ? value.length : byteLength(String(value))),
    0,
  );
}
