// The reference. What is stored has one door, `commit` of the ledger. Whoever brings or sends something goes through it;
// after each change all is shown, and then every part is asked what may go now. So no part has to know of another.
//
//   ledger  what is stored: `rows` of it, and what the server's news `change`
//   outbox  what is to be sent, in order, with its files
//   api     requests, with the token of the session
//
// Here is the rest: the stream that keeps the list true, pages of history, receipts, and the session's beginning and end.
import { createStore } from 'zustand/vanilla';
import type { ChatState, ChatSummary, Connection, CreateChat, Thread } from '#contract/chat';
import type { ChannelEvent } from '#contract/realtime-reconnect';
import { createGate, type Gate, isDone, isOpen, rethrowAsStorageError, type Verdict } from '#solutions/offline-queue';
import { createRealtime } from '#solutions/realtime-reconnect';
import { singleFlight } from '#solutions/token-refresh';
import { createApi, pathOf } from './api.ts';
import type { Change } from './change.ts';
import { createLedger } from './ledger.ts';
import { createOutbox } from './outbox.ts';
import type { ChatRow, ChatsPage, Confirmed, Marks, MessagesPage } from './rows.ts';
import { byActivity, floorOf, highest, toMessages, toUnsentMessage } from './rows.ts';

const MESSAGES_PAGE = 50;
/** An event and its push race each other: the event gets this much of a start. */
const PUSH_GRACE_MS = 500;
const RECEIPTS_EVERY_MS = 1_000;

type EventsPage = { events: { name: string; data: { seq: number } }[]; head: number };

