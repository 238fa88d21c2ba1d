import type { CourseProblem } from './course-problem.ts';
import { kataFiles } from './kata-paths.ts';
import type { Interview, Rubric } from './schema.ts';

/** What an interview script lacks of what a mock interview and a candidate who learns from it need. */
export function checkInterview({ kata, interview }: Rubric): CourseProblem[] {
  const file = kataFiles(kata).rubric;
  return [...missingParts(interview), ...missingAnswers(interview), ...repeated(interview)].map(([field, message]) => ({
    file,
    field: `interview${field}`,
    message,
  }));
}

type FieldMessage = [field: string, message: string];

function missingParts({ family, clarifications, curveballs, redFlags, model }: Interview): FieldMessage[] {
  const parts: [boolean, string, string][] = [
    [
      family === undefined,
      '.family',
      'is missing. Name the family whose curveballs fit, as in tools/interview/guide.yaml.',
    ],
    [
      clarifications.length === 0,
      '.clarifications',
      'is missing. Write what a candidate may ask, and what may be answered.',
    ],
    [curveballs.length === 0, '.curveballs', 'is missing. Write at least one turn that this problem may take.'],
    [redFlags.length === 0, '.redFlags', 'is missing. Write what shows that somebody has not understood the problem.'],
    [
      model === undefined,
      '.model',
      'is missing. Write a model answer to requirements, highLevel, deepDive and tradeOffs.',
    ],
  ];
  return parts.flatMap(([isMissing, field, message]): FieldMessage[] => (isMissing ? [[field, message]] : []));
}

/** A question whose answer nobody can look up teaches nothing after the session. */
function missingAnswers({ followUps, curveballs }: Interview): FieldMessage[] {
  const message = 'is missing. Write what a strong candidate says, in full sentences.';
  const open = (field: string, list: readonly { readonly answer?: string | undefined }[]): FieldMessage[] =>
    list.flatMap(({ answer }, at): FieldMessage[] =>
      answer === undefined ? [[`.${field}[${at}].answer`, message]] : [],
    );
  return [...open('followUps', followUps), ...open('curveballs', curveballs)];
}

function repeated({ followUps }: Interview): FieldMessage[] {
  const asks = followUps.map(({ ask }) => ask);
  return asks.flatMap((ask, at): FieldMessage[] => {
    const first = asks.indexOf(ask);
    return first === at ? [] : [[`.followUps[${at}].ask`, `asks the same as followUps[${first}]. Take one out.`]];
  });
}
