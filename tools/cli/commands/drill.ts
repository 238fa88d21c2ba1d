import { existsSync } from 'node:fs';
import { loadRubric } from '../../course/load-rubric.ts';
import { nearestSlug } from '../../course/slug.ts';
import { type DrillAnswers, readDrillAnswers } from '../../drill/answers-file.ts';
import { type Choice, choose } from '../../drill/choose.ts';
import { type Question, questionsOf } from '../../drill/questions.ts';
import { DrillSession } from '../../drill/session.ts';
import { wrap } from '../../terminal/look.ts';
import { CommandError } from '../command-error.ts';
import { type CommandContext, type RunCommand, sayKatas } from '../context.ts';
import { drillAtTerminal } from '../drill-terminal.ts';
import { EXIT } from '../exit-code.ts';
import { readUserFile } from '../read-user-file.ts';
import { counted, dueWords } from '../words.ts';

interface Options {
  readonly all?: boolean;
  readonly limit?: number;
  readonly answers?: string;
  readonly json?: boolean;
}

/** More in one sitting is learned worse than tomorrow. */
const LIMIT = 10;

/** Asks what is due, then what is new; each question's answer is shown once the person has tried. */
export const run: RunCommand<Options> = async (
  context,
  [slug],
  { all = false, limit = LIMIT, answers, json = false },
) => {
  const given = answers === undefined ? null : await readUserFile(answers, readDrillAnswers);
  // Listing questions is no reason to begin a history.
  const history = await context.history({ readOnly: given === null && (json || !context.output.isInteractive) });
  const katas = await chooseKatas(context, slug, all);
  const questions = (await Promise.all(katas.map((one) => loadRubric(context.root, one)))).flatMap(questionsOf);
  const choice = choose(questions, history.drillCards(), context.nowMs(), limit);
  const planned = given === null ? choice.questions : plan(given, questions, choice);
  const session = new DrillSession(history, planned, context.nowMs);
  let exitCode: number = EXIT.ok;
  if (given !== null) answerAll(session, given);
  else if (context.output.isInteractive && !json) exitCode = await drillAtTerminal(context, session);
  const after = choose(questions, history.drillCards(), context.nowMs(), limit);
  if (json) context.output.print(JSON.stringify(asData(context, session, after), null, 2));
  else if (given === null && !context.output.isInteractive) listQuestions(context, after, slug);
  else summarise(context, session, after);
  return exitCode;
};

/** Katas that were begun, or graded, unless another choice was made. */
async function chooseKatas(context: CommandContext, slug: string | undefined, all: boolean): Promise<string[]> {
  if (slug !== undefined) return [(await context.kata(slug)).slug];
  const { katas } = await context.catalogue();
  const history = await context.history();
  const begun = katas.filter((kata) => all || isBegun(kata.paths.attempt) || history.grades(kata.slug).length > 0);
  if (begun.length > 0) return begun.map((kata) => kata.slug);
  throw new CommandError(
    katas.length === 0
      ? sayKatas([])
      : 'You have not begun a kata yet, so there is nothing to remember. Begin one: npx kata start <slug>\nOr drill all the same: npx kata drill --all',
  );
}

const isBegun = (attempt: string): boolean => existsSync(attempt);

/** The questions that a scripted session answers, in its order. */
function plan(given: DrillAnswers, questions: readonly Question[], choice: Choice): Question[] {
  const named = new Set(given.map(({ question }) => question));
  const unnamed = choice.questions.filter(({ card }) => !named.has(card));
  return given.map(({ question: wanted }, at) => {
    const found = wanted === undefined ? unnamed.shift() : questions.find(({ card }) => card === wanted);
    if (found) return found;
    if (wanted === undefined)
      throw new CommandError(`answers[${at}] names no question, and this session has no more. Take it out.`);
    const near = nearestSlug(
      wanted,
      questions.map(({ card }) => card),
    );
    throw new CommandError(
      `answers[${at}]: there is no question ${wanted}. ${near === undefined ? 'See them all: npx kata drill --all --limit 1000 --json' : `Did you mean ${near}?`}`,
    );
  });
}

function answerAll(session: DrillSession, given: DrillAnswers): void {
  for (const { answer, rating } of given) {
    const question = session.next;
    if (question) session.rate(answer, session.keepAnswer(question, answer), rating);
  }
}

/** The session as data. `questions` are those the next one would ask. */
function asData(context: CommandContext, { asked }: DrillSession, choice: Choice) {
  return {
    schemaVersion: 1,
    at: new Date(context.nowMs()).toISOString(),
    asked: asked.map(({ question, answer, rating, due }) => ({
      question: question.card,
      kata: question.kata,
      ask: question.ask,
      answer,
      solution: question.answer,
      spec: question.spec,
      rating,
      due,
    })),
    questions: choice.questions.map(({ card, kata, from, ask, spec }) => ({ question: card, kata, from, ask, spec })),
    due: choice.due,
    new: choice.fresh,
    nextDue: choice.nextDue,
  };
}

function listQuestions({ output, nowMs }: CommandContext, choice: Choice, slug: string | undefined): void {
  const { print, look, paint } = output;
  print(wrap(look, `${counted(choice.due, 'question')} due, ${choice.fresh} new.`));
  for (const { card, ask } of choice.questions) {
    print(`\n${wrap(look, paint('bold', card))}`);
    print(wrap(look, ask, { indent: 2 }));
  }
  if (choice.questions.length === 0) print(wrap(look, dueWords(choice.nextDue, nowMs())));
  const command = ['npx kata drill', slug, '--answers answers.yaml'].filter(Boolean).join(' ');
  print(
    `\n${wrap(look, 'At a terminal they are asked one by one. In a script, give a file with answers: a list of question, answer and rating (again, hard, good or easy):')}`,
  );
  print(`  ${command}`);
}

function summarise({ output, nowMs }: CommandContext, { asked }: DrillSession, choice: Choice): void {
  const { print, look } = output;
  const again = asked.filter(({ rating }) => rating === 'again').length;
  const missed = again === 0 ? '' : `, ${again} not known yet`;
  if (asked.length > 0) print(wrap(look, `${counted(asked.length, 'answer')}${missed}.`));
  if (choice.due > 0) print(wrap(look, `${counted(choice.due, 'question')} still due: npx kata drill`));
  else print(wrap(look, dueWords(choice.nextDue, nowMs())));
  if (choice.fresh > 0) print(wrap(look, `${choice.fresh} not met yet.`));
}
