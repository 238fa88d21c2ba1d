// What a review round is made of, and what comes of it.
import { z } from 'zod';
import { REFERENCE_MODULE } from '../course/solution-files.ts';

const lines = z.object({ from: z.number().int(), to: z.number().int() });

/** One thing that is wrong in the code. */
const planted = z.object({
  id: z.string(),
  /** What was done wrong, as a reviewer would say it. */
  title: z.string(),
  criterion: z.string(),
  /** Where, in the code as given. Empty in an attempt: only its grade says that something is wrong. */
  lines: z.array(lines),
  /** The edits that put it in, as far as they are known. */
  edits: z.array(z.object({ find: z.string(), replace: z.string() })),
});

/** What the person must not see before the end. */
export const answerKey = z.object({
  /** The file of the reference that the code is made from; rounds of old know of one only. */
  file: z.string().default(REFERENCE_MODULE),
  given: z.string(),
  /** The reference's other files, by their path inside its folder, as they were when the round began. */
  others: z.record(z.string(), z.string()).default({}),
  planted: z.array(planted).min(1),
});

export const session = z.object({
  schemaVersion: z.literal(1),
  id: z.string(),
  kata: z.object({ slug: z.string(), version: z.number(), suiteHash: z.string() }),
  /** What the code is made from. */
  source: z.union([
    z.object({ kind: z.literal('reference'), seed: z.number(), mistakes: z.number() }),
    z.object({ kind: z.literal('attempt'), attempt: z.number() }),
  ]),
  begunAt: z.string(),
  state: z.enum(['open', 'done']),
  /** The answer key as JSON in base64: not a secret, but nothing that a glance gives away. */
  key: z.string(),
});

export type Planted = z.infer<typeof planted>;
export type AnswerKey = z.infer<typeof answerKey>;
export type Session = z.infer<typeof session>;

/** What one mistake brought. */
export interface JudgedMistake extends Planted {
  readonly criterionTitle: string;
  readonly isPlaceFound: boolean;
  readonly isConsequenceNamed: boolean;
  /** What was said of this place in the person's own words. */
  readonly said: readonly string[];
  readonly isFixed: boolean;
  /** The first evidence against its criterion that is left; empty when it is fixed. */
  readonly because: string;
  readonly points: number;
  /** A schedule or a test that shows it, in the code as given. */
  readonly shown: Shown;
}

export type Shown =
  | { readonly kind: 'story'; readonly invariant: string; readonly story: unknown }
  | { readonly kind: 'test'; readonly name: string; readonly message: string }
  | { readonly kind: 'none' };

export interface FalseAlarm {
  readonly lines: { readonly from: number; readonly to: number };
  readonly criterion: string | null;
  readonly consequence: string;
}

export interface RoundResult {
  readonly schemaVersion: 1;
  readonly round: string;
  readonly kata: Session['kata'];
  readonly source: Session['source'];
  /** ISO text, UTC. */
  readonly at: string;
  /** Of 100. */
  readonly score: number;
  readonly bar: number;
  readonly mistakes: readonly JudgedMistake[];
  readonly falseAlarms: readonly FalseAlarm[];
  /** Criteria that the fix broke and that held before. */
  readonly broken: readonly { readonly criterion: string; readonly title: string; readonly because: string }[];
}
