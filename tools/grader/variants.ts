// Attempts that nobody wrote by hand: a mistake put into the reference, a lazy attempt, the alternative.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { kataPaths } from '../course/kata-paths.ts';
import { keepFile } from '../course/keep-file.ts';
import type { Mistake } from '../course/mistake.ts';
import type { Target } from './target.ts';

/**
 * Writes a variant's source and a copy of the kata's suite that runs on it.
 * `home` is the folder that relative imports of the source are meant from.
 */
export async function makeVariant(
  root: string,
  slug: string,
  id: string,
  source: string,
  home?: string,
): Promise<Target> {
  const paths = kataPaths(root, slug);
  const folder = path.join(root, '.kata', 'variants', slug, id);
  const file = path.join(folder, 'index.ts');
  const suite = path.join(folder, `${id}.suite.test.ts`);
  const suiteText = await readFile(paths.suite, 'utf8');
  await keepFile(file, moveImports(source, home ?? path.dirname(paths.reference), folder));
  await keepFile(suite, moveImports(suiteText, paths.folder, folder).replaceAll(`#attempt/${slug}`, './index.ts'));
  return { kind: 'variant', file, suite };
}

/** Relative imports, made to mean the same from another folder. */
function moveImports(text: string, from: string, to: string): string {
  return text.replace(
    /((?:from|import)\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\2/g,
    (_all, before: string, quote: string, target: string) => {
      const moved = path.relative(to, path.resolve(from, target)).split(path.sep).join('/');
      return `${before}${quote}${moved.startsWith('.') ? moved : `./${moved}`}${quote}`;
    },
  );
}

/** The reference with a mistake put in. @throws Error that says which edit does not fit, and why */
export function applyMistake(reference: string, mistake: Mistake): string {
  return mistake.edits.reduce((text, { find, replace }, n) => {
    const count = text.split(find).length - 1;
    if (count !== 1) {
      throw new Error(
        `Mistake ${mistake.id}: the text to find of edit ${n + 1} stands ${count} times in the reference; it must stand there once.`,
      );
    }
    return text.replace(find, () => replace);
  }, reference);
}
