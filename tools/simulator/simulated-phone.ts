// One phone of the world: its disk, its condition, and the launch that is running on it.
import { defaultConditions } from '../phone/device.ts';
import { Disk } from '../phone/disk.ts';
import { OFFLINE, WIFI } from '../phone/net-info.ts';
import { EPOCH_MS } from './clockwork.ts';
import { Launch } from './launch.ts';
import type { World } from './world.ts';

export class SimulatedPhone {
  readonly world: World;
  readonly index: number;
  readonly disk = new Disk();
  readonly conditions = defaultConditions();
  launch: Launch | null = null;
  launches = 0;
  /** How far the phone's clock is off, in ms. */
  skewMs = 0;
  readonly #counts = new Map<string, number>();
  #offlineReasons = 0;
  #backgroundReasons = 0;
  #offlineSinceMs = 0;
  #held: { run: () => void; isWanted: () => boolean }[] = [];

  constructor(world: World, index: number) {
    this.world = world;
    this.index = index;
  }

  /** The phone's own clock, in whole ms since 1970. */
  nowMs(): number {
    return Math.floor(EPOCH_MS + this.world.nowMs + this.skewMs);
  }

  get isOnline(): boolean {
    return this.conditions.network.isConnected;
  }

  /** In the background timers stand still. */
  get isFrozen(): boolean {
    return this.conditions.appState === 'background';
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
    this.#backgroundReasons = 0;
    this.launch = new Launch(this.world, this, this.launches);
    this.world.emit(this.index, { kind: 'launch', launch: this.launches });
    this.world.openApp(this.launch);
  }

  /** Ends the app as the OS does: nothing it awaited settles, no `catch` and no `finally` runs. */
  kill(during: string, relaunch = true): void {
    const { launch } = this;
    if (!launch) return;
    launch.alive = false;
    this.launch = null;
    this.#held = [];
    this.world.emit(this.index, { kind: 'kill', launch: launch.number, during });
    this.world.network.appKilled(launch);
    if (!relaunch) return;
    const downMs = [200, 3_000, 60_000][this.world.draw.pick(3, 'down', this.index, launch.number)] ?? 200;
    this.world.clockwork.after(downMs, () => this.startIfDead());
  }

  startIfDead(): void {
    if (!this.launch) this.start();
  }

  goOffline(): void {
    this.#offlineReasons += 1;
    if (!this.isOnline) return;
    this.conditions.network = OFFLINE;
    this.#offlineSinceMs = this.world.nowMs;
    this.world.emit(this.index, { kind: 'condition', condition: 'offline' });
    this.world.network.connectionLost(this);
    this.launch?.device.networkChanged();
  }

  goOnline(): void {
    this.#offlineReasons = Math.max(0, this.#offlineReasons - 1);
    if (this.#offlineReasons > 0 || this.isOnline) return;
    this.conditions.network = WIFI;
    this.world.recorder.costs.offlineMs += this.world.nowMs - this.#offlineSinceMs;
    this.world.emit(this.index, { kind: 'condition', condition: 'online' });
    this.launch?.device.networkChanged();
  }

  goToBackground(): void {
    if (!this.launch) return;
    this.#backgroundReasons += 1;
    if (this.conditions.appState === 'background') return;
    this.conditions.appState = 'background';
    this.world.emit(this.index, { kind: 'condition', condition: 'background' });
    this.launch.device.appStateChanged();
  }

  goToForeground(): void {
    this.#backgroundReasons = Math.max(0, this.#backgroundReasons - 1);
    if (this.#backgroundReasons > 0 || this.conditions.appState === 'active') return;
    this.conditions.appState = 'active';
    this.world.emit(this.index, { kind: 'condition', condition: 'foreground' });
    const held = this.#held;
    this.#held = [];
    this.launch?.device.appStateChanged();
    // What came due in the background fires now, in the order in which it came due.
    for (const { run, isWanted } of held) this.world.clockwork.after(0, run, isWanted);
  }

  whenThawed(run: () => void, isWanted: () => boolean): void {
    this.#held.push({ run, isWanted });
  }

  /** Everything back to normal: online, in the foreground, running. The clock stays as it is. */
  heal(): void {
    this.#offlineReasons = 0;
    this.goOnline();
    this.#backgroundReasons = 0;
    this.goToForeground();
    this.startIfDead();
  }
}
