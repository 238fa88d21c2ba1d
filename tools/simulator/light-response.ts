// A `Response` for text bodies without a stream underneath: most of a simulated request's time would go into that stream.

const Real = globalThis.Response;
const NULL_BODY_STATUS = new Set([101, 204, 205, 304]);

/**
 * Behaves like the platform's `Response`. A text body is kept as text; whatever needs more than
 * `text`, `json` and `clone` is handed to a real `Response` made then.
 */
export class LightResponse {
  readonly status: number;
  readonly statusText: string;
  readonly type = 'default';
  readonly url = '';
  readonly redirected = false;
  readonly headers: Headers;
  #text: string | null;
  #real: Response | null = null;
  #isUsed = false;

  constructor(body: BodyInit | null = null, init: ResponseInit = {}, headers = new Headers(init.headers)) {
    this.status = init.status ?? 200;
    if (this.status < 200 || this.status > 599)
      throw new RangeError(`Response status must be 200 to 599, got ${this.status}.`);
    if (body !== null && NULL_BODY_STATUS.has(this.status))
      throw new TypeError(`A response with status ${this.status} has no body.`);
    this.statusText = init.statusText ?? '';
    this.headers = headers;
    this.#text = typeof body === 'string' ? body : null;
    if (typeof body === 'string') {
      if (!this.headers.has('content-type')) this.headers.set('content-type', 'text/plain;charset=UTF-8');
    } else if (body !== null) {
      this.#real = new Real(body, init);
      for (const [name, value] of this.#real.headers) this.headers.set(name, value);
    }
  }

  /** Takes the headers over: whoever gives them keeps no hold of them. */
  static of(body: BodyInit | null, status: number, headers: Headers): Response {
    return new LightResponse(body, { status }, headers) as unknown as Response;
  }

  static json(data: unknown, init: ResponseInit = {}): LightResponse {
    const headers = new Headers(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new LightResponse(JSON.stringify(data), init, headers);
  }

  static error = (): Response => Real.error();
  static redirect = (url: string | URL, status?: number): Response => Real.redirect(url, status);

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get bodyUsed(): boolean {
    return this.#isUsed || (this.#real?.bodyUsed ?? false);
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#text === null && this.#real === null ? null : this.#asReal().body;
  }

  async text(): Promise<string> {
    return this.#real ? this.#real.text() : this.#take();
  }

  async json(): Promise<unknown> {
    return this.#real ? this.#real.json() : JSON.parse(this.#take());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#asReal().arrayBuffer();
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.#asReal().arrayBuffer());
  }

  async blob(): Promise<Blob> {
    return this.#asReal().blob();
  }

  async formData(): Promise<FormData> {
    return this.#asReal().formData();
  }

  clone(): LightResponse {
    if (this.bodyUsed) throw new TypeError('Response.clone: Body has already been consumed.');
    const body = this.#real ? this.#real.clone().body : this.#text;
    return new LightResponse(body, { status: this.status, statusText: this.statusText, headers: this.headers });
  }

  #take(): string {
    if (this.#isUsed) throw new TypeError('Body is unusable: Body has already been read');
    this.#isUsed = this.#text !== null;
    return this.#text ?? '';
  }

  #asReal(): Response {
    if (this.#isUsed) throw new TypeError('Body is unusable: Body has already been read');
    this.#real ??= new Real(this.#text, { status: this.status, statusText: this.statusText, headers: this.headers });
    return this.#real;
  }
}
// `instanceof Response` holds, whichever of the two a library has hold of.
Object.setPrototypeOf(LightResponse.prototype, Real.prototype);

/** Makes it the global `Response` of this process, for the backend and for the app. Gives the function that undoes it. */
export function useLightResponses(): () => void {
  globalThis.Response = LightResponse as unknown as typeof Response;
  return () => {
    globalThis.Response = Real;
  };
}
