// Tables, and their SQL. What sync has to know about a row stands in the row itself, beside the schema's columns.
import type { Row, Schema, TableChanges, Value } from '#contract/delta-sync';
import type { SQLiteDatabase } from '#phone';

/** A row as it is stored: booleans as 0 and 1, and beside the schema's columns what sync has to know. */
export interface StoredRow {
  readonly id: string;
  readonly [column: string]: string | number | null;
  readonly _status: 'synced' | 'created' | 'updated' | 'deleted';
  /** JSON: the columns that were given a value here since the row was last synced. */
  readonly _changed: string;
  /** Grows with every local write: tells whether a row is still what a push has read. */
  readonly _edit: number;
}

export type Table = ReturnType<typeof describeTable>;
export interface Unsynced {
  readonly table: Table;
  readonly rows: readonly StoredRow[];
}

/** Names may be words of SQL, such as `order`. */
export const quoted = (name: string) => `"${name}"`;

export const SELECT_LAST_PULL = 'SELECT last_pulled_at AS lastPulledAt, schema_version AS schemaVersion FROM _sync';
export const STORE_LAST_PULL = 'INSERT OR REPLACE INTO _sync (id, last_pulled_at, schema_version) VALUES (1, ?, ?)';
const CREATE_SYNC = 'CREATE TABLE IF NOT EXISTS _sync (id INTEGER PRIMARY KEY, last_pulled_at, schema_version)';

export function describeTable(name: string, types: Schema['tables'][string]) {
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
export async function migrate(database: SQLiteDatabase, tables: readonly Table[], version: number): Promise<void> {
  const done = await database.getFirstAsync<{ user_version: number }>('PRAGMA user_version');
  if (done?.user_version === version) return;
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
  const text = [CREATE_SYNC, ...missing, `PRAGMA user_version = ${version}`].join(';\n');
  await database.withExclusiveTransactionAsync((txn) => txn.execAsync(text));
}

const BOOKKEEPING = '_status TEXT NOT NULL, _changed TEXT NOT NULL, _edit INTEGER NOT NULL DEFAULT 0';

/** `table/id` of every row that some push still has to bring to the server. */
export async function findUnsynced(database: SQLiteDatabase, tables: readonly Table[]): Promise<Set<string>> {
  const selects = tables.map(
    (t) => `SELECT '${t.name}/' || id AS place FROM ${t.quotedName} WHERE _status <> 'synced'`,
  );
  const found = await database.getAllAsync<{ place: string }>(selects.join(' UNION ALL '));
  return new Set(found.map(({ place }) => place));
}

/** The id and the schema's columns, whatever else there is. A column may be called `constructor`: only own ones count. */
export function toRow(
  { columns, types }: Table,
  stored: { readonly id: string; readonly [column: string]: unknown },
): Row {
  const own = (column: string): Value => {
    const value = Object.hasOwn(stored, column) ? (stored[column] as Value) : null;
    // SQLite has no booleans.
    return types[column]?.type === 'boolean' && typeof value === 'number' ? value === 1 : value;
  };
  return { ...Object.fromEntries(columns.map((column) => [column, own(column)])), id: stored.id };
}

export const valuesOf = ({ columns }: Table, row: Row): Value[] => [
  row.id,
  ...columns.map((column) => row[column] ?? null),
];

export function fits({ types, columns }: Table, column: string, value: Value): boolean {
  if (!columns.includes(column)) return false;
  if (value === null) return true;
  return typeof value === types[column]?.type && (typeof value !== 'number' || Number.isFinite(value));
}

export function toChanges(batch: readonly Unsynced[]): Record<string, TableChanges> {
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

export const countOf = ({ created, updated, deleted }: TableChanges): number =>
  created.length + updated.length + deleted.length;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** 16 of 62 signs: with a million rows, a chance of 1 in 10^16 that any two are alike. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}
