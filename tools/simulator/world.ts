// One simulated world: phones, a network, a backend, and a plan of what goes wrong.
import { Clockwork, EPOCH_MS } from './clockwork.ts';
import { describeError } from './describe-error.ts';
import { createDraw, type Draw } from './draw.ts';
import { createGlobals } from './globals.ts';
import type { Launch } from './launch.ts';
import { Network } from './network.ts';
import type { Json, Plan, Step } from './plan.ts';
import { Recorder } from './recorder.ts';
import type { Backend, PhoneView, Scenario, Stage, WorldView } from './scenario.ts';
import { Server } from './server.ts';
import { SimulatedPhone } from './simulated-phone.ts';
import { SocketNetwork } from './socket-network.ts';
import type { TraceEvent } from './trace.ts';
import { SeenWorld } from './views.ts';

/** A scenario whose own types are of no concern here. */
export type AnyScenario = Scenario<unknown, unknown, Backend, unknown>;

/** Gives an attempt's exports, fresh as after a cold start, bound to these globals. */
export type AppFactory = (globals: ReturnType<typeof createGlobals>) => unknown;

/** An app busier than this has run away. */
export const LIMITS = { events: 20_000, requests: 1_000 } as const;

/** The attempt's module throws when imported, or its factory (or `subscribe`) throws when the app is opened. */
export interface LoadError {
  readonly stage: 'import' | 'open';
  readonly text: string;
}

/** After a launch in a healed world the person acts so many ms later. */
const COME_BACK_MS = 1_000;

export class World {
  readonly plan: Plan;
  readonly scenario: AnyScenario;
  readonly draw: Draw;
  readonly clockwork = new Clockwork();
  readonly recorder = new Recorder();
  readonly network: Network;
  readonly backend: Backend;
  readonly facts: unknown;
  readonly phones: SimulatedPhone[];
  readonly view: WorldView<unknown, Backend, unknown>;
  /** Fault kinds that struck, with how often. */
  readonly struck = new Map<string, number>();
  /** Why the app could not even be made; null when it could. */
  loadError: LoadError | null = null;
  isHealed = false;
  outages = 0;
  /** Whether state changes are looked at in full: for stories and comparison, not for speed. */
  readonly isDetailed: boolean;
  readonly #factory: AppFactory;
  readonly #server: Server;
  readonly #launches: Launch[] = [];
  readonly #faults = new Map<string, string>();
  readonly #apps = new Map<Launch, unknown>();
  #sockets: SocketNetwork | null = null;
  readonly #open = new Map<number, { label: string; launch: Launch }>();
  /** The launch whose code is running: to whom an unhandled rejection belongs. */
  running: Launch | null = null;
  #followed = 0;

