// What can happen in a mock interview: the lines of a session's journal.
import { z } from 'zod';
import { DIMENSIONS, LEVELS } from '../course/schema.ts';
import { PHASE_IDS, SCORE_DIMENSIONS } from './guide.ts';

export const ROLES = ['candidate', 'interviewer'] as const;
/** Alone, one is the candidate, and judges oneself. */
export type Role = (typeof ROLES)[number];

/** What of a grade is evidence for a scorecard; the whole report lies beside the session as grade.json. */
export const gradeEvidence = z.object({
  score: z.number(),
  bar: z.number(),
  band: z.enum(['not-yet', ...LEVELS]),
  status: z.enum(['passed', 'below-bar', 'not-gradable', 'incomplete']),
  criteria: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      dimension: z.enum(DIMENSIONS),
      level: z.enum(LEVELS),
      points: z.number(),
      earned: z.number(),
    }),
  ),
  brokenInvariants: z.array(z.string()),
});
export type GradeEvidence = z.infer<typeof gradeEvidence>;

const phase = z.enum(PHASE_IDS);

const happening = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('started') }),
  /** A question of the must-ask list was asked, or its tick was taken back. */
  z.object({ kind: z.literal('asked'), ask: z.string() }),
  z.object({ kind: z.literal('unasked'), ask: z.string() }),
  z.object({ kind: z.literal('noted'), text: z.string() }),
  /** `from` makes it safe that two people press the key at once: the second finds the phase gone. */
  z.object({ kind: z.literal('advanced'), from: phase, how: z.enum(['next', 'skip']) }),
  z.object({ kind: z.literal('went-back'), from: phase }),
  /** `sinceMs`: when the session was last seen alive, if it ended without a word. */
  z.object({
    kind: z.literal('paused'),
    why: z.enum(['asked', 'left', 'killed', 'grading']),
    sinceMs: z.number().optional(),
  }),
  z.object({ kind: z.literal('resumed') }),
  /** `n`: which of the session's curveballs, from 0. */
  z.object({ kind: z.literal('curveball'), n: z.number().int(), say: z.string() }),
  z.object({ kind: z.literal('coding-began') }),
  z.object({ kind: z.literal('coding-ended') }),
  z.object({ kind: z.literal('graded'), grade: gradeEvidence }),
  z.object({
    kind: z.literal('scored'),
    dimension: z.enum(SCORE_DIMENSIONS),
    score: z.number().int().min(1).max(4),
    evidence: z.string().min(1),
  }),
  /** A score is taken back, to be given again. */
  z.object({ kind: z.literal('unscored'), dimension: z.enum(SCORE_DIMENSIONS) }),
  /** The model answers were shown: scores stand from here on. */
  z.object({ kind: z.literal('revealed') }),
  z.object({ kind: z.literal('dropped') }),
]);

const stamp = z.object({
  /** Milliseconds since 1970. */
  atMs: z.number(),
  by: z.enum(ROLES),
});

/** One line of the journal. */
export const sessionEvent = z.intersection(stamp, happening);
export type Happening = z.infer<typeof happening>;
export type SessionEvent = z.infer<typeof sessionEvent>;
