// What a synced database is, seen from outside: types only, shared by stub, reference and suite.
import type { Device } from '#phone';

export type ColumnType = 'string' | 'number' | 'boolean';

/** A column, and the schema version that brought it. */
export interface Column {
  readonly type: ColumnType;
  readonly since: number;
}

/** Tables with their columns. `id` is in every table, and is not listed. Later versions only add. */
export interface Schema {
  readonly version: number;
  readonly tables: { readonly [table: string]: { readonly [column: string]: Column } };
}

export type Value = string | number | boolean | null;

/** Values by column. */
export interface Fields {
  readonly [column: string]: Value;
}

/** What an app sees, and what travels: the id and the columns of the schema, nothing else. */
export interface Row {
  readonly id: string;
  readonly [column: string]: Value;
}

export interface TableChanges {
  readonly created: readonly Row[];
  readonly updated: readonly Row[];
  /** Ids. */
  readonly deleted: readonly string[];
}

/** By table. */
export interface Changes {
  readonly [table: string]: TableChanges;
}

/** What the schema has gained since the version of the last sync. */
export interface Migration {
  readonly from: number;
  readonly tables: readonly string[];
  readonly columns: readonly { readonly table: string; readonly columns: readonly string[] }[];
}

export interface PullRequest {
  readonly lastPulledAt: number | null;
  readonly schemaVersion: number;
  readonly migration: Migration | null;
}

export interface PullResult {
  readonly changes: Changes;
  /** The server's. The next pull asks for what came after it. */
  readonly timestamp: number;
}

export interface PushRequest {
  readonly changes: Changes;
  readonly lastPulledAt: number;
}

export type Pull = (request: PullRequest, signal: AbortSignal) => Promise<PullResult>;
export type Push = (request: PushRequest, signal: AbortSignal) => Promise<'ok' | 'conflict'>;

/** Decides a conflict: `local` and `remote` as they were, `resolved` as R5 makes it. Gives the row to keep. */
export type Resolve = (table: string, local: Row, remote: Row, resolved: Row) => Row;

/** What one `sync` has done, over all its rounds. */
export interface SyncResult {
  /** Rows and deletions in what was pulled and stored, of tables in the schema. */
  readonly pulled: number;
  /** Rows and deletions that the server has accepted. */
  readonly pushed: number;
  /** Pulled rows that were changed here as well. */
  readonly conflicts: number;
}

export interface SyncFailure {
  readonly code: 'network' | 'http' | 'bad-response' | 'conflict' | 'storage';
  /** With `http`. */
  readonly status?: number;
}

export interface SyncState {
  readonly status: 'idle' | 'pulling' | 'pushing';
  readonly lastPulledAt: number | null;
  /** Rows with changes that no push has brought to the server yet, deleted ones too. */
  readonly unsynced: number;
  /** Why the last sync failed; null when it did not. Not kept over a restart. */
  readonly error: SyncFailure | null;
}

/** Why a call was turned down: the `code` of the `Error` it rejects with. */
export type DatabaseErrorCode = 'not-found' | 'invalid' | 'storage' | 'disposed';

export interface DatabaseError extends Error {
  readonly code: DatabaseErrorCode;
}

export interface SyncOptions {
  readonly device: Device;
  /** Without a slash at its end, such as `https://api.example.com`. */
  readonly apiUrl: string;
  /** Takes the place of the global one, for example to carry a token. */
  readonly fetch?: typeof fetch;
  readonly schema: Schema;
  readonly resolve?: Resolve;
  /** Replaces `GET /sync`, for servers with another wire format. */
  readonly pull?: Pull;
  /** Replaces `POST /sync`. */
  readonly push?: Push;
}

export interface SyncDatabase {
  /** Opens the database, and brings it to the schema. Sends nothing. */
  start(): Promise<void>;
  /** Gives the new row's id. Columns that are not named are null. */
  create(table: string, fields: Fields): Promise<string>;
  update(table: string, id: string, fields: Fields): Promise<void>;
  remove(table: string, id: string): Promise<void>;
  /** Null when there is no such row. */
  get(table: string, id: string): Promise<Row | null>;
  /** All rows, in any order. */
  list(table: string): Promise<Row[]>;
  /** Pulls, then pushes. Resolves when it has failed as well: `getState` says why. */
  sync(): Promise<SyncResult>;
  getState(): SyncState;
  /** Calls the listener after each change of the state. Gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Ends what is running. What is stored stays for the next launch. */
  dispose(): void;
}

export type CreateSync = (options: SyncOptions) => SyncDatabase;

/** What an attempt exports. */
export interface DeltaSyncModule {
  readonly createSync: CreateSync;
}
