// The simulation: three features share one socket all day, while lines die, servers restart and frames get lost.
import fc from 'fast-check';
import type { ChannelEvent, ChannelHandler, Realtime, RealtimeReconnectModule } from '#contract/realtime-reconnect';
import {
  atSend,
  defineAction,
  defineScenario,
  type FrameRecord,
  type Invariant,
  type OpenContext,
  type RequestRecord,
  type SocketRecord,
  type Stage,
  type TraceEvent,
  type WorldView,
} from '#simulator';
import { APP_KEY, createBackend, type PublishedEvent, type RealtimeBackend } from './backend.ts';

/** A feature on one channel. Its data outlives the app. */
interface Feature {
  readonly channel: string;
  /** The last number its data contains; null on a channel without numbers. */
  after: number | null;
  /** Times it was asked to load anew, over all launches. */
  resets: number;
  /** Of the present launch; null while it has not joined. */
  leave: (() => void) | null;
}

interface Facts {
  readonly features: Map<string, Feature>;
  /** What handlers saw that must not be: sentences, taken out as they are reported. */
  readonly holes: string[];
  readonly repeats: string[];
  readonly strangers: string[];
  readonly lateCalls: string[];
  /** The person wants a connection: `connect` was called, and `disconnect` was not since. */
  isWanted: boolean;
  /** Calls of `connect` that begin something. */
  connects: number;
  /** Handlers of the present launch, for those who join again. */
  opening: Opening | null;
}

type RealtimeStage = Stage<Realtime, RealtimeBackend, Facts>;
type RealtimeWorld = WorldView<Realtime, RealtimeBackend, Facts>;
type RealtimeInvariant = Invariant<Realtime, RealtimeBackend, Facts>;
type Opening = OpenContext<RealtimeReconnectModule, RealtimeBackend, Facts>;

const API = 'https://api.example.test';
const SOCKETS = 'wss://ws.example.test';
const AUTH = 'POST /pusher/auth';
const HISTORY = 'GET /channels/:name/events';
const USER = 'private-user-7';
const ORDERS = 'orders';
const PRICES = 'prices';
const BOARD = 'private-board';
const CHANNELS = [USER, ORDERS, PRICES, BOARD];
const NUMBERED = [USER, ORDERS];

const SECOND = 1_000;
/** Shorter than the pause between two `head` events, so that quiet times need a ping. */
const ACTIVITY_TIMEOUT_S = 50;
const PONG_MS = 30 * SECOND;
/** A frame that was late may be the last that comes over a line that has died since. */
const LATE_FRAME_MS = 21 * SECOND;
const AWAY_MS = 30 * SECOND;
const STABLE_MS = 10 * SECOND;
const BACKOFF_CAP_MS = 30 * SECOND;
/** Kept events: fewer than a long stay without a network brings. */
const HISTORY_MAX = 150;
/** What a moment of work may add to a time. */
const SLACK_MS = 100;

// ---------------------------------------------------------------------------------------------------------------------
// The features

function createFacts(): Facts {
  const features = CHANNELS.map((channel): [string, Feature] => [
    channel,
    { channel, after: channel === PRICES ? null : 0, resets: 0, leave: null },
  ]);
  return {
    features: new Map(features),
    holes: [],
    repeats: [],
    strangers: [],
    lateCalls: [],
    isWanted: false,
    connects: 0,
    opening: null,
  };
}

/** Judges an event and takes it into the feature's data. Judged once more when it is of an order that must not be. */
function takeIn(feature: Feature, event: ChannelEvent, facts: Facts, published: readonly PublishedEvent[]): void {
  const { channel, after } = feature;
  const text = textOf(event);
  const isIt = (one: PublishedEvent | undefined) => one?.name === event.name && one.text === text;
  const isKnown = event.seq === null ? published.some(isIt) : isIt(published[event.seq - 1]);
  if (!isKnown)
    facts.strangers.push(`${channel} was given ${event.name} ${event.seq} "${text}", which nobody published.`);
  if (after === null || event.seq === null) return;
  if (event.seq <= after) facts.repeats.push(`${channel} was given event ${event.seq} after event ${after}.`);
  else if (event.seq > after + 1) facts.holes.push(`${channel} was given event ${event.seq} after event ${after}.`);
  feature.after = Math.max(after, event.seq);
}

