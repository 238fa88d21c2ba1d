// Review rounds as a person runs them, in a course of one tiny kata.
import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeTallyCourse, type TallyCourse } from '../grader/testing/tally-course.ts';
import { ENDLESS_LOOP, TALLY_FILES, TALLY_IN_PARTS, TALLY_REFERENCE } from '../grader/testing/tally-files.ts';
import { EXIT } from './exit-code.ts';
import { callKata } from './testing/call-kata.ts';
import { type Ended, runKata } from './testing/run-kata.ts';

const PATIENCE_MS = 90_000;
const GOOD = "await device.asyncStorage.setItem('total', String(mine));";
const WRONG = "void device.asyncStorage.setItem('total', String(mine)).catch(() => undefined);";

type Form = 'whole' | 'in parts';
let course: TallyCourse;
/** What was said as a round began, of the reference in one file and in several: each is made once. */
let begun: Record<Form, Ended>;
beforeAll(async () => {
  course = makeTallyCourse();
  begun = { whole: await begin('whole'), 'in parts': await begin('in parts') };
}, PATIENCE_MS);
afterAll(() => course.remove());
beforeEach(() => {
  rmSync(path.join(course.root, '.kata'), { recursive: true, force: true });
  rmSync(path.join(course.root, 'katas/tally/attempts'), { recursive: true, force: true });
  for (const [file, text] of Object.entries(TALLY_FILES)) course.write(file, text);
});

const kata = (...args: string[]) => runKata(course.root, args);
/** For what is no matter of the process, of a reference in one file: that is bundled once a process. */
const call = (...args: string[]) => callKata(course.root, args);
const putInParts = () => {
  for (const [name, text] of Object.entries(TALLY_IN_PARTS)) course.write(name, text);
};
const kept = (form: Form) => path.join(course.root, `begun ${form}`);

/** Begins the round of seed 1, and keeps all that it has written. */
async function begin(form: Form): Promise<Ended> {
  if (form === 'in parts') putInParts();
  const ended = await kata('review', 'tally', '--seed', '1');
  renameSync(path.join(course.root, '.kata'), kept(form));
  return ended;
}

/** The course with that round open, as the command has left it. */
function open(form: Form): void {
  if (form === 'in parts') putInParts();
  cpSync(kept(form), path.join(course.root, '.kata'), { recursive: true });
}

const file = (name: string) => path.join(course.root, '.kata/reviews/tally-1', name);
const read = (name: string) => readFileSync(file(name), 'utf8');
/** The line of the mistake, as given. */
const wrongLine = () =>
  read('given.ts')
    .split('\n')
    .findIndex((line) => line.includes('void device')) + 1;
const note = (...findings: object[]) => writeFileSync(file('findings.yaml'), JSON.stringify({ findings }));
const mend = (code: string) => writeFileSync(file('code.ts'), code);
const mended = () => read('given.ts').replace(WRONG, GOOD);

test(
  'scores what was found and mended by a real grade, explains it, and keeps the score',
  async () => {
    open('whole');
    const shown = await kata('review', 'tally', '--show');
    note({ lines: wrongLine(), criterion: 'keeps', consequence: 'A kill loses the count.' });
    mend(mended());

    const done = await runKata(course.root, ['review', 'tally', '--done'], { COLUMNS: '40', NO_COLOR: '1' });

    expect(begun.whole).toMatchObject({ exitCode: EXIT.ok, stderr: '' });
    expect(begun.whole.stdout).toContain('one mistake');
    expect(read('given.ts')).not.toContain('Acknowledges before the write');
    expect(shown.stdout).toContain(`${wrongLine()}  `);
    expect(done).toMatchObject({ exitCode: EXIT.ok });
    expect(done.stdout).toContain('tally-1: 100 of 100');
    expect(done.stdout).toContain('Acknowledges before the write has ended.');
    expect(done.stdout).toContain('What happens (kept)');
    expect(done.stdout).toContain(GOOD);
    expect(done.stdout.split('\n').filter((line) => line.length > 40 && !line.includes('asyncStorage'))).toEqual([]);
    expect((await call('progress', '--csv')).stdout).toMatch(/^review,tally,.*,100,scored,/m);
    expect((await call('review', 'tally', '--done')).stderr).toContain('No review of tally is open.');
  },
  PATIENCE_MS,
);

