// The grade as data: what `kata grade --json` prints, and what every other form of the report is made from.
import { z } from 'zod';
import { CHECKS, DIMENSIONS, LEVELS } from '../course/schema.ts';

const json: z.ZodType = z.lazy(() =>
  z.union([z.null(), z.boolean(), z.number(), z.string(), z.array(json), z.record(z.string(), json)]),
);

export const planSchema = z.object({
  schemaVersion: z.literal(1),
  kata: z.string(),
  world: z.number().int(),
  steps: z.array(
    z.union([z.null(), z.object({ do: z.string(), phone: z.number().int(), args: z.record(z.string(), json) })]),
  ),
  faults: z.array(z.object({ target: z.string(), nth: z.number().int(), phone: z.number().int(), kind: z.string() })),
});

export const evidenceStatus = z.enum(['pass', 'fail', 'error', 'timeout', 'skipped', 'blocked', 'not-run']);

export const evidence = z.object({
  kind: z.enum(['test', 'invariant', 'budget', 'check']),
  id: z.string(),
  status: evidenceStatus,
  /** One sentence for a person: what was seen. Empty on a pass. */
  detail: z.string(),
});

export const criterionResult = z.object({
  id: z.string(),
  title: z.string(),
  dimension: z.enum(DIMENSIONS),
  level: z.enum(LEVELS),
  points: z.number(),
  /** Rounded to a tenth. */
  earned: z.number(),
  evidence: z.array(evidence),
});

export const testResult = z.object({
  name: z.string(),
  status: evidenceStatus,
  criterion: z.string().nullable(),
  spec: z.array(z.string()),
  durationMs: z.number(),
  /** The whole failure text; null on a pass. */
  message: z.string().nullable(),
  blockedBy: z.string().nullable(),
});

/** A failing schedule told, ready to draw: see grader/render/. */
export const story = z.object({
  /** Sentence that names the invariant and what was seen. */
  headline: z.string(),
  /** The schedule in words, in order. */
  steps: z.array(z.string()),
  /** The events that matter, cropped; `violation` marks where it broke. */
  events: z.array(
    z.object({
      atMs: z.number(),
      phone: z.number().int(),
      lane: z.enum(['app', 'storage', 'network', 'server']),
      /** For a message: the lane it goes to. */
      to: z.enum(['app', 'storage', 'network', 'server']).nullable(),
      /** When a message arrives; null when it never does. */
      arrivesAtMs: z.number().nullable(),
      text: z.string(),
      mark: z.enum(['none', 'lost', 'kill', 'launch', 'offline', 'online', 'fault', 'violation']),
    }),
  ),
  /** The same schedule on the reference: what it did at the first place where they part. Null when not compared. */
  reference: z.object({ attempt: z.string(), reference: z.string(), atMs: z.number() }).nullable(),
});

export const violation = z.object({
  invariant: z.string(),
  /** Schedules that broke it. */
  count: z.number().int(),
  seed: z.number().int(),
  /** Which schedule of the grade it was first seen in, such as `sweep:17` or `generated:212`. */
  path: z.string(),
  /** Short name for `kata replay`. */
  replayId: z.string(),
  schedule: planSchema,
  story,
});

export const report = z.object({
  schemaVersion: z.literal(1),
  kata: z.object({ slug: z.string(), title: z.string(), version: z.number().int(), suiteHash: z.string() }),
  target: z.enum(['attempt', 'reference']),
  status: z.enum(['passed', 'below-bar', 'not-gradable', 'incomplete']),
  /** Why it is not gradable or incomplete, and what to do; null otherwise. */
  reason: z.string().nullable(),
  score: z.number(),
  bar: z.number(),
  band: z.enum(['not-yet', ...LEVELS]),
  criteria: z.array(criterionResult),
  /** Points lost most worth winning back: the criterion, its evidence and its first hint. Null when nothing was seen to fail. */
  fixFirst: z.object({ criterion: z.string(), because: z.string(), hint: z.string() }).nullable(),
  tests: z.array(testResult),
  simulation: z.object({
    schedules: z.number().int(),
    seed: z.number().int(),
    /** Schedules that broke at least one invariant. */
    failing: z.number().int(),
    /** Schedules even the reference cannot satisfy. */
    setAside: z.number().int(),
    wallMs: z.number(),
    virtualMs: z.number(),
    violations: z.array(violation),
  }),
  budgets: z.array(z.object({ id: z.string(), attempt: z.number(), reference: z.number(), allowance: z.number() })),
  checks: z.array(z.object({ id: z.enum(CHECKS), status: evidenceStatus, detail: z.string() })),
  environment: z.object({ node: z.string(), vitest: z.string(), platform: z.string() }),
  durationMs: z.number(),
});

export type EvidenceStatus = z.infer<typeof evidenceStatus>;
export type Evidence = z.infer<typeof evidence>;
export type CriterionResult = z.infer<typeof criterionResult>;
export type TestResult = z.infer<typeof testResult>;
export type Story = z.infer<typeof story>;
export type StoryEvent = Story['events'][number];
export type Violation = z.infer<typeof violation>;
export type Report = z.infer<typeof report>;
