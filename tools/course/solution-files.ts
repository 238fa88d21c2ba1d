// A solution's own files: a module of its folder, and the parts that it is made of.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CourseError } from './course-problem.ts';
import { kataFiles } from './kata-paths.ts';
import { codeOf } from './keep-file.ts';
import { relativeImports } from './relative-imports.ts';

/** Texts by their path inside the solution's folder, with forward slashes. The module that imports the others is first. */
export type SolutionFiles = Readonly<Record<string, string>>;

/** The module of a reference that others import. */
export const REFERENCE_MODULE = 'index.ts';

/**
 * The reference: `index.ts`, then whatever of its folder is reached by relative imports, level by level.
 * @throws CourseError that names a file that is imported and not there, and who imports it
 */
export const readReference = (root: string, slug: string): Promise<SolutionFiles> =>
  readSolution(root, slug, REFERENCE_MODULE);

/** The same for another module of the solution's folder, such as `alternative.ts`. */
export async function readSolution(root: string, slug: string, module: string): Promise<SolutionFiles> {
  const folder = solutionFolder(slug);
  const texts: Record<string, string> = {};
  const importers = new Map<string, string | null>([[module, null]]);
  // Grows meanwhile, by what each file imports.
  for (const [name, importer] of importers) {
    const text = await readPart(root, `${folder}/${name}`, importer && `${folder}/${importer}`);
    texts[name] = text;
    for (const part of partsOf(name, text)) if (!importers.has(part)) importers.set(part, name);
  }
  return texts;
}

/** A solution's folder, from the course's root. */
export const solutionFolder = (slug: string): string => path.posix.dirname(kataFiles(slug).reference);

function partsOf(name: string, text: string): string[] {
  const targets = relativeImports(text).map((target) => path.posix.join(path.posix.dirname(name), target));
  return targets.filter((target) => !target.startsWith('../') && !isTest(target));
}

/** A test in the folder is no part of the solution. */
export const isTest = (file: string): boolean => file.endsWith('.test.ts');

async function readPart(root: string, file: string, importer: string | null): Promise<string> {
  try {
    return (await readFile(path.join(root, file), 'utf8')).replaceAll('\r\n', '\n');
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT';
    const problem = isMissing ? 'is missing' : `cannot be read (${codeOf(error)})`;
    throw new CourseError([
      importer === null
        ? { file, field: null, message: `${problem}. Every kata has it: write it.` }
        : { file: importer, field: null, message: `imports ${file}, which ${problem}. Write it, or mend the import.` },
    ]);
  }
}
