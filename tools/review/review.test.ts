import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Mistake } from '../course/mistake.ts';
import { readReference } from '../course/solution-files.ts';
import type { Report } from '../grader/report.ts';
import { changedLines } from './changed-lines.ts';
import { applyAll, mistakeSets, placesOf } from './choose-mistakes.ts';
import { findingsTemplate, readFindings, withFinding } from './findings.ts';

import { neutralCode } from './neutral-code.ts';
import { asPlaced, asShown } from './reviewed-file.ts';
import type { AnswerKey, RoundResult } from './round.ts';
import { type Submission, score } from './score.ts';
import { beginRound, endRound, keyOf, openRound, roundFiles } from './store.ts';

const repository = path.resolve(import.meta.dirname, '..', '..');
const root = mkdtempSync(path.join(tmpdir(), 'kata review '));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const CRITERIA = [
  { id: 'one-key', title: 'Sends one key' },
  { id: 'in-order', title: 'Keeps the order' },
  { id: 'tidy', title: 'Is readable' },
] as const;

const REFERENCE = Array.from({ length: 60 }, (_, n) => `const line${n + 1} = ${n + 1};`).join('\n');
const WHOLE = { 'index.ts': REFERENCE };
const mistake = (id: string, line: number, criterion = id): Mistake => ({
  id,
  title: `Breaks ${id}.`,
  criterion,
  edits: [{ find: `const line${line} = ${line};`, replace: `const line${line} = 0;` }],
});

test('takes comments out of code, and nothing else', async () => {
  const code = [
    '/** Sends each one once. */',
    "const url = 'https://example.org'; // where it goes",
    'const text = `',
    '// no comment, but text',
    '`;',
    '',
    '',
    '',
    'export const both = [url, text];',
  ].join('\n');

  const bare = await neutralCode(repository, code);

  expect(bare).not.toMatch(/Sends each|where it goes/);
  expect(bare).toContain('// no comment, but text');
  expect(bare).toContain("'https://example.org'");
  expect(bare).not.toContain('\n\n\n');
});

test.each(['offline-queue', 'token-refresh', 'cursor-pagination', 'escalation-routing'])(
  'leaves no comment in the reference of %s',
  async (slug) => {
    const reference = Object.values(await readReference(repository, slug));

    const bare = (await Promise.all(reference.map((text) => neutralCode(repository, text)))).join('\n');

    expect(bare.match(/^\s*(?:\/\/|\/\*|\*)|\s\/\/ .*$/gm)).toBeNull();
    expect(bare.split('\n').length).toBeGreaterThan(100);
  },
);

test('chooses the same mistakes for the same seed, and others for another', () => {
  const all = [5, 15, 25, 35, 45].map((line) => mistake(`m${line}`, line));
  const first = (seed: number) => [...mistakeSets(WHOLE, all, 2, seed)][0]?.mistakes.map(({ id }) => id);

  expect(first(3)).toEqual(first(3));
  expect(new Set([1, 2, 3, 4, 5, 6].map((seed) => first(seed)?.join())).size).toBeGreaterThan(1);
});

test.each([
  ['of one criterion', [mistake('a', 5, 'one-key'), mistake('b', 40, 'one-key')]],
  ['on the same line', [mistake('a', 5), mistake('b', 5)]],
  ['so near that a finding would be right for both', [mistake('a', 5), mistake('b', 12)]],
])('never puts two mistakes together that are %s', (_, mistakes) => {
  expect([...mistakeSets(WHOLE, mistakes, 2, 1)]).toEqual([]);
});

test('puts mistakes of one file together, and leaves out one that is in several', () => {
  const [head = '', ...rest] = REFERENCE.split(/(?=const line31 )/);
  const parts = { 'index.ts': head, 'deep/rest.ts': rest.join('') };
  const both = { ...mistake('d', 5), edits: [...mistake('d', 20).edits, ...mistake('d', 60).edits] };

  const sets = [...mistakeSets(parts, [mistake('a', 5), mistake('b', 40), mistake('c', 50), both], 2, 1)];

  expect(sets.map(({ file }) => file)).toEqual(['deep/rest.ts', 'deep/rest.ts']);
  expect(sets.map(({ mistakes }) => mistakes.map(({ id }) => id).sort())).toEqual([
    ['b', 'c'],
    ['b', 'c'],
  ]);
});

