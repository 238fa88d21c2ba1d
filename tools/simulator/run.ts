// Runs one plan from the first launch to the last silence.
import { createHash } from 'node:crypto';
import { turn } from './beats.ts';
import { befall, isCondition } from './conditions.ts';
import type { Json, Plan } from './plan.ts';
import { type FoundViolation, notChecked } from './recorder.ts';
import type { Costs, TraceEvent } from './trace.ts';
import { type AnyScenario, type AppFactory, type LoadError, World } from './world.ts';

export interface RunResult {
  /** The first break of each invariant. */
  readonly violations: readonly FoundViolation[];
  readonly costs: Costs;
  /** Cost by budget id. */
  readonly budgets: Readonly<Record<string, number>>;
  readonly virtualMs: number;
  /** Faults that struck, as `target kind`, with how often. */
  readonly struck: ReadonlyMap<string, number>;
  /** How many effects each phone had, by target. */
  readonly counts: readonly ReadonlyMap<string, number>[];
  /** Why the app could not be made; null when it could. */
  readonly loadError: LoadError | null;
  readonly hasRunAway: boolean;
  readonly trace: readonly TraceEvent[];
}

export interface RunOptions {
  /** Looks at the app's state at each change, for stories and comparison (default false). */
  readonly isDetailed?: boolean;
}

/** After the last slot the world goes on as it is for one of these, in ms, before it heals. */
const TAILS_MS = [0, 2_000, 40_000];
/** However much progress is made, settling ends after this many times the scenario's patience. */
const PATIENCE_CAP = 50;
const AFTER_DISPOSE_MS = 600_000;

/** Runs a plan on an attempt. Same plan, same code, same trace. Never rejects for what the attempt does. */
export async function runPlan(
  scenario: AnyScenario,
  factory: AppFactory,
  plan: Plan,
  { isDetailed = false }: RunOptions = {},
): Promise<RunResult> {
  const world = new World(scenario, factory, plan, isDetailed);
  world.recorder.watch(
    scenario.invariants.flatMap((invariant) =>
      invariant.watch ? [{ invariant: invariant.id, look: invariant.watch(world.view) }] : [],
    ),
  );
  currentWorld = world;
  // Stacks of errors that nobody reads would take a tenth of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = isDetailed ? stackTraceLimit : 0;
  await liveThrough(world);
  if (world.loadError === null && !world.hasRunAway) {
    await healAndSettle(world);
    await relaunch(world);
    await dispose(world);
  }
  if (world.hasRunAway) noteRunaway(world);
  await turn();
  Error.stackTraceLimit = stackTraceLimit;
  currentWorld = null;
  const result: RunResult = {
    violations: world.recorder.violations,
    costs: world.recorder.costs,
    budgets: world.loadError
      ? {}
      : Object.fromEntries(scenario.budgets.map((budget) => [budget.id, budget.measure(world.view)])),
    virtualMs: world.nowMs,
    struck: world.struck,
    counts: world.phones.map((phone) => phone.counts),
    loadError: world.loadError,
    hasRunAway: world.hasRunAway,
    trace: world.recorder.trace,
  };
  world.close();
  return result;
}

/** The timeline: launches, then each slot at its time, whatever the slots before it hold. */
async function liveThrough(world: World): Promise<void> {
  const { scenario, plan } = world;
  world.clockwork.after(0, () => {
    for (const phone of world.phones) phone.startIfDead();
  });
  let atMs = 0;
  for (const [slot, step] of plan.steps.entries()) {
    atMs += scenario.gapsMs[world.draw.pick(scenario.gapsMs.length, 'gap', slot)] ?? 0;
    if (!step) continue;
    world.clockwork.after(atMs, () => {
      world.emit({ atMs: world.nowMs, phone: step.phone, kind: 'step', slot });
      if (isCondition(step.do)) befall(world, step);
      else world.act(step);
    });
  }
  atMs += TAILS_MS[world.draw.pick(TAILS_MS.length, 'tail')] ?? 0;
  await world.clockwork.runUntil(atMs, () => world.hasRunAway || world.loadError !== null);
}

