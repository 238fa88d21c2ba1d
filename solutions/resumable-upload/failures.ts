// Why a call is turned down, or an upload given up.
import type { UploaderErrorCode, UploadFailure } from '#contract/resumable-upload';
import { CodedError } from '#solutions/offline-queue';
import type { Kept } from './entry.ts';

export const MESSAGES: Readonly<Record<UploadFailure, string>> = {
  'too-large': 'The server takes no file of this size.',
  refused: 'The server takes no file of this kind.',
  'source-lost': 'The copy of the file is gone or damaged. Pick the file again.',
  checksum: 'What has arrived is not what was picked. Try again.',
  server: 'The server could not be reached, or failed too often. Try again.',
};

export const uploaderError = (code: UploaderErrorCode, message: string, cause?: unknown) =>
  new CodedError(code, message, cause);
export const disposed = () => uploaderError('disposed', 'The uploader was disposed. Create a new one.');
export const hasFailed = ({ error }: Kept) => uploaderError('failed', error?.message ?? '');
export const sourceLost = (uri: string) => uploaderError('source-lost', `There is no file at ${uri}. Pick it again.`);
export const storageFailed = () => uploaderError('storage-failed', 'The storage failed. Try again.');
