import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { atKind } from './at-kind.ts';
import type { REQUEST_FAULTS } from './fault-kinds.ts';
import {
  API_URL,
  ending,
  type Platform,
  type ProbeLaunch,
  type ProbeResult,
  post,
  runProbe,
  step,
} from './testing/probe.ts';
import { inTurn, worlds } from './testing/worlds.ts';
import type { AnyScenario } from './world.ts';

interface Seen extends ProbeResult {
  /** How the app's one request ended for it; null when it never heard. */
  readonly heard: string | null;
  readonly afterMs: number;
  readonly body: string | null;
  readonly headers: Headers | null;
}

/** An app that posts once, under one fault. */
async function postUnder(kind: string, world = 1): Promise<Seen> {
  const seen = {
    heard: null as string | null,
    afterMs: 0,
    body: null as string | null,
    headers: null as Headers | null,
  };
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    const note = (heard: string) => {
      seen.heard = heard;
      seen.afterMs = platform.performance.now();
    };
    post(platform, { value: 1 }).then(
      async (response) => {
        note(`ok ${response.status}`);
        seen.headers = response.headers;
        seen.body = await response.text();
      },
      (error: Error) => note(`${error.name}: ${error.message}`),
    );
    return undefined;
  };
  const result = await runProbe(open, { world, faults: [{ kind }] });
  return { ...result, ...seen };
}

const FAILED = 'TypeError: Network request failed';
const isKilled = ({ trace }: ProbeResult) => trace.some((event) => event.kind === 'kill' && event.atMs < 90_000);

/** What each kind of fault promises, in one line: arrivals at the backend, what the app heard, whether it was killed. */
const PROMISES: Record<
  keyof typeof REQUEST_FAULTS,
  readonly [arrivals: number, heard: string | null, killed: boolean]
> = {
  delay: [1, 'ok 200', false],
  duplicate: [2, 'ok 200', false],
  'response-lost': [1, FAILED, false],
  'request-lost': [0, FAILED, false],
  // In the first world it never reached the server; in others it does.
  hang: [0, FAILED, false],
  truncate: [1, 'ok 200', false],
  portal: [0, 'ok 200', false],
  'answer-401': [0, 'ok 401', false],
  'answer-403': [0, 'ok 403', false],
  'answer-408': [0, 'ok 408', false],
  'answer-409': [0, 'ok 409', false],
  'answer-410': [0, 'ok 410', false],
  'answer-422': [0, 'ok 422', false],
  'answer-425': [0, 'ok 425', false],
  'answer-429-seconds': [0, 'ok 429', false],
  'answer-429-date': [0, 'ok 429', false],
  'answer-500': [0, 'ok 500', false],
  'answer-503': [0, 'ok 503', false],
  'applied-then-500': [1, 'ok 500', false],
  'kill-before': [0, null, true],
  'kill-after': [1, null, true],
};

test.each(Object.entries(PROMISES))('does what %s says', async (kind, [arrivals, heard, killed]) => {
  const seen = await postUnder(kind);

  expect({ arrivals: seen.arrivals.length, heard: seen.heard, killed: isKilled(seen) }).toEqual({
    arrivals,
    heard,
    killed,
  });
  expect([...seen.struck]).toEqual([[`POST /things ${kind}`, 1]]);
});

test('answers within half a second when nothing is wrong', async () => {
  const seen = await postUnder('no fault of any kind');

  expect([seen.heard, seen.body]).toEqual(['ok 200', '{"ok":true,"count":1}']);
  expect(seen.afterMs).toBeLessThan(500);
});

test('delays by seconds, in some worlds on the way to the server and in others on the way back', async () => {
  const runs = await inTurn(worlds(12), (world) => postUnder('delay', world));

  const arrivedAfterMs = runs.map(({ requests }) => requests[0]?.arrivedAtMs ?? 0);
  expect(Math.min(...runs.map(({ afterMs }) => afterMs))).toBeGreaterThan(2_000);
  expect(Math.max(...runs.map(({ afterMs }) => afterMs))).toBeLessThan(21_000);
  expect(Math.min(...arrivedAfterMs)).toBeLessThan(200);
  expect(Math.max(...arrivedAfterMs)).toBeGreaterThan(2_000);
});

