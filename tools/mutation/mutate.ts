// The mutation score of a kata's reference under simulation and suite: `npm run mutation -- <slug>`.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { findCourseRoot } from '../course/course-root.ts';
import { kataPaths } from '../course/kata-paths.ts';
import { keepFile } from '../course/keep-file.ts';
import { SuiteRunner } from '../grader/suite-runner.ts';
import { makeVariant } from '../grader/variants.ts';
import { createFactory } from '../simulator/app-factory.ts';
import { bundle } from '../simulator/bundle.ts';
import { useLightResponses } from '../simulator/light-response.ts';
import { catchRejections, type RunResult, runPlan } from '../simulator/run.ts';
import { planSchedules, type Schedule } from '../simulator/schedules.ts';
import type { AnyScenario, AppFactory } from '../simulator/world.ts';
import { instrument, type Mutant } from './instrument.ts';

const SEED = 1;
const SCHEDULES = 1_000;
/** Most mutants that a simulation can kill are dead by then; the suite is asked next. */
const FIRST_SCHEDULES = 150;
const BUDGET_SCHEDULES = 240;
/** A mutant that loops is stopped after so many passes through its switch in one schedule. */
const HIT_LIMIT = 200_000;
const LEAST_SCORE = 0.9;

/** What a mutated file reads: see the instrumenter's `stryNS`. */
interface Switch {
  activeMutant: string | undefined;
  hitCount: number;
  hitLimit: number;
}

interface Subject {
  readonly scenario: AnyScenario;
  readonly mutated: AppFactory;
  readonly schedules: readonly Schedule[];
  readonly active: Switch;
  /** What the reference costs over the budget schedules, by budget. */
  readonly costs: Readonly<Record<string, number>>;
}

const slug = process.argv[2] ?? '';
const root = findCourseRoot() ?? process.cwd();

async function main(): Promise<number> {
  const paths = kataPaths(root, slug);
  const { text, mutants } = await instrument(
    path.basename(paths.reference),
    await readFile(paths.reference, 'utf8').catch(usage),
  );
  const target = await makeVariant(root, slug, 'mutants', `// @ts-nocheck\n${text}`);
  const subject = await prepare(paths.scenario, paths.reference, target.file);
  const survivors: Mutant[] = [];
  const runner = new SuiteRunner({ root, isReference: true });
  try {
    for (const [n, mutant] of mutants.entries()) {
      process.stderr.write(`\r${n + 1} of ${mutants.length}, ${survivors.length} alive `);
      if (await diesInSimulation(subject, mutant, 0, FIRST_SCHEDULES)) continue;
      if (await diesInSuite(runner, target, text, mutant)) continue;
      if (await diesInSimulation(subject, mutant, FIRST_SCHEDULES, SCHEDULES)) continue;
      if (!(await costsTooMuch(subject, mutant))) survivors.push(mutant);
    }
  } finally {
    runner.stop();
  }
  return tell(mutants, survivors);
}

function usage(): never {
  console.error('Which kata? For example: npm run mutation -- offline-queue');
  process.exit(64);
}

async function prepare(scenarioFile: string, reference: string, mutatedFile: string): Promise<Subject> {
  catchRejections();
  useLightResponses();
  const { scenario } = (await import(pathToFileURL(scenarioFile).href)) as { scenario: AnyScenario };
  const original = createFactory(await bundle(reference, root));
  const active: Switch = { activeMutant: undefined, hitCount: 0, hitLimit: HIT_LIMIT };
  const make = createFactory(await bundle(mutatedFile, root), 'mutants.js');
  const mutated: AppFactory = (globals) =>
    make({ ...globals, globalThis: { ...(globals.globalThis as object), __stryker__: active } });
  const count = async (plan: Schedule['plan']) => (await runPlan(scenario, original, plan)).counts;
  const schedules = await planSchedules(scenario, { seed: SEED, schedules: SCHEDULES, saved: [] }, count);
  const costs: Record<string, number> = {};
  for (const { plan } of schedules.slice(-BUDGET_SCHEDULES)) addCosts(costs, await runPlan(scenario, original, plan));
  return { scenario, mutated, schedules, active, costs };
}

function addCosts(sums: Record<string, number>, { budgets }: RunResult): void {
  for (const [id, cost] of Object.entries(budgets)) sums[id] = (sums[id] ?? 0) + cost;
}

async function runMutant(
  { scenario, mutated, active }: Subject,
  mutant: Mutant,
  { plan }: Schedule,
): Promise<RunResult> {
  active.activeMutant = mutant.id;
  active.hitCount = 0;
  return runPlan(scenario, mutated, plan);
}

async function diesInSimulation(subject: Subject, mutant: Mutant, from: number, to: number): Promise<boolean> {
  // Evenly over the whole order first, so that every kind of schedule is among them.
  const stride = Math.max(1, Math.floor(SCHEDULES / FIRST_SCHEDULES));
  const ordered = subject.schedules.map((_, n) => (n * stride) % subject.schedules.length);
  for (const n of ordered.slice(from, to)) {
    const schedule = subject.schedules[n];
    if (!schedule) continue;
    const { violations, loadError, hasRunAway } = await runMutant(subject, mutant, schedule);
    if (violations.length > 0 || loadError !== null || hasRunAway) return true;
  }
  return false;
}

async function costsTooMuch(subject: Subject, mutant: Mutant): Promise<boolean> {
  const sums: Record<string, number> = {};
  for (const schedule of subject.schedules.slice(-BUDGET_SCHEDULES))
    addCosts(sums, await runMutant(subject, mutant, schedule));
  return subject.scenario.budgets.some(
    ({ id, allowance }) => (sums[id] ?? 0) > allowance * Math.max(subject.costs[id] ?? 0, 0.05 * BUDGET_SCHEDULES),
  );
}

async function diesInSuite(
  runner: SuiteRunner,
  target: { file: string; suite: string },
  text: string,
  mutant: Mutant,
): Promise<boolean> {
  const chosen = `// @ts-nocheck\nglobalThis.__stryker__ = { activeMutant: '${mutant.id}', hitCount: 0, hitLimit: ${HIT_LIMIT} };\n`;
  await keepFile(target.file, chosen + moved(await readFile(target.file, 'utf8'), text));
  const { tests, hung, broken, unhandled } = await runner.run([target.suite], [target.file]);
  return hung.length + broken.length + unhandled.length > 0 || tests.some(({ state }) => state === 'failed');
}

/** The mutated file without the line that chose the last mutant. */
function moved(file: string, text: string): string {
  return file.replace(/^\/\/ @ts-nocheck\n(?:globalThis\.__stryker__.*\n)?/, '') || text;
}

function tell(mutants: readonly Mutant[], survivors: readonly Mutant[]): number {
  const score = 1 - survivors.length / Math.max(1, mutants.length);
  process.stderr.write('\r');
  console.log(
    `${slug}: ${mutants.length - survivors.length} of ${mutants.length} mutants killed, ${(score * 100).toFixed(1)} %`,
  );
  for (const { line, mutator, original, replacement } of survivors) {
    console.log(`  line ${line}: ${mutator}: ${oneLine(original)}  →  ${oneLine(replacement)}`);
  }
  return score >= LEAST_SCORE ? 0 : 1;
}

const oneLine = (text: string | undefined): string => (text ?? '').replace(/\s+/g, ' ').slice(0, 90);

process.exitCode = await main();
