// One database on a phone's disk: real SQL in memory, with the connections an app has open to it.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { bindFunctions, namesFunctions } from './sqlite-functions.ts';
import { readStatement, type StatementKind, trimStart } from './sqlite-statement.ts';

export type SqliteRow = Record<string, string | number | bigint | null | Uint8Array>;

/** One statement with its values, positional or by name. */
export interface SqliteCall {
  readonly sql: string;
  readonly params: readonly SQLInputValue[] | Readonly<Record<string, SQLInputValue>>;
}

/** What a statement gave. */
export interface SqliteOutcome {
  readonly rows: SqliteRow[];
  readonly lastInsertRowId: number;
  readonly changes: number;
}

interface LoggedCall extends SqliteCall {
  readonly nowMs: number;
}

const NOTHING: SqliteOutcome = { rows: [], lastInsertRowId: 0, changes: 0 };
/** Prepared statements kept for the next use of the same text. */
const KEPT_STATEMENTS = 100;
/** The first statement of texts that were cut before, by any database: each launch runs the same ones. */
const firstStatements = new Map<string, string>();
const KEPT_TEXTS = 500;

/** Makes the error that `expo-sqlite` rejects with. Codes: https://sqlite.org/rescode.html */
export function sqliteError(code: number, message: string): Error {
  return Object.assign(new Error(`Error code ${code}: ${message}`), { code: 'ERR_INTERNAL_SQLITE_ERROR' });
}

/** One connection of an app: what a transaction belongs to. */
export class SqliteConnection {
  readonly #store: SqliteStore;
  isInTransaction = false;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  /** Runs the first statement of a text. Throws what `expo-sqlite` rejects with. */
  run(call: SqliteCall, nowMs: number): SqliteOutcome {
    return this.#store.run(this, call, nowMs);
  }

  /** Runs at most so many statements of a text, one after another: each counts by itself, as on a phone. */
  exec(source: string, statementsMax: number, nowMs: number): void {
    let rest = trimStart(source);
    for (let n = 0; n < statementsMax && rest !== ''; n += 1) {
      const sql = this.#store.firstStatement(rest);
      this.run({ sql, params: [] }, nowMs);
      rest = trimStart(rest.slice(sql.length));
    }
  }

  /** What was not committed is undone. */
  close(): void {
    if (this.isInTransaction) this.run({ sql: 'ROLLBACK', params: [] }, 0);
  }
}

export class SqliteStore {
  readonly name: string;
  readonly #database = new DatabaseSync(':memory:');
  readonly #statements = new Map<string, Prepared>();
  /** The connection whose transaction has written. Others read what was committed, and cannot write. */
  #writer: SqliteConnection | null = null;
  /** What that transaction has run: enough to take it out for a look at what is committed, and to put it back. */
  #log: LoggedCall[] = [];
  #nowMs = 0;
  #seed: number;
  #draws = 0;
  #drawsAtBegin = 0;
  /** Its functions are the phone's, not the machine's. */
  #isBound = false;

  constructor(name: string, seed: number) {
    this.name = name;
    this.#seed = seed;
  }

