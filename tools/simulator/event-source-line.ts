// One streamed answer, such as Server-Sent Events: its chunks on their way to the app, its faults, its end.
import type { Launch } from './launch.ts';
import { type Connection, Fates, Pipe } from './socket-fates.ts';
import type { SocketNetwork } from './socket-network.ts';
import type { FrameRecord, RequestRecord, TraceEvent } from './trace.ts';

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Whether an answer is one that goes on after its headers. */
export const isEventStream = (headers: Headers): boolean =>
  headers.get('content-type')?.startsWith('text/event-stream') === true;

/**
 * Carries what the backend writes into its stream. The app reads `body`; the backend hears of the end by its stream's
 * `cancel`. Chunks keep their order, as bytes on one connection do.
 */
export class EventSourceLine implements Connection {
  readonly launch: Launch;
  readonly body: ReadableStream<Uint8Array>;
  readonly #request: RequestRecord;
  readonly #reader: Reader;
  readonly #network: SocketNetwork;
  readonly #fates: Fates;
  readonly #down: Pipe;
  readonly #decoder = new TextDecoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #isDead = false;
  #isOver = false;
  #isOverForServer = false;

  /** `headersMs`: when the app will have the headers, from now. No chunk comes before. */
  constructor(launch: Launch, request: RequestRecord, stream: ReadableStream<Uint8Array>, headersMs: number) {
    this.launch = launch;
    this.#request = request;
    this.#reader = stream.getReader();
    this.#network = launch.world.sockets;
    this.#fates = new Fates(launch, `${request.endpoint} ${request.nth}`);
    this.#down = new Pipe(launch.world);
    this.#down.push(headersMs, () => undefined);
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => this.#closeByApp(),
    });
    this.#network.add(this);
    void this.#pump();
  }

  async #pump(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (this.#isOverForServer) return;
        if (done) break;
        this.#send(value);
      }
      this.#isOverForServer = true;
      this.#down.push(this.#fates.tripMs('end'), () => this.#finish());
    } catch {
      // The backend broke its own stream: to the app that is a connection that broke.
      this.#isOverForServer = true;
      this.#down.push(this.#fates.tripMs('end'), () => this.#break('the server broke it'));
    }
  }

  #send(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    const { frame, fault } = this.#network.frame(this.launch, 'stream.receive', this.#request, text);
    this.#network.trace(frame, 'sent');
    const slowMs = fault === 'slow' ? this.#fates.between(2_000, 20_000, 'slow', frame.nth) : 0;
    this.#down.push(this.#fates.tripMs('down', frame.nth) + slowMs, () => this.#arrive(frame, bytes, fault));
  }

  #arrive(frame: FrameRecord, bytes: Uint8Array, fault: string | undefined): void {
    if (this.#isDead || this.#isOver) {
      this.#network.trace(frame, 'lost');
      return;
    }
    if (fault) this.#network.strike(frame, fault);
    if (fault === 'kill-before') {
      this.launch.phone.kill('as a chunk of a stream came in');
    } else if (fault === 'drop' || fault === 'half-open') {
      this.#network.trace(frame, 'lost');
      if (fault === 'half-open') this.#goDead();
      else this.breakOff('the connection broke');
    } else this.#deliver(frame, bytes, fault === 'kill-after');
  }

  #deliver(frame: FrameRecord, bytes: Uint8Array, isKilledThen: boolean): void {
    this.#fates.whenAwake(() => {
      if (this.#isOver) {
        this.#network.trace(frame, 'lost');
        return;
      }
      this.#network.trace(frame, 'arrived');
      this.launch.world.callApp(this.launch, () => this.#controller?.enqueue(bytes));
      // What the app does with a chunk it does in promises: they settle before the kill.
      if (isKilledThen) this.#fates.after(0, () => this.launch.phone.kill('as a chunk of a stream had come in'));
    });
  }

  #finish(): void {
    if (this.#isDead) return;
    this.#fates.whenAwake(() => {
      if (!this.#end('finished', 'by the server')) return;
      this.launch.world.callApp(this.launch, () => this.#controller?.close());
    });
  }

  /** The connection breaks: the app hears at once, the server a little later. */
  breakOff(why: string): void {
    this.#break(why);
    this.#tellServer(this.#fates.between(20, 5_000, 'server-hears'));
  }

  #break(why: string): void {
    if (this.#isDead && why === 'the server broke it') return;
    this.#fates.whenAwake(() => {
      if (!this.#end('broken', why)) return;
      this.launch.world.callApp(this.launch, () => this.#controller?.error(new TypeError('Network request failed')));
    });
  }

  /** The app aborts its request after the headers. */
  abort(reason: unknown): void {
    if (!this.launch.alive || !this.#end('closed', 'by the app')) return;
    this.#controller?.error(reason);
    this.#tellServer(this.#fates.tripMs('gone'));
  }

  /** The app never had the headers, and never will. */
  abandon(): void {
    if (this.#end('closed', 'before its headers came')) this.#tellServer(this.#fates.tripMs('gone'));
  }

  /** The app cancels the body. */
  #closeByApp(): void {
    if (!this.launch.alive || !this.#end('closed', 'by the app')) return;
    this.#tellServer(this.#fates.tripMs('gone'));
  }

  #goDead(): void {
    if (this.#isDead || this.#isOver) return;
    this.#isDead = true;
    this.#trace('half-open');
    const { toldAfterMs } = this.#fates.deadLine();
    if (toldAfterMs !== null) {
      this.#fates.after(
        toldAfterMs,
        () => this.#break('the line was dead'),
        () => !this.#isOver,
      );
    }
    this.#tellServer(this.#fates.serverNoticesMs());
  }

  #tellServer(delayMs: number): void {
    this.#fates.after(
      delayMs,
      () => this.#endForServer(),
      () => !this.#isOverForServer,
    );
  }

  #endForServer(): void {
    if (this.#isOverForServer) return;
    this.#isOverForServer = true;
    this.#trace('ended');
    this.#reader.cancel().catch(() => undefined);
  }

  /** Whether it is this that ends the stream for the app. */
  #end(phase: 'broken' | 'finished' | 'closed', note: string): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#network.remove(this);
    this.#trace(phase, note);
    return true;
  }

  appKilled(): void {
    this.#isOver = true;
    this.#network.remove(this);
    this.#tellServer(this.#fates.between(20, 30_000, 'killed'));
  }

  networkLost(): void {
    this.#goDead();
  }

  serverDown(): void {
    if (this.#isDead) return;
    this.#endForServer();
    this.#down.push(this.#fates.tripMs('end'), () => this.#break('the server dropped it'));
  }

  backgrounded(): void {
    this.#fates.closesInBackground(() => {
      this.#break('the OS closed it in the background');
      this.#tellServer(this.#fates.tripMs('gone'));
    });
  }

  #trace(phase: Extract<TraceEvent, { kind: 'stream' }>['phase'], note = ''): void {
    this.launch.world.emit({
      atMs: this.launch.world.nowMs,
      phone: this.#request.phone,
      kind: 'stream',
      phase,
      request: this.#request,
      note,
    });
  }
}