const textOf = ({ data }: ChannelEvent): string =>
  typeof data === 'object' && data !== null && 'text' in data ? String(data.text) : String(data);

function handlerOf(feature: Feature, { facts, backend, device }: Opening): ChannelHandler {
  const isHeard = (what: string): boolean => {
    if (feature.leave && facts.isWanted) return true;
    const since = feature.leave ? 'disconnect' : 'it was left';
    facts.lateCalls.push(`${feature.channel}: ${what} was called after ${since}.`);
    return false;
  };
  return {
    after: feature.after,
    onEvent(event) {
      if (isHeard(`onEvent(${event.seq})`)) takeIn(feature, event, facts, backend.publishedOn(feature.channel));
    },
    async onReset() {
      if (!isHeard('onReset')) return null;
      feature.resets += 1;
      if (feature.after === null) return null;
      const head = backend.pusher.headOf(feature.channel);
      // Loading takes a while, in which more is published.
      await device.asyncStorage.getItem(feature.channel);
      feature.after = head;
      return head;
    },
  };
}

function joinAll(app: Realtime, opening: Opening): void {
  for (const feature of opening.facts.features.values()) enter(app, feature, handlerOf(feature, opening));
}

/** The feature counts as in before the call, for a handler may be called at once. */
function enter(app: Realtime, feature: Feature, handler: ChannelHandler): void {
  feature.leave = () => undefined;
  feature.leave = app.join(feature.channel, handler);
}

function exit(feature: Feature): void {
  const { leave } = feature;
  leave?.();
  feature.leave = null;
}

function joinAgain({ app, facts }: RealtimeStage, channel: string): void {
  const feature = facts.features.get(channel);
  const { opening } = facts;
  if (!feature || !opening) return;
  exit(feature);
  enter(app, feature, handlerOf(feature, opening));
}

function connect({ app, facts }: RealtimeStage): void {
  // On a connection that is wanted already it changes nothing.
  if (!facts.isWanted || app.getState().status === 'refused') facts.connects += 1;
  facts.isWanted = true;
  app.connect();
}

// ---------------------------------------------------------------------------------------------------------------------
// What people and servers do

const nothing = fc.constant({});
type Nothing = Record<string, never>;
const act = defineAction<Realtime, RealtimeBackend, Facts, Nothing>;
const numbered = fc.constantFrom(...NUMBERED);

