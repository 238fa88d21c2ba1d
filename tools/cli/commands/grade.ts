import path from 'node:path';
import { keepFile } from '../../course/keep-file.ts';
import { grade } from '../../grader/grade.ts';
import type { Report } from '../../grader/report.ts';
import { targetOf } from '../../grader/target.ts';
import type { CommandContext, RunCommand } from '../context.ts';
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
  await show(context, report, options, kept?.failures ?? null, kept?.html ?? null);
  return exitOf(report);
};

async function show(
  context: CommandContext,
  report: Report,
  { json, markdown, html }: Options,
  failures: string | null,
  page: string | null,
): Promise<void> {
  const { output } = context;
  const give = async (to: string | true | undefined, render: () => string | Promise<string>) => {
    if (to === undefined) return;
    const text = await render();
    if (to === true) output.print(text);
    else await keepAs(context, to, text);
  };
  await give(json, () => JSON.stringify(report, null, 2));
  await give(markdown, async () => (await import('../../grader/render/markdown.ts')).renderMarkdown(report));
  await give(html === true ? `${report.kata.slug}-report.html` : html, async () =>
    (await import('../../grader/render/html.ts')).renderHtml(report),
  );
  if (json === true || markdown === true) return;
  const { renderReport } = await import('../../grader/render/terminal.ts');
  const extra = { ...(failures === null ? {} : { fullTextPath: failures }) };
  output.print(renderReport(report, output.look, extra));
  if (page !== null) output.print(`\nThe same as a page, with diagrams: ${page}`);
}

async function keepAs({ output }: CommandContext, to: string, text: string): Promise<void> {
  await keepFile(path.resolve(to), text.endsWith('\n') ? text : `${text}\n`);
  output.warn(`Written: ${to}`);
}
