import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadCatalogue } from './catalogue.ts';
import { makeTinyCourse, type TinyCourse, tinySpec } from './testing/tiny-course.ts';

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
});
afterEach(() => course.remove());

const cacheFile = () => join(course.root, '.kata', 'cache', 'catalogue.json');

test('orders patterns before features, and each after what it builds on', async () => {
  course.add('apple', { tier: 'feature', buildsOn: ['zebra'] });
  course.add('berry', { buildsOn: ['zebra'] });
  course.add('zebra');

  const { katas } = await loadCatalogue(course.root);

  expect(katas.map(({ slug }) => slug)).toEqual(['zebra', 'berry', 'apple']);
  expect(katas[0]).toMatchObject({ title: 'Tiny kata', minutes: 30, version: 1, bar: 70 });
  expect(katas[0]?.paths.attempt).toBe(join(course.root, 'katas', 'zebra', 'attempt.ts'));
});

test('lists a broken kata beside the others', async () => {
  course.add('whole');
  course.add('broken');
  course.write('specs/broken.md', tinySpec().replace('minutes: 30', 'minutes: many'));
  course.write('rubric/broken.yaml', 'kata: broken');

  const { katas, broken } = await loadCatalogue(course.root);

  expect(katas.map(({ slug }) => slug)).toEqual(['whole']);
  expect(broken).toMatchObject([{ slug: 'broken' }]);
  expect(broken[0]?.problems).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ file: 'specs/broken.md', field: 'minutes' }),
      expect.objectContaining({ file: 'rubric/broken.yaml', field: 'version' }),
    ]),
  );
});

test('names a folder that cannot be a kata, and leaves hidden ones alone', async () => {
  mkdirSync(join(course.root, 'katas', 'Not A Kata'));
  mkdirSync(join(course.root, 'katas', '.git'));

  const { broken } = await loadCatalogue(course.root);

  expect(broken.map(({ slug }) => slug)).toEqual(['Not A Kata']);
});

test('gives the same from the cache, and notices a change', async () => {
  course.add('tiny');
  const first = await loadCatalogue(course.root);

  const second = await loadCatalogue(course.root);
  course.write('specs/tiny.md', tinySpec().replace('Tiny kata', 'Another name'));
  const third = await loadCatalogue(course.root);

  expect(second).toEqual(first);
  expect(third.katas[0]?.title).toBe('Another name');
  expect(third.katas[0]?.suiteHash).not.toBe(first.katas[0]?.suiteHash);
});

test('reads from the cache while nothing changed', async () => {
  course.add('tiny');
  await loadCatalogue(course.root);
  const written = readFileSync(cacheFile(), 'utf8');

  await loadCatalogue(course.root);

  expect(written).toContain('Tiny kata');
  expect(readFileSync(cacheFile(), 'utf8')).toBe(written);
});

test.each([
  ['cut in half', (text: string) => text.slice(0, text.length / 2)],
  ['edited by hand', (text: string) => text.replace('Tiny kata', 'Forged')],
  ['of another tool', () => '{"entries": []}'],
  ['empty', () => ''],
])('ignores a cache that is %s', async (_, spoil) => {
  course.add('tiny');
  await loadCatalogue(course.root);
  writeFileSync(cacheFile(), spoil(readFileSync(cacheFile(), 'utf8')));

  const { katas } = await loadCatalogue(course.root);

  expect(katas[0]?.title).toBe('Tiny kata');
});

test('does without a cache where none can be written', async () => {
  course.add('tiny');
  course.write('.kata', 'a file where a folder should be');

  const { katas } = await loadCatalogue(course.root);

  expect(katas).toHaveLength(1);
});

test('forgets a kata that is gone', async () => {
  course.add('tiny');
  course.add('gone');
  await loadCatalogue(course.root);
  rmSync(join(course.root, 'katas', 'gone'), { recursive: true });

  const { katas } = await loadCatalogue(course.root);

  expect(katas.map(({ slug }) => slug)).toEqual(['tiny']);
});
