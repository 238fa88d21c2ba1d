// Gathers all evidence about one attempt, side by side, and applies the rubric.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { kataPaths } from '../course/kata-paths.ts';
import { loadBands, loadRubric } from '../course/load-rubric.ts';
import { type Bands, CHECKS, type Rubric } from '../course/schema.ts';
import { checkSeal, type SealCheck, suiteHash } from '../course/seal.ts';
import { readReference } from '../course/solution-files.ts';
import { BundleError, bundle } from '../simulator/bundle.ts';
import type { Plan } from '../simulator/plan.ts';
import { type JudgedSimulation, judgeSimulation } from './judge-simulation.ts';
import { judgeTests } from './judge-tests.ts';
import type { Report, TestResult } from './report.ts';
import { type BudgetEvidence, bandOf, fixFirst, scoreCriteria, totalOf } from './score.ts';
import { runShared } from './shared-simulation.ts';
import { Simulation } from './simulation.ts';
import { type CheckResult, runChecks } from './static-checks.ts';
import { type SuiteOutcome, SuiteRunner, THE_SUITE_ITSELF } from './suite-runner.ts';
import { type SuiteTitle, suiteTitles } from './suite-titles.ts';
import type { Target } from './target.ts';

export const DEFAULT_SEED = 1;
export const GRADE_SCHEDULES = 1_000;
export const WATCH_SCHEDULES = 100;
/** For fewer, a second process would not be worth its start. */
const SHARED_FROM = 400;

export interface GradeOptions {
  readonly root: string;
  readonly slug: string;
  readonly title: string;
  readonly target: Target;
  readonly schedules?: number;
  readonly seed?: number;
  /** Schedules that failed before: run first. */
  readonly saved?: readonly Plan[];
  /** A runner to use and leave running; without one, one is made and stopped. */
  readonly runner?: SuiteRunner;
  /** A simulation process that is already warm; it is the caller's to stop. */
  readonly simulation?: Simulation;
  /** Runs spent on making each failing schedule smaller. */
  readonly shrinkRunsMax?: number;
  /** Ends the simulation as soon as one of these invariants is broken. */
  readonly stopWhenBroken?: readonly string[];
  /** Files edited since the runner's last run. */
  readonly changed?: readonly string[];
  /** Leaves out type check and static checks, and takes them as passed: for variants whose form is not in question. */
  readonly skipsChecks?: boolean;
  /** Told what is going on, in a few words. */
  readonly onProgress?: (what: string) => void;
}

/** Grades a target. Rejects only for faults of ours; whatever the attempt does ends in a report. */
export async function grade(options: GradeOptions): Promise<Report> {
  const { root, slug, target } = options;
  // Processes first: they start while the rubric is read.
  const simulation = options.simulation ?? new Simulation(root, slug, { isBrief: true });
  const runner = options.runner ?? new SuiteRunner({ root, isReference: target.kind === 'reference' });
  try {
    return await gradeWith(runner, simulation, options);
  } finally {
    if (!options.runner) runner.stop();
    if (!options.simulation) simulation.stop();
  }
}

async function gradeWith(runner: SuiteRunner, simulation: Simulation, options: GradeOptions): Promise<Report> {
  const startedAt = performance.now();
  const { root, slug, target, seed = DEFAULT_SEED } = options;
  const [bundles, rubric, bands, suiteText, seal] = await Promise.all([
    bundleBoth(root, slug, target),
    loadRubric(root, slug),
    loadBands(root),
    readFile(kataPaths(root, slug).suite, 'utf8'),
    checkSeal(root, slug),
  ]);
  const titles = suiteTitles(suiteText);
  const frame = (): Frame => ({
    options,
    rubric,
    bands,
    titles,
    durationMs: Math.round(performance.now() - startedAt),
  });
  const tampered = target.kind === 'attempt' ? tamperedWith(seal, slug) : [];
  if (tampered.length > 0) {
    const [is, it] = tampered.length === 1 ? ['is', 'it'] : ['are', 'them'];
    return notGradable(
      frame(),
      `${tampered.join(', ')} ${is} not as the kata was published, so a grade would mean nothing. To put ${it} back: git checkout -- ${tampered.join(' ')}`,
    );
  }
  if (typeof bundles === 'string') return notGradable(frame(), bundles);
  let onBegun: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    onBegun = resolve;
  });
  const simulating = simulate(options, simulation, bundles, rubric, seed, onBegun).finally(onBegun);
  // All begin at once, but for the checks: they are soon done, and would keep the simulation, which takes longest, from starting.
  const looking = Promise.all([runner.run([target.suite], options.changed), begun.then(() => check(options))]);
  const [simulated, [suite, checks]] = await Promise.all([simulating, looking]);
  if (simulated.notGradable !== null) return notGradable(frame(), simulated.notGradable, checks);
  return compose(frame(), suite, simulated, checks);
}