test('gives up on a request that hangs after a minute, in some worlds with an effect on the server', async () => {
  const runs = await inTurn(worlds(12), (world) => postUnder('hang', world));

  expect(new Set(runs.map(({ afterMs }) => afterMs))).toEqual(new Set([60_000]));
  expect(new Set(runs.map(({ heard }) => heard))).toEqual(new Set([FAILED]));
  expect(new Set(runs.map(({ arrivals }) => arrivals.length))).toEqual(new Set([0, 1]));
});

test('cuts a body in half, so that it is no JSON', async () => {
  const { body } = await postUnder('truncate');

  expect(body).toBe('{"ok":true');
  expect(() => JSON.parse(body ?? '{}')).toThrow(SyntaxError);
});

test("answers a portal request with a page in the server's place", async () => {
  const { body, headers } = await postUnder('portal');

  expect(headers?.get('content-type')).toBe('text/html');
  expect(body).toContain('Free WiFi');
});

test('asks to wait 1 to 45 seconds with 429 in seconds, and records it', async () => {
  const runs = await inTurn(worlds(12), (world) => postUnder('answer-429-seconds', world));

  for (const { headers, requests } of runs) {
    const seconds = Number(headers?.get('retry-after'));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(45);
    expect(requests[0]?.retryAfterMs).toBe(seconds * 1_000);
  }
});

test('asks to wait until a date with 429, by the server clock, and in some worlds it is past', async () => {
  const runs = await inTurn(worlds(24), (world) => postUnder('answer-429-date', world));

  const waits = runs.map(({ requests }) => requests[0]?.retryAfterMs ?? -1);
  const dates = runs.map(({ headers }) => headers?.get('retry-after') ?? '');
  expect(dates.every((date) => new Date(date).toUTCString() === date)).toBe(true);
  expect(waits.filter((wait) => wait === 0).length).toBeGreaterThan(0);
  expect(waits.filter((wait) => wait > 1_000).length).toBeGreaterThan(8);
  expect(Math.max(...waits)).toBeLessThanOrEqual(45_000);
});

test('sends the duplicate later, with the same body, and answers once', async () => {
  const { arrivals, requests } = await postUnder('duplicate');

  const [first, second] = arrivals;
  expect(first?.body).toBe(second?.body);
  expect((second?.serverMs ?? 0) - (first?.serverMs ?? 0)).toBeGreaterThanOrEqual(100);
  expect(requests).toHaveLength(1);
});

test('strikes the request with the ordinal of the plan, counted by endpoint', async () => {
  const ends: string[] = [];
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    const all = [
      post(platform, 1),
      platform.fetch(`${API_URL}/things/7`),
      post(platform, 2),
      platform.fetch(`${API_URL}/things/8`),
    ];
    void Promise.all(all.map(ending)).then((all) => ends.push(...all));
    return undefined;
  };

  const { requests } = await runProbe(open, {
    faults: [
      { nth: 2, kind: 'answer-503' },
      { target: 'GET /things/:id', nth: 1, kind: 'answer-410' },
    ],
  });

  expect(ends).toEqual(['ok 200', 'ok 410', 'ok 503', 'ok 200']);
  expect(requests.map(({ endpoint, nth }) => `${endpoint} #${nth}`)).toEqual([
    'POST /things #1',
    'GET /things/:id #1',
    'POST /things #2',
    'GET /things/:id #2',
  ]);
});

test('leaves every other draw alone when a fault is taken out', async () => {
  const open = ({ platform, launch }: ProbeLaunch) => {
    for (const n of launch > 1 ? [] : [1, 2, 3]) void ending(post(platform, n));
    return undefined;
  };
  const delay = [{ nth: 1, kind: 'delay' }];
  const loss = { nth: 3, kind: 'response-lost' };

  const both = await runProbe(open, { faults: [...delay, loss] });
  const one = await runProbe(open, { faults: [loss] });

  const times = ({ requests }: ProbeResult) =>
    requests.slice(1).map(({ arrivedAtMs, endedAtMs }) => [arrivedAtMs, endedAtMs]);
  expect(times(one)).toEqual(times(both));
  expect(one.requests[0]?.endedAtMs).not.toBe(both.requests[0]?.endedAtMs);
});

