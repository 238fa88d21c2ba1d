import { expect, test } from 'vitest';
import type { Plan } from './plan.ts';
import { ordinal, tellStory } from './story.ts';
import { type StoryEvent, storyEvents } from './story-events.ts';
import { createOutboxFactory, type OutboxFlaws, outboxScenario } from './testing/outbox.ts';
import {
  createPlan,
  createProbe,
  ending,
  type ProbeLaunch,
  type ProbeOptions,
  post,
  runProbe,
  step,
} from './testing/probe.ts';
import type { RequestRecord, TraceEvent } from './trace.ts';

const storyOf = (flaws: OutboxFlaws, plan: Plan, invariant: string) =>
  tellStory(outboxScenario, createOutboxFactory(flaws), createOutboxFactory(), plan, invariant);

const outboxPlan = (options: ProbeOptions): Plan => ({ ...createPlan({ slots: 10, ...options }), kata: 'outbox' });

const LOST_ANSWER = outboxPlan({
  steps: [step('save')],
  faults: [{ target: 'POST /numbers', nth: 1, kind: 'response-lost' }],
});

test('tells the schedule in words, with ordinals, up to the violation', async () => {
  const story = await storyOf({ newKeyPerTry: true }, LOST_ANSWER, 'counted-once');

  expect(story.headline).toBe('Number 1 was counted 2 times.');
  expect(story.steps).toEqual([
    'the person saves a number',
    'the 1st POST /numbers took effect, but its answer was lost',
  ]);
});

test('says how long conditions last, and when all is well again', async () => {
  const steps = [
    step('offline', { ms: 60_000 }),
    step('background', { ms: 30_000 }),
    step('kill', { ms: 1_000 }),
    step('outage', { ms: 10_000 }),
  ];
  const story = await storyOf({ keepsListener: true }, outboxPlan({ steps }), 'silent-after-dispose');

  expect(story.steps).toEqual([
    'the phone is offline for 60 s',
    'the app is in the background for 30 s',
    'the OS kills the app; it is opened again after 1 s',
    'the server is down for 10 s',
    'from here on everything works, and nobody asks for anything new',
  ]);
});

test('names the nth write to storage and the nth read', async () => {
  const plan = outboxPlan({
    steps: [step('save'), null, step('save')],
    faults: [
      { target: 'storage.write', nth: 2, kind: 'slow' },
      { target: 'storage.read', nth: 1, kind: 'slow' },
    ],
  });
  const story = await storyOf({ keepsListener: true }, plan, 'silent-after-dispose');

  expect(story.steps).toContain('the 2nd write to storage took seconds');
});

test('names the phone where there are several', async () => {
  const { scenario } = createProbe(() => undefined, { phones: 2 });
  const plan = createPlan({ slots: 2, steps: [step('tap', {}, 1)] });

  const story = await tellStory(scenario, (globals) => globals, null, plan, 'none');

  expect(story.steps[0]).toBe('phone 2: the person taps');
  expect([story.headline, story.reference]).toEqual(['none was not broken this time.', null]);
});

test('says where the reference went another way', async () => {
  const story = await storyOf({ newKeyPerTry: true }, LOST_ANSWER, 'counted-once');

  expect(story.reference).toMatchObject({ attempt: 'the server: counted 1' });
});

test('puts the violation last, in the lane where it was seen', async () => {
  const { events } = await storyOf({ newKeyPerTry: true }, LOST_ANSWER, 'counted-once');

  expect(events.at(-1)).toMatchObject({ mark: 'violation', lane: 'server', text: 'Number 1 was counted 2 times.' });
  expect(events.filter(({ mark }) => mark === 'violation')).toHaveLength(1);
});

const messages = (events: readonly StoryEvent[]) => events.filter(({ to }) => to === 'server' || to === 'app');

test('draws a message from its departure to its arrival', async () => {
  const { trace } = await runProbe(postOnce);

  const [request, answer] = messages(storyEvents(trace, null));

  expect(request).toMatchObject({ lane: 'app', to: 'server', text: 'POST /things #1', mark: 'none' });
  expect(answer).toMatchObject({ lane: 'server', to: 'app', text: '200 to #1', mark: 'none' });
  expect(request?.arrivesAtMs).toBe(answer?.atMs);
  expect(answer?.arrivesAtMs).toBeGreaterThan(answer?.atMs ?? 0);
});

test('draws a lost request and a lost answer as messages that never arrive', async () => {
  const request = await runProbe(postOnce, { faults: [{ kind: 'request-lost' }] });
  const answer = await runProbe(postOnce, { faults: [{ kind: 'response-lost' }] });

  expect(
    messages(storyEvents(request.trace, null)).map(({ text, mark, arrivesAtMs }) => [text, mark, arrivesAtMs]),
  ).toEqual([['POST /things #1', 'lost', null]]);
  expect(messages(storyEvents(answer.trace, null)).map(({ text, mark }) => [text, mark])).toEqual([
    ['POST /things #1', 'none'],
    ['200 to #1', 'lost'],
  ]);
});

