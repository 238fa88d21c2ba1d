// The server's side of a WebSocket: one shape for the simulation, for a suite and for localhost.

/** The handshake that asks for a connection. */
export interface SocketRequest {
  /** `wss://host/path?query`, as the app wrote it. */
  readonly url: string;
  readonly headers: Headers;
}

/** One connection as the server has it. Frames are text. */
export interface ServerSocket {
  /** Sends a frame. Once the connection is over it does nothing. */
  send(text: string): void;
  /** Begins the closing handshake: 1000 or 3000-4999 (default 1000). The app hears the code after all frames sent before. */
  close(code?: number, reason?: string): void;
  /** Breaks the connection without a handshake: the app hears 1006. */
  terminate(): void;
  onMessage(listener: (text: string) => void): void;
  /** Told once, when the connection is over for the server, whoever ended it: 1005 without a code, 1006 for a break. */
  onClose(listener: (code: number, reason: string) => void): void;
}

/** What a backend has, beside `app`, to accept WebSockets. */
export interface SocketServer {
  /** Every connection is accepted; one that is not wanted is closed with a code. */
  connect(request: SocketRequest, socket: ServerSocket): void;
}

/** What lies beneath a server's socket: a simulated line, or a test's. */
export interface ServerLine {
  sendToApp(text: string): void;
  closeFromServer(code: number, reason: string): void;
  terminateFromServer(): void;
}

/** A server's socket over any line. The line says what comes in; listeners that come late still hear of the close. */
export class ServerEnd implements ServerSocket {
  readonly #line: ServerLine;
  #messageListeners: ((text: string) => void)[] = [];
  #closeListeners: ((code: number, reason: string) => void)[] = [];
  #isClosing = false;
  #isOver = false;

  constructor(line: ServerLine) {
    this.#line = line;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  send(text: string): void {
    if (!this.#isClosing && !this.#isOver) this.#line.sendToApp(text);
  }

  close(code = 1000, reason = ''): void {
    if (this.#isClosing || this.#isOver) return;
    this.#isClosing = true;
    this.#line.closeFromServer(code, reason);
  }

  terminate(): void {
    if (!this.#isOver) this.#line.terminateFromServer();
  }

  onMessage(listener: (text: string) => void): void {
    this.#messageListeners.push(listener);
  }

  onClose(listener: (code: number, reason: string) => void): void {
    this.#closeListeners.push(listener);
  }

  /** The line brings a frame. */
  received(text: string): void {
    if (this.#isClosing || this.#isOver) return;
    for (const listener of this.#messageListeners) listener(text);
  }

  /** The line is over. Only the first call counts. */
  closed(code: number, reason = ''): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const listeners = this.#closeListeners;
    this.#closeListeners = [];
    this.#messageListeners = [];
    for (const listener of listeners) listener(code, reason);
  }
}
