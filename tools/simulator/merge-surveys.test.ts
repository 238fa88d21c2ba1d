import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CampaignResult, runCampaign } from './campaign.ts';
import { mergeCampaigns } from './merge-campaigns.ts';
import { catchRejections } from './run.ts';
import { createOutboxFactory, outboxScenario } from './testing/outbox.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

const sound = createOutboxFactory();
const flawed = createOutboxFactory({ newKeyPerTry: true });
const OPTIONS = { seed: 1, schedules: 60, shrinkRunsMax: 20 };

test('finds out what one campaign does, when it is shared', async () => {
  const whole = await runCampaign(outboxScenario, flawed, sound, OPTIONS);
  const [first, second] = [
    await runCampaign(outboxScenario, flawed, sound, { ...OPTIONS, part: { n: 0, of: 2 } }),
    await runCampaign(outboxScenario, flawed, sound, { ...OPTIONS, part: { n: 1, of: 2 } }),
  ];

  const merged = mergeCampaigns([first, second]);

  expect(first.schedules + second.schedules).toBe(60);
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

test('adds up what both have met, and tells the earlier of two stories', () => {
  const story = { headline: '', steps: [], events: [], reference: null };
  const plan = { schemaVersion: 1, kata: 'k', world: 1, steps: [], faults: [] } as const;
  const broken = (invariant: string, index: number, count: number) => ({
    invariant,
    index,
    count,
    path: `sweep:${index}`,
    plan,
    story,
  });
  const sums = { attempt: 2, reference: 1, allowance: 1.5, schedules: 3 };

  const merged = mergeCampaigns([
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

test('trusts no finding when a part found that nothing can be trusted', () => {
  const plan = { schemaVersion: 1, kata: 'k', world: 1, steps: [], faults: [] } as const;
  const differing = { path: 'plain:1', plan };
  const story = { headline: '', steps: [], events: [], reference: null };
  const kept = { invariant: 'kept', index: 0, count: 1, path: 'plain:0', plan, story };

  const merged = mergeCampaigns([
    { ...NOTHING, violations: [kept] },
    { ...NOTHING, nondeterministic: differing },
  ]);

  expect(merged).toMatchObject({ violations: [], nondeterministic: differing });
});
