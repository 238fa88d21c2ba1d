// The files of a new kata: a tiny one that works, for its author to grow.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kataFiles } from '../../course/kata-paths.ts';

const TEMPLATES: Readonly<Record<keyof ReturnType<typeof kataFiles>, string>> = {
  spec: 'spec.md',
  rubric: 'rubric.yaml',
  contract: 'contract.ts',
  stub: 'stub.ts',
  backend: 'backend.ts',
  suite: 'suite.test.ts',
  scenario: 'scenario.ts',
  mistakes: 'mistakes.ts',
  reference: 'reference.ts',
  alternative: 'alternative.ts',
  notes: 'notes.md',
};

/** Path from the course's root and text of each file of a new kata. */
export async function scaffold(slug: string): Promise<{ file: string; text: string }[]> {
  const words = slug.split('-').filter(Boolean);
  const title = words.join(' ');
  const names = {
    __slug__: slug,
    __title__: title,
    __Title__: capital(title),
    __Name__: words.map(capital).join(''),
  };
  const contract = fill(await template('contract.ts'), names).replace(/^\/\/.*\n/, '');
  const files = Object.entries(kataFiles(slug));
  return Promise.all(
    files.map(async ([part, file]) => {
      const name = TEMPLATES[part as keyof typeof TEMPLATES];
      return { file, text: fill(await template(name), { ...names, __contract__: contract.trimEnd() }) };
    }),
  );
}

const template = (name: string): Promise<string> => readFile(join(import.meta.dirname, 'files', `${name}.txt`), 'utf8');

function fill(text: string, names: Readonly<Record<string, string>>): string {
  const filled = Object.entries(names).reduce((done, [name, value]) => done.replaceAll(name, () => value), text);
  return filled.replaceAll(/(?<=^import type \{ ).*(?= \})/gm, inOrder);
}

/** The order of imported names turns on the kata's name. */
function inOrder(list: string): string {
  const byLetters = new Intl.Collator('en').compare;
  return list.split(', ').sort(byLetters).join(', ');
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
