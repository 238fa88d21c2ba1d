// What a kata's author writes: the actions, faults, invariants and budgets of its simulation.

import type { Arbitrary } from 'fast-check';
import type { Hono } from 'hono';
import type { Device, Conditions as PhoneConditions } from '../phone/device.ts';
import type { Disk, Platform } from '../phone/disk.ts';
import type { CipherCall } from '../phone/quick-crypto.ts';
import type { SocketServer } from '../phone/server-socket.ts';
import type { Look } from './at-kind.ts';
import type { Json } from './plan.ts';
import type { Costs, RequestRecord, SocketRecord } from './trace.ts';

/** The server a kata's app talks to. `app` answers; whatever else it has is there for invariants to look at. */
export interface Backend {
  readonly app: Hono;
  /**
   * Accepts WebSockets, on whatever URL. Without it every one is refused. The simulation leads `new WebSocket(…)` here
   * by itself, a suite by `phone.connectSockets(backend.sockets)`, `kata serve` from localhost. See `createPusherServer`.
   */
  readonly sockets?: SocketServer;
}

export interface BackendContext {
  /** The server's clock, in ms since 1970: always right. */
  nowMs(): number;
  /** Puts an effect people would care about into the trace, such as `applied`. */
  record(label: string, data: Json): void;
  /** Sends a push to a phone, by its index from 0. It may be lost, doubled or late. */
  push(phone: number, data: { readonly [key: string]: Json }): void;
}

/** What a backend with sockets or streams needs as well. */
export interface RealtimeContext extends BackendContext {
  /**
   * Runs something after so many ms of the server's time: virtual in the simulation, faked in a suite, real on localhost.
   * Gives the function that calls it off.
   */
  after(delayMs: number, run: () => void): () => void;
}

/** One phone as an invariant sees it. */
export interface PhoneView<App> {
  readonly index: number;
  readonly disk: Disk;
  /** How often the app was installed: 1, and one more for each reinstall. */
  readonly installs: number;
  /** Network, power, biometrics, screen lock: as they are now. An action may change what a person could. */
  readonly conditions: PhoneConditions;
  /** Uses of ciphers by all launches, in order. */
  readonly cipherCalls: readonly CipherCall[];
  /** The running app, or null between a kill and the next launch. */
  readonly app: App | null;
  readonly isOnline: boolean;
  readonly isForeground: boolean;
  /** The phone's own clock, in ms since 1970. */
  readonly nowMs: number;
  /** WebSockets of the running app that are connecting or open: those it is closing do not count. */
  readonly openSockets: number;
}

/** The whole world as an invariant sees it. */
export interface WorldView<App, B extends Backend, Facts> {
  /** Virtual time since the run began, in ms. */
  readonly nowMs: number;
  readonly backend: B;
  readonly facts: Facts;
  readonly phones: readonly PhoneView<App>[];
  readonly requests: readonly RequestRecord[];
  /**
   * The requests of a phone that are out, in the order in which they left. One is out until the app has its answer or
   * its failure, has aborted it, or is killed.
   */
  requestsOut(phone: number): readonly RequestRecord[];
  /** Every WebSocket any app asked for, in that order. */
  readonly sockets: readonly SocketRecord[];
  readonly costs: Costs;
}

/** What an action works with. */
export interface Stage<App, B extends Backend, Facts> {
  readonly app: App;
  readonly phone: PhoneView<App>;
  readonly backend: B;
  readonly facts: Facts;
  /**
   * Follows a promise the app gave: its end goes into the trace, then to the handlers.
   * A kill forgets it. One that is still open when all has settled breaks the built-in invariant `settles`.
   */
  follow<T>(
    label: string,
    start: () => Promise<T>,
    on?: { done?(value: T): void; failed?(error: unknown): void },
  ): void;
}

