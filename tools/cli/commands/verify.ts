import { checkOrder } from '../../course/check-course.ts';
import { describeProblem } from '../../course/course-problem.ts';
import { loadRubric } from '../../course/load-rubric.ts';
import { writeSeal } from '../../course/seal.ts';
import { MARK, wrap } from '../../terminal/look.ts';
import { type Finding, fails } from '../../verifier/finding.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { createProgress } from '../progress.ts';

interface Options {
  readonly seed?: number;
  readonly seal?: boolean;
}

/** Proves katas sound, one after another. Ends with 1 when one is not. */
export const run: RunCommand<Options> = async (context, [slug], { seed, seal = false }) => {
  const catalogue = await context.catalogue();
  const slugs = slug === undefined ? catalogue.katas.map((kata) => kata.slug) : [(await context.kata(slug)).slug];
  const findings = [...courseFindings(catalogue)];
  for (const finding of findings) show(context, finding);
  for (const one of slugs) {
    const { verifyKata } = await import('../../verifier/verify-kata.ts');
    context.output.print(context.output.paint('bold', one));
    const progress = createProgress();
    const onFinding = (finding: Finding) => {
      progress.done();
      show(context, finding);
    };
    const found = await verifyKata(context.root, one, {
      ...(seed === undefined ? {} : { seed }),
      onFinding,
      onProgress: (what) => progress.say(`${one}: ${what} …`),
    });
    progress.done();
    findings.push(...found);
    if (seal && found.every(({ isTrue }) => isTrue)) await publish(context, one);
  }
  const failed = findings.filter(({ isTrue }) => !isTrue).length;
  // Read by CI as the count of what was checked.
  context.output.print(`\n${findings.length - failed} passed, ${failed} failed`);
  return failed === 0 ? EXIT.ok : EXIT.belowBar;
};

function courseFindings({ katas, broken }: Awaited<ReturnType<CommandContext['catalogue']>>): Finding[] {
  const unreadable = broken.flatMap(({ problems }) => problems);
  return [...unreadable, ...checkOrder(katas)].map((problem) =>
    fails('the course can be read', describeProblem(problem)),
  );
}

function show({ output }: CommandContext, { claim, isTrue, detail }: Finding): void {
  const mark = isTrue ? output.paint('green', MARK.pass) : output.paint('red', MARK.fail);
  output.print(wrap(output.look, `${mark} ${isTrue ? '' : 'NOT SO: '}${claim}`, { hang: 2 }));
  if (detail !== '') output.print(wrap(output.look, detail, { indent: 4 }));
}

async function publish({ root, output }: CommandContext, slug: string): Promise<void> {
  const { version } = await loadRubric(root, slug);
  await writeSeal(root, slug, version);
  output.print(wrap(output.look, `Sealed: katas/${slug}/seal.json, version ${version}.`));
}
