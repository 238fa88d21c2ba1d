import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readReference } from '../course/solution-files.ts';
import { makeTinyCourse, type TinyCourse } from '../course/testing/tiny-course.ts';
import { EXIT } from './exit-code.ts';
import type { Output } from './output.ts';
import { declaredNames, leadOf, namesAround, namesPromised, readNotes } from './reasons.ts';
import { renderDiff } from './render-diff.ts';
import { callKata } from './testing/call-kata.ts';

const repository = path.resolve(import.meta.dirname, '..', '..');
const REFERENCE = `const LIMIT = 4;

export function createQueue() {
  async function deliver(): Promise<void> {
    const verdict = await ask();
    if (verdict) return;
  }
  return { deliver };
}
`;
const NOTES = `# Queue

## Why it is built this way

**Ask first.** Then \`deliver\`. More words
on a second line.

<!-- explains: LIMIT, gone -->
**Four at a time.** Not \`deliver\` here.

- **A list item.** No name.

## A second good design

A loop instead of \`deliver\`.
`;

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
  course.add('tiny');
  course.write('solutions/tiny/index.ts', REFERENCE);
  course.write('solutions/tiny/notes.md', NOTES);
  course.write('katas/tiny/attempt.ts', REFERENCE.replace('4', '5').replace('verdict) return', '!verdict) return'));
  course.write('katas/tiny/attempts/1.ts', 'const first = 1;\n');
  course.write('katas/tiny/attempts/3.ts', 'const third = 3;\n');
});
afterEach(() => course.remove());

const kata = (...args: string[]) => callKata(course.root, args);

test.each(globSync('solutions/*/notes.md', { cwd: repository }))(
  'explains in %s only what the reference has',
  async (file) => {
    const notes = readFileSync(path.join(repository, file), 'utf8');
    const reference = await readReference(repository, path.basename(path.dirname(file)));
    const known = Object.values(reference).flatMap(declaredNames);

    expect(namesPromised(notes).filter((name) => !known.includes(name))).toEqual([]);
  },
);

test('notices a name in the notes that the reference does not have', () => {
  expect(namesPromised(NOTES).filter((name) => !declaredNames(REFERENCE).includes(name))).toEqual(['gone']);
});

test('reads what each paragraph of the notes explains: by its comment, else by the names in it', () => {
  const notes = readNotes(NOTES, REFERENCE);

  expect(notes.map(({ text, names }) => [text.slice(0, 10), names])).toEqual([
    ['Ask first.', ['deliver']],
    ['Four at a ', ['LIMIT']],
    ['A list ite', []],
    ['A loop ins', []],
  ]);
  expect(notes.map(leadOf)).toContain('Ask first.');
  expect(notes[0]?.text).toContain('More words on a second line.');
});

test('knows the functions that a line stands in', () => {
  expect(namesAround(REFERENCE, 6, 6)).toEqual(['deliver', 'createQueue']);
  expect(namesAround(REFERENCE, 1, 1)).toEqual(['LIMIT']);
});

test('explains a field where a comment names it, and not where its name only stands between backticks', () => {
  const code = 'interface Link {\n  readonly isPinged: boolean;\n}\n';
  const notes =
    '## Why it is built this way\n\n<!-- explains: isPinged -->\nOne ping a wake.\n\nSee `isPinged` and `Link`.\n';

  expect(readNotes(notes, code).map(({ names }) => names)).toEqual([['isPinged'], ['Link']]);
  expect(namesAround(code, 2, 2)).toEqual(['isPinged', 'Link']);
});

test('gives the reasons after a patch that is exact', async () => {
  await kata('diff', 'tiny');

  const { stdout } = await kata('diff', 'tiny');

  const [patch = '', reasons = ''] = stdout.split('\n# Why the reference is so:\n');
  expect(patch).toContain('-const LIMIT = 5;\n+const LIMIT = 4;\n');
  expect(reasons).toContain(': Four at a time. Not `deliver` here.');
  expect(reasons).toContain(': Ask first.');
  expect(reasons).not.toContain('A loop instead');
});

