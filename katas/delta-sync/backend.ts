// The server of the kata: keeps the rows of all tables, stamps each change, and remembers what was deleted.
import type { Context } from 'hono';
import { Hono } from 'hono/quick';
import type { Changes, Fields, Migration, Row, TableChanges } from '#contract/delta-sync';
import type { Backend, BackendContext, Json } from '#simulator';

/** The present state of one id. `row` is null once it was deleted. */
export interface StoredRecord {
  readonly table: string;
  readonly id: string;
  readonly row: Row | null;
  /** When it last changed, by the server's own growing time. */
  readonly changedAt: number;
}

/** A pull as it was asked for and answered. */
export interface LoggedPull {
  readonly lastPulledAt: number | null;
  readonly schemaVersion: number;
  readonly migration: Migration | null;
  readonly timestamp: number;
}

/** A push as it came, and how it was answered. */
export interface LoggedPush {
  readonly lastPulledAt: number;
  readonly changes: Changes;
  readonly status: number;
}

export interface SyncBackend extends Backend {
  /** Rows of a table that are not deleted, by id. */
  rows(table: string): readonly Row[];
  row(table: string, id: string): Row | null;
  isDeleted(table: string, id: string): boolean;
  /** Every change of every record, oldest first. */
  readonly history: readonly StoredRecord[];
  /** The server's clock, in ms since 1970. */
  nowMs(): number;
  readonly pulls: readonly LoggedPull[];
  readonly pushes: readonly LoggedPush[];
  /** Puts a row as another client of the same person would: the columns named are set, the others stay. */
  write(table: string, id: string, fields: Fields): void;
  /** Deletes a row as another client would. */
  erase(table: string, id: string): void;
}

const REFUSED = { 400: 'last_pulled_at, schema_version or migration is unreadable', 422: 'the changes are malformed' };

