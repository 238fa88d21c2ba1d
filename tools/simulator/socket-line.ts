// One WebSocket between an app and the backend: its handshake, its frames, their faults. How it ends: socket-ends.ts.
import { ServerEnd, type ServerLine } from '../phone/server-socket.ts';
import type { SocketWire } from '../phone/web-socket.ts';
import { SocketEnds } from './socket-ends.ts';
import type { FrameRecord } from './trace.ts';

/** The OS gives up on a handshake without an answer after this long. */
const OS_TIMEOUT_MS = 60_000;

export class SocketLine extends SocketEnds implements SocketWire, ServerLine {
  // -------------------------------------------------------------------------------------------------------------------
  // Opening

  /** Asks the server for the connection, as its fault lets it. */
  connect(): void {
    const { phone, world } = this.launch;
    const { nth } = this.record;
    const planned = world.faultAt(phone.index, 'socket.connect', nth);
    const fault = phone.isOnline || planned === 'kill-before' ? planned : undefined;
    if (fault) world.noteFault(phone.index, fault, 'socket.connect', nth);
    this.network.add(this);
    if (fault === 'kill-before') {
      phone.kill('as a socket was about to connect');
      return;
    }
    this.trace('connecting');
    const upMs = this.fates.tripMs('connect-up');
    const downMs = this.fates.tripMs('connect-down');
    if (!phone.isOnline) this.endLater(this.fates.between(1, 50, 'refused'), 'there is no network');
    else if (fault === 'refused') this.endLater(upMs + downMs, 'the server refused');
    else if (fault === 'hang') this.endLater(OS_TIMEOUT_MS, 'the OS gave up waiting');
    else {
      const slowMs = fault === 'slow' ? this.fates.between(2_000, 20_000, 'slow') : 0;
      this.fates.after(upMs + slowMs, () => this.#reach(downMs, fault === 'kill-after'));
    }
  }

  #reach(downMs: number, isKilledThen: boolean): void {
    if (this.isOver || this.dead) return;
    const { world } = this.launch;
    const { sockets } = world.backend;
    if (world.isServerDown || !sockets) {
      this.endLater(downMs, 'the server refused');
      return;
    }
    this.server = new ServerEnd(this);
    this.trace('accepted');
    // The app hears of the connection before any frame.
    this.down.push(downMs, () => this.#opened(isKilledThen));
    sockets.connect({ url: this.record.url, headers: new Headers() }, this.server);
  }

  #opened(isKilledThen: boolean): void {
    if (this.record.state !== 'connecting' || this.dead) return;
    if (isKilledThen) {
      this.launch.phone.kill('as a socket was accepted');
      return;
    }
    this.fates.whenAwake(() => {
      if (this.record.state !== 'connecting') return;
      this.record.state = 'open';
      this.record.openedAtMs = this.launch.world.nowMs;
      this.trace('opened');
      this.launch.world.callApp(this.launch, () => this.end.opened());
    });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Frames

  /** A frame from the app. */
  send(text: string): boolean {
    const { launch } = this;
    if (!launch.alive) return false;
    const { frame, fault: planned } = this.network.frame(launch, 'socket.send', this.record, text);
    const fault = this.dead && planned !== 'kill-before' ? undefined : planned;
    if (fault) this.network.strike(frame, fault);
    if (fault === 'kill-before') {
      launch.phone.kill('as a frame was about to leave');
      return false;
    }
    this.network.trace(frame, 'sent');
    if (!launch.alive) return false;
    if (this.dead) {
      this.#lose(frame);
      this.noticeAtSend();
      return false;
    }
    if (fault === 'lost' || fault === 'half-open' || fault === 'drop') {
      this.#lose(frame);
      if (fault === 'half-open') this.goDead();
      if (fault === 'drop') this.fates.after(0, () => this.breakOff('the connection broke'));
      return true;
    }
    this.up.push(this.fates.tripMs('up', frame.nth), () => this.#arriveAtServer(frame));
    if (fault === 'kill-after') launch.phone.kill('as a frame had left');
    return true;
  }

  #arriveAtServer(frame: FrameRecord): void {
    if (this.dead || this.isWireLost || !this.server || this.server.isOver) {
      this.#lose(frame);
      return;
    }
    this.network.trace(frame, 'arrived');
    this.server.received(frame.text);
  }

  /** A frame from the server. */
  sendToApp(text: string): void {
    const { frame, fault } = this.network.frame(this.launch, 'socket.receive', this.record, text);
    this.network.trace(frame, 'sent');
    this.down.push(this.fates.tripMs('down', frame.nth), () => this.#arriveAtApp(frame, fault));
  }

  #arriveAtApp(frame: FrameRecord, fault: string | undefined): void {
    if (this.dead || this.isOver) {
      this.#lose(frame);
      return;
    }
    if (fault) this.network.strike(frame, fault);
    switch (fault) {
      case 'lost':
        this.#lose(frame);
        break;
      case 'drop':
        this.#lose(frame);
        this.breakOff('the connection broke');
        break;
      case 'half-open':
        this.#lose(frame);
        this.goDead();
        break;
      case 'delay':
        this.fates.after(this.fates.between(1_000, 20_000, 'late', frame.nth), () => this.#deliver(frame, 'late'));
        break;
      case 'duplicate':
        this.#deliver(frame);
        this.fates.after(this.fates.between(10, 5_000, 'twin', frame.nth), () => this.#deliver(frame, 'a second time'));
        break;
      case 'kill-before':
        this.launch.phone.kill('as a frame came in');
        break;
      default:
        this.#deliver(frame, '', fault === 'kill-after');
    }
  }

  #deliver(frame: FrameRecord, note = '', isKilledThen = false): void {
    this.fates.whenAwake(() => {
      if (this.record.state !== 'open') {
        if (frame.arrivedAtMs === null) this.#lose(frame);
        return;
      }
      this.network.trace(frame, 'arrived', note);
      this.launch.world.callApp(this.launch, () => this.end.received(frame.text));
      if (isKilledThen) this.launch.phone.kill('as a frame had come in');
    });
  }

  #lose(frame: FrameRecord): void {
    this.network.trace(frame, 'lost');
  }
}
