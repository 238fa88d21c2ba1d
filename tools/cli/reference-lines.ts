import { type SolutionFiles, solutionFolder } from '../course/solution-files.ts';
import { placesOf } from '../review/choose-mistakes.ts';
import type { Planted } from '../review/round.ts';

/** The comment above a line belongs to it; more than this is another matter. */
const COMMENT_LINES_MAX = 4;

/** The reference's lines in place of a mistake, with the comment above them; null when they are not known. */
export function referenceLinesOf(
  slug: string,
  reference: SolutionFiles,
  { edits }: Pick<Planted, 'edits'>,
): { title: string; code: string } | null {
  const [name, text] = Object.entries(reference).find(([, code]) => placesOf(code, { edits }).length > 0) ?? [];
  if (name === undefined || text === undefined) return null;
  const places = placesOf(text, { edits });
  const lines = text.split('\n');
  const parts = places.map(({ from, to }) => {
    let first = from;
    while (first > 1 && from - first < COMMENT_LINES_MAX && isComment(lines[first - 2])) first -= 1;
    return { title: first === to ? `${to}` : `${first}-${to}`, code: lines.slice(first - 1, to).join('\n') };
  });
  return {
    title: `The reference (${solutionFolder(slug)}/${name}, ${parts.length === 1 && !parts[0]?.title.includes('-') ? 'line' : 'lines'} ${parts.map(({ title }) => title).join(' and ')}):`,
    code: parts.map(({ code }) => code).join('\n…\n'),
  };
}

const isComment = (line: string | undefined): boolean => /^\s*(?:\/\/|\/\*|\*)/.test(line ?? '');
