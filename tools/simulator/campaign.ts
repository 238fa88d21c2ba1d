// A whole simulation of an attempt: every schedule, fairness beside the reference, determinism, shrinking, budgets.
import { shrinkPlan } from './generate.ts';
import type { Plan } from './plan.ts';
import { hashTrace, type RunResult, runPlan } from './run.ts';
import { planSchedules, type Schedule } from './schedules.ts';
import { type StoryData, tellStory } from './story.ts';
import type { AnyScenario, AppFactory, LoadError } from './world.ts';

export interface CampaignOptions {
  readonly seed: number;
  readonly schedules: number;
  /** Schedules that failed before: run first. */
  readonly saved?: readonly Plan[];
  /** Runs spent on making each failing schedule smaller (default 120). */
  readonly shrinkRunsMax?: number;
  /** Ends as soon as one of these is broken: for one who only asks whether it ever is. */
  readonly stopWhenBroken?: readonly string[];
  /** Called before each schedule: a sign of life. */
  readonly onSchedule?: (done: number, path: string) => void;
}

export interface CampaignViolation {
  readonly invariant: string;
  /** Schedules that broke it. */
  readonly count: number;
  readonly path: string;
  readonly plan: Plan;
  readonly story: StoryData;
}

/** Costs over the schedules that both were measured on. */
export interface BudgetSums {
  attempt: number;
  reference: number;
  readonly allowance: number;
  schedules: number;
}

export interface CampaignResult {
  /** Schedules that count: run, and not set aside. */
  readonly schedules: number;
  readonly failing: number;
  /** Schedules that even the reference cannot satisfy. */
  readonly setAside: number;
  readonly virtualMs: number;
  readonly violations: readonly CampaignViolation[];
  readonly budgets: Readonly<Record<string, BudgetSums>>;
  /** Faults that struck in any schedule, as `target kind`. */
  readonly struck: readonly string[];
  /** The app could not be made: nothing else was found out. */
  readonly loadError: LoadError | null;
  /** Two runs of this schedule differed: nothing found out can be trusted. */
  readonly nondeterministic: { path: string; plan: Plan } | null;
  /** Why it ended early; null when every schedule was run. */
  readonly stoppedBy: 'runaway' | null;
}

/** One in so many schedules is run twice and compared. */
const TWICE_EVERY = 20;
/** An attempt that runs away this often has been seen through; going on would take minutes. */
const RUNAWAYS_MAX = 8;
/** Budgets are compared over the first so many of the generated schedules, and the plain ones. */
const BUDGET_SCHEDULES = 150;
/** The reference judges so many failing schedules of each invariant. Only if one of them is unfair must it judge all. */
const JUDGED_SCHEDULES = 5;

/** Runs an attempt through all schedules. `reference` judges what is fair; for the reference itself pass it twice. */
export async function runCampaign(
  scenario: AnyScenario,
  attempt: AppFactory,
  reference: AppFactory,
  options: CampaignOptions,
): Promise<CampaignResult> {
  const {
    seed,
    schedules,
    saved = [],
    shrinkRunsMax = 120,
    stopWhenBroken = [],
    onSchedule = () => undefined,
  } = options;
  const isReference = attempt === reference;
  const countEffects = async (plan: Plan) => (await runPlan(scenario, reference, plan)).counts;
  const all = await planSchedules(scenario, { seed, schedules, saved }, countEffects);
  const found = new Map<string, { count: number; first: Schedule }>();
  const tally = { run: 0, failing: 0, setAside: 0, virtualMs: 0, runaways: 0 };
  const struck = new Set<string>();
  const costs = new Map(
    scenario.budgets.map(({ id, allowance }): [string, BudgetSums] => [
      id,
      { attempt: 0, reference: 0, allowance, schedules: 0 },
    ]),
  );
  let budgetRuns = 0;
  const end = (rest: Partial<CampaignResult>): CampaignResult => ({
    schedules: tally.run,
    failing: tally.failing,
    setAside: tally.setAside,
    virtualMs: tally.virtualMs,
    violations: [],
    budgets: Object.fromEntries(costs),
    struck: [...struck].sort(),
    loadError: null,
    nondeterministic: null,
    stoppedBy: null,
    ...rest,
  });

  for (const [n, schedule] of all.entries()) {
    onSchedule(n, schedule.path);
    const result = await runPlan(scenario, attempt, schedule.plan);
    if (result.loadError !== null) return end({ loadError: result.loadError });
    if (n % TWICE_EVERY === 0 || isFirstOfItsKind(result, found)) {
      const again = await runPlan(scenario, attempt, schedule.plan);
      if (hashTrace(again.trace) !== hashTrace(result.trace)) return end({ nondeterministic: schedule });
    }
    for (const name of result.struck.keys()) struck.add(name);
    const isBudgetRun = isForBudgets(schedule) && budgetRuns < BUDGET_SCHEDULES;
    const isFailing = result.violations.length > 0;
    const isJudged =
      isFailing &&
      (tally.setAside > 0 ||
        result.violations.some(({ invariant }) => (found.get(invariant)?.count ?? 0) < JUDGED_SCHEDULES));
    const beside =
      (isJudged || isBudgetRun) && !isReference ? await runPlan(scenario, reference, schedule.plan) : result;
    if (isFailing && beside !== result && beside.violations.length > 0) {
      tally.setAside += 1;
      continue;
    }
    tally.run += 1;
    tally.virtualMs += result.virtualMs;
    if (isBudgetRun) {
      budgetRuns += 1;
      for (const [id, sums] of costs) {
        sums.schedules += 1;
        sums.attempt += result.budgets[id] ?? 0;
        sums.reference += beside.budgets[id] ?? 0;
      }
    }
    if (isFailing) tally.failing += 1;
    for (const { invariant } of result.violations) {
      const known = found.get(invariant);
      if (known) known.count += 1;
      else found.set(invariant, { count: 1, first: schedule });
    }
    if (result.hasRunAway) tally.runaways += 1;
    if (tally.runaways >= RUNAWAYS_MAX || stopWhenBroken.some((id) => found.has(id))) break;
  }

  const violations: CampaignViolation[] = [];
  for (const [invariant, { count, first }] of found) {
    onSchedule(all.length, `shrinking ${invariant}`);
    const plan = await smallest(scenario, attempt, first.plan, invariant, shrinkRunsMax);
    const story = await tellStory(scenario, attempt, isReference ? null : reference, plan, invariant);
    violations.push({ invariant, count, path: first.path, plan, story });
  }
  return end({ violations, stoppedBy: tally.runaways >= RUNAWAYS_MAX ? 'runaway' : null });
}

const isForBudgets = ({ path }: Schedule): boolean => path.startsWith('generated') || path.startsWith('plain');

const isFirstOfItsKind = (result: RunResult, found: ReadonlyMap<string, unknown>): boolean =>
  result.violations.some(({ invariant }) => !found.has(invariant));

/** Shrinks a schedule so that the same invariant still breaks at each step. */
async function smallest(
  scenario: AnyScenario,
  attempt: AppFactory,
  plan: Plan,
  invariant: string,
  runsMax: number,
): Promise<Plan> {
  const breaks = async (candidate: Plan) =>
    (await runPlan(scenario, attempt, candidate)).violations.some((violation) => violation.invariant === invariant);
  // Each run of a runaway takes far longer, and its first schedule is as good as any.
  return invariant === 'bounded' ? plan : shrinkPlan(scenario, plan, breaks, runsMax);
}
