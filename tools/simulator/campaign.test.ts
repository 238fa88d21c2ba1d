import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CampaignOptions, runCampaign } from './campaign.ts';
import { catchRejections, runPlan } from './run.ts';
import { createOutboxFactory, type OutboxFlaws, outboxScenario } from './testing/outbox.ts';
import { createPlan, createProbe, ending, post } from './testing/probe.ts';
import type { AppFactory } from './world.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

const sound = createOutboxFactory();

const simulate = (flaws: OutboxFlaws, options: Partial<CampaignOptions> = {}) =>
  runCampaign(outboxScenario, createOutboxFactory(flaws), sound, { seed: 1, schedules: 60, ...options });

test('finds nothing wrong with the sound outbox in 300 schedules, every fault having struck', async () => {
  const result = await runCampaign(outboxScenario, sound, sound, { seed: 1, schedules: 300 });

  expect(result).toMatchObject({
    schedules: 300,
    failing: 0,
    setAside: 0,
    violations: [],
    loadError: null,
    nondeterministic: null,
    stoppedBy: null,
  });
  const possible = Object.entries(outboxScenario.faults).flatMap(([target, kinds]) =>
    kinds.map((kind) => `${target} ${kind}`),
  );
  expect(result.struck).toEqual(possible.sort());
  expect(result.virtualMs).toBeGreaterThan(300 * 60_000);
});

test.each<[keyof OutboxFlaws, string]>([
  ['saysSavedTooEarly', 'saved-arrives'],
  ['newKeyPerTry', 'counted-once'],
  ['neverSettles', 'settles'],
  ['leavesRejection', 'no-unhandled-rejection'],
  ['keepsListener', 'silent-after-dispose'],
  ['retriesAtOnce', 'bounded'],
])('catches %s by %s', async (flaw, invariant) => {
  const result = await simulate({ [flaw]: true }, { schedules: 100, shrinkRunsMax: 10 });

  expect(result.violations.map((violation) => violation.invariant)).toContain(invariant);
  expect(result.failing).toBeGreaterThan(0);
  expect(result.nondeterministic).toBeNull();
});

test('catches each flaw by its own invariant alone, where it breaks no other', async () => {
  const flaws = ['newKeyPerTry', 'neverSettles', 'leavesRejection', 'keepsListener'] as const;
  const found: string[] = [];

  for (const flaw of flaws) {
    const { violations } = await simulate({ [flaw]: true }, { shrinkRunsMax: 1 });
    found.push(`${flaw}: ${violations.map(({ invariant }) => invariant).join(', ')}`);
  }

  expect(found).toEqual([
    'newKeyPerTry: counted-once',
    'neverSettles: settles',
    'leavesRejection: no-unhandled-rejection',
    'keepsListener: silent-after-dispose',
  ]);
});

test('reports an app that uses real time as not deterministic, with the schedule', async () => {
  const result = await simulate({ usesRealTime: true });

  expect(result.nondeterministic?.path).toBe('plain:0');
  expect(result.violations).toEqual([]);
});

test('reports an app that cannot be made, and runs nothing further', async () => {
  const paths: string[] = [];

  const result = await simulate({ throwsInFactory: true }, { onSchedule: (_done, path) => paths.push(path) });

  expect(result.loadError).toEqual({ stage: 'open', text: 'Error: no outbox today' });
  expect([result.schedules, paths]).toEqual([0, ['plain:0']]);
});

/** Sound but in the schedules that its world picks, about one in forty: there it leaves a rejection. */
const canary: AppFactory = (globals) => {
  const { Math: drawn } = globals as { Math: Math };
  return createOutboxFactory({ leavesRejection: drawn.random() < 1 / 40 })(globals);
};

test('reports the canary: an app that fails in a few schedules only', async () => {
  const result = await runCampaign(outboxScenario, canary, sound, { seed: 1, schedules: 120, shrinkRunsMax: 20 });

  expect(result.violations.map(({ invariant }) => invariant)).toEqual(['no-unhandled-rejection']);
  expect(result.failing).toBeGreaterThan(0);
  expect(result.failing).toBeLessThan(30);
  expect(result.violations[0]?.count).toBe(result.failing);
});

test('runs saved schedules first, and keeps them over a change of the seed', async () => {
  const first = await simulate({ newKeyPerTry: true });
  const saved = first.violations.map(({ plan }) => plan);
  const paths: string[] = [];

  const second = await simulate(
    { newKeyPerTry: true },
    { seed: 2, schedules: 1, saved, onSchedule: (_done, path) => paths.push(path) },
  );

  expect(paths.slice(0, 2)).toEqual(['saved:0', 'plain:0']);
  expect(second.violations.map(({ invariant, path }) => `${invariant} ${path}`)).toEqual(['counted-once saved:0']);
});

// Shrinking makes faults milder and takes none out: see generate.test.ts.
test('shrinks to the one step and the one fault that it takes, which still break the same invariant', async () => {
  const { violations } = await simulate({ newKeyPerTry: true }, { schedules: 100 });

  const [violation] = violations;
  const plan = violation?.plan ?? createPlan();
  const again = await runPlan(outboxScenario, createOutboxFactory({ newKeyPerTry: true }), plan);
  expect([plan.steps.filter((one) => one !== null).length, plan.faults.length]).toEqual([1, 1]);
  expect(again.violations.map(({ invariant }) => invariant)).toEqual(['counted-once']);
});

