import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CourseError } from './course-problem.ts';
import { codeOf, reasonOf } from './keep-file.ts';

/** Text of a course file, with plain line ends. @throws CourseError when it is missing or unreadable */
export async function readCourseText(root: string, file: string): Promise<string> {
  try {
    return (await readFile(join(root, file), 'utf8')).replaceAll('\r\n', '\n');
  } catch (error) {
    const message =
      codeOf(error) === 'ENOENT' ? 'is missing. Write it, or see CONTRIBUTING.md for what it holds.' : reasonOf(error);
    throw new CourseError([{ file, field: null, message }]);
  }
}