async function check({ root, slug, target, skipsChecks }: GradeOptions): Promise<CheckResult[]> {
  if (skipsChecks) return CHECKS.map((id) => ({ id, status: 'pass', detail: '' }));
  return runChecks(root, target.file, await partsOf(root, slug, target));
}

/** What a target's module is made of besides. An attempt is one file: what it imports besides is the learner's own. */
async function partsOf(root: string, slug: string, { kind, parts = [] }: Target): Promise<readonly string[]> {
  if (kind !== 'reference') return parts;
  const folder = path.dirname(kataPaths(root, slug).reference);
  const [, ...names] = Object.keys(await readReference(root, slug));
  return names.map((name) => path.join(folder, name));
}

/** Files that are not as they were published. A seal that cannot be read is one of them. */
function tamperedWith({ status, edited }: SealCheck, slug: string): readonly string[] {
  return status === 'unreadable' ? [`katas/${slug}/seal.json`] : edited;
}

interface Bundles {
  readonly attempt: string;
  readonly reference: string;
}

/** The code of both, or why the attempt has none. */
async function bundleBoth(root: string, slug: string, target: Target): Promise<Bundles | string> {
  const reference = await bundleReference(root, slug);
  if (target.kind === 'reference') return { attempt: reference, reference };
  try {
    return { attempt: await bundle(target.file, root), reference };
  } catch (error) {
    if (error instanceof BundleError) return `The attempt cannot be compiled:\n${error.message}`;
    throw error;
  }
}

const references = new Map<string, Promise<string>>();

/** The reference is bundled once a process: it does not change under a learner's hands. */
function bundleReference(root: string, slug: string): Promise<string> {
  const file = kataPaths(root, slug).reference;
  const known = references.get(file) ?? bundle(file, root);
  references.set(file, known);
  return known;
}

async function simulate(
  {
    root,
    slug,
    target,
    simulation: given,
    schedules = GRADE_SCHEDULES,
    saved = [],
    shrinkRunsMax,
    stopWhenBroken,
    onProgress,
  }: GradeOptions,
  simulation: Simulation,
  bundles: Bundles,
  rubric: Rubric,
  seed: number,
  onBegun: () => void,
): Promise<JudgedSimulation> {
  const code = { ...bundles, isReference: target.kind === 'reference' };
  const how = {
    ...(shrinkRunsMax === undefined ? {} : { shrinkRunsMax }),
    ...(stopWhenBroken === undefined ? {} : { stopWhenBroken }),
  };
  const job = { type: 'campaign', seed, schedules, saved, ...how } as const;
  const say = (at: string) => {
    onBegun();
    onProgress?.(`simulating ${at}`);
  };
  // One that is given may be reused, or has little to do.
  const isShared = rubric.processes === 2 && !given && schedules >= SHARED_FROM;
  const second = isShared ? new Simulation(root, slug, { isBrief: true }) : null;
  try {
    const children = second ? [simulation, second] : [simulation];
    return judgeSimulation(await runShared(children, { code, job }, say), rubric, seed);
  } finally {
    second?.stop();
  }
}

interface Frame {
  readonly options: GradeOptions;
  readonly rubric: Rubric;
  readonly bands: Bands;
  readonly titles: readonly SuiteTitle[];
  readonly durationMs: number;
}

