// Schedules by fast-check, in the encoding that shrinks well: fixed slots, each null or one thing.
import fc from 'fast-check';
import { CONDITION_NAMES } from './conditions.ts';
import { createDraw } from './draw.ts';
import { isStorageTarget } from './fault-kinds.ts';
import type { Json, Plan, PlannedFault, Step } from './plan.ts';
import type { AnyScenario } from './world.ts';

/** How many effects of a target can be struck in a generated schedule. */
const FAULT_SLOTS = { endpoint: 14, storage: 20 };

/** A schedule with every slot written out: what fast-check makes and shrinks. */
export interface DensePlan {
  readonly steps: readonly (Step | null)[];
  /** By `phone target`, the kind that strikes the first, second, third effect… */
  readonly faults: Readonly<Record<string, readonly (string | null)[]>>;
}

/** One step that a person takes, or that befalls a phone. */
export function stepArbitrary(scenario: AnyScenario, what: 'actions' | 'all'): fc.Arbitrary<Step> {
  const phone = fc.nat({ max: (scenario.phones ?? 1) - 1 });
  const step = (name: string, args: fc.Arbitrary<{ [key: string]: Json }>) =>
    fc.record({ do: fc.constant(name), phone, args });
  const actions = Object.entries(scenario.actions).map(([name, action]) => ({
    weight: action.weight ?? 1,
    arbitrary: step(name, action.args as fc.Arbitrary<{ [key: string]: Json }>),
  }));
  if (what === 'actions') return fc.oneof(...actions);
  const conditions = conditionArguments(scenario).map(({ name, weight, choices }) => ({
    weight,
    arbitrary: step(name, fc.record({ ms: fc.constantFrom(...choices) })),
  }));
  return fc.oneof(...actions, ...conditions);
}

/** The conditions a scenario has, with the lengths they may take. */
export function conditionArguments(
  scenario: AnyScenario,
): { name: string; weight: number; choices: readonly number[] }[] {
  return CONDITION_NAMES.flatMap((name) => {
    const condition = scenario.conditions[name];
    if (!condition) return [];
    return [
      {
        name,
        weight: condition.weight ?? 1,
        choices: 'byMs' in condition ? condition.byMs : 'forMs' in condition ? condition.forMs : AT_ONCE,
      },
    ];
  });
}

/** What happens in an instant has no length to choose. */
const AT_ONCE = [0];

/** `weight` times as often something as nothing. Only `fc.option` shrinks a value to null that came from outside. */
function orNull<T>(arbitrary: fc.Arbitrary<T>, weight: number): fc.Arbitrary<T | null> {
  return fc.option(arbitrary, { nil: null, freq: weight + 1 });
}

function denseArbitrary(scenario: AnyScenario, slotsOf: (target: string) => number): fc.Arbitrary<DensePlan> {
  const fixed = <T>(slot: fc.Arbitrary<T>, length: number) =>
    fc.array(slot, { minLength: length, maxLength: length, size: 'max' });
  const phones = Array.from({ length: scenario.phones ?? 1 }, (_, phone) => phone);
  const targets = phones.flatMap((phone) =>
    Object.entries(scenario.faults).map(([target, kinds]) => ({ key: `${phone} ${target}`, target, kinds })),
  );
  return fc.record({
    steps: fixed(orNull(stepArbitrary(scenario, 'all'), 2), scenario.slots),
    faults: fc.record(
      Object.fromEntries(
        targets.map(({ key, target, kinds }) => [key, fixed(orNull(fc.constantFrom(...kinds), 3), slotsOf(target))]),
      ),
    ),
  });
}

/**
 * Generated schedules. Each allows only some kinds of fault and keeps only a share of its slots,
 * so that rare kinds get schedules of their own and bugs are not always masked by other faults.
 */
export function generatePlans(scenario: AnyScenario, seed: number, count: number): Plan[] {
  const kinds: string[] = [...new Set(Object.values(scenario.faults).flat())];
  const arbitrary = fc.record({
    dense: denseArbitrary(scenario, (target) => (isStorageTarget(target) ? FAULT_SLOTS.storage : FAULT_SLOTS.endpoint)),
    allowed: kinds.length === 0 ? fc.constant<string[]>([]) : fc.subarray(kinds, { minLength: 1 }),
    density: fc.constantFrom(0.02, 0.1, 0.3, 0.7),
    world: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  });
  return fc.sample(arbitrary, { numRuns: count, seed }).map(({ dense, allowed, density, world }) => {
    const draw = createDraw(world);
    const plan = fromDense(scenario, world, dense);
    const isKept = ({ kind, phone, target, nth }: PlannedFault) =>
      allowed.includes(kind) && draw.unit('kept', phone, target, nth) < density;
    return { ...plan, faults: plan.faults.filter(isKept) };
  });
}

