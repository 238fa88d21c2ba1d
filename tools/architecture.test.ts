// Who may import whom. The direction keeps the phone from knowing the grader, and a kata from knowing its answer.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

/** Folders of tools/ that each folder may import from, besides itself. */
const TOOLS: Readonly<Record<string, readonly string[]>> = {
  phone: [],
  terminal: [],
  course: [],
  simulator: ['phone'],
  history: ['course'],
  interview: ['grader', 'course', 'terminal'],
  grader: ['simulator', 'phone', 'course', 'terminal'],
  verifier: ['grader', 'simulator', 'course'],
  drill: ['history', 'course'],
  review: ['verifier', 'grader', 'simulator', 'course'],
  progress: ['grader', 'history', 'course', 'terminal'],
  pages: ['grader', 'progress'],
  mutation: ['verifier', 'grader', 'simulator', 'course'],
  bench: ['verifier', 'grader', 'simulator', 'course'],
  compatibility: ['phone'],
  cli: [
    'drill',
    'review',
    'progress',
    'verifier',
    'grader',
    'simulator',
    'phone',
    'course',
    'history',
    'interview',
    'terminal',
  ],
};

const KATA_ALIASES = ['#phone', '#phone/testing', '#simulator', '#course'];

interface Import {
  readonly file: string;
  readonly target: string;
}

/** Every import of the files a pattern names. Relative ones as paths from the root. */
function importsOf(pattern: string): Import[] {
  return globSync(pattern, { cwd: root, exclude: (name) => name.includes('node_modules') }).flatMap((file) => {
    const text = readFileSync(path.join(root, file), 'utf8');
    const targets = [
      ...text.matchAll(
        /(?:^|\n)(?:import|export)\b[^;'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g,
      ),
    ];
    return targets.map((match) => {
      const target = match[1] ?? match[2] ?? match[3] ?? '';
      return { file, target: target.startsWith('.') ? path.join(path.dirname(file), target) : target };
    });
  });
}

const folderOf = (file: string): string => file.split('/')[1] ?? '';

test('finds imports at all', () => {
  expect(importsOf('tools/simulator/*.ts').length).toBeGreaterThan(50);
});

test.each(Object.entries(TOOLS))('keeps tools/%s to what it may import', (folder, allowed) => {
  const wrong = importsOf(`tools/${folder}/**/*.ts`).filter(
    ({ target }) =>
      target.startsWith('tools/') &&
      path.dirname(target) !== 'tools' &&
      ![folder, ...allowed].includes(folderOf(target)),
  );

  expect(wrong).toEqual([]);
});

test('names every folder of tools', () => {
  const folders = globSync('tools/*/', { cwd: root }).map((folder) => path.basename(folder));

  expect(folders.filter((name) => name !== 'node_modules').sort()).toEqual(Object.keys(TOOLS).sort());
});

test('keeps a kata to its own contract and the authoring functions', () => {
  const wrong = importsOf('katas/*/*.ts').filter(({ file, target }) => {
    const slug = folderOf(file);
    if (target.startsWith('#')) return ![...KATA_ALIASES, `#contract/${slug}`, `#attempt/${slug}`].includes(target);
    return /^(?:tools|solutions|katas|specs)\//.test(target) && !target.startsWith(`katas/${slug}/`);
  });

  expect(wrong.filter(({ file }) => !/attempt/.test(path.basename(file)))).toEqual([]);
});

test('keeps a solution from the simulator, the grader and the suite', () => {
  const wrong = importsOf('solutions/**/*.ts').filter(({ file, target }) => {
    const slug = folderOf(file);
    // By its alias a part would import the reference, whichever variant it is a part of.
    if (target === `#solutions/${slug}`) return true;
    if (target.startsWith('#')) return !/^#(?:phone|contract\/[\w-]+|solutions\/[\w-]+)$/.test(target);
    return /^(?:tools|katas)\//.test(target) || (target.startsWith('solutions/') && folderOf(target) !== slug);
  });

  expect(wrong).toEqual([]);
});

test('imports nothing from the command line', () => {
  const wrong = [...importsOf('tools/**/*.ts'), ...importsOf('katas/*/*.ts'), ...importsOf('solutions/**/*.ts')].filter(
    ({ file, target }) =>
      target.startsWith('tools/cli/') && !file.startsWith('tools/cli/') && !file.endsWith('.test.ts'),
  );

  expect(wrong).toEqual([]);
});
