// A process of its own that runs mutants in the simulation: a mutant that loops is ended with it.
import { pathToFileURL } from 'node:url';
import { createFactory } from '../simulator/app-factory.ts';
import { bundle } from '../simulator/bundle.ts';
import { GLOBAL_NAMES } from '../simulator/globals.ts';
import { useLightResponses } from '../simulator/light-response.ts';
import { catchRejections, type RunResult, runPlan } from '../simulator/run.ts';
import { planSchedules, type Schedule } from '../simulator/schedules.ts';
import type { AnyScenario, AppFactory } from '../simulator/world.ts';
import { HIT_LIMIT } from './instrument.ts';

const SEED = 1;
const SCHEDULES = 1_000;
/** Between two signs of life. */
const BUSY_SCHEDULES = 25;
/** Most mutants that a simulation can kill are dead by then; the suite is asked next. */
const FIRST_SCHEDULES = 150;
const BUDGET_SCHEDULES = 240;

/** What is asked of this process: first to load a kata, then about one mutant after another. */
export type MutantRequest =
  | {
      readonly type: 'load';
      readonly root: string;
      readonly scenario: string;
      readonly reference: string;
      /** Bundled code of the mutated reference, without a choice of its own. */
      readonly mutated: string;
    }
  | { readonly type: 'try'; readonly id: string; readonly part: 'first' | 'rest' };
export type MutantEvent =
  | { readonly type: 'ready' }
  /** A sign of life between schedules. */
  | { readonly type: 'busy' }
  | { readonly type: 'tried'; readonly isKilled: boolean };

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

let subject: Promise<Subject> | undefined;
/** Schedules run so far. */
let tried = 0;

process.on('message', (request: MutantRequest) => {
  if (request.type === 'load') {
    subject = load(request);
    subject.then(() => say({ type: 'ready' }), fail);
  } else {
    subject
      ?.then((loaded) => isKilled(loaded, request.id, request.part))
      .then((killed) => say({ type: 'tried', isKilled: killed }))
      .catch(fail);
  }
});
process.on('disconnect', () => process.exit(0));

function say(event: MutantEvent): void {
  process.send?.(event);
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(70);
}

async function load({
  root,
  scenario: file,
  reference,
  mutated: mutants,
}: Extract<MutantRequest, { type: 'load' }>): Promise<Subject> {
  catchRejections();
  useLightResponses();
  const { scenario } = (await import(pathToFileURL(file).href)) as { scenario: AnyScenario };
  const original = createFactory(await bundle(reference, root));
  const active: Switch = { activeMutant: undefined, hitCount: 0, hitLimit: HIT_LIMIT };
  const make = createFactory(mutants, 'mutants.js');
  const mutated: AppFactory = (globals) => {
    const own = Object.fromEntries(GLOBAL_NAMES.map((name) => [name, globals[name]]));
    return make({ ...own, globalThis: { ...(own.globalThis as object), __stryker__: active } });
  };
  const count = async (plan: Schedule['plan']) => (await runPlan(scenario, original, plan)).counts;
  const schedules = await planSchedules(scenario, { seed: SEED, schedules: SCHEDULES, saved: [] }, count);
  const costs: Record<string, number> = {};
  for (const { plan } of schedules.slice(-BUDGET_SCHEDULES)) addCosts(costs, await runPlan(scenario, original, plan));
  return { scenario, mutated, schedules, active, costs };
}

function addCosts(sums: Record<string, number>, { budgets }: RunResult): void {
  for (const [id, cost] of Object.entries(budgets)) sums[id] = (sums[id] ?? 0) + cost;
}

async function runMutant({ scenario, mutated, active }: Subject, id: string, { plan }: Schedule): Promise<RunResult> {
  active.activeMutant = id;
  active.hitCount = 0;
  tried += 1;
  if (tried % BUSY_SCHEDULES === 0) say({ type: 'busy' });
  return runPlan(scenario, mutated, plan);
}

async function isKilled(subject: Subject, id: string, part: 'first' | 'rest'): Promise<boolean> {
  if (part === 'first') return breaks(subject, id, 0, FIRST_SCHEDULES);
  return (await breaks(subject, id, FIRST_SCHEDULES, SCHEDULES)) || costsTooMuch(subject, id);
}

async function breaks(subject: Subject, id: string, from: number, to: number): Promise<boolean> {
  // Evenly over the whole order first, so that every kind of schedule is among them.
  const stride = coprimeStride(subject.schedules.length);
  const ordered = subject.schedules.map((_, n) => (n * stride) % subject.schedules.length);
  for (const n of ordered.slice(from, to)) {
    const schedule = subject.schedules[n];
    if (!schedule) continue;
    const { violations, loadError, hasRunAway } = await runMutant(subject, id, schedule);
    if (violations.length > 0 || loadError !== null || hasRunAway) return true;
  }
  return false;
}

/** About as long as lets the first schedules reach over the whole order, and never one that comes back before all were met. */
function coprimeStride(count: number): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  let stride = Math.max(1, Math.floor(count / FIRST_SCHEDULES));
  while (gcd(count, stride) !== 1) stride += 1;
  return stride;
}

async function costsTooMuch(subject: Subject, id: string): Promise<boolean> {
  const sums: Record<string, number> = {};
  for (const schedule of subject.schedules.slice(-BUDGET_SCHEDULES))
    addCosts(sums, await runMutant(subject, id, schedule));
  return subject.scenario.budgets.some(
    ({ id, allowance }) => (sums[id] ?? 0) > allowance * Math.max(subject.costs[id] ?? 0, 0.05 * BUDGET_SCHEDULES),
  );
}