const actions = {
  publish: defineAction<Realtime, RealtimeBackend, Facts, { channel: string; count: number; form: 'text' | 'object' }>({
    weight: 7,
    args: fc.record({
      channel: fc.constantFrom(USER, USER, ORDERS, PRICES),
      count: fc.integer({ min: 1, max: 4 }),
      form: fc.constantFrom('text', 'text', 'object'),
    }),
    says: ({ channel, count }) => `looks on while ${count} events are published on ${channel}`,
    run: ({ backend }, { channel, count, form }) => {
      for (let n = 0; n < count; n += 1) backend.publish(channel, `${'äb漢'[n % 3]}${n}`, { form });
    },
  }),
  publishMany: defineAction<Realtime, RealtimeBackend, Facts, { channel: string }>({
    args: fc.record({ channel: numbered }),
    says: ({ channel }) => `looks on while the line breaks and 110 events are published on ${channel}`,
    run: ({ backend }, { channel }) => {
      backend.pusher.dropAll();
      for (let n = 0; n < 110; n += 1) backend.publish(channel, `m${n}`);
    },
  }),
  serverFalls: act({
    weight: 2,
    args: nothing,
    says: () => 'looks on while the socket server falls over and comes back',
    run: ({ backend }) => backend.pusher.dropAll(),
  }),
  serverAsks: defineAction<Realtime, RealtimeBackend, Facts, { code: number }>({
    weight: 2,
    args: fc.record({ code: fc.constantFrom(4_100, 4_199, 4_200, 4_299) }),
    says: ({ code }) => `looks on while the server closes all connections with ${code}`,
    run: ({ backend }, { code }) => backend.pusher.closeAll(code),
  }),
  serverRefuses: defineAction<Realtime, RealtimeBackend, Facts, { code: number }>({
    args: fc.record({ code: fc.constantFrom(4_000, 4_001, 4_099) }),
    says: ({ code }) => `looks on while the server closes all connections with ${code}`,
    run: ({ backend }, { code }) => backend.pusher.closeAll(code),
  }),
  serverWavers: act({
    args: nothing,
    says: () => 'looks on while the server drops each connection after a second, for a minute',
    run: ({ backend }) => backend.waver(60 * SECOND, SECOND),
  }),
  serverPings: act({
    args: nothing,
    says: () => 'looks on while the server pings',
    run: ({ backend }) => backend.pusher.pingAll(),
  }),
  historyExpires: defineAction<Realtime, RealtimeBackend, Facts, { channel: string }>({
    args: fc.record({ channel: numbered }),
    says: ({ channel }) =>
      `looks on while three events of ${channel} are published, lost on the way and no longer kept`,
    run: ({ backend }, { channel }) => {
      backend.pusher.dropAll();
      for (let n = 0; n < 3; n += 1) backend.publish(channel, `short-lived ${n}`);
      backend.pusher.forget(channel);
    },
  }),
  rejoin: defineAction<Realtime, RealtimeBackend, Facts, { channel: string }>({
    weight: 2,
    args: fc.record({ channel: fc.constantFrom(USER, ORDERS, PRICES) }),
    says: ({ channel }) => `leaves ${channel} and joins it again in the same moment`,
    run: (stage, { channel }) => joinAgain(stage, channel),
  }),
  leave: defineAction<Realtime, RealtimeBackend, Facts, { channel: string }>({
    args: fc.record({ channel: fc.constantFrom(USER, ORDERS, PRICES) }),
    says: ({ channel }) => `closes the screen that has joined ${channel}`,
    run: ({ facts }, { channel }) => {
      const feature = facts.features.get(channel);
      if (feature) exit(feature);
    },
  }),
  disconnect: act({
    args: nothing,
    says: () => 'switches realtime off',
    run: ({ app, facts }) => {
      app.disconnect();
      facts.isWanted = false;
    },
  }),
  connect: act({
    weight: 2,
    args: nothing,
    says: () => 'switches realtime on',
    run: connect,
  }),
  type: act({
    args: nothing,
    says: () => 'types, which is told to the others by a client event',
    run: ({ app }) => void app.send(USER, 'client-typing', { isTyping: true }),
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What can be seen

const eventIn = ({ text }: FrameRecord): string => /"event":"([^"]*)"/.exec(text)?.[1] ?? '';
/** In what the server sends the channel stands beside the event, in what the phone sends in the data. */
const channelIn = ({ text }: FrameRecord): string => /"channel":"([^"]*)"/.exec(text)?.[1] ?? '';
const channelOf = ({ url }: RequestRecord): string =>
  decodeURIComponent(/\/channels\/([^/]+)\/events/.exec(url)?.[1] ?? '');
const isSocket = (carrier: FrameRecord['carrier']): carrier is SocketRecord => 'openedAtMs' in carrier;
const isWithin = (code: number | null, hundred: number): boolean =>
  code !== null && code >= hundred && code < hundred + 100;

const isGone = (event: TraceEvent): event is TraceEvent & { kind: 'request' } =>
  event.kind === 'request' && event.phase === 'received' && event.note === '410' && event.request.endpoint === HISTORY;

/** What a socket is told once: it was greeted, and it is over, whoever ended it. */
function lifeOf(event: TraceEvent): { greeted?: SocketRecord; ended?: SocketRecord } {
  if (event.kind === 'frame' && event.phase === 'arrived' && event.frame.target === 'socket.receive') {
    const { carrier } = event.frame;
    if (eventIn(event.frame) === 'pusher:connection_established' && isSocket(carrier)) return { greeted: carrier };
  }
  if (event.kind === 'socket' && (event.phase === 'closing' || event.phase === 'closed'))
    return { ended: event.socket };
  return {};
}

/** What may end a pause, or begin a connection, before its time. */
const isStir = (event: TraceEvent): boolean =>
  event.kind === 'launch' ||
  event.kind === 'kill' ||
  (event.kind === 'condition' && ['online', 'offline', 'wifi', 'mobile-data', 'foreground'].includes(event.condition));