/** Schedules of actions alone, in every other slot: what sweeps put their single faults into. */
export function basePlans(scenario: AnyScenario, seed: number, count: number): Plan[] {
  const perPlan = Math.ceil(scenario.slots / 2);
  const steps = fc.sample(stepArbitrary(scenario, 'actions'), { numRuns: perPlan * count, seed });
  return Array.from({ length: count }, (_, n) => ({
    schemaVersion: 1,
    kata: scenario.kata,
    world: createDraw(seed).pick(2 ** 31 - 1, 'base', n) + 1,
    steps: Array.from({ length: scenario.slots }, (_, slot) =>
      slot % 2 === 0 ? (steps[n * perPlan + slot / 2] ?? null) : null,
    ),
    faults: [],
  }));
}

function fromDense(scenario: AnyScenario, world: number, { steps, faults }: DensePlan): Plan {
  const planned = Object.entries(faults).flatMap(([key, kinds]) => {
    const phone = Number(key.slice(0, key.indexOf(' ')));
    const target = key.slice(key.indexOf(' ') + 1);
    return kinds.flatMap((kind, n) => (kind === null ? [] : [{ target, nth: n + 1, phone, kind }]));
  });
  return { schemaVersion: 1, kata: scenario.kata, world, steps, faults: planned };
}

function toDense(scenario: AnyScenario, plan: Plan, slotsOf: (target: string) => number): DensePlan {
  const faults: Record<string, (string | null)[]> = {};
  for (let phone = 0; phone < (scenario.phones ?? 1); phone += 1) {
    for (const target of Object.keys(scenario.faults)) {
      faults[`${phone} ${target}`] = Array.from({ length: slotsOf(target) }, () => null);
    }
  }
  for (const { phone, target, nth, kind } of plan.faults) {
    const slots = faults[`${phone} ${target}`];
    if (slots) slots[nth - 1] = kind;
  }
  return { steps: plan.steps, faults };
}

/**
 * The smallest schedule found that still fails. `fails` is asked at most `runsMax` times;
 * when it never agrees, the plan comes back as it was.
 */
export async function shrinkPlan(
  scenario: AnyScenario,
  plan: Plan,
  fails: (plan: Plan) => Promise<boolean>,
  runsMax: number,
): Promise<Plan> {
  const slotsOf = (target: string) =>
    Math.max(1, ...plan.faults.filter((fault) => fault.target === target).map(({ nth }) => nth));
  let runs = 0;
  let smallest = plan;
  const dense = toDense(scenario, plan, slotsOf);
  const property = fc.asyncProperty(partsOf(scenario, dense), async (part) => {
    runs += 1;
    const candidate = fromDense(scenario, plan.world, part);
    if (runs > runsMax || !(await fails(candidate))) return true;
    smallest = candidate;
    return false;
  });
  await fc.check(property, { examples: [[dense]], numRuns: 1 });
  return smallest;
}

/** A schedule, and what can be left of it: each slot as it is, milder, or null. */
function partsOf(scenario: AnyScenario, { steps, faults }: DensePlan): fc.Arbitrary<DensePlan> {
  const anyStep = stepArbitrary(scenario, 'all');
  // Values made by `fc.constant` or `.map` cannot be shrunk from outside: they stay, or go.
  const slot = <T>(value: T | null, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => {
    if (value === null) return fc.constant(null);
    return orNull(arbitrary.canShrinkWithoutContext(value) ? arbitrary : fc.constant(value), 1);
  };
  const kindsOf = (key: string) => scenario.faults[key.slice(key.indexOf(' ') + 1)] ?? [];
  return fc.record({
    steps: fc.tuple(...steps.map((step) => slot(step, anyStep))),
    faults: fc.record(
      Object.fromEntries(
        Object.entries(faults).map(([key, kinds]) => [
          key,
          fc.tuple(...kinds.map((kind) => slot(kind, fc.constantFrom(...kindsOf(key))))),
        ]),
      ),
    ),
  });
}