test(
  'gives one file of a reference to review, says which, and grades it among the others',
  async () => {
    open('in parts');
    const told = await kata('review', 'tally', '--json');
    note({
      lines:
        read('given.ts')
          .split('\n')
          .findIndex((line) => line.includes('void async')) + 1,
      criterion: 'keeps',
    });
    mend(read('given.ts').replace(/void (asyncStorage.*)\.catch.*;/, 'await $1;'));
    const done = await kata('review', 'tally', '--done');

    expect(begun['in parts'].stdout).toContain('tally-1: solutions/tally/store.ts, ');
    expect(begun['in parts'].stdout.replaceAll(/\s+/g, ' ')).toContain('the other files of the reference are sound.');
    expect(JSON.parse(told.stdout)).toMatchObject({ madeFrom: 'solutions/tally/store.ts', mistakes: 1 });
    expect(read('given.ts')).toContain(`from '../../../solutions/tally/names/key.ts';`);
    expect(done).toMatchObject({ exitCode: EXIT.ok, stderr: '' });
    expect(done.stdout).toContain('tally-1: 100 of 100');
    expect(done.stdout).toContain('The reference (solutions/tally/store.ts, line 10):');
  },
  PATIENCE_MS,
);

test(
  'names the files of a fix as the person knows them where it cannot be judged',
  async () => {
    open('in parts');
    mend('export const createStore = (');

    const { stderr } = await kata('review', 'tally', '--done');

    expect(stderr).toContain('.kata/reviews/tally-1/code.ts:1:');
  },
  PATIENCE_MS,
);

test(
  'scores a round of old by the reference it was made from, with edits of an answers file, and leaves its code as it was',
  async () => {
    open('whole');
    const session = JSON.parse(read('session.json'));
    const { file: _, others: __, ...key } = JSON.parse(Buffer.from(session.key, 'base64').toString());
    const old = { ...session, key: Buffer.from(JSON.stringify(key)).toString('base64') };
    writeFileSync(file('session.json'), JSON.stringify(old));
    // Meanwhile it has come to be in several files.
    putInParts();
    const before = read('code.ts');
    const edits = [{ find: WRONG, replace: GOOD }];
    course.write('answers.yaml', JSON.stringify({ findings: [{ lines: wrongLine(), criterion: 'keeps' }], edits }));

    const done = await kata('review', 'tally', '--answers', 'answers.yaml');

    expect(done).toMatchObject({ exitCode: EXIT.ok });
    expect(done.stdout).toContain('tally-1: 100 of 100');
    expect(read('code.ts')).toBe(before);
  },
  PATIENCE_MS,
);

test(
  'scores a round of an answers file as nothing but JSON, and 1 below the bar',
  async () => {
    course.write('answers.yaml', 'findings:\n  - { lines: 1, consequence: The import. }\n');

    const { stdout, exitCode } = await kata('review', 'tally', '--seed', '1', '--answers', 'answers.yaml', '--json');

    const result = JSON.parse(stdout);
    expect(exitCode).toBe(EXIT.belowBar);
    expect(result).toMatchObject({ schemaVersion: 1, round: 'tally-1', score: 0, kata: { slug: 'tally' } });
    expect(result.mistakes).toMatchObject([
      { id: 'not-stored', criterion: 'keeps', isPlaceFound: false, isFixed: false },
    ]);
    expect(result.mistakes[0].shown).toMatchObject({ kind: 'story', invariant: 'kept' });
    expect(result.falseAlarms).toHaveLength(1);
  },
  PATIENCE_MS,
);

test(
  'sees what a fix breaks that was sound',
  async () => {
    open('whole');
    note({ lines: wrongLine(), criterion: 'keeps' });
    mend(mended().replace('total += 1;', 'total += 2;'));

    const { stdout } = await kata('review', 'tally', '--done');

    expect(stdout).toContain('your change broke another promise');
  },
  PATIENCE_MS,
);

test(
  'takes no fix for mended that loops for ever, and keeps its round open',
  async () => {
    open('whole');
    note({ lines: wrongLine(), criterion: 'keeps' });
    mend(mended().replace('total += 1;', ENDLESS_LOOP));

    const looped = await kata('review', 'tally', '--done');

    expect(looped).toMatchObject({ exitCode: EXIT.incomplete, stdout: '' });
    expect(looped.stderr).toContain('Your fix cannot be judged: ');
    expect(existsSync(file('result.json'))).toBe(false);
  },
  PATIENCE_MS,
);

