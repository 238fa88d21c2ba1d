import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

const mistake = (...edits: { find: string; replace: string }[]) => ({ id: 'wrong', title: 'W', criterion: 'c', edits });

test('puts a mistake in word for word', () => {
  const text = applyMistake('let key = made();\nsend(key);', mistake({ find: 'made()', replace: `'$&$1'` }));

  expect(text).toBe(`let key = '$&$1';\nsend(key);`);
});

test.each([
  ['is not there', 'remade()', 0],
  ['is there twice', 'key', 2],
])('refuses a mistake whose text %s, and says which', (_, find, count) => {
  const edits = [
    { find: 'made', replace: 'made' },
    { find, replace: '' },
  ];

  expect(() => applyMistake('let key = made();\nsend(key);', mistake(...edits))).toThrow(
    `Mistake wrong: the text to find of edit 2 stands ${count} times in the reference`,
  );
});
