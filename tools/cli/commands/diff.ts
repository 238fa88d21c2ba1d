import { readFile } from 'node:fs/promises';
import type { Kata } from '../../course/catalogue.ts';
import { wrap } from '../../terminal/look.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { leadOf, type Note, namesAround, readNotes } from '../reasons.ts';
import { type DiffReasons, renderDiff, type Side } from '../render-diff.ts';
import { readVersion, SPOILERS } from '../versions.ts';

const ASKED = 'diff-asked';
/** The section of the notes that explains the code itself. */
const WHY = 'Why it is built this way';

interface Options {
  readonly with?: number;
  readonly from?: string;
  readonly to?: string;
}

/** What stands for a file that one of the sides does not have. */
const NO_FILE: Side = { name: '/dev/null', text: '' };

/**
 * Prints the way from one version to another, by default from the attempt to the reference, with the reasons.
 * Of a solution in several files the module comes first, and then each part, whole.
 */
export const run: RunCommand<Options> = async (context, [slug = '', first, second], options) => {
  const { output, root } = context;
  const kata = await context.kata(slug);
  const [from, to] = sidesOf(first, second, options);
  const [before, after] = [await readVersion(root, kata, from), await readVersion(root, kata, to)];
  if ((SPOILERS.includes(from) || SPOILERS.includes(to)) && !(await mayShow(context, slug))) return EXIT.ok;
  // The notes are about the reference: without it there is nothing to explain.
  const side = to === 'reference' ? 'after' : from === 'reference' ? 'before' : null;
  const reasons = side && (await reasonsOf(kata, side, side === 'after' ? after : before));
  const diffs = pairsOf(before, after).map(([old, fresh]) =>
    renderDiff(output, old, fresh, reasons?.between(old, fresh)),
  );
  output.print(diffs.filter((text) => text !== null).join('\n\n') || wrap(output.look, noDifference(from, to)));
  if (reasons && output.isTerminal) tellRest(context, slug, reasons);
  return EXIT.ok;
};

/** The two modules, then each part beside the one of its name, or beside none. */
function pairsOf([before, ...olds]: readonly [Side, ...Side[]], [after, ...news]: readonly [Side, ...Side[]]) {
  const named = (sides: readonly Side[], name: string) => sides.find((side) => side.name === name) ?? NO_FILE;
  const names = new Set([...olds, ...news].map(({ name }) => name));
  const parts = [...names].map((name): [Side, Side] => [named(olds, name), named(news, name)]);
  return [[before, after] as const, ...parts];
}

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
  /** The reasons for a file of the reference, beside the one it is compared with. */
  between(before: Side, after: Side): DiffReasons;
  /** Notes on the code that no hunk has called for so far. */
  rest(): Note[];
  /** Names of the reference's files, its module first. */
  readonly files: readonly string[];
}

async function reasonsOf(kata: Kata, side: DiffReasons['side'], reference: readonly Side[]): Promise<Reasons> {
  const notes = await readFile(kata.paths.notes, 'utf8').catch(() => '');
  const all = readNotes(notes, reference.map(({ text }) => text).join('\n'));
  const told = new Set<Note>();
  const reasonsIn = (code: string, lines: Parameters<DiffReasons['of']>[0]): string[] => {
    const names = lines.flatMap((range) => namesAround(code, range.from, range.to));
    const found = all.filter((note) => !told.has(note) && note.names.some((name) => names.includes(name)));
    for (const note of found) told.add(note);
    return found.map(({ text }) => text);
  };
  const between = (before: Side, after: Side): DiffReasons => {
    const { text } = side === 'after' ? after : before;
    return { side, of: (lines) => reasonsIn(text, lines) };
  };
  const rest = () => all.filter((note) => note.section === WHY && !told.has(note));
  return { between, rest, files: reference.map(({ name }) => name) };
}

function tellRest({ output }: CommandContext, slug: string, { rest, files }: Reasons): void {
  const { print, look } = output;
  const left = rest();
  print();
  if (files.length > 1) print(wrap(look, `The reference is in ${files.length} files: ${files.join(', ')}.`));
  for (const note of left) print(wrap(look, `· ${leadOf(note)}`, { hang: 2 }));
  print(wrap(look, `${left.length === 0 ? 'The' : 'These and other'} reasons are in solutions/${slug}/notes.md.`));
}