test('rejects with the reason of the signal, and lets what was on the wire arrive or not', async () => {
  const reasons: unknown[] = [];
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    const controller = new AbortController();
    post(platform, 1, { signal: controller.signal }).catch((reason) => reasons.push(reason));
    platform.setTimeout(() => controller.abort('changed my mind'), 10);
    return undefined;
  };

  const runs = await inTurn(worlds(12), (world) => runProbe(open, { world }));

  expect(new Set(reasons)).toEqual(new Set(['changed my mind']));
  expect(new Set(runs.map(({ arrivals }) => arrivals.length))).toEqual(new Set([0, 1]));
  expect(runs[0]?.requests[0]?.outcome).toEqual({ kind: 'aborted' });
});

test('sends nothing for a signal that was aborted before', async () => {
  const reasons: unknown[] = [];
  const open = ({ platform }: ProbeLaunch) => {
    post(platform, 1, { signal: platform.AbortSignal.abort('too late') }).catch((reason) => reasons.push(reason));
    return undefined;
  };

  const { requests } = await runProbe(open);

  expect(reasons).toEqual(['too late', 'too late']);
  expect(requests).toEqual([]);
});

test('counts a request as out until its app has heard of it, has aborted it, or is killed', async () => {
  const out: number[][] = [];
  const noteOut: AnyScenario['invariants'][number] = {
    id: 'notes-out',
    promise: 'Says what is out.',
    spec: [],
    watch: (world) =>
      atKind(['request', 'kill'], () => {
        out.push(world.requestsOut(0).map(({ id }) => id));
        return undefined;
      }),
  };
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    const controller = new AbortController();
    const send = (init?: RequestInit) => ending(post(platform, 1, init));
    void send()
      .then(() => send({ signal: controller.signal }))
      .then(() => Promise.all([send(), send()]));
    platform.setTimeout(() => controller.abort(), 30_000);
    return undefined;
  };
  const faults = [
    { kind: 'request-lost' },
    { nth: 2, kind: 'hang' },
    { nth: 3, kind: 'delay' },
    { nth: 4, kind: 'kill-after' },
  ];

  await runProbe(open, { faults, scenario: { invariants: [noteOut] } });

  // Each list as long as it stands.
  expect(out.filter((ids, n) => ids.join() !== out[n - 1]?.join())).toEqual([[1], [], [2], [], [3], [3, 4], []]);
});

test('gives the backend method, headers and body as they were sent, of text and of others', async () => {
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    const form = new URLSearchParams({ a: '1' });
    void platform.fetch(new Request(`${API_URL}/things`, { method: 'POST', body: 'text', headers: { 'X-Key': 'k1' } }));
    void platform.fetch(`${API_URL}/things`, { method: 'POST', body: form });
    void platform.fetch(`${API_URL}/things`, { method: 'POST', body: new TextEncoder().encode('bytes') });
    return undefined;
  };

  const { arrivals, requests } = await runProbe(open);

  expect(arrivals.map(({ body }) => body).sort()).toEqual(['a=1', 'bytes', 'text']);
  expect(requests.find(({ body }) => body === 'text')?.headers['x-key']).toBe('k1');
});

// The boundary between the parts of a form is Node's, and new each time.
test('sends a form alike in two runs of one plan', async () => {
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    const body = new FormData();
    body.set('name', 'value');
    void ending(platform.fetch(`${API_URL}/things`, { method: 'POST', body }));
    return undefined;
  };

  const [first, second] = await inTurn([1, 1], (world) => runProbe(open, { world }));

  expect(first?.arrivals[0]?.body).toContain('name="name"');
  expect(first?.arrivals).toEqual(second?.arrivals);
});