export function createBackend(context: BackendContext): SyncBackend {
  const records = new Map<string, StoredRecord>();
  const history: StoredRecord[] = [];
  const pulls: LoggedPull[] = [];
  const pushes: LoggedPush[] = [];
  let last = 0;

  /** Milliseconds, but no two alike: changes within one of them stay in order. */
  function tick(): number {
    last = Math.max(context.nowMs(), last + 1);
    return last;
  }

  const keyOf = (table: string, id: string) => `${table}/${id}`;
  const find = (table: string, id: string) => records.get(keyOf(table, id));

  function keep(table: string, id: string, row: Row | null, changedAt: number): void {
    const record = { table, id, row, changedAt };
    records.set(keyOf(table, id), record);
    history.push(record);
  }

  /** Columns that a client of an older schema does not send keep their values. */
  const put = (table: string, { id, ...fields }: Row, at: number) =>
    keep(table, id, { ...find(table, id)?.row, ...fields, id }, at);

  // -------------------------------------------------------------------------------------------------------------------

  function changesFor({ lastPulledAt, migration }: Omit<LoggedPull, 'timestamp'>): Changes {
    const since = lastPulledAt ?? 0;
    const gained = new Set([...(migration?.tables ?? []), ...(migration?.columns ?? []).map(({ table }) => table)]);
    const changes = new Map<string, { created: Row[]; updated: Row[]; deleted: string[] }>();
    for (const { table, id, row, changedAt } of records.values()) {
      const isChanged = changedAt > since;
      if (!isChanged && !gained.has(table)) continue;
      const lists = changes.get(table) ?? { created: [], updated: [], deleted: [] };
      changes.set(table, lists);
      // The server does not know what this phone has: to a first sync everything is new, else it is an update.
      if (row) lists[lastPulledAt === null ? 'created' : 'updated'].push(row);
      else if (isChanged && lastPulledAt !== null) lists.deleted.push(id);
    }
    return Object.fromEntries(changes);
  }

  function pull(c: Context): Response {
    const asked = readPull(c.req.query());
    if (!asked) return c.json({ message: REFUSED[400] }, 400);
    const changes = changesFor(asked);
    const timestamp = tick();
    pulls.push({ ...asked, timestamp });
    context.record('pulled', { timestamp, schemaVersion: asked.schemaVersion });
    return c.json({ changes, timestamp }, 200);
  }

  // -------------------------------------------------------------------------------------------------------------------

  function conflictsWith(changes: Changes, lastPulledAt: number): boolean {
    const touched = Object.entries(changes).flatMap(([table, { created, updated, deleted }]) =>
      [...created, ...updated].map(({ id }) => find(table, id)).concat(deleted.map((id) => find(table, id))),
    );
    return touched.some((record) => record !== undefined && record.changedAt > lastPulledAt);
  }

  function apply(changes: Changes): void {
    const at = tick();
    for (const [table, { created, updated, deleted }] of Object.entries(changes)) {
      for (const row of [...created, ...updated]) put(table, row, at);
      // An id that was never here is noted as well: its creation may still be on its way.
      for (const id of deleted) if (find(table, id)?.row !== null) keep(table, id, null, at);
    }
  }

  function answerPush(lastPulledAt: number | null, changes: Changes | null): 200 | 409 | 422 {
    if (lastPulledAt === null || !changes) return 422;
    const status = conflictsWith(changes, lastPulledAt) ? 409 : 200;
    if (status === 200) apply(changes);
    pushes.push({ lastPulledAt, changes, status });
    context.record('pushed', { status, changes } as unknown as Json);
    return status;
  }

  async function push(c: Context): Promise<Response> {
    const changes = readChanges(await c.req.json().catch(() => null));
    const status = answerPush(readTime(c.req.query('last_pulled_at')), changes);
    if (status === 422) return c.json({ message: REFUSED[422] }, 422);
    return c.json(status === 409 ? { message: 'pull first: a record has changed since' } : { ok: true }, status);
  }

  const alive = (table: string) =>
    [...records.values()].flatMap((record) => (record.table === table && record.row ? [record.row] : []));

  return {
    app: new Hono().get('/sync', pull).post('/sync', push),
    rows: (table) => alive(table).sort((a, b) => (a.id < b.id ? -1 : 1)),
    row: (table, id) => find(table, id)?.row ?? null,
    isDeleted: (table, id) => find(table, id)?.row === null,
    history,
    nowMs: context.nowMs,
    pulls,
    pushes,
    write: (table, id, fields) => put(table, { ...fields, id }, tick()),
    erase: (table, id) => keep(table, id, null, tick()),
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// What comes in

function readTime(text: string | undefined): number | null {
  const time = Number(text ?? Number.NaN);
  return Number.isFinite(time) && time > 0 ? time : null;
}

function readPull(query: Record<string, string>): Omit<LoggedPull, 'timestamp'> | null {
  const lastPulledAt = query.last_pulled_at === 'null' ? null : readTime(query.last_pulled_at);
  if (lastPulledAt === null && query.last_pulled_at !== 'null') return null;
  const schemaVersion = readTime(query.schema_version);
  const migration = parse(query.migration);
  if (schemaVersion === null || (migration !== null && !isMigration(migration))) return null;
  return { lastPulledAt, schemaVersion, migration };
}

function readChanges(body: unknown): Changes | null {
  const changes = isObject(body) ? body.changes : null;
  if (!isObject(changes)) return null;
  return Object.values(changes).every(isTableChanges) ? (changes as Changes) : null;
}

function isTableChanges(value: unknown): value is TableChanges {
  if (!isObject(value)) return false;
  const { created, updated, deleted } = value;
  const areRows = [created, updated].every((rows) => Array.isArray(rows) && rows.every(isRow));
  return areRows && Array.isArray(deleted) && deleted.every((id) => typeof id === 'string');
}

const isRow = (value: unknown): value is Row => isObject(value) && typeof value.id === 'string';

function isMigration(value: unknown): value is Migration {
  if (!isObject(value) || !Array.isArray(value.tables) || !Array.isArray(value.columns)) return false;
  return typeof value.from === 'number' && value.columns.every((one) => isObject(one) && Array.isArray(one.columns));
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
