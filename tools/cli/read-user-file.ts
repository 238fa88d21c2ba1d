import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CourseError } from '../course/course-problem.ts';
import { codeOf, reasonOf } from '../course/keep-file.ts';
import { CommandError } from './command-error.ts';

/**
 * Reads a file that a person named or wrote, and makes sense of it. `name` is how messages call it.
 * @throws CommandError that says what is wrong with it, and what to do
 */
export async function readUserFile<T>(file: string, parse: (text: string, name: string) => T, name = file): Promise<T> {
  const text = await readFile(path.resolve(file), 'utf8').catch((error: unknown) => {
    const why =
      codeOf(error) === 'ENOENT' ? 'there is no such file. Check its name and where you are.' : reasonOf(error);
    throw new CommandError(`Could not read ${name}: ${why}`);
  });
  try {
    return parse(text.replaceAll('\r\n', '\n'), name);
  } catch (error) {
    if (error instanceof CourseError) throw new CommandError(error.message);
    throw error;
  }
}
