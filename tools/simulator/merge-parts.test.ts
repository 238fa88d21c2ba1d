import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CampaignOptions, type CampaignResult, runCampaign } from './campaign.ts';
import { mergeParts } from './merge-parts.ts';
import { catchRejections } from './run.ts';
import { createOutboxFactory, outboxScenario } from './testing/outbox.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

const sound = createOutboxFactory();
const flawed = createOutboxFactory({ newKeyPerTry: true });
const simulate = (options: Partial<CampaignOptions> = {}) =>
  runCampaign(outboxScenario, flawed, sound, { seed: 1, schedules: 60, shrinkRunsMax: 20, ...options });

test('finds out what one campaign does, when it is shared', async () => {
  const whole = await simulate();
  const [first, second] = [await simulate({ part: { n: 0, of: 2 } }), await simulate({ part: { n: 1, of: 2 } })];

  const merged = mergeParts([first, second]);

  expect(first.schedules).toBe(30);
  expect(second.schedules).toBe(30);
  expect(whole.violations.length).toBeGreaterThan(0);
  // Sums of fractions depend on their order.
  expect(merged).toEqual({ ...whole, virtualMs: expect.closeTo(whole.virtualMs) });
});

const NOTHING: CampaignResult = {
  schedules: 0,
  failing: 0,
  setAside: 0,
  virtualMs: 0,
  violations: [],
  budgets: {},
  struck: [],
  loadError: null,
  nondeterministic: null,
  stoppedBy: null,
};
const plan = { schemaVersion: 1, kata: 'k', world: 1, steps: [], faults: [] } as const;
const broken = (invariant: string, index: number, count: number) => ({
  invariant,
  index,
  count,
  path: `sweep:${index}`,
  plan,
  story: { headline: `The story of ${index}.`, steps: [], events: [], reference: null },
});

test('adds up what both have met, and tells the earlier of two schedules', () => {
  const sums = { attempt: 2, reference: 1, allowance: 1.5, schedules: 3 };

  const merged = mergeParts([
    {
      ...NOTHING,
      schedules: 30,
      setAside: 1,
      violations: [broken('kept', 8, 4)],
      budgets: { sent: sums },
      struck: ['b'],
    },
    {
      ...NOTHING,
      schedules: 29,
      setAside: 2,
      violations: [broken('kept', 5, 3), broken('shown', 7, 1)],
      budgets: { sent: sums },
      struck: ['a', 'b'],
      stoppedBy: 'runaway',
    },
  ]);

  expect(merged).toEqual({
    ...NOTHING,
    schedules: 59,
    setAside: 3,
    violations: [broken('kept', 5, 7), broken('shown', 7, 1)],
    budgets: { sent: { attempt: 4, reference: 2, allowance: 1.5, schedules: 6 } },
    struck: ['a', 'b'],
    stoppedBy: 'runaway',
  });
});

test('trusts no violation when a part found that nothing can be trusted', () => {
  const differing = { path: 'plain:1', plan };

  const merged = mergeParts([
    { ...NOTHING, violations: [broken('kept', 0, 1)] },
    { ...NOTHING, nondeterministic: differing },
  ]);

  expect(merged).toMatchObject({ violations: [], nondeterministic: differing });
});

test('counts nothing of the parts after one that ended early', () => {
  const ranAway = { ...NOTHING, schedules: 8, failing: 8, stoppedBy: 'runaway' } as const;

  const merged = mergeParts([
    { ...NOTHING, schedules: 30 },
    ranAway,
    { ...NOTHING, schedules: 17, loadError: { stage: 'open', text: 'late' } },
  ]);

  expect(merged).toMatchObject({ schedules: 38, failing: 8, stoppedBy: 'runaway', loadError: null });
});
