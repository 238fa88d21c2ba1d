// Schedules of actions alone: what sweeps put their single faults into.
import fc from 'fast-check';
import { createDraw, type Draw } from './draw.ts';
import { actionArbitrary } from './generate.ts';
import type { Plan, Step } from './plan.ts';
import type { AnyScenario } from './world.ts';

/** How many there are at least, and at most. */
const COUNT = { min: 6, max: 12 };
/** How often more are drawn for effects that none has had. */
const DRAWS_MORE = 6;

/** How many effects each phone had in a run, by target. */
export type EffectCounts = readonly ReadonlyMap<string, number>[];

export interface Base {
  readonly plan: Plan;
  readonly counts: EffectCounts;
}

/**
 * Schedules with an action in every other slot, with the effects that `count` tells of them. There are enough for each
 * action, however rare, to have its turn, and for each target of a fault to be reached, if one of some dozens does that;
 * unless fewer are asked for. What comes up by luck alone would leave faults there to generated schedules.
 */
export async function chooseBases(
  scenario: AnyScenario,
  seed: number,
  count: (plan: Plan) => Promise<EffectCounts>,
  most = COUNT.max,
): Promise<Base[]> {
  const bases: Base[] = [];
  for (const plan of basePlans(scenario, seed, most)) bases.push({ plan, counts: await count(plan) });
  const missing = new Set(Object.keys(scenario.faults));
  const strike = ({ counts }: Base): boolean => {
    const reached = counts.flatMap((byTarget) => [...byTarget.keys()]).filter((target) => missing.has(target));
    for (const target of reached) missing.delete(target);
    return reached.length > 0;
  };
  for (const base of bases) strike(base);
  for (let n = 0; n < DRAWS_MORE && missing.size > 0; n += 1) {
    for (const plan of basePlans(scenario, createDraw(seed).pick(2 ** 31 - 1, 'more bases', n))) {
      if (missing.size === 0 || bases.length >= Math.min(COUNT.max, most)) return bases;
      const base = { plan, counts: await count(plan) };
      if (strike(base)) bases.push(base);
    }
  }
  return bases;
}

/** Each action has its turn in them. */
export function basePlans(scenario: AnyScenario, seed: number, most = COUNT.max): Plan[] {
  const draw = createDraw(seed);
  const perPlan = Math.ceil(scenario.slots / 2);
  const wanted = Math.ceil(drawsFor(scenario) / perPlan);
  const count = Math.max(1, Math.min(Math.max(wanted, COUNT.min), COUNT.max, most));
  const steps = drawSteps(scenario, draw, perPlan * count);
  return Array.from({ length: count }, (_, n) => ({
    schemaVersion: 1,
    kata: scenario.kata,
    world: draw.pick(2 ** 31 - 1, 'base', n) + 1,
    steps: Array.from({ length: scenario.slots }, (_, slot) =>
      slot % 2 === 0 ? (steps[n * perPlan + slot / 2] ?? null) : null,
    ),
    faults: [],
  }));
}

const weightsOf = ({ actions }: AnyScenario): [name: string, weight: number][] =>
  Object.entries(actions).map(([name, { weight = 1 }]) => [name, weight]);

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** In so many draws the rarest action has its share of one. */
function drawsFor(scenario: AnyScenario): number {
  const weights = weightsOf(scenario).map(([, weight]) => weight);
  return sum(weights) / Math.min(...weights);
}

/** Steps in any order, each action as often as its weight says: the share of none depends on luck. */
function drawSteps(scenario: AnyScenario, draw: Draw, count: number): Step[] {
  const weights = weightsOf(scenario);
  const interval = sum(weights.map(([, weight]) => weight)) / count;
  let next = draw.unit('first action') * interval;
  let upTo = 0;
  const steps = weights.flatMap(([name, weight]) => {
    upTo += weight;
    const turns = Math.max(0, Math.ceil((upTo - next) / interval));
    next += turns * interval;
    const seed = draw.pick(2 ** 31 - 1, 'arguments', name);
    return fc.sample(actionArbitrary(scenario, name), { numRuns: turns, seed });
  });
  const places = steps.map((step, n) => ({ step, place: draw.unit('place', n) }));
  return places.sort((a, b) => a.place - b.place).map(({ step }) => step);
}
