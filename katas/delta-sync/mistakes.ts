// Wrong turns that the grade must catch, each by the criterion that names it.
import { type LazyAttempt, lazyAttempts, type Mistake } from '#course';

export const mistakes: Mistake[] = [
  {
    id: 'numbered-ids',
    title: 'Numbers its rows, as the database does.',
    criterion: 'makes-its-own-ids',
    edits: [
      {
        find: `const id = newId();`,
        replace: `const id = String((await list(name)).length + 1).padStart(16, '0');`,
      },
    ],
  },
  {
    id: 'server-ids',
    title: 'Takes a new id for each row once the server has it.',
    criterion: 'makes-its-own-ids',
    edits: [
      {
        find: `await txn.getAllAsync<StoredRow>(table.markSynced, upTo);`,
        replace: `await txn.getAllAsync<StoredRow>(table.markSynced, upTo);
        for (const { id, _status } of rows)
          if (_status === 'created') await txn.runAsync(\`UPDATE \${table.quotedName} SET id = ? WHERE id = ?\`, newId(), id);`,
      },
    ],
  },
  {
    id: 'bookkeeping-afterwards',
    title: 'Stores a row first, and in a second write that it has to be pushed.',
    criterion: 'stores-with-bookkeeping',
    edits: [
      {
        find: `await inTurn((opened) => opened.runAsync(table.insert, [...values, nextEdit()]));`,
        replace: `const later = values.splice(-2, 2, 'synced', '[]');
    await inTurn(async (database) => {
      await database.runAsync(table.insert, [...values, nextEdit()]);
      const sql = \`UPDATE \${table.quotedName} SET _status = ?, _changed = ? WHERE id = ?\`;
      await database.runAsync(sql, [...later, id].map(String));
    });`,
      },
    ],
  },
  {
    id: 'acknowledged-before-stored',
    title: 'Resolves an update before it is stored.',
    criterion: 'stores-with-bookkeeping',
    edits: [
      {
        find: `await inTurn(async (opened) => {
      const before`,
        replace: `void inTurn(async (opened) => {
      const before`,
      },
      {
        find: `        values,
      );
    });
    noteUnsynced(table, id);`,
        replace: `        values,
      );
    }).catch(() => undefined);
    noteUnsynced(table, id);`,
      },
    ],
  },
  {
    id: 'dirty-only-in-memory',
    title: 'Knows only in memory which columns were changed.',
    criterion: 'loses-no-write',
    edits: [
      {
        find: `const row = resolve?.(`,
        replace: `if (!seen.has(remote.id)) return { row: remote, changed: [] };\n  const row = resolve?.(`,
      },
      {
        find: `function noteUnsynced(table: Table, id: string): void {`,
        replace: `function noteUnsynced(table: Table, id: string): void {\n    seen.add(id);`,
      },
      {
        find: `export const changedIn = (`,
        replace: `export const seen = new Set<string>();\n\nexport const changedIn = (`,
      },
      {
        find: `import { changedIn, merge }`,
        replace: `import { changedIn, merge, seen }`,
      },
    ],
  },
  {
    id: 'writes-wait-for-the-sync',
    title: 'Holds local writes until the sync is over.',
    criterion: 'writes-at-any-time',
    edits: [
      {
        find: `const id = newId();`,
        replace: `while (store.getState().status !== 'idle') await lastRun;\n    const id = newId();`,
      },
    ],
  },
  {
    id: 'no-turns',
    title: 'Lets local writes run into the transaction of a pull, where they find the database locked.',
    criterion: 'writes-at-any-time',
    edits: [
      {
        find: `database.write(write).catch(rethrowAsStorageError);`,
        replace: `database.read(write).catch(rethrowAsStorageError);`,
      },
    ],
  },
  {
    id: 'booleans-as-numbers',
    title: 'Shows booleans as SQLite keeps them.',
    criterion: 'shows-rows',
    edits: [{ find: `&& typeof value === 'number' ? value === 1 : value`, replace: `? value : value` }],
  },
  {
    id: 'anything-goes',
    title: 'Stores values of the wrong type.',
    criterion: 'shows-rows',
    edits: [
      { find: `return typeof value === types[column]?.type &&`, replace: `return types[column] !== undefined &&` },
    ],
  },
  {
    id: 'silent-about-missing-rows',
    title: 'Says nothing when the row to remove is not there.',
    criterion: 'shows-rows',
    edits: [
      { find: `if (changes === 0) throw notFound(name, id);`, replace: `if (changes < 0) throw notFound(name, id);` },
    ],
  },
  {
    id: 'subscribers-not-told',
    title: 'Never tells its subscribers of a change.',
    criterion: 'tells-its-state',
    edits: [
      {
        find: `subscribe: (listener) => store.subscribe(() => listener()),`,
        replace: `subscribe: () => () => undefined,`,
      },
    ],
  },
  {
    id: 'count-forgotten-at-launch',
    title: 'Shows nothing to push after a restart.',
    criterion: 'tells-its-state',
    edits: [{ find: `({ unsynced, lastEdit } = loaded);`, replace: `({ lastEdit } = loaded);` }],
  },
  {
    id: 'start-only-once',
    title: 'Cannot be started again after a start has failed.',
    criterion: 'tells-its-state',
    edits: [
      {
        find: `const start = (): Promise<void> => database.open().catch(rethrowAsStorageError);`,
        replace: `let starting: Promise<void> | null = null;
  function start(): Promise<void> {
    starting ??= database.open().catch(rethrowAsStorageError);
    return starting;
  }`,
      },
    ],
  },
  {
    id: 'push-before-pull',
    title: 'Pushes first and pulls afterwards.',
    criterion: 'pulls-then-pushes',
    edits: [
      {
        find: `const lastPulledAt = await pullOnce(result);
`,
        replace: `const lastPulledAt = lastPull.lastPulledAt ?? 1;
`,
      },
      {
        find: `if (batch.length === 0) return;`,
        replace: `if (batch.length === 0) return void (await pullOnce(result));`,
      },
      {
        find: `if (verdict === 'ok') return markSynced(batch, result);`,
        replace: `if (verdict === 'ok') await markSynced(batch, result);
      await pullOnce(result);
      if (verdict === 'ok') return;`,
      },
    ],
  },
  {
    id: 'pushes-with-the-old-time',
    title: 'Pushes with the time of the pull before.',
    criterion: 'pulls-then-pushes',
    edits: [
      {
        find: `return pulled.timestamp;`,
        replace: `return lastPulledAt ?? pulled.timestamp;`,
      },
    ],
  },
  {
    id: 'always-pushes',
    title: 'Sends a push with nothing in it.',
    criterion: 'pulls-then-pushes',
    edits: [{ find: `if (batch.length === 0) return;`, replace: `` }],
  },
  {
    id: 'time-only-with-changes',
    title: 'Does not take the new time of an empty pull.',
    criterion: 'pulls-then-pushes',
    edits: [
      {
        find: `    await storePull(pulled, result);
    return pulled.timestamp;`,
        replace: `    if (Object.keys(pulled.changes).length > 0) await storePull(pulled, result);
    return pulled.timestamp;`,
      },
    ],
  },
  {
    id: 'phone-time',
    title: 'Takes the phone’s clock for the time of the pull.',
    criterion: 'goes-by-server-time',
    edits: [
      {
        find: `await txn.runAsync(STORE_LAST_PULL, timestamp, schema.version);`,
        replace: `await txn.runAsync(STORE_LAST_PULL, Date.now(), schema.version);`,
      },
      {
        find: `lastPull = { lastPulledAt: timestamp, schemaVersion: schema.version };`,
        replace: `lastPull = { lastPulledAt: Date.now(), schemaVersion: schema.version };`,
      },
    ],
  },
  {
    id: 'local-changes-outlive-deletion',
    title: 'Keeps a row that was deleted elsewhere when it was changed here.',
    criterion: 'takes-deletions',
    edits: [
      {
        find: `deleteAll: \`DELETE FROM \${quotedName} WHERE id IN (SELECT value FROM json_each(?))\``,
        replace: `deleteAll: \`DELETE FROM \${quotedName} WHERE _status = 'synced' AND id IN (SELECT value FROM json_each(?))\``,
      },
    ],
  },
  {
    id: 'deletions-ignored',
    title: 'Never takes a row away that was deleted elsewhere.',
    criterion: 'takes-deletions',
    edits: [
      { find: `if (deleted.length > 0) await txn.runAsync(table.deleteAll, JSON.stringify(deleted));`, replace: `` },
    ],
  },
  {
    id: 'hard-delete',
    title: 'Deletes the row itself, so that nobody else ever hears of it.',
    criterion: 'keeps-tombstones',
    edits: [
      {
        find: `\`UPDATE \${table.quotedName} SET _status = 'deleted', _edit = ? WHERE id = ? AND _status <> 'deleted'\`,
        [nextEdit(), id],`,
        replace: `\`DELETE FROM \${table.quotedName} WHERE id = ?\`,
        id,`,
      },
    ],
  },
  {
    id: 'tombstone-dropped-early',
    title: 'Lets the tombstone go when it is sent, not when it has arrived.',
    criterion: 'keeps-tombstones',
    edits: [
      {
        find: `publish({ status: 'pushing' });`,
        replace: `publish({ status: 'pushing' });
      for (const { table } of batch)
        await inTurn((database) => database.runAsync(\`DELETE FROM \${table.quotedName} WHERE _status = 'deleted'\`));`,
      },
    ],
  },
  {
    id: 'tombstone-overwritten',
    title: 'Brings a removed row back when the server tells of a change to it.',
    criterion: 'agrees-in-the-end',
    edits: [{ find: `if (local?._status === 'deleted') continue;`, replace: `` }],
  },
  {
    id: 'tombstone-shown',
    title: 'Shows removed rows until they are pushed.',
    criterion: 'keeps-tombstones',
    edits: [
      {
        find: `selectOne: \`SELECT * FROM \${quotedName} WHERE id = ? AND _status <> 'deleted'\``,
        replace: `selectOne: \`SELECT * FROM \${quotedName} WHERE id = ?\``,
      },
    ],
  },
  {
    id: 'bookkeeping-sent',
    title: 'Sends the columns of its own bookkeeping along.',
    criterion: 'sends-only-rows',
    edits: [
      {
        find: `updated: having('updated').map((row) => toRow(table, row)),`,
        replace: `updated: having('updated').map((row) => ({ ...row, ...toRow(table, row) })),`,
      },
    ],
  },
  {
    id: 'only-changed-columns',
    title: 'Sends only the columns that were changed.',
    criterion: 'sends-only-rows',
    edits: [
      {
        find: `updated: having('updated').map((row) => toRow(table, row)),`,
        replace: `updated: having('updated').map((row) => {
          const whole = toRow(table, row);
          return { ...Object.fromEntries(changedIn(row).map((column) => [column, whole[column] ?? null])), id: row.id };
        }),`,
      },
    ],
  },
  {
    id: 'deaf-to-dispose',
    title: 'Goes on after dispose.',
    criterion: 'ends-cleanly',
    edits: [
      { find: `const isDisposed = () => ending.signal.aborted;`, replace: `const isDisposed = () => false;` },
      { find: `    ending.abort();\n`, replace: `` },
      { find: `    void database.close().catch(() => undefined);\n`, replace: `` },
    ],
  },
  {
    id: 'waiters-forgotten',
    title: 'Leaves calls hanging that were waiting for a start when it was disposed.',
    criterion: 'ends-cleanly',
    edits: [
      {
        find: `let unsynced = new Set<string>();`,
        replace: `let unsynced = new Set<string>();\n  let isOpen = false;`,
      },
      {
        find: `({ unsynced, lastEdit } = loaded);`,
        replace: `({ unsynced, lastEdit } = loaded);\n    isOpen = true;`,
      },
      { find: `    void database.close()`, replace: `    if (isOpen) void database.close()` },
    ],
  },
  {
    id: 'time-stored-first',
    title: 'Stores the new time before the rows, each by itself.',
    criterion: 'stores-a-pull-at-once',
    edits: [
      {
        find: `    await (news.length === 0 ?`,
        replace: `    await inTurn((database) => database.runAsync(STORE_LAST_PULL, timestamp, schema.version));
    await (news.length === 0 ?`,
      },
    ],
  },
  {
    id: 'time-in-another-store',
    title: 'Keeps the time in AsyncStorage, apart from the rows.',
    criterion: 'stores-a-pull-at-once',
    edits: [
      {
        find: `const stored = await opened.getFirstAsync<LastPull>(SELECT_LAST_PULL);`,
        replace: `const stored: LastPull | null = JSON.parse((await device.asyncStorage.getItem('last')) ?? 'null');`,
      },
      {
        find: `lastPull = { lastPulledAt: timestamp, schemaVersion: schema.version };`,
        replace: `lastPull = { lastPulledAt: timestamp, schemaVersion: schema.version };
    await device.asyncStorage.setItem('last', JSON.stringify(lastPull)).catch(rethrowAsStorageError);`,
      },
    ],
  },
  {
    id: 'pull-without-transaction',
    title: 'Stores the rows of a pull one table after another, without a transaction.',
    criterion: 'stores-a-pull-at-once',
    edits: [
      {
        find: `inTurn((opened) => opened.withExclusiveTransactionAsync(task));`,
        replace: `inTurn(task);`,
      },
    ],
  },
  {
    id: 'transaction-per-table',
    title: 'Stores each table of a pull in a transaction of its own.',
    criterion: 'stores-a-pull-at-once',
    edits: [
      {
        find: `      for (const { table, ofTable } of news) await storeTable(txn, table, ofTable, stored);
      await txn.runAsync(STORE_LAST_PULL, timestamp, schema.version);
    };`,
        replace: `      await txn.runAsync(STORE_LAST_PULL, timestamp, schema.version);
    };
    for (const { table, ofTable } of news) await transaction((txn) => storeTable(txn, table, ofTable, stored));`,
      },
    ],
  },
  {
    id: 'whole-row-theirs',
    title: 'Lets the server’s row win as a whole.',
    criterion: 'merges-by-column',
    edits: [
      {
        find: `const resolved: Row = { ...remote, ...kept, id: remote.id };`,
        replace: `const resolved: Row = { ...kept, ...remote };`,
      },
    ],
  },
  {
    id: 'whole-row-mine',
    title: 'Lets the phone’s row win as a whole.',
    criterion: 'merges-by-column',
    edits: [
      {
        find: `const resolved: Row = { ...remote, ...kept, id: remote.id };`,
        replace: `const resolved: Row = { ...kept, ...local };`,
      },
    ],
  },
  {
    id: 'merged-counts-as-synced',
    title: 'Takes a merged row for synced, so that what was changed here is never pushed.',
    criterion: 'merges-by-column',
    edits: [{ find: `changed.length === 0 ? 'synced' : 'updated'`, replace: `'synced'` }],
  },
  {
    id: 'only-the-last-column',
    title: 'Remembers only the columns of the latest update.',
    criterion: 'loses-no-write',
    edits: [{ find: `[...new Set([...changedIn(before), ...columns])]`, replace: `columns` }],
  },
  {
    id: 'sent-is-synced',
    title: 'Marks rows synced when they are sent.',
    criterion: 'outlives-a-lost-answer',
    edits: [
      {
        find: `publish({ status: 'pushing' });`,
        replace: `publish({ status: 'pushing' });\n      await markSynced(batch, { pulled: 0, pushed: 0, conflicts: 0 });`,
      },
    ],
  },
  {
    id: 'created-twice',
    title: 'Gives rows new ids when their creation was not answered, so that they are there twice.',
    criterion: 'outlives-a-lost-answer',
    edits: [
      {
        find: `const verdict = await push({ changes: toChanges(batch), lastPulledAt }, ending.signal);`,
        replace: `const verdict = await push({ changes: toChanges(batch), lastPulledAt }, ending.signal).catch(async (error) => {
        for (const { table, rows } of batch)
          for (const { id, _status } of rows)
            if (_status === 'created')
              await inTurn((db) => db.runAsync(\`UPDATE \${table.quotedName} SET id = ? WHERE id = ?\`, newId(), id));
        throw error;
      });`,
      },
    ],
  },
  {
    id: 'no-tombstone-for-new-rows',
    title: 'Forgets a created row that is removed before the answer to its push.',
    criterion: 'deletes-for-good',
    edits: [
      {
        find: `    if (changes === 0) throw notFound(name, id);`,
        replace: `    if (changes === 0) throw notFound(name, id);
    const isNew = "_status = 'deleted' AND id = ? AND _changed = ?";
    const all = JSON.stringify(table.columns);
    await inTurn((db) => db.runAsync(\`DELETE FROM \${table.quotedName} WHERE \${isNew}\`, id, all));`,
      },
    ],
  },
  {
    id: 'newer-edits-marked',
    title: 'Marks all rows of a push synced, also those changed since.',
    criterion: 'keeps-newer-edits',
    edits: [
      {
        find: `const upTo = newestEdit(rows);`,
        replace: `const upTo = newestEdit(rows);
        const isSent = 'id IN (SELECT value FROM json_each(?))';
        const ids = JSON.stringify(rows.map(({ id }) => id));
        await txn.runAsync(\`UPDATE \${table.quotedName} SET _edit = 0 WHERE \${isSent}\`, ids);`,
      },
    ],
  },
  {
    id: 'all-marked',
    title: 'Marks everything synced after a push.',
    criterion: 'keeps-newer-edits',
    edits: [
      {
        find: `WHERE _status IN ('created', 'updated') AND _edit <= ? RETURNING id\``,
        replace: `WHERE _status IN ('created', 'updated') AND _edit <= ? + 1000000 RETURNING id\``,
      },
    ],
  },
  {
    id: 'endless-rounds',
    title: 'Pulls and pushes until there is no conflict any more.',
    criterion: 'ends-its-rounds',
    edits: [{ find: `round <= ROUNDS;`, replace: `round <= 40;` }],
  },
  {
    id: 'forced-push',
    title: 'Pushes again after a conflict without a pull, with a time that the server must take.',
    criterion: 'ends-its-rounds',
    edits: [
      {
        find: `if (verdict === 'ok') return markSynced(batch, result);`,
        replace: `if (verdict === 'ok') return markSynced(batch, result);
      const forced = await push({ changes: toChanges(batch), lastPulledAt: lastPulledAt * 2 }, ending.signal);
      if (forced === 'ok') return markSynced(batch, result);`,
      },
    ],
  },
  {
    id: 'conflict-drops-changes',
    title: 'Takes the server’s word after three conflicts and forgets what was changed here.',
    criterion: 'ends-its-rounds',
    edits: [
      {
        find: `throw failed('conflict');
  }`,
        replace: `await markSynced(await readUnsynced(), { pulled: 0, pushed: 0, conflicts: 0 });
    throw failed('conflict');
  }`,
      },
    ],
  },
  {
    id: 'no-round-after-a-conflict',
    title: 'Gives up at the first conflict.',
    criterion: 'ends-its-rounds',
    edits: [{ find: `const ROUNDS = 3;`, replace: `const ROUNDS = 1;` }],
  },
  {
    id: 'portal-believed',
    title: 'Takes any 200 for a push that has arrived.',
    criterion: 'fails-safely',
    edits: [{ find: `if (!isObject(await bodyOf(answer))) throw failed('bad-response');\n  `, replace: `` }],
  },
  {
    id: 'pull-not-checked',
    title: 'Stores whatever a pull brings.',
    criterion: 'fails-safely',
    edits: [
      {
        find: `if (!isPullResult(body)) throw failed('bad-response');\n    return body;`,
        replace: `return body as PullResult;`,
      },
    ],
  },
  {
    id: 'sync-rejects',
    title: 'Rejects when a sync has failed, and shows no reason.',
    criterion: 'fails-safely',
    edits: [{ find: `error = failureOf(cause);`, replace: `error = failureOf(cause);\n      throw cause;` }],
  },
  {
    id: 'error-stays',
    title: 'Shows an error for ever.',
    criterion: 'fails-safely',
    edits: [
      {
        find: `publish({ status: 'idle', error });`,
        replace: `publish({ status: 'idle', error: error ?? store.getState().error });`,
      },
    ],
  },
  {
    id: 'two-syncs-at-once',
    title: 'Begins a sync for each call.',
    criterion: 'one-at-a-time',
    edits: [
      {
        find: `nextRun ??= queueRun();
    return nextRun;`,
        replace: `return database.ready().then(run);`,
      },
    ],
  },
  {
    id: 'joins-the-running-sync',
    title: 'Gives late callers the result of the sync that was running already.',
    criterion: 'one-at-a-time',
    edits: [
      {
        find: `      nextRun = null;\n      return run();`,
        replace: `      return run().finally(() => {\n        nextRun = null;\n      });`,
      },
    ],
  },
  {
    id: 'one-run-for-each-caller',
    title: 'Queues a run for each caller.',
    criterion: 'one-at-a-time',
    edits: [{ find: `nextRun ??= queueRun();`, replace: `nextRun = queueRun();` }],
  },
  {
    id: 'resolve-for-all',
    title: 'Asks resolve for every row that is pulled.',
    criterion: 'asks-resolve',
    edits: [
      {
        find: `if (!stored) return { row: remote, changed: [] };`,
        replace: `if (!stored) return { row: resolve?.(table.name, remote, remote, remote) ?? remote, changed: [] };`,
      },
    ],
  },
  {
    id: 'resolved-not-pushed',
    title: 'Stores what resolve gives and never tells the server.',
    criterion: 'asks-resolve',
    edits: [
      {
        find: `changed: table.columns.filter((column) => row[column] !== remote[column]) };`,
        replace: `changed: changedIn(stored).filter((column) => !resolve && row[column] !== remote[column]) };`,
      },
    ],
  },
  {
    id: 'one-statement-of-variables',
    title: 'Puts all rows of a pull into the variables of one statement, of which SQLite has 32,766.',
    criterion: 'takes-a-large-pull',
    edits: [
      {
        find: `if (rows.length > 0) await txn.runAsync(table.storeAll, JSON.stringify(rows));`,
        replace: `const marks = (row: unknown[]) => \`(\${row.map(() => '?').join(', ')})\`;
    const sql = table.insert.replace(/^INSERT/, 'REPLACE').replace(/ VALUES .*$/, \` VALUES \${rows.map(marks).join(', ')}\`);
    if (rows.length > 0) await txn.runAsync(sql, rows.flat() as Value[]);`,
      },
    ],
  },
  {
    id: 'migration-forgotten',
    title: 'Never asks for what a newer schema has gained.',
    criterion: 'tells-what-is-new',
    edits: [
      { find: `from === null || from === schema.version ? null :`, replace: `from === null || from > 0 ? null :` },
    ],
  },
  {
    id: 'version-stored-at-launch',
    title: 'Stores the schema version when it migrates, so that a sync that fails is the last to ask.',
    criterion: 'tells-what-is-new',
    edits: [
      {
        find: `const stored = await opened.getFirstAsync<LastPull>(SELECT_LAST_PULL);`,
        replace: `const stored = await opened.getFirstAsync<LastPull>(SELECT_LAST_PULL);
    if (stored) await opened.runAsync(STORE_LAST_PULL, stored.lastPulledAt, schema.version);`,
      },
    ],
  },
  {
    id: 'rebuilt-for-a-new-schema',
    title: 'Drops the tables of an older schema and makes new ones.',
    criterion: 'tells-what-is-new',
    edits: [
      {
        find: `const gained = migrationFrom(from, schema);`,
        replace: `const gained = migrationFrom(-1, schema);
  for (const name of gained.tables) await database.execAsync(\`DROP TABLE IF EXISTS "\${name}"\`);`,
      },
    ],
  },
  {
    id: 'unknown-tables-crash',
    title: 'Stumbles over a table it does not know.',
    criterion: 'knows-its-schema',
    edits: [
      {
        find: `await txn.runAsync(STORE_LAST_PULL, timestamp, schema.version);`,
        replace: `for (const name of Object.keys(changes)) tableFor(name, {});
      await txn.runAsync(STORE_LAST_PULL, timestamp, schema.version);`,
      },
    ],
  },
  {
    id: 'unknown-columns-kept',
    title: 'Writes every column that comes, whether there is one or not.',
    criterion: 'knows-its-schema',
    edits: [
      {
        find: `if (rows.length > 0) await txn.runAsync(`,
        replace: `for (const row of [...created, ...updated])
      for (const column of Object.keys(row)) if (column !== 'id') tableFor(table.name, { [column]: null });
    if (rows.length > 0) await txn.runAsync(`,
      },
    ],
  },
  {
    id: 'inherited-columns',
    title: 'Takes what every object inherits for a value of a column.',
    criterion: 'knows-its-schema',
    edits: [
      {
        find: `const value = Object.hasOwn(stored, column) ? (stored[column] as Value) : null;`,
        replace: `const value = (stored[column] as Value) ?? null;`,
      },
    ],
  },
  {
    id: 'names-not-quoted',
    title: 'Writes names into SQL without quoting them.',
    criterion: 'knows-its-schema',
    edits: [
      { find: `const quoted = (name: string) => \`"\${name}"\`;`, replace: 'const quoted = (name: string) => name;' },
    ],
  },
  {
    id: 'everything-pushed',
    title: 'Pushes every row there is.',
    criterion: 'sends-only-rows',
    edits: [
      {
        find: `const rows = await read((opened) => opened.getAllAsync<StoredRow>(table.selectUnsynced));`,
        replace: `const found1 = await read((database) => database.getAllAsync<StoredRow>(\`SELECT * FROM \${table.quotedName}\`));
      const isAny = found1.some(({ _status }) => _status !== 'synced');
      const rows = found1.flatMap((row): StoredRow[] => (isAny ? [row._status === 'synced' ? { ...row, _status: 'updated' } : row] : []));`,
      },
    ],
  },
  {
    id: 'pulls-everything',
    title: 'Pulls once more after each push.',
    criterion: 'pulls-then-pushes',
    edits: [
      {
        find: `if (verdict === 'ok') return markSynced(batch, result);`,
        replace: `if (verdict === 'ok') {
        await markSynced(batch, result);
        await pullOnce(result);
        return;
      }`,
      },
    ],
  },
  {
    id: 'writes-all-rows',
    title: 'Writes every row again at each pull.',
    criterion: 'spends-little',
    edits: [
      {
        find: `await txn.runAsync(STORE_LAST_PULL, timestamp, schema.version);`,
        replace: `await txn.runAsync(STORE_LAST_PULL, timestamp, schema.version);
      for (const table of tables) await txn.execAsync(\`UPDATE \${table.quotedName} SET id = id\`);`,
      },
    ],
  },
];

