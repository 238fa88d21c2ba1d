import { expect, test } from 'vitest';
import type { Rubric } from '../course/schema.ts';
import type { CampaignResult } from '../simulator/campaign.ts';
import { judgeSimulation, planHash } from './judge-simulation.ts';
import type { SimulationOutcome } from './simulation.ts';

const rubric = {
  criteria: [
    { id: 'keeps', invariants: ['kept', 'settles'], budgets: ['requests'] },
    { id: 'shows', invariants: [], budgets: ['writes'] },
  ],
} as unknown as Rubric;
const plan = { schemaVersion: 1, kata: 'tally', world: 7, steps: [null], faults: [] } as const;
const story = { headline: 'Two are gone.', steps: [], events: [], reference: null };

const campaign = (traits: Partial<CampaignResult> = {}): CampaignResult => ({
  schedules: 100,
  failing: 0,
  setAside: 0,
  virtualMs: 5_000.4,
  violations: [],
  budgets: { requests: { attempt: 12, reference: 10, allowance: 1.5, schedules: 40 } },
  struck: [],
  loadError: null,
  nondeterministic: null,
  stoppedBy: null,
  ...traits,
});
const done = (traits: Partial<CampaignResult> = {}, changedBuiltIns: string[] = []): SimulationOutcome => ({
  kind: 'done',
  answer: { type: 'campaign', result: campaign(traits), wallMs: 12.6, changedBuiltIns },
});
const judge = (outcome: SimulationOutcome) => judgeSimulation(outcome, rubric, 3);

test('passes every invariant that nothing broke', () => {
  const judged = judge(done());

  expect(judged.invariants).toEqual([
    { id: 'kept', status: 'pass', survival: 1, detail: '' },
    { id: 'settles', status: 'pass', survival: 1, detail: '' },
  ]);
  expect(judged.report).toMatchObject({ schedules: 100, seed: 3, wallMs: 13, virtualMs: 5_000, violations: [] });
  expect(judged).toMatchObject({ notGradable: null, blockedBy: null, incomplete: null });
});

test('counts the schedules that kept a broken invariant, and keeps its schedule for replay', () => {
  const violation = { invariant: 'kept', count: 25, index: 9, path: 'sweep:9', plan, story };

  const judged = judge(done({ failing: 25, violations: [violation] }));

  expect(judged.invariants[0]).toEqual({
    id: 'kept',
    status: 'fail',
    survival: 0.75,
    detail: 'Two are gone. (25 of 100 schedules)',
  });
  expect(judged.report.violations).toEqual([
    {
      invariant: 'kept',
      count: 25,
      seed: 3,
      path: 'sweep:9',
      replayId: `kept-${planHash(plan).slice(0, 4)}`,
      schedule: plan,
      story,
    },
  ]);
});

test('judges no budget that was not measured', () => {
  const [requests, writes] = judge(done()).budgets;
  const [unmeasured] = judge(
    done({ budgets: { requests: { attempt: 0, reference: 0, allowance: 1.5, schedules: 0 } } }),
  ).budgets;

  expect(requests).toMatchObject({ attempt: 12, reference: 10, blockedBy: null });
  expect(writes?.blockedBy).toBe('No budget of the scenario is called writes.');
  expect(unmeasured?.blockedBy).toBe('It was measured in no schedule.');
});

test('blocks everything of an app that cannot be opened', () => {
  const judged = judge(done({ loadError: { stage: 'open', text: 'Error: boom' } }));

  expect(judged.blockedBy).toBe('The app could not be opened: Error: boom');
  expect(judged.invariants.map(({ status }) => status)).toEqual(['blocked', 'blocked']);
  expect(judged.budgets.every(({ blockedBy }) => blockedBy !== null)).toBe(true);
  expect(judged).toMatchObject({ notGradable: null, incomplete: null });
});

test('passes nothing when no schedule was left', () => {
  const judged = judge(done({ schedules: 0, setAside: 40 }));

  expect(judged.incomplete).toBe('No schedule was left to judge by: 40 were set aside.');
  expect(judged.invariants.map(({ status }) => status)).toEqual(['blocked', 'blocked']);
});

test.each([
  [
    'throws as it is loaded',
    done({ loadError: { stage: 'import', text: 'Error: boom' } }),
    'throws as it is loaded: Error: boom',
  ],
  ['changes built-ins', done({}, ['Date.now', 'Map.prototype.get']), '(Date.now, Map.prototype.get)'],
  [
    'does not do the same twice',
    done({ nondeterministic: { path: 'plain:0', plan } }),
    'Two runs of one schedule (plain:0) differed',
  ],
])('does not grade an attempt that %s', (_, outcome, says) => {
  expect(judge(outcome).notGradable).toContain(says);
});

test.each(['hung', 'crashed'] as const)('is incomplete when the attempt has %s, and says where', (kind) => {
  const judged = judge({ kind, path: 'sweep:17', detail: 'It loops.' });

  expect(judged.incomplete).toBe('The simulation ended in schedule sweep:17. It loops.');
  expect(judged).toMatchObject({ invariants: [], budgets: [], report: { schedules: 0 } });
});

test('blames itself for a fault of its own', () => {
  expect(() => judge({ kind: 'fault', message: 'no scenario' })).toThrow(
    'this is no fault of the attempt.\nno scenario',
  );
});
