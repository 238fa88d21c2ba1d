// The schedules of a grade, in order: saved ones, no fault, single faults, pairs with a kill, generated ones.

import { chooseBases, type EffectCounts } from './base-plans.ts';
import { createDraw } from './draw.ts';
import { isKill } from './fault-kinds.ts';
import { conditionArguments, generatePlans } from './generate.ts';
import type { Plan, PlannedFault, Step } from './plan.ts';
import type { AnyScenario } from './world.ts';

export interface Schedule {
  /** Where it stands in the order, such as `sweep:17`. */
  readonly path: string;
  readonly plan: Plan;
}

/** Shares of the schedules left after the saved ones. */
const SHARE = { plain: 0.05, sweep: 0.4, pairs: 0.2 };

/**
 * All schedules of a grade. `count` tells how many effects a plan without faults has, so that each can be struck.
 * Same scenario, seed, size and counts: same schedules.
 */
export async function planSchedules(
  scenario: AnyScenario,
  { seed, schedules, saved }: { seed: number; schedules: number; saved: readonly Plan[] },
  count: (plan: Plan) => Promise<EffectCounts>,
): Promise<Schedule[]> {
  const bases = await chooseBases(scenario, seed, count, Math.floor(schedules * SHARE.plain));
  const plain = bases.map(({ plan }) => plan);
  const draw = createDraw(seed);
  const singles: Plan[] = [];
  const pairs: Plan[] = [];
  for (const { plan: base, counts } of bases) {
    const faults = faultsAt(scenario, counts);
    singles.push(...faults.map((fault) => ({ ...base, faults: [fault] })), ...withOneCondition(scenario, base));
    const kills = faults.filter(({ kind }) => isKill(kind));
    for (const [n, fault] of faults.entries()) {
      const kill = kills[draw.pick(kills.length, 'kill', n, base.world)];
      if (kill && !isSamePlace(kill, fault)) pairs.push({ ...base, faults: [fault, kill] });
    }
  }
  const room = Math.max(0, schedules - bases.length);
  const sweep = spread(singles, Math.floor(room * SHARE.sweep), seed);
  const paired = spread(pairs, Math.floor(room * SHARE.pairs), seed);
  const generated = generatePlans(scenario, seed, Math.max(0, room - sweep.length - paired.length));
  return [
    ...named('saved', saved),
    ...named('plain', plain),
    ...named('sweep', sweep),
    ...named('pair', paired),
    ...named('generated', generated),
  ].slice(0, saved.length + schedules);
}

const named = (group: string, plans: readonly Plan[]): Schedule[] =>
  plans.map((plan, n) => ({ path: `${group}:${n}`, plan }));

const isSamePlace = (a: PlannedFault, b: PlannedFault): boolean =>
  a.phone === b.phone && a.target === b.target && a.nth === b.nth;

/** Every kind of fault at every effect. */
function faultsAt(scenario: AnyScenario, counts: EffectCounts): PlannedFault[] {
  return counts.flatMap((byTarget, phone) =>
    Object.entries(scenario.faults).flatMap(([target, kinds]) =>
      Array.from({ length: byTarget.get(target) ?? 0 }, (_, n) =>
        kinds.map((kind) => ({ target, nth: n + 1, phone, kind })),
      ).flat(),
    ),
  );
}

/** Each condition, at each free slot, for each length. */
function withOneCondition(scenario: AnyScenario, base: Plan): Plan[] {
  return conditionArguments(scenario).flatMap(({ name, choices }) =>
    choices.flatMap((ms) =>
      base.steps.flatMap((step, slot) => {
        if (step) return [];
        // Free slots are every other one: each phone must get its turn.
        const condition: Step = { do: name, phone: (slot >> 1) % (scenario.phones ?? 1), args: { ms } };
        return [{ ...base, steps: base.steps.with(slot, condition) }];
      }),
    ),
  );
}

/** At most `most` of them, taken evenly over the whole, from a beginning that the seed moves. */
function spread<T>(all: readonly T[], most: number, seed: number): T[] {
  if (all.length <= most) return [...all];
  const first = createDraw(seed).unit('spread', most);
  return Array.from({ length: most }, (_, n) => all[Math.floor(((n + first) * all.length) / most)]).filter(
    (one) => one !== undefined,
  );
}
