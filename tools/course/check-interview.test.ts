import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkInterview } from './check-interview.ts';
import { rubric } from './schema.ts';
import { tinyRubric } from './testing/tiny-course.ts';

const problemsOf = (text: string) =>
  checkInterview(rubric.parse(parse(text))).map(({ field, message }) => `${field} ${message}`);

test('finds nothing in a whole script', () => {
  expect(problemsOf(tinyRubric('tiny'))).toEqual([]);
});

test.each([
  ['  family: queue\n', '', 'interview.family is missing.'],
  ['  redFlags: [Keeps it in memory only.]\n', '', 'interview.redFlags is missing.'],
  [', answer: It is sent again. }', ' }', 'interview.followUps[0].answer is missing.'],
  [', answer: Then it says so. }', ' }', 'interview.curveballs[0].answer is missing.'],
  [
    '    - { say: The disk is full., answer: Then it says so. }\n',
    '    - The disk is full.\n',
    'interview.curveballs[0].answer is missing.',
  ],
  [/ {2}model: .*\n/, '', 'interview.model is missing.'],
  [/ {2}clarifications:\n.*\n/, '', 'interview.clarifications is missing.'],
  [/( {4}- \{ ask: And then.*\n)/, '$1$1', 'interview.followUps[1].ask asks the same as followUps[0].'],
] as const)('names what a script lacks (%#)', (whole, broken, message) => {
  const problems = problemsOf(tinyRubric('tiny').replace(whole, broken));

  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(message);
});
