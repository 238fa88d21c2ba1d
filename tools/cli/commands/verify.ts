import { checkOrder } from '../../course/check-course.ts';
import { describeProblem } from '../../course/course-problem.ts';
import { loadRubric } from '../../course/load-rubric.ts';
import { hashText, writeSeal } from '../../course/seal.ts';
import { MARK, wrap } from '../../terminal/look.ts';
import { type Finding, fails } from '../../verifier/finding.ts';
import type { VerifiedRecord } from '../../verifier/record.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { createProgress } from '../progress.ts';

interface Options {
  readonly seed?: number;
  readonly seal?: boolean;
  readonly brisk?: boolean;
  readonly changed?: boolean;
}

/** Proves katas sound, and tells of one after another. Ends with 1 when one is not. */
export const run: RunCommand<Options> = async (
  context,
  [slug],
  { seed, seal = false, brisk = false, changed = false },
) => {
  const { root, output } = context;
  const catalogue = await context.catalogue();
  const slugs = slug === undefined ? catalogue.katas.map((kata) => kata.slug) : [(await context.kata(slug)).slug];
  const findings = [...courseFindings(catalogue)];
  for (const finding of findings) show(context, finding);
  const { shareLanes, verifyKata } = await import('../../verifier/verify-kata.ts');
  const progress = createProgress();
  const inLane = shareLanes();
  const standings = await Promise.all(slugs.map((one) => standingOf(root, one, changed)));
  const stages = standings.map((standing) => new Stage(context, progress, standing));
  // Whatever in the course changes, other claims are drawn.
  const sampleBy = Number.parseInt(hashText(standings.map(({ fingerprint }) => fingerprint).join()).slice(0, 8), 16);
  const verifying = standings.map((standing, n) =>
    verifyKata(root, standing.slug, {
      ...(seed === undefined ? {} : { seed }),
      ...(standing.known === null ? {} : { sampleBy }),
      onFinding: (finding) => stages[n]?.tell(finding),
      onProgress: (what) => stages[n]?.say(what),
      isBrisk: brisk || changed,
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
    if (!found.every(({ isTrue }) => isTrue)) continue;
    const standing = standings[n];
    if (standing?.known === null) await record(context, standing, found.length);
    if (seal) await publish(context, stage.slug);
  }
  const failed = findings.filter(({ isTrue }) => !isTrue).length;
  // Read by CI as the count of what was checked.
  output.print(`\n${findings.length - failed} passed, ${failed} failed`);
  return failed === 0 ? EXIT.ok : EXIT.belowBar;
};

/** How a kata stands to the record of what was proved of it. */
interface Standing {
  readonly slug: string;
  /** Of all that its verification rests on, before it begins. */
  readonly fingerprint: string;
  /** The record, where it is asked for and still stands; null: all is to be proved. */
  readonly known: VerifiedRecord | null;
}

async function standingOf(root: string, slug: string, isRecordAsked: boolean): Promise<Standing> {
  const { fingerprintOf, readRecord } = await import('../../verifier/record.ts');
  const fingerprint = fingerprintOf(root, slug);
  return { slug, fingerprint, known: isRecordAsked ? await readRecord(root, slug, fingerprint) : null };
}

/** Puts on record what was proved, unless something was changed meanwhile. */
async function record(
  { root, output }: CommandContext,
  { slug, fingerprint }: Standing,
  claims: number,
): Promise<void> {
  const { fingerprintOf, writeRecord } = await import('../../verifier/record.ts');
  if (fingerprintOf(root, slug) !== fingerprint) return;
  await writeRecord(root, slug, { fingerprint, claims }).catch((error: Error) => output.warn(error.message));
}

/** Where one kata's findings are told: at once when it is its turn, kept until then otherwise. */
class Stage {
  readonly #standing: Standing;
  readonly #context: CommandContext;
  readonly #progress: ReturnType<typeof createProgress>;
  #isOpen = false;
  #kept: Finding[] = [];

  constructor(context: CommandContext, progress: ReturnType<typeof createProgress>, standing: Standing) {
    this.#context = context;
    this.#progress = progress;
    this.#standing = standing;
  }

  get slug(): string {
    return this.#standing.slug;
  }

  open(): void {
    const { output } = this.#context;
    output.print(output.paint('bold', this.slug));
    const { known } = this.#standing;
    if (known)
      output.print(
        wrap(output.look, `All ${known.claims} claims are on record as proved, and nothing has changed. A sample:`),
      );
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
