import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Survey, type SurveyOptions, schedulesOf, survey } from './campaign.ts';
import { mergeSurveys } from './merge-surveys.ts';
import { catchRejections } from './run.ts';
import { createOutboxFactory, outboxScenario } from './testing/outbox.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

const sound = createOutboxFactory();
const flawed = createOutboxFactory({ newKeyPerTry: true });
const look = async (options: SurveyOptions = {}) =>
  survey(outboxScenario, flawed, sound, await schedulesOf(outboxScenario, sound, { seed: 1, schedules: 60 }), options);

test('finds out what one survey does, when it is shared', async () => {
  const whole = await look();
  const [first, second] = [await look({ part: { n: 0, of: 2 } }), await look({ part: { n: 1, of: 2 } })];

  const merged = mergeSurveys([first, second]);

  expect(first.schedules + second.schedules).toBe(60);
  expect(whole.findings.length).toBeGreaterThan(0);
  // Sums of fractions depend on their order.
  expect(merged).toEqual({ ...whole, virtualMs: expect.closeTo(whole.virtualMs) });
});

const NOTHING: Survey = {
  schedules: 0,
  failing: 0,
  setAside: 0,
  virtualMs: 0,
  findings: [],
  budgets: {},
  struck: [],
  loadError: null,
  nondeterministic: null,
  stoppedBy: null,
};

test('adds up what both have met, and names the earlier of two schedules', () => {
  const plan = { schemaVersion: 1, kata: 'k', world: 1, steps: [], faults: [] } as const;
  const broken = (invariant: string, index: number, count: number) => ({
    invariant,
    index,
    count,
    path: `sweep:${index}`,
    plan,
  });
  const sums = { attempt: 2, reference: 1, allowance: 1.5, schedules: 3 };

  const merged = mergeSurveys([
    {
      ...NOTHING,
      schedules: 30,
      setAside: 1,
      findings: [broken('kept', 8, 4)],
      budgets: { sent: sums },
      struck: ['b'],
    },
    {
      ...NOTHING,
      schedules: 29,
      setAside: 2,
      findings: [broken('kept', 5, 3), broken('shown', 7, 1)],
      budgets: { sent: sums },
      struck: ['a', 'b'],
      stoppedBy: 'runaway',
    },
  ]);

  expect(merged).toEqual({
    ...NOTHING,
    schedules: 59,
    setAside: 3,
    findings: [broken('kept', 5, 7), broken('shown', 7, 1)],
    budgets: { sent: { attempt: 4, reference: 2, allowance: 1.5, schedules: 6 } },
    struck: ['a', 'b'],
    stoppedBy: 'runaway',
  });
});

test('trusts no finding when a part found that nothing can be trusted', () => {
  const plan = { schemaVersion: 1, kata: 'k', world: 1, steps: [], faults: [] } as const;
  const differing = { path: 'plain:1', plan };
  const kept = { invariant: 'kept', index: 0, count: 1, path: 'plain:0', plan };

  const merged = mergeSurveys([
    { ...NOTHING, findings: [kept] },
    { ...NOTHING, nondeterministic: differing },
  ]);

  expect(merged).toMatchObject({ findings: [], nondeterministic: differing });
});

test('counts nothing of the parts after one that ended early', () => {
  const ranAway = { ...NOTHING, schedules: 8, failing: 8, stoppedBy: 'runaway' } as const;

  const merged = mergeSurveys([
    { ...NOTHING, schedules: 30 },
    ranAway,
    { ...NOTHING, schedules: 17, loadError: { stage: 'open', text: 'late' } },
  ]);

  expect(merged).toMatchObject({ schedules: 38, failing: 8, stoppedBy: 'runaway', loadError: null });
});
