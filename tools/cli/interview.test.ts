import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeTinyCourse, type TinyCourse } from '../course/testing/tiny-course.ts';
import { PHASE_IDS, SCORE_DIMENSIONS } from '../interview/guide.ts';
import { scorecard } from '../interview/scorecard.ts';
import { EXIT } from './exit-code.ts';
import { callKata } from './testing/call-kata.ts';
import { runKata } from './testing/run-kata.ts';

// Some start several processes, one after another.
vi.setConfig({ testTimeout: 60_000 });

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
  course.add('tiny');
  course.add('other');
});
afterEach(() => course.remove());

const kata = (...args: string[]) => callKata(course.root, ['interview', ...args]);
const inProcess = (...args: string[]) => runKata(course.root, ['interview', ...args]);
const folder = () => join(course.root, '.kata/interviews');
const sessions = () => (existsSync(folder()) ? readdirSync(folder()).sort() : []);

const NEXT = PHASE_IDS.map((_, n) => `  - { at: ${(n + 1) * 7}, next: true }`).join('\n');
const scores = (score: number) =>
  SCORE_DIMENSIONS.map((id) => `  ${id}: { score: ${score}, evidence: saw it }`).join('\n');
const whole = (score = 3) => `seed: 4\nsteps:\n  - { at: 1, note: here }\n${NEXT}\nscores:\n${scores(score)}\n`;

function script(text: string, name = 'session.yaml'): string {
  course.write(name, text);
  return join(course.root, name);
}

test('ends a scripted interview with the notes beside the model, the scorecard, and where both are', async () => {
  const { stdout, stderr, exitCode } = await inProcess('tiny', '--answers', script(whole()));

  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: EXIT.ok });
  expect(stdout).toContain('You noted');
  expect(stdout).toContain('Speaks for: senior.');
  expect(stdout).toMatch(/Kept: \.kata\/interviews\/[\w-]+-tiny\/scorecard\.md/);
  expect(readdirSync(join(folder(), sessions()[0] ?? '')).sort()).toEqual([
    'beside.md',
    'journal.jsonl',
    'notes.md',
    'scorecard.json',
    'scorecard.md',
    'session.json',
  ]);
});

test('gives the result as JSON, the same at once and later', async () => {
  const first = await kata('tiny', '--minutes', '60', '--answers', script(whole()), '--json');
  const later = await kata('--result', '--json');

  const card = scorecard.parse(JSON.parse(first.stdout));
  expect(card).toMatchObject({ schemaVersion: 1, minutes: 60, seed: 4, level: 'senior', kata: { slug: 'tiny' } });
  expect(JSON.parse(later.stdout)).toEqual(card);
});

test('goes on with a session that was left, in another process', async () => {
  const begun = await inProcess(
    'tiny',
    '--answers',
    script('steps:\n  - { at: 1, note: before }\n  - { at: 2, next: true }\n'),
  );
  const rest = PHASE_IDS.slice(1).map((_, n) => `  - { at: ${n * 5}, next: true }`);
  const ended = await inProcess(
    '--resume',
    '--answers',
    script(`steps:\n${rest.join('\n')}\nscores:\n${scores(2)}\n`),
    '--json',
  );

  expect(begun.stdout).toContain('Left open: Tiny kata, Task and requirements.');
  expect(begun.stdout).toContain('Go on: npx kata interview --resume');
  expect(JSON.parse(ended.stdout)).toMatchObject({ level: 'mid', phases: [{ spentMs: 120_000 }, {}, {}, {}, {}, {}] });
  expect(sessions()).toHaveLength(1);
});

test('begins no second one while one is open, until that is given up', async () => {
  await kata('tiny', '--answers', script('steps: []\n'));

  const second = await kata('other', '--answers', script(whole()));
  const dropped = await kata('--drop');
  const third = await kata('other', '--answers', script(whole()));

  expect(second.exitCode).toBe(EXIT.usage);
  expect(second.stderr).toMatch(
    /An interview is open: tiny, in the phase intro \(.*\)\. Go on with it: npx kata interview --resume\./,
  );
  expect(dropped.stdout).toContain('Its notes stay in');
  expect(third.exitCode).toBe(EXIT.ok);
});

