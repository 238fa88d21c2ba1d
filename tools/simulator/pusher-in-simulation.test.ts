import path from 'node:path';
import fc from 'fast-check';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFactory } from './app-factory.ts';
import { bundle } from './bundle.ts';
import type { PusherServer } from './pusher-api.ts';
import { createPusherServer } from './pusher-server.ts';
import { catchRejections, hashTrace, type RunResult, runPlan } from './run.ts';
import { type Backend, defineAction, type RealtimeContext } from './scenario.ts';
import type { PusherApp, PusherAppOptions } from './testing/apps/pusher-app.ts';
import { API_URL, createPlan, createProbe, type ProbeOptions, step } from './testing/probe.ts';
import { inTurn, worlds } from './testing/worlds.ts';
import type { AnyScenario, AppFactory } from './world.ts';

interface PusherModule {
  createPusherApp(options: PusherAppOptions): PusherApp;
}

let factory: AppFactory;
let release: () => void;
beforeAll(async () => {
  const entry = path.join(import.meta.dirname, 'testing/apps/pusher-app.ts');
  factory = createFactory(await bundle(entry, path.resolve(import.meta.dirname, '../..')));
  release = catchRejections();
});
afterAll(() => release());

interface Seen extends RunResult {
  /** What each launch heard. */
  readonly heard: readonly string[][];
  readonly pusher: PusherServer;
}

/** Runs the real pusher-js on one phone; `serve` moves the server. */
async function runPusher(
  options: ProbeOptions & { serve?(pusher: PusherServer, context: RealtimeContext): void; channel?: string } = {},
): Promise<Seen> {
  const heard: string[][] = [];
  let pusher: PusherServer | undefined;
  const { channel = 'private-news' } = options;
  const changes: Partial<AnyScenario> = {
    backend(context) {
      const app = new Hono();
      pusher = createPusherServer({
        context,
        appKey: 'app-key',
        secret: 'app-secret',
        activityTimeoutS: 120,
        isNumbered: (name) => name.startsWith('private-'),
        authorize: ({ channel: asked }) =>
          asked.startsWith('presence-') ? { userId: 'ana', userInfo: { name: 'Ana' } } : asked !== 'private-secret',
      });
      app.post('/pusher/auth', pusher.auth);
      options.serve?.(pusher, context);
      return { app, sockets: pusher.sockets };
    },
    open({ module }) {
      const app = (module as PusherModule).createPusherApp({ apiUrl: API_URL, wsHost: 'ws.example.test', channel });
      heard.push(app.heard);
      return app;
    },
    close: (app) => (app as PusherApp).dispose(),
    view: () => null,
    actions: {},
    conditions: {},
    ...options.scenario,
  };
  const { scenario } = createProbe(() => undefined, changes);
  const result = await runPlan(scenario, factory, createPlan(options));
  if (!pusher) throw new Error('No backend was made.');
  return { ...result, heard, pusher };
}

const whisper = defineAction<unknown, Backend, unknown, Record<string, never>>({
  args: fc.constant({}),
  says: () => 'whispers',
  run: ({ app }) => void (app as PusherApp).whisper('psst'),
});

const framesOf = ({ trace }: RunResult, target: string) =>
  trace.flatMap((event) =>
    event.kind === 'frame' && event.phase === 'sent' && event.frame.target === target ? [event.frame] : [],
  );
const eventsOf = (result: RunResult, target: string) =>
  framesOf(result, target).map(({ text }) => (JSON.parse(text) as { event: string }).event);
const socketsOf = ({ trace }: RunResult) =>
  trace.flatMap((event) => (event.kind === 'socket' && event.phase === 'connecting' ? [event.socket] : []));
const authsOf = ({ trace }: RunResult) =>
  trace.flatMap((event) => (event.kind === 'request' && event.phase === 'sent' ? [event.request.body] : []));

test('connects the real pusher-js, subscribes with auth and receives numbered events', async () => {
  const { heard, violations } = await runPusher({
    serve: (pusher, { after }) => {
      after(5_000, () => pusher.trigger('private-news', 'story', { title: 'one' }));
      after(6_000, () => pusher.trigger('private-news', 'story', { title: 'two' }));
    },
  });

  expect(heard[0]?.slice(0, 5)).toEqual([
    'connected',
    'pusher:subscription_succeeded {}',
    'story {"title":"one","seq":1}',
    'story {"title":"two","seq":2}',
    'head {"seq":2}',
  ]);
  expect(violations).toEqual([]);
});

