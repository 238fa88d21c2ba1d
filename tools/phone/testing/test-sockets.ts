// WebSockets on the test phone: they lead straight to a backend, without a network in between and without time passing.
import { ServerEnd, type ServerLine, type SocketServer } from '../server-socket.ts';
import { createWebSocket, type SocketEnd, type SocketWire } from '../web-socket.ts';

/** One frame of a test phone's socket. */
export interface TestFrame {
  readonly text: string;
  /** Virtual time since the phone was made, in ms. */
  readonly atMs: number;
}

/** One WebSocket the app has opened, as a test looks at it and moves it. */
export interface TestSocket {
  readonly url: string;
  /** Virtual time since the phone was made, in ms. */
  readonly atMs: number;
  /** As the app knows it; a killed app's sockets are closed. */
  readonly state: 'connecting' | 'open' | 'closing' | 'closed';
  /** What left the app, in order: also what never arrived. */
  readonly sent: readonly TestFrame[];
  /** What the app was given, in order. */
  readonly received: readonly TestFrame[];
  /** The code of the close that the app heard; null before. */
  readonly closeCode: number | null;
  /** Breaks the connection: app and server hear 1006. */
  drop(): Promise<void>;
  /** Half-open: from here on nothing passes, and neither side is told. Losing the network does the same. */
  goSilent(): void;
}

/** What a test does with sockets. Part of the test phone. */
export interface SocketHands {
  /** Where every `new WebSocket(…)` leads, from now on. Without it, each is refused. */
  connectSockets(server: SocketServer): void;
  /** Every socket the app has opened, over all launches, in that order. */
  readonly sockets: readonly TestSocket[];
  /** The next socket is refused (`error`, then 1006), or hangs: no answer until somebody gives up. */
  failNextConnect(how: 'refused' | 'hang'): void;
  /** What becomes of each frame from the server: the frames the app is given in its place. Null: each as it is. */
  interceptFrames(change: ((text: string, socket: TestSocket) => readonly string[]) | null): void;
}

/** What the phone tells its sockets. */
export interface SocketSurroundings {
  isOnline(): boolean;
  /** Calls into the app: at once, at the return to the foreground, never once this launch is dead. */
  deliver(launch: LaunchHandle, run: () => void): void;
  elapsedMs(): number;
  settle(): Promise<void>;
}

export interface LaunchHandle {
  readonly isAlive: boolean;
}

const BROKEN = 1006;

interface Shared extends SocketSurroundings {
  server: SocketServer | null;
  readonly failures: ('refused' | 'hang')[];
  change: ((text: string, socket: TestSocket) => readonly string[]) | null;
}

/** The sockets of one test phone. */
export function createTestSockets(surroundings: SocketSurroundings) {
  const shared: Shared = { ...surroundings, server: null, failures: [], change: null };
  const lines: TestLine[] = [];
  const hands: SocketHands = {
    connectSockets(server) {
      shared.server = server;
    },
    sockets: lines,
    failNextConnect(how) {
      shared.failures.push(how);
    },
    interceptFrames(change) {
      shared.change = change;
    },
  };
  return {
    hands,
    /** The `WebSocket` of one launch. */
    classFor: (launch: LaunchHandle) =>
      createWebSocket({
        open(url, end) {
          const line = new TestLine(shared, launch, url, end);
          if (launch.isAlive) {
            lines.push(line);
            line.connect();
          }
          return line;
        },
        elapsedMs: shared.elapsedMs,
      }),
    networkLost() {
      for (const line of lines) line.networkLost();
    },
    appKilled() {
      for (const line of lines) line.appKilled();
    },
  };
}

class TestLine implements TestSocket, SocketWire, ServerLine {
  readonly url: string;
  readonly atMs: number;
  readonly sent: TestFrame[] = [];
  readonly received: TestFrame[] = [];
  state: TestSocket['state'] = 'connecting';
  closeCode: number | null = null;
  readonly #shared: Shared;
  readonly #launch: LaunchHandle;
  readonly #end: SocketEnd;
  #server: ServerEnd | null = null;
  #isSilent = false;