// A blob is read by a thread of Node while virtual time runs on: in a quiet world by minutes.
test('sends a blob at the time at which it was asked to', async () => {
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    const send = () => void ending(platform.fetch(`${API_URL}/things`, { method: 'POST', body: new Blob(['x']) }));
    platform.setTimeout(send, 10_000);
    platform.setTimeout(() => undefined, 60_000);
    return undefined;
  };

  const { requests } = await runProbe(open);

  expect(requests.map(({ sentAtMs }) => sentAtMs)).toEqual([10_000]);
});

test.each([204, 304])('gives the app an answer of %i without a body', async (status) => {
  expect(await answerOf(status)).toBe(`ok ${status}`);
});

// Only 204 and 304 are known as answers without a body; the error is put down to the app, which never hears.
test('gives the app an answer of 205 without a body', async () => {
  expect(await answerOf(205)).toBe('ok 205');
});

/** How a request ends for the app when the server answers with a status and no body. */
async function answerOf(status: number): Promise<string> {
  const ends: string[] = [];
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch === 1) void ending(post(platform, 1)).then((end) => ends.push(end));
    return undefined;
  };
  const app = new Hono().all('*', () => new Response(null, { status }));

  await runProbe(open, { scenario: { backend: () => ({ app }) } });

  return ends[0] ?? 'never heard';
}

test('rejects at once what is no address', async () => {
  const ends: string[] = [];
  const open = ({ platform }: ProbeLaunch) => {
    void ending(platform.fetch('/things')).then((end) => ends.push(end));
    return undefined;
  };

  await runProbe(open);

  expect(ends[0]).toMatch(/^TypeError: /);
});

test('loses what is on its way to the server when the line goes dead, or else its answer', async () => {
  const heard: string[] = [];
  const open = postAtTap(heard);

  const runs = await inTurn(worlds(12), (world) =>
    runProbe(open, { world, steps: [step('tap'), step('offline', { ms: 30_000 })], faults: [{ kind: 'delay' }] }),
  );

  const effects = runs.map(({ arrivals }) => arrivals.length);
  expect(new Set(heard)).toEqual(new Set([FAILED]));
  expect(new Set(effects)).toEqual(new Set([0, 1]));
  expect(runs.map(({ requests }) => (requests[0]?.arrivedAtMs === null ? 0 : 1))).toEqual(effects);
});

// An answer that is due in the second between the loss of the line and its notice is delivered over the dead line.
test('delivers no answer while the phone is offline', async () => {
  const open = postAtTap([]);
  const runs = await inTurn(worlds(40), (world) =>
    runProbe(open, {
      world,
      steps: [step('tap'), step('offline', { ms: 30_000 })],
      scenario: { gapsMs: [160] },
      slots: 625,
    }),
  );

  const offlineAtMs = 320;
  const late = runs.filter(({ trace }) =>
    trace.some((event) => event.kind === 'request' && event.phase === 'received' && event.atMs > offlineAtMs),
  );
  expect(late).toEqual([]);
});

// A fault is noted as it is looked up; the request of an offline phone never gets as far as to meet it.
test('strikes no request that the phone could not even send', async () => {
  const open = postAtTap([]);

  const { struck } = await runProbe(open, {
    steps: [step('offline', { ms: 30_000 }), step('tap')],
    faults: [{ kind: 'response-lost' }],
  });

  expect([...struck]).toEqual([]);
});

test('refuses a request at once while the phone is offline, and says so in the record', async () => {
  const heard: string[] = [];
  const open = postAtTap(heard);

  const { arrivals, requests } = await runProbe(open, { steps: [step('offline', { ms: 30_000 }), step('tap')] });

  expect(heard).toEqual([FAILED]);
  expect(arrivals).toEqual([]);
  expect(requests[0]).toMatchObject({ sentOnline: false, arrivedAtMs: null, outcome: { kind: 'failed' } });
  expect((requests[0]?.endedAtMs ?? 0) - (requests[0]?.sentAtMs ?? 0)).toBeLessThan(51);
});

const postAtTap = (heard: string[]) => (launch: { platform: Platform }) => ({
  tap: () => void ending(post(launch.platform, 1)).then((end) => heard.push(end)),
});
