// Attempts that nobody wrote by hand: a mistake put into the reference, a lazy attempt, the alternative.
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { kataPaths } from '../course/kata-paths.ts';
import { keepFile } from '../course/keep-file.ts';
import type { Mistake } from '../course/mistake.ts';
import { moveImports, relativePath, replaceImports } from '../course/relative-imports.ts';
import { REFERENCE_MODULE, type SolutionFiles } from '../course/solution-files.ts';
import type { Target } from './target.ts';

/**
 * Writes a variant's source, one text or the files of a solution, and a copy of the kata's suite that runs on it.
 * `home` is the folder that relative imports of the source are meant from (default: the reference's).
 */
export async function makeVariant(
  root: string,
  slug: string,
  id: string,
  source: string | SolutionFiles,
  home?: string,
): Promise<Target> {
  const paths = kataPaths(root, slug);
  const folder = path.join(root, '.kata', 'variants', slug, id);
  const suite = path.join(folder, `${id}.suite.test.ts`);
  const suiteText = moveImports(await readFile(paths.suite, 'utf8'), paths.folder, folder);
  const modules = placed(source, home ?? path.dirname(paths.reference), folder);
  for (const [file, text] of modules) await keepFile(file, text);
  await keepFile(suite, suiteText.replaceAll(`#attempt/${slug}`, './index.ts'));
  await removeOthers(folder, [...modules.keys(), suite]);
  const file = path.join(folder, REFERENCE_MODULE);
  return { kind: 'variant', file, parts: [...modules.keys()].filter((other) => other !== file), suite };
}

/** Texts by where they are written. Files of one solution import each other there as they did at home. */
function placed(source: string | SolutionFiles, home: string, folder: string): Map<string, string> {
  const files = typeof source === 'string' ? { [REFERENCE_MODULE]: source } : source;
  // One text alone may import a neighbour that has its own new name: that one is still meant.
  const own = new Set(typeof source === 'string' ? [] : Object.keys(files).map((name) => path.join(home, name)));
  return new Map(
    Object.entries(files).map(([name, text]) => {
      const file = path.join(folder, name);
      const [from, to] = [path.dirname(path.join(home, name)), path.dirname(file)];
      const move = (target: string) => {
        const meant = path.resolve(from, target);
        return own.has(meant) ? target : relativePath(to, meant);
      };
      return [file, replaceImports(text, move)];
    }),
  );
}

/** Takes away modules of an earlier variant. What another process is about to write has no such name yet. */
async function removeOthers(folder: string, kept: readonly string[]): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  const files = names.filter((name) => name.endsWith('.ts')).map((name) => path.join(folder, name));
  for (const file of files) if (!kept.includes(file)) await rm(file, { force: true });
}

/**
 * The reference with a mistake put in: all of its files.
 * @throws Error that says which edit does not fit, and where its text stands
 */
export function applyMistake(reference: SolutionFiles, { id, edits }: Pick<Mistake, 'id' | 'edits'>): SolutionFiles {
  const files = { ...reference };
  for (const [n, { find, replace }] of edits.entries()) {
    const places = placesIn(files, find);
    const [place] = places;
    if (place === undefined || places.length > 1) {
      const where = places.length === 0 ? '' : ` (${places.map(({ file, line }) => `${file}:${line}`).join(', ')})`;
      throw new Error(
        `Mistake ${id}: the text to find of edit ${n + 1} stands ${places.length} times in the reference${where}; it must stand there once.`,
      );
    }
    files[place.file] = (files[place.file] ?? '').replace(find, () => replace);
  }
  return files;
}

/** Each place of a text in some files; lines count from 1. */
function placesIn(files: SolutionFiles, find: string): { readonly file: string; readonly line: number }[] {
  return Object.entries(files).flatMap(([file, text]) => {
    const before = text.split(find).slice(0, -1);
    return before.map((_, n) => ({
      file,
      line: before
        .slice(0, n + 1)
        .join(find)
        .split('\n').length,
    }));
  });
}
