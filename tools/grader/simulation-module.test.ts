import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { simulationModule } from './simulation-module.ts';
import { makeTallyCourse, type TallyCourse } from './testing/tally-course.ts';

const SCENARIO = 'katas/tally/scenario.ts';

let course: TallyCourse;
beforeEach(() => {
  course = makeTallyCourse();
});
afterEach(() => course.remove());

const make = () => simulationModule(course.root, 'tally');

test('keeps one file for as long as all that it is made of stays the same', () => {
  const first = make();

  expect(make()).toEqual(first);
  expect(path.relative(course.root, first.file)).toBe('.kata/cache/simulation-tally.mjs');
});

test('makes it anew when the scenario, or a module that it imports, was edited', () => {
  course.write('katas/tally/backend-words.ts', `export const WORD = 'before';\n`);
  appendFileSync(path.join(course.root, SCENARIO), `export { WORD } from './backend-words.ts';\n`);
  const first = make();
  course.write('katas/tally/backend-words.ts', `export const WORD = 'another word';\n`);

  const second = make();

  expect(second.version).not.toBe(first.version);
  expect(readFileSync(second.file, 'utf8')).toContain('another word');
});

test('makes it anew when the kept file is not whole', () => {
  const { file } = make();
  const whole = readFileSync(file, 'utf8');
  course.write(path.relative(course.root, file), whole.slice(0, 5_000));

  make();

  expect(readFileSync(file, 'utf8')).toBe(whole);
});

test('does without the one file where none can be kept, or the scenario cannot be compiled', () => {
  course.write(SCENARIO, 'export const scenario = {{{');
  const uncompiled = make();
  course.write(SCENARIO, 'export const scenario = {};');
  course.write('.kata', '');

  expect([uncompiled, make()].map(({ file }) => path.basename(file))).toEqual([
    'simulation-in-parts.ts',
    'simulation-in-parts.ts',
  ]);
});
