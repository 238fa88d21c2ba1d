import { pathToFileURL } from 'node:url';
import { kataPaths } from '../../course/kata-paths.ts';
import type { Mistake } from '../../course/mistake.ts';
import { readReference } from '../../course/solution-files.ts';
import { grade } from '../../grader/grade.ts';
import { keepReport } from '../../grader/keep-report.ts';
import type { Report } from '../../grader/report.ts';
import { applyMistake, makeVariant } from '../../grader/variants.ts';
import { wrap } from '../../terminal/look.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { createProgress } from '../progress.ts';

/** The kata and the mistake that a newcomer is shown: the one that most first attempts make. */
const DEMO = { slug: 'offline-queue', mistake: 'new-key-per-try' };

/** Grades a typical first attempt and shows the whole report. Ends with 0: it is an example, not the learner's. */
export const run: RunCommand = async (context) => {
  const { output } = context;
  const kata = await context.kata(DEMO.slug);
  const { mistake, report } = await gradeDemo(context, kata.title);
  const { renderReport } = await import('../../grader/render/terminal.ts');
  output.print(output.paint('bold', 'Airplane Mode: a demonstration'));
  const says = `A typical first attempt at ${DEMO.slug}, graded. What is wrong with it: ${lowerFirst(mistake.title)}`;
  output.print(wrap(output.look, says));
  output.print(wrap(output.look, 'It passes a quick try by hand. The simulated phone finds out:'));
  output.print(renderReport(report, output.look, { isDemo: true }));
  return EXIT.ok;
};

async function gradeDemo(context: CommandContext, title: string): Promise<{ mistake: Mistake; report: Report }> {
  const { root } = context;
  const paths = kataPaths(root, DEMO.slug);
  const { mistakes } = (await import(pathToFileURL(paths.mistakes).href)) as { mistakes: Mistake[] };
  const mistake = mistakes.find(({ id }) => id === DEMO.mistake);
  if (!mistake) throw new Error(`katas/${DEMO.slug}/mistakes.ts has no mistake ${DEMO.mistake}, which the demo shows.`);
  const files = applyMistake(await readReference(root, DEMO.slug), mistake);
  const target = await makeVariant(root, DEMO.slug, 'demo', files);
  const progress = createProgress();
  progress.say('grading a typical first attempt on a simulated phone …');
  const report = await grade({ root, slug: DEMO.slug, title, target, onProgress: progress.say });
  progress.done();
  await keepReport(root, report, 'demo').catch((error: Error) => context.output.warn(error.message));
  return { mistake, report };
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
