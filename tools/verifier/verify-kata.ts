// Is a kata sound: does its grade tell right from wrong? Every claim of design's "when a kata is sound", proved.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkKata } from '../course/check-course.ts';
import { describeProblem } from '../course/course-problem.ts';
import { kataPaths } from '../course/kata-paths.ts';
import { loadSpec } from '../course/load-spec.ts';
import type { LazyAttempt, Mistake } from '../course/mistake.ts';
import { grade } from '../grader/grade.ts';
import type { Report } from '../grader/report.ts';
import { Simulation } from '../grader/simulation.ts';
import { SuiteRunner } from '../grader/suite-runner.ts';
import { suiteTitles } from '../grader/suite-titles.ts';
import { type Target, targetOf } from '../grader/target.ts';
import { typeCheck } from '../grader/type-check.ts';
import { applyMistake, makeVariant } from '../grader/variants.ts';
import { bundle } from '../simulator/bundle.ts';
import { BUILT_IN_INVARIANTS } from '../simulator/scenario.ts';
import type { AnyScenario } from '../simulator/world.ts';
import { checkDataModels } from './data-models.ts';
import { type Finding, fails, holds } from './finding.ts';

/** Schedules by what is asked. Mistakes that need more get more. */
const SCHEDULES = { reference: 1_000, alternative: 5_000, mistake: 250, stubborn: 1_000, lazy: 100 };
/** The alternative meets schedules that nobody looked at while writing. */
const FRESH_SEED = 20_260;
/** More schedules than this share that even the reference cannot satisfy is more than a few. */
const SET_ASIDE_SHARE = 0.005;

export interface VerifyOptions {
  readonly seed?: number;
  readonly onFinding?: (finding: Finding) => void;
  readonly onProgress?: (what: string) => void;
}

interface Bench {
  readonly root: string;
  readonly slug: string;
  readonly seed: number;
  readonly runner: SuiteRunner;
  readonly reference: string;
  readonly onProgress: (what: string) => void;
}

/** Verifies one kata. Every finding is told as it is made; all of them come back. */
export async function verifyKata(root: string, slug: string, options: VerifyOptions = {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  const tell = (more: Finding | readonly Finding[]) => {
    for (const finding of [more].flat()) {
      findings.push(finding);
      options.onFinding?.(finding);
    }
  };
  const { seed = 1, onProgress = () => undefined } = options;
  const paths = kataPaths(root, slug);
  const reference = await readFile(paths.reference, 'utf8');
  const runner = new SuiteRunner({ root, isReference: true });
  const bench: Bench = { root, slug, seed, runner, reference, onProgress };
  try {
    tell(await verifyContent(bench));
    tell(await verifyReference(bench));
    tell(await verifyStub(bench));
    tell(await verifyAlternative(bench));
    const { mistakes, lazy } = await loadMistakes(paths.mistakes);
    for (const mistake of mistakes) tell(await verifyMistake(bench, mistake));
    for (const one of lazy) tell(await verifyLazy(bench, one));
  } finally {
    runner.stop();
  }
  return findings;
}

async function loadMistakes(file: string): Promise<{ mistakes: Mistake[]; lazy: LazyAttempt[] }> {
  return (await import(pathToFileURL(file).href)) as { mistakes: Mistake[]; lazy: LazyAttempt[] };
}

/** Spec, contract, rubric, suite and scenario are linked without an orphan. */
async function verifyContent({ root, slug, seed, onProgress }: Bench): Promise<Finding[]> {
  onProgress('content');
  const paths = kataPaths(root, slug);
  const { scenario } = (await import(pathToFileURL(paths.scenario).href)) as { scenario: AnyScenario };
  const { mistakes } = await loadMistakes(paths.mistakes);
  const builtIn = Object.keys(BUILT_IN_INVARIANTS).map((id) => ({ id, spec: [] }));
  const problems = await checkKata(root, slug, {
    tests: suiteTitles(await readFile(paths.suite, 'utf8')),
    invariants: [...scenario.invariants.map(({ id, spec }) => ({ id, spec })), ...builtIn],
    budgets: scenario.budgets.map(({ id, spec }) => ({ id, spec })),
    routes: routesOf(scenario),
    mistakes,
  });
  const linked = 'spec, rubric, suite, scenario and mistakes are linked without an orphan';
  const content =
    problems.length === 0 ? [holds(linked)] : problems.map((problem) => fails(linked, describeProblem(problem)));
  const spec = await loadSpec(root, slug);
  const models = checkDataModels(slug, spec.dataModels, await readFile(paths.contract, 'utf8'));
  return [...content, models, await verifyFaults(root, slug, seed)];
}

/** The backend's routes, as Hono knows them, without what serves all paths. */
function routesOf(scenario: AnyScenario): string[] {
  const { app } = scenario.backend({ nowMs: () => 0, record: () => undefined, push: () => undefined });
  return [
    ...new Set(
      app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path: route }) => `${method} ${route}`),
    ),
  ];
}

