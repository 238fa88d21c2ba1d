// What a realtime connection is, seen from the features on it: types only, shared by stub, reference and suite.
import type { Device } from '#phone';

/** An event of the application, as a feature gets it. */
export interface ChannelEvent {
  readonly name: string;
  /** Parsed, whether it came as an object or as JSON text. */
  readonly data: unknown;
  /** Its number on the channel, from 1 without holes; null when it has none. */
  readonly seq: number | null;
}

/** What a feature gives to a channel. */
export interface ChannelHandler {
  /** The last number that the feature's own data contains; 0 for none; null: a channel without numbers. */
  readonly after: number | null;
  onEvent(event: ChannelEvent): void;
  /** The feature loads all anew. Resolves to the last number that its data contains then. */
  onReset(): Promise<number | null>;
}

/** Events after a number, in order; `head` is the newest number there is. */
export interface HistoryPage {
  readonly events: readonly ChannelEvent[];
  readonly head: number;
}

/** `gone`: some of the events after that number are no longer kept. Rejects for all else. */
export type AskHistory = (channel: string, after: number) => Promise<HistoryPage | 'gone'>;

export type ConnectionStatus = 'idle' | 'connecting' | 'connected' | 'waiting' | 'offline' | 'refused';
export type ChannelStatus = 'pending' | 'catching-up' | 'live' | 'denied';

export interface RealtimeState {
  readonly status: ConnectionStatus;
  /** Breaks in a row so far; 0 before the first. */
  readonly attempt: number;
  /** Null unless connected. */
  readonly socketId: string | null;
  /** By name, every channel that is joined. */
  readonly channels: Readonly<Record<string, ChannelStatus>>;
}

export interface RealtimeOptions {
  readonly device: Device;
  /** Such as `https://api.example.test`, without a slash at its end. */
  readonly apiUrl: string;
  /** Such as `wss://ws.example.test`, without a slash at its end. */
  readonly socketUrl: string;
  readonly appKey: string;
  /** Sends the requests for auth and history (default: the global one). */
  readonly fetch?: typeof fetch;
  /** Takes the place of the request for history. */
  readonly history?: AskHistory;
}

export interface Realtime {
  connect(): void;
  disconnect(): void;
  /** Gives the function that leaves the channel. Throws when the channel is joined already. */
  join(channel: string, handler: ChannelHandler): () => void;
  /** Whether the event has been put on the wire. */
  send(channel: string, name: string, data: unknown): boolean;
  getState(): RealtimeState;
  subscribe(listener: () => void): () => void;
  dispose(): void;
}

export type CreateRealtime = (options: RealtimeOptions) => Realtime;

/** What `attempt.ts` exports. */
export interface RealtimeReconnectModule {
  readonly createRealtime: CreateRealtime;
}