test('keeps no fault that never struck, however few runs there are', async () => {
  const { violations } = await simulate({ newKeyPerTry: true }, { schedules: 100, shrinkRunsMax: 1 });
  const [small] = violations;
  const never = [40, 50, 60].map((nth) => ({ target: 'POST /numbers', nth, phone: 0, kind: 'delay' }));
  const faults = [...(small?.plan.faults ?? []), ...never];
  const saved = [{ ...(small?.plan ?? createPlan()), faults }];

  const again = await simulate({ newKeyPerTry: true }, { schedules: 1, saved, shrinkRunsMax: 1 });

  expect(small?.plan.faults.length).toBeGreaterThan(0);
  expect(again.violations[0]?.plan).toEqual(small?.plan);
});

test('shrinks each broken invariant by itself, without slipping to another', async () => {
  const { violations } = await simulate(
    { newKeyPerTry: true, saysSavedTooEarly: true },
    { schedules: 100, shrinkRunsMax: 60 },
  );

  const wanted = ['counted-once', 'saved-arrives'];
  expect(violations.map(({ invariant }) => invariant)).toEqual(expect.arrayContaining(wanted));
  for (const { invariant, plan } of violations) {
    const again = await runPlan(
      outboxScenario,
      createOutboxFactory({ newKeyPerTry: true, saysSavedTooEarly: true }),
      plan,
    );
    expect(again.violations.map((violation) => violation.invariant)).toContain(invariant);
  }
});

/** A rule that nobody can keep when the answer is lost. */
const unfair = createProbe(
  ({ platform, launch }) => {
    if (launch === 1) platform.setTimeout(() => void ending(post(platform, 1)), 2_000);
    return undefined;
  },
  {
    slots: 10,
    faults: { 'POST /things': ['response-lost', 'delay'] },
    invariants: [
      {
        id: 'heard',
        promise: 'every request is answered',
        spec: [],
        settled: ({ requests }) =>
          requests.some(({ outcome }) => outcome?.kind === 'failed') ? 'One request failed.' : undefined,
      },
    ],
  },
).scenario;

test('sets aside and counts a schedule that even the reference fails', async () => {
  const attempt: AppFactory = (globals) => globals;
  const reference: AppFactory = (globals) => globals;

  const result = await runCampaign(unfair, attempt, reference, { seed: 1, schedules: 60 });

  expect(result.setAside).toBeGreaterThan(0);
  expect(result.schedules + result.setAside).toBe(60);
  expect([result.failing, result.violations]).toEqual([0, []]);
});

test('sets nothing aside for the reference itself: it must answer for what it fails', async () => {
  const reference: AppFactory = (globals) => globals;

  const result = await runCampaign(unfair, reference, reference, { seed: 1, schedules: 60 });

  expect(result.setAside).toBe(0);
  expect(result.violations.map(({ invariant }) => invariant)).toEqual(['heard']);
});

test('stops early when the app keeps running away', async () => {
  const { scenario } = createProbe(({ platform }) => {
    if (platform.isAttempt) platform.setInterval(() => undefined, 1);
    return undefined;
  });
  const attempt: AppFactory = (globals) => ({ setInterval: globals.setInterval, isAttempt: true });
  const reference: AppFactory = (globals) => globals;

  const result = await runCampaign(scenario, attempt, reference, { seed: 1, schedules: 60 });

  expect(result.stoppedBy).toBe('runaway');
  expect(result.schedules).toBeLessThan(20);
  expect(result.violations.map(({ invariant }) => invariant)).toEqual(['bounded']);
});

test('stops at the first break of what it was told to stop at', async () => {
  const other = await simulate(
    { keepsListener: true },
    { schedules: 5, shrinkRunsMax: 1, stopWhenBroken: ['settles'] },
  );
  const named = await simulate(
    { keepsListener: true },
    { schedules: 5, shrinkRunsMax: 1, stopWhenBroken: ['silent-after-dispose'] },
  );

  expect([other.schedules, named.schedules]).toEqual([5, 1]);
  expect(named.violations.map(({ invariant }) => invariant)).toEqual(['silent-after-dispose']);
});

test('sums budgets beside the reference, over the same schedules', async () => {
  const same = await simulate({});
  const wasteful = await simulate({ retriesAtOnce: true }, { shrinkRunsMax: 1 });

  const { attempt = 0, reference = 0, allowance, schedules = 0 } = same.budgets.requests ?? {};
  expect(attempt).toBe(reference);
  expect(attempt).toBeGreaterThan(schedules);
  expect(allowance).toBe(1.2);
  expect(schedules).toBeGreaterThan(10);
  expect(wasteful.budgets.requests?.attempt).toBeGreaterThan(1.2 * (wasteful.budgets.requests?.reference ?? 0));
});

test('gives the same result for the same seed', async () => {
  const first = await simulate({ newKeyPerTry: true });
  const again = await simulate({ newKeyPerTry: true });

  expect(again).toEqual(first);
});

test('counts every schedule that breaks an invariant, and names the first', async () => {
  const result = await simulate({ keepsListener: true }, { schedules: 20, shrinkRunsMax: 1 });

  expect(result.violations[0]).toMatchObject({ path: 'plain:0', count: 20 });
  expect([result.failing, result.schedules]).toEqual([20, 20]);
});
