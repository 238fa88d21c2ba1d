// Whatever an attempt does, its grade ends in a clear report: never in a hang, never in a false pass.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GradeOptions, grade } from './grade.ts';
import { type Report, report as reportShape } from './report.ts';
import { Simulation } from './simulation.ts';
import { SuiteRunner } from './suite-runner.ts';
import { makeTallyCourse, type TallyCourse } from './testing/tally-course.ts';
import { TALLY_REFERENCE } from './testing/tally-files.ts';
import { makeVariant } from './variants.ts';

/** Short, so that an endless loop does not cost this suite ten seconds; long enough for a busy machine. */
const SILENCE_MS = 3_000;
const PATIENCE_MS = 60_000;

let course: TallyCourse;
let runner: SuiteRunner;
/** For attempts that are not hostile, and for those that no simulation gets to see. */
let honest: { simulation: Simulation };
beforeAll(() => {
  course = makeTallyCourse();
  honest = { simulation: new Simulation(course.root, 'tally', { silenceMs: SILENCE_MS, isReused: true }) };
  runner = new SuiteRunner({ root: course.root, silenceMs: SILENCE_MS, testTimeoutMs: 1_000, loopsMax: 2 });
});
afterAll(() => {
  runner.stop();
  honest.simulation.stop();
  course.remove();
});

let count = 0;
async function gradeSource(source: string, more: Partial<GradeOptions> = {}): Promise<Report> {
  count += 1;
  const target = await makeVariant(course.root, 'tally', `attempt-${count}`, source);
  const { simulation = new Simulation(course.root, 'tally', { silenceMs: SILENCE_MS }) } = more;
  const options = { root: course.root, slug: 'tally', title: 'Tally', target, schedules: 40, skipsChecks: true };
  const report = await grade({ ...options, runner, ...more, simulation }).finally(() => {
    if (simulation !== honest.simulation) simulation.stop();
  });
  return reportShape.parse(report);
}

/** The reference with a line put in: as the module loads, as the app is made, or as one is added. */
function withLine(where: 'at import' | 'in the factory' | 'in start' | 'in add', line: string): string {
  const before = {
    'at import': 'export const createTally',
    'in the factory': '  let total = 0;',
    'in start': '      total = Number(',
    'in add': '      total += 1;',
  }[where];
  return TALLY_REFERENCE.replace(before, () => `${line}\n${before}`);
}

/** What no honest attempt does: reaches the real `process` past its own globals. */
const REACH = `const real = (() => {}).constructor('return process')();`;
const isSimulated = `real.argv[1].includes('simulation-tally')`;

const statusOf = ({ tests }: Report, name: string) => tests.find((one) => one.name === name)?.status;

test(
  'grades a sound attempt with full points',
  async () => {
    const report = await gradeSource(TALLY_REFERENCE, { ...honest, skipsChecks: false });

    expect(report).toMatchObject({ status: 'passed', reason: null, score: 100, band: 'staff', fixFirst: null });
    expect(report.tests.map(({ status }) => status)).toEqual(['pass', 'pass', 'pass', 'pass']);
  },
  PATIENCE_MS,
);

test('says where an attempt does not parse', async () => {
  const report = await gradeSource(`${TALLY_REFERENCE}\nexport const x = {{{;`, honest);

  expect(report).toMatchObject({ status: 'not-gradable', score: 0, tests: [] });
  expect(report.reason).toContain('cannot be compiled');
  expect(report.reason).toMatch(/index\.ts:\d+:\d+: /);
});

test(
  'grades an attempt that does not type-check, without the points for types',
  async () => {
    const report = await gradeSource(`${TALLY_REFERENCE}\nexport const x: number = 'text';`, {
      ...honest,
      skipsChecks: false,
    });

    expect(report).toMatchObject({ status: 'passed', score: 95, fixFirst: { criterion: 'typed' } });
    expect(report.fixFirst?.because).toMatch(/index\.ts:\d+:\d+: TS2322/);
  },
  PATIENCE_MS,
);

test('refuses a module of Node', async () => {
  const report = await gradeSource(
    `import { writeFileSync } from 'node:fs';\n${withLine('in add', `writeFileSync('x', '');`)}`,
    honest,
  );

  expect(report.status).toBe('not-gradable');
  expect(report.reason).toContain('"node:fs" is a module of Node, and a phone has none');
});

test(
  'says what an attempt throws as it is loaded',
  async () => {
    const report = await gradeSource(withLine('at import', `throw new Error('boom');`));

    expect(report.status).toBe('not-gradable');
    expect(report.reason).toContain('throws as it is loaded: Error: boom');
  },
  PATIENCE_MS,
);

test(
  'says first what the factory throws',
  async () => {
    const report = await gradeSource(withLine('in the factory', `throw new Error('boom');`));

    expect(report).toMatchObject({ status: 'below-bar', score: 0, band: 'not-yet', budgets: [] });
    expect(report.reason).toBe('The app could not be opened: Error: boom');
    expect(new Set(report.tests.map(({ status }) => status))).toEqual(new Set(['error']));
  },
  PATIENCE_MS,
);

test(
  'names the test in which an attempt loops without end, and grades the others',
  async () => {
    const report = await gradeSource(withLine('in add', 'while (total === 1) await null;'));

    expect(report.status).toBe('incomplete');
    expect(report.reason).toContain('it loops without end');
    expect(statusOf(report, 'counts each of them')).toBe('timeout');
    expect(statusOf(report, 'begins at nothing')).toBe('pass');
    expect(statusOf(report, "doesn't forget over a restart")).toBe('pass');
  },
  PATIENCE_MS,
);

