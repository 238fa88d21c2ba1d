// Requests as the simulated network carries them: what was asked, without the platform's stream underneath.

const NEVER_ABORTED = new AbortController().signal;

/** What the app asked for. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  /** Text, or null without a body. */
  readonly body: string | null;
  readonly signal: AbortSignal | null;
}

/**
 * Reads the arguments of `fetch`. Rejects as `fetch` does for a URL that is not absolute or a method that is none.
 * Text bodies take no time; all others are read by a real `Request`.
 */
export async function readRequest(input: RequestInfo | URL, init: RequestInit = {}): Promise<OutgoingRequest> {
  const { body } = init;
  if (input instanceof Request || (body !== undefined && body !== null && typeof body !== 'string')) {
    const request = new Request(input, init);
    const text = request.body === null ? null : await request.clone().text();
    const { method, url, signal } = request;
    return { method, url, signal, ...withOwnBoundary(new Headers(request.headers), text) };
  }
  const url = parseUrl(String(input));
  const method = methodOf(init.method ?? 'GET');
  const headers = new Headers(init.headers);
  if (typeof body === 'string' && (method === 'GET' || method === 'HEAD'))
    throw new TypeError('Request with GET/HEAD method cannot have body.');
  if (typeof body === 'string' && !headers.has('content-type')) headers.set('content-type', 'text/plain;charset=UTF-8');
  return { method, url, headers, body: body ?? null, signal: init.signal ?? null };
}

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
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(text)) throw new TypeError(`'${text}' is not a valid HTTP method.`);
  const upper = text.toUpperCase();
  return NORMALISED.has(upper) ? upper : text;
}

function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null) throw new TypeError(`Failed to parse URL from ${text}`);
  return url.href;
}

/** A `Request` for the backend, with its body at hand. Whatever needs more gets a real one. */
export function createServerRequest({ method, url, headers, body }: Omit<OutgoingRequest, 'signal'>): Request {
  return new ServerRequest(method, url, headers, body) as unknown as Request;
}

class ServerRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly bodyUsed = false;
  readonly signal = NEVER_ABORTED;
  readonly #text: string | null;

  constructor(method: string, url: string, headers: Headers, text: string | null) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.#text = text;
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#text === null ? null : this.#asReal().body;
  }

  async text(): Promise<string> {
    return this.#text ?? '';
  }

  async json(): Promise<unknown> {
    return JSON.parse(this.#text ?? '');
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#asReal().arrayBuffer();
  }

  async blob(): Promise<Blob> {
    return this.#asReal().blob();
  }

  async formData(): Promise<FormData> {
    return this.#asReal().formData();
  }

  clone(): ServerRequest {
    return new ServerRequest(this.method, this.url, this.headers, this.#text);
  }

  #asReal(): Request {
    return new Request(this.url, { method: this.method, headers: this.headers, body: this.#text });
  }
}
// `instanceof Request` holds.
Object.setPrototypeOf(ServerRequest.prototype, Request.prototype);