/** What an app is made with at each launch. */
export interface OpenContext<Module, B extends Backend, Facts> {
  /** The attempt's exports. */
  readonly module: Module;
  readonly device: Device;
  readonly apiUrl: string;
  readonly phone: PhoneView<unknown>;
  readonly backend: B;
  readonly facts: Facts;
  readonly follow: Stage<unknown, B, Facts>['follow'];
  /** Reports the app's state as changed: call it from the app's `subscribe`. */
  stateChanged(): void;
}

export interface Action<App, B extends Backend, Facts, Args extends { [key: string]: Json }> {
  /** How often, beside the other steps (default 1). */
  readonly weight?: number;
  /**
   * Whether the person opens the app for it (default true). False for what happens beside the app, such as a file
   * that vanishes: then no app may be running, `stage.phone.app` is null, and `stage.app` and `stage.follow` throw.
   */
  readonly opensApp?: boolean;
  readonly args: Arbitrary<Args>;
  /** What the person does, as a story tells it: `saves "b" of entity 1`. With `opensApp: false` a whole sentence. */
  says(args: Args): string;
  run(stage: Stage<App, B, Facts>, args: Args): void;
}

/** Things that happen to a phone, or to the server, for a while. Durations in ms; one of them is picked by the plan. */
export interface Conditions {
  /**
   * No network; `netInfo` says so. Open sockets and streams are half-open from then on: nothing passes, and the app is
   * told soon, late, once it sends, or never.
   */
  readonly offline?: { readonly weight?: number; readonly forMs: readonly number[] };
  /**
   * In the background: timers stand still, frames wait. The OS closes about half of the open sockets and streams after
   * 10 s to 2 min; the app hears of it when it is back.
   */
  readonly background?: { readonly weight?: number; readonly forMs: readonly number[] };
  /** The OS kills the app; it is launched again after this long. */
  readonly kill?: { readonly weight?: number; readonly forMs: readonly number[] };
  /** The phone's clock jumps by this much. */
  readonly clock?: { readonly weight?: number; readonly byMs: readonly number[] };
  /** The server answers 503 to everything; sockets and streams break, and new ones are refused. */
  readonly outage?: { readonly weight?: number; readonly forMs: readonly number[] };
  /** The phone goes from Wi-Fi to mobile data, and back after this long. Each time every connection is dead. */
  readonly handover?: { readonly weight?: number; readonly forMs: readonly number[] };
  /** The app is removed and installed anew: all it stored is gone, but on iOS the Keychain. Opened after this long. */
  readonly reinstall?: { readonly weight?: number; readonly forMs: readonly number[] };
  /** Another face or finger is enrolled: keychain items that require authentication are lost. */
  readonly enrolment?: { readonly weight?: number };
  /** The phone loses its keychain's content, as Android's Keystore does. */
  readonly keychainLost?: { readonly weight?: number };
  /** The screen is locked: the app is in the background, and most keychain items cannot be read. */
  readonly screenLock?: { readonly weight?: number; readonly forMs: readonly number[] };
  /** The disk is full: every write that needs room fails; removing files makes room. */
  readonly lowDisk?: { readonly weight?: number; readonly forMs: readonly number[] };
  /** The OS empties the app's cache directory. */
  readonly cacheCleared?: { readonly weight?: number };
  /** Online and offline in turn, each for this long, six times. */
  readonly flap?: { readonly weight?: number; readonly forMs: readonly number[] };
}

/** A rule that must hold. Each hook gives a sentence with concrete values when it is broken, else undefined. */
export interface Invariant<App, B extends Backend, Facts> {
  readonly id: string;
  /** What it promises, in one sentence. */
  readonly promise: string;
  /** Rules and edge cases of the spec it is evidence for: R2, E1. */
  readonly spec: readonly string[];
  /** Checked at every event of the trace, or of one kind: see `atKind`. Called once a run; keeps its own memory in the closure. */
  watch?(world: WorldView<App, B, Facts>): Look;
  /** Checked once the world has healed and all is quiet. */
  settled?(world: WorldView<App, B, Facts>): string | undefined;
  /** Checked after one more kill and launch without any fault. `before` is the scenario's view of each phone's app before it. */
  relaunched?(world: WorldView<App, B, Facts>, before: readonly Json[]): string | undefined;
}

