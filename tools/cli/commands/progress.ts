import { existsSync } from 'node:fs';
import path from 'node:path';
import { CannotKeepFile, keepFile } from '../../course/keep-file.ts';
import { loadBands } from '../../course/load-rubric.ts';
import { gatherProgress } from '../../progress/progress.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { renderProgress } from '../render-progress.ts';

interface Options {
  readonly json?: boolean;
  readonly csv?: string | true;
  readonly html?: string | true;
}

/** Shows how far the learner has got, in each form that was asked for. */
export const run: RunCommand<Options> = async (context, _args, { json = false, csv, html }) => {
  if (json && csv === true)
    throw new CommandError('Only one of --json and --csv can go to standard output. Name a file for the CSV.');
  const { katas } = await context.catalogue();
  const { share } = await loadBands(context.root);
  const progress = gatherProgress({
    root: context.root,
    history: await context.history({ readOnly: true }),
    katas: katas.map((kata) => ({ ...kata, hasAttempt: existsSync(kata.paths.attempt) })),
    share,
    nowMs: context.nowMs(),
  });
  const wanted: [to: string, text: () => Promise<string>][] = [];
  const csvOf = async () => (await import('../../progress/csv.ts')).renderCsv(progress);
  if (typeof csv === 'string') wanted.push([csv, csvOf]);
  if (html !== undefined) {
    const bars = Object.fromEntries(katas.map(({ slug, bar }) => [slug, bar]));
    const page = async () => (await import('../../progress/html.ts')).renderHtml(progress, bars);
    wanted.push([html === true ? 'progress.html' : html, page]);
  }
  let isWritten = true;
  for (const [to, text] of wanted) isWritten = (await keepAs(context, to, await text())) && isWritten;
  if (json) context.output.print(JSON.stringify(progress, null, 2));
  else if (csv === true) context.output.print((await csvOf()).replace(/\r\n$/, '\r'));
  else if (wanted.length === 0) context.output.print(renderProgress(context.output.look, progress));
  return isWritten ? EXIT.ok : EXIT.fault;
};

async function keepAs({ output }: CommandContext, to: string, text: string): Promise<boolean> {
  try {
    await keepFile(path.resolve(to), text);
    output.warn(`Written: ${to}`);
    return true;
  } catch (error) {
    if (!(error instanceof CannotKeepFile)) throw error;
    output.warn(error.message);
    return false;
  }
}
