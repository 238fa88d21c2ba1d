import { expect, test } from 'vitest';
import type { SQLiteDatabase } from './sqlite.ts';
import { createTestBench, ending, settle } from './testing/launch-device.ts';

async function openTasks() {
  const bench = createTestBench();
  const database = await bench.device.openDatabaseAsync('tasks.db');
  await database.execAsync('CREATE TABLE task (id INTEGER PRIMARY KEY, title TEXT UNIQUE)');
  return { ...bench, database, titles: () => titlesIn(database), stored: () => storedIn(bench.disk) };
}

const titlesIn = async (database: SQLiteDatabase) =>
  (await database.getAllAsync<{ title: string }>('SELECT title FROM task ORDER BY id')).map(({ title }) => title);

const storedIn = (disk: ReturnType<typeof createTestBench>['disk']) =>
  (disk.databases.find('tasks.db')?.query('SELECT title FROM task ORDER BY id') ?? []).map(({ title }) => title);

const add = (database: SQLiteDatabase, title: string) =>
  database.runAsync('INSERT INTO task (title) VALUES (?)', title);

test('runs real SQL, with values one by one, in an array, or by name', async () => {
  const { database } = await openTasks();

  const first = await database.runAsync('INSERT INTO task (title) VALUES (?)', 'one');
  const second = await database.runAsync('INSERT INTO task (title) VALUES (?)', ['two']);
  const third = await database.runAsync('INSERT INTO task (title) VALUES ($title)', { $title: 'three' });
  const all = await database.runAsync("UPDATE task SET title = title || '!'");

  expect([first, second, third, all.changes]).toEqual([
    { lastInsertRowId: 1, changes: 1 },
    { lastInsertRowId: 2, changes: 1 },
    { lastInsertRowId: 3, changes: 1 },
    3,
  ]);
  expect(await database.getFirstAsync('SELECT * FROM task WHERE id = ?', [2])).toEqual({ id: 2, title: 'two!' });
  expect(await database.getFirstAsync('SELECT * FROM task WHERE id = 9')).toBeNull();
});

test('gives the rows of what writes as well, and of what only tells', async () => {
  const { database } = await openTasks();

  const added = await database.getAllAsync("INSERT INTO task (title) VALUES ('one'), ('two') RETURNING id, title");
  await database.execAsync('PRAGMA user_version = 7');
  const renamed = await database.runAsync("UPDATE task SET title = 'returning' WHERE id = 1 -- RETURNING");

  expect(added).toEqual([
    { id: 1, title: 'one' },
    { id: 2, title: 'two' },
  ]);
  expect(await database.getFirstAsync('PRAGMA user_version')).toEqual({ user_version: 7 });
  expect(renamed.changes).toBe(1);
});

test('names the columns of a row as they are now, however often it was asked before', async () => {
  const { database } = await openTasks();
  await add(database, 'one');
  const ask = () => database.getFirstAsync('SELECT * FROM task');
  const asked = [await ask()];

  await database.execAsync('ALTER TABLE task ADD COLUMN done DEFAULT 0');
  asked.push(await ask());
  await database.execAsync('ALTER TABLE task RENAME COLUMN done TO ended');
  asked.push(await ask());

  expect(asked).toEqual([
    { id: 1, title: 'one' },
    { id: 1, title: 'one', done: 0 },
    { id: 1, title: 'one', ended: 0 },
  ]);
});

test('names the columns of before when a changed schema is rolled back, for others also while it is not committed', async () => {
  const { database } = await openTasks();
  await add(database, 'one');
  const ask = (from: SQLiteDatabase) => from.getFirstAsync('SELECT * FROM task');
  const asked: unknown[] = [];

  const failed = database.withExclusiveTransactionAsync(async (txn) => {
    await txn.execAsync('ALTER TABLE task RENAME COLUMN title TO name');
    asked.push(await ask(txn), await ask(database), await ask(txn));
    throw new Error('no');
  });

  await expect(failed).rejects.toThrow('no');
  asked.push(await ask(database));
  const [now, before] = [
    { id: 1, name: 'one' },
    { id: 1, title: 'one' },
  ];
  expect(asked).toEqual([now, before, now, before]);
});

