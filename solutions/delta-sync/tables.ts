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
  /** The number of the last local write to it: tells whether a row is still what a push has read. */
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
export const CREATE_SYNC = 'CREATE TABLE _sync (id INTEGER PRIMARY KEY, last_pulled_at, schema_version)';

export const createTable = (name: string, columns: readonly string[]) =>
  `CREATE TABLE IF NOT EXISTS ${quoted(name)} (${['id TEXT PRIMARY KEY', BOOKKEEPING, ...columns.map(quoted)].join(', ')})`;
export const addColumn = (table: string, column: string) => `ALTER TABLE ${quoted(table)} ADD COLUMN ${quoted(column)}`;
const BOOKKEEPING = '_status TEXT NOT NULL, _changed TEXT NOT NULL, _edit INTEGER NOT NULL';

export function describeTable(name: string, types: Schema['tables'][string]) {
  const columns = Object.keys(types);
  const quotedName = quoted(name);
  const stored = ['id', ...columns, '_status', '_changed', '_edit'].map(quoted);
  const into = `INTO ${quotedName} (${stored.join(', ')})`;
  const nth = stored.map((_, n) => `value ->> ${n}`).join(', ');
  return {
    name,
    columns,
    types,
    quotedName,
    selectOne: `SELECT * FROM ${quotedName} WHERE id = ? AND _status <> 'deleted'`,
    selectAll: `SELECT * FROM ${quotedName} WHERE _status <> 'deleted'`,
    selectUnsynced: `SELECT * FROM ${quotedName} WHERE _status <> 'synced'`,
    insert: `INSERT ${into} VALUES (${stored.map(() => '?').join(', ')})`,
    /** All rows of a pull in one statement, however many: they come as one value of JSON. */
    storeAll: `REPLACE ${into} SELECT ${nth} FROM json_each(?)`,
    deleteAll: `DELETE FROM ${quotedName} WHERE id IN (SELECT value FROM json_each(?))`,
    forgetTombstones: `DELETE FROM ${quotedName} WHERE _status = 'deleted' AND _edit <= ? RETURNING id`,
    markSynced: `UPDATE ${quotedName} SET _status = 'synced', _changed = '[]' WHERE _status IN ('created', 'updated') AND _edit <= ? RETURNING id`,
  };
}

/** `table/id` of every row that some push still has to bring to the server, and the number of the last write to any. */
export async function findUnsynced(database: SQLiteDatabase, tables: readonly Table[]) {
  const selects = tables.map(
    (t) => `SELECT '${t.name}/' || id AS place, _edit FROM ${t.quotedName} WHERE _status <> 'synced'`,
  );
  const found = await database.getAllAsync<Edited & { readonly place: string }>(selects.join(' UNION ALL '));
  return { unsynced: new Set(found.map(({ place }) => place)), lastEdit: newestEdit(found) };
}

type Edited = Pick<StoredRow, '_edit'>;

/** 0 for none. */
export const newestEdit = (rows: readonly Edited[]): number =>
  rows.reduce((newest, { _edit }) => Math.max(newest, _edit), 0);

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

export const isTombstone = ({ _status }: StoredRow): boolean => _status === 'deleted';

/** Names a row among those of all tables. */
export const placeOf = ({ name }: Table, id: string): string => `${name}/${id}`;

export const countOf = ({ created, updated, deleted }: TableChanges): number =>
  created.length + updated.length + deleted.length;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** 16 of 62 signs: with a million rows, a chance of 1 in 10^16 that any two are alike. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}
