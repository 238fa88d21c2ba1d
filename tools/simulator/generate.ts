// Schedules by fast-check, in the encoding that shrinks well: fixed slots, each null or one thing.
import fc from 'fast-check';
import { CONDITION_NAMES } from './conditions.ts';
import { createDraw } from './draw.ts';
import { isStorageTarget } from './fault-kinds.ts';
import type { Plan, PlannedFault, Step } from './plan.ts';
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
function stepArbitrary(scenario: AnyScenario): fc.Arbitrary<Step> {
  const actions = Object.entries(scenario.actions).map(([name, action]) => ({
    weight: action.weight ?? 1,
    arbitrary: actionArbitrary(scenario, name),
  }));
  const conditions = conditionArguments(scenario).map(({ name, weight, choices }) => ({
    weight,
    arbitrary: stepOf(scenario, name, fc.record({ ms: fc.constantFrom(...choices) })),
  }));
  return fc.oneof(...actions, ...conditions);
}

/** An action, by whichever phone. */
export function actionArbitrary(scenario: AnyScenario, name: string): fc.Arbitrary<Step> {
  return stepOf(scenario, name, scenario.actions[name]?.args as fc.Arbitrary<Step['args']>);
}

const stepOf = ({ phones = 1 }: AnyScenario, name: string, args: fc.Arbitrary<Step['args']>): fc.Arbitrary<Step> =>
  fc.record({ do: fc.constant(name), phone: fc.nat({ max: phones - 1 }), args });

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
    steps: fixed(orNull(stepArbitrary(scenario), 2), scenario.slots),
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
  /** Whether it still fails, and is the smallest so far then. */
  const isSmaller = async (candidate: Plan): Promise<boolean> => {
    runs += 1;
    if (runs > runsMax || !(await fails(candidate))) return false;
    smallest = candidate;
    return true;
  };
  // By halves, then quarters: one at a time would use up all runs while there are a hundred.
  for (let size = plan.faults.length >> 1; size > 1; size >>= 1) {
    for (let at = smallest.faults.length - size; at > -size; at -= size)
      await isSmaller(withoutFaults(smallest, at, size));
  }
  const dense = toDense(scenario, smallest, slotsOf);
  const property = fc.asyncProperty(
    partsOf(scenario, dense),
    async (part) => !(await isSmaller(fromDense(scenario, plan.world, part))),
  );
  await fc.check(property, { examples: [[dense]], numRuns: 1 });
  while (await isAnySmaller(withoutOneStep(smallest), isSmaller));
  return smallest;
}

/** Without so many faults from a place on, which may lie before the first. */
const withoutFaults = (plan: Plan, at: number, size: number): Plan => ({
  ...plan,
  faults: plan.faults.filter((_, n) => n < at || n >= at + size),
});

async function isAnySmaller(candidates: readonly Plan[], isSmaller: (plan: Plan) => Promise<boolean>) {
  for (const candidate of candidates) if (await isSmaller(candidate)) return true;
  return false;
}

/** How many effects of one target a step may have had. */
const EFFECTS_OF_A_STEP = [1, 2, 3];

/**
 * A step keeps its place in a schedule only to be counted where a fault strikes the third request, not the first. So it
 * is taken out together with its effects: the fault comes as much earlier.
 */
function withoutOneStep({ steps, faults, ...plan }: Plan): Plan[] {
  const slots = [...steps.keys()].filter((slot) => steps[slot]);
  return slots.flatMap((slot) =>
    faults.flatMap((fault, n) =>
      EFFECTS_OF_A_STEP.filter((effects) => effects < fault.nth).map((effects) => ({
        ...plan,
        steps: steps.with(slot, null),
        faults: faults.with(n, { ...fault, nth: fault.nth - effects }),
      })),
    ),
  );
}

/** A schedule, and what can be left of it: each slot as it is, milder, or null. */
function partsOf(scenario: AnyScenario, { steps, faults }: DensePlan): fc.Arbitrary<DensePlan> {
  const anyStep = stepArbitrary(scenario);
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
