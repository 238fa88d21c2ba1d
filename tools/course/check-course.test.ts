import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkKata, checkOrder, type KataEvidence } from './check-course.ts';
import { describeProblem } from './course-problem.ts';
import { makeTinyCourse, type TinyCourse, tinyRubric, tinySpec } from './testing/tiny-course.ts';

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
  course.add('tiny');
});
afterEach(() => course.remove());

const EVIDENCE: KataEvidence = {
  tests: [
    { name: 'keeps', tags: ['durable', 'R1'] },
    { name: 'sends again', tags: ['delivered', 'R2', 'E1'] },
  ],
  invariants: [{ id: 'keeps', spec: ['R1'] }],
  budgets: [{ id: 'requests', spec: [] }],
  routes: ['PUT /note'],
  mistakes: [{ id: 'forgets', criterion: 'durable' }],
};

const check = async (evidence: Partial<KataEvidence> = {}) =>
  (await checkKata(course.root, 'tiny', { ...EVIDENCE, ...evidence })).map(describeProblem);

test('finds nothing wrong with a kata that is whole', async () => {
  expect(await check()).toEqual([]);
});

const DRILL = `drill:
  - { id: kept, ask: When is it kept?, answer: Once it is stored., spec: [R1] }
`;

test('finds nothing wrong with drill questions that come from rules there are', async () => {
  course.write('rubric/tiny.yaml', tinyRubric('tiny') + DRILL);

  expect(await check()).toEqual([]);
});

test.each([
  [
    'of one name',
    '  - { id: kept, ask: Another?, answer: Yes., spec: [R1] }\n',
    'rubric/tiny.yaml: drill[1].id: must be of one question only, but kept is also drill[0].',
  ],
  [
    'asked twice',
    '  - { id: again, ask: When is it kept?, answer: Later., spec: [R1] }\n',
    'rubric/tiny.yaml: drill[1].ask: asks the same as drill[0]. Take one of them out.',
  ],
  [
    'from nowhere',
    '  - { id: again, ask: Another?, answer: Yes., spec: [R7] }\n',
    'rubric/tiny.yaml: drill[1].spec: must name rules of specs/tiny.md, but names R7.',
  ],
])('refuses drill questions %s', async (_, more, says) => {
  course.write('rubric/tiny.yaml', tinyRubric('tiny') + DRILL + more);

  expect(await check()).toEqual([says]);
});

test.each([
  [
    'weights',
    'points: 20',
    'points: 15',
    'rubric/tiny.yaml: criteria: must have points that sum to 100, but they sum to 95.',
  ],
  [
    'ids',
    'id: tidy',
    'id: durable',
    'rubric/tiny.yaml: criteria[2].id: must be of one criterion only, but durable is also criteria[0].',
  ],
  [
    'hints alike',
    '[a nudge, a push, a shove]',
    '[a nudge, A nudge, a shove]',
    'rubric/tiny.yaml: criteria[1].hints[1]: says the same as hints[0]. Each hint goes one step further.',
  ],
  [
    'hints blank',
    '[a nudge, a push, a shove]',
    '[a nudge, " ", a shove]',
    'rubric/tiny.yaml: criteria[1].hints[1]: must not be empty. Write a hint that goes one step further.',
  ],
  [
    'foreign rules',
    'spec: [R2, E1]',
    'spec: [R2, E1, R9]',
    'rubric/tiny.yaml: criteria[1].spec[2]: must name a rule of specs/tiny.md, but names R9.',
  ],
  [
    'a rule twice',
    'spec: [R2, E1]',
    'spec: [R2, E1, R2]',
    'rubric/tiny.yaml: criteria[1].spec[2]: names R2 a second time. Take it out.',
  ],
  [
    'levels',
    'level: senior',
    'level: staff',
    'rubric/tiny.yaml: criteria[1].level: must be senior, the highest among its rules R2, E1, but is staff.',
  ],
  [
    'rules judged by none',
    'spec: [R2, E1]',
    'spec: [R2]',
    'specs/tiny.md: E1: is judged by no criterion. List it in the spec of one in rubric/tiny.yaml.',
  ],
  [
    'unknown invariants',
    '[keeps]',
    '[keeps, flies]',
    'rubric/tiny.yaml: criteria[0].invariants[1]: must name one of keeps, but names flies.',
  ],
  [
    'invariants of two',
    'budgets: [requests]',
    'budgets: [requests]\n    invariants: [keeps]',
    'katas/tiny/scenario.ts: invariants keeps: must back one criterion, but backs durable and delivered. List it under one criterion of rubric/tiny.yaml.',
  ],
  [
    'budgets of none',
    '    budgets: [requests]\n',
    '',
    'katas/tiny/scenario.ts: budgets requests: must back one criterion, but backs none. List it under one criterion of rubric/tiny.yaml.',
  ],
  [
    'criteria without evidence',
    '    checks: [type-check]\n',
    '',
    'rubric/tiny.yaml: criteria[2]: has no evidence. Tag a test with tidy, or list an invariant, a budget or a check.',
  ],
])('catches in the rubric: %s', async (_, whole, broken, message) => {
  course.write('rubric/tiny.yaml', tinyRubric('tiny').replace(whole, broken));

  expect(await check()).toContain(message);
});

