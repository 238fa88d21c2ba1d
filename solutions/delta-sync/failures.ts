// What goes wrong: a sync that ends without having done it all, or a call that is turned down.
import type { DatabaseErrorCode, SyncFailure } from '#contract/delta-sync';
import { CodedError } from '#solutions/offline-queue';
import { isObject } from '#solutions/token-refresh';

const FAILURES: Readonly<Record<SyncFailure['code'], string>> = {
  network: 'There was no answer. Sync again later.',
  http: 'The server did not do it. Sync again later.',
  'bad-response': 'The answer is none of the server’s. Sync again later.',
  conflict: 'Somebody else keeps changing the same rows. Sync again later.',
  storage: 'The phone’s storage failed. Make room, and try again.',
};

export const failed = (code: SyncFailure['code'], status?: number) =>
  Object.assign(new Error(FAILURES[code]), { code, status });

/** What a failure means for the state. What is not known here is a request without an answer. */
export function failureOf(cause: unknown): SyncFailure {
  const { code, status } = isObject(cause) ? cause : {};
  if (code === 'http' && typeof status === 'number') return { code, status };
  if (code === 'http' || code === 'bad-response' || code === 'conflict' || code === 'storage') return { code };
  return { code: 'network' };
}

const databaseError = (code: DatabaseErrorCode, message: string, cause?: unknown) =>
  new CodedError(code, message, cause);
export const disposed = () => databaseError('disposed', 'The database was disposed. Create a new one.');
export const invalid = (why: string) => databaseError('invalid', why);
export const notFound = (table: string, id: string) =>
  databaseError('not-found', `There is no row ${id} in ${table}. It may have been deleted meanwhile.`);

export function rethrowAsStorageError(cause: unknown): never {
  throw cause instanceof CodedError ? cause : databaseError('storage', FAILURES.storage, cause);
}
