import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readReference, readSolution } from './solution-files.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'solution files '));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, 'solutions/tally', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

test('gives a reference and the parts it reaches, level by level, each once', async () => {
  write({
    'index.ts': `import type { A } from './a.ts';\nimport {\n  b,\n} from "./deep/b.ts";\nimport { c } from '#solutions/c';\n`,
    'a.ts': `import './index.ts';\nexport * from './deep/names.ts';\n`,
    'deep/b.ts': `import { a } from '../a.ts';\nconst later = import('./names.ts');\n`,
    'deep/names.ts': '',
    'alternative.ts': `import './own.ts';\n`,
  });

  expect(Object.keys(await readReference(root, 'tally'))).toEqual(['index.ts', 'a.ts', 'deep/b.ts', 'deep/names.ts']);
});

test('follows neither comments, nor tests, nor what is outside of the folder', async () => {
  write({
    'index.ts': `// from './gone.ts'\n/**\n * from './gone.ts'\n */\nimport './a.test.ts';\nimport '../other/index.ts';\n`,
  });

  expect(Object.keys(await readReference(root, 'tally'))).toEqual(['index.ts']);
});

test('gives the alternative and its own parts', async () => {
  write({ 'index.ts': '', 'alternative.ts': `import './table.ts';\n`, 'table.ts': 'export {};\r\n' });

  expect(await readSolution(root, 'tally', 'alternative.ts')).toEqual({
    'alternative.ts': `import './table.ts';\n`,
    'table.ts': 'export {};\n',
  });
});

test('names both files where an imported one is missing', async () => {
  write({ 'index.ts': `import './a.ts';\n`, 'a.ts': `import './deep/b.ts';\n` });

  await expect(readReference(root, 'tally')).rejects.toThrow(
    'solutions/tally/a.ts: imports solutions/tally/deep/b.ts, which is missing. Write it, or mend the import.',
  );
});

test('names the reference where it is missing itself', async () => {
  await expect(readReference(root, 'tally')).rejects.toThrow('solutions/tally/index.ts: is missing.');
});
