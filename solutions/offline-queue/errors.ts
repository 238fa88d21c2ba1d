// Errors that a caller can tell apart.

/** What a call rejects with: its contract names the codes. */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** What a disk's failure means for the caller: `storage-full` or `storage-failed`. What was coded before stays as it is. */
export function rethrowAsStorageError(cause: unknown): never {
  if (cause instanceof CodedError) throw cause;
  const isFull = cause instanceof Error && /full|ENOSPC/.test(cause.message);
  if (isFull) throw new CodedError('storage-full', 'The phone has no room left. Free some and try again.', cause);
  throw new CodedError('storage-failed', 'The phone could not read or write its storage. Try again.', cause);
}

/** Whether a write has worked, where a failure is no error but one way to go on. */
export const isDone = (write: Promise<void>): Promise<boolean> =>
  write.then(
    () => true,
    () => false,
  );