test.each([
  ['a return to a savepoint', 'ROLLBACK TO before_change'],
  ['a failure that ends the transaction', 'INSERT OR ROLLBACK INTO task (id, name) VALUES (1, 2)'],
])('names the columns of before when %s undoes a changed schema', async (_how, undo) => {
  const { database } = await openTasks();
  await add(database, 'one');
  const ask = () => database.getFirstAsync('SELECT * FROM task');
  await database.execAsync('SAVEPOINT before_change; ALTER TABLE task RENAME COLUMN title TO name');
  const changed = await ask();

  await database.execAsync(undo).catch(() => undefined);

  expect([changed, await ask()]).toEqual([
    { id: 1, name: 'one' },
    { id: 1, title: 'one' },
  ]);
});

test('takes booleans as 0 and 1, nothing as null, bytes as a blob', async () => {
  const { database } = await openTasks();

  const row = await database.getFirstAsync('SELECT ? AS yes, ? AS none, ? AS bytes', [
    true,
    null,
    new Uint8Array([1, 2]),
  ]);

  expect(row).toEqual({ yes: 1, none: null, bytes: new Uint8Array([1, 2]) });
});

test('rejects with the code and text of SQLite', async () => {
  const { database } = await openTasks();
  await add(database, 'one');

  expect([
    await ending(add(database, 'one')),
    await ending(database.execAsync('SELEC 1')),
    await ending(database.getAllAsync('SELECT * FROM missing')),
  ]).toEqual([
    'Error code 19: UNIQUE constraint failed: task.title',
    'Error code 1: near "SELEC": syntax error',
    'Error code 1: no such table: missing',
  ]);
});

test('keeps what was committed over a kill, and rolls back what was not', async () => {
  const { database, relaunch, stored } = await openTasks();
  await add(database, 'before');
  await database.withTransactionAsync(async () => {
    await add(database, 'committed');
  });
  void database.withTransactionAsync(async () => {
    await add(database, 'torn');
    await new Promise(() => undefined);
  });
  await settle();

  const device = relaunch();

  expect(await titlesIn(await device.openDatabaseAsync('tasks.db'))).toEqual(['before', 'committed']);
  expect(stored()).toEqual(['before', 'committed']);
});

test('shows a checker what is committed in the middle of a transaction, and leaves the transaction as it was', async () => {
  const { database, stored, titles } = await openTasks();
  await add(database, 'before');

  await database.withTransactionAsync(async () => {
    await add(database, 'inside');
    await database.runAsync('UPDATE task SET title = hex(randomblob(4)) WHERE id = 1');
    const inside = await titles();
    expect(stored()).toEqual(['before']);
    expect(await titles()).toEqual(inside);
  });

  expect(stored()).toEqual(await titles());
  expect(stored()[1]).toBe('inside');
});

test('rolls a transaction back when its task rejects, and rejects the same way', async () => {
  const { database, stored } = await openTasks();

  const heard = await ending(
    database.withTransactionAsync(async () => {
      await add(database, 'one');
      throw new Error('no');
    }),
  );

  expect([heard, stored()]).toEqual(['no', []]);
  expect(await database.isInTransactionAsync()).toBe(false);
});

test('draws statements of other code into a transaction that is not exclusive', async () => {
  const { database, stored } = await openTasks();

  const failing = database.withTransactionAsync(async () => {
    await add(database, 'mine');
    await settle();
    throw new Error('no');
  });
  const other = add(database, 'of other code');

  expect([await ending(other.then(() => 'added')), await ending(failing), stored()]).toEqual(['ok added', 'no', []]);
});

test('fails to begin a second transaction on one connection, which rolls the first back', async () => {
  const { database, stored } = await openTasks();
  const first = database.withTransactionAsync(async () => {
    await add(database, 'first');
    await settle();
  });
  const second = database.withTransactionAsync(async () => undefined);

  expect([await ending(second), await ending(first), stored()]).toEqual([
    'Error code 1: cannot start a transaction within a transaction',
    'Error code 1: cannot rollback - no transaction is active',
    [],
  ]);
});

test('keeps others out of an exclusive transaction: writes are locked, reads see what was before', async () => {
  const { database, stored, titles } = await openTasks();
  let seen: unknown[] = [];

  await database.withExclusiveTransactionAsync(async (txn) => {
    await add(txn, 'mine');
    seen = [await titles(), await titlesIn(txn), await ending(add(database, 'yours'))];
  });

  expect(seen).toEqual([[], ['mine'], 'Error code 5: database is locked']);
  expect(stored()).toEqual(['mine']);
});

