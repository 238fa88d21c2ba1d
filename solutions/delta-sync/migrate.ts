// A schema that is newer than what is here: than the tables, or than what was last pulled.
import type { Migration, Schema } from '#contract/delta-sync';
import type { SQLiteDatabase } from '#phone';
import { addColumn, CREATE_SYNC, createTable } from './tables.ts';

/** Adds what is younger than the tables: nothing is ever taken away, so the rows stay as they are. */
export async function migrate(database: SQLiteDatabase, schema: Schema): Promise<void> {
  // SQLite keeps this number for the app. It is 0 in a new file, so the schema's version is stored with one added.
  const kept = await database.getFirstAsync<{ user_version: number }>('PRAGMA user_version');
  const from = (kept?.user_version ?? 0) - 1;
  if (from >= schema.version) return;
  const gained = migrationFrom(from, schema);
  const text = [
    ...(from < 0 ? [CREATE_SYNC] : []),
    ...gained.tables.map((name) => createTable(name, Object.keys(schema.tables[name] ?? {}))),
    ...gained.columns.flatMap(({ table, columns }) => columns.map((column) => addColumn(table, column))),
    `PRAGMA user_version = ${schema.version + 1}`,
  ];
  await database.withExclusiveTransactionAsync((txn) => txn.execAsync(text.join(';\n')));
}

/** What the schema has gained since an older version: a table is new when all its columns are. */
export function migrationFrom(from: number, { tables }: Schema): Migration {
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
