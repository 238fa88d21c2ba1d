// One phone of the world: its disk, its condition, and the launch that is running on it.
import { type Conditions, defaultConditions } from '../phone/device.ts';
import { Disk } from '../phone/disk.ts';
import { CELLULAR, OFFLINE, WIFI } from '../phone/net-info.ts';
import type { NotificationContent } from '../phone/notifications.ts';
import type { CipherCall } from '../phone/quick-crypto.ts';
import { EPOCH_MS } from './clockwork.ts';
import { Launch } from './launch.ts';
import type { Json } from './plan.ts';
import type { World } from './world.ts';

/** The OS lets a background task run for this long. Source: iOS, BGAppRefreshTask, about 30 s. */
const BACKGROUND_TASK_MS = 30_000;
/** A push is under way this long, in ms; a late one this many. */
const PUSH_MS = { min: 200, max: 5_000 };
const LATE_PUSH_MS = { min: 120_000, max: 1_200_000 };

export class SimulatedPhone {
  readonly world: World;
  readonly index: number;
  readonly disk = new Disk();
  readonly conditions: Conditions;
  launch: Launch | null = null;
  launches = 0;
  /** How far the phone's clock is off, in ms. */
  skewMs = 0;
  /** How often the app was installed. */
  installs = 1;
  /** Uses of ciphers by all launches, in order. */
  readonly cipherCalls: CipherCall[] = [];
  readonly #counts = new Map<string, number>();
  /** What lasts for a while, with how often it was begun and what ends it. */
  readonly #lasting = new Map<string, { times: number; end: () => void }>();
  #isAwake = false;
  #offlineReasons = 0;
  #mobileReasons = 0;
  readonly #backgroundReasons = new Set<object>();
  #offlineSinceMs = 0;
  #held: { run: () => void; isWanted: () => boolean }[] = [];

  constructor(world: World, index: number) {
    this.world = world;
    this.index = index;
    this.conditions = defaultConditions(`push-token-${index + 1}`);
    this.conditions.platform = world.scenario.platform ?? 'ios';
  }

  /** The phone's own clock, in whole ms since 1970. */
  nowMs(): number {
    return Math.floor(EPOCH_MS + this.world.nowMs + this.skewMs);
  }

  get isOnline(): boolean {
    return this.conditions.network.isConnected;
  }

  /** In the background timers stand still, but for the while in which the OS runs a task. */
  get isFrozen(): boolean {
    return this.conditions.appState === 'background' && !this.#isAwake;
  }

  /** The ordinal, from 1, of the next effect on a target. */
  count(target: string): number {
    const nth = (this.#counts.get(target) ?? 0) + 1;
    this.#counts.set(target, nth);
    return nth;
  }

  /** How many effects there were, by target. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  start(): void {
    this.launches += 1;
    this.conditions.appState = 'active';
    this.#backgroundReasons.clear();
    this.launch = new Launch(this.world, this, this.launches);
    this.world.emit({ atMs: this.world.nowMs, phone: this.index, kind: 'launch', launch: this.launches });
    this.world.openApp(this.launch);
  }

  /** Ends the app as the OS does: nothing it awaited settles, no `catch` and no `finally` runs. */
  kill(during: string, relaunch = true): void {
    const { launch } = this;
    if (!launch) return;
    launch.alive = false;
    this.launch = null;
    this.#held = [];
    this.disk.appKilled();
    this.world.emit({ atMs: this.world.nowMs, phone: this.index, kind: 'kill', launch: launch.number, during });
    this.world.network.appKilled(launch);
    this.world.usedSockets?.appKilled(launch);
    if (!relaunch) return;
    const downMs = [200, 3_000, 60_000][this.world.draw.pick(3, 'down', this.index, launch.number)] ?? 200;
    this.world.clockwork.after(
      downMs,
      () => {
        this.startIfDead();
        // A fault that struck before all was well has killed it since: whoever had come back by then comes again.
        if (this.world.isHealed) this.world.comeBackLater(this);
      },
      () => this.launches === launch.number,
    );
  }

  startIfDead(): void {
    if (!this.launch) this.start();
  }

  goOffline(): void {
    this.#offlineReasons += 1;
    if (!this.isOnline) return;
    this.conditions.network = OFFLINE;
    this.#offlineSinceMs = this.world.nowMs;
    this.world.emit({ atMs: this.world.nowMs, phone: this.index, kind: 'condition', condition: 'offline' });
    this.#loseConnections();
    this.launch?.device.networkChanged();
  }

  goOnline(): void {
    this.#offlineReasons = Math.max(0, this.#offlineReasons - 1);
    if (this.#offlineReasons > 0 || this.isOnline) return;
    this.conditions.network = this.#mobileReasons > 0 ? CELLULAR : WIFI;
    this.world.recorder.costs.offlineMs += this.world.nowMs - this.#offlineSinceMs;
    this.world.emit({ atMs: this.world.nowMs, phone: this.index, kind: 'condition', condition: 'online' });
    this.launch?.device.networkChanged();
  }

  /** Wi-Fi gives way to mobile data: the phone stays online, and every connection it has is dead. */
  goToMobileData(): void {
    this.#mobileReasons += 1;
    this.#changeNetwork();
  }

  leaveMobileData(): void {
    this.#mobileReasons = Math.max(0, this.#mobileReasons - 1);
    this.#changeNetwork();
  }

  #changeNetwork(): void {
    const network = this.#mobileReasons > 0 ? CELLULAR : WIFI;
    if (!this.isOnline || this.conditions.network === network) return;
    // A phone that has not moved yet has the default state, which is Wi-Fi as well.
    if (this.conditions.network.type === network.type) return;
    this.conditions.network = network;
    this.world.emit({
      atMs: this.world.nowMs,
      phone: this.index,
      kind: 'condition',
      condition: network === WIFI ? 'wifi' : 'mobile-data',
    });
    this.#loseConnections();
    this.launch?.device.networkChanged();
  }

  #loseConnections(): void {
    this.world.network.connectionLost(this);
    this.world.usedSockets?.networkLost(this);
  }