/** A cost, measured over the same schedules as the reference. */
export interface Budget<App, B extends Backend, Facts> {
  readonly id: string;
  readonly promise: string;
  readonly spec: readonly string[];
  /** The cost of one run, such as its requests. Summed over all runs. */
  measure(world: WorldView<App, B, Facts>): number;
  /** Full points up to this multiple of the reference's sum (for example 1.25). */
  readonly allowance: number;
}

export interface Scenario<Module, App, B extends Backend, Facts> {
  readonly kata: string;
  readonly apiUrl: string;
  /** Phones in the world (default 1). */
  readonly phones?: number;
  /** Whose Keychain rules the phones follow (default `ios`: it outlives an uninstall). */
  readonly platform?: Platform;
  /** Slots in a schedule's timeline. */
  readonly slots: number;
  /** The pause before each slot is one of these, in ms. */
  readonly gapsMs: readonly number[];
  /** Route patterns as the backend declares them, such as `POST /mutations` or `GET /alerts/:id/events`. */
  readonly endpoints: readonly string[];
  backend(context: RealtimeContext): B;
  facts(): Facts;
  /** Puts on disk what an earlier version of the app left there. Runs before the first launch. */
  furnish?(disk: Disk, facts: Facts, phone: number, pick: (what: string, choices: number) => number): void;
  /** Makes and starts the app at each launch. */
  open(context: OpenContext<Module, B, Facts>): App;
  /**
   * What the person does once when all works again, on each phone: unlock, sign in, bring a token. Runs with the
   * healing, and again after the relaunch that follows; the app is in the foreground, faults no longer strike.
   */
  healed?(stage: Stage<App, B, Facts>): void;
  /** The app's `dispose`. Afterwards it must be silent: the built-in invariant `silent-after-dispose`. */
  close(app: App): void;
  /** The app's state as a person sees it: compared with the reference, and after a relaunch. No ids that are drawn at random. */
  view(app: App): Json;
  readonly actions: { readonly [name: string]: Action<App, B, Facts, never> };
  readonly conditions: Conditions;
  /**
   * Fault kinds by target: an endpoint, `storage.write`, `storage.read`, `socket.connect`, `socket.receive`,
   * `socket.send`, `stream.receive`. See fault-kinds.ts.
   */
  readonly faults: { readonly [target: string]: readonly string[] };
  readonly invariants: readonly Invariant<App, B, Facts>[];
  readonly budgets: readonly Budget<App, B, Facts>[];
  /** Once healed, the world is quiet when nothing has changed for this long, in ms. */
  readonly patienceMs: number;
}

/** Types a scenario; gives it back as it is. */
export function defineScenario<Module, App, B extends Backend, Facts>(
  scenario: Scenario<Module, App, B, Facts>,
): Scenario<Module, App, B, Facts> {
  return scenario;
}

/** Types an action: its arguments come from `args`. Gives it back as it is. */
export function defineAction<App, B extends Backend, Facts, Args extends { [key: string]: Json }>(
  action: Action<App, B, Facts, Args>,
): Action<App, B, Facts, never> {
  return action as unknown as Action<App, B, Facts, never>;
}

/** Invariants that every kata has: what no app may do. A rubric places each under a criterion. */
export const BUILT_IN_INVARIANTS = {
  settles: 'every promise the app gave has an end',
  'no-unhandled-rejection': 'no rejection goes unhandled',
  bounded: 'the app never runs away: no endless stream of requests, timers or writes',
  'silent-after-dispose': 'after dispose nothing is sent, no timer runs, no listener or connection is left',
} as const;
export type BuiltInInvariant = keyof typeof BUILT_IN_INVARIANTS;
