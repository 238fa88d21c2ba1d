// What is stored. Memory mirrors a SQLite database, and both change by `commit` alone, one change after another: decided,
// stored, taken into memory, shown.
import type { ChatOptions } from '#contract/chat';
import type { SQLiteDatabase } from '#phone';
import { createDatabase } from '#solutions/delta-sync';
import { CodedError, rethrowAsStorageError } from '#solutions/offline-queue';
import { createPrivateCopies } from '#solutions/resumable-upload';
import { type Change, createChange } from './change.ts';
import { type ChatRow, type Confirmed, type Desk, floorOf } from './rows.ts';

/** One table, so that all that belongs together is one statement: it is a transaction by itself. */
const SCHEMA = `CREATE TABLE IF NOT EXISTS kept (
  kind TEXT, id TEXT, place INTEGER, body TEXT, PRIMARY KEY (kind, id, place)) WITHOUT ROWID`;
const THREAD = `SELECT body FROM kept WHERE kind = 'message' AND id = ? AND place >= ? ORDER BY place`;

export type Ledger = ReturnType<typeof createLedger>;

/** `loaded` is called once what is stored is in memory, `committed` after each change. */
export function createLedger({ device, userId }: ChatOptions, loaded: () => void, committed: () => void) {
  // The user is in its name: what one has stored is never shown or sent for another.
  const name = `chat-${encodeURIComponent(userId)}`;
  const copies = createPrivateCopies(device, name);
  const database = createDatabase({ device, name: `${name}.db`, load, begin, over });
  const chats = new Map<string, ChatRow>();
  /** Of open chats, all that is stored from the floor up. */
  const threads = new Map<string, readonly Confirmed[]>();
  let desk: Desk = { cursor: null, nextChats: null, resets: 0, unsent: [] };

  async function load(db: SQLiteDatabase): Promise<{ kind: string; body: string }[]> {
    await db.execAsync(SCHEMA);
    return db.getAllAsync(`SELECT kind, body FROM kept WHERE kind <> 'message'`);
  }

  function begin(stored: Awaited<ReturnType<typeof load>>): void {
    for (const { kind, body } of stored) {
      const one = JSON.parse(body);
      if (kind === 'desk') desk = one;
      else chats.set(one.chatId, one);
    }
    removeOrphans();
    loaded();
  }

  /** A copy that no unsent message names: that is sent or discarded, or a kill or a failure has left it. */
  function removeOrphans(): void {
    const named = desk.unsent.flatMap(({ files }) => files.map(({ uploadId }) => uploadId));
    try {
      copies.removeOrphans(new Set(named));
    } catch {
      // A folder that cannot be read now may be at the next change, or the next launch.
    }
  }

  /** One after another, and each is shown before the next begins. */
  const inTurn = (job: (db: SQLiteDatabase) => Promise<void>): Promise<void> =>
    database.write(async (db) => {
      await job(db);
      committed();
    });

  const commit = (decide: (change: Change) => unknown): Promise<void> =>
    inTurn(async (db) => {
      const change = createChange(userId, chats, desk);
      const { unsent } = desk;
      try {
        await decide(change);
        await write(db, change);
        absorb(change);
      } catch (cause) {
        removeOrphans();
        rethrowAsStorageError(cause);
      }
      if (desk.unsent.length < unsent.length) removeOrphans();
    });

  async function write(db: SQLiteDatabase, { desk, rows, messages }: Change): Promise<void> {
    const kept = [
      ['desk', '', 0, JSON.stringify(desk)],
      ...[...rows.values()].map((row) => ['chat', row.chatId, 0, JSON.stringify(row)]),
      ...messages.map((one) => ['message', one.chatId, one.sequenceId, JSON.stringify(one)]),
    ];
    await db.runAsync(`INSERT OR REPLACE INTO kept VALUES ${kept.map(() => '(?, ?, ?, ?)')}`, kept.flat());
  }

  function absorb(change: Change): void {
    desk = change.desk;
    for (const [chatId, row] of change.rows) {
      chats.set(chatId, row);
      const thread = threads.get(chatId);
      if (!thread) continue;
      const fresh = change.messages.filter((message) => message.chatId === chatId);
      const known = new Map([...thread, ...fresh].map((message) => [message.sequenceId, message]));
      const joined = [...known.values()].filter(({ sequenceId }) => sequenceId >= floorOf(row));
      joined.sort((a, b) => a.sequenceId - b.sequenceId);
      threads.set(chatId, joined);
    }
  }

  const openThread = (chatId: string): Promise<void> =>
    inTurn(async (db) => {
      const stored = await db.getAllAsync<{ body: string }>(THREAD, chatId, chats.get(chatId)?.floor ?? null);
      const messages: Confirmed[] = stored.map(({ body }) => JSON.parse(body));
      threads.set(chatId, messages);
    });

  const closeThread = (chatId: string): Promise<void> => inTurn(async () => void threads.delete(chatId));

  return {
    ...database,
    open: () => database.open().catch(rethrowAsStorageError),
    ...{ commit, openThread, closeThread, chats, threads, copies },
    desk: (): Readonly<Desk> => desk,
    /** Once closed. */
    async forget(): Promise<void> {
      await database.remove();
      copies.clear();
      for (const all of [chats, threads]) all.clear();
      desk = { ...desk, nextChats: null, unsent: [] };
    },
  };
}

const over = () => new CodedError('over', 'This chat was disposed or signed out. Create a new one.');
