// The commands that grade, as a learner runs them, in a course whose path has a blank.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { report as reportShape } from '../grader/report.ts';
import { makeTallyCourse, type TallyCourse } from '../grader/testing/tally-course.ts';
import { ENDLESS_LOOP, TALLY_FILES, TALLY_REFERENCE } from '../grader/testing/tally-files.ts';
import { EXIT } from './exit-code.ts';
import { callKata } from './testing/call-kata.ts';
import { type Ended, runKata, spawnKata } from './testing/run-kata.ts';

const PATIENCE_MS = 60_000;
const FORGETFUL = TALLY_REFERENCE.replace("await device.asyncStorage.setItem('total', String(mine));", '');

const FORMS = ['--json', 'out/r.json', '--markdown', 'out/r.md', '--html', 'out/r.html'];

let course: TallyCourse;
/** The grade of the forgetful attempt, in 40 columns: made once, and what it kept is copied for each test that needs it. */
let forgetful: Ended;
beforeAll(async () => {
  course = makeTallyCourse();
  attempt(FORGETFUL);
  forgetful = await narrow('grade', 'tally', '--schedules', '40', ...FORMS);
  renameSync(path.join(course.root, '.kata'), path.join(course.root, 'kept'));
}, PATIENCE_MS);
afterAll(() => course.remove());
beforeEach(() => {
  rmSync(path.join(course.root, '.kata'), { recursive: true, force: true });
  attempt(TALLY_REFERENCE);
});

const attempt = (source: string) => course.write('katas/tally/attempt.ts', source);
const kata = (...args: string[]) => runKata(course.root, args);
/** For what is no matter of the process. */
const call = (...args: string[]) => callKata(course.root, args);
const narrow = (...args: string[]) => runKata(course.root, args, { COLUMNS: '40', NO_COLOR: '1' });
const openForgetful = () => {
  attempt(FORGETFUL);
  cpSync(path.join(course.root, 'kept'), path.join(course.root, '.kata'), { recursive: true });
};
const tooWide = (text: string) => text.split('\n').filter((line) => [...line].length > 40);

test(
  'prints a report as nothing but JSON, as its schema has it, and ends with 0 at the bar',
  async () => {
    const { stdout, exitCode } = await kata('grade', 'tally', '--schedules', '40', '--seed', '5', '--json');

    const report = reportShape.parse(JSON.parse(stdout));
    const schema = readFileSync(path.join(import.meta.dirname, '../grader/report.schema.json'), 'utf8');
    expect(() => z.fromJSONSchema(JSON.parse(schema)).parse(JSON.parse(stdout))).not.toThrow();
    expect(report).toMatchObject({ schemaVersion: 1, target: 'attempt', status: 'passed', score: 100 });
    expect(report.simulation).toMatchObject({ seed: 5, failing: 0 });
    expect(exitCode).toBe(EXIT.ok);
  },
  PATIENCE_MS,
);

test(
  'grades below the bar with 1, writes each form to its file, and tells the story again',
  async () => {
    openForgetful();

    const replayed = await narrow('replay', 'tally');
    const byFile = await call(
      'replay',
      'tally',
      path.join('.kata/schedules/tally', readdirSync(path.join(course.root, '.kata/schedules/tally'))[0] ?? ''),
    );
    const reference = await call('replay', 'tally', '--on', 'reference');
    const unknown = await call('replay', 'tally', 'no-such');

    expect(forgetful.exitCode).toBe(EXIT.belowBar);
    expect(JSON.parse(readFileSync(path.join(course.root, 'out/r.json'), 'utf8')).status).toBe('below-bar');
    expect(existsSync(path.join(course.root, 'out/r.md')) && existsSync(path.join(course.root, 'out/r.html'))).toBe(
      true,
    );
    expect([...tooWide(forgetful.stdout), ...tooWide(replayed.stdout)]).toEqual([]);
    expect(replayed).toMatchObject({ exitCode: EXIT.belowBar, stderr: '' });
    expect(replayed.stdout).toContain('broken: kept');
    expect(byFile.exitCode).toBe(EXIT.belowBar);
    expect(reference).toMatchObject({ exitCode: EXIT.ok });
    expect(reference.stdout.match(/Every promise was kept/g)).toHaveLength(1);
    expect(unknown).toMatchObject({ exitCode: EXIT.usage, stdout: '' });
    expect(unknown.stderr).toContain('There is no schedule no-such of tally');
  },
  PATIENCE_MS,
);

test(
  'keeps no promise of an attempt that cannot be opened',
  async () => {
    openForgetful();
    attempt(TALLY_REFERENCE.replace('export const', `throw new Error('boom');\nexport const`));

    const results = [
      await kata('grade', 'tally', '--schedules', '40'),
      await call('replay', 'tally'),
      await call('check', 'tally', '--schedules', '40'),
    ];

    expect(results.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2]);
    expect(results[1]?.stderr).toBe('The attempt could not be opened: Error: boom\n');
  },
  PATIENCE_MS,
);

test(
  'sets attempt and reference side by side, and fits the terminal',
  async () => {
    attempt(FORGETFUL);

    const { stdout, exitCode } = await narrow('check', 'tally', '--schedules', '40');

    expect(exitCode).toBe(EXIT.ok);
    expect(stdout).toContain('storage writes');
    expect(tooWide(stdout)).toEqual([]);
  },
  PATIENCE_MS,
);