test('lets two sit on both sides, and writes the scorecard once both have scored', async () => {
  const interviewer = await kata('tiny', '--as', 'interviewer', '--answers', script(whole(2)));
  const early = await kata('--result', sessions()[0] ?? '', '--json');
  const candidate = await kata('--as', 'candidate', '--answers', script(`scores:\n${scores(4)}\n`), '--json');

  expect(interviewer.stdout).toContain('The scorecard comes once the candidate has scored too');
  expect(JSON.parse(early.stdout)).toMatchObject({ level: 'mid', ownScores: null });
  expect(JSON.parse(candidate.stdout)).toMatchObject({ mode: 'peer', judgedBy: 'interviewer', level: 'mid' });
  expect(sessions()).toHaveLength(1);
});

test('tells the trend over sessions', async () => {
  await kata('tiny', '--answers', script(whole(2)));
  await kata('other', '--answers', script(whole(3)));

  const { stdout } = await kata('--history');
  const narrow = await callKata(course.root, ['interview', '--history'], 40);

  expect(stdout).toContain('Interviews, 2 finished');
  expect(stdout).toMatch(/Architecture +2 3 {2}↑ up/);
  expect(narrow.stdout.split('\n').filter((line) => line.length > 40)).toEqual([]);
});

test('says what the grade could not be made of, and goes on', async () => {
  const steps =
    'steps:\n  - { at: 0, skip: true }\n  - { at: 0, skip: true }\n  - { at: 0, skip: true }\n  - { at: 1, code: true }\n  - { at: 9, next: true }\n';

  const { stdout, stderr, exitCode } = await kata('tiny', '--answers', script(steps), '--json');

  expect(stderr).toContain('There is no attempt at tiny yet. Begin with: npx kata start tiny');
  expect(JSON.parse(stdout)).toMatchObject({ phase: 'trade-offs' });
  expect(exitCode).toBe(EXIT.ok);
});

test.each<[string[], string]>([
  [['tny'], 'There is no kata tny. Did you mean tiny?'],
  [['tiny'], 'An interview needs a terminal with keys. Without one, play a script'],
  [['tiny', '--answers', 'none.yaml'], 'Could not read the answers in none.yaml: there is no such file.'],
  [['--resume', '--answers', 'empty.yaml'], 'No interview is open. Begin one: npx kata interview'],
  [['--resume', 'nothing', '--answers', 'empty.yaml'], 'There is no interview nothing. There is none yet.'],
  [['--resume', '../../specs', '--answers', 'empty.yaml'], 'There is no interview ../../specs.'],
  [['--drop'], 'No interview is open. Begin one: npx kata interview'],
  [['--result'], 'No interview is finished yet. Begin one: npx kata interview'],
  [['tiny', '--minutes', '50'], 'Allowed choices are 45, 60.'],
  [['tiny', '--as', 'judge'], 'Allowed choices are alone, candidate, interviewer.'],
])('answers a wrong call with a sentence and 64, and leaves nothing behind: %s', async (args, sentence) => {
  course.write('empty.yaml', 'steps: []\n');

  const { stderr, exitCode } = await kata(...args);

  expect(stderr).toContain(sentence);
  expect(stderr).not.toMatch(/ at .*\.[jt]s:\d/);
  expect(exitCode).toBe(EXIT.usage);
  expect(sessions()).toEqual([]);
});

test('says with 70 that a session file was cut, and where the notes are', async () => {
  await kata('tiny', '--answers', script('steps:\n  - { at: 1, note: mine }\n'));
  const [id = ''] = sessions();
  truncateSync(join(folder(), id, 'session.json'), 30);

  const { stderr, exitCode } = await kata('--resume', id, '--answers', script('steps: []\n'));

  expect(stderr).toContain(`Your notes are whole in .kata/interviews/${id}/notes.md`);
  expect(exitCode).toBe(EXIT.fault);
  expect(readFileSync(join(folder(), id, 'notes.md'), 'utf8')).toContain('- mine');
});

test('names the interview that is open when another one was meant', async () => {
  course.add('other');
  await kata('tiny', '--answers', script('steps: []\n'));

  const { stderr, exitCode } = await kata('other', '--resume', '--answers', script('steps: []\n'));

  expect(stderr).toContain('No interview on other is open, but one on tiny is.');
  expect(exitCode).toBe(EXIT.usage);
});

test('lets an interview that is sat alone have no interviewer', async () => {
  await kata('tiny', '--answers', script('steps: []\n'));

  const { stderr, exitCode } = await kata('--resume', '--as', 'interviewer', '--answers', script('steps: []\n'));

  expect(stderr).toContain('is sat alone. End it, then begin one for two');
  expect(exitCode).toBe(EXIT.usage);
});