test('shows each reason below the lines it explains on a terminal', () => {
  const output: Output = {
    look: { width: 40, colour: false },
    isInteractive: false,
    isTerminal: true,
    print: () => undefined,
    warn: () => undefined,
    paint: (_style, text) => text,
  };
  const lines = Array.from({ length: 30 }, (_, n) => `line ${n + 1}\n`);
  const before = { name: 'a', text: lines.join('') };
  const after = {
    name: 'b',
    text: lines.join('').replace('line 5\n', 'five\n').replace('line 25\n', 'more\ntwenty-five\n'),
  };
  const asked: number[][] = [];

  const text = renderDiff(output, before, after, {
    side: 'after',
    of: (changed) => {
      asked.push(changed.map(({ to }) => to));
      return asked.length === 1 ? ['because of five, in words that go on and on'] : [];
    },
  });

  expect(asked).toEqual([
    [5, 5],
    [25, 25, 26],
  ]);
  expect(text).toContain(' line 8\n| why: because of five, in words that go\n| on and on\n@@ ');
  expect(text?.split('\n').filter((line) => line.length > 40)).toEqual([]);
});

test('shows the parts of a reference after its module, whole, with the reasons for names in them', async () => {
  const index = `import { LIMIT } from './deep/limit.ts';\n${REFERENCE.replace('const LIMIT = 4;\n', '')}`;
  course.write('solutions/tiny/index.ts', index);
  course.write('solutions/tiny/deep/limit.ts', 'export const LIMIT = 4;\n');
  course.write('katas/tiny/attempt.ts', index.replace('await ask()', 'ask()'));
  await kata('diff', 'tiny');

  const { stdout } = await kata('diff', 'tiny');

  const [module = '', part = ''] = stdout.split('\n--- /dev/null\n');
  expect(module).toContain('--- katas/tiny/attempt.ts\n+++ solutions/tiny/index.ts\n');
  expect(module).toContain(': Ask first.');
  expect(module).not.toContain('Four at a time.');
  expect(part).toMatch(/^\+\+\+ solutions\/tiny\/deep\/limit\.ts\n@@ -0,0 \+1,1 @@\n\+export const LIMIT = 4;\n/);
  expect(part).toContain(': Four at a time.');
});

test('compares the parts of two solutions by their names', async () => {
  course.write('solutions/tiny/index.ts', `import './shared.ts';\nimport './queue.ts';\n`);
  course.write('solutions/tiny/alternative.ts', `import './shared.ts';\nimport './table.ts';\n`);
  for (const name of ['shared', 'queue', 'table']) course.write(`solutions/tiny/${name}.ts`, `export { ${name} };\n`);
  await kata('diff', 'tiny', 'reference', 'alternative');

  const { stdout } = await kata('diff', 'tiny', 'reference', 'alternative');

  expect(stdout).toContain('--- solutions/tiny/queue.ts\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-export { queue };');
  expect(stdout).toContain('--- /dev/null\n+++ solutions/tiny/table.ts\n@@ -0,0 +1,1 @@\n+export { table };');
  expect(stdout).not.toContain('shared };');
});

test('compares old attempts with each other, by ids in order or by name, and spoils nothing', async () => {
  const [byOrder, byName, present] = [
    await kata('diff', 'tiny', '1', '3'),
    await kata('diff', 'tiny', '--from', '1', '--to', '3'),
    await kata('diff', 'tiny', '3', 'attempt'),
  ];

  expect(byOrder.stdout).toBe(
    '--- katas/tiny/attempts/1.ts\n+++ katas/tiny/attempts/3.ts\n@@ -1,1 +1,1 @@\n-const first = 1;\n+const third = 3;\n',
  );
  expect(byName.stdout).toBe(byOrder.stdout);
  expect(present.stdout).toContain('+++ katas/tiny/attempt.ts');
  expect(present.stdout).not.toContain('Why the reference');
});

test.each(['reference', 'alternative'])('shows the %s only when asked a second time', async (id) => {
  const [first, second] = [await kata('diff', 'tiny', '1', id), await kata('diff', 'tiny', '1', id)];

  expect(first.stdout).toContain('ask again');
  expect(second.stdout).toContain(`+++ solutions/tiny/${id === 'reference' ? 'index' : id}.ts`);
});

test.each([
  [['2'], 'There is no kept attempt 2 at tiny. Kept are: 1, 3.'],
  [['old'], 'There is no version old of tiny. There are: attempt, 1, 3, stub, reference, alternative.'],
  [['1', '1'], 'Both sides are 1.'],
  [['1', '--from', '3'], 'Say once what to compare'],
])('answers kata diff tiny %s with a sentence', async (args, says) => {
  const ended = await kata('diff', 'tiny', ...args);

  expect(ended).toMatchObject({ exitCode: EXIT.usage, stdout: '' });
  expect(ended.stderr).toContain(says);
});

test('says when there is no difference', async () => {
  course.write('katas/tiny/attempts/3.ts', 'const first = 1;\n');

  expect((await kata('diff', 'tiny', '1', '3')).stdout).toBe('There is no difference between 1 and 3.\n');
});
