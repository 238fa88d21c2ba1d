import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkSeal, gradedFiles, suiteHash, writeSeal } from './seal.ts';
import { makeTinyCourse, type TinyCourse } from './testing/tiny-course.ts';

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
  course.add('tiny');
});
afterEach(() => course.remove());

test('is intact as long as nothing a grade depends on is edited', async () => {
  await writeSeal(course.root, 'tiny', 3);
  course.write('katas/tiny/stub.ts', '// another stub');

  expect(await checkSeal(course.root, 'tiny')).toEqual({ status: 'intact', edited: [] });
});

test.each(gradedFiles('tiny'))('notices an edit of %s', async (file) => {
  const before = suiteHash(course.root, 'tiny');
  await writeSeal(course.root, 'tiny', 1);
  course.write(file, 'edited');

  expect(await checkSeal(course.root, 'tiny')).toEqual({ status: 'edited', edited: [file] });
  expect(suiteHash(course.root, 'tiny')).not.toBe(before);
});

test.each(['interview', 'drill'])('lets the %s part of a rubric be improved', async (part) => {
  const graded = 'kata: tiny\nbar: 70\n';
  course.write('rubric/tiny.yaml', `${graded}${part}:\n  opening: How?\n\n  redFlags: [silence]\n`);
  await writeSeal(course.root, 'tiny', 1);

  course.write('rubric/tiny.yaml', `${graded}${part}:\n  opening: How, and why?\n`);
  const improved = await checkSeal(course.root, 'tiny');
  course.write('rubric/tiny.yaml', `${graded.replace('70', '10')}${part}:\n  opening: How?\n`);
  const lowered = await checkSeal(course.root, 'tiny');

  expect([improved.status, lowered.edited]).toEqual(['intact', ['rubric/tiny.yaml']]);
});

test('notices a file taken away', async () => {
  await writeSeal(course.root, 'tiny', 1);
  rmSync(join(course.root, 'katas/tiny/suite.test.ts'));

  expect(await checkSeal(course.root, 'tiny')).toMatchObject({ edited: ['katas/tiny/suite.test.ts'] });
});

test('takes other line ends for the same text', () => {
  course.write('katas/tiny/contract.ts', 'a\nb\n');
  const before = suiteHash(course.root, 'tiny');
  course.write('katas/tiny/contract.ts', 'a\r\nb\r\n');

  expect(suiteHash(course.root, 'tiny')).toBe(before);
  expect(before).toMatch(/^[0-9a-f]{16}$/);
});

test('tells no seal from one that was spoilt', async () => {
  const none = await checkSeal(course.root, 'tiny');
  course.write('katas/tiny/seal.json', '{"version": 1, "fil');

  expect(none.status).toBe('none');
  expect((await checkSeal(course.root, 'tiny')).status).toBe('unreadable');
});
