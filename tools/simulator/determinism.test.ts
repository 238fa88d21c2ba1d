import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generatePlans } from './generate.ts';
import { useLightResponses } from './light-response.ts';
import type { Plan } from './plan.ts';
import { catchRejections, hashTrace, runPlan } from './run.ts';
import { createOutboxFactory, type OutboxFlaws, outboxScenario } from './testing/outbox.ts';
import { createPlan, createProbe, type ProbeLaunch, post, step } from './testing/probe.ts';
import { inTurn, worlds } from './testing/worlds.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

const PLANS = generatePlans(outboxScenario, 11, 40);

const hashOf = async (plan: Plan, flaws: OutboxFlaws = {}): Promise<string> =>
  hashTrace((await runPlan(outboxScenario, createOutboxFactory(flaws), plan)).trace);

test('gives the same trace for the same plan, twice in one process', async () => {
  const first = await inTurn(PLANS, (plan) => hashOf(plan));
  const again = await inTurn([...PLANS].reverse(), (plan) => hashOf(plan));

  expect(again.reverse()).toEqual(first);
  expect(new Set(first).size).toBeGreaterThan(35);
});

test('gives the same trace for the same plan in two other processes', async () => {
  const here = await inTurn(PLANS, (plan) => hashOf(plan));
  const [one, two] = await Promise.all([hashesElsewhere(PLANS), hashesElsewhere(PLANS)]);

  expect([one, two]).toEqual([here, here]);
});

test('gives the same trace for a plan that has been through JSON', async () => {
  const kept = JSON.parse(JSON.stringify(PLANS)) as Plan[];

  const first = await inTurn(PLANS, (plan) => hashOf(plan));
  const again = await inTurn(kept, (plan) => hashOf(plan));

  expect(kept).toEqual(PLANS);
  expect(again).toEqual(first);
});

test('gives the same trace whether or not states are looked at, but for the states', async () => {
  const [plan] = PLANS as [Plan];

  const plain = await runPlan(outboxScenario, createOutboxFactory(), plan);
  const detailed = await runPlan(outboxScenario, createOutboxFactory(), plan, { isDetailed: true });

  expect(hashTrace(detailed.trace)).toBe(hashTrace(plain.trace));
});

test('gives the same trace with light responses as with those of the platform', async () => {
  const real = await inTurn(PLANS, (plan) => hashOf(plan));
  const undo = useLightResponses();
  const light = await inTurn(PLANS, (plan) => hashOf(plan)).finally(undo);

  expect(light).toEqual(real);
});

test('gives other traces in other worlds', async () => {
  const steps = Array.from({ length: 10 }, () => step('save'));
  const hashes = await inTurn(worlds(10), (world) =>
    hashOf({ ...createPlan({ world, slots: 10, steps }), kata: 'outbox' }),
  );

  expect(new Set(hashes).size).toBe(10);
});

test('gives other traces to an app that reads real time', async () => {
  const steps = Array.from({ length: 10 }, () => step('save'));
  const plan = createPlan({ slots: 10, steps });

  const hashes = await inTurn([1, 2], () => hashOf(plan, { usesRealTime: true }));

  expect(hashes[0]).not.toBe(hashes[1]);
});

// The hash covers a request's address and body, and no header: an idempotency key is one.
test('gives other traces to an app that sends real time in a header', async () => {
  const { scenario } = createProbe(({ platform }: ProbeLaunch) => {
    void post(platform, 1, { headers: { 'Idempotency-Key': String(process.hrtime.bigint()) } });
    return undefined;
  });

  const hashes = await inTurn([1, 2], async () =>
    hashTrace((await runPlan(scenario, (globals) => globals, createPlan({ slots: 2 }))).trace),
  );

  expect(hashes[0]).not.toBe(hashes[1]);
});

/** The hashes of plans by a process of its own, of the sound outbox. */
async function hashesElsewhere(plans: readonly Plan[]): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/print-hashes.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(plans));
  return JSON.parse(await text(child.stdout)) as string[];
}
