// Where the course is: the folder that has katas, specs and rubrics in it.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const MARKS = ['package.json', 'katas', 'specs', 'rubric'];

/** Whether a folder is a course's root. */
export function isCourseRoot(folder: string): boolean {
  return MARKS.every((name) => existsSync(join(folder, name)));
}

/**
 * The nearest course root at or above `from`; else the one the tool itself belongs to.
 * Undefined when neither is in a course.
 */
export function findCourseRoot(from: string = process.cwd(), own: string = import.meta.dirname): string | undefined {
  return nearestRoot(from) ?? nearestRoot(own);
}

function nearestRoot(from: string): string | undefined {
  let folder = resolve(from);
  while (!isCourseRoot(folder)) {
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
  return folder;
}
