import path from 'node:path';
import { CannotKeepFile, keepFile } from '../../course/keep-file.ts';
import { grade } from '../../grader/grade.ts';
import type { Report } from '../../grader/report.ts';
import { targetOf } from '../../grader/target.ts';
import { wrap } from '../../terminal/look.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { gradeAttempt, keepGrade } from '../grade-attempt.ts';
import { exitOf } from '../grade-exit.ts';
import { createProgress } from '../progress.ts';

interface Options {
  readonly reference?: boolean;
  readonly schedules?: number;
  readonly seed?: number;
  readonly json?: string | true;
  readonly markdown?: string | true;
  readonly html?: string | true;
}

/** Grades the attempt, or the reference, and shows the report in each form that was asked for. */
export const run: RunCommand<Options> = async (context, [slug = ''], options) => {
  const kata = await context.kata(slug);
  if (options.json === true && options.markdown === true)
    throw new CommandError('Only one of --json and --markdown can go to standard output. Name a file for the other.');
  const progress = createProgress();
  const how = {
    ...(options.schedules === undefined ? {} : { schedules: options.schedules }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    onProgress: progress.say,
  };
  progress.say(`grading ${slug} …`);
  const target = targetOf(context.root, slug, 'reference');
  const report = options.reference
    ? await grade({ root: context.root, slug, title: kata.title, target, ...how })
    : await gradeAttempt(context, kata, how);
  progress.done();
  const kept = options.reference ? null : await keepGrade(context, kata, report);
  const isWritten = await show(context, report, options, kept?.failures ?? null, kept?.html ?? null);
  return isWritten ? exitOf(report) : EXIT.fault;
};

/** Shows the report in each form. False when a file that was asked for could not be written. */
async function show(
  context: CommandContext,
  report: Report,
  { json, markdown, html }: Options,
  failures: string | null,
  page: string | null,
): Promise<boolean> {
  const { output } = context;
  let isWritten = true;
  const give = async (to: string | true | undefined, render: () => string | Promise<string>) => {
    if (to === undefined) return;
    const text = await render();
    if (to === true) output.print(text);
    else if (!(await keepAs(context, to, text))) isWritten = false;
  };
  await give(json, () => JSON.stringify(report, null, 2));
  await give(markdown, async () => (await import('../../grader/render/markdown.ts')).renderMarkdown(report));
  await give(html === true ? `${report.kata.slug}-report.html` : html, async () =>
    (await import('../../grader/render/html.ts')).renderHtml(report),
  );
  if (json === true || markdown === true) return isWritten;
  const { renderReport } = await import('../../grader/render/terminal.ts');
  const extra = { ...(failures === null ? {} : { fullTextPath: failures }) };
  output.print(renderReport(report, output.look, extra));
  if (page !== null) output.print(`\n${wrap(output.look, `The same as a page, with diagrams: ${page}`)}`);
  return isWritten;
}

/** The grade is there, whether or not there is room for a file of it. */
async function keepAs({ output }: CommandContext, to: string, text: string): Promise<boolean> {
  try {
    await keepFile(path.resolve(to), text.endsWith('\n') ? text : `${text}\n`);
    output.warn(`Written: ${to}`);
    return true;
  } catch (error) {
    if (!(error instanceof CannotKeepFile)) throw error;
    output.warn(error.message);
    return false;
  }
}