  #bindFor(sql: string): void {
    if (this.#isBound || !namesFunctions(sql)) return;
    this.#isBound = true;
    bindFunctions(this.#database, { nowMs: () => this.#nowMs, random32: () => this.#random32() });
  }

  /** Rows as committed: what would be there after a kill at this moment. For invariants and tests. */
  query(sql: string, ...params: SQLInputValue[]): SqliteRow[] {
    return this.#committed(() => this.#execute({ sql, params })).rows;
  }

  /** Runs SQL by hand, outside any app: what an earlier version of the app left. */
  exec(sql: string): void {
    this.#bindFor(sql);
    this.#statements.clear();
    this.#database.exec(sql);
  }

  /** Every text and blob of every table, with its place. */
  values(): { place: string; value: string }[] {
    const tables = this.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    return tables.flatMap(({ name }) => {
      const rows = this.query(`SELECT * FROM ${quoted(String(name))}`);
      return rows.flatMap((row, n) =>
        Object.entries(row).flatMap(([column, value]) =>
          value === null ? [] : [{ place: `${name}/${n}/${column}`, value: textOf(value) }],
        ),
      );
    });
  }

  /** Overwrites one value by hand: table, number of the row and column, as `values` gives them. */
  overwrite([table = '', row = '', column = '']: readonly string[], value: string): void {
    const name = quoted(table);
    const found = this.#database.prepare(`SELECT * FROM ${name} LIMIT 1 OFFSET ?`).get(Number(row));
    if (!found) return;
    // Not by rowid: a table may have none.
    const isIt = Object.keys(found).map((one) => `${quoted(one)} IS ?`);
    const values = Object.values(found) as SQLInputValue[];
    const sql = `UPDATE ${name} SET ${quoted(column)} = ? WHERE ${isIt.join(' AND ')}`;
    this.#database.prepare(sql).run(value, ...values);
  }

  /** The app is dead: the transaction it was in is rolled back. */
  appKilled(): void {
    if (this.#writer) this.#end('ROLLBACK');
  }

  /** Frees its memory. Nothing can be asked afterwards. */
  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  /** The text of the first statement, as SQLite reads it. */
  firstStatement(source: string): string {
    const known = firstStatements.get(source);
    if (known !== undefined) return known;
    this.#bindFor(source);
    const { sourceSQL } = translated(() => this.#database.prepare(source));
    if (firstStatements.size >= KEPT_TEXTS) firstStatements.clear();
    firstStatements.set(source, sourceSQL);
    return sourceSQL;
  }

  run(connection: SqliteConnection, call: SqliteCall, nowMs: number): SqliteOutcome {
    this.#nowMs = nowMs;
    const { kind } = readStatement(call.sql);
    if (kind === 'read') return this.#read(connection, call);
    if (kind === 'write') return this.#write(connection, { ...call, nowMs });
    this.#control(connection, kind);
    return NOTHING;
  }

  #control(connection: SqliteConnection, kind: Exclude<StatementKind, 'read' | 'write'>): void {
    const word = kind === 'commit' ? 'commit' : 'rollback';
    if (kind === 'begin' || kind === 'begin-now') {
      if (connection.isInTransaction) throw sqliteError(1, 'cannot start a transaction within a transaction');
      if (kind === 'begin-now') this.#claim(connection);
      connection.isInTransaction = true;
      return;
    }
    if (!connection.isInTransaction) throw sqliteError(1, `cannot ${word} - no transaction is active`);
    if (this.#writer === connection) this.#end(kind === 'commit' ? 'COMMIT' : 'ROLLBACK');
    connection.isInTransaction = false;
  }

  #read(connection: SqliteConnection, call: SqliteCall): SqliteOutcome {
    const ask = () => this.#execute(call);
    return this.#writer === connection ? ask() : this.#committed(ask);
  }

  #write(connection: SqliteConnection, call: LoggedCall): SqliteOutcome {
    if (this.#writer && this.#writer !== connection) throw sqliteError(5, 'database is locked');
    if (connection.isInTransaction) this.#claim(connection);
    if (this.#writer) this.#log.push(call);
    try {
      return this.#execute(call);
    } finally {
      this.#noteImplicit(connection, call);
    }
  }

  /** A savepoint begins a transaction without BEGIN, and some failures end one. */
  #noteImplicit(connection: SqliteConnection, call: LoggedCall): void {
    const { isTransaction } = this.#database;
    if (isTransaction === (this.#writer !== null)) return;
    if (!isTransaction) this.#forgetRolledBack();
    connection.isInTransaction = isTransaction;
    this.#writer = isTransaction ? connection : null;
    this.#log = isTransaction ? [call] : [];
  }

  #claim(connection: SqliteConnection): void {
    if (this.#writer === connection) return;
    if (this.#writer) throw sqliteError(5, 'database is locked');
    this.#database.exec('BEGIN');
    this.#writer = connection;
    this.#log = [{ sql: 'BEGIN', params: [], nowMs: this.#nowMs }];
    this.#drawsAtBegin = this.#draws;
  }

  #end(how: 'COMMIT' | 'ROLLBACK'): void {
    translated(() => this.#database.exec(how));
    if (how === 'ROLLBACK') this.#forgetRolledBack();
    this.#writer = null;
    this.#log = [];
  }

  /** Asks without what the open transaction has done: it is rolled back, and run again afterwards. */
  #committed<T>(ask: () => T): T {
    if (!this.#writer) return ask();
    const { nowMs, draws } = { nowMs: this.#nowMs, draws: this.#draws };
    this.#database.exec('ROLLBACK');
    this.#forgetRolledBack();
    try {
      return ask();
    } finally {
      this.#draws = this.#drawsAtBegin;
      for (const call of this.#log) this.#again(call);
      this.#nowMs = nowMs;
      this.#draws = draws;
    }
  }

  /** A schema that was changed is what it was before. */
  #forgetRolledBack(): void {
    if (this.#log.some(({ sql }) => readStatement(sql).changesSchema)) this.#statements.clear();
  }

  #again(call: LoggedCall): void {
    this.#nowMs = call.nowMs;
    try {
      this.#execute(call);
    } catch {
      // It failed the first time as well.
    }
  }

  #execute({ sql, params }: SqliteCall): SqliteOutcome {
    return translated(() => {
      const { hasRows, changesSchema } = readStatement(sql);
      const prepared = this.#prepared(sql);
      const values = (Array.isArray(params) ? params : [params]) as SQLInputValue[];
      if (hasRows === 'perhaps' ? prepared.statement.columns().length > 0 : hasRows)
        return { ...NOTHING, rows: rowsOf(prepared, values) };
      const { lastInsertRowid, changes } = prepared.statement.run(...values);
      // SQLite would prepare them anew at their next use.
      if (changesSchema) this.#statements.clear();
      return { rows: [], lastInsertRowId: Number(lastInsertRowid), changes: Number(changes) };
    });
  }

  #prepared(sql: string): Prepared {
    let prepared = this.#statements.get(sql);
    if (!prepared) {
      this.#bindFor(sql);
      prepared = { statement: this.#database.prepare(sql), columns: null };
      // Objects made here of arrays take half the time of those that Node makes.
      prepared.statement.setReturnArrays(true);
      if (this.#statements.size >= KEPT_STATEMENTS) this.#statements.clear();
      this.#statements.set(sql, prepared);
    }
    return prepared;
  }

  /** Counted, not drawn from a sequence of the world's: a transaction that is run again draws the same. */
  #random32(): number {
    this.#draws += 1;
    let hash = Math.imul(this.#seed ^ this.#draws, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}

/** A statement, and the names of its columns once it has given rows. */
interface Prepared {
  readonly statement: StatementSync;
  columns: readonly string[] | null;
}

function rowsOf(prepared: Prepared, values: readonly SQLInputValue[]): SqliteRow[] {
  const rows = prepared.statement.all(...values) as unknown as SqliteRow[string][][];
  if (rows.length === 0) return [];
  prepared.columns ??= prepared.statement.columns().map(({ name }) => name);
  const { columns } = prepared;
  return rows.map((row) => {
    const made: SqliteRow = {};
    for (let n = 0; n < columns.length; n += 1) made[columns[n] as string] = row[n] as SqliteRow[string];
    return made;
  });
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const textOf = (value: string | number | bigint | Uint8Array): string =>
  value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value);

/** SQLite's errors as `expo-sqlite` words them. */
function translated<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && 'errcode' in error) throw sqliteError(Number(error.errcode) & 0xff, error.message);
    throw error;
  }
}
