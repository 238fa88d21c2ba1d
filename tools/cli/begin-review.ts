// How a review round begins.
import type { Kata } from '../course/catalogue.ts';
import { loadRubric } from '../course/load-rubric.ts';
import { REFERENCE_MODULE } from '../course/solution-files.ts';
import { composeFromAttempt, composeFromReference } from '../review/compose.ts';
import { findingsTemplate } from '../review/findings.ts';
import type { AnswerKey, Session } from '../review/round.ts';
import { beginRound, nextNumber, openRound } from '../review/store.ts';
import { wrap } from '../terminal/look.ts';
import { keptName, readKept } from './attempts.ts';
import { CommandError } from './command-error.ts';
import type { ReviewOptions } from './commands/review.ts';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit-code.ts';
import { createProgress } from './progress.ts';
import { asWritten } from './render-review.ts';

const ASKED = 'review-asked';

/** The round that is open, if any; unreadable ones are named and left as they are. */
export const findOpenReview = ({ root, output }: CommandContext, slug: string): Promise<Session | null> =>
  openRound(root, slug, (file) => output.warn(`${file} cannot be read; that round is left as it is.`));

/** Whether what was asked for is the round that is open. */
export function isSameRound({ source }: Session, { mistakes, seed, attempt }: ReviewOptions): boolean {
  if (source.kind === 'attempt')
    return mistakes === undefined && seed === undefined && (attempt === undefined || attempt === source.attempt);
  const isSameCount = mistakes === undefined || Number(mistakes) === source.mistakes;
  return attempt === undefined && isSameCount && (seed === undefined || seed === source.seed);
}

/** Makes a round. Null, and a sentence, when the person should think twice, or there is nothing to find. */
export async function beginReview(
  context: CommandContext,
  kata: Kata,
  options: ReviewOptions,
): Promise<Session | null> {
  const { root, output } = context;
  if (options.attempt !== undefined && (options.mistakes !== undefined || options.seed !== undefined))
    throw new CommandError('--attempt reviews your own code as it is: leave --mistakes and --seed out.');
  if (!(await mayBegin(context, kata, options))) return null;
  const seed = options.seed ?? nextNumber(root, kata.slug);
  const count = Number(options.mistakes ?? 1);
  const progress = createProgress();
  progress.say('preparing a round …');
  const key = await (options.attempt === undefined
    ? fromReference(context, kata, count, seed, progress.say)
    : fromAttempt(context, kata, options.attempt)
  ).finally(progress.done);
  if (key === null) return null;
  const { slug, version, suiteHash } = kata;
  const source =
    options.attempt === undefined
      ? ({ kind: 'reference', seed, mistakes: count } as const)
      : ({ kind: 'attempt', attempt: options.attempt } as const);
  const { criteria } = await loadRubric(root, slug);
  const begunAt = new Date(context.nowMs()).toISOString();
  const round = await beginRound(
    root,
    { kata: { slug, version, suiteHash }, source, begunAt },
    key,
    findingsTemplate(slug, criteria),
  );
  if (!options.json && source.kind === 'reference' && options.seed === undefined)
    output.warn(`The same round again: npx kata review ${slug} --new --mistakes ${count} --seed ${seed}`);
  return round;
}

/** The code is the reference's: whoever has not solved the kata is asked to think twice, as by `kata diff`. */
async function mayBegin(context: CommandContext, { slug }: Kata, options: ReviewOptions): Promise<boolean> {
  const isDeliberate =
    options.attempt !== undefined || options.seed !== undefined || options.answers !== undefined || options.json;
  if (isDeliberate) return true;
  const { print, look } = context.output;
  const history = await context.history();
  if (history.wasSolved(slug) || history.hasMark(slug, ASKED)) return true;
  history.setMark(slug, ASKED);
  print(wrap(look, `A review shows the reference's code, and ${slug} is not solved yet.`));
  print(wrap(look, 'To begin one all the same, ask again.'));
  return false;
}

async function fromReference(
  { root }: CommandContext,
  { slug }: Kata,
  count: number,
  seed: number,
  onProgress: (what: string) => void,
): Promise<AnswerKey> {
  const key = await composeFromReference(root, slug, { count, seed, onProgress });
  if (key) return key;
  throw new CommandError(
    `No ${count} mistakes of ${slug} can stand together with the seed ${seed}. Ask for fewer, or give another --seed.`,
  );
}

async function fromAttempt({ root, output }: CommandContext, kata: Kata, n: number): Promise<AnswerKey | null> {
  const found = await composeFromAttempt(root, kata.slug, await readKept(kata, n));
  switch (found.kind) {
    case 'wrong':
      return found.key;
    case 'right':
      output.print(wrap(output.look, `Your attempt ${n} at ${kata.slug} breaks nothing: there is nothing to find.`));
      return null;
    case 'not-gradable':
      throw new CommandError(
        `Your attempt ${n} cannot be judged whole: ${asWritten(found.reason, keptName(kata, n), { file: REFERENCE_MODULE })}\nReview another one, or a round: npx kata review ${kata.slug}`,
        EXIT.notGradable,
      );
  }
}