  constructor(scenario: AnyScenario, factory: AppFactory, plan: Plan, isDetailed: boolean) {
    this.plan = plan;
    this.scenario = scenario;
    this.isDetailed = isDetailed;
    this.#factory = factory;
    this.draw = createDraw(plan.world);
    this.network = new Network(this, scenario.endpoints);
    for (const { phone, target, nth, kind } of plan.faults) this.#faults.set(`${phone} ${target} ${nth}`, kind);
    this.#server = new Server(this);
    this.backend = scenario.backend(this.#server.context);
    this.facts = scenario.facts();
    this.phones = Array.from({ length: scenario.phones ?? 1 }, (_, index) => new SimulatedPhone(this, index));
    this.view = new SeenWorld(this);
    for (const phone of this.phones) {
      scenario.furnish?.(phone.disk, this.facts, phone.index, (what, choices) =>
        this.draw.pick(choices, what, phone.index),
      );
    }
  }

  get nowMs(): number {
    return this.clockwork.nowMs;
  }

  serverNowMs(): number {
    return Math.floor(EPOCH_MS + this.nowMs);
  }

  get isServerDown(): boolean {
    return this.outages > 0 && !this.isHealed;
  }

  get hasRunAway(): boolean {
    return (
      this.clockwork.eventCount > LIMITS.events ||
      this.network.records.length > LIMITS.requests ||
      this.#sockets?.hasRunAway === true
    );
  }

  /** WebSockets and streams of this world. Most worlds have none: it is made when the first one is. */
  get sockets(): SocketNetwork {
    this.#sockets ??= new SocketNetwork(this);
    return this.#sockets;
  }

  /** The same, or null when nothing was ever opened: for what happens to all that are. */
  get usedSockets(): SocketNetwork | null {
    return this.#sockets;
  }

  /** Puts an event into the trace. The object is taken over, not copied: there are many. */
  emit(event: TraceEvent): void {
    this.recorder.emit(event);
  }

  faultAt(phone: number, target: string, nth: number): string | undefined {
    return this.isHealed || this.#faults.size === 0 ? undefined : this.#faults.get(`${phone} ${target} ${nth}`);
  }

  noteFault(phone: number, fault: string, target: string, nth: number): void {
    const name = `${target} ${fault}`;
    this.struck.set(name, (this.struck.get(name) ?? 0) + 1);
    this.emit({ atMs: this.nowMs, phone, kind: 'fault', fault, target, nth });
  }

  countWakeup(phone: SimulatedPhone): void {
    this.recorder.costs.timerWakeups += 1;
    if (!phone.isOnline) this.recorder.costs.offlineWakeups += 1;
  }

  /** Runs the app's code, if it is alive. What it throws is an unhandled error, as on a phone. */
  callApp(launch: Launch, callback: () => void): void {
    if (!launch.alive) return;
    this.running = launch;
    try {
      callback();
    } catch (error) {
      this.noteRejection(error);
    }
  }

  /** An error of the app's that nobody handled. */
  noteRejection(error: unknown): void {
    if (this.running && !this.running.alive) return;
    const text = describeError(error);
    this.emit({ atMs: this.nowMs, phone: this.running?.phone.index ?? 0, kind: 'rejection', text });
    this.recorder.violate('no-unhandled-rejection', `Nobody handled this rejection: ${text}`, this.nowMs);
  }

  openApp(launch: Launch): void {
    this.running = launch;
    this.#launches.push(launch);
    let stage: LoadError['stage'] = 'import';
    try {
      const module = this.#factory(createGlobals(launch));
      stage = 'open';
      const app = this.scenario.open({
        module,
        device: launch.device.device,
        apiUrl: this.scenario.apiUrl,
        phone: this.#viewOf(launch.phone),
        backend: this.backend,
        facts: this.facts,
        follow: followFor(launch),
        stateChanged: () => launch.lastingWorld?.noteState(launch),
      });
      this.#apps.set(launch, app);
    } catch (error) {
      // An app that could be opened once is broken by what it finds, not impossible to load.
      if (launch.number > 1) this.noteRejection(error);
      else this.loadError ??= { stage, text: describeError(error) };
    }
  }

  act(step: Step): void {
    const phone = this.phones[step.phone % this.phones.length];
    const action = this.scenario.actions[step.do];
    if (!phone || !action) return;
    // A person who wants to do something opens the app.
    if (action.opensApp !== false) {
      phone.startIfDead();
      phone.goToForeground();
    }
    const stage = this.#stageFor(phone);
    // What an app throws at a question about its state is no promise that the action could follow.
    if (stage) this.callApp(stage.launch, () => action.run(stage, step.args as never));
    else if (action.opensApp === false) action.run(this.#emptyStage(phone), step.args as never);
  }

  /** The person comes back to phones where all works again, once their apps have had a moment to start. */
  comeBackLater(...phones: readonly SimulatedPhone[]): void {
    const { healed } = this.scenario;
    if (!healed) return;
    this.clockwork.after(COME_BACK_MS, () => {
      for (const phone of phones) {
        const stage = this.#stageFor(phone);
        if (stage) this.callApp(stage.launch, () => healed(stage));
      }
    });
  }

  /** What an action works with; null when no app is running. */
  #stageFor(phone: SimulatedPhone): (Stage<unknown, Backend, unknown> & { launch: Launch }) | null {
    const { launch } = phone;
    const app = launch && this.#apps.get(launch);
    if (!launch || app === undefined) return null;
    const { backend, facts } = this;
    return { app, launch, phone: this.#viewOf(phone), backend, facts, follow: followFor(launch) };
  }

  /** The same without an app: whoever asks for it should have looked at the phone first. */
  #emptyStage(phone: SimulatedPhone): Stage<unknown, Backend, unknown> {
    const { backend, facts } = this;
    return Object.defineProperty(
      { phone: this.#viewOf(phone), backend, facts, follow: refuse },
      'app',
      NO_APP,
    ) as never;
  }

  /** The scenario's view of a phone's app; null when none is running. An app that cannot tell its state gives its error. */
  viewApp(phone: SimulatedPhone): Json {
    const app = this.appOf(phone);
    if (app === undefined) return null;
    try {
      return this.scenario.view(app);
    } catch (error) {
      return { error: describeError(error) };
    }
  }

  closeApp(phone: SimulatedPhone): void {
    const app = this.appOf(phone);
    if (app === undefined || !phone.launch) return;
    this.callApp(phone.launch, () => this.scenario.close(app));
  }

  /** Frees what no collector frees, or not soon. Nothing can be asked of the phones' databases afterwards. */
  close(): void {
    for (const { disk } of this.phones) disk.close();
    for (const launch of this.#launches) launch.end();
    this.#server.end();
  }

  /** Promises of living apps that have not settled. */
  openPromises(): string[] {
    return [...this.#open.values()].filter(({ launch }) => launch.alive).map(({ label }) => label);
  }

  follow(launch: Launch, label: string, ...[start, on = {}]: Followed): void {
    this.#followed += 1;
    const id = this.#followed;
    const phone = launch.phone.index;
    this.emit({ atMs: this.nowMs, phone, kind: 'action', id, label });
    this.#open.set(id, { label, launch });
    const settle = (error: string | null, handle: () => void) => {
      if (!launch.alive) return;
      this.#open.delete(id);
      handle();
      this.emit({ atMs: this.nowMs, phone, kind: 'settled', id, label, error });
    };
    // What the app throws at once counts as a rejection: the caller sees no difference under `await`.
    let promise: Promise<unknown>;
    try {
      promise = Promise.resolve(start());
    } catch (error) {
      promise = Promise.reject(error);
    }
    promise.then(
      (value) => settle(null, () => on.done?.(value as never)),
      (error: unknown) => settle(describeError(error), () => on.failed?.(error)),
    );
  }

  noteState(launch: Launch): void {
    if (!launch.alive) return;
    this.recorder.costs.stateChanges += 1;
    const view = this.isDetailed && this.#apps.has(launch) ? this.viewApp(launch.phone) : null;
    this.emit({ atMs: this.nowMs, phone: launch.phone.index, kind: 'state', view });
  }

  /** The app that runs on a phone. */
  appOf(phone: SimulatedPhone): unknown {
    return phone.launch ? this.#apps.get(phone.launch) : undefined;
  }

  #viewOf(phone: SimulatedPhone): PhoneView<unknown> {
    const view = this.view.phones[phone.index];
    if (!view) throw new Error(`There is no phone ${phone.index} in this world of ${this.phones.length}.`);
    return view;
  }
}

const refuse = (): never => {
  throw new Error('No app is running. An action with opensApp: false must look at stage.phone.app first.');
};
const NO_APP = { get: refuse };

type Follow = Stage<unknown, Backend, unknown>['follow'];
type Followed = Parameters<Follow> extends [string, ...infer Rest] ? Rest : never;

/** Holds the launch and not the world: an app may keep it for as long as the collector keeps the app. */
const followFor =
  (launch: Launch): Follow =>
  (label, start, on) =>
    launch.lastingWorld?.follow(launch, label, start, on);
