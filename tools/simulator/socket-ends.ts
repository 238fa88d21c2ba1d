// How a WebSocket ends, for the app and for the server: closed by either, broken, dead without a word, killed.
import type { ServerEnd } from '../phone/server-socket.ts';
import type { SocketEnd } from '../phone/web-socket.ts';
import type { Launch } from './launch.ts';
import { type Connection, type DeadLine, Fates, Pipe } from './socket-fates.ts';
import type { SocketNetwork } from './socket-network.ts';
import type { SocketRecord, TraceEvent } from './trace.ts';

/** The platform waits so long for the other side's part of the closing handshake. */
const CLOSE_TIMEOUT_MS = 5_000;
const BROKEN = 1006;

export abstract class SocketEnds implements Connection {
  readonly launch: Launch;
  protected readonly record: SocketRecord;
  protected readonly end: SocketEnd;
  protected readonly network: SocketNetwork;
  protected readonly fates: Fates;
  protected readonly up: Pipe;
  protected readonly down: Pipe;
  protected server: ServerEnd | null = null;
  /** How the line went dead; null while it is alive. */
  protected dead: DeadLine | null = null;
  /** What the app had put on the wire when it was killed is lost. */
  protected isWireLost = false;
  #isToldSoon = false;

  constructor(launch: Launch, record: SocketRecord, end: SocketEnd, network: SocketNetwork) {
    this.launch = launch;
    this.record = record;
    this.end = end;
    this.network = network;
    this.fates = new Fates(launch, `socket ${record.nth}`);
    this.up = new Pipe(launch.world);
    this.down = new Pipe(launch.world);
  }

  protected get isOver(): boolean {
    return this.record.state === 'closed';
  }

  /** The app closes. */
  close(code: number, reason: string): void {
    if (!this.launch.alive || this.isOver) return;
    const wasOpen = this.record.state === 'open';
    this.#leaveOpen('closing');
    this.trace('closing', String(code));
    if (!wasOpen) {
      this.endLater(1, 'the app gave up connecting');
      this.tellServer(this.fates.tripMs('gone'));
      return;
    }
    this.endLater(CLOSE_TIMEOUT_MS, 'nobody answered the close');
    if (this.dead) return;
    this.up.push(this.fates.tripMs('close-up'), () => {
      if (this.dead) return;
      this.#endForServer(code, reason);
      this.down.push(this.fates.tripMs('close-down'), () => {
        if (!this.dead) this.endForApp(code, reason, 'as the app asked', true);
      });
    });
  }

  closeFromServer(code: number, reason: string): void {
    this.down.push(this.fates.tripMs('close-down'), () => {
      if (this.dead) return;
      this.endForApp(code, reason, 'by the server', true);
      this.up.push(this.fates.tripMs('close-up'), () => this.#endForServer(code, reason));
    });
    // A phone that does not answer is given up.
    this.tellServer(this.fates.serverNoticesMs());
  }

  terminateFromServer(): void {
    this.#endForServer(BROKEN, '');
    this.down.push(this.fates.tripMs('close-down'), () => {
      if (!this.dead) this.endForApp(BROKEN, '', 'the server dropped it');
    });
  }

  /** Both sides find out: the app at once, the server a little later. */
  protected breakOff(why: string): void {
    this.endForApp(BROKEN, '', why);
    this.tellServer(this.fates.between(20, 5_000, 'server-hears'));
  }

  /** From here on nothing passes, and nobody is told, or only later. */
  protected goDead(): void {
    if (this.dead || this.isOver) return;
    if (this.record.state === 'connecting') {
      this.dead = 'quick';
      this.endLater(this.fates.between(0, 1_000, 'told'), 'the network went');
    } else {
      const { kind, toldAfterMs } = this.fates.deadLine();
      this.dead = kind;
      if (toldAfterMs !== null) this.endLater(toldAfterMs, 'the line was dead');
    }
    this.record.isHalfOpen = true;
    this.trace('half-open');
    this.tellServer(this.fates.serverNoticesMs());
  }

  /** Some dead lines are found out by sending: the other network answers that there is no such connection. */
  protected noticeAtSend(): void {
    if (this.dead !== 'at-send' || this.#isToldSoon) return;
    this.#isToldSoon = true;
    this.endLater(this.fates.between(200, 5_000, 'told'), 'the line was dead');
  }

  protected endLater(delayMs: number, why: string): void {
    this.fates.after(
      delayMs,
      () => this.endForApp(BROKEN, '', why),
      () => !this.isOver,
    );
  }

  /** The app hears of the end, once. */
  protected endForApp(code: number, reason: string, why: string, wasClean = false): void {
    this.fates.whenAwake(() => {
      if (this.isOver) return;
      this.#leaveOpen('closed');
      this.record.closedAtMs = this.launch.world.nowMs;
      this.record.closeCode = code;
      this.network.remove(this);
      this.trace('closed', `${code}, ${why}`);
      this.launch.world.callApp(this.launch, () => this.end.closed(code, reason, wasClean));
    });
  }

  #leaveOpen(state: 'closing' | 'closed'): void {
    if (this.record.state === 'connecting' || this.record.state === 'open') this.network.leftOpen(this.record);
    this.record.state = state;
  }

  protected tellServer(delayMs: number): void {
    this.fates.after(
      delayMs,
      () => this.#endForServer(BROKEN, ''),
      () => this.server?.isOver !== true,
    );
  }

  #endForServer(code: number, reason: string): void {
    if (!this.server || this.server.isOver) return;
    this.trace('ended', String(code));
    this.server.closed(code, reason);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // What happens to all connections

  appKilled(): void {
    this.isWireLost = this.fates.between(0, 1, 'wire') < 0.5;
    this.#leaveOpen('closed');
    this.record.closedAtMs = this.launch.world.nowMs;
    this.network.remove(this);
    this.tellServer(this.fates.between(20, 30_000, 'killed'));
  }

  networkLost(): void {
    this.goDead();
  }

  serverDown(): void {
    if (!this.server || this.server.isOver) return;
    this.terminateFromServer();
  }

  backgrounded(): void {
    this.fates.closesInBackground(() => {
      this.endForApp(BROKEN, '', 'the OS closed it in the background');
      this.tellServer(this.fates.tripMs('gone'));
    });
  }

  protected trace(phase: Extract<TraceEvent, { kind: 'socket' }>['phase'], note = ''): void {
    this.launch.world.emit({
      atMs: this.launch.world.nowMs,
      phone: this.record.phone,
      kind: 'socket',
      phase,
      socket: this.record,
      note,
    });
  }
}
