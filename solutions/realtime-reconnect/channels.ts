// Channels that are kept whole: joined on each link anew, every event given once and in order, what is missing asked for.
// A channel stays on a link for one visit; what belongs to a visit that is over changes nothing any more.
import type {
  ChannelEvent,
  ChannelHandler,
  ChannelStatus,
  HistoryPage,
  RealtimeOptions,
} from '#contract/realtime-reconnect';
import { isObject } from '#solutions/token-refresh';
import { type Link, tell } from './link.ts';
import { backoffMs, type Frame, numberIn } from './wire.ts';

const SUBSCRIBE_MS = 10_000;
const HELD_MAX = 500;
const PAGE_SIZE = 100;

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

/** `current` gives the link that is up, `show` is called when a status has changed. */
export function createChannels({ apiUrl, ...given }: RealtimeOptions, current: () => Link | null, show: () => void) {
  const request = given.fetch ?? fetch;
  const channels = new Map<string, Channel>();

  function opened(own: Link): void {
    for (const channel of channels.values()) if (channel.status !== 'denied') void enter(channel, own);
  }

  function ended(): void {
    for (const channel of channels.values()) endVisit(channel);
  }

  function received(frame: Frame): void {
    const channel = channels.get(frame.channel);
    switch (frame.event) {
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
    const link = current();
    if (link) void enter(channel, link);
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
    const link = current();
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
    opened,
    ended,
    received,
    join,
    statusOf: (name: string): ChannelStatus | null => channels.get(name)?.status ?? null,
    getState: () => Object.fromEntries([...channels.values()].map(({ name, status }) => [name, status])),
  };
}

// ---------------------------------------------------------------------------------------------------------------------

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

const isSecured = (name: string): boolean => /^(?:private|presence)-/.test(name);
const isBehind = ({ last, newest }: Channel): boolean => newest > last;

function isPage(value: unknown): value is HistoryPage {
  return isObject(value) && Array.isArray(value.events) && typeof value.head === 'number';
}
