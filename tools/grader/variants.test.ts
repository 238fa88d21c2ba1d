import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyMistake, makeVariant } from './variants.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'variants '));
  mkdirSync(path.join(root, 'katas', 'tally'), { recursive: true });
  const suite = `import { createBackend } from './backend.ts';\nconst load = () => import('#attempt/tally');\n`;
  writeFileSync(path.join(root, 'katas', 'tally', 'suite.test.ts'), suite);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('keeps relative imports pointing where they did, in the source and in the suite', async () => {
  const source = `import type { A } from '../other/index.ts';\nimport './own.ts';\nexport * from "./more.ts";\nconst b = await import('./lazy.ts');\nimport { c } from 'redux';\n`;

  const target = await makeVariant(root, 'tally', 'wrong', source);

  expect(readFileSync(target.file, 'utf8')).toBe(
    `import type { A } from '../../../../solutions/other/index.ts';\nimport '../../../../solutions/tally/own.ts';\nexport * from "../../../../solutions/tally/more.ts";\nconst b = await import('../../../../solutions/tally/lazy.ts');\nimport { c } from 'redux';\n`,
  );
  expect(readFileSync(target.suite, 'utf8')).toBe(
    `import { createBackend } from '../../../../katas/tally/backend.ts';\nconst load = () => import('./index.ts');\n`,
  );
  expect(target.kind).toBe('variant');
});

test('takes relative imports from the folder a source was written for', async () => {
  const home = path.join(root, 'katas', 'tally');

  const target = await makeVariant(root, 'tally', 'stub', `import './contract.ts';\n`, home);

  expect(readFileSync(target.file, 'utf8')).toBe(`import '../../../../katas/tally/contract.ts';\n`);
});

const PARTS = {
  'index.ts': `import { a } from './a.ts';\nimport { b } from './deep/b.ts';\nimport { c } from '../other/index.ts';\n`,
  'a.ts': `export { a } from './not-one-of-them.ts';\n`,
  'deep/b.ts': `import { a } from '../a.ts';\nexport * from '../../other/index.ts';\n`,
};

test('writes all files of a reference, which import each other as they did', async () => {
  const { file, parts = [] } = await makeVariant(root, 'tally', 'wrong', PARTS);

  const folder = path.dirname(file);
  expect(parts.map((part) => path.relative(folder, part))).toEqual(['a.ts', 'deep/b.ts']);
  expect(readFileSync(file, 'utf8')).toBe(
    `import { a } from './a.ts';\nimport { b } from './deep/b.ts';\nimport { c } from '../../../../solutions/other/index.ts';\n`,
  );
  expect(parts.map((part) => readFileSync(part, 'utf8'))).toEqual([
    `export { a } from '../../../../solutions/tally/not-one-of-them.ts';\n`,
    `import { a } from '../a.ts';\nexport * from '../../../../../solutions/other/index.ts';\n`,
  ]);
});

test('takes away the files of an earlier variant of the same id', async () => {
  await makeVariant(root, 'tally', 'wrong', PARTS);

  const { file } = await makeVariant(root, 'tally', 'wrong', 'export {};\n');

  expect(globSync('**/*.ts', { cwd: path.dirname(file) }).sort()).toEqual(['index.ts', 'wrong.suite.test.ts']);
});

const mistake = (...edits: { find: string; replace: string }[]) => ({ id: 'wrong', title: 'W', criterion: 'c', edits });

test('puts a mistake in word for word', () => {
  const reference = { 'index.ts': 'send(key);', 'key.ts': 'let key = made();' };

  const files = applyMistake(reference, mistake({ find: 'made()', replace: `'$&$1'` }));

  expect(files).toEqual({ 'index.ts': 'send(key);', 'key.ts': `let key = '$&$1';` });
});

test.each([
  ['is not there', 'remade()', '0 times in the reference;'],
  ['is there twice', 'key', '2 times in the reference (index.ts:1, index.ts:2);'],
  ['is in two files', '(', '2 times in the reference (index.ts:2, deep/send.ts:1);'],
])('refuses a mistake whose text %s, and says which and where', (_, find, says) => {
  const edits = [
    { find: 'made', replace: 'made' },
    { find, replace: '' },
  ];
  const reference = { 'index.ts': 'let key = made;\nsend(key);', 'deep/send.ts': 'send();' };

  expect(() => applyMistake(reference, mistake(...edits))).toThrow(
    `Mistake wrong: the text to find of edit 2 stands ${says} it must stand there once.`,
  );
});
