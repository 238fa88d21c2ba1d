// `kata drill` and `kata progress` in a tiny course.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTinyCourse, type TinyCourse, tinyRubric } from '../course/testing/tiny-course.ts';
import { openHistory } from '../history/history.ts';
import { run as runDrill } from './commands/drill.ts';
import { createContext } from './context.ts';
import { EXIT } from './exit-code.ts';
import type { Output } from './output.ts';
import { callKata } from './testing/call-kata.ts';
import { runKata } from './testing/run-kata.ts';

const NOW_MS = Date.parse('2026-03-02T09:00:00.000Z');
const DAY_MS = 24 * 3_600_000;
/** The interview's own: what the tiny rubric holds of it is no matter here. */
const INTERVIEW = `interview:
  opening: Saving must feel instant. How?
  followUps:
    - { ask: And then?, mid: a, senior: b, staff: c }
  signals: { mid: a, senior: b, staff: c }
`;
const rubric = (slug: string) => tinyRubric(slug).replace(/^interview:[\s\S]*/m, INTERVIEW);
const DRILL = `drill:
  - { id: kept, ask: When is it kept?, answer: Once it is stored., spec: [R1] }
  - { id: sent, ask: When is it sent again?, answer: After a lost answer., spec: [R2] }
`;

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
  course.add('tiny');
  course.add('other');
  course.write(
    'rubric/bands.yaml',
    'share: 0.8\nbands:\n  - { id: not-yet, title: a, says: a }\n  - { id: mid, title: a, says: a }\n  - { id: senior, title: a, says: a }\n  - { id: staff, title: a, says: a }\n',
  );
  course.write('rubric/other.yaml', rubric('other'));
  course.write('rubric/tiny.yaml', rubric('tiny') + DRILL);
  course.write('katas/tiny/attempt.ts', 'const mine = 1;\n');
});
afterEach(() => course.remove());

const kata = (...args: string[]) => callKata(course.root, args);
const narrow = (...args: string[]) => runKata(course.root, args, { COLUMNS: '40', NO_COLOR: '1' });
const tooWide = (text: string) => text.split('\n').filter((line) => [...line].length > 40);
const answers = (text: string) => course.write('answers.yaml', text);
const db = () => path.join(course.root, '.kata', 'history.db');

/** Runs a scripted drill at a moment, and gives its JSON. */
async function drillAt(nowMs: number, ...slugs: string[]): Promise<Record<string, unknown>> {
  const printed: string[] = [];
  const output: Output = {
    look: { width: 80, colour: false },
    isInteractive: false,
    isTerminal: false,
    print: (text = '') => printed.push(text),
    warn: (text) => printed.push(text),
    paint: (_style, text) => text,
  };
  const context = createContext(course.root, output, () => nowMs);
  await runDrill(context, slugs, { json: true, answers: path.join(course.root, 'answers.yaml') });
  context.close();
  return JSON.parse(printed.join('\n'));
}

test('lists what would be asked without the answers, of katas that were begun, and keeps nothing', async () => {
  const { stdout, exitCode } = await narrow('drill');

  expect(exitCode).toBe(EXIT.ok);
  expect(stdout).toContain('0 questions due, 3 new.');
  expect(stdout).toContain('When is it kept?');
  expect(stdout).not.toContain('Once it is stored.');
  expect(stdout).not.toContain('other/');
  expect(tooWide(stdout)).toEqual([]);
  expect(existsSync(db())).toBe(false);
});

test('asks of all katas with --all, of one by its name, and as many as the limit says', async () => {
  const all = JSON.parse((await kata('drill', '--all', '--json')).stdout);
  const one = JSON.parse((await kata('drill', 'other', '--json')).stdout);
  const few = JSON.parse((await kata('drill', '--limit', '2', '--json')).stdout);

  expect([all.new, one.new, few.questions.length]).toEqual([4, 1, 2]);
  expect(one.questions[0]).toMatchObject({ kata: 'other', from: 'follow-up', ask: 'And then?' });
});

test('rates the answers of a file, shows what was right, and brings each question back at its time', async () => {
  answers(`answers:
  - { question: tiny/kept, answer: at once, rating: again }
  - { question: tiny/sent, answer: when lost, rating: easy }
`);

  const first = await drillAt(NOW_MS, 'tiny');
  answers('answers:\n  - { rating: good }\n');
  const later = await drillAt(NOW_MS + DAY_MS, 'tiny');

  expect(first.asked).toMatchObject([
    { question: 'tiny/kept', answer: 'at once', solution: ['Once it is stored.'], spec: ['R1'], rating: 'again' },
    { question: 'tiny/sent', rating: 'easy' },
  ]);
  expect(later.asked).toMatchObject([{ question: 'tiny/kept', rating: 'good' }]);
});