// The story ends at the violation, and what arrives after it is looked for in the story alone.
test('draws a message that is on its way at the violation as on its way, not as lost', async () => {
  const open = (launch: ProbeLaunch) => {
    launch.platform.setTimeout(() => launch.platform.console.log('now'), 1);
    return postOnce(launch);
  };
  const { scenario } = createProbe(open, {
    invariants: [
      {
        id: 'rule',
        promise: '',
        spec: [],
        watch:
          () =>
          ({ kind }) =>
            kind === 'log' ? 'Broken.' : undefined,
      },
    ],
  });

  const story = await tellStory(scenario, (globals) => globals, null, createPlan(), 'rule');

  expect(messages(story.events).map(({ text, mark }) => [text, mark])).toEqual([['POST /things #1', 'none']]);
});

test('draws kills, launches, offline and storage in their lanes', async () => {
  const open = ({ device, launch }: ProbeLaunch) => {
    if (launch === 1) void device.asyncStorage.setItem('a', '1').catch(() => undefined);
    return undefined;
  };
  const { trace } = await runProbe(open, {
    slots: 10,
    steps: [step('offline', { ms: 2_000 }), null, null, step('kill', { ms: 1_000 })],
    faults: [{ target: 'storage.write', kind: 'full' }],
  });

  const told = storyEvents(trace.slice(0, trace.findIndex(({ kind }) => kind === 'condition') + 20), null);

  expect(told.slice(0, 7).map(({ lane, to, text, mark }) => `${lane}>${to ?? ''} ${text} [${mark}]`)).toEqual([
    'app> launched [launch]',
    'app>storage setItem a (failed) [fault]',
    'network> offline [offline]',
    'network> online [online]',
    'app> killed by the OS [kill]',
    'app> launched again [launch]',
    'app> all faults end [none]',
  ]);
});

test('crops a long story to what fits, and keeps its beginning, its end and every fault', () => {
  const quiet = Array.from(
    { length: 200 },
    (_, n): TraceEvent => ({ atMs: n, phone: 0, kind: 'action', id: n, label: `does ${n}` }),
  );
  const kill: TraceEvent = { atMs: 60, phone: 0, kind: 'kill', launch: 1, during: 'by the OS' };
  const lost: TraceEvent = { atMs: 80, phone: 0, kind: 'request', phase: 'sent', note: '', request: REQUEST };

  const told = storyEvents([...quiet.slice(0, 60), kill, ...quiet.slice(60, 80), lost, ...quiet.slice(80)], {
    text: 'Broken.',
    atMs: 200,
  });

  const texts = told.map(({ text }) => text);
  expect(told.length).toBeLessThanOrEqual(44);
  expect(texts.slice(0, 4)).toEqual([
    'does 0 …',
    'does 1 …',
    'does 2 …',
    `… ${202 - (told.length - 2)} events left out …`,
  ]);
  expect(texts).toContain('killed by the OS');
  expect(texts).toContain('POST /things #1');
  expect(texts.slice(-2)).toEqual(['does 199 …', 'Broken.']);
});

test('keeps within its length even when nearly everything went wrong', () => {
  const kills = Array.from(
    { length: 300 },
    (_, n): TraceEvent => ({ atMs: n, phone: 0, kind: 'kill', launch: n, during: `at ${n}` }),
  );

  const told = storyEvents(kills, { text: 'Broken.', atMs: 300 });

  expect(told).toHaveLength(44);
  expect(told.at(-2)?.text).toBe('killed at 299');
});

// With exactly as many events as fit, the line that says what is left out comes on top.
test('keeps within its length at its very edge', () => {
  const quiet = Array.from(
    { length: 60 },
    (_, n): TraceEvent => ({ atMs: n, phone: 0, kind: 'action', id: n, label: `does ${n}` }),
  );
  const kills = Array.from(
    { length: 10 },
    (_, n): TraceEvent => ({ atMs: n, phone: 0, kind: 'kill', launch: n, during: `at ${n}` }),
  );

  const told = storyEvents([...quiet.slice(0, 10), ...kills, ...quiet.slice(10)], { text: 'Broken.', atMs: 300 });

  expect(told.length).toBeLessThanOrEqual(44);
});

test('says ordinals as a person does', () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111].map(ordinal)).toEqual([
    '1st',
    '2nd',
    '3rd',
    '4th',
    '11th',
    '12th',
    '13th',
    '21st',
    '22nd',
    '101st',
    '111th',
  ]);
});

const REQUEST: RequestRecord = {
  id: 1,
  phone: 0,
  launch: 1,
  endpoint: 'POST /things',
  nth: 1,
  method: 'POST',
  url: 'https://api.example.test/things',
  headers: {},
  body: null,
  sentAtMs: 80,
  sentOnline: true,
  arrivedAtMs: null,
  endedAtMs: null,
  outcome: null,
  retryAfterMs: null,
};

function postOnce({ platform, launch }: ProbeLaunch): undefined {
  if (launch === 1) void ending(post(platform, 1));
}
