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

const followUp = z.strictObject({ ask: sentence, mid: sentence, senior: sentence, staff: sentence });

export const interview = z.strictObject({
  opening: sentence,
  followUps: z.array(followUp).min(1),
  curveballs: z.array(sentence).default([]),
  redFlags: z.array(sentence).default([]),
  signals: z.strictObject({ mid: sentence, senior: sentence, staff: sentence }),
});

export const rubric = z.strictObject({
  kata: slug,
  /** Raised when an attempt that passed might no longer pass. */
  version: z.number().int().min(1),
  /** Points needed. */
  bar: z.number().int().min(1).max(100),
  criteria: z.array(criterion).min(1),
  interview,
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
export type Bands = z.infer<typeof bands>;