test('applies mistakes together, or not at all', () => {
  const both = applyAll(WHOLE, [mistake('a', 5), mistake('b', 40)]);

  expect(both?.['index.ts']).toContain('const line5 = 0;');
  expect(both?.['index.ts']).toContain('const line40 = 0;');
  expect(applyAll(WHOLE, [mistake('a', 5), mistake('b', 5)])).toBeNull();
});

test('finds changed lines, and the gap where lines were taken out', () => {
  expect(changedLines('a\nb\nc\nd\n', 'a\nB\nC\nd\n')).toEqual([{ from: 2, to: 3 }]);
  expect(changedLines('a\nb\nc\n', 'a\nc\n')).toEqual([{ from: 1, to: 2 }]);
  expect(changedLines('a\nb\n', 'a\nnew\nb\n')).toEqual([{ from: 2, to: 2 }]);
  expect(changedLines('a\n', 'a\n')).toEqual([]);
});

test('knows where a mistake stands in the reference', () => {
  expect(placesOf('one\ntwo\nthree\n', { edits: [{ find: 'two\nthree', replace: '' }] })).toEqual([{ from: 2, to: 3 }]);
});

const read = (text: string) => readFindings(text, 'f.yaml', CRITERIA, 60);

test('reads lines as a number, a text or a range, either way round', () => {
  const { findings } = read('findings:\n  - lines: 12\n  - lines: "12"\n  - lines: 14 - 12\n');

  expect(findings.map(({ lines }) => [lines.from, lines.to])).toEqual([
    [12, 12],
    [12, 12],
    [12, 14],
  ]);
});

test.each([
  ['findings:\n  - lines: 61\n', 'f.yaml: findings[0].lines: must be lines of the code as given, which has 60.'],
  ['findings:\n  - lines: top\n', 'f.yaml: findings[0].lines: must be a line such as 12, or lines such as 12-14'],
  ['findings:\n  - lines: 1-60\n', 'f.yaml: findings[0].lines: must be 20 lines at most: say where it is'],
  [
    'findings:\n  - { lines: 1, criterion: one-kye }\n',
    'f.yaml: findings[0].criterion: must be a criterion of the kata, but is one-kye. Did you mean one-key?',
  ],
  ['findings: [\n', 'f.yaml: line 2: must be YAML'],
  ['found: []\n', 'f.yaml: findings: must be a list'],
])('names what is wrong in findings: %j', (text, says) => {
  expect(() => read(text)).toThrow(says);
});

test('adds a finding and keeps what the person wrote, comments too', () => {
  const criteria = CRITERIA.map((one) => ({
    ...one,
    dimension: 'correctness' as const,
    level: 'mid' as const,
    points: 1,
    spec: [],
    invariants: [],
    budgets: [],
    checks: [],
    hints: ['a', 'b', 'c'] as [string, string, string],
  }));
  const first = { lines: { from: 3, to: 3 }, criterion: 'one-key', consequence: 'Twice: "no".' };
  const second = { lines: { from: 4, to: 6 }, consequence: '' };

  const once = withFinding(`# my notes\n${findingsTemplate('queue', criteria)}`, 'f.yaml', first);
  const twice = withFinding(once, 'f.yaml', second);

  expect(twice).toContain('# my notes');
  expect(twice).toContain('#   one-key ');
  expect(read(twice).findings).toEqual([first, second]);
});

