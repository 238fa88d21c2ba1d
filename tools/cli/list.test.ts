import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadCatalogue } from '../course/catalogue.ts';
import { makeTinyCourse, type TinyCourse } from '../course/testing/tiny-course.ts';
import { type NewGrade, openHistory } from '../history/history.ts';
import { runKata } from './testing/run-kata.ts';

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
});
afterEach(() => course.remove());

async function addGrade(slug: string, changes: Partial<NewGrade> = {}): Promise<void> {
  const kata = (await loadCatalogue(course.root)).katas.find((one) => one.slug === slug);
  const history = await openHistory(course.root, { warn: () => {} });
  history.addGrade({
    kata: slug,
    at: '2026-03-02T09:00:00.000Z',
    score: 92.4,
    bar: 70,
    band: 'senior',
    status: 'passed',
    kataVersion: 1,
    suiteHash: kata?.suiteHash ?? '',
    attemptHash: 'bbbb',
    report: '{}',
    ...changes,
  });
  history.close();
}

test('shows every state in words, the best score and what a kata builds on', async () => {
  for (const slug of ['solved', 'broken', 'stale', 'begun']) course.add(slug);
  course.add('fresh', { buildsOn: ['solved', 'stale'] });
  course.add('large', { tier: 'feature' });
  course.write('katas/begun/attempt.ts', '');
  await addGrade('solved');
  await addGrade('broken');
  await addGrade('broken', { status: 'below-bar', score: 12 });
  await addGrade('stale', { suiteHash: 'another' });

  const { stdout } = await runKata(course.root, ['list']);

  expect(stdout).toBe(
    [
      'Airplane Mode · 1 of 6 solved',
      '',
      'Patterns (30 to 45 minutes)',
      '  → begun   in progress',
      '  ✗ broken  solved once, broken since  best 92',
      '  ✓ solved  solved                     best 92',
      '  ! stale   solved, stale              best 92',
      '  · fresh   never tried                         builds on solved, stale',
      '',
      'Features (60 to 90 minutes)',
      '  · large  never tried',
      '',
      'Next: go on with Tiny kata.',
      '  npx kata watch begun',
      '',
    ].join('\n'),
  );
});

test('fits 40 columns', async () => {
  course.add('a-kata-with-a-name');
  course.add('another', { buildsOn: ['a-kata-with-a-name'] });

  const { stdout } = await runKata(course.root, ['list'], { COLUMNS: '40' });

  expect(stdout.split('\n').filter((line) => line.length > 40)).toEqual([]);
  expect(stdout).toContain('  · another\n      never tried, builds on\n      a-kata-with-a-name\n');
});

test('has colour when forced, none with NO_COLOR, and says the same', async () => {
  course.add('tiny');
  const coloured = await runKata(course.root, ['list'], { FORCE_COLOR: '1' });
  const plain = await runKata(course.root, ['list'], { FORCE_COLOR: '1', NO_COLOR: '1' });

  expect(coloured.stdout).toContain('\u001b[');
  expect(plain.stdout).not.toContain('\u001b');
});

test('shows the same map without a command, and asks nothing where no terminal is', async () => {
  course.add('tiny');

  const [home, list] = [await runKata(course.root, []), await runKata(course.root, ['list'])];

  expect(home).toEqual(list);
});

test('says how to make a kata where there is none', async () => {
  expect((await runKata(course.root, ['list'])).stdout).toContain('npx kata new <slug>');
});
