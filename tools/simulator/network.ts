// The network between phones and the backend: latency, faults, and what becomes of a message when the app or the line dies.
import { byteLength } from '../phone/byte-length.ts';
import { EventSourceLine, isEventStream } from './event-source-line.ts';
import { answerOfFault, isAnswerFault } from './fault-answers.ts';
import type { Launch } from './launch.ts';
import { createServerRequest, type OutgoingRequest, readRequest } from './light-request.ts';
import { LightResponse } from './light-response.ts';
import { type RouteMatcher, routeMatcherOf } from './routes.ts';
import type { SimulatedPhone } from './simulated-phone.ts';
import type { RequestRecord, TraceEvent } from './trace.ts';
import type { World } from './world.ts';

/** One-way trip of a message, in ms. */
const TRIP_MS = { min: 20, max: 200 };
/** The OS gives up on a request without an answer after this long. Source: iOS's default for URLSession, 60 s. */
const OS_TIMEOUT_MS = 60_000;

/** What the backend gave, with its body read. */
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** A body that goes on after the headers; then `body` is empty. */
  readonly stream?: ReadableStream<Uint8Array>;
}

/** A request on its way. */
interface Flight {
  readonly record: RequestRecord;
  readonly launch: Launch;
  readonly request: OutgoingRequest;
  readonly fault: string | undefined;
  readonly resolve: (response: Response) => void;
  readonly reject: (error: unknown) => void;
  /** Whom an abort concerns: nobody, once it is over. The app's signal may live long. */
  network: Network | null;
  /** Set once the app has heard, or never will. */
  isOver: boolean;
  /** The message to the server is lost on the way. */
  isLost: boolean;
  /** The answer is lost on its way back: the line went dead. */
  isAnswerLost: boolean;
}

export class Network {
  readonly #world: World;
  readonly #endpointOf: RouteMatcher;
  readonly #flights = new Set<Flight>();
  readonly records: RequestRecord[] = [];

  constructor(world: World, endpoints: readonly string[]) {
    this.#world = world;
    this.#endpointOf = routeMatcherOf(endpoints);
  }

  get inFlight(): number {
    return this.#flights.size;
  }

  /** A phone's requests that its app has heard nothing of yet, in the order in which they left. */
  outOf(phone: number): RequestRecord[] {
    const out: RequestRecord[] = [];
    for (const { record } of this.#flights) if (record.phone === phone) out.push(record);
    return out;
  }

  /** The `fetch` of a launch. Rejects like React Native's: a `TypeError` when there is no answer, the signal's reason when aborted. */
  fetch(launch: Launch, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    return new Promise<Response>((resolve, reject) => {
      if (!launch.alive) return;
      const send = (request: OutgoingRequest) => {
        if (request.signal?.aborted) reject(request.signal.reason);
        else this.#send(launch, request, resolve, reject);
      };
      const request = readRequest(input, init);
      if (!(request instanceof Promise)) {
        // As on a phone, the caller has the promise before anything leaves.
        queueMicrotask(() => send(request));
        return;
      }
      // A body that is no text is read by Node, in real time: virtual time waits for it.
      const release = this.#world.clockwork.hold();
      request.then(send).catch(reject).finally(release);
    });
  }

  #send(launch: Launch, request: OutgoingRequest, resolve: Flight['resolve'], reject: Flight['reject']): void {
    if (!launch.alive) return;
    const { phone } = launch;
    const endpoint = this.#endpointOf(request.method, request.url);
    const nth = phone.count(endpoint);
    const planned = this.#world.faultAt(phone.index, endpoint, nth);
    // Without a network a request does not get as far as to meet its fault.
    const fault = phone.isOnline || planned === 'kill-before' ? planned : undefined;
    if (fault) this.#world.noteFault(phone.index, fault, endpoint, nth);
    if (fault === 'kill-before') {
      phone.kill(`as ${endpoint} was about to leave`);
      return;
    }
    const record: RequestRecord = {
      id: this.records.length + 1,
      phone: phone.index,
      launch: launch.number,
      endpoint,
      nth,
      method: request.method,
      url: request.url,
      headers: request.headerFields,
      body: request.bytes ? null : request.body,
      sentAtMs: this.#world.nowMs,
      sentOnline: phone.isOnline,
      arrivedAtMs: null,
      endedAtMs: null,
      outcome: null,
      retryAfterMs: null,
    };
    if (request.bytes) recordBytes(record, request);
    const flight: Flight = {
      record,
      launch,
      request,
      fault,
      resolve,
      reject,
      network: this,
      isOver: false,
      isLost: false,
      isAnswerLost: false,
    };
    this.records.push(record);
    this.#flights.add(flight);
    const { costs } = this.#world.recorder;
    costs.requests += 1;
    costs.bytesSent += byteLength(record.url) + sizeOf(request.bytes ?? request.body ?? '');
    this.#trace(flight, 'sent');
    if (!launch.alive) return;
    request.signal?.addEventListener('abort', () => flight.network?.abort(flight), { once: true });
    this.#depart(flight);
  }