test.each([
  [
    'a section missing',
    '## Caching\n\nNothing.\n\n',
    '',
    'specs/tiny.md: ## Caching: is missing. Add the heading ## Caching, spelt just so.',
  ],
  [
    'a section misspelt',
    '## Offline & Sync Strategy',
    '## Offline and Sync Strategy',
    'specs/tiny.md: ## Offline & Sync Strategy: is missing. Add the heading ## Offline & Sync Strategy, spelt just so.',
  ],
  [
    'a section empty',
    'One value.',
    '',
    'specs/tiny.md: ## Client Implementation: is empty. Write it, or say in a sentence why there is nothing to say.',
  ],
  [
    'a section twice',
    '## Edge Cases',
    '## Caching\n\nAgain.\n\n## Edge Cases',
    'specs/tiny.md: ## Caching: stands 2 times. Make it one section.',
  ],
  [
    'an opening missing',
    'What was saved must not be lost.\n',
    '',
    'specs/tiny.md: has no opening. Put a paragraph before the first section.',
  ],
  [
    'data models missing',
    '```ts\ntype Note = string;\n```',
    'None.',
    'specs/tiny.md: ## Data Models: must hold the contract’s types in a ```ts block.',
  ],
  [
    'a level missing',
    '  E1: senior\n',
    '',
    'specs/tiny.md: rules.E1: is missing. The text states E1: give its level (mid, senior or staff) in the front matter.',
  ],
  [
    'a rule not stated',
    '  E1: senior',
    '  E1: senior\n  E2: senior',
    'specs/tiny.md: rules.E2: is not stated in the text. Write it as a list item: - **E2** and what must hold.',
  ],
  ['a rule empty', '- **E1** killed in the middle.', '- **E1**', 'specs/tiny.md: E1: is empty. Say what must hold.'],
  ['a gap', '- **E1**', '- **E2**', 'specs/tiny.md: E1: is missing. Number rules and edge cases without gaps.'],
  [
    'minutes',
    'minutes: 30',
    'minutes: 50',
    'specs/tiny.md: minutes: must be from 30 to 45 for a pattern, but is 50. Cut or move the kata.',
  ],
  [
    'an endpoint untold',
    '| `PUT /note` | 200 |\n',
    '',
    'specs/tiny.md: ## API Endpoints: says nothing of PUT /note, which the backend serves. Add a row to the table.',
  ],
  [
    'an endpoint unserved',
    '| 200 |\n',
    '| 200 |\n| `GET /note` | 200 |\n',
    'specs/tiny.md: ## API Endpoints: lists GET /note, which the backend does not serve. Add the route or take the row out.',
  ],
])('catches in the spec: %s', async (_, whole, broken, message) => {
  course.write('specs/tiny.md', tinySpec().replace(whole, broken));

  expect(await check()).toContain(message);
});

test('catches sections out of order', async () => {
  const caching = '## Caching\n\nNothing.\n\n';
  course.write('specs/tiny.md', `${tinySpec().replace(caching, '')}\n${caching}`);

  expect(await check()).toEqual([expect.stringContaining('## Caching: is out of order.')]);
});

