// Requests as the simulated network carries them: what was asked, without the platform's stream underneath.
import { describeBytes } from '../phone/describe-bytes.ts';
import { remembered } from '../phone/remembered.ts';

const NEVER_ABORTED = new AbortController().signal;

/** What the app asked for. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  /** The same, names in lower case. Not to be changed. */
  readonly headerFields: Readonly<Record<string, string>>;
  /** Text, or null without a body. Of bytes: their number and hash, as a record shows them. */
  readonly body: string | null;
  /** A body of bytes. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal | null;
}

/**
 * Reads the arguments of `fetch`. Throws what `fetch` rejects with for a URL that is not absolute or a method that is none.
 * Text and bytes take no time; all others are read by a real `Request`.
 */
export function readRequest(
  input: RequestInfo | URL,
  init: RequestInit = {},
): OutgoingRequest | Promise<OutgoingRequest> {
  const { body } = init;
  if (isBytes(body) && !(input instanceof Request)) return readBytesRequest(String(input), body, init);
  if (input instanceof Request || (body !== undefined && body !== null && typeof body !== 'string'))
    return readAnyRequest(input, init);
  const url = parseUrl(String(input));
  const method = methodOf(init.method ?? 'GET');
  if (typeof body === 'string' && (method === 'GET' || method === 'HEAD'))
    throw new TypeError('Request with GET/HEAD method cannot have body.');
  const type = typeof body === 'string' ? 'text/plain;charset=UTF-8' : null;
  return { method, url, ...readHeaders(init.headers, type), body: body ?? null, signal: init.signal ?? null };
}

async function readAnyRequest(input: RequestInfo | URL, init: RequestInit): Promise<OutgoingRequest> {
  const request = new Request(input, init);
  const text = request.body === null ? null : await request.clone().text();
  const { method, url, signal } = request;
  const { headers, body } = withOwnBoundary(new Headers(request.headers), text);
  return { method, url, signal, headers, headerFields: Object.fromEntries(headers), body };
}

type SomeHeaders = Pick<OutgoingRequest, 'headers' | 'headerFields'>;

/** Apps send the same few headers again and again: those of a plain object are made once. Nobody changes them on the way. */
function readHeaders(init: HeadersInit = {}, type: string | null): SomeHeaders {
  const isPlain = Object.getPrototypeOf(init) === Object.prototype;
  const isText = isPlain && Object.values(init).every((value) => typeof value === 'string');
  return isText ? knownHeaders(JSON.stringify([init, type])) : makeHeaders(init, type);
}

const knownHeaders = remembered((text) =>
  makeHeaders(...(JSON.parse(text) as [Record<string, string>, string | null])),
);

function makeHeaders(init: HeadersInit, type: string | null): SomeHeaders {
  const headers = new Headers(init);
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type);
  return { headers, headerFields: Object.freeze(Object.fromEntries(headers)) };
}

/** A body of bytes is copied as it leaves; no content type goes with it unless the app gives one. Source: Fetch, "extract a body". */
function readBytesRequest(input: string, body: ArrayBuffer | ArrayBufferView, init: RequestInit): OutgoingRequest {
  const bytes = ArrayBuffer.isView(body)
    ? new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength).slice()
    : new Uint8Array(body.slice(0));
  const method = methodOf(init.method ?? 'GET');
  if (method === 'GET' || method === 'HEAD') throw new TypeError('Request with GET/HEAD method cannot have body.');
  return new BytesRequest(method, parseUrl(input), readHeaders(init.headers, null), bytes, init.signal ?? null);
}

class BytesRequest implements OutgoingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly headerFields: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal | null;
  #described: string | undefined;

  constructor(
    method: string,
    url: string,
    { headers, headerFields }: SomeHeaders,
    bytes: Uint8Array<ArrayBuffer>,
    signal: AbortSignal | null,
  ) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.headerFields = headerFields;
    this.bytes = bytes;
    this.signal = signal;
  }

  /** Hashed when someone looks: most large bodies are never looked at. */
  get body(): string {
    this.#described ??= describeBytes(this.bytes);
    return this.#described;
  }
}

const isBytes = (body: unknown): body is ArrayBuffer | ArrayBufferView =>
  body instanceof ArrayBuffer || ArrayBuffer.isView(body);

const BOUNDARY = '----AirplaneModeFormBoundary';

/** Node draws the boundary between a form's parts anew each time; runs of one plan must be alike. */
function withOwnBoundary(headers: Headers, body: string | null): { headers: Headers; body: string | null } {
  const type = headers.get('content-type') ?? '';
  const boundary = /^multipart\/form-data; *boundary=(.+)$/.exec(type)?.[1];
  if (boundary === undefined || body === null) return { headers, body };
  headers.set('content-type', type.replace(boundary, BOUNDARY));
  return { headers, body: body.replaceAll(boundary, BOUNDARY) };
}

/** Methods whose name is put into upper case. Source: Fetch, "normalize a method": `patch` is not among them. */
const NORMALISED = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);

function methodOf(text: string): string {
  if (NORMALISED.has(text)) return text;
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(text)) throw new TypeError(`'${text}' is not a valid HTTP method.`);
  const upper = text.toUpperCase();
  return NORMALISED.has(upper) ? upper : text;
}

const parseUrl = remembered((text) => {
  const url = URL.parse(text);
  if (url === null) throw new TypeError(`Failed to parse URL from ${text}`);
  return url.href;
});

/** A `Request` for the backend, with its body at hand. Whatever needs more gets a real one. */
export function createServerRequest(request: Omit<OutgoingRequest, 'signal' | 'headerFields'>): Request {
  const { method, url, headers, bytes } = request;
  // The body of bytes is not looked at: that would hash it.
  return new ServerRequest(method, url, headers, bytes ?? request.body) as unknown as Request;
}

class ServerRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly bodyUsed = false;
  readonly signal = NEVER_ABORTED;
  readonly #content: string | Uint8Array<ArrayBuffer> | null;

  constructor(method: string, url: string, headers: Headers, content: string | Uint8Array<ArrayBuffer> | null) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.#content = content;
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#content === null ? null : this.#asReal().body;
  }

  async text(): Promise<string> {
    return typeof this.#content === 'string' ? this.#content : new TextDecoder().decode(this.#content ?? undefined);
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    // Not copied: nobody else changes it, and a backend has no reason to.
    return this.#content instanceof Uint8Array ? this.#content.buffer : this.#asReal().arrayBuffer();
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.arrayBuffer());
  }

  async blob(): Promise<Blob> {
    return this.#asReal().blob();
  }

  async formData(): Promise<FormData> {
    return this.#asReal().formData();
  }

  clone(): ServerRequest {
    return new ServerRequest(this.method, this.url, this.headers, this.#content);
  }

  #asReal(): Request {
    return new Request(this.url, { method: this.method, headers: this.headers, body: this.#content });
  }
}
// `instanceof Request` holds.
Object.setPrototypeOf(ServerRequest.prototype, Request.prototype);
