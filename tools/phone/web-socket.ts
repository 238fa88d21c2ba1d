// The platform's `WebSocket`, over whatever carries it: a simulated network, or a test. Source: WHATWG WebSockets.
import { boundTo } from './bound-class.ts';
import { byteLength } from './byte-length.ts';
import { remembered } from './remembered.ts';

/** What a line tells its socket. After `closed` it tells nothing more. */
export interface SocketEnd {
  opened(): void;
  received(text: string): void;
  /** 1006 and unclean for a break; then the app hears an `error` first. */
  closed(code: number, reason: string, wasClean: boolean): void;
}

/** What a socket asks of its line. */
export interface SocketWire {
  /** False when the frame cannot even leave: it counts as buffered for ever. */
  send(text: string): boolean;
  /** Begins the closing handshake, or gives up connecting. 1005 stands for no code. */
  close(code: number, reason: string): void;
}

/** Where the sockets of one launch lead. */
export interface SocketPort {
  /** Begins to connect. Tells `end` later, never before it has returned. */
  open(url: string, end: SocketEnd): SocketWire;
  /** Virtual time since the launch, in ms: the `timeStamp` of events. */
  elapsedMs(): number;
}

type Handler = (event: Event) => unknown;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const REASON_BYTES_MAX = 123;

/**
 * Behaves as the standard says, with text frames only: `send` of anything else throws `NotSupportedError`.
 * Subprotocols are checked and never chosen.
 */
export class PhoneWebSocket extends EventTarget {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;
  readonly CONNECTING = CONNECTING;
  readonly OPEN = OPEN;
  readonly CLOSING = CLOSING;
  readonly CLOSED = CLOSED;
  readonly url: string;
  readonly protocol = '';
  readonly extensions = '';
  binaryType: 'blob' | 'arraybuffer' = 'blob';
  readonly #origin: string;
  readonly #port: SocketPort;
  readonly #wire: SocketWire;
  readonly #handlers = new Map<string, Handler | null>();
  #state = CONNECTING;
  #bufferedBytes = 0;

  constructor(port: SocketPort, url: string | URL, protocols: string | readonly string[] = []) {
    super();
    this.#port = port;
    const { href, origin } = readUrl(String(url));
    this.url = href;
    this.#origin = origin;
    checkProtocols(typeof protocols === 'string' ? [protocols] : protocols);
    this.#wire = port.open(this.url, {
      opened: () => this.#opened(),
      received: (text) => this.#received(text),
      closed: (code, reason, wasClean) => this.#closed(code, reason, wasClean),
    });
  }

  get readyState(): number {
    return this.#state;
  }

  get bufferedAmount(): number {
    return this.#bufferedBytes;
  }

  send(data: unknown): void {
    if (this.#state === CONNECTING) throw domError('InvalidStateError', 'send: the socket is still connecting.');
    if (typeof data !== 'string') {
      throw domError('NotSupportedError', `send: this phone carries text frames only, got ${typeof data}.`);
    }
    const isOnItsWay = this.#state === OPEN && this.#wire.send(data);
    if (!isOnItsWay) this.#bufferedBytes += byteLength(data);
  }

  close(code?: number, reason = ''): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw domError('InvalidAccessError', `close: the code is 1000 or 3000 to 4999, got ${code}.`);
    }
    if (byteLength(reason) > REASON_BYTES_MAX) {
      throw domError('SyntaxError', `close: the reason takes ${REASON_BYTES_MAX} bytes at most.`);
    }
    if (this.#state === CLOSING || this.#state === CLOSED) return;
    this.#state = CLOSING;
    this.#wire.close(code ?? 1005, reason);
  }

  #opened(): void {
    if (this.#state !== CONNECTING) return;
    this.#state = OPEN;
    this.#fire(new Event('open'));
  }

  #received(data: string): void {
    if (this.#state !== OPEN) return;
    this.dispatchEvent(new SocketMessageEvent(data, this.#origin, this.#port.elapsedMs()));
  }

  #closed(code: number, reason: string, wasClean: boolean): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    if (!wasClean) this.#fire(new Event('error'));
    this.#fire(new CloseEvent('close', { code, reason, wasClean }));
  }

  /** The platform stamps events with real time, which no simulation may see. */
  #fire(event: Event): void {
    this.dispatchEvent(Object.defineProperty(event, 'timeStamp', { value: this.#port.elapsedMs() }));
  }

  get onopen(): Handler | null {
    return this.#handlers.get('open') ?? null;
  }
  set onopen(handler: Handler | null) {
    this.#handle('open', handler);
  }
  get onmessage(): Handler | null {
    return this.#handlers.get('message') ?? null;
  }
  set onmessage(handler: Handler | null) {
    this.#handle('message', handler);
  }
  get onerror(): Handler | null {
    return this.#handlers.get('error') ?? null;
  }
  set onerror(handler: Handler | null) {
    this.#handle('error', handler);
  }
  get onclose(): Handler | null {
    return this.#handlers.get('close') ?? null;
  }
  set onclose(handler: Handler | null) {
    this.#handle('close', handler);
  }

  /** A handler keeps the place among the listeners that the first of its kind had. Source: HTML, event handlers. */
  #handle(type: string, handler: unknown): void {
    if (!this.#handlers.has(type)) this.addEventListener(type, (event) => this.#handlers.get(type)?.call(this, event));
    this.#handlers.set(type, typeof handler === 'function' ? (handler as Handler) : null);
  }
}

/** A `MessageEvent` of text. The platform's own looks each field over first, and most events are these. */
class SocketMessageEvent extends Event {
  readonly data: string;
  readonly origin: string;
  readonly lastEventId = '';
  readonly source = null;
  readonly ports: readonly MessagePort[] = [];
  override readonly timeStamp: number = 0;

  constructor(data: string, origin: string, atMs: number) {
    super('message');
    this.data = data;
    this.origin = origin;
    this.timeStamp = atMs;
  }
}
// `instanceof MessageEvent` holds.
Object.setPrototypeOf(SocketMessageEvent.prototype, MessageEvent.prototype);

/** The `WebSocket` of one launch: what its `new WebSocket(url, protocols)` makes goes through the port. */
export const createWebSocket = (port: SocketPort) => boundTo(PhoneWebSocket, port);

const readUrl = remembered((text): Pick<URL, 'href' | 'origin'> => {
  const url = URL.parse(text);
  if (url === null) throw domError('SyntaxError', `WebSocket: ${text} is no URL.`);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw domError('SyntaxError', `WebSocket: the URL begins with ws: or wss:, got ${url.protocol}`);
  }
  if (url.hash !== '') throw domError('SyntaxError', `WebSocket: the URL has no fragment, got ${url.hash}.`);
  return { href: url.href, origin: url.origin };
});

function checkProtocols(protocols: readonly string[]): void {
  const isValid = protocols.every((name) => /^[\w!#$%&'*+.^`|~-]+$/.test(name));
  if (!isValid || new Set(protocols).size < protocols.length) {
    throw domError('SyntaxError', `WebSocket: protocols are distinct names, got ${protocols.join(', ')}.`);
  }
}

const domError = (name: string, message: string): DOMException => new DOMException(message, name);
