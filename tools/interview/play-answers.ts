// Plays a scripted session: the clock moves from step to step, and what is due on the way comes.
import type { Answers, Step } from './answers.ts';
import type { SetClock } from './clock.ts';
import { suggestScore } from './grade-evidence.ts';
import { InterviewProblem } from './interview-problem.ts';
import type { Session } from './session.ts';

/** Curveballs come on the second. */
const TICK_MS = 1000;

/**
 * Plays a script on a session whose clock is `clock`. `leaveDeepDive` grades what was coded.
 * @throws InterviewProblem when the script does what makes no sense
 */
export async function playAnswers(
  session: Session,
  clock: SetClock,
  answers: Answers,
  leaveDeepDive: () => Promise<void>,
): Promise<void> {
  const startMs = clock.nowMs();
  session.record({ kind: session.state.status === 'paused' ? 'resumed' : 'started' });
  for (const [at, step] of answers.steps.entries()) {
    passUntil(session, clock, startMs + Math.round(step.at * 60_000));
    await take(session, step, at, leaveDeepDive);
  }
  if (answers.scores !== undefined) giveScores(session, answers.scores);
}

function passUntil(session: Session, clock: SetClock, untilMs: number): void {
  while (clock.nowMs() < untilMs) {
    clock.moveTo(Math.min(untilMs, clock.nowMs() + TICK_MS));
    session.throwDue();
  }
}

async function take(session: Session, step: Step, at: number, leaveDeepDive: () => Promise<void>): Promise<void> {
  const must = (happens: () => void, what: string) => {
    const before = session.events.length;
    happens();
    if (session.events.length === before) throw new InterviewProblem(sayNoSense(session, at, what));
  };
  if (step.resume) must(() => session.record({ kind: 'resumed' }), 'resume');
  if (step.note !== undefined) await session.note(step.note);
  for (const ask of [step.ask ?? []].flat()) session.record({ kind: 'asked', ask });
  if (step.code) must(() => session.record({ kind: 'coding-began' }), 'code');
  if (step.throw) must(() => throwByHand(session), 'throw');
  if (step.back) must(() => session.record({ kind: 'went-back', from: session.state.phase }), 'back');
  if (step.next || step.skip) {
    await leaveDeepDive();
    must(
      () => session.record({ kind: 'advanced', from: session.state.phase, how: step.skip ? 'skip' : 'next' }),
      'next',
    );
  }
  if (step.pause) must(() => session.record({ kind: 'paused', why: 'asked' }), 'pause');
}

function throwByHand(session: Session): void {
  const n = session.state.thrown.length;
  const say = session.curveballs.pool[n]?.say;
  if (say !== undefined) session.record({ kind: 'curveball', n, say });
}

function giveScores(session: Session, scores: NonNullable<Answers['scores']>): void {
  if (session.state.status !== 'scoring')
    throw new InterviewProblem(
      'The script has scores, but its steps do not lead to the end of the last phase. Add a `next` for each phase, or take the scores out.',
    );
  for (const dimension of session.guide.dimensions) {
    const suggestion = suggestScore(dimension, session.state.grade);
    const { score = suggestion?.score, evidence = suggestion?.evidence } = scores[dimension.id] ?? {};
    if (score === undefined || evidence === undefined)
      throw new InterviewProblem(
        `scores.${dimension.id}: must have a score from 1 to 4 and its evidence, as no grade suggests one. What was scored before it is kept.`,
      );
    session.record({ kind: 'scored', dimension: dimension.id, score, evidence });
  }
  session.record({ kind: 'revealed' });
}

function sayNoSense({ state }: Session, at: number, what: string): string {
  return `steps[${at}].${what}: makes no sense here: the session is ${state.status}, in the phase ${state.phase}. What happened before it is kept.`;
}
