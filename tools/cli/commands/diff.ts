import { readFile } from 'node:fs/promises';
import { wrap } from '../../terminal/look.ts';
import { keptName, readAttempt, readKept } from '../attempts.ts';
import type { RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { renderDiff } from '../render-diff.ts';

const ASKED = 'diff-asked';

/** Prints the way from the attempt to the reference: once solved, or when asked a second time. */
export const run: RunCommand<{ with?: number }> = async (context, [slug = ''], { with: n }) => {
  const { output } = context;
  const kata = await context.kata(slug);
  const before =
    n === undefined
      ? { name: `katas/${slug}/attempt.ts`, text: await readAttempt(kata) }
      : { name: keptName(kata, n), text: await readKept(kata, n) };
  const history = await context.history();
  if (!history.wasSolved(slug) && !history.hasMark(slug, ASKED)) {
    history.setMark(slug, ASKED);
    output.print(wrap(output.look, `This shows the reference solution, and ${slug} is not solved yet.`));
    output.print(wrap(output.look, `A hint may be enough: npx kata hint ${slug}`));
    output.print(wrap(output.look, 'To see the reference all the same, ask again.'));
    return EXIT.ok;
  }
  const reference = { name: `solutions/${slug}/index.ts`, text: await readFile(kata.paths.reference, 'utf8') };
  const patch = renderDiff(output, before, reference);
  output.print(patch ?? wrap(output.look, 'There is no difference: this is the reference, word for word.'));
  if (output.isTerminal) output.print(`\n${wrap(output.look, `The reasons are in solutions/${slug}/notes.md.`)}`);
  return EXIT.ok;
};
