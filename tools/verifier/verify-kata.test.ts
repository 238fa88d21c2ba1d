// Every claim of `kata verify` has a broken kata that it catches.
import pLimit from 'p-limit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Mistake } from '../course/mistake.ts';
import { readReference } from '../course/solution-files.ts';
import { makeTallyCourse, type TallyCourse } from '../grader/testing/tally-course.ts';
import { TALLY_FILES, TALLY_IN_PARTS } from '../grader/testing/tally-files.ts';
import type { Finding } from './finding.ts';
import { Lane } from './lane.ts';
import { loadMistakes, verifyContent } from './verify-content.ts';
import { verifyKata } from './verify-kata.ts';
import { verifyLazy, verifyMistakes } from './verify-mistakes.ts';
import { verifyAlternative, verifyReference, verifyStub } from './verify-solutions.ts';

const PATIENCE_MS = 90_000;
/** Where a reference is wrong, or right, in every schedule. */
const FEW_SCHEDULES = 100;

/** Mistakes that are wrong themselves, each in its way. */
const WRONG_MISTAKES: Mistake[] = [
  { id: 'lost', title: 'L', criterion: 'keeps', edits: [{ find: 'no such line', replace: '' }] },
  {
    id: 'shown',
    title: 'S',
    criterion: 'quiet',
    edits: [{ find: 'total: () => total', replace: 'total: () => Math.min(total, 1)' }],
  },
  {
    id: 'thrown',
    title: 'T',
    criterion: 'keeps',
    edits: [{ find: 'export const createTally', replace: 'throw new Error("boom");\nexport const createTally' }],
  },
];

let course: TallyCourse;
let lane: Lane;
/** What was said of each of them. */
let saidOf: Record<string, string>;
beforeAll(async () => {
  course = makeTallyCourse();
  lane = new Lane(course.root, 'tally', 1);
  const findings = await verifyMistakes(lane, WRONG_MISTAKES);
  saidOf = Object.fromEntries(findings.map((finding, n) => [WRONG_MISTAKES[n]?.id, broken([finding]).join()]));
}, PATIENCE_MS);
afterAll(() => {
  lane.stop();
  course.remove();
});
beforeEach(() => {
  for (const [file, text] of Object.entries(TALLY_FILES)) course.write(file, text);
});

function edit(file: string, find: string, replace: string): void {
  const text = TALLY_FILES[file] ?? '';
  expect(text).toContain(find);
  course.write(
    file,
    text.replace(find, () => replace),
  );
}
const broken = (findings: readonly Finding[]) =>
  findings.filter(({ isTrue }) => !isTrue).map(({ claim, detail }) => `${claim}: ${detail}`);

test(
  'finds a sound kata sound, and tells its findings in the order of the claims',
  async () => {
    const told: Finding[] = [];

    const findings = await verifyKata(course.root, 'tally', {
      isBrisk: true,
      inLane: pLimit(2),
      onFinding: (finding) => told.push(finding),
    });

    expect(broken(findings)).toEqual([]);
    expect(told).toEqual(findings);
    expect(findings[0]?.claim).toContain('linked without an orphan');
    expect(findings.at(-1)?.claim).toBe('the mistake "not-stored" is caught by keeps');
  },
  PATIENCE_MS,
);

test('catches a mistake whose text is not in the reference', () => {
  expect(saidOf.lost).toContain('the text to find of edit 1 stands 0 times in the reference');
});

test('catches a mistake that its criterion does not', () => {
  expect(saidOf.shown).toMatch(/caught by quiet: That criterion loses nothing. Lost: counts/);
});

test('catches a mistake that cannot be graded', () => {
  expect(saidOf.thrown).toMatch(/It could not be graded: .*boom/);
});

test(
  'finds a reference of several files sound, and its mistake in a part caught',
  async () => {
    const parted = makeTallyCourse(TALLY_IN_PARTS);
    const inParts = new Lane(parted.root, 'tally', 1);
    const { mistakes } = await loadMistakes(parted.root, 'tally');

    const findings = [...(await verifyReference(inParts, FEW_SCHEDULES)), ...(await verifyMistakes(inParts, mistakes))];
    inParts.stop();
    parted.remove();

    expect(broken(findings)).toEqual([]);
    expect(findings.at(-1)?.claim).toBe('the mistake "not-stored" is caught by keeps');
  },
  PATIENCE_MS,
);

test(
  'sees at once what has changed in a part of a variant that it has run before',
  async () => {
    const parted = makeTallyCourse(TALLY_IN_PARTS);
    const inParts = new Lane(parted.root, 'tally', 1);
    const sound = await readReference(parted.root, 'tally');
    const forgetful = { ...sound, 'store.ts': (sound['store.ts'] ?? '').replace('String(count)', "'0'") };
    const tests = ["doesn't forget over a restart"];

    const before = await inParts.failsOneOf(await inParts.editedReference('one', sound), tests);
    const after = await inParts.failsOneOf(await inParts.editedReference('one', forgetful), tests);
    inParts.stop();
    parted.remove();

    expect([before, after]).toEqual([false, true]);
  },
  PATIENCE_MS,
);

