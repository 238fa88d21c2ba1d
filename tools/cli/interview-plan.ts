// What an interview is to be about: the one that is open, or a new one.
import type { Kata } from '../course/catalogue.ts';
import type { Answers } from '../interview/answers.ts';
import { chooseInterview } from '../interview/choose-kata.ts';
import { systemClock } from '../interview/clock.ts';
import type { Role } from '../interview/events.ts';
import { InterviewProblem } from '../interview/interview-problem.ts';
import { openSessions, type PastSession, pastSessions } from '../interview/past-sessions.ts';
import { readHeader } from '../interview/session-folder.ts';
import { CommandError } from './command-error.ts';
import type { CommandContext } from './context.ts';

export interface InterviewOptions {
  readonly minutes?: '45' | '60';
  readonly seed?: number;
  readonly as?: 'alone' | Role;
  readonly resume?: string | true;
  readonly answers?: string;
  readonly json?: boolean;
  readonly history?: boolean;
  readonly result?: string | true;
  readonly drop?: string | true;
}

/** What is to be sat: a session there is, or one that begins. */
export interface Plan {
  readonly kata: Kata;
  readonly role: Role;
  readonly id: string | null;
  readonly answers: Answers | null;
}

/** The session or the kata that is meant. @throws InterviewProblem when another one is open, or none is that should be */
export async function planInterview(
  context: CommandContext,
  slug: string | undefined,
  options: InterviewOptions,
  answers: Answers | null,
  seed: number,
): Promise<Plan> {
  const as = options.as ?? answers?.as;
  const open = openSessions(context.root);
  const found = findOpen(context.root, open, slug, options.resume, as);
  if (found !== null) {
    const role = as === undefined || as === 'alone' ? 'candidate' : as;
    if (found.mode === 'alone' && role === 'interviewer')
      throw new InterviewProblem(
        `The interview ${found.id} is sat alone. End it, then begin one for two: npx kata interview ${found.kata.slug} --as interviewer`,
      );
    return { kata: await context.kata(found.kata.slug), role, id: found.id, answers };
  }
  refuseSecond(open);
  const kata = slug === undefined ? await chooseKata(context, seed) : await context.kata(slug);
  return { kata, role: as === 'interviewer' ? as : 'candidate', id: null, answers };
}

/** The session to go on with; null when one is to begin. */
function findOpen(
  root: string,
  open: readonly PastSession[],
  slug: string | undefined,
  resume: string | true | undefined,
  as: 'alone' | Role | undefined,
): PastSession['header'] | null {
  if (typeof resume === 'string') return refuseEnded(root, resume, open);
  const fitting = open.filter(({ header }) => slug === undefined || header.kata.slug === slug);
  if (resume === true) {
    const last = fitting.at(-1);
    if (last) return last.header;
    const other = open.at(-1)?.header.kata.slug;
    throw new InterviewProblem(
      other === undefined
        ? 'No interview is open. Begin one: npx kata interview'
        : `No interview on ${slug} is open, but one on ${other} is. Go on with it: npx kata interview --resume`,
    );
  }
  if (as === undefined || as === 'alone') return null;
  return fitting.findLast(({ header }) => header.mode === 'peer')?.header ?? null;
}

function refuseEnded(root: string, id: string, open: readonly PastSession[]): PastSession['header'] {
  const header = readHeader(root, id);
  if (open.some((one) => one.header.id === id)) return header;
  throw new InterviewProblem(`The interview ${id} is over. See what came of it: npx kata interview --result ${id}`);
}

function refuseSecond(open: readonly PastSession[]): void {
  const last = open.at(-1);
  if (last === undefined) return;
  const { header, state } = last;
  const where =
    { waiting: 'not begun', scoring: 'to be scored' }[String(state.status)] ?? `in the phase ${state.phase}`;
  throw new InterviewProblem(
    `An interview is open: ${header.kata.slug}, ${where} (${header.id}). Go on with it: npx kata interview --resume. Or give it up, its notes are kept: npx kata interview --drop`,
  );
}

async function chooseKata(context: CommandContext, seed: number): Promise<Kata> {
  const { katas } = await context.catalogue();
  const results = pastSessions(context.root).flatMap(({ scorecard }) => scorecard ?? []);
  const chosen = chooseInterview(
    katas.map(({ slug }) => slug),
    results,
    seed,
    systemClock.nowMs(),
  );
  if (chosen === undefined) throw new CommandError('This course has no katas yet. Make one with: npx kata new <slug>');
  return context.kata(chosen.slug);
}
