// What actions and invariants see of a world. Classes, since they are asked at every event: getters of an object
// literal would make each one a dictionary.
import type { Conditions as PhoneConditions } from '../phone/device.ts';
import type { Disk } from '../phone/disk.ts';
import type { CipherCall } from '../phone/quick-crypto.ts';
import type { Backend, PhoneView, WorldView } from './scenario.ts';
import type { SimulatedPhone } from './simulated-phone.ts';
import type { Costs, RequestRecord, SocketRecord } from './trace.ts';
import type { World } from './world.ts';

export class SeenPhone implements PhoneView<unknown> {
  readonly index: number;
  readonly disk: Disk;
  readonly conditions: PhoneConditions;
  readonly cipherCalls: readonly CipherCall[];
  readonly #world: World;
  readonly #phone: SimulatedPhone;

  constructor(world: World, phone: SimulatedPhone) {
    this.index = phone.index;
    this.disk = phone.disk;
    this.conditions = phone.conditions;
    this.cipherCalls = phone.cipherCalls;
    this.#world = world;
    this.#phone = phone;
  }

  get installs(): number {
    return this.#phone.installs;
  }
  get app(): unknown {
    return this.#world.appOf(this.#phone) ?? null;
  }
  get isOnline(): boolean {
    return this.#phone.isOnline;
  }
  get isForeground(): boolean {
    return !this.#phone.isFrozen;
  }
  get nowMs(): number {
    return this.#phone.nowMs();
  }
  get openSockets(): number {
    return this.#world.usedSockets?.openCount(this.index) ?? 0;
  }
}

export class SeenWorld implements WorldView<unknown, Backend, unknown> {
  readonly backend: Backend;
  readonly facts: unknown;
  readonly phones: readonly SeenPhone[];
  readonly requests: readonly RequestRecord[];
  readonly costs: Costs;
  readonly #world: World;

  constructor(world: World) {
    this.backend = world.backend;
    this.facts = world.facts;
    this.phones = world.phones.map((phone) => new SeenPhone(world, phone));
    this.requests = world.network.records;
    this.costs = world.recorder.costs;
    this.#world = world;
  }

  get nowMs(): number {
    return this.#world.nowMs;
  }
  get sockets(): readonly SocketRecord[] {
    return this.#world.sockets.records;
  }

  requestsOut(phone: number): readonly RequestRecord[] {
    return this.#world.network.outOf(phone);
  }
}