test('shares one connection between handles of one name, unless asked for a new one', async () => {
  const { database, device } = await openTasks();
  const same = await device.openDatabaseAsync('tasks.db');
  const own = await device.openDatabaseAsync('tasks.db', { useNewConnection: true });

  await database.execAsync('BEGIN');

  expect([await same.isInTransactionAsync(), await own.isInTransactionAsync()]).toEqual([true, false]);
});

test.each([
  ['full', 'Error code 13: database or disk is full'],
  ['failed', 'Error code 10: disk I/O error'],
] as const)('leaves nothing of a transaction whose commit meets %s', async (fault, message) => {
  const { database, faults, stored } = await openTasks();
  faults.push(null, fault);

  const heard = await ending(
    database.withTransactionAsync(async () => {
      await add(database, 'one');
    }),
  );

  expect([heard, stored(), await database.isInTransactionAsync()]).toEqual([message, [], false]);
});

test.each([
  ['kill-before', []],
  ['torn', []],
  ['kill-after', ['one']],
] as const)('keeps all or nothing of a transaction whose commit meets %s', async (fault, kept) => {
  const { database, faults, stored } = await openTasks();
  faults.push(null, fault);

  void database.withTransactionAsync(async () => {
    await add(database, 'one');
  });
  await settle();

  expect(stored()).toEqual(kept);
});

test('cuts a text of several statements in half by a kill, unless they are in a transaction', async () => {
  const inserts = ['a', 'b', 'c', 'd'].map((title) => `INSERT INTO task (title) VALUES ('${title}');`).join(' ');
  const bare = await openTasks();
  const wrapped = await openTasks();
  bare.faults.push('torn');
  wrapped.faults.push('torn');

  void bare.database.execAsync(inserts);
  void wrapped.database.execAsync(`BEGIN; ${inserts} COMMIT;`);
  await settle();

  expect([bare.stored(), wrapped.stored()]).toEqual([['a', 'b'], []]);
});

test('refuses a write that does not fit on the disk, takes a deletion, and works again with room', async () => {
  const { database, disk, stored } = await openTasks();
  await add(database, 'old');
  disk.freeBytes = 10;

  const heard = await ending(add(database, 'new'));
  await database.runAsync('DELETE FROM task');
  disk.freeBytes = 10_000;
  await add(database, 'newer');

  expect([heard, stored()]).toEqual(['Error code 13: database or disk is full', ['newer']]);
});

test('knows no clock and no chance but the phone has', async () => {
  const read = async () => {
    const { database } = await openTasks();
    return database.getFirstAsync<{ now: string }>(
      "SELECT random() AS n, hex(randomblob(4)) AS bytes, datetime('now', '+1 day') AS later, CURRENT_TIMESTAMP AS now",
    );
  };

  const first = await read();

  expect(await read()).toEqual({ ...first, later: expect.any(String), now: expect.any(String) });
  expect(String(first?.now)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
});

test('rejects every call after closing, and deletes only what is closed', async () => {
  const { database, device, disk } = await openTasks();

  const open = await ending(device.deleteDatabaseAsync('tasks.db'));
  await database.closeAsync();
  const closed = await ending(add(database, 'one'));
  await device.deleteDatabaseAsync('tasks.db');

  expect(open).toBe('Unable to delete database tasks.db that is currently open. Close it prior to deletion');
  expect(closed).toBe('sqlite.runAsync: Access to closed resource. Database tasks.db was closed.');
  expect(await ending(device.deleteDatabaseAsync('tasks.db'))).toBe('Database tasks.db not found');
  expect(disk.databases.all()).toEqual([]);
});

test('lists every value among the entries of the disk, and lets one be overwritten', async () => {
  const { database, disk, titles } = await openTasks();
  await add(database, 'secret');

  const found = disk.entries().find(({ value }) => value === 'secret');
  disk.databases.set(found?.key ?? '', 'changed');

  expect(found).toEqual({ module: 'databases', key: 'tasks.db/task/0/title', value: 'secret' });
  expect(await titles()).toEqual(['changed']);
});
