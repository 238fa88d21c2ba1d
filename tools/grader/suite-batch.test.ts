import { afterAll, beforeAll, expect, test } from 'vitest';
import { runSuiteBatch } from './suite-batch.ts';
import { makeTallyCourse, type TallyCourse } from './testing/tally-course.ts';
import { TALLY_REFERENCE } from './testing/tally-files.ts';
import { makeVariant } from './variants.ts';

const PATIENCE_MS = 60_000;
const KEEPS = "doesn't forget over a restart";
const COUNTS = 'counts each of them';

let course: TallyCourse;
beforeAll(() => {
  course = makeTallyCourse();
});
afterAll(() => course.remove());

async function suiteOf(id: string, find: string, replace: string): Promise<string> {
  const { suite } = await makeVariant(course.root, 'tally', id, TALLY_REFERENCE.replace(find, replace));
  return suite;
}

test(
  'tells for each suite which of the tests asked for passed and which failed',
  async () => {
    const sound = await suiteOf('sound', '', '');
    const forgets = await suiteOf('forgets', "getItem('total')", "getItem('nothing')");
    const stuck = await suiteOf('stuck', 'total += 1;', 'await new Promise(() => {});\ntotal += 1;');

    const outcomes = await runSuiteBatch(course.root, [
      { file: forgets, only: [KEEPS, COUNTS] },
      { file: stuck, only: [COUNTS] },
      { file: sound, only: [KEEPS] },
    ]);

    expect(outcomes.get(forgets)).toEqual({ passed: [COUNTS], failed: [KEEPS] });
    expect(outcomes.get(stuck)).toEqual({ passed: [], failed: [COUNTS] });
    expect(outcomes.get(sound)).toEqual({ passed: [KEEPS], failed: [] });
  },
  PATIENCE_MS,
);

test(
  'ends with what it knows when a suite takes its process along',
  async () => {
    const sound = await suiteOf('first', '', '');
    const crashes = await suiteOf('crashes', 'total += 1;', 'process.abort();');
    const unheard = await suiteOf('unheard', '', '');

    const outcomes = await runSuiteBatch(course.root, [
      { file: sound, only: [COUNTS] },
      { file: crashes, only: [COUNTS] },
      { file: unheard, only: [COUNTS] },
    ]);

    expect(outcomes.get(crashes)).toEqual({ passed: [], failed: [] });
    expect(outcomes.get(unheard)).toEqual({ passed: [], failed: [] });
  },
  PATIENCE_MS,
);
