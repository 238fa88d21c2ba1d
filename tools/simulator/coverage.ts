// Which faults and conditions of a scenario really make a difference: one that never does is a hole in the simulation.
import { chooseBases } from './base-plans.ts';
import { conditionArguments } from './generate.ts';
import type { Plan } from './plan.ts';
import { hashTrace, runPlan } from './run.ts';
import type { AnyScenario, AppFactory } from './world.ts';

/** Faults (`target kind`) and conditions that changed nothing in any schedule they were put into alone. */
export async function idleFaults(
  scenario: AnyScenario,
  factory: AppFactory,
  seed: number,
  onLook: (what: string) => void = () => undefined,
): Promise<string[]> {
  const hashes = new Map<Plan, string>();
  const chosen = await chooseBases(scenario, seed, async (plan) => {
    const { trace, counts } = await runPlan(scenario, factory, plan);
    hashes.set(plan, hashTrace(trace));
    return counts;
  });
  const bases = chosen.map(({ plan, counts }) => ({ plan, counts, hash: hashes.get(plan) ?? '' }));
  const differs = async (plan: Plan, hash: string) =>
    hashTrace((await runPlan(scenario, factory, plan)).trace) !== hash;

  async function faultMatters(target: string, kind: string): Promise<boolean> {
    onLook(`the search for ${kind} at ${target}`);
    for (const { plan, hash, counts } of bases) {
      for (const [phone, byTarget] of counts.entries()) {
        for (let nth = 1; nth <= (byTarget.get(target) ?? 0); nth += 1) {
          if (await differs({ ...plan, faults: [{ target, nth, phone, kind }] }, hash)) return true;
        }
      }
    }
    return false;
  }

  async function conditionMatters(name: string, ms: number): Promise<boolean> {
    onLook(`the search for ${name}`);
    for (const { plan, hash } of bases) {
      for (const [slot, step] of plan.steps.entries()) {
        const steps = plan.steps.with(slot, { do: name, phone: 0, args: { ms } });
        if (!step && (await differs({ ...plan, steps }, hash))) return true;
      }
    }
    return false;
  }

  const idle: string[] = [];
  for (const [target, kinds] of Object.entries(scenario.faults)) {
    for (const kind of kinds) if (!(await faultMatters(target, kind))) idle.push(`${target} ${kind}`);
  }
  for (const { name, choices } of conditionArguments(scenario)) {
    for (const ms of choices) if (!(await conditionMatters(name, ms))) idle.push(`${name} of ${ms} ms`);
  }
  return idle;
}
