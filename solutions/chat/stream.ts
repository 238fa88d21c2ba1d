// The list, and the numbered stream that keeps it true. In order and without holes events come from the realtime layer;
// here they are stored, and the cursor with them. Owns the channel, and what was heard but is not stored yet.
import { createRealtime } from '#solutions/realtime-reconnect';
import { singleFlight } from '#solutions/token-refresh';
import { isChatsPage, isEventsPage } from './api.ts';
import type { Core } from './core.ts';
import { apply, type StreamEvent, tell } from './news.ts';

const APP_KEY = 'talk';
const CHATS_PAGE = 15;
const EVENTS_PAGE = 100;
/** An event and its push race each other: the event gets this much of a start. */
const PUSH_GRACE_MS = 500;
/** A disk that took no events is tried again within this. */
const FLUSH_AGAIN_MS = 30_000;

/** `changed` is called when it may have become live, or may no longer be. */
export function createStream({ device, apiUrl, userId, ledger, api }: Core, changed: () => void) {
  const channel = `private-user-${userId}`;
  const stops: (() => void)[] = [];
  let lastHeard = 0;
  let heard: StreamEvent[] = [];
  let pushTimer: ReturnType<typeof setTimeout> | undefined;
  let flushTimer: ReturnType<typeof setTimeout> | undefined;
  let leaveChannel = () => {};

  const realtime = createRealtime({
    device,
    apiUrl,
    socketUrl: apiUrl.replace(/^http/, 'ws'),
    appKey: APP_KEY,
    fetch: api.fetch,
    history: askEvents,
  });

  const isLive = (): boolean => realtime.getState().channels[channel] === 'live';

  function start(): void {
    lastHeard = ledger.position().cursor ?? 0;
    const { notifications, appState } = device;
    const pushes = notifications.addNotificationReceivedListener(({ request }) => onPush(request.content.data.seq));
    const foreground = appState.addEventListener('change', (now) => {
      if (now === 'active') connect();
    });
    stops.push(
      () => pushes.remove(),
      () => foreground.remove(),
      realtime.subscribe(changed),
    );
    enterChannel();
    connect();
  }

  /** Also after the server has refused the connection: a new token and the foreground are reasons to try again. */
  function connect(): void {
    if (!api.isSessionOver()) realtime.connect();
  }

  function end(): void {
    realtime.dispose();
    clearTimeout(pushTimer);
    clearTimeout(flushTimer);
    for (const stop of stops.splice(0)) stop();
  }

  function enterChannel(): void {
    leaveChannel = realtime.join(channel, {
      after: lastHeard,
      onEvent: ({ name, data, seq }) => {
        lastHeard = Number(seq);
        heard.push({ name, data, seq: lastHeard });
        if (heard.length === 1) void flush();
      },
      onReset: startOver,
    });
  }

  /** A push says that there is something, never what. */
  function onPush(seq: unknown): void {
    if (typeof seq !== 'number') return;
    clearTimeout(pushTimer);
    pushTimer = setTimeout(() => {
      if (seq <= lastHeard || !isLive()) return;
      leaveChannel();
      enterChannel();
    }, PUSH_GRACE_MS);
  }

  /**
   * Events that come while others are being stored share the next transaction. Before there is a list there is nothing to
   * apply them to: the list will have them, or the stream brings them again behind it.
   */
  async function flush(): Promise<void> {
    try {
      while (heard.length > 0) {
        let taken = 0;
        await ledger.commit((change) => {
          taken = heard.length;
          const upTo = ledger.position().cursor ?? Number.POSITIVE_INFINITY;
          for (const event of heard) if (event.seq > upTo) apply(change, event);
        });
        heard = heard.slice(taken);
      }
    } catch {
      // The disk does not take them now. They stay in memory, and the cursor stays before them.
      if (!ledger.isOver()) flushTimer = setTimeout(() => void flush(), FLUSH_AGAIN_MS * Math.random());
    }
  }

  async function askEvents(_channel: string, after: number) {
    // A phone that has never read the list is like one whose events are no longer kept.
    if (ledger.position().cursor === null) return 'gone';
    const answer = await api.ask(`/chat/all/after?seq=${after}&limit=${EVENTS_PAGE}`, isEventsPage);
    if (answer.kind === 'refused' && answer.refusal.status === 410) return 'gone';
    if (answer.kind !== 'accepted') throw new Error(`No events after ${after}: ${answer.kind}.`);
    const { events, head } = answer.body;
    return { events: events.map(({ name, data }) => ({ name, data, seq: data.seq })), head };
  }

  /** The first launch, and what follows a 410: the list says how things stand, and the stream goes on from there. */
  async function startOver(): Promise<number> {
    const answer = await api.ask(`/chat/all?limit=${CHATS_PAGE}`, isChatsPage);
    if (answer.kind !== 'accepted') throw new Error(`No chat list: ${answer.kind}.`);
    const { chats, nextCursor, head } = answer.body;
    await ledger.commit((change) => {
      change.isReset = true;
      // Nothing below the new floors is sure to join what comes: each thread begins anew.
      for (const chatId of ledger.rows.keys()) change.edit(chatId, { summary: null, asOf: 0, floor: null });
      for (const chat of chats) tell(change, chat, head);
      change.position = { cursor: head, nextChats: nextCursor };
    });
    lastHeard = head;
    return head;
  }

  async function loadMoreChats(): Promise<void> {
    await ledger.ready();
    await loadNext();
  }

  const loadNext = singleFlight(async () => {
    const { nextChats } = ledger.position();
    const epoch = ledger.resets();
    if (nextChats === null) return;
    const path = `/chat/all?limit=${CHATS_PAGE}&cursor=${encodeURIComponent(nextChats)}`;
    const answer = await api.ask(path, isChatsPage);
    if (answer.kind !== 'accepted') return;
    const { chats, nextCursor, head } = answer.body;
    const stored = ledger.commit((change) => {
      if (epoch !== ledger.resets()) return;
      for (const chat of chats) tell(change, chat, head);
      change.position = { ...change.position, nextChats: nextCursor };
    });
    // A page that the disk refuses is left as if it could not be had.
    await stored.catch(() => undefined);
  });

  return { start, isLive, connect, disconnect: realtime.disconnect, loadMoreChats, end };
}