export const createChat: CreateChat = (options) => {
  const { device, apiUrl, userId } = options;
  const gate = createGate(device, connectionChanged);
  /** What is read has pauses of its own. */
  const readGate = createGate(device, connectionChanged);
  const api = createApi(options, gate, () => realtime.disconnect());
  const ledger = createLedger(options, loaded, committed);
  const outbox = createOutbox(options, ledger, api, settled, show);
  const { chats, threads, commit } = ledger;
  const channel = `private-user-${userId}`;
  const pusher = { appKey: 'talk', socketUrl: apiUrl.replace(/^http/, 'ws') };
  const realtime = createRealtime({ device, apiUrl, ...pusher, fetch: api.fetch, history: askEvents });
  const store = createStore<ChatState>(toState);

  // -------------------------------------------------------------------------------------------------------------------
  // After each change: show it, then ask what may go now

  function committed(): void {
    show();
    pump();
  }

  function connectionChanged(): void {
    if (connectionNow() !== store.getState().connection) show();
    pump();
  }

  function show(): void {
    if (!ledger.isOver()) store.setState(toState());
  }

  /** What is stored says what may go, and what goes is noted at once: triggers that come together cannot send twice. */
  function pump(): void {
    clearTimeout(receiptsTimer);
    if (!api.maySend()) return;
    if (isOpen(readGate.getState())) loadOwed();
    if (!isOpen(gate.getState())) return;
    outbox.pump();
    sendReceipts();
  }

  /** How a request that sends has ended. */
  function settled(answer: Verdict<unknown> | null): void {
    if (answer?.kind === 'accepted') gate.succeeded();
    if (answer?.kind === 'transient') pause(gate, answer.retryAfterMs);
    pump();
  }

  function pause(what: Gate, retryAfterMs: number | null): void {
    if (!ledger.isOver()) what.failed(retryAfterMs);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The state, as screens see it

  function toState(): ChatState {
    const listed = [...chats.values()].flatMap((row) => (row.summary ? [toSummary(row, row.summary)] : []));
    return {
      connection: connectionNow(),
      chats: listed.sort(byActivity),
      hasMoreChats: ledger.desk().nextChats !== null,
      threads: Object.fromEntries([...threads].map(([chatId, messages]) => [chatId, toThread(chatId, messages)])),
    };
  }

  function connectionNow(): Connection {
    if (api.isSessionOver()) return 'needsToken';
    if (gate.getState().isOnline === false) return 'offline';
    return isLive() ? 'live' : 'connecting';
  }

  function isLive(): boolean {
    return realtime.getState().channels[channel] === 'live';
  }

  /** The server counts from the mark it knows. From a mark ahead of that the phone counts for itself. */
  function toSummary({ chatId, receipts, own, lastSequenceId }: ChatRow, summary: ChatSummary): ChatSummary {
    if (own.readUpTo <= highest(receipts[userId]).readUpTo) return summary;
    const isUnread = (one: Confirmed) => one.fromUserId !== userId && one.sequenceId > own.readUpTo;
    const most = threads.get(chatId)?.filter(isUnread).length ?? lastSequenceId - own.readUpTo;
    return { ...summary, unreadCount: Math.min(summary.unreadCount, most) };
  }

  function toThread(chatId: string, confirmed: readonly Confirmed[]): Thread {
    const row = chats.get(chatId);
    const shown = row ? toMessages(confirmed, row, userId) : [];
    const unsent = ledger.desk().unsent.filter((one) => one.chatId === chatId);
    return {
      messages: [...shown, ...unsent.map((one) => toUnsentMessage(one, userId, outbox.confirmedBytes))],
      hasOlder: hasOlder(chatId),
      loadingOlder: pages.has(chatId),
    };
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The list, and the numbered stream that keeps it true. In order and without holes events come from the realtime layer;
  // here they are stored, and the cursor with them.

  let heard: ChannelEvent[] = [];
  let isFlushing = false;
  let leaveChannel = () => {};

  function enterChannel(): void {
    leaveChannel();
    leaveChannel = realtime.join(channel, {
      after: ledger.desk().cursor ?? 0,
      onEvent: (event) => {
        heard.push(event);
        void flush();
      },
      onReset: () => readList(null),
    });
  }

  /** Events that come while others are being stored share the next transaction. What the disk refuses stays in front. */
  async function flush(): Promise<void> {
    if (isFlushing) return;
    isFlushing = true;
    for (let isStored = true; isStored && heard.length > 0; ) {
      const events = [...heard];
      isStored = await isDone(commit(({ tellEvent }) => events.forEach(tellEvent)));
      if (isStored) heard = heard.slice(events.length);
      else pause(readGate, null);
    }
    isFlushing = false;
  }

  async function askEvents(_channel: string, after: number) {
    // A phone that has never read the list is like one whose events are no longer kept.
    if (ledger.desk().cursor === null) return 'gone';
    const answer = await api.ask<EventsPage>(`/chat/all/after?seq=${after}&limit=100`);
    if (answer.kind === 'refused' && answer.refusal.status === 410) return 'gone';
    if (answer.kind !== 'accepted') throw new Error(`No events after ${after}: ${answer.kind}.`);
    const { events, head } = answer.body;
    return { events: events.map(({ name, data }) => ({ name, data, seq: data.seq })), head };
  }

  /** Without a cursor all begins anew: on the first launch, and after a 410. */
  async function readList(cursor: string | null): Promise<number> {
    const { resets } = ledger.desk();
    const after = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await api.ask<ChatsPage>(`/chat/all?limit=15${after}`);
    if (answer.kind !== 'accepted') throw new Error(`No chat list: ${answer.kind}.`);
    await commit(({ desk, tellList }) => desk.resets === resets && tellList(answer.body, cursor === null));
    return answer.body.head;
  }

  const loadMoreChats = singleFlight(async () => {
    await ledger.ready();
    const { nextChats } = ledger.desk();
    if (nextChats !== null) await readList(nextChats).catch(() => undefined);
  });

  // -------------------------------------------------------------------------------------------------------------------
  // Open chats and their history: what is stored comes first, then pages of the server, one of a chat at a time

  const pages = new Map<string, Promise<void>>();
  /** Chats of which the server would give no page. */
  const refused = new Set<string>();

  /** The first message of a chat has number 1: the counter is the server's word for the beginning. */
  const hasOlder = (chatId: string): boolean => floorOf(chats.get(chatId)) > 1;

  /** The page of an opening is tried again; what somebody has scrolled for is theirs to ask for again. */
  function isOwed(chatId: string): boolean {
    const { length } = threads.get(chatId) ?? { length: MESSAGES_PAGE };
    return length < MESSAGES_PAGE && hasOlder(chatId) && !refused.has(chatId);
  }

  /** What the disk or the server would not give the last time. */
  function loadOwed(): void {
    void flush();
    if (isLive()) for (const chatId of threads.keys()) if (isOwed(chatId)) void loadOlder(chatId);
  }

  async function openChat(chatId: string): Promise<void> {
    refused.delete(chatId);
    await ledger.openThread(chatId);
    if (isOwed(chatId)) await loadOlder(chatId);
  }

  async function loadOlder(chatId: string): Promise<void> {
    await ledger.ready();
    if (!threads.has(chatId) || !hasOlder(chatId)) return;
    if (!pages.has(chatId)) {
      pages.set(chatId, loadPage(chatId));
      show();
    }
    await pages.get(chatId);
  }

  async function loadPage(chatId: string): Promise<void> {
    const { resets } = ledger.desk();
    const { floor } = chats.get(chatId) ?? {};
    const before = floor ? `&before=${floor}` : '';
    const answer = await api.ask<MessagesPage>(`${pathOf(chatId)}/all?limit=${MESSAGES_PAGE}${before}`);
    if (answer.kind === 'accepted') {
      // Unless all has begun anew since it was asked for.
      const take = ({ desk, tellPage }: Change) => desk.resets === resets && tellPage(chatId, answer.body);
      await isDone(commit(take));
    }
    pages.delete(chatId);
    if (answer.kind === 'refused') refused.add(chatId);
    show();
    if (isOwed(chatId)) pause(readGate, answer.kind === 'transient' ? answer.retryAfterMs : null);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Receipts have no queue: there is what the phone knows and what the server knows, and once a second, for all chats, the
  // difference is sent.

  /** What the server is being told, has taken, or would not have. */
  const told = new Map<string, Marks>();
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let receiptsTimer: ReturnType<typeof setTimeout> | undefined;

  const markRead = (chatId: string, sequenceId: number): Promise<void> =>
    commit(({ row }) => {
      // Read is what somebody has seen: in an open thread, on a screen that is on.
      const newest = threads.get(chatId)?.at(-1);
      if (!newest || device.appState.currentState !== 'active') return;
      const chat = row(chatId);
      chat.own = highest(chat.own, { readUpTo: Math.min(sequenceId, newest.sequenceId) });
    });

  function sendReceipts(): void {
    const ahead = [...chats.values()].filter((row) => risenMarks(row).length > 0);
    const waitMs = toldAtMs + RECEIPTS_EVERY_MS - performance.now();
    if (ahead.length === 0) return;
    if (waitMs > 0) receiptsTimer = setTimeout(pump, waitMs);
    else for (const row of ahead) void sendReceipt(row);
  }

  function risenMarks({ chatId, receipts, own }: ChatRow): [string, number][] {
    const known = highest(receipts[userId], told.get(chatId));
    return Object.entries(own).filter(([mark, upTo]) => upTo > known[mark as keyof Marks]);
  }

  async function sendReceipt(row: ChatRow): Promise<void> {
    const marks = Object.fromEntries(risenMarks(row));
    toldAtMs = performance.now();
    told.set(row.chatId, row.own);
    const answer = await api.ask(`${pathOf(row.chatId)}/receipts`, marks);
    const isLatest = told.get(row.chatId) === row.own;
    if (isLatest && answer.kind !== 'accepted' && answer.kind !== 'refused') told.delete(row.chatId);
    settled(answer);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The session

  const subscriptions: { remove(): void }[] = [];
  let pushed = 0;
  let pushTimer: ReturnType<typeof setTimeout> | undefined;

  function loaded(): void {
    show();
    gate.watch();
    readGate.watch();
    realtime.subscribe(connectionChanged);
    subscriptions.push(
      device.notifications.addNotificationReceivedListener(({ request }) => onPush(request.content.data.seq)),
      device.appState.addEventListener('change', (now) => now === 'active' && goOn()),
    );
    enterChannel();
    goOn();
  }

  /** A new token and the foreground are reasons to try again, also after the server has refused the connection. */
  function goOn(): void {
    gate.wake();
    if (!api.isSessionOver()) realtime.connect();
  }

  /** A push says that there is something, never what. Whoever enters the channel anew catches up. */
  function onPush(seq: unknown): void {
    pushed = Math.max(pushed, Number(seq) || 0);
    clearTimeout(pushTimer);
    pushTimer = setTimeout(() => isLive() && pushed > (ledger.desk().cursor ?? 0) && enterChannel(), PUSH_GRACE_MS);
  }

  function setToken(accessToken: string): void {
    api.setToken(accessToken);
    ledger.ready().then(goOn, () => undefined);
  }

  /** Nothing is sent or shown any more. Resolves once the work on the disk that is under way has ended. */
  function end(): Promise<void> {
    const closed = ledger.close();
    api.end();
    for (const one of [gate, readGate]) one.close();
    realtime.dispose();
    for (const timer of [pushTimer, receiptsTimer]) clearTimeout(timer);
    for (const subscription of subscriptions.splice(0)) subscription.remove();
    return closed;
  }

  async function signOut(): Promise<void> {
    // A sign-out that has failed may be tried again.
    if (!ledger.isOver()) await ledger.ready();
    await end().then(ledger.forget).catch(rethrowAsStorageError);
    store.setState(toState());
  }

  return {
    ...{ start: ledger.open, setToken, signOut, dispose: () => void isDone(end()) },
    ...{ loadMoreChats, openChat, loadOlder, closeChat: ledger.closeThread, markRead },
    ...{ send: outbox.send, retry: outbox.retry, discard: outbox.discard },
    getState: store.getState,
    subscribe: (listener) => store.subscribe(() => listener()),
  };
};
