import { expect, test } from 'vitest';
import { suiteTitles } from './suite-titles.ts';

test('reads tests on one line and on several, as the formatter leaves them', () => {
  const source = `
import { test } from 'vitest';

test('counts', { tags: ['counting', 'R1'] }, () => {});

test(
  'keeps its title on a line of its own, since it is long',
  { tags: ['keeping', 'R2', 'E1'] },
  async () => {},
);

test("doesn't lose \\"any\\"", {
  tags: [
    'keeping',
    'R3',
  ],
}, () => {});

test('says it\\'s there', { tags: ["counting"] }, () => {});
`;

  expect(suiteTitles(source)).toEqual([
    { name: 'counts', tags: ['counting', 'R1'] },
    { name: 'keeps its title on a line of its own, since it is long', tags: ['keeping', 'R2', 'E1'] },
    { name: `doesn't lose "any"`, tags: ['keeping', 'R3'] },
    { name: "says it's there", tags: ['counting'] },
  ]);
});

test('leaves out what is no test of the suite', () => {
  const source = `
// test('an idea', { tags: ['counting'] }, () => {});
test.skip('later', { tags: ['counting'] }, () => {});
  test('nested', { tags: ['counting'] }, () => {});
test('without tags', () => {});
`;

  expect(suiteTitles(source)).toEqual([]);
});