test.each([
  ['a test without a criterion', { tags: ['R1'] }, 'must be tagged with the criterion it backs.'],
  [
    'a test of two',
    { tags: ['durable', 'delivered', 'R1'] },
    'must back one criterion, but is tagged with durable and delivered.',
  ],
  [
    'a tag unknown',
    { tags: ['durable', 'slow'] },
    'has the tag slow, which is neither a criterion of the rubric nor a rule. Mend it.',
  ],
  ['a rule unknown', { tags: ['durable', 'R8'] }, 'has the tag R8, which the spec does not state.'],
  [
    'a rule its criterion does not judge',
    { tags: ['durable', 'E1'] },
    'is about E1, which its criterion durable does not judge. Add it to its spec list.',
  ],
])('catches in the suite: %s', async (_, { tags }, message) => {
  const problems = await check({ tests: [...EVIDENCE.tests, { name: 'odd', tags }] });

  expect(problems).toEqual([`katas/tiny/suite.test.ts: test "odd": ${message}`]);
});

test('catches two tests of one title', async () => {
  const problems = await check({ tests: [...EVIDENCE.tests, ...EVIDENCE.tests.slice(0, 1)] });

  expect(problems).toEqual([
    'katas/tiny/suite.test.ts: test "keeps": has the same title as another test. Give it its own.',
  ]);
});

test('catches a rule that no evidence is about', async () => {
  const tests = EVIDENCE.tests.map(({ name, tags }) => ({ name, tags: tags.filter((tag) => tag !== 'E1') }));

  expect(await check({ tests })).toEqual([
    "specs/tiny.md: E1: has no evidence. Tag a test with E1, or name it in an invariant's spec.",
  ]);
});

test('catches an invariant about a rule that is not stated', async () => {
  const problems = await check({ invariants: [{ id: 'keeps', spec: ['R1', 'R7'] }] });

  expect(problems).toEqual(['katas/tiny/scenario.ts: invariants keeps: names R7, which specs/tiny.md does not state.']);
});

test('catches a mistake whose criterion does not exist, and one named twice', async () => {
  const problems = await check({ mistakes: [...EVIDENCE.mistakes, { id: 'forgets', criterion: 'tidyness' }] });

  expect(problems).toEqual([
    "katas/tiny/mistakes.ts: mistake forgets: must name the criterion that catches it, but tidyness is none of the rubric's.",
    'katas/tiny/mistakes.ts: mistake forgets: has the id of another mistake.',
  ]);
});

test('names a missing file once, and still says what is wrong elsewhere', async () => {
  rmSync(join(course.root, 'specs/tiny.md'));
  rmSync(join(course.root, 'solutions/tiny/alternative.ts'));

  expect(await check()).toEqual([
    'specs/tiny.md: is missing. Every kata has it: write it.',
    'solutions/tiny/alternative.ts: is missing. Every kata has it: write it.',
  ]);
});

test('names a part of a solution that is imported and not there, and who imports it', async () => {
  course.write('solutions/tiny/alternative.ts', `import './table.ts';\n`);

  expect(await check()).toEqual([
    'solutions/tiny/alternative.ts: imports solutions/tiny/table.ts, which is missing. Write it, or mend the import.',
  ]);
});

test('catches a module that no solution imports', async () => {
  course.write('solutions/tiny/index.ts', `import './parts/used.ts';\n`);
  for (const name of ['parts/used.ts', 'parts/left.ts', 'parts/used.test.ts'])
    course.write(`solutions/tiny/${name}`, 'export {};\n');

  expect(await check()).toEqual([
    'solutions/tiny/parts/left.ts: is part of neither the reference nor the alternative. Import it, or take it away.',
  ]);
});

test('catches a kata that builds on itself by a detour, or on none', () => {
  const problems = checkOrder([
    { slug: 'a', buildsOn: ['b'] },
    { slug: 'b', buildsOn: ['a'] },
    { slug: 'c', buildsOn: ['a', 'x'] },
  ]);

  expect(problems.map(describeProblem)).toEqual([
    'specs/a.md: buildsOn: leads back to a itself. Take one step out of the circle.',
    'specs/b.md: buildsOn: leads back to b itself. Take one step out of the circle.',
    'specs/c.md: buildsOn: must name katas there are, but names x. Mend or remove it.',
  ]);
});
