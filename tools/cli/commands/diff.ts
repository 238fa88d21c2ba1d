import { readFile } from 'node:fs/promises';
import type { Kata } from '../../course/catalogue.ts';
import { wrap } from '../../terminal/look.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { leadOf, type Note, namesAround, readNotes } from '../reasons.ts';
import { type DiffReasons, renderDiff } from '../render-diff.ts';
import { readVersion, SPOILERS } from '../versions.ts';

const ASKED = 'diff-asked';
/** The section of the notes that explains the code itself. */
const WHY = 'Why it is built this way';

interface Options {
  readonly with?: number;
  readonly from?: string;
  readonly to?: string;
}

/** Prints the way from one version to another, by default from the attempt to the reference, with the reasons. */
export const run: RunCommand<Options> = async (context, [slug = '', first, second], options) => {
  const { output } = context;
  const kata = await context.kata(slug);
  const [from, to] = sidesOf(first, second, options);
  const [before, after] = [await readVersion(kata, from), await readVersion(kata, to)];
  if ((SPOILERS.includes(from) || SPOILERS.includes(to)) && !(await mayShow(context, slug))) return EXIT.ok;
  const reasons = await reasonsOf(kata, from, to);
  output.print(renderDiff(output, before, after, reasons?.diff) ?? wrap(output.look, noDifference(from, to)));
  if (reasons && output.isTerminal) tellRest(context, slug, reasons);
  return EXIT.ok;
};

/** Ids may stand as arguments or as options; one alone is compared with the reference. */
function sidesOf(first: string | undefined, second: string | undefined, options: Options): [string, string] {
  const kept = options.with === undefined ? undefined : String(options.with);
  const froms = [first, options.from, kept].filter((id) => id !== undefined);
  const tos = [second, options.to].filter((id) => id !== undefined);
  if (froms.length > 1 || tos.length > 1)
    throw new CommandError(
      'Say once what to compare: by arguments or by --from and --to, such as: npx kata diff <slug> 1 attempt',
    );
  const [from = 'attempt', to = 'reference'] = [froms[0], tos[0]];
  if (from === to) throw new CommandError(`Both sides are ${from}. Name two, such as: npx kata diff <slug> 1 attempt`);
  return [from, to];
}

const noDifference = (from: string, to: string): string =>
  to === 'reference'
    ? 'There is no difference: this is the reference, word for word.'
    : `There is no difference between ${from} and ${to}.`;

/** The answer is shown to whoever has solved the kata, and to whoever asks twice. */
async function mayShow(context: CommandContext, slug: string): Promise<boolean> {
  const { print, look } = context.output;
  const history = await context.history();
  if (history.wasSolved(slug) || history.hasMark(slug, ASKED)) return true;
  history.setMark(slug, ASKED);
  print(wrap(look, `This shows the reference solution, and ${slug} is not solved yet.`));
  print(wrap(look, `A hint may be enough: npx kata hint ${slug}`));
  print(wrap(look, 'To see the reference all the same, ask again.'));
  return false;
}

interface Reasons {
  readonly diff: DiffReasons;
  /** Notes on the code that no hunk has called for so far. */
  rest(): Note[];
}

/** The notes are about the reference: without it there is nothing to explain. */
async function reasonsOf(kata: Kata, from: string, to: string): Promise<Reasons | null> {
  if (from !== 'reference' && to !== 'reference') return null;
  const [reference, notes] = await Promise.all([
    readFile(kata.paths.reference, 'utf8'),
    readFile(kata.paths.notes, 'utf8').catch(() => ''),
  ]);
  const all = readNotes(notes, reference);
  const told = new Set<Note>();
  const of: DiffReasons['of'] = (lines) => {
    const names = lines.flatMap((range) => namesAround(reference, range.from, range.to));
    const found = all.filter((note) => !told.has(note) && note.names.some((name) => names.includes(name)));
    for (const note of found) told.add(note);
    return found.map(({ text }) => text);
  };
  const rest = () => all.filter((note) => note.section === WHY && !told.has(note));
  return { diff: { side: to === 'reference' ? 'after' : 'before', of }, rest };
}

function tellRest({ output }: CommandContext, slug: string, { rest }: Reasons): void {
  const { print, look } = output;
  const left = rest();
  print();
  for (const note of left) print(wrap(look, `· ${leadOf(note)}`, { hang: 2 }));
  print(wrap(look, `${left.length === 0 ? 'The' : 'These and other'} reasons are in solutions/${slug}/notes.md.`));
}
