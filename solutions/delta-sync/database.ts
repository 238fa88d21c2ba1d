// One SQLite database of the app: opened once, read at any time, written to by one after another.
import type { Device, SQLiteDatabase } from '#phone';
import { createTurns } from '#solutions/offline-queue';

export interface Database {
  /** One opening serves all who ask for it. After one that has failed it may be asked for again. */
  open(): Promise<void>;
  /** Waits for the opening. Rejects when it is over. */
  ready(): Promise<void>;
  /** Waits for the opening, and for nobody else. */
  read<T>(ask: (database: SQLiteDatabase) => Promise<T>): Promise<T>;
  /** A second transaction would fail on the first one's lock, and a lone statement with it: each write waits its turn. */
  write<T>(job: (database: SQLiteDatabase) => Promise<T>): Promise<T>;
  isOver(): boolean;
  /** Turns down what waits, and closes once the write under way has ended. */
  close(): Promise<void>;
  /** Deletes a database that is closed. After a failure it may be called again. */
  remove(): Promise<void>;
}

export interface DatabaseOptions<T> {
  readonly device: Device;
  /** Of its file, such as `app.db`. */
  readonly name: string;
  /** Migrates, and reads what is kept in memory. */
  load(database: SQLiteDatabase): Promise<T>;
  /** Takes that over, unless all was over before it was read. */
  begin(loaded: T): void;
  /** The error for who comes too late. */
  over(): Error;
}

export function createDatabase<T>({ device, name, load, begin, over }: DatabaseOptions<T>): Database {
  let handle: SQLiteDatabase | null = null;
  let isClosed = false;

  const turns = createTurns({
    async load() {
      // One handle, however often the opening is tried: a second one would keep the file from being deleted.
      handle ??= await device.openDatabaseAsync(name);
      return load(handle);
    },
    begin,
    over,
  });

  function opened(): SQLiteDatabase {
    if (!handle) throw over();
    return handle;
  }

  return {
    open: turns.open,
    ready: turns.ready,
    async read(ask) {
      await turns.ready();
      return ask(opened());
    },
    write: (job) => turns.take(() => job(opened())),
    isOver: turns.isOver,
    async close() {
      await turns.end();
      if (!isClosed) await handle?.closeAsync();
      isClosed = true;
    },
    async remove() {
      if (handle) await device.deleteDatabaseAsync(name);
      handle = null;
    },
  };
}
