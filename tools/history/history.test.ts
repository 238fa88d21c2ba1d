import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type History, type NewGrade, openHistory } from './history.ts';
import { HISTORY_VERSION } from './migrations.ts';

let root: string;
let warnings: string[];
const open: History[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kata history '));
  warnings = [];
});
afterEach(() => {
  for (const history of open.splice(0)) history.close();
  rmSync(root, { recursive: true, force: true });
});

async function opened(options: { readOnly?: boolean } = {}): Promise<History> {
  const history = await openHistory(root, { warn: (sentence) => warnings.push(sentence), ...options });
  open.push(history);
  return history;
}

const folder = () => join(root, '.kata');
const file = () => join(folder(), 'history.db');
const KATA = { slug: 'queue', version: 1, suiteHash: 'aaaa' };

const grade = (changes: Partial<NewGrade> = {}): NewGrade => ({
  kata: 'queue',
  at: '2026-03-02T09:00:00.000Z',
  score: 80,
  bar: 70,
  band: 'mid',
  status: 'passed',
  kataVersion: 1,
  suiteHash: 'aaaa',
  attemptHash: 'bbbb',
  report: '{"score":80}',
  ...changes,
});
const below = { score: 40, status: 'below-bar' } as const;

test('keeps grades with their reports, oldest first', async () => {
  const history = await opened();
  history.addGrade(grade(below));
  history.addGrade(grade({ report: '{"score":81}', score: 81 }));
  history.close();

  const again = await opened();

  expect(again.grades('queue').map(({ score }) => score)).toEqual([40, 81]);
  expect(again.lastReport('queue')).toBe('{"score":81}');
  expect(again.lastReport('paging')).toBeNull();
  expect(warnings).toEqual([]);
});

test.each([
  ['never-tried', false, []],
  ['in-progress', true, []],
  ['in-progress', false, [grade(below)]],
  ['solved', true, [grade(below), grade()]],
  ['broken-since', true, [grade(), grade(below)]],
  ['stale', true, [grade({ kataVersion: 2 })]],
  ['stale', true, [grade({ suiteHash: 'cccc' })]],
  ['broken-since', true, [grade({ suiteHash: 'cccc' }), grade({ status: 'not-gradable', score: 0 })]],
  ['solved', true, [grade({ suiteHash: 'cccc' }), grade()]],
  ['in-progress', true, [grade({ status: 'incomplete', score: 90 })]],
] as const)('knows a kata as %s (attempt there: %s, grades: %#)', async (state, hasAttempt, grades) => {
  const history = await opened();
  for (const one of grades) history.addGrade(one);

  expect(history.standing(KATA, hasAttempt).state).toBe(state);
});

test('tells the best score, and when it was solved', async () => {
  const history = await opened();
  history.addGrade(grade({ score: 91 }));
  history.addGrade(grade(below));

  expect(history.standing(KATA, true)).toMatchObject({ best: 91, last: { score: 40 }, solvedAt: grade().at });
  expect(history.wasSolved('queue')).toBe(true);
  expect(history.wasSolved('paging')).toBe(false);
});

test('remembers hints by criterion and marks by kata', async () => {
  const history = await opened();
  history.keepHintStep('queue', 'one-key', 1);
  history.keepHintStep('queue', 'one-key', 2);
  history.setMark('queue', 'diff-asked');
  history.setMark('queue', 'diff-asked');

  expect(history.hintSteps('queue')).toEqual({ 'one-key': 2 });
  expect([history.hasMark('queue', 'diff-asked'), history.hasMark('paging', 'diff-asked')]).toEqual([true, false]);
});

test('makes no file for a command that only reads', async () => {
  const history = await opened({ readOnly: true });

  expect(history.grades()).toEqual([]);
  expect(history.addGrade(grade())).toBe(false);
  expect(existsSync(folder())).toBe(false);
});

test.each([
  ['another kind of file', () => writeFileSync(file(), 'not a database at all, '.repeat(400))],
  ['half-written', () => truncateSync(file(), 5000)],
])('puts a history aside that is %s, says so once, and goes on', async (_, spoil) => {
  const first = await opened();
  for (let n = 0; n < 20; n += 1) first.addGrade(grade({ report: 'x'.repeat(5000) }));
  first.close();
  spoil();
  const spoilt = readFileSync(file());

  const history = await opened();
  history.addGrade(grade());

  expect(history.grades()).toHaveLength(1);
  expect(warnings).toEqual([
    'The history of your grades could not be read. It is kept as .kata/history.db.unreadable-1, and a new one was begun.',
  ]);
  expect(readFileSync(join(folder(), 'history.db.unreadable-1'))).toEqual(spoilt);
});

test('never overwrites what was put aside before', async () => {
  mkdirSync(folder());
  for (const text of ['first', 'second']) {
    writeFileSync(file(), `${text} `.repeat(500));
    const history = await opened();
    history.close();
  }

  expect(readdirSync(folder()).filter((name) => name.includes('unreadable'))).toHaveLength(2);
  expect(readFileSync(join(folder(), 'history.db.unreadable-1'), 'utf8')).toContain('first');
});

test('leaves alone what a newer version has written', async () => {
  mkdirSync(folder());
  const newer = new DatabaseSync(file());
  newer.exec(`CREATE TABLE later (x); PRAGMA user_version = ${HISTORY_VERSION + 1}`);
  newer.close();
  const before = readFileSync(file());

  const history = await opened();

  expect(history.addGrade(grade())).toBe(true);
  expect(warnings).toEqual([expect.stringContaining('newer version')]);
  expect(readFileSync(file())).toEqual(before);
});

test('goes on without a history where none can be written', async () => {
  writeFileSync(folder(), 'a file where the folder should be');

  const history = await opened();
  history.addGrade(grade());

  expect(history.grades()).toHaveLength(1);
  expect(warnings).toEqual([
    'Grades and hints of this command are not kept: a file stands where a folder is needed. Move it away and try again.',
  ]);
});

test('takes writes of several commands at once', async () => {
  const script = `
    const { openHistory } = await import(${JSON.stringify(join(import.meta.dirname, 'history.ts'))});
    const history = await openHistory(${JSON.stringify(root)}, { warn: (text) => { throw new Error(text); } });
    for (let n = 0; n < 20; n += 1) history.addGrade(${JSON.stringify(grade())});
    history.close();`;
  const command = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);

  await Promise.all([command(), command(), command(), command()]);

  expect((await opened()).grades()).toHaveLength(80);
});

test('still tells what was kept where nothing can be written', async () => {
  const first = await opened();
  first.addGrade(grade());
  first.close();
  mkdirSync(`${file()}-wal`);

  const history = await opened();

  expect(history.addGrade(grade())).toBe(false);
  expect(history.standing(KATA, true)).toMatchObject({ state: 'solved', best: 80 });
  expect(warnings).toEqual([expect.stringMatching(/^Grades and hints of this command are not kept: .+\.$/)]);
});
