// What all mock interviews have in common, read from guide.yaml.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DIMENSIONS, FAMILIES } from '../course/schema.ts';
import { parseYaml } from '../course/validate.ts';

/** Lengths of a session that the guide divides into phases. */
export const SESSION_MINUTES = [45, 60] as const;
export type SessionMinutes = (typeof SESSION_MINUTES)[number];

export const PHASE_IDS = ['intro', 'requirements', 'high-level', 'deep-dive', 'trade-offs', 'questions'] as const;
export type PhaseId = (typeof PHASE_IDS)[number];

export const SCORE_DIMENSIONS = [
  'scope',
  'architecture',
  'api',
  'mobile',
  'failure',
  'trade-offs',
  'security',
  'quality',
  'communication',
] as const;
export type ScoreDimension = (typeof SCORE_DIMENSIONS)[number];

const text = z.string().min(1);
const minutes = z.number().int().min(1);
const family = z.strictObject({ title: text, curveballs: z.array(text).min(1) });

const phase = z.strictObject({
  id: z.enum(PHASE_IDS),
  title: text,
  /** By the session's length. */
  minutes: z.strictObject({ '45': minutes, '60': minutes }),
  /** The interviewer's prompt. */
  says: text,
  /** What must exist at its end. */
  outcome: z.array(text).min(1),
});

const dimension = z.strictObject({
  id: z.enum(SCORE_DIMENSIONS),
  title: text,
  /** Asks for the written evidence. */
  ask: text,
  /** What each score looks like, from 1 to 4. */
  scores: z.tuple([text, text, text, text]),
  /** Dimensions of a rubric whose points train it. */
  trains: z.array(z.enum(DIMENSIONS)).default([]),
  /** Whether a grade in those dimensions is evidence for it: tests cannot see how somebody would roll out. */
  graded: z.boolean().default(false),
  /** What to do to get better. */
  work: text,
});

const guide = z.strictObject({
  phases: z.array(phase).length(PHASE_IDS.length),
  mustAsk: z.array(z.strictObject({ id: text, says: text, example: text })).min(1),
  dimensions: z.array(dimension).length(SCORE_DIMENSIONS.length),
  families: z.record(z.enum([...FAMILIES, 'any']), family),
});

export type Guide = z.infer<typeof guide>;
export type Phase = Guide['phases'][number];
export type Dimension = Guide['dimensions'][number];

/** The guide as it comes with the course. @throws CourseError that names each wrong field */
export async function loadGuide(): Promise<Guide> {
  const file = 'tools/interview/guide.yaml';
  return parseYaml(guide, await readFile(join(import.meta.dirname, 'guide.yaml'), 'utf8'), file);
}

/** Planned length of a phase in ms. */
export const plannedMs = (phase: Phase, sessionMinutes: SessionMinutes): number =>
  phase.minutes[`${sessionMinutes}`] * 60_000;

/** The phase with that id. */
export function phaseOf({ phases }: Guide, id: PhaseId): Phase {
  const found = phases.find((one) => one.id === id);
  if (found === undefined) throw new Error(`The guide has no phase ${id}. Put it back into guide.yaml.`);
  return found;
}