const KEY: AnswerKey = {
  file: 'outbox.ts',
  given: 'given\n',
  others: { 'index.ts': 'import "./outbox.ts";\n' },
  planted: [
    { id: 'a', title: 'Breaks the key.', criterion: 'one-key', lines: [{ from: 10, to: 12 }], edits: [] },
    { id: 'b', title: 'Breaks the order.', criterion: 'in-order', lines: [{ from: 40, to: 40 }], edits: [] },
  ],
};
const ROUND: Submission['round'] = {
  schemaVersion: 1,
  id: 'queue-1',
  kata: { slug: 'queue', version: 1, suiteHash: 'aaaa' },
  source: { kind: 'reference', seed: 1, mistakes: 2 },
  begunAt: '2026-03-02T09:00:00.000Z',
  state: 'open',
  key: '',
};

/** A report in which these criteria have a failing test. */
function reportWith(...lost: string[]): Report {
  const criteria = CRITERIA.map(({ id, title }) => ({
    id,
    title,
    evidence: [{ kind: 'test', id: `tests ${id}`, status: lost.includes(id) ? 'fail' : 'pass', detail: 'expected 1' }],
  }));
  const tests = CRITERIA.map(({ id }) => ({
    name: `tests ${id}`,
    status: lost.includes(id) ? 'fail' : 'pass',
    message: 'expected 1',
  }));
  return { criteria, tests, simulation: { violations: [] } } as unknown as Report;
}
const GIVEN = reportWith('one-key', 'in-order');
const at = (from: number, criterion?: string, consequence = '') => ({
  lines: { from, to: from },
  consequence,
  ...(criterion === undefined ? {} : { criterion }),
});

function scored(findings: Submission['findings'], mended: Report | null, given = GIVEN): RoundResult {
  const left = (mended ?? given).criteria.flatMap(({ id, title, evidence }) =>
    evidence.some(({ status }) => status === 'fail') ? [{ id, title, because: 'test' }] : [],
  );
  const submission = { round: ROUND, key: KEY, findings, code: '' };
  return score(submission, CRITERIA, { given, mended, left, at: '2026-03-02T10:00:00.000Z' });
}

test('gives 100 for every place, promise and fix', () => {
  const result = scored([at(11, 'one-key'), at(40, 'in-order')], reportWith());

  expect(result).toMatchObject({ score: 100, falseAlarms: [], broken: [] });
});

test.each([
  [8, true],
  [14, true],
  [7, false],
  [15, false],
])('takes line %i for near lines 10 to 12: %s', (line, isFound) => {
  expect(scored([at(line)], null).mistakes[0]?.isPlaceFound).toBe(isFound);
});

test('gives nothing for silence and an untouched file', () => {
  const result = scored([], null);

  expect(result.score).toBe(0);
  expect(result.mistakes.map(({ isPlaceFound, isFixed }) => [isPlaceFound, isFixed])).toEqual([
    [false, false],
    [false, false],
  ]);
});

test('parts the points into place, promise and fix', () => {
  expect(scored([at(11)], null).score).toBe(15);
  expect(scored([at(11, 'one-key')], null).score).toBe(25);
  expect(scored([], reportWith('in-order')).score).toBe(25);
});

test('takes a finding that names the promise for none of the false alarms, wherever it points', () => {
  const result = scored([at(30, 'one-key')], null);

  expect(result.falseAlarms).toEqual([]);
  expect(result.mistakes[0]).toMatchObject({ isPlaceFound: false, isConsequenceNamed: true });
});

test('takes another promise that the mistake broke for a right answer at its place', () => {
  const result = scored([at(11, 'tidy')], null, reportWith('one-key', 'in-order', 'tidy'));

  expect(result.mistakes[0]).toMatchObject({ isPlaceFound: true, isConsequenceNamed: true });
  expect(result.falseAlarms).toEqual([]);
});

test('takes a wrong promise at the right place for half right', () => {
  const result = scored([at(11, 'tidy')], null);

  expect(result.mistakes[0]).toMatchObject({ isPlaceFound: true, isConsequenceNamed: false });
  expect(result).toMatchObject({ score: 15, falseAlarms: [] });
});

test('takes points off for guessing on at the right place', () => {
  const result = scored([at(11, 'one-key'), at(12, 'tidy'), at(11)], null);

  expect(result.falseAlarms.map(({ criterion }) => criterion)).toEqual(['tidy']);
});

