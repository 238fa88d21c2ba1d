// What `kata verify --changed` makes of the record, in a course of one tiny kata.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTallyCourse, type TallyCourse } from '../grader/testing/tally-course.ts';
import { fingerprintOf, writeRecord } from '../verifier/record.ts';
import { EXIT } from './exit-code.ts';
import { runKata } from './testing/run-kata.ts';

const PATIENCE_MS = 90_000;

let course: TallyCourse;
beforeEach(() => {
  course = makeTallyCourse();
});
afterEach(() => course.remove());

test(
  'tries a sample of a kata that is on record as it stands, and still sees what is wrong',
  async () => {
    // As if it had been proved in this state.
    const putOnRecord = () =>
      writeRecord(course.root, 'tally', { fingerprint: fingerprintOf(course.root, 'tally'), claims: 20 });
    await putOnRecord();
    const sound = await runKata(course.root, ['verify', 'tally', '--changed']);
    course.write('solutions/tally/index.ts', 'export const createTally = () => { throw new Error("none"); };\n');
    await putOnRecord();

    const unsound = await runKata(course.root, ['verify', '--changed']);

    expect(sound).toMatchObject({ exitCode: EXIT.ok });
    expect(sound.stdout).toContain('All 20 claims are on record as proved');
    expect(sound.stdout).toContain('the reference scores 100');
    expect(sound.stdout.match(/^✓/gm)?.length).toBeLessThanOrEqual(10);
    expect(unsound.exitCode).toBe(EXIT.belowBar);
    expect(unsound.stdout).toContain('NOT SO: the reference scores 100');
  },
  PATIENCE_MS,
);