test(
  'is not taken in by a mistake that disturbs those tried beside it',
  async () => {
    const patch = 'new Proxy(String, { apply: (to, _, [x]) => (x === 1 ? "0" : to(x)) })';
    const disturbing = [{ find: 'let total = 0;', replace: `let total = 0;\n  globalThis.String = ${patch};` }];
    const harmless = [{ find: 'let isDisposed = false;', replace: 'let isDisposed: boolean = false;' }];

    const findings = await verifyMistakes(lane, [
      { id: 'disturbing', title: 'D', criterion: 'keeps', edits: disturbing },
      { id: 'harmless', title: 'H', criterion: 'keeps', edits: harmless },
    ]);

    expect(broken(findings).at(-1)).toContain('"harmless" is caught by keeps: That criterion loses nothing');
  },
  PATIENCE_MS,
);

test(
  'catches a lazy attempt that passes',
  async () => {
    const source = `export { createTally } from '../../solutions/tally/index.ts';`;

    const finding = await verifyLazy(lane, { id: 'copied', title: 'C', source });

    expect(broken([finding])[0]).toContain('does not reach the bar: 100 points, passed');
  },
  PATIENCE_MS,
);

test(
  'catches a stub that passes a test, and earns points for it',
  async () => {
    edit('katas/tally/stub.ts', 'start() {\n    throw', 'async start() {},\n  end() {\n    throw');
    edit('katas/tally/stub.ts', `throw new Error('NotImplemented: total');`, 'return 0;');
    const text = (TALLY_FILES['katas/tally/stub.ts'] ?? '')
      .replace(`throw new Error('NotImplemented: start');`, 'return Promise.resolve();')
      .replace(`throw new Error('NotImplemented: total');`, 'return 0;');
    course.write('katas/tally/stub.ts', text);

    const wrong = broken(await verifyStub(lane));

    expect(wrong[0]).toContain(
      'every test fails on the stub with NotImplemented: Not so: "begins at nothing" (pass: )',
    );
    expect(wrong[1]).toMatch(/the stub scores 0: It scores [\d.]+: counts/);
  },
  PATIENCE_MS,
);

test(
  'catches a reference that fails its own suite, and a test that only Vitest can see',
  async () => {
    edit('solutions/tally/index.ts', 'total += 1;', 'total += 2;');
    const nested = `\ndescribe('more', () => { test('is nested', { tags: ['counts', 'R1'] }, () => {}); });\n`;
    course.write(
      'katas/tally/suite.test.ts',
      `import { describe } from 'vitest';\n${TALLY_FILES['katas/tally/suite.test.ts']}${nested}`,
    );

    const fresh = new Lane(course.root, 'tally', 1);
    const wrong = broken(await verifyReference(fresh, FEW_SCHEDULES));
    fresh.stop();

    expect(wrong[0]).toContain('every test can be read from the text of the suite: Not "more > is nested"');
    expect(wrong[1]).toMatch(/the reference scores 100: It scores .* Lost: counts/);
  },
  PATIENCE_MS,
);

test(
  'catches an alternative that the suite turns down',
  async () => {
    edit('solutions/tally/alternative.ts', 'return this.value;', 'return this.value + 1;');

    const wrong = broken(await verifyAlternative(lane));

    expect(wrong[0]).toContain('reaches the bar over 5000 fresh schedules');
  },
  PATIENCE_MS,
);

test.each([
  ['a rule that nothing judges', 'specs/tally.md', 'R2: senior', 'R2: senior\n  R3: senior', 'R3'],
  [
    'a test of no criterion',
    'katas/tally/suite.test.ts',
    `tags: ['quiet', 'E1']`,
    `tags: ['E1']`,
    'must be tagged with the criterion',
  ],
  ['an endpoint that the spec does not name', 'specs/tally.md', '`POST /adds`', '`POST /sums`', '/adds'],
  [
    'a mistake of no criterion',
    'katas/tally/mistakes.ts',
    `criterion: 'keeps'`,
    `criterion: 'kept'`,
    'kept is none of the rubric',
  ],
  ['models that are not the contract', 'specs/tally.md', 'total(): number', 'total(): string', 'They part here'],
])(
  'catches %s',
  async (_, file, find, replace, says) => {
    const fresh = makeTallyCourse();
    fresh.write(
      file,
      (TALLY_FILES[file] ?? '').replace(find, () => replace),
    );

    const wrong = broken(await verifyContent(fresh.root, 'tally'));
    fresh.remove();

    expect(wrong.join('\n')).toContain(says);
  },
  PATIENCE_MS,
);
