// The file of a scripted session.
import { z } from 'zod';
import { parseYaml } from '../course/validate.ts';
import { DRILL_RATINGS } from '../history/practice.ts';

const answersFile = z.strictObject({
  answers: z
    .array(
      z.strictObject({
        /** As `kata drill` lists it; left out, the next one of the session. */
        question: z.string().optional(),
        answer: z.string().default(''),
        rating: z.enum(DRILL_RATINGS),
      }),
    )
    .min(1),
});

export type DrillAnswers = z.infer<typeof answersFile>['answers'];

/** Reads the answers of a scripted session. @throws CourseError that names each wrong field */
export const readDrillAnswers = (text: string, file: string): DrillAnswers =>
  parseYaml(answersFile, text, file).answers;