  constructor(shared: Shared, launch: LaunchHandle, url: string, end: SocketEnd) {
    this.#shared = shared;
    this.#launch = launch;
    this.#end = end;
    this.url = url;
    this.atMs = shared.elapsedMs();
  }

  connect(): void {
    const { isOnline, failures, server } = this.#shared;
    const failure = isOnline() ? failures.shift() : undefined;
    if (failure === 'hang') return;
    queueMicrotask(() => {
      if (this.state !== 'connecting' || this.#isSilent) return;
      if (!isOnline() || failure === 'refused' || !server) this.#endForApp(BROKEN, '', false);
      else this.#accept(server);
    });
  }

  #accept(server: SocketServer): void {
    this.#server = new ServerEnd(this);
    this.#toApp(() => {
      if (this.state !== 'connecting') return;
      this.state = 'open';
      this.#end.opened();
    });
    server.connect({ url: this.url, headers: new Headers() }, this.#server);
  }

  send(text: string): boolean {
    if (!this.#launch.isAlive) return false;
    this.sent.push({ text, atMs: this.#shared.elapsedMs() });
    if (this.#isSilent) return false;
    this.#toServer(() => this.#server?.received(text));
    return true;
  }

  sendToApp(text: string): void {
    for (const given of this.#shared.change?.(text, this) ?? [text]) {
      this.#toApp(() => {
        if (this.state !== 'open') return;
        this.received.push({ text: given, atMs: this.#shared.elapsedMs() });
        this.#end.received(given);
      });
    }
  }

  close(code: number, reason: string): void {
    if (!this.#launch.isAlive) return;
    const wasOpen = this.state === 'open';
    this.state = 'closing';
    if (!wasOpen || this.#isSilent) {
      // Nobody answers: the platform ends it by itself. What it said does not reach a server behind a dead line.
      queueMicrotask(() => this.#endForApp(BROKEN, '', false));
      if (!this.#isSilent) this.#toServer(() => this.#server?.closed(BROKEN));
      return;
    }
    this.#toServer(() => {
      this.#server?.closed(code, reason);
      this.#toApp(() => this.#tellEnd(code, reason, true));
    });
  }

  closeFromServer(code: number, reason: string): void {
    this.#toApp(() => this.#tellEnd(code, reason, true));
    this.#toServer(() => this.#server?.closed(code, reason));
  }

  terminateFromServer(): void {
    this.#server?.closed(BROKEN);
    this.#toApp(() => this.#tellEnd(BROKEN, '', false));
  }

  async drop(): Promise<void> {
    this.#endForApp(BROKEN, '', false);
    this.#server?.closed(BROKEN);
    await this.#shared.settle();
  }

  goSilent(): void {
    if (this.state !== 'closed') this.#isSilent = true;
  }

  networkLost(): void {
    if (this.state === 'connecting') queueMicrotask(() => this.#endForApp(BROKEN, '', false));
    this.goSilent();
  }

  appKilled(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    queueMicrotask(() => this.#server?.closed(BROKEN));
  }

  /** Microtasks keep the order of what is sent. */
  #toServer(run: () => void): void {
    queueMicrotask(() => {
      if (!this.#isSilent) run();
    });
  }

  #toApp(run: () => void): void {
    queueMicrotask(() => {
      if (!this.#isSilent) this.#shared.deliver(this.#launch, run);
    });
  }

  #endForApp(code: number, reason: string, wasClean: boolean): void {
    this.#shared.deliver(this.#launch, () => this.#tellEnd(code, reason, wasClean));
  }

  #tellEnd(code: number, reason: string, wasClean: boolean): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.closeCode = code;
    this.#end.closed(code, reason, wasClean);
  }
}
