import path from 'node:path';
import type { Kata } from '../../course/catalogue.ts';
import { loadRubric } from '../../course/load-rubric.ts';
import { readReference, solutionFolder } from '../../course/solution-files.ts';
import { type Findings, readFindings } from '../../review/findings.ts';
import { judgeRound } from '../../review/judge.ts';
import type { AnswerKey, RoundResult, Session } from '../../review/round.ts';
import { REVIEW_BAR } from '../../review/score.ts';
import { endRound, keyOf, roundFiles } from '../../review/store.ts';
import { wrap } from '../../terminal/look.ts';
import { beginReview, findOpenReview, isSameRound } from '../begin-review.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { numberLines } from '../number-lines.ts';
import { createProgress } from '../progress.ts';
import { readUserFile } from '../read-user-file.ts';
import { referenceLinesOf } from '../reference-lines.ts';
import { amongOthers, asWritten, renderReview, whatIsWrong } from '../render-review.ts';
import { reviewAtTerminal } from '../review-terminal.ts';

export interface ReviewOptions {
  readonly mistakes?: '1' | '2' | '3';
  readonly seed?: number;
  readonly attempt?: number;
  readonly show?: boolean;
  readonly done?: boolean;
  readonly answers?: string;
  readonly new?: boolean;
  readonly json?: boolean;
}

/** Begins a review round, or goes on with the open one: show, note, mend, score. */
export const run: RunCommand<ReviewOptions> = async (context, [slug = ''], options) => {
  const kata = await context.kata(slug);
  const open = options.new ? null : await findOpenReview(context, slug);
  if (open && !isSameRound(open, options)) throw anotherIsOpen(open);
  if (open === null && (options.show || options.done)) throw noneIsOpen(slug);
  const round = open ?? (await beginReview(context, kata, options));
  if (round === null) return EXIT.ok;
  const key = keyOf(round);
  if (key === null) throw unreadable(round);
  if (options.show) return show(context, key);
  if (options.done || options.answers !== undefined) return finish(context, kata, round, key, options);
  if (options.json) context.output.print(JSON.stringify(describe(round, key), null, 2));
  else if (context.output.isInteractive)
    return reviewAtTerminal(context, kata, round, key, () => finish(context, kata, round, key, {}));
  else explain(context, round, key);
  return EXIT.ok;
};

const anotherIsOpen = ({ id, kata }: Session) =>
  new CommandError(
    `The round ${id} is open. Go on with it: npx kata review ${kata.slug}\nOr leave it as it is and begin another: add --new`,
  );
const noneIsOpen = (slug: string) =>
  new CommandError(`No review of ${slug} is open. Begin one: npx kata review ${slug}`);
const unreadable = ({ id, kata }: Session) =>
  new CommandError(
    `The round ${id} was cut short and cannot be scored. Your files in ${roundFiles(id).folder} are as they were. Begin another: npx kata review ${kata.slug} --new`,
  );

function show({ output }: CommandContext, { given }: AnswerKey): number {
  output.print(numberLines(given));
  return EXIT.ok;
}

const describe = ({ id, kata, source, begunAt }: Session, { file, given, planted }: AnswerKey) => ({
  schemaVersion: 1,
  round: id,
  kata,
  source,
  begunAt,
  /** The file of the reference that the code is made from. */
  madeFrom: source.kind === 'reference' ? `${solutionFolder(kata.slug)}/${file}` : null,
  mistakes: planted.length,
  lines: given.trimEnd().split('\n').length,
  files: { code: roundFiles(id).code, given: roundFiles(id).given, findings: roundFiles(id).findings },
});

