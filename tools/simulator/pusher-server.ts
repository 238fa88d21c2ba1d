// A Pusher Channels server for any kata's backend: protocol 7 over the backend's sockets, and its auth endpoint.
import type { Context } from 'hono';
import { remembered } from '../phone/remembered.ts';
import type { ServerSocket, SocketRequest } from '../phone/server-socket.ts';
import type { Json } from './plan.ts';
import type { PusherOptions, PusherServer, TriggerOptions } from './pusher-api.ts';
import { answerAuth, CHANNEL_NAME, fieldsOf, isSecured, json, memberOf, signChannel } from './pusher-auth.ts';
import { type KeptEvent, PusherChannel } from './pusher-channel.ts';
import { PusherConnection, type PusherFrame } from './pusher-connection.ts';

/** Makes a server without channels or connections. Same calls, same answers: it draws nothing at random. */
export function createPusherServer(options: PusherOptions): PusherServer {
  const { context, appKey, secret, activityTimeoutS = 120, headEveryMs = 60_000, historyMax = 1_000 } = options;
  const connections = new Map<string, PusherConnection>();
  const channels = new Map<string, PusherChannel>();
  let connected = 0;
  let refusal: number | null = null;
  let isTicking = false;

  function channelOf(name: string): PusherChannel {
    const known = channels.get(name);
    if (known) return known;
    const channel = new PusherChannel(name, options.isNumbered?.(name) ?? false, historyMax);
    channels.set(name, channel);
    return channel;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Connections

  function connect({ url }: SocketRequest, socket: ServerSocket): void {
    connected += 1;
    const socketId = `${100_000 + connected}.${(connected * 48_271) % 1_000_000}`;
    const connection = new PusherConnection(socket, socketId, context, activityTimeoutS);
    const problem = problemOf(addressOf(url));
    if (problem) {
      connection.fail(problem.code, problem.message);
      connection.close(problem.code, problem.message);
      return;
    }
    connections.set(socketId, connection);
    connection.listen(
      (frame) => receive(connection, frame),
      () => end(connection),
    );
    connection.send('pusher:connection_established', null, { socket_id: socketId, activity_timeout: activityTimeoutS });
    tick();
  }

  function problemOf({ pathname, key, version }: Address): { code: number; message: string } | null {
    if (refusal !== null) return { code: refusal, message: 'Connections are refused for now' };
    if (key !== appKey) return { code: 4001, message: `Application does not exist: ${key ?? pathname}` };
    if (version === null) return { code: 4008, message: 'No protocol version supplied' };
    return version === '7' ? null : { code: 4007, message: `Unsupported protocol version: ${version}` };
  }

  function end(connection: PusherConnection): void {
    connections.delete(connection.socketId);
    for (const name of connection.channels) channels.get(name)?.leave(connection.socketId);
    connection.channels.clear();
  }

  function receive(connection: PusherConnection, frame: PusherFrame): void {
    if (frame.event === 'pusher:subscribe') subscribe(connection, frame.data);
    else if (frame.event === 'pusher:unsubscribe') unsubscribe(connection, frame.data);
    else if (frame.event.startsWith('client-')) passOn(connection, frame);
    else connection.fail(null, `Unknown event: ${frame.event}`);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Subscriptions

  function subscribe(connection: PusherConnection, data: Json): void {
    const { channel: name, auth, channel_data: channelData } = fieldsOf(data);
    if (name === undefined || !CHANNEL_NAME.test(name)) {
      connection.fail(4009, `Invalid channel name: ${name ?? 'none'}`);
      return;
    }
    if (connection.channels.has(name)) {
      connection.fail(null, `Existing subscription to channel ${name}`);
      return;
    }
    const isPresence = name.startsWith('presence-');
    const member = isPresence ? memberOf(channelData) : null;
    const signature = signChannel(appKey, secret, connection.socketId, name, channelData);
    if (isSecured(name) && (auth !== signature || (isPresence && member === null))) {
      const error = auth === undefined ? 'No auth for this channel' : 'Invalid signature';
      connection.send('pusher:subscription_error', name, { type: 'AuthError', error, status: 401 });
      return;
    }
    connection.channels.add(name);
    const channel = channelOf(name);
    channel.enter(connection, member);
    connection.send('pusher_internal:subscription_succeeded', name, channel.welcome);
  }

  function unsubscribe(connection: PusherConnection, data: Json): void {
    const { channel = '' } = fieldsOf(data);
    if (connection.channels.delete(channel)) channels.get(channel)?.leave(connection.socketId);
  }

  /** Client events go to the others on a private or presence channel that the sender has subscribed to. */
  function passOn(connection: PusherConnection, { event, channel: name, data }: PusherFrame): void {
    const { socketId } = connection;
    if (name === null || !isSecured(name) || !connection.channels.has(name)) {
      connection.fail(4301, `Client event ${event} rejected: not subscribed to a private channel ${name ?? ''}`.trim());
      return;
    }
    const channel = channelOf(name);
    const userId = channel.memberOf(socketId)?.userId;
    channel.publish(event, data, { except: socketId, ...(userId === undefined ? {} : { userId }) });
    options.onClientEvent?.({ socketId, channel: name, name: event, data });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Events

  function trigger(
    name: string,
    event: string,
    data: Json,
    { exceptSocketId, form }: TriggerOptions = {},
  ): number | null {
    const channel = channelOf(name);
    const kept = channel.isNumbered ? channel.number(event, data) : null;
    const sent = kept?.data ?? data;
    if (form === 'object') {
      for (const id of channel.subscribers.keys()) {
        if (id !== exceptSocketId) connections.get(id)?.sendRaw({ event, channel: name, data: sent });
      }
    } else channel.publish(event, sent, { except: exceptSocketId ?? null });
    return kept?.seq ?? null;
  }

  function eventsAfter(name: string, after: number, limit = 100): { events: KeptEvent[]; head: number } | 'gone' {
    const channel = channelOf(name);
    const events = channel.after(after, limit);
    return events === 'gone' ? events : { events, head: channel.head };
  }

  function events(request: Context): Response {
    const after = Number(request.req.query('after') ?? 0);
    const limit = Math.min(Number(request.req.query('limit') ?? 100), 100);
    if (!Number.isInteger(after) || after < 0 || !(limit >= 1)) {
      return json({ error: 'bad_request', message: 'after is a whole number from 0, limit from 1 to 100.' }, 400);
    }
    const found = eventsAfter(request.req.param('name') ?? '', after, limit);
    if (found === 'gone') return json({ error: 'gone', message: `Events after ${after} are no longer kept.` }, 410);
    return json(found as unknown as Json, 200);
  }

  function announceHeads(): void {
    for (const channel of channels.values()) if (channel.isNumbered) channel.publish('head', { seq: channel.head });
  }

  /** Heads are told for as long as anybody is connected. */
  function tick(): void {
    if (isTicking) return;
    isTicking = true;
    context.after(headEveryMs, () => {
      isTicking = false;
      if (connections.size === 0) return;
      announceHeads();
      tick();
    });
  }

  const all = () => [...connections.values()];
  return {
    sockets: { connect },
    auth: (request) => answerAuth(request, { appKey, secret }, options.authorize),
    events,
    trigger,
    headOf: (channel) => channels.get(channel)?.head ?? 0,
    eventsAfter,
    forget: (channel, upTo = Number.POSITIVE_INFINITY) => channelOf(channel).forget(upTo),
    connections: all,
    subscribersOf: (channel) => [...(channels.get(channel)?.subscribers.keys() ?? [])],
    membersOf: (channel) => channels.get(channel)?.members ?? [],
    announceHeads,
    pingAll() {
      for (const connection of all()) connection.send('pusher:ping', null, {});
    },
    closeAll(code, message = '') {
      for (const connection of all()) {
        connection.fail(code, message);
        connection.close(code, message);
      }
    },
    dropAll() {
      for (const connection of all()) connection.terminate();
    },
    refuseConnections(code) {
      refusal = code;
    },
  };
}

type Address = ReturnType<typeof addressOf>;

/** What the URL of a connection says. */
const addressOf = remembered((url) => {
  const { pathname, searchParams } = new URL(url);
  return { pathname, key: /\/app\/([^/]+)$/.exec(pathname)?.[1], version: searchParams.get('protocol') };
});