const HEAD = `import type { CreateSync, Row, SyncState, TableChanges } from '#contract/delta-sync';
`;

export const lazy: LazyAttempt[] = [
  ...lazyAttempts({
    slug: 'delta-sync',
    create: 'createSync',
    state: {
      type: 'SyncState',
      whenDone: "{ status: 'idle', lastPulledAt: null, unsynced: 0, error: null }",
      whenWaiting: "{ status: 'idle', lastPulledAt: null, unsynced: 0, error: null }",
    },
    promises: {
      start: '',
      create: "'abcdefghijklmnop'",
      update: '',
      remove: '',
      get: 'null',
      list: '[]',
      sync: '{ pulled: 0, pushed: 0, conflicts: 0 }',
    },
  }),
  {
    id: 'tight-loop',
    title: 'Keeps rows in memory and sends all of them until the server gives in.',
    source: `${HEAD}
export const createSync: CreateSync = ({ apiUrl, schema }) => {
  const tables = new Map<string, Map<string, Row>>();
  const rowsOf = (table: string) => tables.get(table) ?? new Map<string, Row>();
  let state: SyncState = { status: 'idle', lastPulledAt: null, unsynced: 0, error: null };
  const pull = async () => {
    const query = 'last_pulled_at=null&migration=null&schema_version=' + schema.version;
    const answer = await fetch(apiUrl + '/sync?' + query).catch(() => null);
    const body = answer?.ok ? await answer.json().catch(() => null) : null;
    for (const [table, lists] of Object.entries<TableChanges>(body?.changes ?? {}))
      for (const row of [...lists.created, ...lists.updated]) rowsOf(table).set(row.id, row);
    return body?.timestamp ?? null;
  };
  const push = async (lastPulledAt: number) => {
    const changes = Object.fromEntries(
      [...tables].map(([table, rows]) => [table, { created: [...rows.values()], updated: [], deleted: [] }]),
    );
    const init = { method: 'POST', body: JSON.stringify({ changes }) };
    return (await fetch(apiUrl + '/sync?last_pulled_at=' + lastPulledAt, init).catch(() => null))?.ok;
  };
  return {
    start: async () => {
      for (const table of Object.keys(schema.tables)) tables.set(table, new Map());
    },
    create: async (table, fields) => {
      const id = crypto.randomUUID().replaceAll('-', '').slice(0, 16);
      rowsOf(table).set(id, { ...fields, id });
      return id;
    },
    update: async (table, id, fields) => {
      rowsOf(table).set(id, { ...rowsOf(table).get(id), ...fields, id });
    },
    remove: async (table, id) => {
      rowsOf(table).delete(id);
    },
    get: async (table, id) => rowsOf(table).get(id) ?? null,
    list: async (table) => [...rowsOf(table).values()],
    sync: async () => {
      let lastPulledAt = null;
      do lastPulledAt = await pull();
      while (lastPulledAt === null || !(await push(lastPulledAt)));
      state = { ...state, lastPulledAt };
      return { pulled: 0, pushed: 0, conflicts: 0 };
    },
    getState: () => state,
    subscribe: () => () => {},
    dispose: () => {},
  };
};
`,
  },
  {
    id: 'by-heart',
    title: 'Knows the examples of the suite: rows in one value of AsyncStorage, one round, whole rows.',
    source: `${HEAD}
type Kept = Row & { readonly _s: 'synced' | 'created' | 'updated' | 'deleted' };
const fail = (code: string) => Object.assign(new Error(code), { code });

export const createSync: CreateSync = ({ device, apiUrl, schema }) => {
  let data: { at: number | null; rows: Record<string, Kept[]> } = { at: null, rows: {} };
  let state: SyncState = { status: 'idle', lastPulledAt: null, unsynced: 0, error: null };
  let isDisposed = false;
  const listeners = new Set<() => void>();
  const tell = (change: Partial<SyncState>) => {
    const unsynced = Object.values(data.rows).flat().filter(({ _s }) => _s !== 'synced').length;
    state = { ...state, lastPulledAt: data.at, unsynced, ...change };
    for (const listener of listeners) listener();
  };
  const save = async () => {
    await device.asyncStorage.setItem('data', JSON.stringify(data)).catch(() => {
      throw fail('storage');
    });
    tell({});
  };
  const rowsOf = (table: string) => {
    if (isDisposed) throw fail('disposed');
    if (!Object.hasOwn(schema.tables, table)) throw fail('invalid');
    data.rows[table] ??= [];
    return data.rows[table];
  };
  const bare = ({ _s, ...row }: Kept) => row as Row;
  const find = (table: string, id: string) => rowsOf(table).find((row) => row.id === id && row._s !== 'deleted');
  const put = (table: string, row: Kept) => {
    data.rows[table] = [...rowsOf(table).filter(({ id }) => id !== row.id), row];
  };
  const blank = (table: string) =>
    Object.fromEntries(Object.keys(schema.tables[table] ?? {}).map((column) => [column, null]));
  return {
    start: async () => {
      const text = await device.asyncStorage.getItem('data');
      if (text) data = JSON.parse(text);
      tell({});
    },
    create: async (table, fields) => {
      const id = crypto.randomUUID().replaceAll('-', '').slice(0, 16);
      put(table, { ...blank(table), ...fields, id, _s: 'created' } as Kept);
      await save();
      return id;
    },
    update: async (table, id, fields) => {
      const row = find(table, id);
      if (!row) throw fail('not-found');
      put(table, { ...row, ...fields, _s: row._s === 'created' ? 'created' : 'updated' } as Kept);
      await save();
    },
    remove: async (table, id) => {
      const row = find(table, id);
      if (!row) throw fail('not-found');
      put(table, { ...row, _s: 'deleted' } as Kept);
      await save();
    },
    get: async (table, id) => {
      const row = find(table, id);
      return row ? bare(row) : null;
    },
    list: async (table) => rowsOf(table).filter(({ _s }) => _s !== 'deleted').map(bare),
    sync: async () => {
      if (isDisposed) throw fail('disposed');
      const result = { pulled: 0, pushed: 0, conflicts: 0 };
      tell({ status: 'pulling' });
      const query = 'last_pulled_at=' + data.at + '&migration=null&schema_version=' + schema.version;
      const answer = await fetch(apiUrl + '/sync?' + query).catch(() => null);
      const body = answer?.ok ? await answer.json().catch(() => null) : null;
      if (!body) {
        tell({ status: 'idle', error: { code: 'network' } });
        return result;
      }
      for (const table of Object.keys(schema.tables)) {
        const lists: TableChanges = body.changes[table] ?? { created: [], updated: [], deleted: [] };
        for (const row of [...lists.created, ...lists.updated])
          if (!rowsOf(table).some(({ id, _s }) => id === row.id && _s !== 'synced'))
            put(table, { ...row, _s: 'synced' } as Kept);
        data.rows[table] = rowsOf(table).filter(({ id }) => !lists.deleted.includes(id));
      }
      data.at = body.timestamp;
      await save();
      const dirty = Object.entries(data.rows).map(([table, rows]): [string, TableChanges] => [
        table,
        {
          created: rows.filter(({ _s }) => _s === 'created').map(bare),
          updated: rows.filter(({ _s }) => _s === 'updated').map(bare),
          deleted: rows.filter(({ _s }) => _s === 'deleted').map(({ id }) => id),
        },
      ]);
      if (state.unsynced > 0) {
        tell({ status: 'pushing' });
        const init = { method: 'POST', body: JSON.stringify({ changes: Object.fromEntries(dirty) }) };
        const pushed = await fetch(apiUrl + '/sync?last_pulled_at=' + data.at, init).catch(() => null);
        if (!pushed?.ok) {
          tell({ status: 'idle', error: { code: 'network' } });
          return result;
        }
        for (const [table, rows] of Object.entries(data.rows))
          data.rows[table] = rows
            .filter(({ _s }) => _s !== 'deleted')
            .map((row) => ({ ...row, _s: 'synced' }) as Kept);
        await save();
      }
      tell({ status: 'idle', error: null });
      return result;
    },
    getState: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispose: () => {
      isDisposed = true;
    },
  };
};
`,
  },
];