interface Break {
  readonly socket: SocketRecord;
  readonly atMs: number;
  /** Null when the app itself has given the connection up: what the server says later is said to nobody. */
  readonly code: number | null;
  /** The how-manieth in a row, at most: what the app has given up by itself may be counted or not. */
  readonly nth: number;
  /** Something has happened since that may end the pause at once. */
  isStirred: boolean;
}

/** The last end of a connection, and its place in the row of breaks. */
function breaksOf({ facts }: RealtimeWorld) {
  const greetedAtMs = new Map<number, number>();
  const isOver = new Set<number>();
  let last: Break | null = null;
  let connects = 0;
  return {
    note(event: TraceEvent): void {
      const { greeted, ended } = lifeOf(event);
      if (greeted && !greetedAtMs.has(greeted.id)) greetedAtMs.set(greeted.id, event.atMs);
      if (event.kind === 'launch' || facts.connects !== connects) last = null;
      connects = facts.connects;
      if (last && isStir(event)) last.isStirred = true;
      if (!ended || isOver.has(ended.id)) return;
      isOver.add(ended.id);
      const isStable = event.atMs - (greetedAtMs.get(ended.id) ?? event.atMs) >= STABLE_MS;
      const code = event.kind === 'socket' && event.phase === 'closed' ? ended.closeCode : null;
      last = { socket: ended, atMs: event.atMs, code, nth: isStable ? 1 : (last?.nth ?? 0) + 1, isStirred: false };
    },
    last: () => last,
  };
}

const pauseMaxMs = (nth: number): number => Math.min(BACKOFF_CAP_MS, SECOND * 2 ** (nth - 1));
const seconds = (ms: number): string => `${(ms / SECOND).toFixed(1)} s`;

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: the connection

const oneSocket: RealtimeInvariant = {
  id: 'one-socket',
  promise: 'Never two sockets are open at once.',
  spec: ['R1'],
  watch:
    ({ phones }) =>
    (event) => {
      if (event.kind !== 'socket' || event.phase !== 'connecting') return undefined;
      const open = phones[event.phone]?.openSockets ?? 0;
      return open > 1 ? `Socket ${event.socket.nth} was opened while another one was still open.` : undefined;
    },
};

const comesBackInTime: RealtimeInvariant = {
  id: 'comes-back-in-time',
  promise: 'After a break the next try begins within the pause of R2.',
  spec: ['R2'],
  watch: (world) => {
    const breaks = breaksOf(world);
    return (event) => {
      breaks.note(event);
      const last = breaks.last();
      if (event.kind !== 'socket' || event.phase !== 'connecting' || !last || last.isStirred) return undefined;
      const pausedMs = event.atMs - last.atMs;
      const extraMs = isWithin(last.code, 4_100) ? SECOND : 0;
      if (pausedMs <= pauseMaxMs(last.nth) + extraMs + SLACK_MS) return undefined;
      return `After break ${last.nth} the next try began ${seconds(pausedMs)} later; ${seconds(pauseMaxMs(last.nth) + extraMs)} is the most.`;
    };
  },
  settled: ({ phones, facts }) => {
    const status = phones[0]?.app?.getState().status;
    return facts.isWanted && status !== 'connected' ? `All works again, but the status is ${status}.` : undefined;
  },
};

const obeysCloseCodes: RealtimeInvariant = {
  id: 'obeys-close-codes',
  promise: '40xx: no further try; 41xx: none within a second; 42xx: the first one at once.',
  spec: ['R11'],
  watch: (world) => {
    const breaks = breaksOf(world);
    let refused: { socket: SocketRecord; connects: number } | null = null;
    return (event) => {
      breaks.note(event);
      const last = breaks.last();
      if (event.kind === 'launch') refused = null;
      const isEnd = last?.socket.id === (event.kind === 'socket' ? event.socket.id : null) && last?.atMs === event.atMs;
      if (isEnd && event.kind === 'socket' && isWithin(last?.code ?? null, 4_000))
        refused = { socket: event.socket, connects: world.facts.connects };
      if (event.kind !== 'socket' || event.phase !== 'connecting') return undefined;
      if (refused && refused.connects === world.facts.connects)
        return `The server closed socket ${refused.socket.nth} with ${refused.socket.closeCode}, and another one was opened.`;
      if (!last || last.isStirred) return undefined;
      const { code } = last;
      const pausedMs = event.atMs - last.atMs;
      if (isWithin(code, 4_100) && pausedMs < SECOND)
        return `The server closed with ${code}, and the next try began ${seconds(pausedMs)} later.`;
      if (isWithin(code, 4_200) && last.nth === 1 && pausedMs > SLACK_MS)
        return `The server closed with ${code}, and the next try began only ${seconds(pausedMs)} later.`;
      return undefined;
    };
  },
};

