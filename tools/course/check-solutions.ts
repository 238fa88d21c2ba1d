// Is every file there that a kata's solutions import, and is every file there imported?
import { readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { CourseError, type CourseProblem } from './course-problem.ts';
import { kataFiles } from './kata-paths.ts';
import { isTest, readSolution, solutionFolder } from './solution-files.ts';

/** What is wrong with the files of a kata's solutions. Those that every kata has are looked for elsewhere. */
export async function checkSolutions(root: string, slug: string): Promise<CourseProblem[]> {
  const folder = solutionFolder(slug);
  const all = await readdir(join(root, folder), { recursive: true }).catch(() => []);
  const modules = all.map((name) => name.replaceAll('\\', '/')).filter((name) => name.endsWith('.ts') && !isTest(name));
  const { reference, alternative } = kataFiles(slug);
  const own = new Set<string>();
  try {
    for (const entry of [reference, alternative].map((file) => posix.basename(file)))
      if (modules.includes(entry)) for (const name of Object.keys(await readSolution(root, slug, entry))) own.add(name);
  } catch (error) {
    if (error instanceof CourseError) return [...error.problems];
    throw error;
  }
  return modules
    .filter((name) => !own.has(name))
    .map((name) => ({
      file: `${folder}/${name}`,
      field: null,
      message: 'is part of neither the reference nor the alternative. Import it, or take it away.',
    }));
}
