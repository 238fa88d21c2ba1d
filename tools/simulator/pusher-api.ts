// What a kata's author sees of the Pusher server.
import type { Context } from 'hono';
import type { SocketServer } from '../phone/server-socket.ts';
import type { Json } from './plan.ts';
import type { PusherAuthRequest, PusherDecision } from './pusher-auth.ts';
import type { KeptEvent, PresenceMember } from './pusher-channel.ts';
import type { PusherConnection } from './pusher-connection.ts';
import type { RealtimeContext } from './scenario.ts';

/** A client event that the server has passed on. */
export interface PusherClientEvent {
  readonly socketId: string;
  readonly channel: string;
  readonly name: string;
  readonly data: Json;
}

export interface PusherOptions {
  readonly context: RealtimeContext;
  readonly appKey: string;
  readonly secret: string;
  /** What `connection_established` tells the phone, in s (default 120). */
  readonly activityTimeoutS?: number;
  /** Who may subscribe to a `private-` or `presence-` channel (default: everybody). Asked by `auth`. */
  readonly authorize?: (request: PusherAuthRequest) => PusherDecision | Promise<PusherDecision>;
  /** Channels whose events carry `seq`, from 1 without holes (default: none). */
  readonly isNumbered?: (channel: string) => boolean;
  /** Events kept of each numbered channel (default 1,000). */
  readonly historyMax?: number;
  /** How often subscribers of a numbered channel hear of its `head`, in ms (default 60,000). */
  readonly headEveryMs?: number;
  readonly onClientEvent?: (event: PusherClientEvent) => void;
}

/** `exceptSocketId` does not get the event. `form` says how `data` travels: as JSON text (as Pusher does), or as an object. */
export interface TriggerOptions {
  readonly exceptSocketId?: string;
  readonly form?: 'text' | 'object';
}

export interface PusherServer {
  /** For the backend's `sockets`. */
  readonly sockets: SocketServer;
  /** For `app.post('/pusher/auth', pusher.auth)`: form fields in, 200 `{ auth, channel_data? }` or 403 out. */
  auth(context: Context): Promise<Response>;
  /** For `app.get('/channels/:name/events', pusher.events)`: `?after&limit` in, 200 `{ events, head }` or 410 out. */
  events(context: Context): Response;
  /** Publishes an event. Gives its number, or null on a channel without numbers. */
  trigger(channel: string, name: string, data: Json, options?: TriggerOptions): number | null;
  /** The newest number of a channel; 0 before the first. */
  headOf(channel: string): number;
  /** Kept events after a number, in order; `gone` when some of them are no longer kept. `limit` defaults to 100. */
  eventsAfter(channel: string, after: number, limit?: number): { events: KeptEvent[]; head: number } | 'gone';
  /** Forgets the kept events of a channel up to a number (default: all). */
  forget(channel: string, upTo?: number): void;
  /** Connections that are open for the server, oldest first. */
  connections(): readonly PusherConnection[];
  /** Socket ids of a channel's subscribers. */
  subscribersOf(channel: string): string[];
  membersOf(channel: string): PresenceMember[];
  /** Sends `head` to all subscribers of numbered channels now. */
  announceHeads(): void;
  /** Pings every connection. */
  pingAll(): void;
  /** Says `pusher:error`, then closes every connection with this code. */
  closeAll(code: number, message?: string): void;
  /** Breaks every connection without a handshake, as a server that falls over does. */
  dropAll(): void;
  /** From now on new connections are closed with this code, after `pusher:error`; null lets them in again. */
  refuseConnections(code: number | null): void;
}
