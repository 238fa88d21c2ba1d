import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readReference } from '../course/solution-files.ts';
import { makeTallyCourse, type TallyCourse } from '../grader/testing/tally-course.ts';
import { TALLY_FILES, TALLY_IN_PARTS } from '../grader/testing/tally-files.ts';
import { instrument } from './instrument.ts';

const PATIENCE_MS = 90_000;

/** Only the suite looks at the path, which a part says at its top level. */
const PATH_IN_PART = {
  ...TALLY_IN_PARTS,
  'solutions/tally/index.ts': `import { PATH } from './names/path.ts';\n${TALLY_IN_PARTS['solutions/tally/index.ts']?.replace("'/adds'", 'PATH')}`,
  'solutions/tally/names/path.ts': "export const PATH = '/adds';\n",
  'katas/tally/suite.test.ts': `${TALLY_FILES['katas/tally/suite.test.ts']}
test('tells the server under its path', { tags: ['counts', 'R1'] }, async () => {
  const tally = await launch();
  const told = vi.fn(async (_url: string) => new Response('{}', { status: 201 }));
  vi.stubGlobal('fetch', told);

  await added(tally);

  expect(told.mock.calls[0]?.[0]).toBe('https://api.tally.test/adds');
});
`,
};

let course: TallyCourse;
beforeAll(() => {
  course = makeTallyCourse(PATH_IN_PART);
});
afterAll(() => course.remove());

test('gives each mutant of each file an id of its own, and its line there', async () => {
  const { files, mutants } = await instrument(await readReference(course.root, 'tally'));

  expect(Object.keys(files)).toEqual(['index.ts', 'names/path.ts', 'store.ts', 'names/key.ts']);
  expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
  expect(mutants.find(({ file }) => file === 'names/path.ts')).toMatchObject({ line: 1, original: "'/adds'" });
});

test(
  'kills mutants of parts, by the suite even at their top level, and tells a survivor by file and line',
  async () => {
    const { mutants } = await instrument(await readReference(course.root, 'tally'));
    const inParts = mutants.flatMap(({ file }, n) => (file === 'index.ts' ? [] : [n + 1]));
    const script = path.join(import.meta.dirname, 'mutate.ts');

    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', script, 'tally', inParts.join()], {
      cwd: course.root,
    }).catch((ended: { stdout: string }) => ended);

    const [survivors, score] = [stdout.trimEnd().split('\n').slice(0, -1), stdout.trimEnd().split('\n').at(-1)];
    expect(survivors).toEqual([expect.stringContaining(`names/key.ts:1: StringLiteral: 'total'  →  ""`)]);
    expect(score).toContain(`${inParts.length - 1} of ${inParts.length} mutants killed`);
  },
  PATIENCE_MS,
);
