// The one door. Memory mirrors a SQLite database, and both change by `commit` alone, one change after another: decided,
// stored, taken into memory, shown. Whatever brings a message goes through it under its localId, so there is one row.
import type { ChatOptions } from '#contract/chat';
import type { SQLiteDatabase } from '#phone';
import { createDatabase } from '#solutions/delta-sync';
import { rethrowAsStorageError } from '#solutions/offline-queue';
import { chatError } from './core.ts';
import { type ChatRow, type Confirmed, NO_MARKS, type Position, type Unsent } from './rows.ts';

/** One table, so that all that belongs together is one statement: it is a transaction by itself. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS kept (
    kind TEXT, id TEXT, place INTEGER, body TEXT, PRIMARY KEY (kind, id, place)) WITHOUT ROWID;
  DELETE FROM kept WHERE kind = 'unsent' AND body IS NULL`;
const BELOW = `SELECT body FROM kept WHERE kind = 'message' AND id = ? AND place < ? ORDER BY place DESC LIMIT ?`;

export type Ledger = ReturnType<typeof createLedger>;

/** `loaded` is called once what is stored is in memory, `committed` after each change. */
export function createLedger({ device, userId }: ChatOptions, loaded: () => void, committed: (change: Change) => void) {
  const rows = new Map<string, ChatRow>();
  const unsent = new Map<string, Unsent>();
  let position: Position = { cursor: null, nextChats: null };
  let resets = 0;
  // The user is in its name: what one has stored is never opened for another.
  const database = createDatabase({ device, name: `chat-${encodeURIComponent(userId)}.db`, load, begin, over });

  async function load(db: SQLiteDatabase): Promise<{ kind: string; body: string }[]> {
    await db.execAsync(SCHEMA);
    return db.getAllAsync(`SELECT kind, body FROM kept WHERE kind IN ('chat', 'unsent', 'position')`);
  }

  function begin(stored: Awaited<ReturnType<typeof load>>): void {
    for (const { kind, body } of stored) {
      const one = JSON.parse(body);
      if (kind === 'chat') rows.set(one.chatId, one);
      else if (kind === 'unsent') unsent.set(one.localId, one);
      else position = one;
    }
    loaded();
  }

  const rowOf = (chatId: string): ChatRow =>
    rows.get(chatId) ?? { chatId, summary: null, asOf: 0, floor: null, receipts: [], own: NO_MARKS };

  function commit(decide: (change: Change) => void): Promise<void> {
    return database.write(async (db) => {
      const change = createChange(userId, rowOf, position);
      decide(change);
      // Whoever brings it: a copy of an own message from the server means that it is sent.
      for (const { fromUserId, localId } of change.messages) {
        const own = fromUserId === userId && unsent.get(localId);
        if (own) change.gone.push(own);
      }
      await write(db, change).catch(rethrowAsStorageError);
      absorb(change);
      committed(change);
    });
  }

  async function write(db: SQLiteDatabase, change: Change): Promise<void> {
    const kept = [
      ...change.messages.map((one) => ['message', one.chatId, one.sequenceId, JSON.stringify(one)]),
      ...[...change.rows.values()].map((row) => ['chat', row.chatId, 0, JSON.stringify(row)]),
      ...change.unsent.map((one) => ['unsent', one.localId, 0, JSON.stringify(one)]),
      ...change.gone.map(({ localId }) => ['unsent', localId, 0, null]),
      ...(change.position === position ? [] : [['position', '', 0, JSON.stringify(change.position)]]),
    ];
    if (kept.length === 0) return;
    await db.runAsync(`INSERT OR REPLACE INTO kept VALUES ${kept.map(() => '(?, ?, ?, ?)')}`, kept.flat());
  }

  function absorb(change: Change): void {
    position = change.position;
    if (change.isReset) resets += 1;
    for (const row of change.rows.values()) rows.set(row.chatId, row);
    for (const one of change.unsent) unsent.set(one.localId, one);
    for (const { localId } of change.gone) unsent.delete(localId);
  }

  return {
    ...database,
    open: () => database.open().catch(rethrowAsStorageError),
    rows: rows as ReadonlyMap<string, ChatRow>,
    rowOf,
    unsent: unsent as ReadonlyMap<string, Unsent>,
    position: () => position,
    /** How often all began anew, in this launch. */
    resets: () => resets,
    commit,
    /** Stored messages below a number, newest first, handed over before anything else is stored. */
    readBelow: <T>(chatId: string, before: number, limit: number, take: (stored: Confirmed[]) => T): Promise<T> =>
      database.write(async (db) => {
        const stored = await db.getAllAsync<{ body: string }>(BELOW, chatId, before, limit);
        return take(stored.map(({ body }) => JSON.parse(body) as Confirmed));
      }),
    /** What the server has said and the stream will say again: it need not be stored. */
    note: (row: ChatRow) => rows.set(row.chatId, row),
    /** Once closed. */
    async forget(): Promise<void> {
      await database.remove();
      rows.clear();
      unsent.clear();
    },
  };
}

export type Change = ReturnType<typeof createChange>;

/** One change, of the database and then of the memory: all of it or nothing. */
function createChange(userId: string, rowOf: (chatId: string) => ChatRow, position: Position) {
  const rows = new Map<string, ChatRow>();
  const messages: Confirmed[] = [];
  /** A chat as this change leaves it. */
  const row = (chatId: string): ChatRow => rows.get(chatId) ?? rowOf(chatId);

  function edit(chatId: string, edits: Partial<ChatRow>): void {
    rows.set(chatId, { ...row(chatId), ...edits });
  }

  /** A message has arrived, by whatever way. What is stored counts as delivered. */
  function keep(message: Confirmed): void {
    messages.push(message);
    const { chatId, sequenceId, fromUserId } = message;
    const { own, floor } = row(chatId);
    const deliveredUpTo = fromUserId === userId ? own.deliveredUpTo : Math.max(own.deliveredUpTo, sequenceId);
    edit(chatId, { own: { ...own, deliveredUpTo }, floor: floor ?? sequenceId });
  }

  const unsent: Unsent[] = [];
  /** What is no longer unsent. */
  const gone: Unsent[] = [];
  /** `isReset`: nothing that is shown is sure to join what comes. */
  return { userId, rows, row, edit, messages, keep, unsent, gone, position, isReset: false };
}

const over = () => chatError('over', 'This chat was disposed or signed out. Create a new one.');
