import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTinyCourse, type TinyCourse, tinySpec } from '../course/testing/tiny-course.ts';
import { openHistory } from '../history/history.ts';
import { callKata } from './testing/call-kata.ts';
import { runKata } from './testing/run-kata.ts';

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
  course.add('tiny');
  course.write('katas/tiny/attempt.ts', 'const mine = 1;\n');
});
afterEach(() => course.remove());

const kata = async (...args: string[]) => (await callKata(course.root, args)).stdout;
const inProcess = async (...args: string[]) => (await runKata(course.root, args)).stdout;

async function addGrade(score: number, earned: Readonly<Record<string, number>>, more: object = {}): Promise<void> {
  const history = await openHistory(course.root, { warn: () => {} });
  const criteria = Object.entries(earned).map(([id, points]) => ({
    id,
    earned: points,
    points: 40,
    evidence: [{ status: points < 40 ? 'fail' : 'pass' }],
  }));
  history.addGrade({
    kata: 'tiny',
    at: '2026-03-02T09:00:00.000Z',
    score,
    bar: 70,
    band: 'mid',
    status: score >= 70 ? 'passed' : 'below-bar',
    kataVersion: 1,
    suiteHash: '',
    attemptHash: '',
    report: JSON.stringify({ criteria, ...more }),
  });
  history.close();
}

test('gives one hint further each time, the lowest level first', async () => {
  const hints = [
    await inProcess('hint', 'tiny'),
    await kata('hint', 'tiny'),
    await inProcess('hint', 'tiny'),
    await kata('hint', 'tiny'),
  ];

  expect(hints.map((text) => /Hint \d of 3: .*/.exec(text)?.[0])).toEqual([
    'Hint 1 of 3: first nudge',
    'Hint 2 of 3: second nudge',
    'Hint 3 of 3: third nudge',
    'Hint 1 of 3: read it',
  ]);
});

test('gives hints only on what the last grade left unsolved', async () => {
  await addGrade(60, { durable: 40, delivered: 12, tidy: 40 });

  expect(await kata('hint', 'tiny')).toContain('Hint 1 of 3: a nudge');
});

test('gives a hint first on what is to be fixed first, and none on what only others drag down', async () => {
  await addGrade(
    60,
    {},
    {
      criteria: [
        { id: 'durable', earned: 30, points: 40, evidence: [{ status: 'fail' }] },
        { id: 'delivered', earned: 12, points: 40, evidence: [{ status: 'pass' }, { status: 'fail' }] },
        { id: 'tidy', earned: 39, points: 40, evidence: [{ status: 'pass' }] },
      ],
      fixFirst: { criterion: 'delivered' },
    },
  );
  const hints: string[] = [];

  for (let n = 0; n < 7; n += 1) hints.push(/Hint \d of 3: .*/.exec(await inProcess('hint', 'tiny'))?.[0] ?? '');

  expect(hints).toEqual([
    'Hint 1 of 3: a nudge',
    expect.stringContaining('Hint 2 of 3'),
    expect.stringContaining('Hint 3 of 3'),
    'Hint 1 of 3: first nudge',
    'Hint 2 of 3: second nudge',
    'Hint 3 of 3: third nudge',
    expect.stringContaining('Hint 3 of 3'),
  ]);
});

test('has no hint to give when nothing was lost', async () => {
  await addGrade(100, { durable: 40, delivered: 40, tidy: 40 });

  expect(await kata('hint', 'tiny')).toContain('Your last grade lost no points.');
});

test('gives all hints of a criterion that was named', async () => {
  const text = await kata('hint', 'tiny', 'tidy', '--all');

  expect(text).toContain('Hint 1 of 3: read it\n\nHint 2 of 3: name it\n\nHint 3 of 3: cut it');
  expect(await kata('hint', 'tiny', 'tidy')).toContain('Hint 3 of 3: cut it');
});

test('shows the reference only when asked a second time', async () => {
  const [first, second] = [await inProcess('diff', 'tiny'), await inProcess('diff', 'tiny')];

  expect(first).not.toContain('reference = 1');
  expect(first).toContain('ask again');
  expect(second).toBe(
    '--- katas/tiny/attempt.ts\n+++ solutions/tiny/index.ts\n@@ -1,1 +1,1 @@\n-const mine = 1;\n+export const reference = 1;\n',
  );
});

test('shows the reference at once when the kata was solved', async () => {
  await addGrade(71, {});
  await addGrade(20, {});

  expect(await kata('diff', 'tiny')).toContain('+export const reference = 1;');
});

test('compares an attempt kept aside', async () => {
  await addGrade(71, {});
  await kata('retry', 'tiny');

  expect(await kata('diff', 'tiny', '--with', '1')).toContain('-const mine = 1;');
});

test('gives the spec as it is with --raw, and for reading without', async () => {
  expect(await inProcess('spec', 'tiny', '--raw')).toBe(tinySpec());
  expect(await kata('spec', 'tiny')).toContain('• R1 `save` resolves once the note is stored.');
});
