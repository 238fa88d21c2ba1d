// The server of the kata: a Pusher server with numbered channels, which can drop, refuse and forget on demand.
import { Hono } from 'hono/quick';
import {
  type Backend,
  createPusherServer,
  type Json,
  type PusherClientEvent,
  type PusherServer,
  type RealtimeContext,
  type SocketServer,
  type TriggerOptions,
} from '#simulator';

/** An event as it was published. */
export interface PublishedEvent {
  readonly name: string;
  readonly text: string;
  /** Null on a channel without numbers. */
  readonly seq: number | null;
}

export interface RealtimeBackend extends Backend {
  readonly sockets: SocketServer;
  readonly pusher: PusherServer;
  /** Client events that the server has passed on. */
  readonly clientEvents: readonly PusherClientEvent[];
  /** Breaks all connections, and for so many ms each new one after `lifeMs`. */
  waver(forMs: number, lifeMs: number): void;
  /** The bad hour is over: connections stay. */
  steady(): void;
  /** Publishes an event with `{ text }` as its data. Gives its number, or null. */
  publish(channel: string, text: string, options?: TriggerOptions & { readonly name?: string }): number | null;
  /** All events of a channel so far, kept or not, in order. */
  publishedOn(channel: string): readonly PublishedEvent[];
}

export interface RealtimeBackendOptions {
  /** What `connection_established` tells the phone, in s (default 120). */
  readonly activityTimeoutS?: number;
  /** Events kept of each numbered channel (default 1,000). */
  readonly historyMax?: number;
}

export const APP_KEY = 'app-key';
/** Channels that nobody may subscribe to. */
const FORBIDDEN = /^private-board/;
/** Channels without numbers. */
const UNNUMBERED = /^(?:prices|presence-|private-typing)/;

export function createBackend(context: RealtimeContext, options: RealtimeBackendOptions = {}): RealtimeBackend {
  const published = new Map<string, PublishedEvent[]>();
  const clientEvents: PusherClientEvent[] = [];
  let connectionLifeMs: number | null = null;
  const pusher = createPusherServer({
    ...options,
    context,
    appKey: APP_KEY,
    secret: 'app-secret',
    authorize: ({ channel }) => !FORBIDDEN.test(channel),
    isNumbered: (channel) => !UNNUMBERED.test(channel),
    onClientEvent: (event) => clientEvents.push(event),
  });

  const steady = (): void => {
    connectionLifeMs = null;
  };

  function publishedOn(channel: string): PublishedEvent[] {
    const events = published.get(channel) ?? [];
    published.set(channel, events);
    return events;
  }

  function publish(
    channel: string,
    text: string,
    { name = 'message', ...rest }: Parameters<RealtimeBackend['publish']>[2] = {},
  ): number | null {
    const data: Json = { text };
    const seq = pusher.trigger(channel, name, data, rest);
    publishedOn(channel).push({ name, text, seq });
    context.record('published', { channel, text, seq });
    return seq;
  }

  const app = new Hono();
  app.post('/pusher/auth', pusher.auth);
  app.get('/channels/:name/events', pusher.events);

  const sockets: SocketServer = {
    connect(request, socket) {
      pusher.sockets.connect(request, socket);
      if (connectionLifeMs !== null) context.after(connectionLifeMs, () => socket.terminate());
    },
  };
  return {
    app,
    sockets,
    pusher,
    clientEvents,
    waver(forMs, lifeMs) {
      connectionLifeMs = lifeMs;
      pusher.dropAll();
      context.after(forMs, steady);
    },
    steady,
    publish,
    publishedOn,
  };
}
