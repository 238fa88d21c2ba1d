// The link that is kept alive: when a connection is wanted, one that is heard of, and the pauses between two. Owns the
// socket; what belongs to one that is over changes nothing any more.
import type { ConnectionStatus } from '#contract/realtime-reconnect';
import type { AppStateStatus, Device, NetInfoState } from '#phone';
import { isObject } from '#solutions/token-refresh';
import { BACKOFF_FIRST_MS, backoffMs, type Frame, readFrame } from './wire.ts';

const CONNECT_MS = 10_000;
/** A connection that has lasted this long was a good one: the count of breaks begins anew. */
const STABLE_MS = 10_000;
const ACTIVITY_TIMEOUT_S = 120;
const PONG_MS = 30_000;
const AWAY_MS = 30_000;
/** What a break without a closing handshake is called. Source: RFC 6455, 7.4.1. */
const BROKEN = 1006;

/** One connection, from the first byte to the last. */
export interface Link {
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

/** What others do when something happens to the link. */
export interface LinkHooks {
  /** The server has greeted. */
  opened(link: Link): void;
  /** It is over, by whatever cause. */
  ended(): void;
  received(frame: Frame): void;
  /** Its state has changed. */
  shown(): void;
}

export function createLink({ netInfo, appState }: Device, url: string, hooks: LinkHooks) {
  let status: ConnectionStatus = 'idle';
  let isWanted = false;
  let link: Link | null = null;
  /** Null until netInfo has told. */
  let network: NetInfoState | null = null;
  /** Breaks in a row. */
  let breaks = 0;
  let pauseTimer: ReturnType<typeof setTimeout> | undefined;
  let leftAtMs: number | null = null;
  let sleepTimer: ReturnType<typeof setTimeout> | undefined;
  let stopListening = () => {};

  function show(next: ConnectionStatus): void {
    status = next;
    hooks.shown();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Whether a connection is wanted

  function connect(): void {
    if (isWanted) return;
    isWanted = true;
    breaks = 0;
    show('connecting');
    // The first try begins when netInfo has told its state, which it does at once.
    const stopNetwork = netInfo.addEventListener(onNetwork);
    const foreground = appState.addEventListener('change', onAppState);
    stopListening = () => {
      stopNetwork();
      foreground.remove();
    };
  }

  function halt(why: 'idle' | 'refused'): void {
    isWanted = false;
    stopListening();
    clearTimeout(sleepTimer);
    network = null;
    leftAtMs = null;
    breaks = 0;
    drop();
    show(why);
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
    hooks.ended();
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
    hooks.opened(own);
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

  function receive(own: Link, text: string): void {
    if (own.socketId !== null) awaitActivity(own);
    const frame = readFrame(text);
    if (!frame) return;
    switch (frame.event) {
      case 'pusher:connection_established':
        greeted(own, frame.data);
        break;
      case 'pusher:ping':
        tell(own, 'pusher:pong', {});
        break;
      default:
        hooks.received(frame);
    }
  }

  return {
    connect,
    halt,
    /** The connection that is up; null while there is none. */
    current: (): Link | null => (link && link.socketId !== null ? link : null),
    getState: () => ({ status, attempt: breaks, socketId: link?.socketId ?? null }),
  };
}

export function tell({ socket }: Link, event: string, data: unknown, channel?: string): void {
  socket.send(JSON.stringify({ event, channel, data }));
}

const isWithin = (code: number, hundred: number): boolean => code >= hundred && code < hundred + 100;
