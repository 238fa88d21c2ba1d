// The one file of a reference that a round is about: as it is read in the round's folder, and as it stands among the others.
import path from 'node:path';
import { moveImports } from '../course/relative-imports.ts';
import { type SolutionFiles, solutionFolder } from '../course/solution-files.ts';
import type { AnswerKey } from './round.ts';
import { roundFiles } from './store.ts';

/** All rounds are equally deep: from any of them the same path leads to the solutions. */
const ROUND = roundFiles('any-1').folder;

/** Code of a file, whose imports lead from the round's folder to the other files of the reference. */
export const asShown = (root: string, slug: string, file: string, code: string): string =>
  moveImports(code, homeOf(root, slug, file), path.join(root, ROUND));

/** All files of a reference: those that came along, and the reviewed one with code as it was shown. */
export const asPlaced = (
  root: string,
  slug: string,
  { file, others }: Pick<AnswerKey, 'file' | 'others'>,
  code: string,
): SolutionFiles => ({ ...others, [file]: moveImports(code, path.join(root, ROUND), homeOf(root, slug, file)) });

const homeOf = (root: string, slug: string, file: string): string =>
  path.join(root, solutionFolder(slug), path.dirname(file));
