// One launch of the app on one phone: its effects, its timers, its death.

import { createDevice, type LaunchedDevice } from '../phone/device.ts';
import type { Apply, Effect, EffectHost } from '../phone/host.ts';
import type { CipherCall } from '../phone/quick-crypto.ts';
import type { SocketEnd, SocketWire } from '../phone/web-socket.ts';
import { isKill } from './fault-kinds.ts';
import type { SimulatedPhone } from './simulated-phone.ts';
import type { World } from './world.ts';

/** One for each: a promise that all dead apps shared would hold them and their worlds, as what waits for it. */
const never = (): Promise<never> => new Promise(() => undefined);

/** Storage answers within this many ms, unless a fault slows it. */
const STORAGE_MS = { min: 0.3, max: 3 };

/** A person answers a prompt within this many ms. */
const PROMPT_MS = { min: 800, max: 4_000 };

const isStorageCall = ({ target }: Effect): boolean => target.endsWith('.read') || target.endsWith('.write');
const isStorageWrite = ({ target }: Effect): boolean => target.endsWith('.write');

/** Where calls of an app lead whose world is over. */
const NOWHERE: SocketWire = { send: () => false, close: () => undefined };

export class Launch implements EffectHost {
  #world: World | null;
  #phone: SimulatedPhone | null;
  #device: LaunchedDevice | null;
  readonly number: number;
  /** By the phone's clock as it then was, in ms since 1970. */
  readonly startedAtMs: number;
  /** False once the app was killed: from then on nothing of it settles, applies or is delivered. */
  alive = true;
  readonly isAlive = () => this.alive;
  readonly timers = new Map<number, { cancelled: boolean }>();
  readonly #startedAtWorldMs: number;
  #timerCount = 0;
  /** Storage calls run one after another, as on a phone: none is applied before this time. */
  #storageFreeAtMs = 0;
  /** How many times each thing was drawn: part of the purpose of the next draw. */
  readonly #drawn = new Map<string, number>();

  constructor(world: World, phone: SimulatedPhone, number: number) {
    this.#world = world;
    this.#phone = phone;
    this.number = number;
    this.startedAtMs = phone.nowMs();
    this.#startedAtWorldMs = world.nowMs;
    this.#device = createDevice(this, phone.disk, phone.conditions);
  }

