// A drill session with a person at the terminal.
import type { Question } from '../drill/questions.ts';
import type { DrillSession } from '../drill/session.ts';
import type { DrillRating } from '../history/practice.ts';
import { wrap } from '../terminal/look.ts';
import { askLine } from './ask-line.ts';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit-code.ts';
import { listenToKeys } from './keys.ts';
import { inWords } from './words.ts';

/** By name, by first letter, and by number as in other card boxes. */
const RATING_KEYS: Readonly<Record<string, DrillRating>> = {
  a: 'again',
  h: 'hard',
  g: 'good',
  e: 'easy',
  1: 'again',
  2: 'hard',
  3: 'good',
  4: 'easy',
};

/** Asks until the session is over or the person leaves. Gives the exit code. */
export async function drillAtTerminal(context: CommandContext, session: DrillSession): Promise<number> {
  const { print, look } = context.output;
  if (session.next) print(wrap(look, 'Answer first; then the answer is shown. Esc or Ctrl-C leaves, and keeps all.'));
  for (let question = session.next; question; question = session.next) {
    showQuestion(context, session, question);
    const { text, isLeft, isInterrupted } = await askLine('Your answer');
    const kept = text === '' && isLeft ? null : session.keepAnswer(question, text);
    if (isLeft) return isInterrupted ? EXIT.interrupted : EXIT.ok;
    showAnswer(context, question);
    const rating = await askRating(context);
    if (rating === null) return EXIT.ok;
    const { due } = session.rate(text, kept, rating);
    print(wrap(look, `${rating}: ${comesBack(rating, Date.parse(due) - context.nowMs())}.`));
  }
  print();
  return EXIT.ok;
}

const comesBack = (rating: DrillRating, inMs: number): string =>
  rating === 'again' ? 'it comes again at the end of this session' : `it comes again ${inWords(inMs)}`;

function showQuestion({ output }: CommandContext, session: DrillSession, question: Question): void {
  const { print, look, paint } = output;
  print(`\n${paint('dim', wrap(look, `${question.kata}, ${session.left} to go`))}`);
  print(paint('bold', wrap(look, question.ask)));
  const before = session.unrated(question);
  if (before !== null) print(wrap(look, `You began to answer it: ${before}`));
}

function showAnswer({ output }: CommandContext, { answer, spec, kata }: Question): void {
  const { print, look } = output;
  print();
  for (const paragraph of answer) print(`${wrap(look, paragraph, { indent: 2 })}`);
  if (spec.length > 0) print(wrap(look, `From ${spec.join(', ')}: npx kata spec ${kata}`, { indent: 2 }));
}

/** One key; others are not heard. Null when the person leaves. */
async function askRating({ output }: CommandContext): Promise<DrillRating | null> {
  output.print(`\n${wrap(output.look, 'How was it? [a]gain  [h]ard  [g]ood  [e]asy   [q]uit')}`);
  return new Promise((resolve) => {
    const keys = listenToKeys((key) => {
      const rating = RATING_KEYS[key];
      if (rating === undefined && key !== 'q' && key !== 'escape') return;
      keys.close();
      resolve(rating ?? null);
    });
  });
}
