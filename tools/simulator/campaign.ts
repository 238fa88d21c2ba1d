// A whole simulation of an attempt: every schedule, fairness beside the reference, determinism, shrinking, budgets.
import { shrinkPlan } from './generate.ts';
import type { Plan } from './plan.ts';
import { hashTrace, type RunResult, runPlan } from './run.ts';
import { planSchedules, type Schedule } from './schedules.ts';
import { type StoryData, tellStory } from './story.ts';
import type { TraceEvent } from './trace.ts';
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
  /** Meets only every `of`th schedule, from the nth on (from 0), so that several can share a campaign (default: all). */
  readonly part?: CampaignPart;
  /** Called before each schedule: a sign of life. */
  readonly onSchedule?: (done: number, path: string) => void;
}

export interface CampaignPart {
  readonly n: number;
  readonly of: number;
}

export interface CampaignViolation {
  readonly invariant: string;
  /** Schedules that broke it. */
  readonly count: number;
  /** Which schedule was the first to break it, from 0, over all parts. */
  readonly index: number;
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
const SHRINK_RUNS_MAX = 120;
const WHOLE: CampaignPart = { n: 0, of: 1 };

/** Runs an attempt through all schedules. `reference` judges what is fair; for the reference itself pass it twice. */
export async function runCampaign(
  scenario: AnyScenario,
  attempt: AppFactory,
  reference: AppFactory,
  options: CampaignOptions,
): Promise<CampaignResult> {
  const { seed, schedules, saved = [], part = WHOLE, onSchedule = () => undefined } = options;
  const count = async (plan: Plan) => (await runPlan(scenario, reference, plan)).counts;
  const all = await planSchedules(scenario, { seed, schedules, saved }, count);
  const campaign = new Campaign(scenario, attempt, reference, options);
  for (let nth = 0, index = part.n; index < all.length && !campaign.isOver; nth += 1, index += part.of) {
    const schedule = all[index] as Schedule;
    onSchedule(index, schedule.path);
    await campaign.meet({ ...schedule, index }, nth % TWICE_EVERY === 0);
  }
  return campaign.conclude((invariant) => onSchedule(all.length, `shrinking ${invariant}`));
}

/** Where it stands among all of a campaign. */
interface IndexedSchedule extends Schedule {
  readonly index: number;
}

/** What has been found out so far. */
class Campaign {
  readonly #scenario: AnyScenario;
  readonly #attempt: AppFactory;
  readonly #reference: AppFactory;
  readonly #options: CampaignOptions;
  readonly #found = new Map<string, { count: number; first: IndexedSchedule }>();
  readonly #struck = new Set<string>();
  readonly #budgets: Map<string, BudgetSums>;
  readonly #budgetRunsMax: number;
  #budgetRuns = 0;
  #schedules = 0;
  #failing = 0;
  #setAside = 0;
  #virtualMs = 0;
  #runaways = 0;
  #loadError: LoadError | null = null;
  #nondeterministic: Schedule | null = null;

  constructor(scenario: AnyScenario, attempt: AppFactory, reference: AppFactory, options: CampaignOptions) {
    this.#scenario = scenario;
    this.#attempt = attempt;
    this.#reference = reference;
    this.#options = options;
    this.#budgetRunsMax = Math.ceil(BUDGET_SCHEDULES / (options.part ?? WHOLE).of);
    this.#budgets = new Map(
      scenario.budgets.map(({ id, allowance }) => [id, { attempt: 0, reference: 0, allowance, schedules: 0 }]),
    );
  }

