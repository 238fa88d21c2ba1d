// The result of a session as data: what `kata interview --json` prints and scorecard.json holds.
import { z } from 'zod';
import type { Rubric } from '../course/schema.ts';
import { LEVELS } from '../course/schema.ts';
import { gradeEvidence, ROLES, type Role } from './events.ts';
import { suggestScore } from './grade-evidence.ts';
import { PHASE_IDS, plannedMs, SCORE_DIMENSIONS, type ScoreDimension } from './guide.ts';
import { judgeLevel, type ScoreByDimension } from './level-rule.ts';
import type { Session } from './session.ts';
import { hasAllScores } from './session-state.ts';
import { katasThatTrain } from './training.ts';

const scoreLine = z.object({
  dimension: z.enum(SCORE_DIMENSIONS),
  title: z.string(),
  /** 1 below, 2 partial, 3 meets, 4 exceeds. */
  score: z.number().int().min(1).max(4),
  evidence: z.string(),
  /** What the grade of the session spoke for; null where it could not say. */
  suggested: z.number().int().nullable(),
});

/** Grows only by addition within a schemaVersion. */
export const scorecard = z.object({
  schemaVersion: z.literal(1),
  id: z.string(),
  kata: z.object({ slug: z.string(), title: z.string(), version: z.number().int() }),
  mode: z.enum(['alone', 'peer']),
  minutes: z.number().int(),
  seed: z.number().int(),
  /** ISO text, UTC. */
  startedAt: z.string(),
  finishedAt: z.string(),
  phases: z.array(
    z.object({
      id: z.enum(PHASE_IDS),
      title: z.string(),
      plannedMs: z.number(),
      spentMs: z.number(),
      skipped: z.boolean(),
    }),
  ),
  asked: z.array(z.object({ id: z.string(), says: z.string(), elapsedMs: z.number() })),
  notAsked: z.array(z.object({ id: z.string(), says: z.string() })),
  curveballs: z.array(z.object({ say: z.string(), elapsedMs: z.number() })),
  grade: gradeEvidence.nullable(),
  /** Whose scores the level rests on: the interviewer's where there are some. */
  judgedBy: z.enum(ROLES),
  scores: z.array(scoreLine),
  /** The candidate's own, where somebody else judged; null otherwise. */
  ownScores: z.array(scoreLine).nullable(),
  /** The nine scores in the order of the dimensions, such as `3 3 2 3 2 3 2 2 3`. */
  pattern: z.string(),
  level: z.enum(['not-yet', ...LEVELS]),
  /** What the next level asks for and the scores do not show. */
  missing: z.array(z.string()),
  /** The weakest dimensions, and what to do about them. */
  workOn: z.array(
    z.object({ dimension: z.enum(SCORE_DIMENSIONS), title: z.string(), says: z.string(), katas: z.array(z.string()) }),
  ),
});

export type Scorecard = z.infer<typeof scorecard>;
export type ScoreLine = z.infer<typeof scoreLine>;

/** What a result is made from: a session that is on, or one read back. */
export type ScoredSession = Pick<Session, 'header' | 'state' | 'guide' | 'events'>;

/** What is worked on next: not more than can be kept in mind. */
const WORK_ON_MAX = 3;

/** Whether the scores a scorecard needs are there: those of the interviewer and the candidate, or one's own alone. */
export function isScored({ header, state }: ScoredSession): boolean {
  return ROLES.every((role) => hasAllScores(state, role) || (role === 'interviewer' && header.mode === 'alone'));
}

/** The scorecard of a session of which at least one role has given all scores; null when none has. */
export function buildScorecard(session: ScoredSession, rubrics: readonly Rubric[]): Scorecard | null {
  const { state, header, guide } = session;
  const judgedBy = (['interviewer', 'candidate'] as const).find((role) => hasAllScores(state, role));
  if (judgedBy === undefined) return null;
  const scores = linesOf(session, judgedBy);
  const isOther = judgedBy === 'interviewer' && hasAllScores(state, 'candidate');
  const { level, missing } = judgeLevel(byDimension(scores));
  return {
    ...header,
    finishedAt: new Date(session.events.at(-1)?.atMs ?? header.startedAt).toISOString(),
    phases: phasesOf(session),
    ...asksOf(session),
    curveballs: state.thrown.map(({ say, elapsedMs }) => ({ say, elapsedMs })),
    grade: state.grade,
    judgedBy,
    scores,
    ownScores: isOther ? linesOf(session, 'candidate') : null,
    pattern: scores.map(({ score }) => score).join(' '),
    level,
    missing: [...missing],
    workOn: workOn(scores).map((id) => {
      const dimension = dimensionOf(guide.dimensions, id);
      return {
        dimension: id,
        title: dimension.title,
        says: dimension.work,
        katas: katasThatTrain(dimension, header.kata.slug, rubrics),
      };
    }),
  };
}

function linesOf({ state, guide }: ScoredSession, role: Role): ScoreLine[] {
  return guide.dimensions.flatMap((dimension): ScoreLine[] => {
    const given = state.scores[role][dimension.id];
    if (given === undefined) return [];
    const suggested = suggestScore(dimension, state.grade)?.score ?? null;
    return [{ dimension: dimension.id, title: dimension.title, ...given, suggested }];
  });
}

function byDimension(lines: readonly ScoreLine[]): ScoreByDimension {
  const scoreOf = (id: ScoreDimension): number => lines.find(({ dimension }) => dimension === id)?.score ?? 1;
  return Object.fromEntries(SCORE_DIMENSIONS.map((id) => [id, scoreOf(id)])) as Record<ScoreDimension, number>;
}

/** The lowest scores below 4; among equals, the hard part of mobile goes first. */
function workOn(lines: readonly ScoreLine[]): ScoreDimension[] {
  const weight = ({ score, dimension }: ScoreLine): number =>
    score - (dimension === 'failure' ? 0.2 : dimension === 'mobile' ? 0.1 : 0);
  return lines
    .filter(({ score }) => score < 4)
    .toSorted((a, b) => weight(a) - weight(b))
    .slice(0, WORK_ON_MAX)
    .map(({ dimension }) => dimension);
}

function phasesOf({ guide, header, state }: ScoredSession): Scorecard['phases'] {
  return guide.phases.map((phase) => ({
    id: phase.id,
    title: phase.title,
    plannedMs: plannedMs(phase, header.minutes),
    spentMs: state.spentMs[phase.id],
    skipped: state.skipped.includes(phase.id),
  }));
}

function asksOf({ guide, state }: ScoredSession): Pick<Scorecard, 'asked' | 'notAsked'> {
  const entries = guide.mustAsk.map(({ id, says }) => ({ id, says, elapsedMs: state.asked[id] }));
  return {
    asked: entries.flatMap(({ elapsedMs, ...ask }) => (elapsedMs === undefined ? [] : [{ ...ask, elapsedMs }])),
    notAsked: entries.flatMap(({ elapsedMs, ...ask }) => (elapsedMs === undefined ? [ask] : [])),
  };
}

function dimensionOf<T extends { readonly id: ScoreDimension }>(dimensions: readonly T[], id: ScoreDimension): T {
  const found = dimensions.find((one) => one.id === id);
  if (found === undefined) throw new Error(`The guide has no dimension ${id}. Put it back into guide.yaml.`);
  return found;
}
