// A report as a first attempt at offline-queue earns it: it makes a new idempotency key for every try.
import type { CriterionResult, Evidence, Report, TestResult } from '../report.ts';
import { hostile, hostileStory, sampleStory } from './sample-story.ts';

const test = (id: string, status: Evidence['status'] = 'pass', detail = ''): Evidence => ({
  kind: 'test',
  id,
  status,
  detail,
});

const passing = (name: string, criterion: string, spec: string[]): TestResult => ({
  name,
  status: 'pass',
  criterion,
  spec,
  durationMs: 4,
  message: null,
  blockedBy: null,
});

const sameKeyMessage = `AssertionError: expected [ '7c1e', 'b94d' ] to deeply equal [ '7c1e', '7c1e' ]

- Expected
+ Received

  [
    "7c1e",
-   "7c1e",
+   "b94d",
  ]

 ❯ katas/offline-queue/suite.test.ts:88:31
     86|   const keys = server.requests.map((request) => request.key);
     87|
     88|   expect(keys).toEqual([keys[0], keys[0]]);
       |                ^
     89| });`;

const tests: TestResult[] = [
  passing('resolves only once the change is in storage', 'durable-before-acknowledged', ['R1']),
  passing('sends what an earlier launch left behind', 'durable-before-acknowledged', ['R1']),
  passing('sends the changes of one entity in order', 'first-in-first-out', ['R3']),
  passing('sends four entities in parallel, and no more', 'first-in-first-out', ['R3']),
  {
    ...passing('keeps all other records when one is corrupt', 'corrupt-record', ['R8', 'E10']),
    status: 'error',
    message: `SyntaxError: Unexpected token 'o', "not json" is not valid JSON
    at JSON.parse (<anonymous>)
    at restore (katas/offline-queue/attempt.ts:41:23)`,
  },
  {
    ...passing('resends the same key after a lost response', 'one-key-for-life', ['R2', 'E1']),
    status: 'fail',
    message: sameKeyMessage,
  },
  {
    ...passing('keeps the key across a restart', 'one-key-for-life', ['R2']),
    status: 'fail',
    message: 'AssertionError: expected \'b94d\' to be \'7c1e\'\n\nExpected: "7c1e"\nReceived: "b94d"',
  },
  passing('makes two keys for two changes', 'one-key-for-life', ['R2']),
  passing('doubles the wait after each failure', 'backoff-full-jitter', ['R4']),
  passing('waits as long as Retry-After says', 'backoff-full-jitter', ['R4', 'E6']),
  {
    ...passing('sends other entities while one waits behind a dead letter', 'dead-letters', ['R5']),
    status: 'timeout',
    message: 'Test timed out in 5000 ms: the 2nd entity was never sent.',
  },
  passing('puts a 422 aside with the server’s words', 'dead-letters', ['R5']),
  passing('wakes up when the network is back', 'offline-is-silent', ['R6']),
  passing('drains once, however many triggers fire', 'one-drain', ['R7']),
];

const criterion = (
  id: string,
  title: string,
  where: [CriterionResult['dimension'], CriterionResult['level']],
  [earned, points]: [number, number],
  evidence: Evidence[],
): CriterionResult => ({ id, title, dimension: where[0], level: where[1], points, earned, evidence });