async function healAndSettle(world: World): Promise<void> {
  world.isHealed = true;
  world.emit({ atMs: world.nowMs, phone: 0, kind: 'condition', condition: 'healed' });
  for (const phone of world.phones) phone.heal();
  world.comeBackLater(...world.phones);
  await turn();
  await settle(world);
  if (world.hasRunAway) return;
  const open = world.openPromises();
  if (open.length > 0) {
    world.recorder.violate('settles', `These promises never settled: ${open.join(', ')}.`, world.nowMs);
  }
  check(world, (invariant) => invariant.settled?.(world.view));
}

/** One more kill and launch, without any fault: what is shown must be what was stored. */
async function relaunch(world: World): Promise<void> {
  if (world.hasRunAway) return;
  const before = world.phones.map((phone) => world.viewApp(phone));
  for (const phone of world.phones) phone.kill('by the OS, once all was quiet', false);
  world.clockwork.after(1_000, () => {
    for (const phone of world.phones) phone.startIfDead();
    world.comeBackLater(...world.phones);
  });
  await settle(world);
  if (world.hasRunAway) return;
  check(world, (invariant) => invariant.relaunched?.(world.view, before));
}

/** After dispose every trigger there is must find nobody. */
async function dispose(world: World): Promise<void> {
  if (world.hasRunAway) return;
  for (const phone of world.phones) world.closeApp(phone);
  await turn();
  const sentBefore = sentBy(world);
  for (const phone of world.phones) {
    const { launch } = phone;
    if (!launch) continue;
    const listeners = launch.device.listenerCount();
    if (listeners > 0)
      world.recorder.violate(
        'silent-after-dispose',
        `After dispose ${plural(listeners, 'listener')} on the phone's modules is left.`,
        world.nowMs,
      );
    if (launch.timers.size > 0)
      world.recorder.violate(
        'silent-after-dispose',
        `After dispose ${plural(launch.timers.size, 'timer')} is left running.`,
        world.nowMs,
      );
    const left = connectionsOf(world, phone);
    if (left !== null)
      world.recorder.violate('silent-after-dispose', `After dispose ${left} is still open.`, world.nowMs);
    phone.goOffline();
    await turn();
    phone.goOnline();
    phone.goToBackground();
    await turn();
    phone.goToForeground();
    await turn();
  }
  await world.clockwork.runUntil(world.nowMs + AFTER_DISPOSE_MS, () => world.hasRunAway);
  for (const { launch } of world.phones) {
    if (launch && launch.timers.size > 0) {
      world.recorder.violate(
        'silent-after-dispose',
        'After dispose a timer was started and is still running.',
        world.nowMs,
      );
    }
  }
  for (const [n, { noun, count }] of sentBy(world).entries()) {
    const sent = count - (sentBefore[n]?.count ?? 0);
    if (sent > 0)
      world.recorder.violate(
        'silent-after-dispose',
        `After dispose ${plural(sent, noun)} was still sent.`,
        world.nowMs,
      );
  }
}

/** What has left the phones so far. */
function sentBy({ network, recorder, usedSockets }: World): { noun: string; count: number }[] {
  return [
    { noun: 'request', count: network.records.length },
    { noun: 'request for a socket', count: usedSockets?.records.length ?? 0 },
    { noun: 'frame', count: recorder.costs.framesSent },
  ];
}

/** Sockets and streams that a phone's app has open, in words; null when there are none. */
function connectionsOf(world: World, phone: World['phones'][number]): string | null {
  const sockets = world.usedSockets?.openCount(phone.index) ?? 0;
  if (sockets > 0) return plural(sockets, 'socket');
  const streams = phone.launch ? (world.usedSockets?.streamsOf(phone.launch) ?? 0) : 0;
  return streams > 0 ? plural(streams, 'stream') : null;
}

