// Merging: a pull meets what was changed here.
import type { Resolve, Row } from '#contract/delta-sync';
import { type StoredRow, type Table, toRow } from './tables.ts';

/** Per column: what was changed here stays, the rest is the server's. What then differs from the server is unsynced. */
export function merge(table: Table, stored: StoredRow | undefined, remote: Row, resolve: Resolve | undefined) {
  if (!stored) return { row: remote, changed: [] };
  const local = toRow(table, stored);
  const kept = Object.fromEntries(changedIn(stored).map((column) => [column, local[column] ?? null]));
  const resolved: Row = { ...remote, ...kept, id: remote.id };
  const row = resolve?.(table.name, local, remote, resolved) ?? resolved;
  return { row, changed: table.columns.filter((column) => row[column] !== remote[column]) };
}

export const changedIn = ({ _changed }: StoredRow): string[] => JSON.parse(_changed);