const criteria: CriterionResult[] = [
  criterion(
    'durable-before-acknowledged',
    'Durable before acknowledged',
    ['correctness', 'mid'],
    [12, 12],
    [
      test('resolves only once the change is in storage'),
      { kind: 'invariant', id: 'nothing-lost', status: 'pass', detail: '' },
    ],
  ),
  criterion(
    'first-in-first-out',
    'First in, first out per entity',
    ['correctness', 'mid'],
    [10, 10],
    [test('sends the changes of one entity in order'), test('sends four entities in parallel, and no more')],
  ),
  criterion(
    'one-key-for-life',
    'One idempotency key for the life of a change',
    ['resilience', 'senior'],
    [2.3, 14],
    [
      test('resends the same key after a lost response', 'fail', 'the 2nd try had another key'),
      test('keeps the key across a restart', 'fail', 'the key after the restart was new'),
      test('makes two keys for two changes'),
      { kind: 'invariant', id: 'no-effect-twice', status: 'fail', detail: 'broken in 212 of 1,000 schedules' },
    ],
  ),
  criterion(
    'backoff-full-jitter',
    'Backs off with full jitter',
    ['resilience', 'senior'],
    [12, 12],
    [test('doubles the wait after each failure'), test('waits as long as Retry-After says')],
  ),
  criterion(
    'dead-letters',
    'Dead letters hold up one entity only',
    ['resilience', 'senior'],
    [3.3, 10],
    [
      test('sends other entities while one waits behind a dead letter', 'timeout', 'the 2nd entity was never sent'),
      test('puts a 422 aside with the server’s words'),
    ],
  ),
  criterion(
    'offline-is-silent',
    'Silent while offline',
    ['resilience', 'senior'],
    [4, 8],
    [
      test('wakes up when the network is back'),
      { kind: 'budget', id: 'wake-ups-offline', status: 'fail', detail: '38 wake-ups, the reference has 0' },
    ],
  ),
  criterion(
    'storage-full',
    'Says so when storage is full',
    ['resilience', 'staff'],
    [5, 5],
    [{ kind: 'invariant', id: 'full-is-reported', status: 'pass', detail: '' }],
  ),
  criterion(
    'one-drain',
    'One drain at a time',
    ['consistency', 'senior'],
    [8, 8],
    [test('drains once, however many triggers fire')],
  ),
  criterion(
    'corrupt-record',
    'One corrupt record costs one record',
    ['consistency', 'staff'],
    [0, 8],
    [test('keeps all other records when one is corrupt', 'error', 'the restore threw a SyntaxError')],
  ),
  criterion(
    'traffic',
    'Sends little',
    ['efficiency', 'mid'],
    [2, 5],
    [{ kind: 'budget', id: 'requests', status: 'fail', detail: '1.9 times the reference, 1.25 times is free' }],
  ),
  criterion(
    'writes',
    'Writes little',
    ['efficiency', 'senior'],
    [2.6, 4],
    [{ kind: 'budget', id: 'storage-writes', status: 'pass', detail: '' }],
  ),
  criterion(
    'clean-types',
    'Type-checks, with nothing left over',
    ['code quality', 'mid'],
    [2.6, 4],
    [
      { kind: 'check', id: 'type-check', status: 'pass', detail: '' },
      { kind: 'check', id: 'no-leftovers', status: 'pass', detail: '' },
    ],
  ),
];

/** A first attempt, below the bar: one broken invariant, failing tests of three kinds, a budget exceeded. */
export const sampleReport: Report = {
  schemaVersion: 1,
  kata: { slug: 'offline-queue', title: 'Offline queue', version: 1, suiteHash: '4be19a70' },
  target: 'attempt',
  status: 'below-bar',
  reason: null,
  score: 63.8,
  bar: 70,
  band: 'mid',
  criteria,
  fixFirst: {
    criterion: 'one-key-for-life',
    because: 'After a lost response the change was sent again under a new key, so the server applied it twice.',
    hint: 'When the answer is lost, what could tell the server that it has seen this change before?',
  },
  tests,
  simulation: {
    schedules: 1000,
    seed: 20_260_417,
    failing: 212,
    setAside: 2,
    wallMs: 1240,
    virtualMs: 93_600_000,
    violations: [
      {
        invariant: 'no-effect-twice',
        count: 212,
        seed: 20_260_417,
        path: 'sweep:17',
        replayId: 'k7f2',
        schedule: {
          schemaVersion: 1,
          kata: 'offline-queue',
          world: 20_260_417,
          steps: [
            { do: 'save', phone: 0, args: { entity: 1, text: 'a' } },
            null,
            { do: 'offline', phone: 0, args: { forMs: 12_000 } },
            { do: 'kill', phone: 0, args: { forMs: 4000 } },
          ],
          faults: [{ target: 'POST /mutations', nth: 1, phone: 0, kind: 'answer-lost' }],
        },
        story: sampleStory,
      },
    ],
  },
  budgets: [
    { id: 'requests', attempt: 11_480, reference: 6042, allowance: 1.25 },
    { id: 'bytes-sent', attempt: 402_118, reference: 371_004, allowance: 1.25 },
    { id: 'storage-writes', attempt: 8211, reference: 8003, allowance: 1.5 },
    { id: 'wake-ups-offline', attempt: 38, reference: 0, allowance: 1 },
  ],
  checks: [
    { id: 'type-check', status: 'pass', detail: '' },
    { id: 'no-type-escape', status: 'fail', detail: 'attempt.ts:41 has `as any`.' },
    { id: 'no-leftovers', status: 'pass', detail: '' },
  ],
  environment: { node: '24.21.0', vitest: '5.1.1', platform: 'linux x64' },
  durationMs: 9120,
};