async function verifyFaults(root: string, slug: string, seed: number): Promise<Finding> {
  const claim = 'every fault and condition of the scenario strikes and matters in some schedule';
  const paths = kataPaths(root, slug);
  const code = await bundle(paths.reference, root);
  const outcome = await new Simulation(root).run({
    code: { scenarioFile: paths.scenario, attempt: code, reference: code, isReference: true },
    job: { type: 'coverage', seed },
  });
  if (outcome.kind === 'fault') return fails(claim, outcome.message);
  if (outcome.kind !== 'done' || outcome.answer.type !== 'coverage')
    return fails(claim, `The simulation did not end: ${outcome.kind}.`);
  const { idle } = outcome.answer;
  return idle.length === 0
    ? holds(claim)
    : fails(claim, `These never do: ${idle.join(', ')}. Take them out, or let the app meet them.`);
}

async function verifyReference(bench: Bench): Promise<Finding[]> {
  bench.onProgress('reference');
  const target = targetOf(bench.root, bench.slug, 'reference');
  const report = await gradeTarget(bench, target, SCHEDULES.reference, { checks: true });
  const claim = 'the reference scores 100';
  if (report.score === 100)
    return [holds(claim, `${report.tests.length} tests, ${report.simulation.schedules} schedules`)];
  return [fails(claim, `It scores ${report.score}. ${whatIsLost(report)}`)];
}

async function verifyStub(bench: Bench): Promise<Finding[]> {
  bench.onProgress('stub');
  const { root, slug } = bench;
  const stubFile = kataPaths(root, slug).stub;
  const types = await typeCheck(root, stubFile, `${slug}-stub`);
  const compiles = types.isClean
    ? holds('the stub type-checks')
    : fails('the stub type-checks', types.errors.slice(0, 3).join('\n'));
  const source = await readFile(stubFile, 'utf8');
  const target = await makeVariant(root, slug, 'stub', source, path.dirname(stubFile));
  const report = await gradeTarget(bench, target, SCHEDULES.lazy);
  const passing = report.tests.filter(
    ({ status, message }) => status === 'pass' || !/NotImplemented/.test(message ?? ''),
  );
  const claim = 'every test fails on the stub with NotImplemented';
  const tests =
    passing.length === 0
      ? holds(claim)
      : fails(
          claim,
          `Not so: ${passing
            .slice(0, 3)
            .map(({ name, status, message }) => `"${name}" (${status}: ${message?.split('\n')[0] ?? ''})`)
            .join(', ')}.`,
        );
  const score =
    report.score === 0
      ? holds('the stub scores 0')
      : fails('the stub scores 0', `It scores ${report.score}: ${earnedWords(report)}.`);
  return [compiles, tests, score];
}

