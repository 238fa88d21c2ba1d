// A scripted session: what happens at which minute, read from YAML.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { CourseError } from '../course/course-problem.ts';
import { codeOf, reasonOf } from '../course/keep-file.ts';
import { parseYaml } from '../course/validate.ts';
import { loadGuide, SCORE_DIMENSIONS } from './guide.ts';
import { InterviewProblem } from './interview-problem.ts';

const text = z.string().min(1);
/** A script is played second by second, and each step is on disk before the next one. */
const MINUTES_MAX = 1_000;
const STEPS_MAX = 500;
const minute = z.union(
  [
    z.number().min(0),
    z
      .string()
      .regex(/^\d+:[0-5]\d$/)
      .transform((written) => {
        const [minutes = 0, seconds = 0] = written.split(':').map(Number);
        return minutes + seconds / 60;
      }),
  ],
  'must be a minute, such as 6, 6.5 or "6:30"',
);
const withinReach = minute.refine((at) => at <= MINUTES_MAX, `must be at most minute ${MINUTES_MAX}`);
const yes = z.literal(true, 'must be true, or left out');

const step = z.strictObject({
  /** Minutes since this script began. Pauses count. */
  at: withinReach,
  note: text.optional(),
  /** Ids of the must-ask list. */
  ask: z.union([text, z.array(text)]).optional(),
  /** The attempt is being coded: it is graded at the end of the deep dive. */
  code: yes.optional(),
  /** The interviewer throws the next curveball by hand. */
  throw: yes.optional(),
  pause: yes.optional(),
  resume: yes.optional(),
  next: yes.optional(),
  skip: yes.optional(),
  back: yes.optional(),
});

const given = z.strictObject({
  /** May be left out where the grade suggests one. */
  score: z.number().int().min(1).max(4).optional(),
  evidence: text.optional(),
});

const answers = z.strictObject({
  kata: z.string().optional(),
  minutes: z.union([z.literal(45), z.literal(60)], 'must be 45 or 60').optional(),
  seed: z.number().int().min(0).optional(),
  as: z.enum(['alone', 'candidate', 'interviewer']).optional(),
  steps: z.array(step).max(STEPS_MAX, `must be at most ${STEPS_MAX} steps`).default([]),
  /** One for each dimension. Without them the session stays open, to be scored later. */
  scores: z.partialRecord(z.enum(SCORE_DIMENSIONS), given).optional(),
});

export type Answers = z.infer<typeof answers>;
export type Step = Answers['steps'][number];

const FORMAT = 'The format is explained in tools/interview/sample-session.yaml.';

/** Reads a script. @throws InterviewProblem that names each wrong field */
export async function readAnswers(path: string, shown: string): Promise<Answers> {
  const yaml = await readFile(path, 'utf8').catch((error: unknown) => {
    const why = codeOf(error) === 'ENOENT' ? 'there is no such file.' : reasonOf(error);
    throw new InterviewProblem(`Could not read the answers in ${shown}: ${why}`);
  });
  try {
    return await withKnownAsks(inOrder(parseYaml(answers, yaml, shown), shown), shown);
  } catch (error) {
    if (!(error instanceof CourseError)) throw error;
    throw new InterviewProblem(`${error.message}\n${FORMAT}`);
  }
}

function inOrder(read: Answers, shown: string): Answers {
  const at = read.steps.findIndex((one, n) => one.at < (read.steps[n - 1]?.at ?? 0));
  if (at < 0) return read;
  throw new InterviewProblem(
    `${shown}: steps[${at}].at: must not be before the step above it. Put the steps in order.\n${FORMAT}`,
  );
}

/** Before anything is played: a spelling mistake must not leave half a session behind. */
async function withKnownAsks(read: Answers, shown: string): Promise<Answers> {
  const known = (await loadGuide()).mustAsk.map(({ id }) => id);
  for (const [at, { ask = [] }] of read.steps.entries()) {
    const unknown = [ask].flat().find((id) => !known.includes(id));
    if (unknown !== undefined)
      throw new InterviewProblem(
        `${shown}: steps[${at}].ask: must be of the must-ask list, but is ${unknown}. The list: ${known.join(', ')}.\n${FORMAT}`,
      );
  }
  return read;
}