const nothingRun = { schedules: 0, failing: 0, setAside: 0, wallMs: 0, virtualMs: 0, violations: [] };
const unjudged = (from: CriterionResult): CriterionResult => ({
  ...from,
  earned: 0,
  evidence: from.evidence.map((item) => ({ ...item, status: 'not-run', detail: '' })),
});

/** The attempt does not compile: nothing was judged. */
export const notGradableReport: Report = {
  ...sampleReport,
  status: 'not-gradable',
  reason: 'attempt.ts does not compile: line 12, "}" expected. Close the block, then grade again.',
  score: 0,
  band: 'not-yet',
  criteria: criteria.map(unjudged),
  fixFirst: null,
  tests: [],
  simulation: { ...sampleReport.simulation, ...nothingRun },
  budgets: [],
  checks: [{ id: 'type-check', status: 'fail', detail: "attempt.ts:12:1 error TS1005: '}' expected." }],
};

/** The suite passes, then the simulation hung: points stand for part of the rubric only. */
export const incompleteReport: Report = {
  ...sampleReport,
  status: 'incomplete',
  reason: 'The simulation took longer than 120 s and was stopped: look for a loop that never waits.',
  tests: tests.map((each) => ({ ...each, status: 'pass', message: null })),
  simulation: { ...sampleReport.simulation, ...nothingRun },
  criteria: criteria.map((each) => (each.evidence.some(({ kind }) => kind === 'test') ? each : unjudged(each))),
  budgets: [],
};

/** All is well. */
export const passedReport: Report = {
  ...sampleReport,
  status: 'passed',
  score: 100,
  band: 'staff',
  criteria: criteria.map((each) => ({
    ...each,
    earned: each.points,
    evidence: each.evidence.map((item) => ({ ...item, status: 'pass', detail: '' })),
  })),
  fixFirst: null,
  tests: tests.map((each) => ({ ...each, status: 'pass', message: null })),
  simulation: { ...sampleReport.simulation, failing: 0, setAside: 0, violations: [] },
  budgets: sampleReport.budgets.map((each) => ({ ...each, attempt: each.reference })),
  checks: sampleReport.checks.map((each) => ({ ...each, status: 'pass', detail: '' })),
};

/** Texts from an attempt may hold anything. */
export const hostileReport: Report = {
  ...sampleReport,
  kata: { ...sampleReport.kata, title: hostile },
  fixFirst: { criterion: 'one-key-for-life', because: hostile, hint: hostile },
  criteria: criteria.map((each) => ({
    ...each,
    title: hostile,
    evidence: each.evidence.map((item) => ({ ...item, detail: hostile })),
  })),
  tests: tests.map((each) => ({ ...each, name: hostile, message: each.message === null ? null : hostile })),
  simulation: {
    ...sampleReport.simulation,
    violations: sampleReport.simulation.violations.map((each) => ({
      ...each,
      invariant: hostile,
      story: hostileStory,
    })),
  },
  budgets: sampleReport.budgets.map((each) => ({ ...each, id: hostile })),
  checks: sampleReport.checks.map((each) => ({ ...each, detail: hostile })),
};
