import fc from 'fast-check';
import { expect, test } from 'vitest';
import { basePlans, chooseBases, type EffectCounts } from './base-plans.ts';
import type { Plan } from './plan.ts';
import { defineAction } from './scenario.ts';
import { outboxScenario } from './testing/outbox.ts';
import { createProbe } from './testing/probe.ts';
import { inTurn, worlds } from './testing/worlds.ts';

const act = (weight: number) =>
  defineAction({ weight, args: fc.record({ n: fc.nat() }), says: () => '', run: () => {} });

/** A scenario with four actions in two turns a schedule; one of them is rare. */
const { scenario: seldom } = createProbe(() => undefined, {
  slots: 4,
  phones: 2,
  actions: { often: act(10), sometimes: act(4), now: act(1), never: act(1) } as never,
});

const actionsOf = (plans: readonly Plan[]): string[] =>
  plans.flatMap(({ steps }) => steps.flatMap((one) => (one ? [one.do] : [])));

test('makes schedules of actions alone, in every other slot', () => {
  const plans = basePlans(outboxScenario, 1, 3);

  expect(plans.map(({ steps }) => steps.map((one) => one?.do ?? '-').join(' '))).toEqual(
    Array.from({ length: 3 }, () => 'save - save - save - save - save -'),
  );
  expect(new Set(plans.map(({ world }) => world)).size).toBe(3);
  expect(plans.flatMap(({ faults }) => faults)).toEqual([]);
});

test('makes the same ones from the same seed, and others from another', () => {
  expect(basePlans(seldom, 1)).toEqual(basePlans(seldom, 1));
  expect(basePlans(seldom, 2)).not.toEqual(basePlans(seldom, 1));
});

test('gives each action its share of the turns, with every seed', () => {
  for (const seed of worlds(50)) {
    const turns = actionsOf(basePlans(seldom, seed));

    const count = (name: string) => turns.filter((one) => one === name).length;
    expect([count('often'), count('sometimes'), count('now'), count('never')]).toEqual([10, 4, 1, 1]);
  }
});

test('draws arguments and phones anew for each turn', () => {
  const steps = basePlans(seldom, 1).flatMap(({ steps }) => steps.flatMap((one) => one ?? []));

  const often = steps.filter((one) => one.do === 'often');
  expect(new Set(often.map(({ args }) => args.n)).size).toBeGreaterThan(8);
  expect(new Set(often.map(({ phone }) => phone))).toEqual(new Set([0, 1]));
});

test('makes six at least, twelve at most, and no more than are asked for', () => {
  const rare = { ...seldom, actions: { often: act(1_000), now: act(1) } as never };

  const counts = [
    basePlans(outboxScenario, 1),
    basePlans(seldom, 1),
    basePlans(rare, 1),
    basePlans(rare, 1, 5),
    basePlans(rare, 1, 0),
  ];

  expect(counts.map((plans) => plans.length)).toEqual([6, 8, 12, 5, 1]);
});

/** Requests by one phone: one to a target that every schedule reaches, and one to another if the first action is rare. */
const counts = async (plan: Plan): Promise<EffectCounts> => [
  new Map([['POST /things', 1], ...(plan.steps[0]?.do === 'now' ? ([['GET /things/:id', 1]] as const) : [])]),
];
const hasTargets = { ...seldom, faults: { 'POST /things': ['delay'], 'GET /things/:id': ['delay'] } as never };

test('adds a schedule that reaches a target of a fault, where none of the first ones does', async () => {
  const chosen = await inTurn(worlds(40), (seed) => chooseBases(hasTargets, seed, counts));

  const reaches = chosen.map((bases) => bases.map(({ counts: [byTarget] }) => byTarget?.has('GET /things/:id')));
  const added = reaches.filter((each) => each.length === 9);
  expect(new Set(reaches.map(({ length }) => length))).toEqual(new Set([8, 9]));
  expect(added.every((each) => each.indexOf(true) === 8)).toBe(true);
  expect(reaches.filter((each) => each.includes(true)).length).toBeGreaterThan(added.length);
});

test('adds nothing when no schedule reaches a target, or no more are asked for', async () => {
  const never = { ...hasTargets, faults: { 'POST /things': ['delay'], 'PUT /nowhere': ['delay'] } as never };

  const one = await chooseBases(never, 1, async () => [new Map([['POST /things', 1]])]);
  const few = await chooseBases(hasTargets, 1, async () => [new Map()], 3);

  expect([one.length, few.length]).toEqual([8, 3]);
});
