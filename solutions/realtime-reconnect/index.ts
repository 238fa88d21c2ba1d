// The reference. Two layers: a link that is kept alive, and on it channels that are kept whole. Each channel stays on a
// link for one visit; what belongs to a link or a visit that is over changes nothing any more.
import { createStore } from 'zustand/vanilla';
import type {
  ChannelEvent,
  ChannelHandler,
  ChannelStatus,
  ConnectionStatus,
  CreateRealtime,
  HistoryPage,
  RealtimeState,
} from '#contract/realtime-reconnect';
import type { AppStateStatus, NetInfoState } from '#phone';
import { fullJitterMs } from '#solutions/offline-queue';
import { isObject, parseJson } from '#solutions/token-refresh';

const CONNECT_MS = 10_000;
/** A connection that has lasted this long was a good one: the count of breaks begins anew. */
const STABLE_MS = 10_000;
const ACTIVITY_TIMEOUT_S = 120;
const PONG_MS = 30_000;
const AWAY_MS = 30_000;
const SUBSCRIBE_MS = 10_000;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_CAP_MS = 30_000;
const HELD_MAX = 500;
const PAGE_SIZE = 100;
/** What a break without a closing handshake is called. Source: RFC 6455, 7.4.1. */
const BROKEN = 1006;

/** One connection, from the first byte to the last. */
interface Link {
  readonly socket: WebSocket;
  /** Null until the server has greeted. */
  socketId: string | null;
  connectedAtMs: number;
  activityMs: number;
  /** A ping is out, and its 30 s are running: no second one may begin them anew. */
  isPinged: boolean;
  /** Runs out when nothing is heard: of the greeting, then of anything, then of a pong. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

interface Channel {
  readonly name: string;
  readonly handler: ChannelHandler;
  status: ChannelStatus;
  readonly isNumbered: boolean;
  /** The last number given to the handler. */
  last: number;
  /** The newest number heard of, by whatever way. */
  newest: number;
  /** Events that wait for those before them, by number. */
  readonly held: Map<number, ChannelEvent>;
  /** Something may have been missed that no number tells of. */
  isUnsure: boolean;
  /** Whether the server has been asked, or sends events of this channel over the present link. */
  subscription: 'none' | 'asked' | 'on';
  /** Aborts when the channel's stay on the present link ends. */
  visit: AbortController;
  /** Ends the pause the channel is in. */
  wake: () => void;
  /** Requests for history go one after another, across links too. */
  turn: Promise<unknown>;
}

interface Frame {
  readonly event: string;
  readonly channel: string;
  readonly data: unknown;
}

