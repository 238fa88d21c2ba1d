// The end of a session: what was scored becomes its result, kept as Markdown and JSON.
import type { Rubric } from '../course/schema.ts';
import { besideMarkdown } from './beside-markdown.ts';
import { buildScorecard, isScored, type Scorecard } from './scorecard.ts';
import { scorecardMarkdown } from './scorecard-markdown.ts';
import type { Session } from './session.ts';
import { SESSION_FILES } from './session-folder.ts';

export interface Finished {
  /** Null while the other one has not scored. */
  readonly card: Scorecard | null;
  /** The notes beside the model answers, as Markdown. */
  readonly beside: string;
}

/** Keeps the result of a session whose scores by this role are given. From here on they stand. @throws CannotKeepFile */
export async function finishSession(session: Session, rubrics: readonly Rubric[]): Promise<Finished> {
  session.record({ kind: 'revealed' });
  const beside = besideOf(session);
  await session.keep(SESSION_FILES.beside, beside);
  const card = isScored(session) ? buildScorecard(session, rubrics) : null;
  if (card === null) return { card, beside };
  await session.keep(SESSION_FILES.scorecardText, scorecardMarkdown(card));
  await session.keep(SESSION_FILES.scorecard, `${JSON.stringify(card, null, 2)}\n`);
  return { card, beside };
}

/** The candidate's notes beside the model answers. */
export function besideOf(session: Session): string {
  const { guide, script, header, state } = session;
  return besideMarkdown({ guide, script, header, state, notes: session.notes('candidate') });
}
