import path from 'node:path';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createPhone, type TestPhone } from '../phone/testing/index.ts';
import { createFactory } from './app-factory.ts';
import { bundle } from './bundle.ts';
import type { STREAM_FAULTS } from './fault-kinds.ts';
import { catchRejections, hashTrace, type RunResult, runPlan } from './run.ts';
import { storyEvents } from './story-events.ts';
import type { EventSourceApp } from './testing/apps/event-source-app.ts';
import { API_URL, createPlan, createProbe, type ProbeOptions, step } from './testing/probe.ts';
import { createTickerBackend, type TickerBackend } from './testing/ticker-backend.ts';
import { inTurn, worlds } from './testing/worlds.ts';
import type { AnyScenario, AppFactory } from './world.ts';

interface TickerModule {
  createEventSourceApp(options: { url: string }): EventSourceApp;
}

const URL_OF_TICKS = `${API_URL}/ticks`;
let factory: AppFactory;
let release: () => void;
beforeAll(async () => {
  const entry = path.join(import.meta.dirname, 'testing/apps/event-source-app.ts');
  factory = createFactory(await bundle(entry, path.resolve(import.meta.dirname, '../..')));
  release = catchRejections();
});
afterAll(() => release());

interface Seen extends RunResult {
  /** What the first launch heard. */
  readonly heard: readonly string[];
  readonly backend: TickerBackend;
}

interface Options extends ProbeOptions {
  readonly everyMs?: number;
  readonly serve?: (backend: TickerBackend, after: (delayMs: number, run: () => void) => unknown) => void;
  /** The app's own moves, such as closing. */
  readonly use?: (app: EventSourceApp) => void;
  readonly keepsOpen?: boolean;
}

/** An app that listens to ticks: every 10 s unless told otherwise. */
async function listenUnder(options: Options = {}): Promise<Seen> {
  const heard: string[][] = [];
  let backend: TickerBackend | undefined;
  const changes: Partial<AnyScenario> = {
    endpoints: ['GET /ticks'],
    backend(context) {
      backend = createTickerBackend(context, options.everyMs ?? 10_000);
      options.serve?.(backend, context.after);
      return backend;
    },
    open({ module }) {
      const app = (module as TickerModule).createEventSourceApp({ url: URL_OF_TICKS });
      heard.push(app.heard);
      options.use?.(app);
      return app;
    },
    close: (app) => (options.keepsOpen ? undefined : (app as EventSourceApp).dispose()),
    view: () => null,
    actions: {},
    ...options.scenario,
  };
  const { scenario } = createProbe(() => undefined, changes);
  const result = await runPlan(scenario, factory, createPlan({ slots: 45, ...options }));
  if (!backend) throw new Error('No backend was made.');
  return { ...result, heard: heard[0] ?? [], backend };
}

const isKilled = ({ trace }: RunResult) => trace.some(({ kind, atMs }) => kind === 'kill' && atMs < 45_000);
const struckBy = (kind: string, nth = 2) => ({ faults: [{ target: 'stream.receive', kind, nth }] });
const TICKS = ['1: tick 1', '2: tick 2', '3: tick 3', '4: tick 4'];

test('streams events to the standard EventSource as they are written', async () => {
  const { heard, backend, violations, trace } = await listenUnder();

  const atMs = trace.flatMap((event) => (event.kind === 'frame' && event.phase === 'arrived' ? [event.atMs] : []));
  expect(heard.slice(0, 5)).toEqual(['open', ...TICKS]);
  expect(atMs[0]).toBeGreaterThan(10_000);
  expect(atMs[0]).toBeLessThan(10_600);
  expect(backend.asked[0]).toBeNull();
  expect(violations).toEqual([]);
});

test('lets EventSource come again after the server ends the stream, with the last id', async () => {
  const { heard, backend } = await listenUnder({
    serve: ({ closeAll }, after) => after(25_000, () => void closeAll()),
  });

  expect(heard.slice(0, 6)).toEqual(['open', '1: tick 1', '2: tick 2', 'error', 'open', '3: tick 3']);
  expect(backend.asked.slice(0, 2)).toEqual([null, '2']);
});

/** What each kind promises of the second piece: what the app heard within 45 s, in some world, and whether it was killed. */
const PROMISES: Record<keyof typeof STREAM_FAULTS, readonly [heard: string[], killed: boolean]> = {
  slow: [['open', '1: tick 1', '2: tick 2', '3: tick 3', '4: tick 4'], false],
  drop: [['open', '1: tick 1', 'error', 'open', '2: tick 2'], false],
  'half-open': [['open', '1: tick 1'], false],
  'kill-before': [['open', '1: tick 1'], true],
  'kill-after': [['open', '1: tick 1', '2: tick 2'], true],
};

test.each(Object.entries(PROMISES))('does what %s says to a piece of a stream', async (kind, [expected, killed]) => {
  const runs = await inTurn(worlds(12), (world) => listenUnder({ world, ...struckBy(kind) }));

  const starts = runs.map(({ heard }) => heard.slice(0, expected.length).join());
  expect(starts).toContain(expected.join());
  expect(new Set(runs.map(isKilled))).toEqual(new Set([killed]));
  expect(new Set(runs.map(({ struck }) => [...struck].join()))).toEqual(new Set([`stream.receive ${kind},1`]));
});

