// What SQLite's result codes mean to us. https://sqlite.org/rescode.html
import { reasonOf } from '../course/keep-file.ts';

const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/** SQLite's primary result code; 0 for another kind of error. */
export function resultCode(error: unknown): number {
  const hasCode = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
  return hasCode ? Number(error.errcode) & 0xff : 0;
}

/** Whether the file itself cannot be read as a database: cut, overwritten, or something else altogether. */
export function isUnreadable(error: unknown): boolean {
  return [CORRUPT, NOT_A_DATABASE].includes(resultCode(error));
}

const REASONS: Readonly<Record<number, string>> = {
  3: 'you may not write there. Check the permissions of the folder .kata.',
  5: 'another command has kept the file busy. Try again in a moment.',
  8: 'the file is read-only. Make the folder .kata and its files writable.',
  10: 'the disk reported an error. See whether it is full, then try again.',
  13: 'the disk is full. Free some space.',
  14: 'the file cannot be opened. Check the permissions of the folder .kata.',
};

/** Why the history could not be used, in a sentence that says what to do. */
export function historyReason(error: unknown): string {
  return REASONS[resultCode(error)] ?? reasonOf(error);
}