  /** Sends the message on its way, as its fault lets it. */
  #depart(flight: Flight): void {
    const { fault, record, launch } = flight;
    const draw = (min: number, max: number, what: string) =>
      this.#world.draw.between(min, max, what, record.phone, record.endpoint, record.nth);
    const upMs = draw(TRIP_MS.min, TRIP_MS.max, 'up');
    if (!launch.phone.isOnline) {
      flight.isLost = true;
      this.#after(draw(1, 50, 'refused'), () => this.#fail(flight, 'there is no network'));
    } else if (fault === 'request-lost') {
      this.#lose(flight);
      this.#after(draw(500, 10_000, 'give-up'), () => this.#fail(flight, 'the connection was lost'));
    } else if (fault === 'hang') {
      if (draw(0, 1, 'hang') < 0.5) this.#lose(flight);
      else this.#after(upMs, () => void this.#arrive(flight, false));
      this.#after(OS_TIMEOUT_MS, () => this.#fail(flight, 'the OS gave up waiting'));
    } else if (fault === 'portal') {
      this.#after(upMs, () => this.#deliver(flight, answerOfFault(fault, draw, this.#world.serverNowMs())));
    } else {
      const slowMs = fault === 'delay' ? draw(2_000, 20_000, 'slow') : 0;
      const isSlowOnTheWay = draw(0, 1, 'slow-way') < 0.5;
      this.#after(
        upMs + (isSlowOnTheWay ? slowMs : 0),
        () => void this.#arrive(flight, true, isSlowOnTheWay ? 0 : slowMs),
      );
      if (fault === 'duplicate') this.#after(upMs + draw(100, 5_000, 'twin'), () => void this.#arrive(flight, false));
    }
  }

  #lose(flight: Flight): void {
    flight.isLost = true;
    this.#trace(flight, 'lost');
  }

  /** The message reaches the server. Only the first arrival of a message is answered. */
  async #arrive(flight: Flight, isAnswered: boolean, slowMs = 0): Promise<void> {
    if (flight.isLost) return;
    const { record, fault } = flight;
    record.arrivedAtMs ??= this.#world.nowMs;
    this.#trace(flight, 'arrived', isAnswered ? '' : fault === 'duplicate' ? 'a second time' : '');
    const answer = await this.#answer(flight);
    if (!isAnswered || !this.#flights.has(flight)) {
      void answer.stream?.cancel();
      return;
    }
    this.#trace(flight, 'answered', String(answer.status));
    const draw = (min: number, max: number, what: string) =>
      this.#world.draw.between(min, max, what, record.phone, record.endpoint, record.nth);
    if (fault === 'response-lost') {
      this.#trace(flight, 'answer-lost');
      void answer.stream?.cancel();
      this.#after(draw(500, 10_000, 'give-up'), () => this.#fail(flight, 'the connection was lost'));
      return;
    }
    const downMs = draw(TRIP_MS.min, TRIP_MS.max, 'down') + slowMs;
    if (answer.stream) {
      this.#startStream(flight, answer, answer.stream, downMs);
      return;
    }
    const cut = fault === 'truncate' ? { ...answer, body: answer.body.slice(0, answer.body.length / 2) } : answer;
    this.#after(downMs, () => this.#deliver(flight, cut));
  }

  async #answer(flight: Flight): Promise<Answer> {
    const { fault, record } = flight;
    const draw = (min: number, max: number, what: string) =>
      this.#world.draw.between(min, max, what, record.phone, record.endpoint, record.nth);
    if (this.#world.isServerDown) return answerOfFault('answer-503', draw, this.#world.serverNowMs());
    if (fault && isAnswerFault(fault)) return answerOfFault(fault, draw, this.#world.serverNowMs());
    const response = await this.#world.backend.app.fetch(createServerRequest(flight.request));
    const { status, headers: answered } = response;
    const stream = isEventStream(answered) ? response.body : null;
    if (stream && fault !== 'applied-then-500') return { status, headers: answered, body: '', stream };
    if (stream) await stream.cancel();
    const answer = { status, headers: answered, body: stream ? '' : await bodyOf(response) };
    if (fault === 'applied-then-500') return answerOfFault('answer-500', draw, this.#world.serverNowMs());
    return answer;
  }

  /** An answer that goes on after its headers. Cut short, it breaks with its first chunk under way. */
  #startStream(flight: Flight, answer: Answer, stream: ReadableStream<Uint8Array>, headersMs: number): void {
    const { launch, record, request, fault } = flight;
    const line = new EventSourceLine(launch, record, stream, headersMs);
    request.signal?.addEventListener('abort', () => line.abort(request.signal?.reason), { once: true });
    if (fault === 'truncate') this.#after(headersMs + 1, () => line.breakOff('the answer was cut short'));
    this.#after(headersMs, () => this.#deliver(flight, answer, line));
  }

  /** The answer reaches the app. */
  #deliver(flight: Flight, answer: Answer, line: EventSourceLine | null = null): void {
    if (flight.isOver || flight.isAnswerLost) {
      line?.abandon();
      return;
    }
    if (flight.fault === 'kill-after') {
      flight.launch.phone.kill(`as the answer to ${flight.record.endpoint} came in`);
      return;
    }
    const { record } = flight;
    record.outcome = { kind: 'answered', status: answer.status };
    record.retryAfterMs = retryAfterMs(answer.headers.get('retry-after'), this.#world.serverNowMs());
    this.#world.recorder.costs.bytesReceived += sizeOf(answer.body);
    this.#end(flight, 'received', String(answer.status));
    const hasBody = ![204, 205, 304].includes(answer.status);
    this.#world.callApp(flight.launch, () =>
      flight.resolve(LightResponse.of(line?.body ?? (hasBody ? answer.body : null), answer.status, answer.headers)),
    );
  }

  /** The app learns that there is no answer. It cannot know whether the server got the message. */
  #fail(flight: Flight, why: string): void {
    if (flight.isOver) return;
    flight.record.outcome = { kind: 'failed' };
    this.#end(flight, 'failed', why);
    this.#world.callApp(flight.launch, () => flight.reject(new TypeError('Network request failed')));
  }

  abort(flight: Flight): void {
    if (flight.isOver || !flight.launch.alive) return;
    flight.record.outcome = { kind: 'aborted' };
    this.#loseByChance(flight);
    this.#end(flight, 'aborted');
    flight.reject(flight.request.signal?.reason);
  }

  /** What was on the wire when its sender went may still arrive, or may not. */
  #loseByChance(flight: Flight): void {
    const { record } = flight;
    if (record.arrivedAtMs !== null || flight.isLost) return;
    flight.isLost = this.#world.draw.unit('wire', record.phone, record.endpoint, record.nth) < 0.5;
  }

  #end(flight: Flight, phase: 'received' | 'failed' | 'aborted', note = ''): void {
    this.#forget(flight);
    this.#trace(flight, phase, note);
  }

  /** The app is dead: nobody hears the answers to what it sent. */
  appKilled(launch: Launch): void {
    for (const flight of this.#flights) {
      if (flight.launch !== launch) continue;
      flight.record.outcome = { kind: 'killed' };
      this.#loseByChance(flight);
      this.#forget(flight);
    }
  }

  #forget(flight: Flight): void {
    flight.isOver = true;
    flight.network = null;
    flight.record.endedAtMs = this.#world.nowMs;
    this.#flights.delete(flight);
  }

  /** The line is dead: requests still to arrive are lost, and so are answers on their way back. */
  connectionLost(phone: SimulatedPhone): void {
    for (const flight of this.#flights) {
      if (flight.launch.phone !== phone) continue;
      flight.isAnswerLost = true;
      if (flight.record.arrivedAtMs === null) this.#lose(flight);
      else this.#trace(flight, 'answer-lost');
      const { record } = flight;
      const noticedMs = this.#world.draw.between(0, 1_000, 'noticed', record.phone, record.endpoint, record.nth);
      this.#after(noticedMs, () => this.#fail(flight, 'the connection was lost'));
    }
  }

  #after(delayMs: number, run: () => void): void {
    this.#world.clockwork.after(delayMs, run);
  }

  #trace(flight: Flight, phase: Extract<TraceEvent, { kind: 'request' }>['phase'], note = ''): void {
    this.#world.emit({
      atMs: this.#world.nowMs,
      phone: flight.record.phone,
      kind: 'request',
      phase,
      request: flight.record,
      note,
    });
  }
}

