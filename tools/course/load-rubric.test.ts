import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadBands, loadRubric } from './load-rubric.ts';
import { makeTinyCourse, type TinyCourse, tinyRubric } from './testing/tiny-course.ts';

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
});
afterEach(() => course.remove());

test('fills in what a criterion leaves out', async () => {
  course.add('tiny');

  const { criteria } = await loadRubric(course.root, 'tiny');

  expect(criteria[2]).toMatchObject({ id: 'tidy', invariants: [], budgets: [], checks: ['type-check'] });
});

test.each([
  ['points: 20', 'points: 99', 'rubric/tiny.yaml: criteria[2].points: must be at most 40, but is 99.'],
  [
    '[a nudge, a push, a shove]',
    '[a nudge]',
    'rubric/tiny.yaml: criteria[1].hints: must be a list of at least 3 entries, but is ["a nudge"].',
  ],
  [
    'spec: [R2, E1]',
    'spec: [two]',
    'rubric/tiny.yaml: criteria[1].spec[0]: must name a rule or an edge case, such as R3 or E2, but is "two".',
  ],
  ['kata: tiny', 'kata: other', 'rubric/tiny.yaml: kata: must be tiny, as the file is called, but is other.'],
  ['bar: 70', 'bar: 70\nbar: 80', 'rubric/tiny.yaml: line 4: must be YAML, but:'],
])('names file, field and remedy (%#)', async (whole, broken, message) => {
  course.write('rubric/tiny.yaml', tinyRubric('tiny').replace(whole, broken));

  await expect(loadRubric(course.root, 'tiny')).rejects.toThrow(message);
});

test('says which file is missing', async () => {
  await expect(loadRubric(course.root, 'tiny')).rejects.toThrow('rubric/tiny.yaml: is missing.');
});

test('wants the bands from lowest to highest', async () => {
  const band = (id: string) => `  - { id: ${id}, title: t, says: s }\n`;
  const bandsOf = (...ids: string[]) => `share: 0.8\nbands:\n${ids.map(band).join('')}`;

  course.write('rubric/bands.yaml', bandsOf('mid', 'not-yet', 'senior', 'staff'));
  await expect(loadBands(course.root)).rejects.toThrow('rubric/bands.yaml: bands: must be not-yet, mid, senior, staff');
  course.write('rubric/bands.yaml', bandsOf('not-yet', 'mid', 'senior', 'staff'));
  await expect(loadBands(course.root)).resolves.toMatchObject({ share: 0.8 });
});
