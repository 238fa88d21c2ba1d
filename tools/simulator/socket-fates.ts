// What befalls any connection that stays open, a WebSocket or a streamed answer: order, trips, a line that goes dead.
import type { Launch } from './launch.ts';
import type { World } from './world.ts';

/** One-way trip of a frame, in ms. */
const TRIP_MS = { min: 20, max: 200 };
/** A server hears of a phone that went without a word after this long, in ms. */
const SERVER_NOTICES_MS = { min: 5_000, max: 60_000 };
/** The OS closes what is open in the background after this long, in ms, or leaves it. Source: iOS, suspended apps. */
const OS_CLOSES_MS = { min: 10_000, max: 120_000 };
/** Keeps frames apart whose order must not be lost in rounding, in ms. */
const GAP_MS = 0.01;

/** A connection as the world treats it when something happens to all of them. */
export interface Connection {
  readonly launch: Launch;
  /** The app is dead: it hears nothing more, the server does later. */
  appKilled(): void;
  /** The phone lost its network, or moved to another one. */
  networkLost(): void;
  serverDown(): void;
  /** The app went to the background. */
  backgrounded(): void;
}

/** What a dead line does: told soon, told once the app sends, told late, or never. */
export type DeadLine = 'quick' | 'at-send' | 'late' | 'never';

/** The draws of one connection: same world, same connection, same fates. */
export class Fates {
  readonly #world: World;
  readonly #launch: Launch;
  readonly #name: string;
  #stays = 0;

  constructor(launch: Launch, name: string) {
    this.#world = launch.world;
    this.#launch = launch;
    this.#name = name;
  }

  between(min: number, max: number, what: string, nth = 0): number {
    return this.#world.draw.between(min, max, what, this.#launch.phone.index, this.#name, nth);
  }

  tripMs(what: string, nth = 0): number {
    return this.between(TRIP_MS.min, TRIP_MS.max, what, nth);
  }

  after(delayMs: number, run: () => void, isWanted?: () => boolean): void {
    this.#world.clockwork.after(delayMs, run, isWanted);
  }

  /** Runs something of the app's: at once, or when it is back from the background; never once it is dead. */
  whenAwake(run: () => void): void {
    const launch = this.#launch;
    if (!launch.alive) return;
    if (launch.phone.isFrozen) launch.phone.whenThawed(() => this.whenAwake(run), launch.isAlive);
    else run();
  }

  /** When the server hears of a connection that ended without a word. */
  serverNoticesMs(): number {
    return this.between(SERVER_NOTICES_MS.min, SERVER_NOTICES_MS.max, 'server-notices');
  }

  /** How a line goes dead, and after how many ms the app is told: null for as long as it does nothing. */
  deadLine(): { kind: DeadLine; toldAfterMs: number | null } {
    const kinds = ['quick', 'at-send', 'late', 'never'] as const;
    const kind = kinds[Math.floor(this.between(0, kinds.length, 'dead-line'))] ?? 'never';
    if (kind === 'quick') return { kind, toldAfterMs: this.between(0, 2_000, 'told') };
    if (kind === 'late') return { kind, toldAfterMs: this.between(30_000, 300_000, 'told') };
    return { kind, toldAfterMs: null };
  }

  /** In half of all stays in the background the OS closes a connection after a while, if the stay lasts that long. */
  closesInBackground(close: () => void): void {
    this.#stays += 1;
    const stay = this.#stays;
    if (this.between(0, 1, 'os-closes', stay) < 0.5) return;
    this.after(this.between(OS_CLOSES_MS.min, OS_CLOSES_MS.max, 'os-closes-at', stay), () => {
      if (this.#stays === stay && this.#launch.alive && this.#launch.phone.isFrozen) close();
    });
  }
}

/** One direction of a connection: what is sent first arrives first. */
export class Pipe {
  readonly #world: World;
  #freeAtMs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  push(tripMs: number, arrive: () => void): void {
    const { nowMs, clockwork } = this.#world;
    const atMs = Math.max(nowMs + tripMs, this.#freeAtMs + GAP_MS);
    this.#freeAtMs = atMs;
    clockwork.after(atMs - nowMs, arrive);
  }
}