  /** Gives what ends this stay: the app comes back with the end of the last one. */
  goToBackground(): () => void {
    if (!this.launch) return () => undefined;
    const reason = {};
    this.#backgroundReasons.add(reason);
    if (this.conditions.appState !== 'background') {
      this.conditions.appState = 'background';
      this.world.emit({ atMs: this.world.nowMs, phone: this.index, kind: 'condition', condition: 'background' });
      this.launch.device.appStateChanged();
      this.world.usedSockets?.backgrounded(this);
      this.#planBackgroundTasks(this.launch);
    }
    return () => {
      if (this.#backgroundReasons.delete(reason) && this.#backgroundReasons.size === 0) this.goToForeground();
    };
  }

  /** The OS runs what is registered when it suits it: at the interval asked for, or up to twice that. */
  #planBackgroundTasks(launch: Launch): void {
    const since = this.world.nowMs;
    for (const { name, minimumIntervalMs } of launch.device.backgroundTasks()) {
      const delayMs = minimumIntervalMs * this.world.draw.between(1, 2, 'background-task', this.index, name, since | 0);
      const isWanted = () => launch.alive && this.conditions.appState === 'background' && !this.world.isHealed;
      this.world.clockwork.after(delayMs, () => this.#runBackgroundTask(launch, name), isWanted);
    }
  }

  #runBackgroundTask(launch: Launch, name: string): void {
    const task = launch.device.backgroundTasks().find((one) => one.name === name);
    if (!task) return;
    this.#isAwake = true;
    this.#thaw();
    this.world.callApp(launch, () => {
      const sleep = () => {
        this.#isAwake = false;
      };
      task.run().then(sleep, sleep);
    });
    this.world.clockwork.after(BACKGROUND_TASK_MS, () => {
      this.#isAwake = false;
    });
    this.#planBackgroundTasks(launch);
  }

  /** What came due while timers stood still fires now, in the order in which it came due. */
  #thaw(): void {
    const held = this.#held;
    this.#held = [];
    for (const { run, isWanted } of held) this.world.clockwork.after(0, run, isWanted);
  }

  /** Whatever put the app in the background is over: a person opens it, or the world heals. */
  goToForeground(): void {
    this.#backgroundReasons.clear();
    if (this.conditions.appState === 'active') return;
    this.conditions.appState = 'active';
    this.world.emit({ atMs: this.world.nowMs, phone: this.index, kind: 'condition', condition: 'foreground' });
    this.launch?.device.appStateChanged();
    this.#thaw();
  }

  /** A push on its way to this phone. One that finds it offline or without a running app is lost. */
  push(content: NotificationContent): void {
    const nth = this.count('push');
    const fault = this.world.faultAt(this.index, 'push', nth);
    if (fault) this.world.noteFault(this.index, fault, 'push', nth);
    if (fault === 'lost') return;
    const range = fault === 'late' ? LATE_PUSH_MS : PUSH_MS;
    for (let copy = 0; copy < (fault === 'doubled' ? 2 : 1); copy += 1) {
      const tripMs = this.world.draw.between(range.min, range.max, 'push', this.index, nth, copy);
      this.world.clockwork.after(tripMs, () => this.#receive(`push-${nth}`, content));
    }
  }

  #receive(identifier: string, content: NotificationContent): void {
    const { launch } = this;
    if (!launch || !this.isOnline) return;
    this.world.emit({ atMs: this.world.nowMs, phone: this.index, kind: 'push', data: content.data as Json });
    this.world.callApp(launch, () => launch.device.notified({ date: this.nowMs(), request: { identifier, content } }));
  }

  /** Something that lasts: it ends with the last of those that began it, or when the world heals. Gives what ends this one. */
  during(name: string, { begin, end, each }: { begin: () => void; end: () => void; each?: () => void }): () => void {
    const lasting = this.#lasting.get(name);
    if (lasting) lasting.times += 1;
    else {
      this.#lasting.set(name, { times: 1, end });
      begin();
    }
    return () => {
      const now = this.#lasting.get(name);
      if (now && now.times > 1) now.times -= 1;
      else if (now) {
        this.#lasting.delete(name);
        now.end();
      }
      each?.();
    };
  }

  #endLasting(): void {
    for (const [name, { end }] of [...this.#lasting]) {
      this.#lasting.delete(name);
      end();
    }
  }

  whenThawed(run: () => void, isWanted: () => boolean): void {
    this.#held.push({ run, isWanted });
  }

  /** Everything back to normal: online, in the foreground, running. The clock stays as it is. */
  heal(): void {
    this.#endLasting();
    this.#offlineReasons = 0;
    this.#mobileReasons = 0;
    this.goOnline();
    this.#changeNetwork();
    this.goToForeground();
    this.startIfDead();
  }
}