/** What to do, for somebody without a terminal, or with an editor of their own. */
function explain({ output }: CommandContext, round: Session, key: AnswerKey): void {
  const { print, look } = output;
  const { id, kata } = round;
  const files = roundFiles(id);
  print(wrap(look, output.paint('bold', `${id}: ${whatIsWrong(round, key)}`)));
  print();
  for (const step of [
    `Read ${files.given}.${round.source.kind === 'reference' ? ' Comments are left out: they would tell too much.' : ''}${amongOthers(round, key)}`,
    `Note what is wrong in ${files.findings}: the lines, the promise that breaks, what it does to a user.`,
    `Mend ${files.code}.`,
    `See how you did: npx kata review ${kata.slug} --done`,
  ])
    print(wrap(look, `· ${step}`, { hang: 2 }));
  print(`\n${wrap(look, 'With line numbers:')}\n  npx kata review ${kata.slug} --show`);
}

async function finish(
  context: CommandContext,
  kata: Kata,
  round: Session,
  key: AnswerKey,
  { answers, json }: Pick<ReviewOptions, 'answers' | 'json'>,
): Promise<number> {
  const { criteria } = await loadRubric(context.root, kata.slug);
  const files = roundFiles(round.id);
  const file = answers ?? path.join(context.root, files.findings);
  const lineCount = key.given.trimEnd().split('\n').length;
  const parse = (text: string, name: string) => readFindings(text, name, criteria, lineCount);
  const given = await readUserFile(file, parse, answers ?? files.findings);
  const code = await codeOf(context, round, given, answers);
  if (kata.suiteHash !== round.kata.suiteHash)
    context.output.warn(`${kata.slug} has changed since this round began; it is scored by the kata as it is now.`);
  const progress = createProgress();
  const at = new Date(context.nowMs()).toISOString();
  const submission = { round, key, findings: given.findings, code };
  const verdict = await judgeRound(context.root, submission, criteria, at, progress.say).finally(progress.done);
  if (verdict.kind !== 'scored')
    throw new CommandError(
      `Your fix cannot be judged: ${asWritten(verdict.reason, files.code, key)}\nMend ${files.code} and score again: npx kata review ${kata.slug} --done`,
      verdict.kind === 'incomplete' ? EXIT.incomplete : EXIT.notGradable,
    );
  await keep(context, round, verdict.result);
  if (json) context.output.print(JSON.stringify(verdict.result, null, 2));
  else await showResult(context, kata, verdict.result);
  return verdict.result.score >= REVIEW_BAR ? EXIT.ok : EXIT.belowBar;
}

/** The mended code: a file that was named, edits of the round's code, or that code as it stands. */
async function codeOf(
  { root }: CommandContext,
  round: Session,
  { code, edits = [] }: Findings,
  answers: string | undefined,
): Promise<string> {
  const own = path.join(root, roundFiles(round.id).code);
  const named = code === undefined ? own : path.resolve(path.dirname(answers ?? own), code);
  const text = await readUserFile(named, (read) => read, code ?? roundFiles(round.id).code);
  return edits.reduce((all, { find, replace }, at) => {
    const count = all.split(find).length - 1;
    if (count === 1) return all.replace(find, () => replace);
    throw new CommandError(
      `edits[${at}].find must stand once in the code, but stands there ${count} times. Make it longer.`,
    );
  }, text);
}

async function keep(context: CommandContext, round: Session, result: RoundResult): Promise<void> {
  await endRound(context.root, round, result);
  const count = (is: (mistake: RoundResult['mistakes'][number]) => boolean) => result.mistakes.filter(is).length;
  (await context.history()).addReview({
    round: result.round,
    kata: result.kata.slug,
    at: result.at,
    score: result.score,
    mistakes: result.mistakes.length,
    found: count(({ isPlaceFound }) => isPlaceFound),
    fixed: count(({ isFixed }) => isFixed),
    falseAlarms: result.falseAlarms.length,
    result: JSON.stringify(result),
  });
}

async function showResult({ root, output }: CommandContext, kata: Kata, result: RoundResult): Promise<void> {
  const reference = await readReference(root, kata.slug).catch(() => ({}));
  output.print(renderReview(output.look, result, (mistake) => referenceLinesOf(kata.slug, reference, mistake)));
  output.print(`\n${wrap(output.look, `Another round: npx kata review ${kata.slug}`)}`);
}
