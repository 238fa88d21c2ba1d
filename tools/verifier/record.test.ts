import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTallyCourse, type TallyCourse } from '../grader/testing/tally-course.ts';
import { TALLY_FILES, TALLY_IN_PARTS } from '../grader/testing/tally-files.ts';
import { fingerprintOf, readRecord, writeRecord } from './record.ts';

let course: TallyCourse;
beforeEach(() => {
  course = makeTallyCourse(TALLY_IN_PARTS);
});
afterEach(() => course.remove());

const fingerprint = () => fingerprintOf(course.root, 'tally');

test('gives one state of things one fingerprint, whatever the line ends, and whatever a learner has written', () => {
  const before = fingerprint();
  const suite = TALLY_FILES['katas/tally/suite.test.ts'] ?? '';

  course.write('katas/tally/suite.test.ts', suite.replaceAll('\n', '\r\n'));
  course.write('katas/tally/attempt.ts', 'export const mine = 1;\n');
  course.write('katas/tally/verified.json', '{}\n');

  expect(fingerprint()).toBe(before);
});

test.each([
  ...Object.keys({ ...TALLY_FILES, ...TALLY_IN_PARTS }).filter((file) => /tally.*(?<!notes\.md)$/.test(file)),
  'katas/tally/more.ts',
  'rubric/bands.yaml',
  'package-lock.json',
])('gives another one when %s changes', (file) => {
  const before = fingerprint();

  course.write(file, '// another text\n');

  expect(fingerprint()).not.toBe(before);
});

test('gives another one when a reference changes that the kata is made of, or one that this is made of', () => {
  course.write('solutions/middle/index.ts', `export { inner } from '#solutions/inner';\n`);
  course.write('solutions/inner/index.ts', `export { inner } from './part.ts';\n`);
  course.write('solutions/inner/part.ts', 'export const inner = 1;\n');
  course.write('katas/tally/more.ts', `import '#solutions/middle';\n`);
  const before = fingerprint();

  course.write('solutions/inner/part.ts', 'export const inner = 2;\n');

  expect(fingerprint()).not.toBe(before);
});

test.each([
  ['tools/simulator/world.ts', true],
  ['tools/phone/testing/test-phone.ts', true],
  ['tools/grader/score.ts', true],
  ['tools/grader/score.test.ts', false],
  ['tools/grader/render/html.ts', false],
  ['tools/grader/testing/tally-files.ts', false],
  ['tools/cli/output.ts', false],
])('holds %s for part of what judges: %s', (file, isPart) => {
  rmSync(path.join(course.root, 'tools'));
  course.write(file, 'export const it = 1;\n');
  const before = fingerprint();

  course.write(file, 'export const it = 2;\n');

  expect(fingerprint() !== before).toBe(isPart);
});

test('gives the record of one state of things, and takes any other for none', async () => {
  expect(await readRecord(course.root, 'tally', 'abc')).toBeNull();

  await writeRecord(course.root, 'tally', { fingerprint: 'abc', claims: 7 });
  expect(await readRecord(course.root, 'tally', 'abc')).toEqual({ fingerprint: 'abc', claims: 7 });
  expect(await readRecord(course.root, 'tally', 'def')).toBeNull();

  course.write('katas/tally/verified.json', '{ "fingerprint": "abc", "cla');
  expect(await readRecord(course.root, 'tally', 'abc')).toBeNull();
});