test(
  'ends an attempt that loops as it is loaded',
  async () => {
    const report = await gradeSource(withLine('at import', 'for (;;) {}'));

    expect(report).toMatchObject({ status: 'incomplete', score: 0 });
    expect(report.reason).toContain('it loops without end');
  },
  PATIENCE_MS,
);

test(
  'grades all of an attempt whose calls never settle',
  async () => {
    const report = await gradeSource(withLine('in add', 'await new Promise(() => {});'));

    expect(report).toMatchObject({ status: 'below-bar', reason: null });
    expect(report.tests.map(({ status }) => status)).toEqual(['pass', 'timeout', 'timeout', 'timeout']);
    expect(report.tests[1]?.message).toContain('It waited 1 s for something that never came');
    expect(report.simulation.violations.map(({ invariant }) => invariant)).toContain('settles');
  },
  PATIENCE_MS,
);

test(
  'ends an attempt that eats memory',
  async () => {
    // A busy machine needs its time to fill that much: nobody is to call it a loop before.
    const silenceMs = PATIENCE_MS;
    const patient = new SuiteRunner({ root: course.root, silenceMs, loopsMax: 1 });
    const simulation = new Simulation(course.root, 'tally', { silenceMs });
    const eater = withLine(
      'in start',
      'const all: unknown[] = [];\nfor (;;) all.push(new Array(1e6).fill(all.length));',
    );
    const report = await gradeSource(eater, { runner: patient, simulation }).finally(() => patient.stop());

    expect(report).toMatchObject({ status: 'incomplete', score: 0 });
    expect(report.reason).toContain('used up the 768 MB it may have');
    expect(report.tests[0]).toMatchObject({ status: 'error', message: 'It used up the 512 MB it may have.' });
  },
  PATIENCE_MS,
);

test(
  'finds no process to end',
  async () => {
    const report = await gradeSource(withLine('in the factory', 'globalThis.process.exit(0);'));

    expect(report).toMatchObject({ status: 'below-bar', score: 0 });
  },
  PATIENCE_MS,
);

test(
  'says so when an attempt ends its process all the same',
  async () => {
    const report = await gradeSource(withLine('in the factory', `${REACH} real.exit(0);`));

    expect(report).toMatchObject({ status: 'incomplete', score: 0 });
    expect(report.reason).toContain('The app ended its process (exit code 0)');
  },
  PATIENCE_MS,
);

test(
  'counts a rejection that nobody handles',
  async () => {
    const report = await gradeSource(withLine('in start', `void Promise.reject(new Error('nobody listens'));`));

    const keeps = report.criteria.find(({ id }) => id === 'keeps');
    expect(keeps?.evidence.find(({ id }) => id === 'no-unhandled-rejection')?.detail).toContain('nobody listens');
    expect(report).toMatchObject({ status: 'below-bar', band: 'mid', fixFirst: { criterion: 'keeps' } });
  },
  PATIENCE_MS,
);

test.each([
  [
    'Array.prototype.push',
    'const push = Array.prototype.push; Array.prototype.push = function (...all) { return push.apply(this, all); };',
  ],
  [
    'Promise.prototype.then',
    'const then = Promise.prototype.then; Promise.prototype.then = function (...all) { return then.apply(this, all); };',
  ],
  ['Date.now', 'Date.now = () => 0;'],
])(
  'does not grade an attempt that changes %s',
  async (name, line) => {
    const report = await gradeSource(withLine('at import', line));

    expect(report.status).toBe('not-gradable');
    expect(report.reason).toContain(`(${name})`);
  },
  PATIENCE_MS,
);

test(
  'gives an attempt that changes its own fetch what it earns',
  async () => {
    const report = await gradeSource(withLine('at import', 'globalThis.fetch = () => { throw new Error("no net"); };'));

    expect(report.tests.map(({ status }) => status)).toContain('pass');
    expect(report.reason).toBeNull();
  },
  PATIENCE_MS,
);

test.each([
  ['write a file', `real.getBuiltinModule('fs').writeFileSync`, 'FILE'],
  ['start a process', `real.getBuiltinModule('child_process').execFileSync`, '"true"'],
  ['load what is not installed', `real.getBuiltinModule('module').createRequire('/')`, '"/etc/passwd.js"'],
])(
  'lets no attempt %s',
  async (_what, call, argument) => {
    const file = path.join(course.root, `written-${count}`);
    const target = argument === 'FILE' ? `${JSON.stringify(file)}, ''` : argument;

    const report = await gradeSource(withLine('in the factory', `${REACH} ${call}(${target});`));

    expect(report).toMatchObject({ status: 'below-bar', score: 0 });
    expect(existsSync(file)).toBe(false);
  },
  PATIENCE_MS,
);

test(
  'notices an attempt that reads the machine’s own clock',
  async () => {
    const real = `(() => {}).constructor('return process.hrtime.bigint()')()`;
    const report = await gradeSource(
      withLine('in add', `await new Promise((resolve) => setTimeout(resolve, Number(${real} % 1000n)));`),
    );

    expect(report.status).toBe('not-gradable');
    expect(report.reason).toMatch(/Two runs of one schedule .* differed/);
  },
  PATIENCE_MS,
);

test(
  'believes no answer that the attempt gives in the grader’s name',
  async () => {
    const answer = `{ type: 'campaign', wallMs: 1, changedBuiltIns: [], result: { schedules: 1000, failing: 0, setAside: 0, virtualMs: 1, violations: [], budgets: {}, struck: [], loadError: null, nondeterministic: null, stoppedBy: null } }`;
    const report = await gradeSource(
      withLine('at import', `${REACH} if (${isSimulated}) { real.send({ event: ${answer} }); real.send(${answer}); }`),
    );

    expect(report.status).not.toBe('passed');
  },
  PATIENCE_MS,
);