const TEXT_TYPE = /^text\/|json|xml|javascript|urlencoded/;

/** An answer's body: bytes when its type is none of text. */
async function bodyOf(response: Response): Promise<Answer['body']> {
  const type = response.headers.get('content-type');
  const isText = type === null ? response.body === null : TEXT_TYPE.test(type);
  return isText ? response.text() : new Uint8Array(await response.arrayBuffer());
}

const OUTGOING = Symbol('outgoing request');
/** One accessor for all records: each record's own would keep its world until the collector's next full round. */
const BODY_OF_BYTES: PropertyDescriptor & ThisType<{ [OUTGOING]: OutgoingRequest }> = {
  get() {
    return this[OUTGOING].body;
  },
  enumerable: true,
};

/** A body of bytes is described when someone looks: its hash costs more than its way. */
function recordBytes(record: RequestRecord, request: OutgoingRequest): void {
  Object.defineProperties(record, {
    [OUTGOING]: { value: request, enumerable: false },
    bytes: { value: request.bytes, enumerable: false },
    body: BODY_OF_BYTES,
  });
}

const sizeOf = (body: Answer['body']): number => (typeof body === 'string' ? byteLength(body) : body.length);

/** How long a `Retry-After` header asks to wait, in ms; null without one. Source: RFC 9110, 10.2.3. */
function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  return Math.max(0, Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs);
}
