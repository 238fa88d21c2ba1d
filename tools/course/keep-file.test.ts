import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepFile, keepNewFile, reasonOf } from './keep-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keep file '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('replaces a file and leaves nothing beside it', async () => {
  const path = join(folder, 'deep', 'a.txt');

  await keepFile(path, 'first');
  await keepFile(path, 'second');

  expect(readFileSync(path, 'utf8')).toBe('second');
  expect(readdirSync(join(folder, 'deep'))).toEqual(['a.txt']);
});

test('never overwrites with a new file', async () => {
  const path = join(folder, 'a.txt');

  const both = await Promise.all([keepNewFile(path, 'mine'), keepNewFile(path, 'mine')]);
  const third = await keepNewFile(path, 'another');

  expect(both.sort()).toEqual([false, true]);
  expect(third).toBe(false);
  expect(readFileSync(path, 'utf8')).toBe('mine');
  expect(readdirSync(folder)).toEqual(['a.txt']);
});

test('says which file could not be written, why, and what to do', async () => {
  writeFileSync(join(folder, 'file'), '');

  await expect(keepFile(join(folder, 'file', 'a.txt'), 'text')).rejects.toThrow(
    /^Could not write .*a\.txt: a file stands where a folder is needed\. Move it away and try again\.$/,
  );
});

test.each(['ENOSPC', 'EROFS', 'EACCES'])('has a sentence for %s', (code) => {
  expect(reasonOf(Object.assign(new Error(code), { code }))).toMatch(/^[a-z][^.]+\. [A-Z].+\.$/);
});
