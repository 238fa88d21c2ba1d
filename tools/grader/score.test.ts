import { expect, test } from 'vitest';
import type { Bands, Criterion, Rubric } from '../course/schema.ts';
import type { CriterionResult, TestResult } from './report.ts';
import {
  type AllEvidence,
  type BudgetEvidence,
  bandOf,
  fixFirst,
  type InvariantEvidence,
  scoreCriteria,
  totalOf,
} from './score.ts';

const criterion = (traits: Partial<Criterion> = {}): Criterion => ({
  id: 'counts',
  title: 'Counts',
  dimension: 'correctness',
  level: 'mid',
  points: 10,
  spec: ['R1'],
  invariants: [],
  budgets: [],
  checks: [],
  hints: ['look', 'look again', 'look here'],
  ...traits,
});
const rubricOf = (...criteria: Criterion[]): Rubric => ({
  kata: 'tally',
  version: 1,
  bar: 70,
  criteria,
  interview: {
    opening: 'How?',
    clarifications: [],
    followUps: [],
    curveballs: [],
    redFlags: [],
    signals: { mid: 'a', senior: 'b', staff: 'c' },
  },
});
const testOf = (status: TestResult['status'], on = 'counts'): TestResult => ({
  name: `${on} ${status}`,
  status,
  criterion: on,
  spec: [],
  durationMs: 1,
  message: status === 'pass' ? null : `${status}, it says\nat length`,
  blockedBy: null,
});
const kept = (id: string): InvariantEvidence => ({ id, status: 'pass', survival: 1, detail: '' });
const brokenIn = (id: string, share: number): InvariantEvidence => ({
  id,
  status: 'fail',
  survival: 1 - share,
  detail: 'broke',
});
const spent = (attempt: number, reference: number, traits: Partial<BudgetEvidence> = {}): BudgetEvidence => ({
  id: 'requests',
  attempt,
  reference,
  allowance: 1.5,
  schedules: 100,
  blockedBy: null,
  ...traits,
});
const evidence = (traits: Partial<AllEvidence> = {}): AllEvidence => ({
  tests: [],
  invariants: [],
  budgets: [],
  checks: [],
  ...traits,
});
const earned = (one: Criterion, traits: Partial<AllEvidence>) =>
  scoreCriteria(rubricOf(one), evidence(traits))[0]?.earned;

test('earns the share of tests that pass', () => {
  const tests = [testOf('pass'), testOf('fail'), testOf('timeout'), testOf('blocked')];

  expect(earned(criterion(), { tests })).toBe(2.5);
});

test('earns nothing where no evidence is', () => {
  expect(earned(criterion(), {})).toBe(0);
});

test('is worth as much as its weakest evidence', () => {
  const one = criterion({ invariants: ['kept', 'shown'], checks: ['type-check'] });
  const tests = [testOf('pass'), testOf('pass'), testOf('pass'), testOf('fail')];
  const checks = [{ id: 'type-check', status: 'pass', detail: '' } as const];

  expect(earned(one, { tests, invariants: [kept('kept'), kept('shown')], checks })).toBe(7.5);
  expect(earned(one, { tests, invariants: [kept('kept'), brokenIn('shown', 0.2)], checks })).toBe(4);
  expect(earned(one, { tests, invariants: [kept('kept'), kept('shown')], checks: [] })).toBe(0);
});

test.each([
  ['one schedule in a thousand', 0.001, 4.9],
  ['half of them', 0.5, 2.5],
  ['all', 1, 0],
])('earns at most half, by survival, for an invariant broken in %s', (_, share, points) => {
  expect(earned(criterion({ invariants: ['kept'] }), { invariants: [brokenIn('kept', share)] })).toBe(points);
});

test('earns nothing for an invariant that was not looked at', () => {
  const blocked: InvariantEvidence = { id: 'kept', status: 'blocked', survival: 0, detail: 'not opened' };

  expect(earned(criterion({ invariants: ['kept'] }), { invariants: [blocked] })).toBe(0);
  expect(earned(criterion({ invariants: ['kept'] }), {})).toBe(0);
});

test.each([
  ['as the reference', spent(100, 100), 10],
  ['up to the allowance', spent(150, 100), 10],
  ['half way from there to three times the allowance', spent(300, 100), 5],
  ['at three times the allowance', spent(450, 100), 0],
  ['beyond', spent(9_000, 100), 0],
  ['nothing, as the reference', spent(0, 0), 10],
  ['next to nothing, where the reference needs nothing', spent(5, 0), 10],
  ['something, where the reference needs nothing', spent(60, 0), 0],
  ['what was not measured', spent(0, 0, { blockedBy: 'not opened' }), 0],
])('judges a budget spent %s', (_, budget, points) => {
  expect(earned(criterion({ budgets: ['requests'] }), { budgets: [budget] })).toBe(points);
});