test('shows what is due on the map, and when the next comes', async () => {
  answers('answers:\n  - { question: tiny/kept, rating: good }\n');
  await drillAt(NOW_MS, 'tiny');
  const due = (await kata('list')).stdout;
  await drillAt(Date.now(), 'tiny');

  const later = (await kata('list')).stdout;

  expect(due).toContain('Drill: 1 question due (tiny 1).\n  npx kata drill\n');
  expect(later).toMatch(/Drill: the next question is due /);
  expect(await kata()).toMatchObject({ stdout: later });
});

test.each([
  ['answers:\n  - { question: tiny/kpet, rating: good }\n', 'there is no question tiny/kpet. Did you mean tiny/kept?'],
  ['answers:\n  - { rating: fine }\n', 'answers.yaml: answers[0].rating: must be one of again, hard, good, easy'],
  ['answers: []\n', 'answers.yaml: answers: must be a list of at least 1 entries'],
  ['answers: [\n', 'answers.yaml: line 2: must be YAML'],
])('keeps nothing of answers that cannot be used: %j', async (text, says) => {
  answers(text);

  const ended = await kata('drill', 'tiny', '--answers', 'answers.yaml');

  expect(ended).toMatchObject({ exitCode: EXIT.usage, stdout: '' });
  expect(ended.stderr).toContain(says);
  expect(JSON.parse((await kata('drill', '--json')).stdout)).toMatchObject({ new: 3, due: 0 });
});

test.each([
  [['drill', 'tny'], 'Did you mean tiny?'],
  [['drill', '--limit', '0'], 'It must be a whole number from 1'],
  [['drill', '--answers', 'none.yaml'], 'Could not read none.yaml: there is no such file.'],
  [['progress', '--json', '--csv'], 'Only one of --json and --csv'],
])('answers kata %s with a sentence', async (args, says) => {
  const ended = await kata(...args);

  expect(ended).toMatchObject({ exitCode: EXIT.usage, stdout: '' });
  expect(ended.stderr).toContain(says);
});

test('says how to begin where nothing was begun', async () => {
  course.add('tiny');
  const fresh = makeTinyCourse();
  fresh.add('tiny');

  const ended = await callKata(fresh.root, ['drill']);
  fresh.remove();

  expect(ended).toMatchObject({ exitCode: EXIT.usage, stdout: '' });
  expect(ended.stderr).toContain('npx kata drill --all');
});

async function addGrade(score: number): Promise<void> {
  const history = await openHistory(course.root, { warn: () => undefined });
  history.addGrade({
    kata: 'tiny',
    at: '2026-03-02T09:00:00.000Z',
    score,
    bar: 70,
    band: 'mid',
    status: 'passed',
    kataVersion: 1,
    suiteHash: 'of another day',
    attemptHash: 'b',
    report: JSON.stringify({ criteria: [{ dimension: 'resilience', level: 'mid', points: 10, earned: 9 }] }),
  });
  history.close();
}

test('tells progress in 40 columns without colour', async () => {
  await addGrade(88);

  const { stdout, exitCode } = await narrow('progress');

  expect(exitCode).toBe(EXIT.ok);
  expect(stdout).toContain('! tiny\n      solved, stale, best 88 (mid)');
  expect(stdout).toContain('· other\n      never tried');
  expect(stdout).toContain('resilience: mid (mid 90 %)');
  expect(tooWide(stdout)).toEqual([]);
  expect(stdout).not.toContain('\u001b');
});

test('writes progress as JSON, CSV and a page', async () => {
  await addGrade(88);

  const json = JSON.parse((await kata('progress', '--json')).stdout);
  const csv = (await kata('progress', '--csv')).stdout;
  const files = await runKata(course.root, ['progress', '--csv', 'out/p.csv', '--html', 'out/p.html']);

  expect(json).toMatchObject({ schemaVersion: 1, katas: [{ slug: 'other' }, { slug: 'tiny', state: 'stale' }] });
  expect(csv).toBe(readFileSync(path.join(course.root, 'out/p.csv'), 'utf8'));
  expect(csv).toContain('grade,tiny,2026-03-02T09:00:00.000Z,88,passed,');
  expect(files).toMatchObject({ stdout: '', exitCode: EXIT.ok, stderr: 'Written: out/p.csv\nWritten: out/p.html\n' });
});

test('tells progress of a history that cannot be read, says so, and makes none where none is', async () => {
  const fresh = await kata('progress');
  mkdirSync(path.dirname(db()), { recursive: true });
  const isMade = existsSync(db());
  writeFileSync(db(), 'no database, '.repeat(500));

  const spoilt = await kata('progress');

  expect(fresh.stdout).toContain('Nothing is kept yet.');
  expect(isMade).toBe(false);
  expect(spoilt).toMatchObject({ exitCode: EXIT.ok });
  expect(spoilt.stderr).toContain('is kept as .kata/history.db.unreadable-1');
});

test('ends with 70 when a file that was asked for cannot be written', async () => {
  course.write('taken', '');

  const ended = await kata('progress', '--html', 'taken/p.html');

  expect(ended.exitCode).toBe(EXIT.fault);
  expect(ended.stderr).toContain('a file stands where a folder is needed');
});
