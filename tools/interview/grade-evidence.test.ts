import { expect, test } from 'vitest';
import { sampleReport } from '../grader/render/sample-report.ts';
import { evidenceOf, suggestScore } from './grade-evidence.ts';
import { loadGuide, SCORE_DIMENSIONS } from './guide.ts';
import { criterion, gradeOf } from './testing/stage.ts';

const { dimensions } = await loadGuide();
const suggested = (id: string, ...args: Parameters<typeof gradeOf>) =>
  dimensions.filter((one) => one.id === id).map((one) => suggestScore(one, gradeOf(...args)))[0] ?? null;

const levels = (mid: number, senior: number, staff: number | null) => [
  criterion({ level: 'mid', earned: mid }),
  criterion({ level: 'senior', earned: senior, title: 'Sends once' }),
  ...(staff === null ? [] : [criterion({ level: 'staff', earned: staff })]),
];

test.each([
  [levels(7, 10, 10), 1],
  [levels(8, 7, 10), 2],
  [levels(10, 8, 7), 3],
  [levels(10, 10, 8), 4],
  [levels(10, 10, null), 3],
] as const)('suggests the score up to whose level the points are there (%#)', (criteria, score) => {
  expect(suggested('failure', criteria)?.score).toBe(score);
});

test('names what was lost most', () => {
  expect(suggested('failure', levels(10, 2, 9), { score: 71.26 })?.evidence).toBe(
    'Grade 71.3 of 100 (mid): correctness and consistency 21 of 30 points. Lost most on: Sends once; Keeps what is saved.',
  );
});

test('takes resilience and efficiency for mobile depth, and security for security', () => {
  const criteria = [
    criterion({ dimension: 'resilience', earned: 10 }),
    criterion({ dimension: 'efficiency', level: 'senior', earned: 0 }),
    criterion({ dimension: 'security', earned: 0 }),
  ];

  expect([suggested('mobile', criteria)?.score, suggested('security', criteria)?.score]).toEqual([2, 1]);
  expect(suggested('failure', criteria)).toBeNull();
});

test.each(['not-gradable', 'incomplete'] as const)('suggests nothing from a grade that is %s', (status) => {
  expect(suggested('failure', levels(0, 0, 0), { status })).toBeNull();
});

test('leaves to a person what no test can see', () => {
  const everything = gradeOf([criterion(), criterion({ dimension: 'code quality' })]);

  const silent = dimensions.filter((one) => suggestScore(one, everything) === null).map(({ id }) => id);

  expect(silent).toEqual(SCORE_DIMENSIONS.filter((id) => id !== 'failure'));
});

test('keeps of a report what the scorecard needs', () => {
  const report = sampleReport;

  const evidence = evidenceOf(report);

  expect(evidence.score).toBe(report.score);
  expect(evidence.criteria).toHaveLength(report.criteria.length);
  expect(evidence.brokenInvariants).toEqual(report.simulation.violations.map(({ invariant }) => invariant));
});