async function verifyAlternative(bench: Bench): Promise<Finding[]> {
  bench.onProgress('alternative');
  const { root, slug } = bench;
  const file = kataPaths(root, slug).alternative;
  const types = await typeCheck(root, file, `${slug}-alternative`);
  const target = await makeVariant(root, slug, 'alternative', await readFile(file, 'utf8'), path.dirname(file));
  const report = await gradeTarget({ ...bench, seed: FRESH_SEED }, target, SCHEDULES.alternative);
  const claim = `the alternative reaches the bar over ${SCHEDULES.alternative} fresh schedules`;
  const compiles = types.isClean
    ? holds('the alternative type-checks')
    : fails('the alternative type-checks', types.errors.slice(0, 3).join('\n'));
  const fair = report.simulation.setAside <= SCHEDULES.alternative * SET_ASIDE_SHARE;
  const fairness = fair
    ? []
    : [fails('few schedules are unfair', `Even the reference cannot satisfy ${report.simulation.setAside}.`)];
  const isThere = report.status === 'passed';
  return [
    compiles,
    ...fairness,
    isThere
      ? holds(claim, `${report.score} points. ${whatIsLost(report)}`)
      : fails(claim, `${report.score} points. ${report.reason ?? ''} ${whatIsLost(report)}`),
  ];
}

/** A mistake is caught when its own criterion loses points and nothing else keeps the grade from being made. */
async function verifyMistake(bench: Bench, mistake: Mistake): Promise<Finding> {
  const claim = `the mistake "${mistake.id}" is caught by ${mistake.criterion}`;
  bench.onProgress(`mistake ${mistake.id}`);
  let source: string;
  try {
    source = applyMistake(bench.reference, mistake);
  } catch (error) {
    return fails(claim, error instanceof Error ? error.message : String(error));
  }
  const target = await makeVariant(bench.root, bench.slug, mistake.id, source);
  let report = await gradeTarget(bench, target, SCHEDULES.mistake);
  if (!isCaught(report, mistake)) report = await gradeTarget(bench, target, SCHEDULES.stubborn);
  if (report.status === 'not-gradable') return fails(claim, `It could not be graded: ${report.reason}`);
  if (!isCaught(report, mistake))
    return fails(claim, `That criterion loses nothing; the score is ${report.score}. ${whatIsLost(report)}`);
  return holds(claim, `${report.score} points; fix first: ${report.fixFirst?.criterion ?? 'nothing'}`);
}

const isCaught = (report: Report, { criterion }: Mistake): boolean =>
  report.status !== 'not-gradable' &&
  report.criteria.some(
    (one) =>
      one.id === criterion &&
      one.earned < one.points &&
      one.evidence.some(({ status }) => status === 'fail' || status === 'error' || status === 'timeout'),
  );

async function verifyLazy(bench: Bench, { id, source }: LazyAttempt): Promise<Finding> {
  const claim = `the lazy attempt "${id}" does not reach the bar`;
  bench.onProgress(`lazy attempt ${id}`);
  const paths = kataPaths(bench.root, bench.slug);
  const target = await makeVariant(bench.root, bench.slug, id, source, paths.folder);
  const report = await gradeTarget(bench, target, SCHEDULES.lazy);
  const detail = `${report.score} points, ${report.status}`;
  return report.status === 'passed' ? fails(claim, `${detail}: ${earnedWords(report)}.`) : holds(claim, detail);
}

function gradeTarget(
  { root, slug, seed, runner }: Bench,
  target: Target,
  schedules: number,
  { checks = false } = {},
): Promise<Report> {
  return grade({
    root,
    slug,
    title: slug,
    target,
    schedules,
    seed,
    runner,
    changed: [target.file, target.suite],
    skipsChecks: !checks,
  });
}

function whatIsLost({ criteria }: Report): string {
  const lost = criteria.filter(({ earned, points }) => earned < points);
  if (lost.length === 0) return '';
  return `Lost: ${lost
    .map(({ id, earned, points, evidence }) => {
      const bad = evidence.find(({ status }) => status !== 'pass');
      return `${id} (${earned} of ${points}; ${bad ? `${bad.id}: ${bad.detail}` : 'held back by the rest'})`;
    })
    .join('; ')}`;
}

const earnedWords = ({ criteria }: Report): string =>
  criteria
    .filter(({ earned }) => earned > 0)
    .map(({ id, earned, points }) => `${id} ${earned} of ${points}`)
    .join(', ');