  get world(): World {
    return present(this.#world);
  }

  /** Null once the world is over. */
  get lastingWorld(): World | null {
    return this.#world;
  }

  get phone(): SimulatedPhone {
    return present(this.#phone);
  }

  get device(): LaunchedDevice {
    return present(this.#device);
  }

  /**
   * Lets go of the world, which is over. An app's classes, and functions it has put into properties, live on until the
   * collector's next full round: a world held by them would be copied at each round before that.
   */
  end(): void {
    this.alive = false;
    this.#world = null;
    this.#phone = null;
    this.#device = null;
  }

  nowMs(): number {
    return this.#phone?.nowMs() ?? this.startedAtMs;
  }

  /** Virtual time since the launch, in ms, which no jump of the phone's clock moves. */
  elapsedMs(): number {
    return this.#world ? this.#world.nowMs - this.#startedAtWorldMs : 0;
  }

  deliver(callback: () => void): void {
    this.#world?.callApp(this, callback);
  }

  /** A number from 0 to 1 for this launch's nth use of `what`: random ids, `Math.random`. */
  random(what: string): number {
    if (!this.#world) return 0;
    const n = (this.#drawn.get(what) ?? 0) + 1;
    this.#drawn.set(what, n);
    return this.#world.draw.unit(what, this.phone.index, this.number, n);
  }

  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    return this.#world?.network.fetch(this, input, init) ?? never();
  }

  openSocket(url: string, end: SocketEnd): SocketWire {
    return this.#world?.sockets.open(this, url, end) ?? NOWHERE;
  }

  /** IANA name of the phone's time zone. */
  timeZone(): string {
    return this.#phone?.conditions.timeZone ?? 'UTC';
  }

  noteCipher(call: CipherCall): void {
    if (this.alive) this.phone.cipherCalls.push(call);
  }

  perform<T>(effect: Effect, apply: Apply<T>): Promise<T> {
    if (!this.alive) return never();
    const { world, phone } = this;
    const isStorage = isStorageCall(effect);
    const nth = phone.count(effect.target);
    const planned = world.faultAt(phone.index, effect.target, nth);
    const fault = canStrike(planned, effect, isStorage) ? planned : undefined;
    const tookMs = this.#durationOf(effect, nth);
    const applyAtMs = Math.max(world.nowMs, isStorage ? this.#storageFreeAtMs : 0) + tookMs;
    const slowMs = fault === 'slow' ? world.draw.between(2_000, 10_000, 'slow', phone.index, nth) : 0;
    if (isStorage) this.#storageFreeAtMs = applyAtMs + slowMs;

    return new Promise((resolve, reject) => {
      const run = () => {
        const outcome = this.#applyUnder(fault, effect, nth, apply);
        if (!this.alive) return;
        const answer = () => {
          if (isStorage) this.#trace(effect, outcome.error ? 'failed' : 'acked');
          this.world.callApp(this, () => (outcome.error ? reject(outcome.error) : resolve(outcome.value as T)));
        };
        if (slowMs > 0) world.clockwork.after(slowMs, answer, this.isAlive);
        else answer();
      };
      world.clockwork.after(applyAtMs - world.nowMs, run, this.isAlive);
    });
  }

  /** Storage takes a few ms, a person at a prompt a few seconds, everything else next to nothing. */
  #durationOf(effect: Effect, nth: number): number {
    const { draw } = this.world;
    if (isStorageCall(effect))
      return draw.between(STORAGE_MS.min, STORAGE_MS.max, effect.target, this.phone.index, nth);
    if (effect.target === 'localAuthentication')
      return draw.between(PROMPT_MS.min, PROMPT_MS.max, effect.target, this.phone.index, nth);
    return 0.1;
  }

  performNow<T>(effect: Effect, apply: Apply<T>): T {
    if (!this.alive) return undefined as T;
    const nth = this.phone.count(effect.target);
    const planned = this.world.faultAt(this.phone.index, effect.target, nth);
    const fault = canStrike(planned, effect, false) ? planned : undefined;
    const outcome = this.#applyUnder(fault, effect, nth, apply);
    if (this.alive && outcome.error) throw outcome.error;
    return outcome.value as T;
  }

  /** Applies an effect as the fault, if any, lets it. A kill leaves the launch dead. */
  #applyUnder<T>(
    fault: string | undefined,
    effect: Effect,
    nth: number,
    apply: Apply<T>,
  ): { value?: T; error?: Error } {
    const parts = effect.parts ?? 1;
    if (fault) this.world.noteFault(this.phone.index, fault, effect.target, nth);
    if (fault === 'kill-before') {
      this.phone.kill(`before ${effect.call}(${effect.detail})`);
      return {};
    }
    if (fault === 'torn') {
      this.#count(effect);
      apply(Math.floor(parts / 2));
      this.#trace(effect, 'torn');
      this.phone.kill(`in the middle of ${effect.call}(${effect.detail})`);
      return {};
    }
    const otherAnswer = fault === undefined ? undefined : effect.answers?.[fault];
    if (otherAnswer) return { value: otherAnswer() as T };
    const planned = fault === undefined ? undefined : effect.errors?.[fault];
    const makeError = planned ?? (this.phone.disk.hasRoomFor(effect) ? undefined : effect.errors?.full);
    if (makeError) return { error: makeError() };
    this.#count(effect);
    try {
      const value = apply(parts);
      if (isStorageWrite(effect)) this.#trace(effect, 'applied');
      if (fault === 'kill-after') this.phone.kill(`after ${effect.call}(${effect.detail}), before the app heard`);
      return { value };
    } catch (error) {
      return { error: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  #count(effect: Effect): void {
    const { costs } = this.world.recorder;
    if (effect.target === 'storage.read') costs.storageReads += 1;
    if (effect.target === 'secureStore.read') costs.secureReads += 1;
    if (effect.target === 'secureStore.write') costs.secureWrites += 1;
    if (effect.target === 'localAuthentication') costs.prompts += 1;
    if (effect.target !== 'storage.write') return;
    costs.storageWrites += 1;
    if (effect.commits?.()) costs.databaseCommits += 1;
    costs.storageBytes += effect.sizeBytes ?? 0;
  }

  #trace(effect: Effect, phase: 'applied' | 'torn' | 'failed' | 'acked'): void {
    this.world.emit({
      atMs: this.world.nowMs,
      phone: this.phone.index,
      kind: 'storage',
      call: effect.call,
      detail: effect.detail,
      phase,
    });
  }

  startTimer(callback: () => void, delayMs: number, everyMs: number | null): number {
    this.#timerCount += 1;
    const id = this.#timerCount;
    if (!this.alive) return id;
    const timer = { cancelled: false };
    this.timers.set(id, timer);
    const isWanted = () => this.alive && !timer.cancelled;
    const fire = () => {
      if (this.phone.isFrozen) {
        this.phone.whenThawed(fire, isWanted);
        return;
      }
      this.world.countWakeup(this.phone);
      if (everyMs === null) this.timers.delete(id);
      else this.world.clockwork.after(everyMs, fire, isWanted);
      this.world.callApp(this, callback);
    };
    this.world.clockwork.after(delayMs, fire, isWanted);
    return id;
  }

  stopTimer(id: number): void {
    const timer = this.timers.get(id);
    if (!timer) return;
    timer.cancelled = true;
    this.timers.delete(id);
  }
}

function present<T>(part: T | null): T {
  if (part === null) throw new Error('This launch was asked for its world after the world was over.');
  return part;
}

/** Whether a fault can do anything here: a read knows no full disk, and what answers at once cannot be slow. */
function canStrike(fault: string | undefined, { errors, answers }: Effect, canWait: boolean): boolean {
  if (fault === undefined || isKill(fault)) return true;
  return fault === 'slow' ? canWait : errors?.[fault] !== undefined || answers?.[fault] !== undefined;
}
