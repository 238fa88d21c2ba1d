// The figures that speed is held to, as ratios within one run: `npm run bench [-- slug …]`.
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadCatalogue } from '../course/catalogue.ts';
import { findCourseRoot } from '../course/course-root.ts';
import { kataPaths } from '../course/kata-paths.ts';
import { grade, WATCH_SCHEDULES } from '../grader/grade.ts';
import { Simulation } from '../grader/simulation.ts';
import { SuiteRunner } from '../grader/suite-runner.ts';
import { targetOf } from '../grader/target.ts';
import { createFactory } from '../simulator/app-factory.ts';
import { bundle } from '../simulator/bundle.ts';
import { generatePlans } from '../simulator/generate.ts';
import { useLightResponses } from '../simulator/light-response.ts';
import { catchRejections, runPlan } from '../simulator/run.ts';
import type { AnyScenario } from '../simulator/world.ts';

const root = findCourseRoot() ?? process.cwd();
const KATA = path.join(root, 'tools', 'cli', 'kata.js');
const VITEST = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');

function show(what: string, measured: string, goal: string): void {
  console.log(`  ${what.padEnd(46)} ${measured.padStart(12)}   goal: ${goal}`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}

function runNode(args: readonly string[]): Promise<void> {
  return new Promise((resolve) =>
    spawn(process.execPath, args, { cwd: root, stdio: 'ignore' }).on('exit', () => resolve()),
  );
}

/** Times two things in turn, so that a busy moment of the machine meets both. */
async function ratio(
  rounds: number,
  ours: () => Promise<unknown>,
  theirs: () => Promise<unknown>,
): Promise<{ ours: number; theirs: number; times: number }> {
  const pairs: { ours: number; theirs: number }[] = [];
  for (let n = 0; n < rounds; n += 1) pairs.push({ ours: await timed(ours), theirs: await timed(theirs) });
  const [a, b] = [median(pairs.map((pair) => pair.ours)), median(pairs.map((pair) => pair.theirs))];
  return { ours: a, theirs: b, times: a / b };
}

const versus = ({ ours, theirs, times }: { ours: number; theirs: number; times: number }): string =>
  `${times.toFixed(1)}x (${ours.toFixed(0)}/${theirs.toFixed(0)} ms)`;

async function benchList(): Promise<void> {
  spawnSync(process.execPath, [KATA, 'list'], { cwd: root });
  const list = await ratio(
    15,
    () => runNode([KATA, 'list']),
    () => runNode(['-e', '0']),
  );
  show('kata list, beside node -e 0', versus(list), 'at most 4x');
}

async function benchSimulation(slug: string): Promise<void> {
  const { scenario: file, reference } = kataPaths(root, slug);
  const { scenario } = (await import(pathToFileURL(file).href)) as { scenario: AnyScenario };
  const factory = createFactory(await bundle(reference, root));
  const release = catchRejections();
  const undo = useLightResponses();
  const total = 20_000;
  const plans = generatePlans(scenario, 7, 2_000);
  let virtualMs = 0;
  let startedAt = 0;
  let early = 0;
  for (let n = 0; n < total; n += 1) {
    // The first thousand warm the engine up.
    if (n === 1_000) startedAt = performance.now();
    if (n === 4_000) early = heapMb();
    const plan = plans[n % plans.length];
    if (!plan) break;
    const run = await runPlan(scenario, factory, plan);
    if (n >= 1_000) virtualMs += run.virtualMs;
  }
  const wallMs = performance.now() - startedAt;
  const grownMb = heapMb() - early;
  undo();
  release();
  show(
    'schedules a second, one core',
    String(Math.round(((total - 1_000) / wallMs) * 1_000)),
    'at least 1,000 (offline-queue), 200 (chat)',
  );
  show('virtual time beside real time', `${Math.round(virtualMs / wallMs)}x`, 'at least 3,000x');
  show('memory grown from 4,000 to 20,000 schedules', `${grownMb.toFixed(1)} MB`, 'flat');
}

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

async function benchGrade(slug: string): Promise<void> {
  const suite = `katas/${slug}/suite.test.ts`;
  const graded = await ratio(
    3,
    () => runNode([KATA, 'grade', slug, '--reference']),
    () => runNode([VITEST, 'run', '--project', 'katas', '--mode', 'reference', suite]),
  );
  show('grade of the reference, beside vitest run', versus(graded), 'at most 3x');
}

async function benchWatch(slug: string): Promise<void> {
  const target = targetOf(root, slug, 'reference');
  const runner = new SuiteRunner({ root, isReference: true });
  const changed = [target.file];
  await runner.run([target.suite]);
  let simulation = new Simulation(root, slug);
  // A learner needs longer to save again than a process needs to start.
  const warm = () => new Promise((resolve) => setTimeout(resolve, 700));
  const verdict = async () => {
    await grade({ root, slug, title: slug, target, schedules: WATCH_SCHEDULES, runner, simulation, changed });
  };
  const pairs: { ours: number; theirs: number }[] = [];
  for (let n = 0; n < 5; n += 1) {
    await warm();
    const ours = await timed(verdict);
    simulation.stop();
    simulation = new Simulation(root, slug);
    await warm();
    pairs.push({ ours, theirs: await timed(() => runner.run([target.suite], changed)) });
  }
  simulation.stop();
  runner.stop();
  const [ours, theirs] = [median(pairs.map((pair) => pair.ours)), median(pairs.map((pair) => pair.theirs))];
  show('watch: save to verdict, beside a warm re-run', versus({ ours, theirs, times: ours / theirs }), 'at most 1.5x');
}

const slugs =
  process.argv.length > 2 ? process.argv.slice(2) : (await loadCatalogue(root)).katas.map(({ slug }) => slug);
console.log(`Node ${process.version}, ${process.platform}-${process.arch}. Each ratio is measured within this run.\n`);
await benchList();
for (const slug of slugs) {
  console.log(`\n${slug}`);
  await benchSimulation(slug);
  await benchGrade(slug);
  await benchWatch(slug);
}
process.exit(0);
