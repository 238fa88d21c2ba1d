// One connection of a Pusher server: its frames, its heartbeat, its channels. Source: Pusher Channels, protocol 7.
import type { ServerSocket } from '../phone/server-socket.ts';
import type { Json } from './plan.ts';
import type { Subscriber } from './pusher-channel.ts';
import type { RealtimeContext } from './scenario.ts';

/** A frame from a phone, parsed. */
export interface PusherFrame {
  readonly event: string;
  readonly channel: string | null;
  readonly data: Json;
}

/** A quiet phone is pinged after so many activity timeouts: one that pings by itself never is. */
const PATIENCE = 1.5;
const PONG_WITHIN_MS = 30_000;

export class PusherConnection implements Subscriber {
  readonly socketId: string;
  /** Names of the channels it has subscribed to. */
  readonly channels = new Set<string>();
  /** By the server's clock, in ms since 1970. */
  readonly connectedAtMs: number;
  lastHeardAtMs: number;
  readonly #socket: ServerSocket;
  readonly #context: RealtimeContext;
  readonly #quietMs: number;
  #cancelCheck: () => void = () => undefined;
  #isOver = false;

  constructor(socket: ServerSocket, socketId: string, context: RealtimeContext, activityTimeoutS: number) {
    this.#socket = socket;
    this.socketId = socketId;
    this.#context = context;
    this.#quietMs = activityTimeoutS * 1_000 * PATIENCE;
    this.connectedAtMs = context.nowMs();
    this.lastHeardAtMs = this.connectedAtMs;
  }

  /** Tells what comes in, and of the end. */
  listen(onFrame: (frame: PusherFrame) => void, onEnd: () => void): void {
    this.#socket.onMessage((text) => {
      this.lastHeardAtMs = this.#context.nowMs();
      const frame = parseFrame(text);
      if (frame === null) this.fail(null, 'The frame is no JSON object with an event.');
      else if (frame.event === 'pusher:ping') this.send('pusher:pong', null, {});
      else if (frame.event !== 'pusher:pong') onFrame(frame);
    });
    this.#socket.onClose(() => {
      this.#isOver = true;
      this.#cancelCheck();
      onEnd();
    });
    this.#checkAfter(this.#quietMs);
  }

  /** `data` from the server is JSON text inside the JSON. */
  send(event: string, channel: string | null, data: Json, userId?: string): void {
    const user = userId === undefined ? {} : { user_id: userId };
    this.sendRaw({ event, ...(channel === null ? {} : { channel }), data: JSON.stringify(data), ...user });
  }

  sendRaw(frame: Json): void {
    this.#socket.send(JSON.stringify(frame));
  }

  /** Says what is wrong, and goes on. Its `data` is an object, not text. */
  fail(code: number | null, message: string): void {
    this.sendRaw({ event: 'pusher:error', data: { code, message } });
  }

  close(code: number, message: string): void {
    this.#socket.close(code, message);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Whom nothing is heard from is pinged; whoever does not answer is put out. */
  #checkAfter(delayMs: number): void {
    this.#cancelCheck = this.#context.after(delayMs, () => {
      if (this.#isOver) return;
      const quietForMs = this.#context.nowMs() - this.lastHeardAtMs;
      if (quietForMs < this.#quietMs) {
        this.#checkAfter(this.#quietMs - quietForMs);
        return;
      }
      const { lastHeardAtMs } = this;
      this.send('pusher:ping', null, {});
      this.#cancelCheck = this.#context.after(PONG_WITHIN_MS, () => {
        if (this.lastHeardAtMs === lastHeardAtMs) this.close(4201, 'Pong reply not received in time');
        else this.#checkAfter(this.#quietMs);
      });
    });
  }
}

function parseFrame(text: string): PusherFrame | null {
  try {
    const { event, channel, data } = JSON.parse(text) as { event?: unknown; channel?: unknown; data?: Json };
    if (typeof event !== 'string') return null;
    return { event, channel: typeof channel === 'string' ? channel : null, data: data ?? null };
  } catch {
    return null;
  }
}
