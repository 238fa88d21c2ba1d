import fc from 'fast-check';
import { expect, test } from 'vitest';
import { faultWords } from './fault-kinds.ts';
import { generatePlans, shrinkPlan } from './generate.ts';
import type { Plan } from './plan.ts';
import { defineAction } from './scenario.ts';
import { outboxScenario } from './testing/outbox.ts';
import { createPlan, createProbe, step } from './testing/probe.ts';

const HAS_ALL = generatePlans(outboxScenario, 3, 400);

test('makes the same schedules from the same seed, and others from another', () => {
  expect(generatePlans(outboxScenario, 3, 20)).toEqual(HAS_ALL.slice(0, 20));
  expect(generatePlans(outboxScenario, 4, 20)).not.toEqual(HAS_ALL.slice(0, 20));
});

test('keeps to the slots, actions, conditions, targets and kinds of the scenario', () => {
  const names = new Set(HAS_ALL.flatMap(({ steps }) => steps.flatMap((one) => (one ? [one.do] : []))));
  const places = new Set(HAS_ALL.flatMap(({ faults }) => faults.map(({ target, kind }) => `${target} ${kind}`)));

  const possible = Object.entries(outboxScenario.faults).flatMap(([target, kinds]) =>
    kinds.map((kind) => `${target} ${kind}`),
  );
  expect(new Set(HAS_ALL.map(({ steps }) => steps.length))).toEqual(new Set([10]));
  expect([...names].sort()).toEqual(['background', 'kill', 'offline', 'outage', 'save']);
  expect([...places].sort()).toEqual([...possible].sort());
  expect(
    HAS_ALL.every(({ faults }) => faults.every(({ target, kind }) => faultWords(target, kind) !== undefined)),
  ).toBe(true);
});

test('makes schedules with few and with many faults, and such with one kind alone', () => {
  const counts = HAS_ALL.map(({ faults }) => faults.length);
  const kinds = HAS_ALL.map(({ faults }) => new Set(faults.map(({ kind }) => kind)).size);

  expect(counts.filter((count) => count === 0).length).toBeGreaterThan(20);
  expect(counts.filter((count) => count > 8).length).toBeGreaterThan(20);
  expect(kinds.filter((count) => count === 1).length).toBeGreaterThan(40);
});

test('makes a schedule for each phone of a scenario with several', () => {
  const { scenario } = createProbe(() => undefined, {
    phones: 2,
    conditions: { offline: { forMs: [1_000] } },
    faults: { 'POST /things': ['delay'] },
  });

  const plans = generatePlans(scenario, 1, 50);

  const phones = (plan: Plan) => [...plan.faults, ...plan.steps].flatMap((one) => (one ? [one.phone] : []));
  expect(new Set(plans.flatMap(phones))).toEqual(new Set([0, 1]));
});

const big = (): Plan => ({
  ...createPlan({
    slots: 10,
    steps: Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? step('save') : step('offline', { ms: 60_000 }))),
    faults: Array.from({ length: 12 }, (_, n) => ({ target: 'POST /numbers', nth: n + 1, kind: 'answer-503' })),
  }),
  kata: 'outbox',
});

// A slot that is given from outside is shrunk to a milder fault and never to none: only `fc.option` does that.
test('shrinks to the one fault and the one step that matter, and moves neither', async () => {
  const fails = async ({ steps, faults }: Plan) =>
    steps[4]?.do === 'save' && faults.some(({ nth, kind }) => nth === 7 && kind === 'answer-503');

  const smallest = await shrinkPlan(outboxScenario, big(), fails, 120);

  expect(smallest.faults).toEqual([{ target: 'POST /numbers', nth: 7, phone: 0, kind: 'answer-503' }]);
  expect(smallest.steps.map((one) => one?.do ?? null)).toEqual(
    Array.from({ length: 10 }, (_, slot) => (slot === 4 ? 'save' : null)),
  );
  expect(smallest.world).toBe(big().world);
});

test('finds the two faults that matter among a hundred', async () => {
  const faults = Array.from({ length: 100 }, (_, n) => ({ target: 'POST /numbers', nth: n + 1, kind: 'answer-503' }));
  const plan = { ...createPlan({ slots: 10, steps: [step('save')], faults }), kata: 'outbox' };
  const fails = async (candidate: Plan) =>
    [23, 71].every((place) => candidate.faults.some(({ nth }) => nth === place)) && candidate.steps[0] !== null;

  const smallest = await shrinkPlan(outboxScenario, plan, fails, 120);

  expect(smallest.faults.map(({ nth }) => nth)).toEqual([23, 71]);
});

test('takes a step out together with its effects, so that the fault comes earlier', async () => {
  const steps = (plan: Plan) => plan.steps.filter((one) => one !== null).length;
  // Each step has two effects, and the fault must strike one of the last step.
  const fails = async (plan: Plan) => plan.faults.some(({ nth }) => Math.ceil(nth / 2) === steps(plan));
  const third = createPlan({
    slots: 4,
    steps: [step('save'), step('save'), step('save')],
    faults: [{ target: 'POST /numbers', nth: 6, kind: 'answer-503' }],
  });

  const smallest = await shrinkPlan(outboxScenario, { ...third, kata: 'outbox' }, fails, 120);

  expect([steps(smallest), smallest.faults.map(({ nth }) => nth)]).toEqual([1, [2]]);
});

test('gives a schedule back as it was when it does not fail again', async () => {
  const plan = big();

  const smallest = await shrinkPlan(outboxScenario, plan, async () => false, 120);

  expect(smallest).toEqual(plan);
});

test('asks no more often than it may, and keeps the smallest so far', async () => {
  let asked = 0;
  const fails = async ({ faults }: Plan) => {
    asked += 1;
    return faults.length >= 3;
  };

  const smallest = await shrinkPlan(outboxScenario, big(), fails, 4);

  expect(asked).toBe(4);
  expect(smallest.faults.length).toBeLessThanOrEqual(12);
  expect(smallest.faults.length).toBeGreaterThanOrEqual(3);
});

// What `fc.constant`, `.map` and the like have made is not known again, and then nothing at all is shrunk.
test('shrinks faults and steps away whose arguments cannot be shrunk themselves', async () => {
  const { scenario } = createProbe(() => undefined, {
    slots: 10,
    actions: {
      tap: defineAction({ args: fc.nat().map((n) => ({ at: n })), says: () => 'taps', run: () => undefined }),
    },
    faults: { 'POST /things': ['delay', 'hang'] },
  });
  const steps = Array.from({ length: 10 }, (_, n) => step('tap', { at: n }));
  const faults = [1, 2, 3].map((nth) => ({ nth, kind: 'hang' }));
  const fails = async (plan: Plan) => plan.steps[2]?.do === 'tap' && plan.faults.some(({ nth }) => nth === 2);

  const smallest = await shrinkPlan(scenario, createPlan({ slots: 10, steps, faults }), fails, 120);

  expect(smallest.faults.map(({ nth, kind }) => `${nth} ${kind}`)).toEqual(['2 delay']);
  expect(smallest.steps.flatMap((one, slot) => (one ? [`${slot} ${one.do} ${one.args.at}`] : []))).toEqual(['2 tap 2']);
});
