import { appendFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { writeSeal } from '../course/seal.ts';
import { type GradeOptions, grade } from './grade.ts';
import { Simulation } from './simulation.ts';
import { SuiteRunner } from './suite-runner.ts';
import { targetOf } from './target.ts';
import { makeTallyCourse, type TallyCourse } from './testing/tally-course.ts';
import { TALLY_FILES, TALLY_IN_PARTS, TALLY_REFERENCE } from './testing/tally-files.ts';

const PATIENCE_MS = 60_000;
const SUITE = 'katas/tally/suite.test.ts';

let course: TallyCourse;
/** Warm processes, for attempts that leave nothing behind. */
let warm: { runner: SuiteRunner; simulation: Simulation; changed: string[] };
beforeAll(() => {
  course = makeTallyCourse();
  const { root } = course;
  const simulation = new Simulation(root, 'tally', { isReused: true });
  warm = { runner: new SuiteRunner({ root }), simulation, changed: [path.join(root, SUITE)] };
});
beforeEach(() => {
  rmSync(path.join(course.root, 'katas/tally/seal.json'), { force: true });
  for (const [file, text] of Object.entries(TALLY_FILES)) course.write(file, text);
  course.write('katas/tally/attempt.ts', TALLY_REFERENCE);
});
afterAll(() => {
  warm.runner.stop();
  warm.simulation.stop();
  course.remove();
});

const gradeIt = (kind: 'attempt' | 'reference', more: Partial<GradeOptions> = {}) =>
  grade({
    root: course.root,
    slug: 'tally',
    title: 'Tally',
    target: targetOf(course.root, 'tally', kind),
    schedules: 30,
    skipsChecks: true,
    ...more,
  });

test('does not grade by a suite that was edited since it was sealed, and says how to restore it', async () => {
  await writeSeal(course.root, 'tally', 1);
  appendFileSync(path.join(course.root, SUITE), '// easier\n');

  const report = await gradeIt('attempt');

  expect(report).toMatchObject({ status: 'not-gradable', score: 0, tests: [] });
  expect(report.reason).toContain(`${SUITE} is not as the kata was published`);
  expect(report.reason).toContain(`git checkout -- ${SUITE}`);
});

test('does not grade by a seal that cannot be read', async () => {
  course.write('katas/tally/seal.json', '{ "version": 1, "fil');

  const report = await gradeIt('attempt');

  expect(report.status).toBe('not-gradable');
  expect(report.reason).toContain('git checkout -- katas/tally/seal.json');
});

test(
  'grades the reference of a kata whose author is at work',
  async () => {
    await writeSeal(course.root, 'tally', 1);
    appendFileSync(path.join(course.root, SUITE), '// better\n');

    expect(await gradeIt('reference')).toMatchObject({ status: 'passed', target: 'reference', score: 100 });
  },
  PATIENCE_MS,
);

test(
  'does not call a grade whole when a test is skipped',
  async () => {
    const suite = TALLY_FILES[SUITE] ?? '';
    course.write(SUITE, suite.replace("test('begins", "test.skip('begins"));

    const report = await gradeIt('attempt', warm);

    expect(report).toMatchObject({
      status: 'incomplete',
      reason: '1 of 4 tests are skipped, so the grade is not whole.',
    });
  },
  PATIENCE_MS,
);

test(
  'says so when the suite does not load',
  async () => {
    course.write(SUITE, `${TALLY_FILES[SUITE]}\nthrow new Error('no suite today');\n`);

    const report = await gradeIt('attempt', warm);

    expect(report.status).toBe('incomplete');
    expect(report.reason).toContain('no suite today');
    expect(new Set(report.tests.map(({ blockedBy }) => blockedBy))).toEqual(new Set(['the suite does not load']));
  },
  PATIENCE_MS,
);

test(
  'blames the scenario, not the attempt, for a fault of the scenario',
  async () => {
    course.write('katas/tally/scenario.ts', `throw new Error('no scenario today');\n`);

    await expect(gradeIt('attempt')).rejects.toThrow(/no fault of the attempt[\s\S]*no scenario today/);
  },
  PATIENCE_MS,
);

test(
  'simulates the scenario as it is, though it was edited after the process was made',
  async () => {
    const simulation = new Simulation(course.root, 'tally');
    course.write('katas/tally/scenario.ts', `throw new Error('no scenario any more');\n`);

    await expect(gradeIt('attempt', { runner: warm.runner, simulation })).rejects.toThrow('no scenario any more');
  },
  PATIENCE_MS,
);

test(
  'checks the form of all files that a reference is made of',
  async () => {
    const parted = makeTallyCourse(TALLY_IN_PARTS);
    parted.write('solutions/tally/names/key.ts', "export const KEY: any = 'total'; // TODO\n");

    const { checks } = await gradeIt('reference', {
      root: parted.root,
      target: targetOf(parted.root, 'tally', 'reference'),
      skipsChecks: false,
    });
    parted.remove();

    expect(checks.map(({ id, status }) => [id, status])).toEqual([
      ['type-check', 'pass'],
      ['no-type-escape', 'fail'],
      ['no-leftovers', 'fail'],
    ]);
    expect(checks[1]?.detail).toMatch(/^solutions\/tally\/names\/key\.ts:1: /);
    expect(checks[2]?.detail).toBe('solutions/tally/names/key.ts:1: "TODO" is left here.');
  },
  PATIENCE_MS,
);

test(
  'gives the same grade twice, but for the time it took',
  async () => {
    course.write('katas/tally/attempt.ts', TALLY_REFERENCE.replace('total += 1;', 'total += total === 3 ? 2 : 1;'));
    const options = { seed: 7 };

    const [first, second] = [await gradeIt('attempt', options), await gradeIt('attempt', options)];

    const timeless = (_: string, value: unknown) =>
      typeof value === 'number' && _.match(/^(durationMs|wallMs)$/) ? 0 : value;
    expect(JSON.stringify(second, timeless)).toBe(JSON.stringify(first, timeless));
  },
  PATIENCE_MS,
);