/** Runs until nothing is left to happen, or nothing has changed for as long as the scenario is patient. */
async function settle(world: World): Promise<void> {
  const { clockwork, recorder, scenario } = world;
  const startedAtMs = world.nowMs;
  recorder.progressAtMs = startedAtMs;
  const isSettled = () => {
    const nextAtMs = clockwork.nextAtMs();
    if (nextAtMs === null || nextAtMs > startedAtMs + PATIENCE_CAP * scenario.patienceMs) return true;
    return world.network.inFlight === 0 && nextAtMs > recorder.progressAtMs + scenario.patienceMs;
  };
  await clockwork.runUntil(Number.POSITIVE_INFINITY, () => world.hasRunAway || isSettled());
}

function check(world: World, ask: (invariant: AnyScenario['invariants'][number]) => string | undefined): void {
  for (const invariant of world.scenario.invariants) {
    const text = attempt(() => ask(invariant));
    if (text !== undefined) world.recorder.violate(invariant.id, text, world.nowMs);
  }
}

/** An app whose state cannot be looked at keeps no promise about it. */
function attempt(ask: () => string | undefined): string | undefined {
  try {
    return ask();
  } catch (error) {
    return notChecked(error);
  }
}

function noteRunaway(world: World): void {
  const { requests, socketsOpened, framesSent } = world.recorder.costs;
  const traffic =
    socketsOpened > 0
      ? `, ${requests} requests, ${socketsOpened} sockets and ${framesSent} frames`
      : ` and ${requests} requests`;
  world.recorder.violate(
    'bounded',
    `The app ran away: ${world.clockwork.eventCount} events${traffic} in ${Math.round(world.nowMs / 1000)} virtual seconds.`,
    world.nowMs,
  );
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A fingerprint of a run: two runs of one plan must have the same. */
export function hashTrace(trace: readonly TraceEvent[]): string {
  const hash = createHash('sha1');
  for (const event of trace) hash.update(JSON.stringify(bare(event)));
  return hash.digest('hex');
}

/** Records are filled in as a run goes on: of each, what its event alone tells. */
function bare(event: TraceEvent): Json | TraceEvent {
  switch (event.kind) {
    case 'request': {
      const { request, phase, atMs, note } = event;
      const sent = phase === 'sent' ? { headers: { ...request.headers }, body: request.body } : {};
      return { phase, atMs, note, id: request.id, url: request.url, ...sent };
    }
    case 'socket':
      return { socket: event.socket.id, url: event.socket.url, phase: event.phase, atMs: event.atMs, note: event.note };
    case 'frame': {
      const { frame, phase, atMs, note } = event;
      return { frame: frame.id, target: frame.target, text: phase === 'sent' ? frame.text : '', phase, atMs, note };
    }
    case 'stream':
      return { stream: event.request.id, phase: event.phase, atMs: event.atMs, note: event.note };
    default:
      return event;
  }
}

let currentWorld: World | null = null;

/**
 * Sends unhandled rejections, and errors thrown where nobody can catch them, to the run they belong to,
 * for as long as simulations run in this process. Gives the function that puts the old listeners back.
 */
export function catchRejections(): () => void {
  const releases = (['unhandledRejection', 'uncaughtException'] as const).map((event) => {
    const others = process.rawListeners(event) as ((...args: unknown[]) => void)[];
    process.removeAllListeners(event);
    const listener = (reason: unknown, ...rest: unknown[]) => {
      if (currentWorld) currentWorld.noteRejection(reason);
      // Without a run and without another listener it is a fault of ours: it must not pass unseen.
      else if (others.length === 0) throw reason;
      else for (const other of others) other(reason, ...rest);
    };
    process.on(event, listener);
    return () => {
      process.off(event, listener);
      for (const other of others) process.on(event as 'uncaughtException', other);
    };
  });
  return () => {
    for (const release of releases) release();
  };
}