export const createRealtime: CreateRealtime = ({ device, apiUrl, socketUrl, appKey, ...given }) => {
  const request = given.fetch ?? fetch;
  const url = `${socketUrl}/app/${appKey}?protocol=7&client=kata&version=1`;
  const channels = new Map<string, Channel>();
  const store = createStore<RealtimeState>(() => ({ status: 'idle', attempt: 0, socketId: null, channels: {} }));
  let isWanted = false;
  let isDisposed = false;
  let link: Link | null = null;
  /** Null until netInfo has told. */
  let network: NetInfoState | null = null;
  /** Breaks in a row. */
  let breaks = 0;
  let pauseTimer: ReturnType<typeof setTimeout> | undefined;
  let leftAtMs: number | null = null;
  let sleepTimer: ReturnType<typeof setTimeout> | undefined;
  let stopListening = () => {};

  function show(status: ConnectionStatus = store.getState().status): void {
    const shown = Object.fromEntries([...channels.values()].map((channel) => [channel.name, channel.status]));
    store.setState({ status, attempt: breaks, socketId: link?.socketId ?? null, channels: shown });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Whether a connection is wanted

  function connect(): void {
    if (isDisposed || isWanted) return;
    isWanted = true;
    breaks = 0;
    show('connecting');
    // The first try begins when netInfo has told its state, which it does at once.
    const stopNetwork = device.netInfo.addEventListener(onNetwork);
    const appState = device.appState.addEventListener('change', onAppState);
    stopListening = () => {
      stopNetwork();
      appState.remove();
    };
  }

  function halt(status: 'idle' | 'refused'): void {
    isWanted = false;
    stopListening();
    clearTimeout(sleepTimer);
    network = null;
    leftAtMs = null;
    breaks = 0;
    drop();
    show(status);
  }

  function onNetwork(state: NetInfoState): void {
    const before = network;
    network = state;
    if (!state.isConnected) {
      drop();
      show('offline');
      return;
    }
    // The same state told again is no news.
    if (isAsleep() || (before?.isConnected && before.type === state.type)) return;
    if (!link) open();
    // The old network carried the socket. Whether the new one does is asked, for a new connection costs more.
    else if (link.socketId !== null) ping(link);
  }

  const isAsleep = () => leftAtMs !== null && Date.now() - leftAtMs > AWAY_MS;

  /** The OS may stop all timers in the background. Then what was due after 30 s is done on return. */
  function onAppState(state: AppStateStatus): void {
    clearTimeout(sleepTimer);
    if (state === 'background') {
      leftAtMs = Date.now();
      sleepTimer = setTimeout(fallAsleep, AWAY_MS);
      return;
    }
    const wasAsleep = isAsleep();
    leftAtMs = null;
    if (wasAsleep && network?.isConnected) open();
  }

  /** For systems that let timers run. Nobody looks at the state now, and the return will show the truth. */
  function fallAsleep(): void {
    leftAtMs = Number.NEGATIVE_INFINITY;
    drop();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The link

  function open(): void {
    drop();
    const own: Link = {
      socket: new WebSocket(url),
      socketId: null,
      connectedAtMs: Number.POSITIVE_INFINITY,
      activityMs: 0,
      isPinged: false,
      timer: undefined,
    };
    link = own;
    limit(own, CONNECT_MS, () => lose(BROKEN));
    own.socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (link === own) receive(own, String(data));
    });
    own.socket.addEventListener('close', ({ code }) => {
      if (link === own) lose(code);
    });
    show('connecting');
  }

  /** Ends the link, or the pause before the next one. Nothing follows from it. */
  function drop(): void {
    clearTimeout(pauseTimer);
    const old = link;
    link = null;
    if (!old) return;
    clearTimeout(old.timer);
    if (performance.now() - old.connectedAtMs >= STABLE_MS) breaks = 0;
    for (const channel of channels.values()) endVisit(channel);
    old.socket.close();
  }

  /** The link is broken. Source of the codes: Pusher Channels, connection closure. */
  function lose(code: number): void {
    drop();
    if (isWithin(code, 4000)) {
      halt('refused');
      return;
    }
    breaks += 1;
    if (isWithin(code, 4200) && breaks === 1) {
      open();
      return;
    }
    pauseTimer = setTimeout(open, backoffMs(breaks) + (isWithin(code, 4100) ? BACKOFF_FIRST_MS : 0));
    show('waiting');
  }

  function greeted(own: Link, data: unknown): void {
    // A greeting that comes twice is no second connection.
    if (own.socketId !== null || !isObject(data)) return;
    own.socketId = String(data.socket_id);
    own.connectedAtMs = performance.now();
    own.activityMs = (Number(data.activity_timeout) || ACTIVITY_TIMEOUT_S) * 1_000;
    awaitActivity(own);
    show('connected');
    for (const channel of channels.values()) if (channel.status !== 'denied') void enter(channel, own);
  }

  function awaitActivity(own: Link): void {
    own.isPinged = false;
    limit(own, own.activityMs, () => ping(own));
  }

  /** Asks a quiet server whether it is still there. Any frame is an answer. */
  function ping(own: Link): void {
    if (own.isPinged) return;
    own.isPinged = true;
    limit(own, PONG_MS, () => lose(BROKEN));
    tell(own, 'pusher:ping', {});
  }

  /** A link has one timer: each limit takes the place of the one before it. */
  function limit(own: Link, ms: number, run: () => void): void {
    clearTimeout(own.timer);
    own.timer = setTimeout(run, ms);
  }

  function tell({ socket }: Link, event: string, data: unknown, channel?: string): void {
    socket.send(JSON.stringify({ event, channel, data }));
  }

  function receive(own: Link, text: string): void {
    if (own.socketId !== null) awaitActivity(own);
    const frame = readFrame(text);
    if (!frame) return;
    const channel = channels.get(frame.channel);
    switch (frame.event) {
      case 'pusher:connection_established':
        greeted(own, frame.data);
        break;
      case 'pusher:ping':
        tell(own, 'pusher:pong', {});
        break;
      case 'pusher_internal:subscription_succeeded':
        if (channel) admitted(channel);
        break;
      case 'pusher:subscription_error':
        if (channel?.subscription === 'asked') channel.wake();
        break;
      default:
        if (channel?.subscription === 'on') heard(channel, frame);
    }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Joining and leaving

  function join(name: string, handler: ChannelHandler): () => void {
    if (isDisposed) return () => {};
    if (channels.has(name)) throw new Error(`join: ${name} is joined already, and has one handler. Leave it first.`);
    const channel: Channel = {
      name,
      handler,
      status: 'pending',
      isNumbered: handler.after !== null,
      last: handler.after ?? 0,
      newest: 0,
      held: new Map(),
      isUnsure: false,
      subscription: 'none',
      visit: new AbortController(),
      wake: () => {},
      turn: Promise.resolve(),
    };
    channels.set(name, channel);
    if (link && link.socketId !== null) void enter(channel, link);
    show();
    return () => leave(channel);
  }

  function leave(channel: Channel): void {
    if (channels.get(channel.name) !== channel) return;
    channels.delete(channel.name);
    unsubscribe(channel);
    endVisit(channel);
    show();
  }

  function unsubscribe(channel: Channel): void {
    if (link && channel.subscription !== 'none') tell(link, 'pusher:unsubscribe', { channel: channel.name });
    channel.subscription = 'none';
  }

  function endVisit(channel: Channel): void {
    channel.visit.abort();
    channel.wake();
    channel.subscription = 'none';
    if (channel.status !== 'denied') channel.status = 'pending';
  }

  function showChannel(channel: Channel, status: ChannelStatus): void {
    channel.status = status;
    show();
  }

  /** A channel's stay on a link begins: subscribe until it is let in or denied. */
  async function enter(channel: Channel, own: Link): Promise<void> {
    channel.visit = new AbortController();
    const { signal } = channel.visit;
    for (let tries = 1; !signal.aborted; tries += 1) {
      const isDenied = await subscribe(channel, own, signal);
      if (signal.aborted || channel.subscription === 'on') return;
      if (isDenied) {
        showChannel(channel, 'denied');
        return;
      }
      // A frame may have been lost, and the server takes no second subscription.
      unsubscribe(channel);
      await pause(backoffMs(tries), channel);
    }
  }

  /** One try. True when the server has said that this channel is not for this user. */
  async function subscribe(channel: Channel, own: Link, signal: AbortSignal): Promise<boolean> {
    const { name } = channel;
    const auth = isSecured(name) ? await authorize(name, own.socketId, signal) : {};
    if (signal.aborted || auth === null) return false;
    if (auth === 'denied') return true;
    channel.subscription = 'asked';
    tell(own, 'pusher:subscribe', { channel: name, ...auth });
    await pause(SUBSCRIBE_MS, channel);
    return false;
  }

  async function authorize(name: string, socketId: string | null, signal: AbortSignal) {
    const body = `socket_id=${encodeURIComponent(String(socketId))}&channel_name=${encodeURIComponent(name)}`;
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    try {
      const response = await request(`${apiUrl}/pusher/auth`, { method: 'POST', headers, body, signal });
      if (response.status === 403) return 'denied';
      const answer: unknown = response.status === 200 ? await response.json() : null;
      // `auth`, and `channel_data` where there is one. If it is neither, the server will say so.
      return isObject(answer) ? answer : null;
    } catch {
      return null;
    }
  }

  /** From here on events come. What came before may be missing: this is the moment to ask. */
  function admitted(channel: Channel): void {
    if (channel.subscription === 'none') return;
    channel.subscription = 'on';
    channel.wake();
    if (!channel.isNumbered) {
      showChannel(channel, 'live');
      // A feature without numbers loads for itself, and tries again for itself.
      void reload(channel).catch(() => undefined);
      return;
    }
    channel.isUnsure = true;
    if (channel.status !== 'catching-up') void catchUp(channel);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Events: each once, and in order

  function heard(channel: Channel, { event: name, data }: Frame): void {
    if (/^pusher(?:_internal)?:/.test(name)) return;
    const seq = channel.isNumbered ? numberIn(data) : null;
    if (name === 'head') note(channel, seq ?? 0);
    else if (seq === null) give(channel, { name, data, seq });
    else {
      take(channel, { name, data, seq }, seq);
      note(channel, seq);
    }
  }

  /** Gives an event if its turn has come, else holds it if there is room. What finds none comes by history. */
  function take(channel: Channel, event: ChannelEvent, seq: number): void {
    if (seq <= channel.last) return;
    if (seq > channel.last + 1) {
      if (channel.held.size < HELD_MAX) channel.held.set(seq, event);
      return;
    }
    give(channel, event);
    channel.held.delete(seq);
    const next = channel.held.get(seq + 1);
    if (next) take(channel, next, seq + 1);
  }

  function give(channel: Channel, event: ChannelEvent): void {
    // The handler may leave, or disconnect, in the middle of a page.
    if (channel.visit.signal.aborted) return;
    // Before the call: a handler that throws has had its event all the same.
    if (event.seq !== null) channel.last = event.seq;
    try {
      channel.handler.onEvent(event);
    } catch {
      // The feature's own trouble. The other events and channels go on.
    }
  }

  /** Hears of a number: if those up to it have not all been given, some are missing. */
  function note(channel: Channel, seq: number): void {
    channel.newest = Math.max(channel.newest, seq);
    if (channel.status === 'live' && isBehind(channel)) void catchUp(channel);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Catching up

  async function catchUp(channel: Channel): Promise<void> {
    const { signal } = channel.visit;
    showChannel(channel, 'catching-up');
    for (let failures = 0; channel.isUnsure || isBehind(channel); ) {
      if (failures > 0) await pause(backoffMs(failures), channel);
      const before = channel.last;
      channel.isUnsure = false;
      const isAnswered = await inTurn(channel, () => ask(channel, signal));
      if (signal.aborted) return;
      if (!isAnswered) channel.isUnsure = true;
      // An answer that brings nothing is as good as none: asking again at once would be a loop without end.
      failures = channel.last === before ? failures + 1 : 0;
    }
    showChannel(channel, 'live');
  }

  /** One at a time: an older request, or a reload that is still going on, ends first. What fails is false. */
  function inTurn(channel: Channel, job: () => Promise<boolean>): Promise<boolean> {
    const turn = channel.turn.then(job).catch(() => false);
    channel.turn = turn;
    return turn;
  }

  /** One question. False when it has to be asked again. */
  async function ask(channel: Channel, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    const { name, last } = channel;
    const page = await (given.history?.(name, last) ?? askServer(name, last, signal));
    if (signal.aborted) return false;
    if (page === 'gone') {
      await startOver(channel);
      // What has been published since the feature looked comes by history.
      return false;
    }
    for (const event of page.events) if (event.seq !== null) take(channel, event, event.seq);
    channel.newest = Math.max(channel.newest, page.head);
    return true;
  }

  async function askServer(name: string, after: number, signal: AbortSignal): Promise<HistoryPage | 'gone'> {
    const query = `after=${after}&limit=${PAGE_SIZE}`;
    const response = await request(`${apiUrl}/channels/${encodeURIComponent(name)}/events?${query}`, { signal });
    if (response.status === 410) return 'gone';
    const page: unknown = response.status === 200 ? await response.json() : null;
    if (!isPage(page)) throw new Error(`history of ${name} after ${after}: ${response.status}, not a page of events`);
    return page;
  }

  /** What the feature has loaded counts, even if the link has gone meanwhile: it is in its data. */
  async function startOver(channel: Channel): Promise<void> {
    const last = await reload(channel);
    if (last === null) return;
    channel.last = last;
    channel.held.clear();
  }

  return {
    connect,
    disconnect: () => halt('idle'),
    join,
    send(name, event, data) {
      if (!link || channels.get(name)?.status !== 'live' || !event.startsWith('client-')) return false;
      tell(link, event, data, name);
      return true;
    },
    getState: store.getState,
    subscribe: (listener) => store.subscribe(() => listener()),
    dispose() {
      isDisposed = true;
      halt('idle');
    },
  };
};

// ---------------------------------------------------------------------------------------------------------------------

/** Many phones that were dropped together come back spread out. */
const backoffMs = (tries: number): number => fullJitterMs(tries, BACKOFF_FIRST_MS, BACKOFF_CAP_MS);

/** Ends after a time, or when the channel is woken. A channel is in one pause at a time. */
function pause(ms: number, channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    channel.wake = end;
  });
}

/** Calls the handler now. What it throws is a rejection. */
async function reload({ handler }: Channel): Promise<number | null> {
  return handler.onReset();
}

const isWithin = (code: number, hundred: number): boolean => code >= hundred && code < hundred + 100;
const isSecured = (name: string): boolean => /^(?:private|presence)-/.test(name);
const isBehind = ({ last, newest }: Channel): boolean => newest > last;

// ---------------------------------------------------------------------------------------------------------------------
// What comes from outside

function readFrame(text: string): Frame | null {
  const frame = parseJson(text);
  if (!isObject(frame) || typeof frame.event !== 'string') return null;
  const { event, channel, data } = frame;
  // Pusher puts JSON text into the JSON; others put the object.
  return { event, channel: String(channel), data: typeof data === 'string' ? (parseJson(data) ?? data) : data };
}

function numberIn(data: unknown): number | null {
  return isObject(data) && typeof data.seq === 'number' ? data.seq : null;
}

function isPage(value: unknown): value is HistoryPage {
  return isObject(value) && Array.isArray(value.events) && typeof value.head === 'number';
}
