// An attempt beside the reference over the same schedules: where they part, and what each costs.

import { noCosts } from './costs.ts';
import { type Difference, firstDifference } from './difference.ts';
import type { Plan } from './plan.ts';
import { runPlan } from './run.ts';
import { planSchedules } from './schedules.ts';
import { tellSteps } from './story.ts';
import type { Costs } from './trace.ts';
import type { AnyScenario, AppFactory, LoadError } from './world.ts';

export interface Comparison {
  readonly schedules: number;
  /** Schedules in which user or server saw something else. */
  readonly differing: number;
  /** The first of them; null when there is none. */
  readonly first: {
    readonly path: string;
    readonly plan: Plan;
    readonly steps: readonly string[];
    readonly difference: Difference;
  } | null;
  readonly costs: { readonly attempt: Costs; readonly reference: Costs };
  readonly loadError: LoadError | null;
}

/** Runs both through the same schedules and compares what user and server see, not how it was done. */
export async function compare(
  scenario: AnyScenario,
  attempt: AppFactory,
  reference: AppFactory,
  options: { readonly seed: number; readonly schedules: number; readonly onSchedule?: (path: string) => void },
): Promise<Comparison> {
  const count = async (plan: Plan) => (await runPlan(scenario, reference, plan)).counts;
  const schedules = await planSchedules(scenario, { ...options, saved: [] }, count);
  const costs = { attempt: noCosts(), reference: noCosts() };
  let differing = 0;
  let first: Comparison['first'] = null;
  for (const { path, plan } of schedules) {
    options.onSchedule?.(path);
    const ours = await runPlan(scenario, attempt, plan, { isDetailed: true });
    if (ours.loadError) return { schedules: 0, differing: 0, first: null, costs, loadError: ours.loadError };
    const theirs = await runPlan(scenario, reference, plan, { isDetailed: true });
    add(costs.attempt, ours.costs);
    add(costs.reference, theirs.costs);
    const difference = firstDifference(ours.trace, theirs.trace, { requests: false });
    if (!difference) continue;
    differing += 1;
    const seen = ours.trace.filter(({ atMs }) => atMs <= difference.atMs);
    first ??= { path, plan, steps: tellSteps(scenario, plan, seen), difference };
  }
  return { schedules: schedules.length, differing, first, costs, loadError: null };
}

function add(sum: Costs, more: Costs): void {
  for (const key of Object.keys(sum) as (keyof Costs)[]) sum[key] += more[key];
}