  get #isReference(): boolean {
    return this.#attempt === this.#reference;
  }

  /** Going on would find out nothing that matters. */
  get isOver(): boolean {
    const { stopWhenBroken = [] } = this.#options;
    const isKnown = this.#loadError !== null || this.#nondeterministic !== null;
    return isKnown || this.#runaways >= RUNAWAYS_MAX || stopWhenBroken.some((id) => this.#found.has(id));
  }

  /** Runs one schedule, a second time if asked or if it is the first to break something. */
  async meet(schedule: IndexedSchedule, isRunTwice: boolean): Promise<void> {
    const result = await this.#run(this.#attempt, schedule.plan);
    this.#loadError = result.loadError;
    if (result.loadError !== null) return;
    if (isRunTwice || result.violations.some(({ invariant }) => !this.#found.has(invariant))) {
      const again = await this.#run(this.#attempt, schedule.plan);
      if (hashTrace(again.trace) !== hashTrace(result.trace)) {
        this.#nondeterministic = schedule;
        return;
      }
    }
    await this.#judge(schedule, result);
  }

  #run(factory: AppFactory, plan: Plan): Promise<RunResult> {
    return runPlan(this.#scenario, factory, plan);
  }

  async #judge(schedule: IndexedSchedule, result: RunResult): Promise<void> {
    const isBudgetRun = isForBudgets(schedule) && this.#budgetRuns < this.#budgetRunsMax;
    const isCompared = !this.#isReference && (isBudgetRun || this.#isInDoubt(result));
    const beside = isCompared ? await this.#run(this.#reference, schedule.plan) : result;
    if (isCompared && result.violations.length > 0 && beside.violations.length > 0) {
      this.#setAside += 1;
      return;
    }
    if (isBudgetRun) this.#addBudgets(result, beside);
    this.#note(schedule, result);
  }

  /** Whether the reference has to say if a failing schedule is fair. */
  #isInDoubt({ violations }: RunResult): boolean {
    if (violations.length > 0 && this.#setAside > 0) return true;
    return violations.some(({ invariant }) => (this.#found.get(invariant)?.count ?? 0) < JUDGED_SCHEDULES);
  }

  #addBudgets(result: RunResult, beside: RunResult): void {
    this.#budgetRuns += 1;
    for (const [id, sums] of this.#budgets) {
      sums.schedules += 1;
      sums.attempt += result.budgets[id] ?? 0;
      sums.reference += beside.budgets[id] ?? 0;
    }
  }

  #note(schedule: IndexedSchedule, { violations, virtualMs, hasRunAway, struck }: RunResult): void {
    for (const name of struck.keys()) this.#struck.add(name);
    this.#schedules += 1;
    this.#virtualMs += virtualMs;
    if (violations.length > 0) this.#failing += 1;
    if (hasRunAway) this.#runaways += 1;
    for (const { invariant } of violations) {
      const known = this.#found.get(invariant);
      if (known) known.count += 1;
      else this.#found.set(invariant, { count: 1, first: schedule });
    }
  }

  /** Makes the first schedule of each broken invariant small, and tells it. */
  async conclude(onShrink: (invariant: string) => void): Promise<CampaignResult> {
    const isVoid = this.#loadError !== null || this.#nondeterministic !== null;
    const violations: CampaignViolation[] = [];
    for (const [invariant, { count, first }] of isVoid ? [] : this.#found) {
      onShrink(invariant);
      const plan = await this.#smallest(first.plan, invariant);
      const reference = this.#isReference ? null : this.#reference;
      const story = await tellStory(this.#scenario, this.#attempt, reference, plan, invariant);
      violations.push({ invariant, count, index: first.index, path: first.path, plan, story });
    }
    return {
      schedules: this.#schedules,
      failing: this.#failing,
      setAside: this.#setAside,
      virtualMs: this.#virtualMs,
      violations,
      budgets: Object.fromEntries(this.#budgets),
      struck: [...this.#struck].sort(),
      loadError: this.#loadError,
      nondeterministic: this.#nondeterministic,
      stoppedBy: this.#runaways >= RUNAWAYS_MAX ? 'runaway' : null,
    };
  }

  /** Shrinks a schedule so that the same invariant still breaks at each step. */
  async #smallest(plan: Plan, invariant: string): Promise<Plan> {
    const runsMax = this.#options.shrinkRunsMax ?? SHRINK_RUNS_MAX;
    // Each run of a runaway takes far longer, and its first schedule is as good as any.
    if (invariant === 'bounded' || runsMax === 0) return plan;
    const find = async (candidate: Plan) => {
      const { violations, trace } = await this.#run(this.#attempt, candidate);
      const found = violations.find((violation) => violation.invariant === invariant);
      return found && { ...found, trace };
    };
    const breaks = async (candidate: Plan) => (await find(candidate)) !== undefined;
    const found = await find(plan);
    const struck = found && withStruck(plan, found.trace.slice(0, found.index + 1));
    const isEnough = struck && (await breaks(struck));
    return shrinkPlan(this.#scenario, isEnough ? struck : plan, breaks, runsMax);
  }
}

/** A schedule with no more faults than those that struck. */
function withStruck(plan: Plan, trace: readonly TraceEvent[]): Plan {
  const places = new Set(trace.flatMap((event) => (event.kind === 'fault' ? [placeOf(event)] : [])));
  return { ...plan, faults: plan.faults.filter((fault) => places.has(placeOf(fault))) };
}

const placeOf = ({ phone, target, nth }: { phone: number; target: string; nth: number }): string =>
  `${phone} ${target} ${nth}`;

const isForBudgets = ({ path }: Schedule): boolean => path.startsWith('generated') || path.startsWith('plain');
