// The shapes of what authors write in YAML: a spec's front matter, a rubric, the bands.
import { z } from 'zod';

export const LEVELS = ['mid', 'senior', 'staff'] as const;
export const DIMENSIONS = [
  'correctness',
  'resilience',
  'consistency',
  'efficiency',
  'security',
  'code quality',
] as const;
export const CHECKS = ['type-check', 'no-type-escape', 'no-leftovers'] as const;

const slug = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower-case words joined by hyphens, such as offline-queue');
const id = slug;
const sentence = z.string().min(1, 'must not be empty');
const specRef = z.string().regex(/^[RE][1-9][0-9]?$/, 'must name a rule or an edge case, such as R3 or E2');

export const specFrontMatter = z.strictObject({
  title: sentence,
  tier: z.enum(['pattern', 'feature']),
  /** For mid and senior rules together. */
  minutes: z.number().int().min(15).max(120),
  level: sentence,
  buildsOn: z.array(slug),
  patterns: z.array(slug),
  /** Level of each rule and edge case: `R1: mid`. */
  rules: z.record(specRef, z.enum(LEVELS)),
});

export const criterion = z.strictObject({
  id,
  title: sentence,
  dimension: z.enum(DIMENSIONS),
  level: z.enum(LEVELS),
  points: z.number().int().min(1).max(40),
  /** Rules and edge cases it judges. */
  spec: z.array(specRef).min(1),
  /** Tests carry the criterion's id as a tag and need no entry. */
  invariants: z.array(id).default([]),
  budgets: z.array(id).default([]),
  checks: z.array(z.enum(CHECKS)).default([]),
  /** From nudge to near-answer. */
  hints: z.tuple([sentence, sentence, sentence]),
});

/** Kinds of problem that share curveballs: see tools/interview/guide.yaml. */
export const FAMILIES = ['queue', 'paging', 'tokens', 'chat', 'alerts', 'search', 'uploads'] as const;

/** Answers may be left out of a draft; `checkInterview` asks for them. */
const followUp = z.strictObject({
  ask: sentence,
  mid: sentence,
  senior: sentence,
  staff: sentence,
  /** What a strong candidate says, in full: to learn from, shown after the session. */
  answer: sentence.optional(),
});

const curveball = z.preprocess(
  (written) => (typeof written === 'string' ? { say: written } : written),
  z.strictObject({ say: sentence, answer: sentence.optional() }),
);

export const interview = z.strictObject({
  family: z.enum(FAMILIES).optional(),
  opening: sentence,
  /** What a candidate may ask at the beginning, and what the interviewer may then give away. */
  clarifications: z.array(z.strictObject({ ask: sentence, answer: sentence })).default([]),
  followUps: z.array(followUp).min(1),
  curveballs: z.array(curveball).default([]),
  redFlags: z.array(sentence).default([]),
  signals: z.strictObject({ mid: sentence, senior: sentence, staff: sentence }),
  /** A model answer to each phase that has one. */
  model: z
    .strictObject({ requirements: sentence, highLevel: sentence, deepDive: sentence, tradeOffs: sentence })
    .optional(),
});

/** A short question of `kata drill`, with the whole answer. */
export const drillQuestion = z.strictObject({
  /** Stays the same when the wording is improved: what a learner remembers is kept under it. */
  id,
  ask: sentence,
  answer: sentence,
  /** Rules and edge cases the answer comes from. */
  spec: z.array(specRef).min(1),
});

export const rubric = z.strictObject({
  kata: slug,
  /** Raised when an attempt that passed might no longer pass. */
  version: z.number().int().min(1),
  /** Points needed. */
  bar: z.number().int().min(1).max(100),
  /** How many share the schedules of a grade (default 1): 2 where a schedule takes three milliseconds or more. */
  processes: z.union([z.literal(1), z.literal(2)]).optional(),
  criteria: z.array(criterion).min(1),
  interview,
  /** A kata without them is drilled on its interview alone. */
  drill: z.array(drillQuestion).optional(),
});

export const bands = z.strictObject({
  /** Share of a level's points that counts as having it. */
  share: z.number().min(0).max(1),
  bands: z.array(z.strictObject({ id: z.enum(['not-yet', ...LEVELS]), title: sentence, says: sentence })).length(4),
});

export type Level = (typeof LEVELS)[number];
export type Dimension = (typeof DIMENSIONS)[number];
export type Check = (typeof CHECKS)[number];
export type SpecFrontMatter = z.infer<typeof specFrontMatter>;
export type Criterion = z.infer<typeof criterion>;
export type Rubric = z.infer<typeof rubric>;
export type DrillQuestion = z.infer<typeof drillQuestion>;
export type Interview = z.infer<typeof interview>;
export type Family = (typeof FAMILIES)[number];
export type Bands = z.infer<typeof bands>;