test('reconnects pusher-js after a break, with a new socket id and fresh auth', async () => {
  const result = await runPusher({ serve: (pusher, { after }) => after(10_000, () => pusher.dropAll()) });

  expect(result.heard[0]?.filter((line) => !line.startsWith('head'))).toEqual([
    'connected',
    'pusher:subscription_succeeded {}',
    'connecting',
    'connected',
    'pusher:subscription_succeeded {}',
  ]);
  expect(authsOf(result).slice(0, 2)).toEqual([
    'socket_id=100001.48271&channel_name=private-news',
    'socket_id=100002.96542&channel_name=private-news',
  ]);
});

test('hears the ping of pusher-js after a quiet activity timeout, and answers it', async () => {
  const result = await runPusher({ channel: 'news', slots: 400 });

  expect(eventsOf(result, 'socket.send').slice(0, 2)).toEqual(['pusher:subscribe', 'pusher:ping']);
  expect(eventsOf(result, 'socket.receive').slice(0, 3)).toEqual([
    'pusher:connection_established',
    'pusher_internal:subscription_succeeded',
    'pusher:pong',
  ]);
});

test('brings pusher-js back from a dead line, whether it is told or finds out by its heartbeat', async () => {
  const faults = [{ target: 'socket.receive', nth: 2, kind: 'half-open' }];
  const runs = await inTurn(worlds(10), (world) => runPusher({ channel: 'news', slots: 400, world, faults }));

  const endings = runs.map((run) => run.heard[0]?.filter((line) => line.startsWith('pusher:subscription')));
  const secondAtMs = runs.map((run) => socketsOf(run)[1]?.startedAtMs ?? 0);
  expect(new Set(endings.map(String))).toEqual(new Set(['pusher:subscription_succeeded {}']));
  expect(Math.min(...secondAtMs)).toBeLessThan(10_000);
  expect(Math.max(...secondAtMs)).toBeGreaterThan(120_000);
});

test('denies a channel that the kata denies', async () => {
  const { heard, pusher } = await runPusher({ channel: 'private-secret' });

  expect(heard[0]?.[1]).toContain('pusher:subscription_error {"type":"AuthError"');
  expect(pusher.subscribersOf('private-secret')).toEqual([]);
});

test('tells the members of a presence channel', async () => {
  const { heard } = await runPusher({ channel: 'presence-room' });

  expect(heard[0]?.[1]).toContain('"myID":"ana"');
});

test('passes a client event on to the other phone alone', async () => {
  const { heard } = await runPusher({
    steps: [null, null, null, step('whisper')],
    scenario: {
      phones: 2,
      actions: { whisper },
    },
  });

  const isWhisper = (line: string) => line.startsWith('client-');
  expect(heard[0]?.filter(isWhisper)).toEqual([]);
  expect(heard[1]?.filter(isWhisper)).toEqual(['client-whisper {"text":"psst"}']);
});

test('gives the same trace twice under faults of every kind', async () => {
  const faults = [
    { target: 'socket.receive', nth: 3, kind: 'duplicate' },
    { target: 'socket.receive', nth: 4, kind: 'delay' },
    { target: 'socket.receive', nth: 6, kind: 'drop' },
    { target: 'socket.receive', nth: 12, kind: 'kill-after' },
  ];
  const serve = (pusher: PusherServer, { after }: RealtimeContext) => {
    for (let n = 1; n <= 20; n += 1) after(n * 3_000, () => pusher.trigger('private-news', 'story', { n }));
  };
  const steps = Array.from({ length: 60 }, (_, n) => (n === 40 ? step('handover', { ms: 9_000 }) : null));
  const options = { faults, world: 7, steps, serve };

  const first = await runPusher(options);
  const second = await runPusher(options);

  expect(first.struck.size).toBe(4);
  expect(hashTrace(first.trace)).toBe(hashTrace(second.trace));
});