test(
  'keeps a round open whose fix cannot be compiled, or whose findings cannot be read',
  async () => {
    open('whole');
    mend('export const createTally = (');
    const broken = await call('review', 'tally', '--done');
    mend(mended());
    writeFileSync(file('findings.yaml'), 'findings: [\n');
    const unread = await call('review', 'tally', '--done');

    const again = await call('review', 'tally');

    expect(broken).toMatchObject({ exitCode: EXIT.notGradable, stdout: '' });
    expect(broken.stderr).toContain('Mend .kata/reviews/tally-1/code.ts');
    expect(broken.stderr).toContain('.kata/reviews/tally-1/code.ts:1:');
    expect(unread).toMatchObject({ exitCode: EXIT.usage, stdout: '' });
    expect(unread.stderr).toContain('.kata/reviews/tally-1/findings.yaml: line 2');
    expect(again.stdout).toContain('tally-1: ');
    expect(read('code.ts')).toBe(mended());
    expect(existsSync(file('result.json'))).toBe(false);
  },
  PATIENCE_MS,
);

test(
  'reviews an old attempt with what its grade says is wrong',
  async () => {
    const wrong = `${TALLY_REFERENCE.replace(GOOD, WRONG)}\nexport const wrong: number = 'one';\n`;
    course.write('katas/tally/attempts/1.ts', wrong);
    course.write('katas/tally/attempts/2.ts', TALLY_REFERENCE);

    const begun = await kata('review', 'tally', '--attempt', '1');
    note({ lines: 1, criterion: 'keeps' }, { lines: 1, criterion: 'typed' });
    mend(TALLY_REFERENCE);
    const done = await kata('review', 'tally', '--done');
    const right = await call('review', 'tally', '--attempt', '2');

    expect(begun.stdout).toContain('breaks 2 criteria');
    expect(begun.stdout).not.toContain('Comments are left out');
    expect(done.stdout).toContain('100 of 100');
    expect(right.stdout).toContain('there is nothing to find');
  },
  PATIENCE_MS,
);

test.each([
  ['loops for ever', ENDLESS_LOOP, 'it loops without end'],
  ['cannot be compiled', 'no typescript', 'katas/tally/attempts/1.ts:1:'],
])(
  'begins no round of an attempt that %s, and says why',
  async (_, text, says) => {
    course.write('katas/tally/attempts/1.ts', text);

    const { stderr, stdout, exitCode } = await call('review', 'tally', '--attempt', '1');

    expect(stderr).toContain(says);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: EXIT.notGradable });
    expect(existsSync(path.join(course.root, '.kata/reviews'))).toBe(false);
  },
  PATIENCE_MS,
);

test('shows the reference’s code only to whoever asks twice', async () => {
  const first = await call('review', 'tally');

  expect(first.stdout).toContain('ask again');
  expect(existsSync(path.join(course.root, '.kata/reviews'))).toBe(false);
});

test.each([
  [['--done'], 'No review of tally is open. Begin one: npx kata review tally'],
  [['--seed', '1', '--mistakes', '2'], 'No 2 mistakes of tally can stand together with the seed 1.'],
  [['--mistakes', '4'], 'Allowed choices are 1, 2, 3'],
  [['--attempt', '9'], 'There is no kept attempt 9 at tally.'],
  [['--attempt', '1', '--seed', '2'], 'leave --mistakes and --seed out'],
  [['--seed', '1', '--answers', 'none.yaml'], 'Could not read none.yaml: there is no such file.'],
])(
  'answers kata review tally %s with a sentence',
  async (args, says) => {
    const ended = await call('review', 'tally', ...args);

    expect(ended).toMatchObject({ exitCode: EXIT.usage, stdout: '' });
    expect(ended.stderr).toContain(says);
  },
  PATIENCE_MS,
);

test(
  'does not mix two rounds up, and begins another when told to',
  async () => {
    open('whole');

    const other = await call('review', 'tally', '--seed', '2');
    const another = await call('review', 'tally', '--seed', '2', '--new', '--json');

    expect(other).toMatchObject({ exitCode: EXIT.usage });
    expect(other.stderr).toContain('The round tally-1 is open.');
    expect(JSON.parse(another.stdout)).toMatchObject({ round: 'tally-2', mistakes: 1 });
  },
  PATIENCE_MS,
);