const silentOffline: RealtimeInvariant = {
  id: 'silent-offline',
  promise: 'Nothing is sent while netInfo says offline.',
  spec: ['R4'],
  watch:
    ({ phones }) =>
    (event) => {
      if (event.kind === 'socket' && event.phase === 'connecting' && !event.socket.startedOnline)
        return `Socket ${event.socket.nth} was asked for while the phone was offline.`;
      if (event.kind === 'request' && event.phase === 'sent' && !event.request.sentOnline)
        return `${event.request.endpoint} left while the phone was offline.`;
      const isSent = event.kind === 'frame' && event.phase === 'sent' && event.frame.target === 'socket.send';
      if (!isSent || phones[event.phone]?.isOnline !== false) return undefined;
      return `${eventIn(event.frame)} was sent while the phone was offline.`;
    },
};

const findsDeadLines: RealtimeInvariant = {
  id: 'finds-dead-lines',
  promise: 'A connection on which nothing comes any more is given up after the activity timeout and 30 s.',
  spec: ['R3', 'E1'],
  watch: () => {
    const limitMs = ACTIVITY_TIMEOUT_S * SECOND + PONG_MS + LATE_FRAME_MS;
    let dead: { socket: SocketRecord; sinceMs: number } | null = null;
    let isAwake = true;
    return (event) => {
      const { greeted, ended } = lifeOf(event);
      if (event.kind === 'socket' && event.phase === 'half-open' && event.socket.openedAtMs !== null)
        dead = { socket: event.socket, sinceMs: event.atMs };
      if (event.kind === 'launch') isAwake = true;
      if (event.kind === 'launch' || greeted || (ended && ended === dead?.socket)) dead = null;
      if (event.kind === 'condition' && event.condition === 'background') isAwake = false;
      if (event.kind === 'condition' && event.condition === 'foreground') {
        isAwake = true;
        if (dead) dead.sinceMs = event.atMs;
      }
      if (!dead || !isAwake || event.atMs - dead.sinceMs <= limitMs) return undefined;
      return `Socket ${dead.socket.nth} has been dead for ${seconds(event.atMs - dead.sinceMs)}, and the app still holds on to it.`;
    };
  },
};