test('lets cost and form count only as far as the app works', () => {
  const rubric = rubricOf(
    criterion({ points: 60 }),
    criterion({ id: 'kept', dimension: 'consistency', points: 20, invariants: ['kept'] }),
    criterion({ id: 'safe', dimension: 'security', points: 10, invariants: ['kept'] }),
    criterion({ id: 'cheap', dimension: 'efficiency', points: 5, budgets: ['requests'] }),
    criterion({ id: 'typed', dimension: 'code quality', points: 5, checks: ['type-check'] }),
  );
  const checks = [{ id: 'type-check', status: 'pass', detail: '' } as const];
  const works = { invariants: [kept('kept')], budgets: [spent(1, 1)], checks };

  const half = scoreCriteria(rubric, evidence({ ...works, tests: [testOf('pass'), testOf('fail')] }));
  const nothing = scoreCriteria(rubric, evidence({ budgets: [spent(0, 9)], checks }));

  expect(half.map((one) => one.earned)).toEqual([30, 20, 10, 3.1, 3.1]);
  expect(totalOf(nothing)).toBe(0);
});

test('rounds down to a tenth, so that 100 is only said of what lost nothing', () => {
  const tests = Array.from({ length: 300 }, (_, n) => testOf(n === 0 ? 'fail' : 'pass'));

  expect(earned(criterion({ points: 100 }), { tests })).toBe(99.6);
  expect(earned(criterion({ points: 3 }), { tests: [testOf('pass'), testOf('pass'), testOf('fail')] })).toBe(2);
  expect(totalOf([0.1, 0.2, 0.7].map((points) => result({ earned: points })))).toBe(1);
});

test('keeps the first line of what a test said as its evidence', () => {
  const [only] = scoreCriteria(rubricOf(criterion()), evidence({ tests: [testOf('fail')] }));

  expect(only?.evidence).toEqual([{ kind: 'test', id: 'counts fail', status: 'fail', detail: 'fail, it says' }]);
});

const result = (traits: Partial<CriterionResult> = {}): CriterionResult => ({
  id: 'counts',
  title: 'Counts',
  dimension: 'correctness',
  level: 'mid',
  points: 10,
  earned: 10,
  evidence: [],
  ...traits,
});
const bands: Bands = { share: 0.8, bands: [] };

test.each([
  ['staff when every level is earned', [10, 10, 10], 'staff'],
  ['senior when staff falls short', [10, 10, 7.9], 'senior'],
  ['the last before a gap, however good what is above', [10, 7, 10], 'mid'],
  ['not yet when mid falls short', [7.9, 10, 10], 'not-yet'],
] as const)('speaks for %s', (_, [mid, senior, staff], band) => {
  const results = [
    result({ earned: mid }),
    result({ level: 'senior', earned: senior }),
    result({ level: 'staff', earned: staff }),
  ];

  expect(bandOf(results, bands)).toBe(band);
});

test('speaks for no level with a promise of it broken, whatever else is earned', () => {
  const others = Array.from({ length: 9 }, () => result());

  expect(bandOf([...others, result({ earned: 5.1 })], bands)).toBe('mid');
  expect(bandOf([...others, result({ earned: 5 })], bands)).toBe('not-yet');
  expect(bandOf([...others, result({ earned: 0, dimension: 'efficiency' })], bands)).toBe('mid');
});

test('passes over levels that the rubric does not have', () => {
  expect(bandOf([result(), result({ level: 'staff' })], bands)).toBe('staff');
});

const failing = (kind: 'test' | 'invariant' | 'check', status: TestResult['status'] = 'fail') => [
  { kind, id: `${kind} of it`, status, detail: 'so it is' },
];

test.each([
  [
    'of the lowest level',
    [
      result({ id: 'b', level: 'senior', earned: 0, evidence: failing('test') }),
      result({ id: 'a', earned: 9, evidence: failing('test') }),
    ],
  ],
  [
    'whose own test fails',
    [
      result({ id: 'b', earned: 0, evidence: failing('invariant') }),
      result({ id: 'a', earned: 9, evidence: failing('test') }),
    ],
  ],
  [
    'that costs most',
    [
      result({ id: 'b', earned: 9, evidence: failing('test') }),
      result({ id: 'a', earned: 1, evidence: failing('test') }),
    ],
  ],
  [
    'that makes the app work',
    [
      result({ id: 'b', dimension: 'efficiency', earned: 0, evidence: failing('test') }),
      result({ id: 'a', level: 'staff', earned: 9, evidence: failing('invariant') }),
    ],
  ],
  [
    'that was seen to fail',
    [
      result({ id: 'b', earned: 0, evidence: failing('test', 'blocked') }),
      result({ id: 'a', level: 'staff', earned: 9, evidence: failing('invariant') }),
    ],
  ],
] as const)('would have the criterion fixed first %s', (_, results) => {
  const rubric = rubricOf(criterion({ id: 'a' }), criterion({ id: 'b' }));

  expect(fixFirst(results, rubric)).toMatchObject({ criterion: 'a', hint: 'look' });
});

test('tells by which evidence it lost, and nothing where nothing was seen to fail', () => {
  const rubric = rubricOf(criterion());
  const heldBack = result({ earned: 4 });
  const unseen = result({ earned: 0, evidence: failing('test', 'not-run') });

  expect(fixFirst([result({ earned: 2, evidence: failing('check') })], rubric)?.because).toBe('check of it: so it is');
  expect(fixFirst([heldBack, unseen], rubric)).toBeNull();
});
