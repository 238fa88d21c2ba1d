// Writes what a person will want to find again: whole or not at all, and never over something by accident.
import { randomUUID } from 'node:crypto';
import { constants, copyFileSync, linkSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file could not be written. The message says which, why, and what to do. Nothing was changed. */
export class CannotKeepFile extends Error {
  constructor(path: string, cause: unknown) {
    super(`Could not write ${path}: ${reasonOf(cause)}`, { cause });
    this.name = 'CannotKeepFile';
  }
}

/** Writes or replaces a file: after a crash or on a full disk the old one is still there, whole. */
export async function keepFile(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const { default: writeFileAtomic } = await import('write-file-atomic');
    await writeFileAtomic(path, text);
  } catch (error) {
    throw new CannotKeepFile(path, error);
  }
}

/** Writes a file that must not be there yet. False, and nothing changed, when it is. */
export async function keepNewFile(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(draft, text, { flush: true });
    return takePlace(draft, path);
  } catch (error) {
    throw new CannotKeepFile(path, error);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Gives a file a second name in one step. False, and nothing changed, when that name is taken. */
export function takePlace(from: string, to: string): boolean {
  try {
    linkOrCopy(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Not every file system has hard links; a copy that refuses to overwrite is the next best. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  }
}

/** The system's code of an error, such as `ENOSPC`; an empty text when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Free some space and try again.',
  EDQUOT: 'your disk quota is used up. Free some space and try again.',
  EROFS: 'the disk is read-only. Move the project to a place you can write to.',
  EACCES: 'you may not write there. Check the permissions of that folder.',
  EPERM: 'you may not write there. Check the permissions of that folder.',
  EEXIST: 'a file stands where a folder is needed. Move it away and try again.',
  ENOTDIR: 'a file stands where a folder is needed. Move it away and try again.',
  EISDIR: 'a folder has that name. Move it away and try again.',
};

/** Why a system call failed, in a sentence that says what to do. */
export function reasonOf(error: unknown): string {
  return REASONS[codeOf(error)] ?? `${error instanceof Error ? error.message : String(error)}.`;
}
