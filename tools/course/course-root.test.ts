import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findCourseRoot } from './course-root.ts';
import { makeTinyCourse, type TinyCourse } from './testing/tiny-course.ts';

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
});
afterEach(() => course.remove());

test('finds the root from a folder deep in the course', () => {
  const deep = join(course.root, 'katas', 'a b', 'c');
  mkdirSync(deep, { recursive: true });

  expect(findCourseRoot(deep)).toBe(course.root);
});

test('falls back to the place of the tool', () => {
  expect(findCourseRoot(tmpdir(), join(course.root, 'katas'))).toBe(course.root);
});

test('finds none outside of any course', () => {
  expect(findCourseRoot(tmpdir(), tmpdir())).toBeUndefined();
});
