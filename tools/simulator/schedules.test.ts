import { expect, test } from 'vitest';
import type { EffectCounts } from './base-plans.ts';
import { isKill } from './fault-kinds.ts';
import { runPlan } from './run.ts';
import { planSchedules } from './schedules.ts';
import { createOutboxFactory, outboxScenario } from './testing/outbox.ts';
import { createPlan } from './testing/probe.ts';

/** As many effects as the sound outbox has. */
const count = async (plan: Parameters<typeof runPlan>[2]): Promise<EffectCounts> =>
  (await runPlan(outboxScenario, createOutboxFactory(), plan)).counts;

const groupOf = (path: string) => path.slice(0, path.indexOf(':'));

test('orders saved, plain, single, paired and generated schedules, as many as asked for', async () => {
  const saved = [createPlan({ world: 99 }), createPlan({ world: 98 })];

  const all = await planSchedules(outboxScenario, { seed: 1, schedules: 300, saved }, count);

  const groups = all.map(({ path }) => groupOf(path));
  expect(all).toHaveLength(302);
  expect(all.slice(0, 2).map(({ plan }) => plan)).toEqual(saved);
  expect([...new Set(groups)]).toEqual(['saved', 'plain', 'sweep', 'pair', 'generated']);
  expect(groups).toEqual([...groups].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)));
});

const ORDER = ['saved', 'plain', 'sweep', 'pair', 'generated'];

test('strikes every effect of a plain schedule with every kind, when there is room', async () => {
  const all = await planSchedules(outboxScenario, { seed: 1, schedules: 1_200, saved: [] }, count);

  const plain = all.filter(({ path }) => groupOf(path) === 'plain');
  const sweep = all.filter(({ path }) => groupOf(path) === 'sweep').flatMap(({ plan }) => plan.faults);
  const wanted = new Set<string>();
  for (const { plan } of plain) {
    const [byTarget] = await count(plan);
    for (const [target, kinds] of Object.entries(outboxScenario.faults)) {
      for (let nth = 1; nth <= (byTarget?.get(target) ?? 0); nth += 1) {
        for (const kind of kinds) wanted.add(`${target} ${nth} ${kind}`);
      }
    }
  }
  const struck = new Set(sweep.map(({ target, nth, kind }) => `${target} ${nth} ${kind}`));
  expect(plain).toHaveLength(6);
  expect(struck).toEqual(wanted);
});

test('tries every condition with every length', async () => {
  const all = await planSchedules(outboxScenario, { seed: 1, schedules: 1_200, saved: [] }, count);

  const tried = new Set(
    all
      .filter(({ path }) => groupOf(path) === 'sweep')
      .flatMap(({ plan }) =>
        plan.steps.flatMap((one) => (one && one.do !== 'save' ? [`${one.do} ${one.args.ms}`] : [])),
      ),
  );
  expect([...tried].sort()).toEqual(['background 30000', 'kill 1000', 'offline 5000', 'offline 60000', 'outage 10000']);
});

test('reaches every target and kind in the sweep of a grade', async () => {
  const all = await planSchedules(outboxScenario, { seed: 1, schedules: 300, saved: [] }, count);

  const reached = new Set(
    all
      .filter(({ path }) => groupOf(path) === 'sweep')
      .flatMap(({ plan }) => plan.faults.map(({ target, kind }) => `${target} ${kind}`)),
  );
  const possible = Object.entries(outboxScenario.faults).flatMap(([target, kinds]) =>
    kinds.map((kind) => `${target} ${kind}`),
  );
  expect([...reached].sort()).toEqual([...possible].sort());
});

test('pairs a fault with a kill at another place', async () => {
  const all = await planSchedules(outboxScenario, { seed: 1, schedules: 300, saved: [] }, count);

  const pairs = all.filter(({ path }) => groupOf(path) === 'pair').map(({ plan }) => plan.faults);
  const placeOf = (fault: { target: string; nth: number } | undefined) => `${fault?.target} ${fault?.nth}`;
  expect(pairs.length).toBeGreaterThan(30);
  expect(pairs.filter(([, kill]) => !isKill(kill?.kind ?? ''))).toEqual([]);
  expect(pairs.filter(([fault, kill]) => placeOf(fault) === placeOf(kill))).toEqual([]);
});

test('plans the saved schedules alone when asked for no others', async () => {
  const none = await planSchedules(outboxScenario, { seed: 1, schedules: 0, saved: [createPlan()] }, count);
  const one = await planSchedules(outboxScenario, { seed: 1, schedules: 1, saved: [createPlan()] }, count);

  expect(none.map(({ path }) => path)).toEqual(['saved:0']);
  expect(one.map(({ path }) => path)).toEqual(['saved:0', 'plain:0']);
});