test.each([
  [['grade', 'taly'], 'Did you mean tally?', 64],
  [['grade', 'tally', '--json', '--markdown'], 'Only one of --json and --markdown', 64],
  [['grade', 'tally', '--schedules', '0'], 'It must be a whole number from 1', 64],
  [['replay', 'tally'], 'No failing schedule of tally is kept.', 64],
])('answers kata %s with a sentence', async (args, says, exitCode) => {
  const ended = await call(...args);

  expect(ended).toMatchObject({ exitCode, stdout: '' });
  expect(ended.stderr).toContain(says);
});

test('says how to begin where no attempt is', async () => {
  rmSync(path.join(course.root, 'katas/tally/attempt.ts'));

  const ended = [await call('grade', 'tally'), await call('check', 'tally'), await call('replay', 'tally')];

  expect(ended.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2]);
  for (const { stderr } of ended) expect(stderr).toContain('Begin with: npx kata start tally');
});

test(
  'shows the grade though nothing can be kept, and fails only for a file that was asked for',
  async () => {
    course.write('.kata', '');

    const graded = await kata('grade', 'tally', '--schedules', '30');
    const asked = await kata('grade', 'tally', '--schedules', '30', '--html', '.kata/page.html');

    expect(graded.stdout).toContain('100 of 100');
    expect(graded.stderr).toContain('a file stands where a folder is needed');
    expect(graded.exitCode).toBe(EXIT.ok);
    expect(asked.stdout).toContain('100 of 100');
    expect(asked.exitCode).toBe(EXIT.fault);
  },
  PATIENCE_MS,
);

test(
  'grades twice at once without harm',
  async () => {
    attempt(FORGETFUL);

    const both = await Promise.all([1, 2].map(() => kata('grade', 'tally', '--schedules', '30', '--json')));

    expect(both.map(({ exitCode }) => exitCode)).toEqual([1, 1]);
    expect(new Set(both.map(({ stdout }) => JSON.parse(stdout).score)).size).toBe(1);
    expect((await kata('list')).stdout).toContain('tally');
  },
  PATIENCE_MS,
);

/** Processes started by another, and by those. */
function descendants(pid: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const parents = lines.map((line) => line.trim().split(/\s+/).map(Number));
  const below = (of: number): number[] =>
    parents.flatMap(([child = 0, parent]) => (parent === of ? [child, ...below(child)] : []));
  return below(pid);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)(
  'leaves no process behind after %s, even of an attempt that loops',
  async (signal, exitCode) => {
    attempt(TALLY_REFERENCE.replace('total += 1;', ENDLESS_LOOP));
    const child = spawnKata(course.root, ['grade', 'tally']);
    const ended = new Promise((resolve) => child.on('exit', resolve));
    const started = await vi.waitUntil(() => {
      const all = descendants(child.pid ?? 0);
      // Suite, its worker, and simulation.
      return all.length >= 3 && all;
    }, PATIENCE_MS);

    child.kill(signal);

    expect(await ended).toBe(exitCode);
    await vi.waitUntil(() => !started.some(isRunning), PATIENCE_MS);
  },
  PATIENCE_MS,
);

test(
  'ends quietly when nobody reads on',
  async () => {
    const child = spawnKata(course.root, ['grade', 'tally', '--schedules', '30']);
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.stdout.destroy();

    const exitCode = await new Promise((resolve) => child.on('close', resolve));

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  },
  PATIENCE_MS,
);

test(
  'ends with 1 when a kata is not sound, and counts what was checked',
  async () => {
    const mistakes = TALLY_FILES['katas/tally/mistakes.ts'] ?? '';
    const elsewhere = mistakes.replace('await device', 'await no.such.device');
    const unsound = elsewhere.replace("criterion: 'keeps'", "criterion: 'quiet'");
    course.write('katas/tally/mistakes.ts', unsound.replace(/(lazy: LazyAttempt\[\] = )[\s\S]*/, '$1[];\n'));

    const { stdout, exitCode } = await kata('verify', 'tally', '--brisk');

    expect(exitCode).toBe(EXIT.belowBar);
    expect(stdout).toContain('NOT SO: the mistake "not-stored" is caught by quiet');
    expect(stdout).toMatch(/\d+ passed, 1 failed\n$/);
  },
  PATIENCE_MS,
);

/** Lets a process that waits for a debugger go on. */
function letGoOn(address: string): void {
  const inspector = new WebSocket(address);
  inspector.onopen = () => {
    for (const [id, method] of ['Debugger.enable', 'Runtime.runIfWaitingForDebugger'].entries())
      inspector.send(JSON.stringify({ id, method }));
  };
  inspector.onmessage = ({ data }) => {
    if (JSON.parse(String(data)).method === 'Debugger.paused')
      inspector.send(JSON.stringify({ id: 9, method: 'Debugger.disable' }));
    if (JSON.parse(String(data)).id === 9) inspector.close();
  };
}

test(
  'waits for a debugger, then runs the schedule',
  async () => {
    openForgetful();
    const child = spawnKata(course.root, ['replay', 'tally', '--debug']);
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const ended = new Promise((resolve) => child.on('close', resolve));

    letGoOn(await vi.waitUntil(() => /ws:\S+/.exec(stderr)?.[0], PATIENCE_MS));

    expect(await ended).toBe(EXIT.belowBar);
    expect(stdout).toContain('broken: kept');
  },
  PATIENCE_MS,
);