function compose(frame: Frame, suite: SuiteOutcome, simulated: JudgedSimulation, checks: CheckResult[]): Report {
  const { rubric, bands, titles } = frame;
  const criteriaIds = new Set(rubric.criteria.map(({ id }) => id));
  const tests = judgeTests(titles, suite, criteriaIds, frame.options.root);
  const invariants = simulated.invariants.map((one) => withUnhandled(one, suite));
  const criteria = scoreCriteria(rubric, { tests, invariants, budgets: simulated.budgets, checks });
  const score = totalOf(criteria);
  const band = bandOf(criteria, bands);
  const isPassed = score >= rubric.bar && band !== 'not-yet';
  const incomplete = simulated.incomplete ?? whyIncomplete(tests, suite);
  return {
    ...base(frame),
    status: incomplete !== null ? 'incomplete' : isPassed ? 'passed' : 'below-bar',
    reason: incomplete ?? simulated.blockedBy,
    score,
    band,
    criteria,
    fixFirst: fixFirst(criteria, rubric),
    tests,
    simulation: simulated.report,
    budgets: simulated.budgets
      .filter(isMeasured)
      .map(({ id, attempt, reference, allowance }) => ({ id, attempt, reference, allowance })),
    checks,
  };
}

const isMeasured = ({ blockedBy }: BudgetEvidence): boolean => blockedBy === null;

/** A rejection that nobody handled in the suite counts as one in the simulation does. */
function withUnhandled(evidence: JudgedSimulation['invariants'][number], suite: SuiteOutcome): typeof evidence {
  const [first] = suite.unhandled;
  if (evidence.id !== 'no-unhandled-rejection' || !first || evidence.status !== 'pass') return evidence;
  return { ...evidence, status: 'fail', survival: 0, detail: `In the suite: ${first.name}: ${first.message}` };
}

function whyIncomplete(tests: readonly TestResult[], suite: SuiteOutcome): string | null {
  const waiting = tests.filter(({ status }) => status === 'blocked' || status === 'not-run');
  const [first] = suite.hung;
  if (first?.name === THE_SUITE_ITSELF) return `The suite hung before its first test. ${first.detail}`;
  if (suite.stoppedBy)
    return `The suite was ended after "${suite.stoppedBy}": too many tests hung. ${waiting.length} of ${tests.length} tests were not run.`;
  const skipped = tests.filter(({ status }) => status === 'skipped');
  if (skipped.length > 0) return `${skipped.length} of ${tests.length} tests are skipped, so the grade is not whole.`;
  return waiting.length > 0
    ? `${waiting.length} of ${tests.length} tests could not be run: ${waiting[0]?.message ?? ''}`
    : null;
}

function notGradable(frame: Frame, reason: string, checks: CheckResult[] = []): Report {
  const seed = frame.options.seed ?? DEFAULT_SEED;
  const criteria = scoreCriteria(frame.rubric, { tests: [], invariants: [], budgets: [], checks: [] });
  return {
    ...base(frame),
    status: 'not-gradable',
    reason,
    score: 0,
    band: 'not-yet',
    criteria,
    fixFirst: null,
    tests: [],
    simulation: { schedules: 0, seed, failing: 0, setAside: 0, wallMs: 0, virtualMs: 0, violations: [] },
    budgets: [],
    checks,
  };
}

function base({ options, rubric, durationMs }: Frame) {
  const { root, slug, title, target } = options;
  return {
    schemaVersion: 1,
    kata: { slug, title, version: rubric.version, suiteHash: suiteHash(root, slug) },
    target: target.kind === 'reference' ? 'reference' : 'attempt',
    bar: rubric.bar,
    environment: {
      node: process.version,
      vitest: vitestVersion(root),
      platform: `${process.platform}-${process.arch}`,
    },
    durationMs,
  } as const;
}

function vitestVersion(root: string): string {
  return packageVersion(path.join(root, 'node_modules', 'vitest', 'package.json'));
}

function packageVersion(file: string): string {
  try {
    const { version } = createRequire(import.meta.url)(file) as { version: string };
    return version;
  } catch {
    return 'unknown';
  }
}
