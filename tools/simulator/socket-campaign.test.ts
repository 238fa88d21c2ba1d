// A whole simulation over a socket: faults of frames are found, made small, and told.
import fc from 'fast-check';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { ServerSocket } from '../phone/server-socket.ts';
import { runCampaign } from './campaign.ts';
import { idleFaults } from './coverage.ts';
import { type Backend, defineAction, defineScenario, type RealtimeContext } from './scenario.ts';
import type { AnyScenario, AppFactory } from './world.ts';

interface Feed {
  /** Numbers it has shown, in order. */
  readonly shown: number[];
  dispose(): void;
}
interface FeedModule {
  createFeed(): Feed;
}
interface FeedBackend extends Backend {
  publish(): void;
}

/** Shows numbers as they come. `isCareful` shows none twice, and asks for all again when one is missing or nothing comes. */
function createFeedFactory({ isCareful }: { isCareful: boolean }): AppFactory {
  return (globals) => {
    const { WebSocket: Socket, setTimeout, clearTimeout } = globals as unknown as typeof globalThis;
    function createFeed(): Feed {
      const shown: number[] = [];
      let socket: WebSocket;
      let timer: ReturnType<typeof setTimeout> | undefined;
      let isDisposed = false;
      function show(n: number): void {
        if (!isCareful || n === shown.length + 1) shown.push(n);
        else if (n > shown.length + 1) again();
      }
      function again(): void {
        socket.onclose = null;
        socket.close();
        connect();
      }
      function connect(): void {
        clearTimeout(timer);
        if (isDisposed) return;
        socket = new Socket(`wss://feed.example.test/?after=${shown.length}`);
        const mine = socket;
        const watch = () => {
          clearTimeout(timer);
          if (isCareful) timer = setTimeout(again, 30_000);
        };
        watch();
        mine.onmessage = ({ data }) => {
          if (mine !== socket) return;
          watch();
          for (const n of JSON.parse(String(data)) as number[]) show(n);
        };
        mine.onclose = () => {
          clearTimeout(timer);
          timer = setTimeout(connect, 1_000);
        };
      }
      connect();
      return {
        shown,
        dispose() {
          isDisposed = true;
          clearTimeout(timer);
          socket.onclose = null;
          socket.close();
        },
      };
    }
    return { createFeed } satisfies FeedModule;
  };
}

/** Sends each number as it is published, and all after `after` at the start and every 20 s. */
function createBackend({ after, record }: RealtimeContext): FeedBackend {
  const open = new Set<ServerSocket>();
  let head = 0;
  const from = (n: number) => JSON.stringify(Array.from({ length: head - n }, (_, at) => n + at + 1));
  const connect = ({ url }: { url: string }, socket: ServerSocket) => {
    open.add(socket);
    socket.send(from(Number(new URL(url).searchParams.get('after'))));
    const tick = () => {
      if (!open.has(socket)) return;
      socket.send(JSON.stringify(head === 0 ? [] : [head]));
      after(20_000, tick);
    };
    after(20_000, tick);
    socket.onClose(() => open.delete(socket));
  };
  return {
    app: new Hono(),
    sockets: { connect },
    publish() {
      head += 1;
      record('published', head);
      for (const socket of open) socket.send(JSON.stringify([head]));
    },
  };
}

const publish = defineAction<Feed, FeedBackend, unknown, Record<string, never>>({
  args: fc.constant({}),
  says: () => 'waits while a number is published',
  run: ({ backend }) => backend.publish(),
});

const scenario = defineScenario<FeedModule, Feed, FeedBackend, unknown>({
  kata: 'feed',
  apiUrl: 'https://feed.example.test',
  slots: 12,
  gapsMs: [100, 3_000, 15_000],
  endpoints: [],
  backend: createBackend,
  facts: () => ({}),
  open: ({ module }) => module.createFeed(),
  close: (app) => app.dispose(),
  view: ({ shown }) => [...shown],
  actions: { publish },
  conditions: { offline: { forMs: [20_000] }, background: { forMs: [90_000] }, handover: { forMs: [30_000] } },
  faults: {
    'socket.connect': ['slow', 'refused', 'hang', 'kill-before', 'kill-after'],
    'socket.receive': ['delay', 'duplicate', 'lost', 'drop', 'half-open', 'kill-before', 'kill-after'],
  },
  invariants: [
    {
      id: 'in-order',
      promise: 'each number is shown once, in order',
      spec: [],
      settled: ({ phones }) => {
        const shown = phones[0]?.app?.shown ?? [];
        return shown.every((n, at) => n === at + 1) ? undefined : `Shown: ${shown.join(', ')}.`;
      },
    },
    {
      id: 'one-socket',
      promise: 'never two sockets at once',
      spec: [],
      watch:
        ({ phones }) =>
        ({ kind }) =>
          kind === 'socket' && (phones[0]?.openSockets ?? 0) > 1 ? 'Two sockets are open.' : undefined,
    },
  ],
  budgets: [],
  patienceMs: 150_000,
}) as unknown as AnyScenario;

const careful = createFeedFactory({ isCareful: true });
const OPTIONS = { seed: 1, schedules: 150 };

test('keeps every promise of a careful app under all faults of sockets', async () => {
  const { violations, struck, nondeterministic, schedules } = await runCampaign(scenario, careful, careful, OPTIONS);

  expect(violations.map(({ invariant, story }) => [invariant, story.headline, story.steps])).toEqual([]);
  expect([schedules, nondeterministic]).toEqual([150, null]);
  expect(struck.length).toBeGreaterThan(10);
});

test('finds a careless app, makes its schedule small and tells it in words', async () => {
  const careless = createFeedFactory({ isCareful: false });

  const { violations } = await runCampaign(scenario, careless, careful, OPTIONS);

  const { plan, story } = violations.find(({ invariant }) => invariant === 'in-order') ?? {};
  const told = story?.steps.join('\n') ?? '';
  expect((plan?.faults.length ?? 0) + (plan?.steps.filter(Boolean).length ?? 0)).toBeLessThan(5);
  expect(told).toMatch(/the \d+\w\w frame to the phone|waits while a number is published/);
});

test('has no fault or condition that changes nothing', async () => {
  expect(await idleFaults(scenario, careful, 1)).toEqual([]);
});
