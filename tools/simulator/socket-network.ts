// The connections of one world that stay open: WebSockets and streamed answers. Made when the first one is.
import { byteLength } from '../phone/byte-length.ts';
import type { SocketEnd, SocketWire } from '../phone/web-socket.ts';
import type { Launch } from './launch.ts';
import type { SimulatedPhone } from './simulated-phone.ts';
import type { Connection } from './socket-fates.ts';
import { SocketLine } from './socket-line.ts';
import type { FrameRecord, SocketRecord, TraceEvent } from './trace.ts';
import type { World } from './world.ts';

/** An app that opens or sends more than this has run away. */
const LIMITS = { sockets: 1_000, framesSent: 5_000 };

export class SocketNetwork {
  readonly #world: World;
  readonly #live = new Set<Connection>();
  readonly #openByPhone: number[] = [];
  readonly records: SocketRecord[] = [];
  #frames = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** What `new WebSocket(url)` begins. */
  open(launch: Launch, url: string, end: SocketEnd): SocketWire {
    const { phone } = launch;
    const record: SocketRecord = {
      id: this.records.length + 1,
      phone: phone.index,
      launch: launch.number,
      nth: launch.alive ? phone.count('socket.connect') : 0,
      url,
      startedAtMs: this.#world.nowMs,
      startedOnline: phone.isOnline,
      state: 'connecting',
      isHalfOpen: false,
      openedAtMs: null,
      closedAtMs: null,
      closeCode: null,
    };
    const line = new SocketLine(launch, record, end, this);
    if (!launch.alive) return line;
    this.records.push(record);
    this.#openByPhone[record.phone] = this.openCount(record.phone) + 1;
    this.#world.recorder.costs.socketsOpened += 1;
    line.connect();
    return line;
  }

  /** Sockets of a phone that are connecting or open for the app. */
  openCount(phone: number): number {
    return this.#openByPhone[phone] ?? 0;
  }

  /** The app's socket is no longer connecting or open. */
  leftOpen(record: SocketRecord): void {
    this.#openByPhone[record.phone] = this.openCount(record.phone) - 1;
  }

  /** Streamed answers that a launch has neither read to the end nor closed. */
  streamsOf(launch: Launch): number {
    let count = 0;
    for (const connection of this.#live)
      if (connection.launch === launch && !(connection instanceof SocketLine)) count += 1;
    return count;
  }

  get hasRunAway(): boolean {
    return this.records.length > LIMITS.sockets || this.#world.recorder.costs.framesSent > LIMITS.framesSent;
  }

  add(connection: Connection): void {
    this.#live.add(connection);
  }

  remove(connection: Connection): void {
    this.#live.delete(connection);
  }

  /** A frame leaves: it gets its place in the order, and the fault that is planned for it, if any. */
  frame(
    launch: Launch,
    target: FrameRecord['target'],
    carrier: FrameRecord['carrier'],
    text: string,
  ): { frame: FrameRecord; fault: string | undefined } {
    const { phone } = launch;
    const nth = phone.count(target);
    this.#frames += 1;
    const { nowMs } = this.#world;
    const frame = {
      id: this.#frames,
      phone: phone.index,
      target,
      nth,
      carrier,
      text,
      sentAtMs: nowMs,
      arrivedAtMs: null,
    };
    const { costs } = this.#world.recorder;
    if (target === 'socket.send') {
      costs.framesSent += 1;
      costs.bytesSent += byteLength(text);
    }
    return { frame, fault: this.#world.faultAt(phone.index, target, nth) };
  }

  strike(frame: FrameRecord, fault: string): void {
    this.#world.noteFault(frame.phone, fault, frame.target, frame.nth);
  }

  trace(frame: FrameRecord, phase: Extract<TraceEvent, { kind: 'frame' }>['phase'], note = ''): void {
    if (phase === 'arrived') {
      frame.arrivedAtMs ??= this.#world.nowMs;
      if (frame.target !== 'socket.send') {
        this.#world.recorder.costs.framesReceived += 1;
        this.#world.recorder.costs.bytesReceived += byteLength(frame.text);
      }
    }
    this.#world.emit({ atMs: this.#world.nowMs, phone: frame.phone, kind: 'frame', phase, frame, note });
  }

  appKilled(launch: Launch): void {
    for (const connection of [...this.#live]) if (connection.launch === launch) connection.appKilled();
  }

  networkLost(phone: SimulatedPhone): void {
    for (const connection of [...this.#live]) if (connection.launch.phone === phone) connection.networkLost();
  }

  serverDown(): void {
    for (const connection of [...this.#live]) connection.serverDown();
  }

  backgrounded(phone: SimulatedPhone): void {
    for (const connection of [...this.#live]) if (connection.launch.phone === phone) connection.backgrounded();
  }
}
