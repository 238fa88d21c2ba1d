// The questions of a kata's drill: its own list first, then what its interview asks and answers.
import type { Rubric } from '../course/schema.ts';
import { hashText } from '../course/seal.ts';

export interface Question {
  /** `<kata>/<question>`: what a learner remembers is kept under it. */
  readonly card: string;
  readonly kata: string;
  readonly from: 'rules' | 'follow-up' | 'curveball';
  readonly ask: string;
  /** The whole answer, in paragraphs. */
  readonly answer: readonly string[];
  /** Rules and edge cases it comes from. Empty for what only an interview asks. */
  readonly spec: readonly string[];
}

/** The questions of a rubric, in the order in which they are best met. */
export function questionsOf({ kata, drill = [], interview }: Rubric): Question[] {
  const own = drill.map(({ id, ask, answer, spec }) => ({ id, from: 'rules' as const, ask, answer: [answer], spec }));
  const followUps = interview.followUps.map(({ ask, mid, senior, staff, answer }) => ({
    id: idOf('follow-up', ask),
    from: 'follow-up' as const,
    ask,
    answer: [...(answer === undefined ? [] : [answer]), `Mid: ${mid}`, `Senior: ${senior}`, `Staff: ${staff}`],
    spec: [],
  }));
  // A curveball without an answer is for a person to judge: it cannot be drilled.
  const curveballs = interview.curveballs.flatMap(({ say, answer }) =>
    answer === undefined
      ? []
      : [{ id: idOf('curveball', say), from: 'curveball' as const, ask: say, answer: [answer], spec: [] }],
  );
  return [...own, ...followUps, ...curveballs].map(({ id, ...question }) => ({
    card: `${kata}/${id}`,
    kata,
    ...question,
  }));
}

/** What an interview asks has no name of its own: reworded, it is another question. */
const idOf = (kind: string, ask: string): string => `${kind}-${hashText(ask).slice(0, 8)}`;