const beginsAnewOnReturn: RealtimeInvariant = {
  id: 'begins-anew-on-return',
  promise: 'After more than 30 s in the background a new connection is begun at once, and none before.',
  spec: ['R12', 'E9'],
  watch: ({ facts, phones }) => {
    let leftAtMs: number | null = null;
    let due: { atMs: number; awayMs: number; connects: number } | null = null;
    return (event) => {
      const isCondition = event.kind === 'condition' ? event.condition : null;
      if (event.kind === 'launch' || event.kind === 'kill' || isCondition === 'offline') due = null;
      if (event.kind === 'kill') leftAtMs = null;
      if (event.kind === 'socket' && event.phase === 'connecting') {
        due = null;
        if (leftAtMs !== null && event.atMs - leftAtMs > AWAY_MS + SLACK_MS)
          return `Socket ${event.socket.nth} was asked for after ${seconds(event.atMs - leftAtMs)} in the background.`;
      }
      if (isCondition === 'background') leftAtMs = event.atMs;
      if (isCondition === 'foreground' && leftAtMs !== null) {
        const awayMs = event.atMs - leftAtMs;
        leftAtMs = null;
        const status = phones[event.phone]?.app?.getState().status;
        const isMeant = facts.isWanted && status !== 'refused' && phones[event.phone]?.isOnline === true;
        if (isMeant && awayMs > AWAY_MS + SLACK_MS) due = { atMs: event.atMs, awayMs, connects: facts.connects };
      }
      if (!due || !facts.isWanted || due.connects !== facts.connects || event.atMs - due.atMs <= SLACK_MS)
        return undefined;
      const { awayMs } = due;
      due = null;
      return `The app came back after ${seconds(awayMs)} in the background, and no new connection was begun.`;
    };
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: channels

/** Channels that the present connection has been let into. */
function subscriptionsOf() {
  const channels = new Set<string>();
  let present: FrameRecord['carrier'] | null = null;
  return {
    note(event: TraceEvent): void {
      const { ended } = lifeOf(event);
      // A socket that was closed before may be over only after the next one has begun.
      if (event.kind === 'launch' || (ended && ended === present)) channels.clear();
      if (event.kind !== 'frame' || event.phase !== 'arrived' || event.frame.target !== 'socket.receive') return;
      if (eventIn(event.frame) !== 'pusher_internal:subscription_succeeded') return;
      present = event.frame.carrier;
      channels.add(channelIn(event.frame));
    },
    has: (channel: string) => channels.has(channel),
  };
}

const authForThisConnection: RealtimeInvariant = {
  id: 'auth-for-this-connection',
  promise: 'No subscription carries an auth that was made for another connection.',
  spec: ['R5', 'E10'],
  watch: () => (event) => {
    if (event.kind !== 'frame' || event.phase !== 'arrived' || eventIn(event.frame) !== 'pusher:subscription_error')
      return undefined;
    return `The server turned down the auth for ${channelIn(event.frame)}: ${event.frame.text}.`;
  },
};

const allLive: RealtimeInvariant = {
  id: 'all-live',
  promise: 'Once all works again every joined channel is live, and the one that is forbidden is denied.',
  spec: ['R5'],
  settled: ({ phones, facts }) => {
    const shown = phones[0]?.app?.getState().channels ?? {};
    for (const { channel, leave } of facts.features.values()) {
      const meant = leave === null ? undefined : channel === BOARD ? 'denied' : 'live';
      if (shown[channel] !== meant)
        return `${channel} is ${shown[channel] ?? 'not joined'}; it should be ${meant ?? 'left'}.`;
    }
    return undefined;
  },
};

const deniedOnce: RealtimeInvariant = {
  id: 'denied-once',
  promise: 'After a 403 no auth is asked for that channel before it is joined anew.',
  spec: ['R5'],
  watch: ({ facts }) => {
    const denied = new Map<string, () => void>();
    /** The newest request for auth that was sent over each connection: one of an earlier connection says nothing. */
    let sentBefore = 0;
    let newest = 0;
    return (event) => {
      if (event.kind === 'launch') denied.clear();
      if (lifeOf(event).ended) sentBefore = newest;
      if (event.kind !== 'request' || event.request.endpoint !== AUTH) return undefined;
      const channel = new URLSearchParams(event.request.body ?? '').get('channel_name') ?? '';
      const leave = facts.features.get(channel)?.leave;
      newest = Math.max(newest, event.request.id);
      const isCurrent = event.request.id > sentBefore;
      if (event.phase === 'received' && event.note === '403' && leave && isCurrent) denied.set(channel, leave);
      const isAgain = event.phase === 'sent' && leave !== null && denied.get(channel) === leave;
      return isAgain ? `Auth for ${channel} was asked for again after a 403.` : undefined;
    };
  },
};

const subscribedFirst: RealtimeInvariant = {
  id: 'subscribed-first',
  promise: 'History is asked after the last number given, by a phone that is subscribed.',
  spec: ['R6'],
  watch: ({ facts }) => {
    const subscribed = subscriptionsOf();
    return (event) => {
      subscribed.note(event);
      if (event.kind !== 'request' || event.phase !== 'sent' || event.request.endpoint !== HISTORY) return undefined;
      const channel = channelOf(event.request);
      if (!subscribed.has(channel)) return `History of ${channel} was asked for before it was subscribed.`;
      const asked = new URL(event.request.url).searchParams.get('after');
      const last = facts.features.get(channel)?.after;
      return asked === String(last)
        ? undefined
        : `History of ${channel} was asked after ${asked}; the last event given was ${last}.`;
    };
  },
};

const oneAtATime: RealtimeInvariant = {
  id: 'one-request-at-a-time',
  promise: 'At most one request for the history of a channel is out.',
  spec: ['R7'],
  watch: atSend(() => (sent, others) => {
    if (sent.endpoint !== HISTORY) return undefined;
    const isTwin = others().some((other) => other.endpoint === HISTORY && channelOf(other) === channelOf(sent));
    return isTwin ? `A second request for the history of ${channelOf(sent)} left while one was out.` : undefined;
  }),
};

const reported = (
  id: string,
  promise: string,
  spec: readonly string[],
  sentences: (facts: Facts) => string[],
): RealtimeInvariant => ({
  id,
  promise,
  spec,
  watch:
    ({ facts }) =>
    () =>
      sentences(facts).shift(),
  settled: ({ facts }) => sentences(facts).shift(),
});

const noHoles = reported(
  'no-holes',
  'No event is given before those with lower numbers.',
  ['R7'],
  ({ holes }) => holes,
);
const noRepeats = reported('no-repeats', 'No event is given twice.', ['R7', 'E4'], ({ repeats }) => repeats);
const asPublished = reported(
  'as-published',
  'Each event is given as it was published, and nothing else is.',
  ['R10', 'E7'],
  ({ strangers }) => strangers,
);
const quietAfterLeave = reported(
  'quiet-after-leave',
  'No handler is called after leave or disconnect.',
  ['R9'],
  ({ lateCalls }) => lateCalls,
);

function missing({ backend, facts }: RealtimeWorld): string | undefined {
  for (const channel of NUMBERED) {
    const { after = 0, leave = null } = facts.features.get(channel) ?? {};
    const head = backend.pusher.headOf(channel);
    if (leave && after !== head) return `All is quiet, but ${channel} has events up to ${after} of ${head}.`;
  }
  return undefined;
}

const reachesTheHead: RealtimeInvariant = {
  id: 'reaches-the-head',
  promise: 'Once all works again, and a head has been told, every event of every joined channel has been given.',
  spec: ['R7', 'E3'],
  settled: missing,
  relaunched: missing,
};

const resetWhenGone: RealtimeInvariant = {
  id: 'reset-when-gone',
  promise: 'A feature loads anew once for each time its history is gone, and for nothing else.',
  spec: ['R8', 'E8'],
  watch: ({ facts }) => {
    const gone = new Map<string, number>();
    return (event) => {
      if (isGone(event)) gone.set(channelOf(event.request), (gone.get(channelOf(event.request)) ?? 0) + 1);
      for (const channel of NUMBERED) {
        const resets = facts.features.get(channel)?.resets ?? 0;
        const allowed = gone.get(channel) ?? 0;
        if (resets > allowed)
          return `${channel} was told ${resets} times to load anew; its history was gone ${allowed} times.`;
      }
      return undefined;
    };
  },
};

const reloadsUnnumbered: RealtimeInvariant = {
  id: 'reloads-unnumbered',
  promise: 'A channel without numbers is told to load anew after each subscription.',
  spec: ['R8'],
  watch: ({ facts }) => {
    const resets = () => facts.features.get(PRICES)?.resets ?? 0;
    let due: { before: number; atMs: number; carrier: FrameRecord['carrier'] } | null = null;
    return (event) => {
      if (due && (resets() > due.before || !facts.features.get(PRICES)?.leave || !facts.isWanted)) due = null;
      if (event.kind === 'kill' || event.kind === 'launch' || lifeOf(event).ended === due?.carrier) due = null;
      const isIn =
        event.kind === 'frame' &&
        event.phase === 'arrived' &&
        event.note === '' &&
        eventIn(event.frame) === 'pusher_internal:subscription_succeeded' &&
        channelIn(event.frame) === PRICES;
      if (isIn && facts.features.get(PRICES)?.leave)
        due = { before: resets(), atMs: event.atMs, carrier: event.frame.carrier };
      if (!due || event.atMs - due.atMs <= SLACK_MS) return undefined;
      return `${PRICES} was subscribed ${seconds(event.atMs - due.atMs)} ago, and its feature was not told to load anew.`;
    };
  },
};

// ---------------------------------------------------------------------------------------------------------------------

export const scenario = defineScenario<RealtimeReconnectModule, Realtime, RealtimeBackend, Facts>({
  kata: 'realtime-reconnect',
  apiUrl: API,
  slots: 10,
  gapsMs: [0, 40, 900, 4_000, 20_000, 70_000],
  endpoints: [AUTH, HISTORY],
  backend: (context) => createBackend(context, { activityTimeoutS: ACTIVITY_TIMEOUT_S, historyMax: HISTORY_MAX }),
  facts: createFacts,
  open(opening) {
    const { module, device, apiUrl, facts, stateChanged } = opening;
    facts.opening = opening;
    const app = module.createRealtime({ device, apiUrl, socketUrl: SOCKETS, appKey: APP_KEY });
    app.subscribe(stateChanged);
    facts.isWanted = true;
    facts.connects += 1;
    joinAll(app, opening);
    app.connect();
    return app;
  },
  healed(stage) {
    // What a server refused in the bad hour, or a person left, is asked for once more.
    stage.backend.steady();
    const { channels } = stage.app.getState();
    for (const { channel, leave } of stage.facts.features.values())
      if (!leave || channels[channel] === 'denied') joinAgain(stage, channel);
    connect(stage);
  },
  close(app) {
    app.dispose();
  },
  view: (app) => {
    const { status, channels } = app.getState();
    return { status, channels: { ...channels } };
  },
  actions,
  conditions: {
    offline: { weight: 2, forMs: [4_000, 90_000] },
    handover: { weight: 2, forMs: [15_000] },
    background: { weight: 2, forMs: [20_000, 40_000, 28_800_000] },
    outage: { forMs: [20_000, 120_000] },
    kill: { forMs: [2_000] },
  },
  faults: {
    'socket.connect': ['slow', 'refused', 'hang', 'kill-before', 'kill-after'],
    'socket.receive': ['delay', 'duplicate', 'lost', 'drop', 'half-open', 'kill-before', 'kill-after'],
    'socket.send': ['lost', 'drop', 'half-open', 'kill-before', 'kill-after'],
    [AUTH]: [
      'delay',
      'response-lost',
      'request-lost',
      'answer-403',
      'answer-500',
      'answer-429-seconds',
      'portal',
      'truncate',
    ],
    [HISTORY]: [
      'delay',
      'response-lost',
      'hang',
      'answer-410',
      'answer-500',
      'answer-503',
      'portal',
      'truncate',
      'kill-after',
    ],
  },
  invariants: [
    oneSocket,
    comesBackInTime,
    obeysCloseCodes,
    silentOffline,
    findsDeadLines,
    beginsAnewOnReturn,
    authForThisConnection,
    allLive,
    deniedOnce,
    subscribedFirst,
    oneAtATime,
    noHoles,
    noRepeats,
    asPublished,
    quietAfterLeave,
    reachesTheHead,
    resetWhenGone,
    reloadsUnnumbered,
  ],
  budgets: [
    {
      id: 'connections',
      promise: 'Few connections are asked for.',
      spec: ['R14'],
      measure: ({ costs }) => costs.socketsOpened,
      allowance: 1.25,
    },
    {
      id: 'history-requests',
      promise: 'One request for history per subscription and hundred events.',
      spec: ['R14'],
      measure: ({ requests }) => requests.filter(({ endpoint }) => endpoint === HISTORY).length,
      allowance: 1.3,
    },
    {
      id: 'auth-requests',
      promise: 'One request for auth per subscription.',
      spec: ['R14'],
      measure: ({ requests }) => requests.filter(({ endpoint }) => endpoint === AUTH).length,
      allowance: 1.25,
    },
    {
      id: 'wake-ups',
      promise: 'Timers fire for heartbeats and pauses only.',
      spec: ['R14'],
      measure: ({ costs }) => costs.timerWakeups,
      allowance: 2,
    },
    {
      id: 'bytes',
      promise: 'Few bytes per event.',
      spec: ['R14'],
      measure: ({ costs }) => costs.bytesSent + costs.bytesReceived,
      allowance: 1.25,
    },
  ],
  patienceMs: 300_000,
});
