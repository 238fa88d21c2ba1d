import { expect, test } from 'vitest';
import { readSpec } from './load-spec.ts';
import { tinySpec } from './testing/tiny-course.ts';

const read = (text: string) => readSpec(text, 'tiny', 'specs/tiny.md');

test('reads front matter, opening, rules, endpoints and data models', () => {
  const spec = read(tinySpec());

  expect(spec).toMatchObject({
    title: 'Tiny kata',
    opening: 'What was saved must not be lost.',
    stated: [
      { id: 'R1', text: '`save` resolves once the note is stored.', level: 'mid' },
      { id: 'R2', text: 'the note is sent again; R1 still holds.', level: 'senior' },
      { id: 'E1', text: 'killed in the middle.', level: 'senior' },
    ],
    endpoints: ['PUT /note'],
    dataModels: 'type Note = string;\n',
  });
  expect(spec.sections.map(({ name }) => name)).toContain('Offline & Sync Strategy');
});

test.each([
  ['| R1 | kept |', 'kept'],
  ['### R1: kept', 'kept'],
  ['* R1 kept', 'kept'],
  ['1. **R1** – kept', 'kept'],
  ['**R1.** kept', 'kept'],
])('reads the rule in %s', (line, text) => {
  const spec = read(tinySpec().replace(/- \*\*R1\*\*.*\n.*\n/, `${line}\n`));

  expect(spec.stated[0]).toMatchObject({ id: 'R1', text });
});

test('takes neither prose nor code for a rule', () => {
  const spec = read(tinySpec().replace('Nothing.', 'R3 is not one.\n\n```md\n- **R4** nor this\n## Nor this\n```'));

  expect(spec.stated.map(({ id }) => id)).toEqual(['R1', 'R2', 'E1']);
  expect(spec.sections).toHaveLength(7);
});

test('reads method and path from two cells too', () => {
  const spec = read(tinySpec().replace('| `PUT /note` | 200 |', '| GET | `/notes/:id` | 200 |\n| Event | noted | |'));

  expect(spec.endpoints).toEqual(['GET /notes/:id']);
});

test.each([
  [
    tinySpec().replace('tier: pattern', 'tier: patern'),
    'specs/tiny.md: tier: must be one of pattern, feature, but is "patern".',
  ],
  [tinySpec().replace('minutes: 30', 'minutes: soon'), 'specs/tiny.md: minutes: must be a number, but is "soon".'],
  [
    tinySpec().replace('title: Tiny kata\n', ''),
    'specs/tiny.md: title: must be text (put quotes around it if it looks like a number or a date), but is missing.',
  ],
  [
    tinySpec().replace('level:', 'lvl: 1\nlevel:'),
    'specs/tiny.md: lvl: is not a field we know. Check its spelling, or take it out.',
  ],
  [
    tinySpec().replace('R1: mid', 'Q1: mid'),
    'specs/tiny.md: rules.Q1: has an entry whose name cannot be: must name a rule or an edge case, such as R3 or E2',
  ],
  [tinySpec().replace('[durable-write]', '[durable'), 'specs/tiny.md: line 8: must be YAML, but:'],
  ['# No front matter', 'specs/tiny.md: line 1: must begin with front matter'],
])('names file, field and remedy of what is wrong in the front matter (%#)', (text, message) => {
  expect(() => read(text)).toThrow(message);
});
