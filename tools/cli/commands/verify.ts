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
  readonly brisk?: boolean;
}

/** Proves katas sound, and tells of one after another. Ends with 1 when one is not. */
export const run: RunCommand<Options> = async (context, [slug], { seed, seal = false, brisk = false }) => {
  const catalogue = await context.catalogue();
  const slugs = slug === undefined ? catalogue.katas.map((kata) => kata.slug) : [(await context.kata(slug)).slug];
  const findings = [...courseFindings(catalogue)];
  for (const finding of findings) show(context, finding);
  const { shareLanes, verifyKata } = await import('../../verifier/verify-kata.ts');
  const progress = createProgress();
  const inLane = shareLanes();
  const stages = slugs.map((one) => new Stage(context, progress, one));
  const verifying = stages.map((stage) =>
    verifyKata(context.root, stage.slug, {
      ...(seed === undefined ? {} : { seed }),
      onFinding: (finding) => stage.tell(finding),
      onProgress: (what) => stage.say(what),
      isBrisk: brisk,
      inLane,
    }),
  );
  // What goes wrong with a later one is told when it is its turn.
  for (const later of verifying) later.catch(() => undefined);
  for (const [n, stage] of stages.entries()) {
    stage.open();
    const found = (await verifying[n]) ?? [];
    progress.done();
    findings.push(...found);
    if (seal && found.every(({ isTrue }) => isTrue)) await publish(context, stage.slug);
  }
  const failed = findings.filter(({ isTrue }) => !isTrue).length;
  // Read by CI as the count of what was checked.
  context.output.print(`\n${findings.length - failed} passed, ${failed} failed`);
  return failed === 0 ? EXIT.ok : EXIT.belowBar;
};

/** Where one kata's findings are told: at once when it is its turn, kept until then otherwise. */
class Stage {
  readonly slug: string;
  readonly #context: CommandContext;
  readonly #progress: ReturnType<typeof createProgress>;
  #isOpen = false;
  #kept: Finding[] = [];

  constructor(context: CommandContext, progress: ReturnType<typeof createProgress>, slug: string) {
    this.#context = context;
    this.#progress = progress;
    this.slug = slug;
  }

  open(): void {
    const { output } = this.#context;
    output.print(output.paint('bold', this.slug));
    this.#isOpen = true;
    for (const finding of this.#kept) show(this.#context, finding);
  }

  tell(finding: Finding): void {
    if (!this.#isOpen) {
      this.#kept.push(finding);
      return;
    }
    this.#progress.done();
    show(this.#context, finding);
  }

  say(what: string): void {
    if (this.#isOpen) this.#progress.say(`${this.slug}: ${what} …`);
  }
}

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