test('leaves a half-open stream silent for ever in some worlds, and breaks it in others', async () => {
  const runs = await inTurn(worlds(16), (world) => listenUnder({ world, slots: 400, ...struckBy('half-open') }));

  const lengths = runs.map(({ heard }) => heard.length);
  expect(Math.min(...lengths)).toBe(2);
  expect(Math.max(...lengths)).toBeGreaterThan(3);
});

test('makes a stream half-open when the phone goes offline, and tells the server later', async () => {
  const runs = await inTurn(worlds(8), (world) =>
    listenUnder({ world, steps: [...Array(15).fill(null), step('offline', { ms: 60_000 })] }),
  );

  for (const { heard, trace } of runs) {
    expect(heard.slice(0, 2)).toEqual(['open', '1: tick 1']);
    // Whoever is told comes again, and only then hears more.
    expect(heard[2] ?? 'error').toBe('error');
    expect(trace.some((event) => event.kind === 'stream' && event.phase === 'ended')).toBe(true);
  }
});

test('breaks streams in an outage', async () => {
  const { heard } = await listenUnder({ steps: [...Array(15).fill(null), step('outage', { ms: 5_000 })] });

  expect(heard.slice(0, 3)).toEqual(['open', '1: tick 1', 'error']);
});

test('ends the stream for the server when the app closes it, and when it is killed', async () => {
  const open: number[] = [];
  const noting = (backend: TickerBackend, after: (delayMs: number, run: () => void) => unknown) =>
    after(44_000, () => open.push(backend.open.size));

  const closes = await listenUnder({ serve: noting, use: (app) => app.dispose() });
  await listenUnder({ serve: noting, steps: [null, null, step('kill', { ms: 60_000 })] });

  expect(closes.heard).toEqual([]);
  expect(open).toEqual([0, 0]);
});

test('finds a stream that is left open after dispose', async () => {
  const { violations } = await listenUnder({ keepsOpen: true });

  expect(violations[0]).toMatchObject({
    invariant: 'silent-after-dispose',
    text: 'After dispose 1 stream is still open.',
  });
});

test('gives the same trace twice', async () => {
  const options = { world: 5, faults: [{ target: 'stream.receive', kind: 'drop', nth: 2 }], everyMs: 700 };

  const first = await listenUnder(options);
  const second = await listenUnder(options);

  expect(hashTrace(first.trace)).toBe(hashTrace(second.trace));
});

test('draws pieces of a stream as messages to the app, a lost one without an end', async () => {
  const { trace } = await listenUnder(struckBy('drop'));

  const events = storyEvents(trace, null).map(({ lane, to, text, mark }) => `${lane}>${to} ${text} ${mark}`);
  expect(events).toContain('server>app data: tick 1 id: 1 none');
  expect(events).toContain('server>app data: tick 2 id: 2 lost');
  expect(events).toContain('app>null stream of GET /ticks #1 broke: the connection broke fault');
});

// ---------------------------------------------------------------------------------------------------------------------
// The phone of the suites

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
afterAll(() => server.close());
let phone: TestPhone | undefined;
afterEach(() => {
  phone?.dispose();
  server.resetHandlers();
});

async function listenOnTestPhone() {
  const mine = createPhone();
  phone = mine;
  const backend = createTickerBackend(mine.backendContext);
  server.use(http.get(URL_OF_TICKS, async ({ request }) => (await backend.app.fetch(request)) ?? HttpResponse.error()));
  const { createEventSourceApp } = await mine.coldStart(() => import('./testing/apps/event-source-app.ts'));
  const app = createEventSourceApp({ url: URL_OF_TICKS });
  await mine.settle();
  return { phone: mine, backend, app };
}

test('streams to EventSource on the test phone', async () => {
  const { phone, app } = await listenOnTestPhone();

  await phone.pass(2_500);

  expect(app.heard).toEqual(['open', '1: tick 1', '2: tick 2']);
});

test('reconnects with the last id after a break on the test phone', async () => {
  const { phone, app, backend } = await listenOnTestPhone();
  await phone.pass(1_500);

  await phone.dropStreams();
  await phone.pass(4_500);

  expect(app.heard).toEqual(['open', '1: tick 1', 'error', 'open', '2: tick 2']);
  expect(backend.asked).toEqual([null, '1']);
});

test('goes silent without a word when the test phone loses its network', async () => {
  const { phone, app } = await listenOnTestPhone();
  await phone.pass(1_500);

  await phone.goOffline();
  await phone.goOnline();
  await phone.pass(10_000);

  expect(app.heard).toEqual(['open', '1: tick 1']);
});

test('ends the stream for the server when the app on the test phone closes it', async () => {
  const { phone, app, backend } = await listenOnTestPhone();
  await phone.pass(1_500);

  app.dispose();
  await phone.pass(100);

  expect([backend.open.size, phone.openStreams]).toEqual([0, 0]);
});

test('ends the stream for the server when the app on the test phone is killed', async () => {
  const { phone, app, backend } = await listenOnTestPhone();
  await phone.pass(1_500);

  phone.kill();
  await phone.pass(5_000);

  expect([backend.open.size, phone.openStreams]).toEqual([0, 0]);
  expect(app.heard).toEqual(['open', '1: tick 1']);
});