test('takes points off for false alarms and for what the fix broke', () => {
  const result = scored(
    [at(11, 'one-key'), at(40, 'in-order'), at(25, 'tidy'), at(26, undefined, 'Hm.')],
    reportWith('tidy'),
  );

  expect(result.score).toBe(70);
  expect(result.falseAlarms.map(({ lines }) => lines.from)).toEqual([25, 26]);
  expect(result.broken.map(({ criterion }) => criterion)).toEqual(['tidy']);
});

test('blames the fix for nothing that was broken before', () => {
  expect(scored([], reportWith('in-order')).broken).toEqual([]);
});

test('blames the fix for nothing that could not be judged before', () => {
  const given = reportWith('one-key', 'in-order');
  const blocked = given.criteria.map((one) =>
    one.id === 'tidy' ? { ...one, evidence: one.evidence.map((each) => ({ ...each, status: 'blocked' })) } : one,
  );

  expect(scored([], reportWith('tidy'), { ...given, criteria: blocked } as Report).broken).toEqual([]);
});

test('never falls below nothing', () => {
  expect(scored([at(20, 'tidy'), at(25, 'tidy')], null).score).toBe(0);
});

const begin = (key: AnswerKey = KEY) =>
  beginRound(root, { kata: ROUND.kata, source: ROUND.source, begunAt: ROUND.begunAt }, key, 'findings: []\n');
const findOpen = (unreadable: string[] = []) => openRound(root, 'queue', (file) => unreadable.push(file));

test('keeps rounds by number, gives the newest open one, and ends it with its result', async () => {
  const [first, second] = [await begin(), await begin()];
  const open = await findOpen();
  await endRound(root, second, { ...scored([], null), round: second.id });

  expect([first.id, second.id, open?.id]).toEqual(['queue-1', 'queue-2', 'queue-2']);
  expect((await findOpen())?.id).toBe('queue-1');
  expect(JSON.parse(readFileSync(path.join(root, roundFiles('queue-2').result), 'utf8')).score).toBe(0);
});

test('hides the answers from a glance, and reads them back', async () => {
  const round = await begin();

  expect(readFileSync(path.join(root, roundFiles(round.id).session), 'utf8')).not.toContain('Breaks the key');
  expect(keyOf(round)).toEqual(KEY);
  expect(keyOf({ ...round, key: round.key.slice(0, 20) })).toBeNull();
});

test('takes a round of old, which knows of one file only, for one of index.ts', async () => {
  const { file: _, others: __, ...old } = KEY;
  const round = await begin(old as AnswerKey);

  expect(keyOf(round)).toEqual({ file: 'index.ts', others: {}, ...old });
});

test('shows imports that lead from the round to the reference, and takes them back', () => {
  const code = `import { a } from './a.ts';\nexport * from '../b.ts';\nimport { c } from 'redux';\n`;
  const key = { file: 'deep/file.ts', others: { 'b.ts': 'export {};\n' } };

  const shown = asShown(root, 'queue', key.file, code);

  expect(shown).toBe(
    `import { a } from '../../../solutions/queue/deep/a.ts';\nexport * from '../../../solutions/queue/b.ts';\nimport { c } from 'redux';\n`,
  );
  expect(asPlaced(root, 'queue', key, shown)).toEqual({ ...key.others, [key.file]: code });
});

test('names a round whose session is cut, leaves it as it is, and goes on with another', async () => {
  const round = await begin();
  const file = path.join(root, roundFiles(round.id).session);
  const cut = readFileSync(file, 'utf8').slice(0, 50);
  writeFileSync(file, cut);
  mkdirSync(path.join(root, '.kata/reviews/queue-99'));
  const unreadable: string[] = [];

  const open = await findOpen(unreadable);

  expect(unreadable).toEqual([roundFiles(round.id).session]);
  expect(open?.id).not.toBe(round.id);
  expect(readFileSync(file, 'utf8')).toBe(cut);
  expect((await begin()).id).toBe('queue-100');
});
