// An empty app on a simulated phone: a test says what it does at each launch, then looks at what became of it.
import fc from 'fast-check';
import { Hono } from 'hono';
import type { Device } from '../../phone/device.ts';
import type { Plan, PlannedFault, Step } from '../plan.ts';
import { type RunOptions, type RunResult, runPlan } from '../run.ts';
import { defineAction, defineScenario, type OpenContext } from '../scenario.ts';
import type { RequestRecord, TraceEvent } from '../trace.ts';
import type { AnyScenario } from '../world.ts';

export const API_URL = 'https://api.example.test';

/** What an attempt finds as its globals. */
export type Platform = Pick<
  typeof globalThis,
  | 'setTimeout'
  | 'clearTimeout'
  | 'setInterval'
  | 'clearInterval'
  | 'setImmediate'
  | 'Date'
  | 'Math'
  | 'crypto'
  | 'performance'
  | 'fetch'
  | 'AbortSignal'
  | 'console'
  | 'globalThis'
> & { readonly [name: string]: unknown };

/** One launch of the app under test. */
export interface ProbeLaunch {
  readonly platform: Platform;
  readonly device: Device;
  /** From 1, over all phones. */
  readonly launch: number;
  readonly phone: number;
  readonly follow: OpenContext<unknown, ProbeBackend, unknown>['follow'];
}

/** What the person and the end of the run find. */
export interface ProbeApp {
  tap?(): void;
  dispose?(): void;
  view?(): string;
}

export interface ProbeOptions {
  readonly world?: number;
  /** Steps at 1 s, 2 s, 3 s…; then come nulls up to `slots`. */
  readonly steps?: readonly (Step | null)[];
  readonly faults?: readonly Partial<PlannedFault>[];
  /** Seconds before the world heals, at least (default 100). */
  readonly slots?: number;
  readonly scenario?: Partial<AnyScenario>;
  readonly run?: RunOptions;
}

interface Arrival {
  readonly endpoint: string;
  readonly body: string;
  /** By the server's clock, in ms since 1970. */
  readonly serverMs: number;
}

export interface ProbeResult extends RunResult {
  /** What the backend got, in the order in which it came. */
  readonly arrivals: readonly Arrival[];
  readonly requests: readonly RequestRecord[];
}

function createProbeBackend(nowMs: () => number) {
  const arrivals: Arrival[] = [];
  const app = new Hono();
  app.all('*', async (context) => {
    const body = await context.req.text();
    arrivals.push({ endpoint: `${context.req.method} ${context.req.path}`, body, serverMs: nowMs() });
    return context.json({ ok: true, count: arrivals.length });
  });
  return { app, arrivals };
}
type ProbeBackend = ReturnType<typeof createProbeBackend>;

/** A scenario around one app, and what its backend got in the latest run. */
export function createProbe(open: (launch: ProbeLaunch) => ProbeApp | undefined, changes: Partial<AnyScenario> = {}) {
  let launches = 0;
  let backend: ProbeBackend | undefined;
  const scenario = {
    ...defineScenario<Platform, ProbeApp, ProbeBackend, unknown>({
      kata: 'probe',
      apiUrl: API_URL,
      slots: 100,
      gapsMs: [1_000],
      endpoints: ['POST /things', 'GET /things/:id'],
      backend: ({ nowMs }) => {
        launches = 0;
        backend = createProbeBackend(nowMs);
        return backend;
      },
      facts: () => ({}),
      open({ module, device, phone, follow }) {
        launches += 1;
        return open({ platform: module, device, launch: launches, phone: phone.index, follow }) ?? {};
      },
      close: (app) => app.dispose?.(),
      view: (app) => app.view?.() ?? null,
      actions: {
        tap: defineAction<ProbeApp, ProbeBackend, unknown, Record<string, never>>({
          args: fc.constant({}),
          says: () => 'taps',
          run: ({ app }) => app.tap?.(),
        }),
      },
      conditions: {},
      faults: {},
      invariants: [],
      budgets: [],
      patienceMs: 120_000,
    }),
    ...changes,
  } as unknown as AnyScenario;
  return { scenario, arrivals: (): readonly Arrival[] => backend?.arrivals ?? [] };
}

export function createPlan({ world = 1, steps = [], faults = [], slots = 100 }: ProbeOptions = {}): Plan {
  return {
    schemaVersion: 1,
    kata: 'probe',
    world,
    steps: Array.from({ length: slots }, (_, slot) => steps[slot] ?? null),
    faults: faults.map((fault) => ({ target: 'POST /things', nth: 1, phone: 0, kind: 'delay', ...fault })),
  };
}

/** Runs one plan on one app. The last launch of a run is the simulator's own: a check without any fault. */
export async function runProbe(
  open: (launch: ProbeLaunch) => ProbeApp | undefined,
  options: ProbeOptions = {},
): Promise<ProbeResult> {
  const { scenario, arrivals } = createProbe(open, options.scenario);
  const result = await runPlan(scenario, (globals) => globals, createPlan(options), options.run);
  return { ...result, arrivals: arrivals(), requests: requestsOf(result.trace) };
}

export function requestsOf(trace: readonly TraceEvent[]): RequestRecord[] {
  return trace.flatMap((event) => (event.kind === 'request' && event.phase === 'sent' ? [event.request] : []));
}

export function post(platform: Platform, body: unknown, init: RequestInit = {}): Promise<Response> {
  return platform.fetch(`${API_URL}/things`, { method: 'POST', body: JSON.stringify(body), ...init });
}

/** A step of the plan on the first phone, or another. */
export function step(name: string, args: Step['args'] = {}, phone = 0): Step {
  return { do: name, phone, args };
}

/** How a promise ends, as text a test can compare: `ok 200` or the error's name. */
export function ending(promise: Promise<Response>): Promise<string> {
  return promise.then(
    (response) => `ok ${response.status}`,
    (error: Error) => `${error.name}: ${error.message}`,
  );
}
