// The reference. Memory mirrors a SQLite database, and both change through one door: `commit`. Whatever brings a message
// (the answer, an event, a page), it goes through that door under its localId, and so there is one row.
import { createStore } from 'zustand/vanilla';
import type {
  Attachment,
  ChatErrorCode,
  ChatState,
  ChatSummary,
  Connection,
  CreateChat,
  Draft,
  Message,
  PickedFile,
  SendFailure,
} from '#contract/chat';
import type { SQLiteDatabase } from '#phone';
import { createRealtime } from '#solutions/realtime-reconnect';

const APP_KEY = 'talk';
const CHATS_PAGE = 15;
const PAGE = 50;
const EVENTS_PAGE = 100;
const LANES = 3;
const REQUEST_MS = 15_000;
const EXPIRES_MS = 24 * 3_600_000;
const RECEIPTS_EVERY_MS = 1_000;
/** An event and its push race each other: the event gets this much of a start. */
const PUSH_GRACE_MS = 500;
const PIECE_BYTES = 256 * 1_024;
const LINKS_MAX = 3;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_CAP_MS = 30_000;

// ---------------------------------------------------------------------------------------------------------------------
// What is stored

/** A message as the server tells it. */
type Confirmed = Omit<Message, 'key' | 'id' | 'sequenceId' | 'status' | 'progress' | 'failure'> & {
  readonly id: string;
  readonly sequenceId: number;
};

interface Marks {
  readonly deliveredUpTo: number;
  readonly readUpTo: number;
}
type Receipt = Marks & { readonly userId: string };

/** A chat as the list and the events tell it. */
interface ToldChat extends ChatSummary {
  readonly lastSequenceId: number;
  readonly receipts: readonly Receipt[];
}

interface ChatRow {
  readonly chatId: string;
  /** Null: not in the list, as far as this phone knows. */
  readonly summary: ChatSummary | null;
  /** The stream's number up to which the summary counts. */
  readonly asOf: number;
  /** From here up all messages are stored, or the stream is about to bring them. Null: nothing is sure. */
  readonly floor: number | null;
  /** What the server knows, of all participants. */
  readonly receipts: readonly Receipt[];
  /** What this person has got and read. It may be ahead of the server. */
  readonly own: Marks;
}

interface KeptFile {
  readonly uploadId: string;
  /** The private copy. */
  readonly uri: string;
  readonly name: string;
  readonly mime: string;
  readonly sizeBytes: number;
  /** Null until the server has all of it. */
  readonly fileUrl: string | null;
}

interface Unsent {
  readonly localId: string;
  readonly chatId: string;
  /** Smaller goes first. */
  readonly place: number;
  readonly text: string;
  readonly files: readonly KeptFile[];
  readonly sentAt: string;
  /** When the 24 hours began, by the phone's clock. */
  readonly sinceMs: number;
  readonly failure: SendFailure | null;
}

/** How far the stream and the list have been read. */
interface Position {
  /** All events up to this number are stored. Null: the list was never read. */
  readonly cursor: number | null;
  readonly nextChats: string | null;
}

/** One change, of the database and then of the memory: all of it or nothing. */
interface Change {
  readonly messages: Confirmed[];
  readonly rows: Map<string, ChatRow>;
  readonly unsent: Unsent[];
  /** localIds that are no longer unsent. */
  readonly gone: string[];
  position: Position | null;
  /** All begins anew: see `startOver`. */
  isReset: boolean;
}

/** An open chat. */
interface Thread {
  rows: readonly Confirmed[];
  /** Its first page could not be had. */
  isWanting: boolean;
}

/** An event of the user's stream. */
interface StreamEvent {
  readonly name: string;
  readonly data: unknown;
  readonly seq: number;
}

/** How a request ended, or all that a message needed. */
type Verdict<T> =
  | { readonly is: 'done'; readonly value: T }
  | { readonly is: 'refused'; readonly failure: SendFailure }
  /** It may have taken effect or not; localId and uploadId make it safe to ask again. */
  | { readonly is: 'transient'; readonly retryAfterMs: number | null }
  /** It did not leave, or with a token that is no longer good. */
  | { readonly is: 'held' };

const TRY_AGAIN: Verdict<never> = { is: 'transient', retryAfterMs: null };
const HELD: Verdict<never> = { is: 'held' };

/** One table, so that all that belongs together is one statement: it is a transaction by itself. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS kept (
    kind TEXT, id TEXT, place INTEGER, body TEXT, PRIMARY KEY (kind, id, place)) WITHOUT ROWID;
  DELETE FROM kept WHERE kind = 'unsent' AND body IS NULL`;

// ---------------------------------------------------------------------------------------------------------------------

export const createChat: CreateChat = ({ device, apiUrl, userId, accessToken }) => {
  const { fileSystem, netInfo, appState, notifications } = device;
  const databaseName = `chat-${encodeURIComponent(userId)}.db`;
  const folder = new fileSystem.Directory(fileSystem.Paths.document, `chat-${encodeURIComponent(userId)}`);
  const channel = `private-user-${userId}`;

  // What is stored, in memory.
  const rows = new Map<string, ChatRow>();
  const unsent = new Map<string, Unsent>();
  let position: Position = { cursor: null, nextChats: null };

  // What is not.
  const threads = new Map<string, Thread>();
  /** Pages on their way, by chat: a thread may be closed and opened again meanwhile. */
  const loading = new Map<string, Promise<void>>();
  const uploaded = new Map<string, number>();
  let token = accessToken;
  let isSessionOver = false;
  let isOnline: boolean | null = null;
  let isLive = false;
  let isOver = false;
  const ending = new AbortController();
  const stops: (() => void)[] = [];
  const store = createStore<ChatState>(toState);

  // -------------------------------------------------------------------------------------------------------------------
  // The state, as screens see it

  function publish(): void {
    store.setState(toState());
  }

  function toState(): ChatState {
    const listed = [...rows.values()].flatMap(({ summary }) => (summary ? [summary] : []));
    return {
      connection: connectionNow(),
      chats: listed.sort(byActivity),
      hasMoreChats: position.nextChats !== null,
      threads: Object.fromEntries(
        [...threads].map(([chatId, thread]) => [
          chatId,
          {
            messages: messagesOf(chatId, thread),
            hasOlder: hasOlder(chatId, thread),
            loadingOlder: loading.has(chatId),
          },
        ]),
      ),
    };
  }

  function connectionNow(): Connection {
    if (isSessionOver) return 'needsToken';
    if (isOnline === false) return 'offline';
    return isLive ? 'live' : 'connecting';
  }

  function messagesOf(chatId: string, thread: Thread): Message[] {
    const row = rowOf(chatId);
    return [...thread.rows.map((message) => toMessage(message, row)), ...unsentOf(chatId).map(toUnsentMessage)];
  }

  function toMessage(message: Confirmed, { receipts, own }: ChatRow): Message {
    const isOwn = message.fromUserId === userId;
    // An own message is where the other side is with it; one of somebody else is where this person is.
    const marks = isOwn ? highest(receipts.filter((receipt) => receipt.userId !== userId)) : own;
    const status =
      message.sequenceId <= marks.readUpTo
        ? 'read'
        : message.sequenceId <= marks.deliveredUpTo || !isOwn
          ? 'delivered'
          : 'sent';
    return { ...message, key: keyOf(message.fromUserId, message.localId), status, progress: null, failure: null };
  }

  function toUnsentMessage({ localId, chatId, text, files, sentAt, failure }: Unsent): Message {
    return {
      key: keyOf(userId, localId),
      id: null,
      localId,
      chatId,
      fromUserId: userId,
      text,
      attachments: files.map(({ uri, ...file }) => toAttachment(file, uri)),
      sentAt,
      sequenceId: null,
      status: failure ? 'failed' : 'sending',
      progress: files.length > 0 ? progressOf(files) : null,
      failure,
    };
  }

  function progressOf(files: readonly KeptFile[]): number {
    const totalBytes = sum(files.map(({ sizeBytes }) => sizeBytes));
    const doneBytes = sum(
      files.map(({ uploadId, fileUrl, sizeBytes }) => (fileUrl ? sizeBytes : (uploaded.get(uploadId) ?? 0))),
    );
    return totalBytes === 0 ? 1 : doneBytes / totalBytes;
  }

  const unsentOf = (chatId: string): Unsent[] =>
    [...unsent.values()].filter((one) => one.chatId === chatId).sort((a, b) => a.place - b.place);

  /** The first message of a chat has number 1: the counter is the server's word for the beginning. */
  const hasOlder = (chatId: string, { rows: [oldest] }: Thread): boolean =>
    (oldest?.sequenceId ?? rowOf(chatId).floor ?? Number.POSITIVE_INFINITY) > 1;

  // -------------------------------------------------------------------------------------------------------------------
  // The one door: decide, store, then show. One at a time, so that what was decided still holds when it is stored.

  let database: SQLiteDatabase | null = null;
  let openGate = () => {};
  const started = new Promise<void>((resolve) => {
    openGate = resolve;
  });
  let lastTurn: Promise<unknown> = started;

  function inTurn<T>(job: (db: SQLiteDatabase) => Promise<T>): Promise<T> {
    const turn = lastTurn.then(() => {
      if (isOver || !database) throw over();
      return job(database);
    });
    lastTurn = turn.catch(() => undefined);
    return turn;
  }

  function commit(decide: (change: Change) => void): Promise<void> {
    return inTurn(async (db) => {
      const change: Change = { messages: [], rows: new Map(), unsent: [], gone: [], position: null, isReset: false };
      decide(change);
      // Whoever brings it: a copy of an own message from the server means that it is sent.
      for (const { fromUserId, localId } of change.messages)
        if (fromUserId === userId && unsent.has(localId)) change.gone.push(localId);
      await write(db, change).catch(rethrowAsStorageError);
      if (isOver) return;
      absorb(change);
      publish();
      pump();
    });
  }

  async function write(db: SQLiteDatabase, { messages, rows, unsent, gone, position }: Change): Promise<void> {
    const kept = [
      ...messages.map((one) => ({ kind: 'message', id: one.chatId, place: one.sequenceId, body: one })),
      ...[...rows.values()].map((row) => ({ kind: 'chat', id: row.chatId, place: 0, body: row })),
      ...unsent.map((one) => ({ kind: 'unsent', id: one.localId, place: 0, body: one })),
      ...gone.map((localId) => ({ kind: 'unsent', id: localId, place: 0, body: null })),
      ...(position ? [{ kind: 'position', id: '', place: 0, body: position }] : []),
    ];
    if (kept.length === 0) return;
    const fields = ['kind', 'id', 'place', 'body'].map((name) => `value->>'${name}'`);
    await db.runAsync(`INSERT OR REPLACE INTO kept SELECT ${fields} FROM json_each(?)`, JSON.stringify(kept));
  }

  function absorb(change: Change): void {
    position = change.position ?? position;
    if (change.isReset) resets += 1;
    for (const row of change.rows.values()) rows.set(row.chatId, row);
    for (const one of change.unsent) unsent.set(one.localId, one);
    for (const localId of change.gone) {
      for (const { uri } of unsent.get(localId)?.files ?? []) removeQuietly(uri);
      unsent.delete(localId);
    }
    for (const [chatId, thread] of threads) {
      const shown = change.isReset ? [] : thread.rows;
      const from = Math.min(...[shown[0]?.sequenceId, rowOf(chatId).floor].map((bound) => bound ?? Infinity));
      const fresh = change.messages.filter((message) => message.chatId === chatId && message.sequenceId >= from);
      const known = new Map([...shown, ...fresh].map((message) => [message.sequenceId, message]));
      thread.rows = [...known.values()].sort((a, b) => a.sequenceId - b.sequenceId);
    }
  }

  const rowOf = (chatId: string, change?: Change): ChatRow =>
    change?.rows.get(chatId) ??
    rows.get(chatId) ?? { chatId, summary: null, asOf: 0, floor: null, receipts: [], own: NO_MARKS };

  function edit(change: Change, chatId: string, edits: Partial<ChatRow>): void {
    change.rows.set(chatId, { ...rowOf(chatId, change), ...edits });
  }

  /** A message has arrived, by whatever way. What is stored counts as delivered. */
  function keep(change: Change, message: Confirmed): void {
    change.messages.push(message);
    const { chatId, sequenceId, fromUserId } = message;
    const { own, floor } = rowOf(chatId, change);
    const deliveredUpTo = fromUserId === userId ? own.deliveredUpTo : Math.max(own.deliveredUpTo, sequenceId);
    edit(change, chatId, { own: { ...own, deliveredUpTo }, floor: floor ?? sequenceId });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Launch and end

  let starting: Promise<void> | null = null;

  async function start(): Promise<void> {
    if (isOver) throw over();
    starting ??= restore().catch((error: unknown) => {
      starting = null;
      throw error;
    });
    await starting;
  }

  async function restore(): Promise<void> {
    const stored = await readKept().catch(rethrowAsStorageError);
    if (isOver) throw over();
    for (const { kind, body } of stored) {
      if (kind === 'chat') rows.set(JSON.parse(body).chatId, JSON.parse(body));
      else if (kind === 'unsent') unsent.set(JSON.parse(body).localId, JSON.parse(body));
      else position = JSON.parse(body);
    }
    removeOrphans();
    lastHeard = position.cursor ?? 0;
    openGate();
    publish();
    listen();
    enterChannel();
    realtime.connect();
  }

  async function readKept(): Promise<{ kind: string; body: string }[]> {
    // A handle that a failed try has left open would keep a sign-out from deleting the file.
    database ??= await device.openDatabaseAsync(databaseName);
    await database.execAsync(SCHEMA);
    return database.getAllAsync(`SELECT kind, body FROM kept WHERE kind IN ('chat', 'unsent', 'position')`);
  }

  /** A kill between a copy and its message, or between a message and its copy's removal, leaves files behind. */
  function removeOrphans(): void {
    if (!folder.exists) return;
    const needed = new Set([...unsent.values()].flatMap(({ files }) => files.map(({ uri }) => uri)));
    for (const { uri } of folder.list()) if (!needed.has(uri)) removeQuietly(uri);
  }

  function removeQuietly(uri: string): void {
    try {
      new fileSystem.File(uri).delete();
    } catch {
      // The next launch takes it for an orphan.
    }
  }

  function listen(): void {
    stops.push(
      netInfo.addEventListener(({ isConnected }) => {
        const isBack = isConnected && !isOnline;
        isOnline = isConnected;
        if (isBack) wake();
        publish();
        pump();
      }),
    );
    const foreground = appState.addEventListener('change', (now) => {
      if (now !== 'active') return;
      wake();
      pump();
    });
    const pushes = notifications.addNotificationReceivedListener(({ request }) => onPush(request.content.data.seq));
    stops.push(
      () => foreground.remove(),
      () => pushes.remove(),
      realtime.subscribe(onRealtime),
    );
  }

  /** Nothing is sent or shown any more. Gives what ends the work on the disk that is under way. */
  function end(): void {
    isOver = true;
    ending.abort();
    realtime.dispose();
    for (const timer of [pauseTimer, receiptsTimer, pushTimer, flushTimer]) clearTimeout(timer);
    for (const stop of stops.splice(0)) stop();
    openGate();
  }

  function dispose(): void {
    end();
    lastTurn = lastTurn.then(() => database?.closeAsync()).catch(() => undefined);
  }

  async function signOut(): Promise<void> {
    await started;
    end();
    await lastTurn;
    try {
      await database?.closeAsync();
      if (database) await device.deleteDatabaseAsync(databaseName);
      database = null;
      if (folder.exists) folder.delete();
    } catch (cause) {
      rethrowAsStorageError(cause);
    }
    for (const known of [rows, unsent, threads]) known.clear();
    publish();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The stream: in order and without holes it comes from the realtime layer; here it is stored, and the cursor with it.

  let lastHeard = 0;
  let resets = 0;
  let pushTimer: ReturnType<typeof setTimeout> | undefined;
  let flushTimer: ReturnType<typeof setTimeout> | undefined;
  let heard: StreamEvent[] = [];
  let leaveChannel = () => {};

  const realtime = createRealtime({
    device,
    apiUrl,
    socketUrl: apiUrl.replace(/^http/, 'ws'),
    appKey: APP_KEY,
    fetch: (input, init) => withToken(String(input), init ?? {}),
    history: askEvents,
  });

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

  function onRealtime(): void {
    const wasLive = isLive;
    isLive = realtime.getState().channels[channel] === 'live';
    if (isLive === wasLive) return;
    publish();
    pump();
  }

  /**
   * Events that come while others are being stored share the next transaction. Before there is a list there is nothing to
   * apply them to: the list will have them, or the stream brings them again behind it.
   */
  async function flush(): Promise<void> {
    try {
      while (heard.length > 0) {
        let taken = 0;
        await commit((change) => {
          taken = heard.length;
          for (const event of heard) if (event.seq > (position.cursor ?? Infinity)) apply(change, event);
        });
        heard = heard.slice(taken);
      }
    } catch {
      // The disk does not take them now. They stay in memory, and the cursor stays before them.
      if (!isOver) flushTimer = setTimeout(() => void flush(), BACKOFF_CAP_MS * Math.random());
    }
  }

  function apply(change: Change, { name, data, seq }: StreamEvent): void {
    if (name === 'message_created' && isMessageCreated(data)) {
      keep(change, data.message);
      tell(change, data.chat, seq, data.message);
    }
    if (name === 'receipt_updated' && isReceiptUpdated(data)) receive(change, data, seq);
    change.position = { ...position, cursor: seq };
  }

  /** A chat as the server had it at a number of the stream. Older news than the phone's own changes nothing. */
  function tell(
    change: Change,
    { lastSequenceId, receipts, ...summary }: ToldChat,
    asOf: number,
    message?: Confirmed,
  ): void {
    const row = rowOf(summary.chatId, change);
    const floor = row.floor ?? lastSequenceId + 1;
    if (row.summary && asOf <= row.asOf) {
      edit(change, row.chatId, { floor });
      return;
    }
    const serverRead = marksOf(receipts, userId).readUpTo;
    const own = raised(row.own, { readUpTo: serverRead });
    // The server counts from the mark it knows. From a mark ahead of that the phone counts for itself.
    const isAhead = own.readUpTo > serverRead;
    const mostUnread = Math.min(summary.unreadCount, lastSequenceId - own.readUpTo);
    const unreadCount = isAhead ? unreadSince(row, message, mostUnread) : summary.unreadCount;
    edit(change, row.chatId, {
      summary: { ...summary, unreadCount },
      asOf,
      floor,
      own,
      receipts: mergeReceipts(row.receipts, receipts),
    });
  }

  function unreadSince({ summary, own }: ChatRow, message: Confirmed | undefined, most: number): number {
    if (!summary || !message) return most;
    const isUnread = message.fromUserId !== userId && message.sequenceId > own.readUpTo;
    return Math.min(most, summary.unreadCount + (isUnread ? 1 : 0));
  }

  function receive(change: Change, receipt: Receipt & { chatId: string; unreadCount: number }, seq: number): void {
    const { chatId, unreadCount, ...marks } = receipt;
    const row = rowOf(chatId, change);
    const receipts = mergeReceipts(row.receipts, [marks]);
    const isOwn = marks.userId === userId;
    const isNews = isOwn && seq > row.asOf && marks.readUpTo >= row.own.readUpTo;
    const summary = row.summary && isNews ? { ...row.summary, unreadCount } : row.summary;
    edit(change, chatId, { receipts, summary, own: isOwn ? raised(row.own, marks) : row.own });
  }

  async function askEvents(_channel: string, after: number) {
    // A phone that has never read the list is like one whose events are no longer kept.
    if (position.cursor === null) return 'gone';
    const answer = await ask(`/chat/all/after?seq=${after}&limit=${EVENTS_PAGE}`);
    if (answer.is === 'refused' && answer.failure.status === 410) return 'gone';
    if (answer.is !== 'done' || !isEventsPage(answer.value)) throw new Error(`No events after ${after}: ${answer.is}.`);
    const { events, head } = answer.value;
    return { events: events.map(({ name, data }) => ({ name, data, seq: data.seq })), head };
  }

  /** The first launch, and what follows a 410: the list says how things stand, and the stream goes on from there. */
  async function startOver(): Promise<number> {
    const answer = await ask(`/chat/all?limit=${CHATS_PAGE}`);
    if (answer.is !== 'done' || !isChatsPage(answer.value)) throw new Error(`No chat list: ${answer.is}.`);
    const { chats, nextCursor, head } = answer.value;
    await commit((change) => {
      change.isReset = true;
      // Nothing below the new floors is sure to join what comes: each thread begins anew.
      for (const { chatId } of rows.values()) edit(change, chatId, { summary: null, asOf: 0, floor: null });
      for (const chat of chats) tell(change, chat, head);
      change.position = { cursor: head, nextChats: nextCursor };
    });
    lastHeard = head;
    for (const chatId of threads.keys()) void loadFirst(chatId);
    return head;
  }

  /** A push says that there is something, never what. */
  function onPush(seq: unknown): void {
    if (typeof seq !== 'number' || seq <= lastHeard) return;
    clearTimeout(pushTimer);
    pushTimer = setTimeout(() => {
      if (seq <= lastHeard || !isLive) return;
      leaveChannel();
      enterChannel();
    }, PUSH_GRACE_MS);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The list and the threads

  let loadingChats: Promise<void> | null = null;

  async function loadMoreChats(): Promise<void> {
    await started;
    loadingChats ??= loadChatsPage().finally(() => {
      loadingChats = null;
    });
    await loadingChats;
  }

  async function loadChatsPage(): Promise<void> {
    const { nextChats } = position;
    const epoch = resets;
    if (nextChats === null) return;
    const answer = await ask(`/chat/all?limit=${CHATS_PAGE}&cursor=${encodeURIComponent(nextChats)}`);
    if (answer.is !== 'done' || !isChatsPage(answer.value)) return;
    const { chats, nextCursor, head } = answer.value;
    await commit((change) => {
      if (epoch !== resets) return;
      for (const chat of chats) tell(change, chat, head);
      change.position = { ...position, nextChats: nextCursor };
    }).catch(rethrowIfOver);
  }

  async function openChat(chatId: string): Promise<void> {
    await inTurn(async (db) => {
      if (threads.has(chatId)) return;
      const stored = await readStored(db, chatId, Number.POSITIVE_INFINITY);
      threads.set(chatId, { rows: joined(stored, rowOf(chatId).floor), isWanting: false });
      publish();
    });
    await loadFirst(chatId);
  }

  /** Loads the latest page only if the phone does not hold as much of the thread already. */
  async function loadFirst(chatId: string): Promise<void> {
    const thread = threads.get(chatId);
    if (!thread) return;
    const isShort = () => thread.rows.length < PAGE && hasOlder(chatId, thread);
    thread.isWanting = isShort();
    // Stored messages may come in islands: each time more has come, it is looked at again.
    for (let before = Number.NaN; isShort() && before !== thread.rows.length; ) {
      before = thread.rows.length;
      await loadOlder(chatId);
    }
  }

  async function loadOlder(chatId: string): Promise<void> {
    await started;
    const thread = threads.get(chatId);
    if (!thread || isOver) return;
    if (!loading.has(chatId) && hasOlder(chatId, thread)) {
      const page = loadBelow(chatId, thread)
        .catch(() => undefined)
        .finally(() => {
          loading.delete(chatId);
          if (!isOver) publish();
        });
      loading.set(chatId, page);
      publish();
    }
    await loading.get(chatId);
  }

  /** What is stored right below comes first; where the next number is missing, the server is asked. */
  async function loadBelow(chatId: string, thread: Thread): Promise<void> {
    const before = thread.rows[0]?.sequenceId ?? rowOf(chatId).floor;
    const epoch = resets;
    const stored = await inTurn((db) => readStored(db, chatId, before ?? 0));
    const below = joined(stored, before);
    const [lowest] = below;
    if (!lowest) {
      await loadPage(chatId, before);
      // All began anew meanwhile, and the page is not the one that is wanted now.
      if (epoch !== resets) await loadBelow(chatId, thread);
      return;
    }
    await commit((change) => {
      if (epoch !== resets) return;
      thread.rows = [...below, ...thread.rows];
      edit(change, chatId, { floor: Math.min(lowest.sequenceId, rowOf(chatId).floor ?? lowest.sequenceId) });
    });
  }

  async function loadPage(chatId: string, before: number | null): Promise<void> {
    const epoch = resets;
    const below = before === null ? '' : `&before=${before}`;
    const answer = await ask(`/chat/${encodeURIComponent(chatId)}/all?limit=${PAGE}${below}`);
    if (answer.is !== 'done' || !isMessagesPage(answer.value)) {
      pageFailed(chatId, answer);
      return;
    }
    const { messages, receipts } = answer.value;
    await commit((change) => {
      const thread = threads.get(chatId);
      if (thread && epoch === resets) thread.isWanting = false;
      for (const message of messages) keep(change, message);
      const row = rowOf(chatId, change);
      const lowest = messages.at(-1)?.sequenceId ?? 1;
      // After a reset the page need not join what is above it. It waits on the disk until paging gets there.
      const floor = epoch === resets ? Math.min(lowest, row.floor ?? lowest) : rowOf(chatId).floor;
      edit(change, chatId, { floor, receipts: mergeReceipts(row.receipts, receipts) });
    });
  }

  /** The page of an opening is tried again; what somebody has scrolled for is theirs to ask for again. */
  function pageFailed(chatId: string, answer: Verdict<unknown>): void {
    const thread = threads.get(chatId);
    if (!thread?.isWanting || answer.is === 'held') return;
    if (answer.is === 'refused') thread.isWanting = false;
    else fail(answer.is === 'transient' ? answer.retryAfterMs : null);
    pump();
  }

  async function readStored(db: SQLiteDatabase, chatId: string, before: number): Promise<Confirmed[]> {
    const sql = `SELECT body FROM kept WHERE kind = 'message' AND id = ? AND place < ? ORDER BY place DESC LIMIT ${PAGE}`;
    const stored = await db.getAllAsync<{ body: string }>(sql, chatId, before);
    return stored.map(({ body }) => JSON.parse(body) as Confirmed);
  }

  async function closeChat(chatId: string): Promise<void> {
    await started;
    if (threads.delete(chatId)) publish();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Sending

  let lastSend: Promise<unknown> = Promise.resolve();

  /** One after another: a text must not be stored before the files of the message ahead of it are safe. */
  function send(chatId: string, { text = '', attachments = [] }: Draft): Promise<{ localId: string }> {
    const localId = crypto.randomUUID();
    const sentAt = new Date().toISOString();
    const sent = lastSend.then(async () => {
      if (text === '' && attachments.length === 0) throw chatError('empty', 'A message needs a text or a file.');
      await started;
      const files = await copyFiles(localId, attachments);
      await commit((change) => {
        change.unsent.push({
          localId,
          chatId,
          place: nextPlace(),
          text,
          files,
          sentAt,
          sinceMs: Date.now(),
          failure: null,
        });
      }).catch((error: unknown) => {
        for (const { uri } of files) removeQuietly(uri);
        throw error;
      });
      return { localId };
    });
    lastSend = sent.catch(() => undefined);
    return sent;
  }

  const nextPlace = (): number => Math.max(0, ...[...unsent.values()].map(({ place }) => place)) + 1;

  /** The picker's cache may be cleared at any time: what is to be sent is copied first. */
  async function copyFiles(localId: string, picked: readonly PickedFile[]): Promise<KeptFile[]> {
    const files: KeptFile[] = [];
    try {
      for (const [n, { uri, name, mime }] of picked.entries()) {
        if (isOver) throw over();
        if (!folder.exists) folder.create();
        const uploadId = `${localId}-${n}`;
        const copy = new fileSystem.File(folder, uploadId);
        files.push({ uploadId, uri: copy.uri, name, mime, sizeBytes: new fileSystem.File(uri).size, fileUrl: null });
        await new fileSystem.File(uri).copy(copy, { overwrite: true });
      }
    } catch (cause) {
      for (const { uri } of files) removeQuietly(uri);
      const lost = picked.find(({ uri }) => !new fileSystem.File(uri).exists);
      if (lost) throw chatError('source-lost', `The file ${lost.name} is gone. Pick it again.`, cause);
      rethrowAsStorageError(cause);
    }
    return files;
  }

  const retry = (localId: string): Promise<void> =>
    commit((change) => {
      const failed = unsent.get(localId);
      if (!failed?.failure) throw notFound(localId);
      change.unsent.push({ ...failed, failure: null, place: nextPlace(), sinceMs: Date.now() });
    });

  const discard = (localId: string): Promise<void> =>
    commit((change) => {
      if (!unsent.has(localId)) throw notFound(localId);
      change.gone.push(localId);
    });

  /** Chats with a message on its way. */
  const busy = new Set<string>();
  let failures = 0;
  let pause: { readonly untilMs: number; readonly isOrdered: boolean } | null = null;
  let pauseTimer: ReturnType<typeof setTimeout> | undefined;

  const maySend = (): boolean => !isOver && isOnline === true && !isSessionOver;

  /** Runs after every change: the state says what may go, so triggers that come together cannot send twice. */
  function pump(): void {
    clearTimeout(pauseTimer);
    clearTimeout(receiptsTimer);
    // Without a network no timer runs: connectivity wakes the queue.
    if (!maySend()) return;
    if (pause) {
      pauseTimer = setTimeout(resume, Math.max(0, pause.untilMs - performance.now()));
      return;
    }
    for (const next of firstOfEachChat()) {
      if (busy.size >= LANES) break;
      if (!busy.has(next.chatId)) void deliver(next);
    }
    for (const [chatId, { isWanting }] of threads)
      if (isLive && isWanting && !loading.has(chatId)) void loadFirst(chatId);
    pumpReceipts();
  }

  /** A failed one steps aside; whatever else is first holds the others of its chat. */
  function firstOfEachChat(): Unsent[] {
    const waiting = [...unsent.values()].filter(({ failure }) => !failure).sort((a, b) => a.place - b.place);
    return [...new Map(waiting.toReversed().map((one) => [one.chatId, one])).values()].reverse();
  }

  async function deliver(message: Unsent): Promise<void> {
    busy.add(message.chatId);
    const verdict = Date.now() - message.sinceMs >= EXPIRES_MS ? EXPIRED : await carry(message);
    const stored = await settle(message, verdict).catch(() => TRY_AGAIN);
    busy.delete(message.chatId);
    if (stored.is === 'transient') fail(stored.retryAfterMs);
    if (stored.is === 'done') failures = 0;
    pump();
  }

  /** Files first, one after another, then the message that names them. */
  async function carry({ localId, chatId, text, sentAt }: Unsent): Promise<Verdict<unknown>> {
    for (const { uploadId } of unsent.get(localId)?.files ?? []) {
      const file = unsent.get(localId)?.files.find((one) => one.uploadId === uploadId);
      if (!file || file.fileUrl) continue;
      const sent = await upload(file);
      if (sent.is !== 'done') return sent;
      await noteUploaded(localId, uploadId, sent.value).catch(() => undefined);
    }
    const message = unsent.get(localId);
    // It was discarded, or the server had it all along; or a URL could not be stored.
    if (!message) return HELD;
    if (!message.files.every(({ fileUrl }) => fileUrl)) return TRY_AGAIN;
    const attachments = message.files.map((file) => toAttachment(file, file.fileUrl ?? ''));
    return ask(`/chat/${encodeURIComponent(chatId)}/message`, { localId, text, attachments, sentAt });
  }

  const noteUploaded = (localId: string, uploadId: string, fileUrl: string): Promise<void> =>
    commit((change) => {
      const message = unsent.get(localId);
      if (!message) return;
      const files = message.files.map((file) => (file.uploadId === uploadId ? { ...file, fileUrl } : file));
      change.unsent.push({ ...message, files });
    });

  /** What a verdict means for the message is stored before it is shown. */
  async function settle({ localId }: Unsent, verdict: Verdict<unknown>): Promise<Verdict<unknown>> {
    if (verdict.is === 'done') {
      const { value } = verdict;
      // A captive portal answers 200, too. It does not prove that the server has it.
      if (!isMessageAnswer(value)) return TRY_AGAIN;
      await commit((change) => keep(change, value.message));
    }
    if (verdict.is === 'refused') {
      await commit((change) => {
        const message = unsent.get(localId);
        if (message) change.unsent.push({ ...message, failure: verdict.failure });
      });
    }
    return verdict;
  }

  /** One pause for all that is sent: exponential, with full jitter, unless the server has asked for one of its own. */
  function fail(retryAfterMs: number | null): void {
    if (pause?.isOrdered && retryAfterMs === null) return;
    if (!pause) failures += 1;
    const longestMs = Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** (failures - 1));
    const waitMs = retryAfterMs ?? Math.random() * longestMs;
    pause = { untilMs: Math.max(pause?.untilMs ?? 0, performance.now() + waitMs), isOrdered: retryAfterMs !== null };
  }

  /** Connectivity and the foreground are reasons to try now. */
  function wake(): void {
    if (!pause?.isOrdered) pause = null;
  }

  function resume(): void {
    pause = null;
    pump();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Uploads

  /** Gives the file's URL once the server has all of it. A link that has run out is asked for again. */
  async function upload(file: KeptFile): Promise<Verdict<string>> {
    const { uploadId, name, mime, sizeBytes } = file;
    for (let links = 0; links < LINKS_MAX; links += 1) {
      const link = await ask('/uploads/presign', { uploadId, name, mime, sizeBytes });
      if (link.is !== 'done') return link;
      if (!isLink(link.value)) return TRY_AGAIN;
      const sent = await putPieces(file, link.value.uploadUrl);
      if (sent === 'whole') return { is: 'done', value: link.value.fileUrl };
      if (sent !== 'expired') return sent;
    }
    return TRY_AGAIN;
  }

  /** How far it has come is the server's to say: it is asked first, and each answer says it again. */
  async function putPieces(file: KeptFile, url: string): Promise<'whole' | 'expired' | Verdict<never>> {
    let received = await askStorage(url, { method: 'GET' });
    while (typeof received === 'number') {
      uploaded.set(file.uploadId, received);
      publish();
      if (received >= file.sizeBytes) return 'whole';
      const bytes = await readPiece(file, received).catch(() => null);
      if (!bytes) return TRY_AGAIN;
      const range = `bytes ${received}-${received + bytes.length - 1}/${file.sizeBytes}`;
      const before: number = received;
      received = await askStorage(url, { method: 'PUT', headers: { 'Content-Range': range }, body: bytes });
      if (typeof received === 'number' && received <= before) return TRY_AGAIN;
    }
    return received;
  }

  async function readPiece({ uri }: KeptFile, offset: number): Promise<Uint8Array<ArrayBuffer>> {
    const handle = new fileSystem.File(uri).open();
    try {
      handle.offset = offset;
      return await handle.readBytes(PIECE_BYTES);
    } finally {
      handle.close();
    }
  }

  /** The storage host: no token of ours, and its own idea of a link that has run out. */
  async function askStorage(url: string, init: RequestInit): Promise<number | 'expired' | Verdict<never>> {
    if (!maySend()) return HELD;
    return limited(url, init, async (response) => {
      if (response.status === 403) return 'expired';
      const body: unknown = await response.json();
      const isTold = (response.status === 200 || response.status === 409) && isObject(body);
      return isTold && typeof body.received === 'number' ? body.received : TRY_AGAIN;
    }).catch(() => TRY_AGAIN);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Receipts: marks that only rise, sent when they are ahead of what the server knows

  const receiptsAtMs = new Map<string, number>();
  const receiptsOut = new Set<string>();
  /** Marks that the server would not have. */
  const refusedMarks = new Map<string, Marks>();
  let receiptsTimer: ReturnType<typeof setTimeout> | undefined;

  const markRead = (chatId: string, sequenceId: number): Promise<void> =>
    commit((change) => {
      const thread = threads.get(chatId);
      const row = rowOf(chatId);
      const readUpTo = Math.min(sequenceId, thread?.rows.at(-1)?.sequenceId ?? 0);
      // Read is what somebody has seen: in an open thread, on a screen that is on.
      if (!thread || appState.currentState !== 'active' || readUpTo <= row.own.readUpTo) return;
      const isUnread = (one: Confirmed) => one.fromUserId !== userId && one.sequenceId > readUpTo;
      const unreadCount = Math.min(row.summary?.unreadCount ?? 0, thread.rows.filter(isUnread).length);
      const summary = row.summary && { ...row.summary, unreadCount };
      edit(change, chatId, { own: { ...row.own, readUpTo }, summary });
    });

  function pumpReceipts(): void {
    const nowMs = performance.now();
    const due = [...rows.values()].filter((row) => !receiptsOut.has(row.chatId) && marksToSend(row));
    const waitMs = ({ chatId }: ChatRow) =>
      (receiptsAtMs.get(chatId) ?? -RECEIPTS_EVERY_MS) + RECEIPTS_EVERY_MS - nowMs;
    for (const row of due.filter((row) => waitMs(row) <= 0)) void sendReceipts(row);
    const waits = due.map(waitMs).filter((ms) => ms > 0);
    if (waits.length > 0) receiptsTimer = setTimeout(pump, Math.min(...waits));
  }

  /** Null when the server knows all, or would not have them. */
  function marksToSend({ chatId, own, receipts }: ChatRow): Partial<Marks> | null {
    const known = highest([marksOf(receipts, userId), refusedMarks.get(chatId) ?? NO_MARKS]);
    const { deliveredUpTo, readUpTo } = own;
    const body = {
      ...(deliveredUpTo > Math.max(known.deliveredUpTo, readUpTo) && { deliveredUpTo }),
      ...(readUpTo > known.readUpTo && { readUpTo }),
    };
    return Object.keys(body).length > 0 ? body : null;
  }

  async function sendReceipts(row: ChatRow): Promise<void> {
    const { chatId, own } = row;
    receiptsOut.add(chatId);
    receiptsAtMs.set(chatId, performance.now());
    const answer = await ask(`/chat/${encodeURIComponent(chatId)}/receipts`, marksToSend(row) ?? {});
    receiptsOut.delete(chatId);
    if (answer.is === 'refused') refusedMarks.set(chatId, own);
    const isTold = answer.is === 'done' && isReceipt(answer.value);
    if (answer.is === 'transient' || (answer.is === 'done' && !isTold)) {
      fail(answer.is === 'transient' ? answer.retryAfterMs : null);
    }
    // The marks that the server has now. They are stored when the stream tells them.
    if (isTold) {
      failures = 0;
      const told = rowOf(chatId);
      rows.set(chatId, { ...told, receipts: mergeReceipts(told.receipts, [{ ...own, userId }]) });
    }
    pump();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Requests

  function setToken(accessToken: string): void {
    token = accessToken;
    if (!isSessionOver) return;
    isSessionOver = false;
    publish();
    realtime.connect();
    pump();
  }

  /** A 401 for the present token means that a new one is needed. One for an older token tells nothing. */
  async function withToken(url: string, init: RequestInit): Promise<Response> {
    const own = token;
    const response = await fetch(url, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), Authorization: `Bearer ${own}` },
    });
    if (response.status === 401 && own === token && !isOver) {
      isSessionOver = true;
      realtime.disconnect();
      publish();
    }
    return response;
  }

  /** One request to the API: a GET, or a POST of a body. */
  async function ask(path: string, body?: object): Promise<Verdict<unknown>> {
    if (!maySend()) return HELD;
    const post = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    return limited(`${apiUrl}${path}`, body ? post : {}, judge, withToken).catch(() => TRY_AGAIN);
  }

  /** Its time covers the body, too. */
  async function limited<T>(
    url: string,
    init: RequestInit,
    read: (response: Response) => Promise<T>,
    request: (url: string, init: RequestInit) => Promise<Response> = fetch,
  ): Promise<T> {
    const limit = new AbortController();
    const stop = () => limit.abort();
    const timer = setTimeout(stop, REQUEST_MS);
    ending.signal.addEventListener('abort', stop);
    try {
      return await read(await request(url, { ...init, signal: limit.signal }));
    } finally {
      clearTimeout(timer);
      ending.signal.removeEventListener('abort', stop);
    }
  }

  return {
    start,
    setToken,
    signOut,
    loadMoreChats,
    openChat,
    loadOlder,
    closeChat,
    send,
    retry,
    discard,
    markRead,
    getState: store.getState,
    subscribe: (listener) => store.subscribe(() => listener()),
    dispose,
  };
};

// ---------------------------------------------------------------------------------------------------------------------
// What an answer means

const EXPIRED: Verdict<never> = { is: 'refused', failure: { code: 'expired', status: null, message: '' } };

async function judge(response: Response): Promise<Verdict<unknown>> {
  const { status, headers } = response;
  if (status === 401) return HELD;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return { is: 'transient', retryAfterMs: retryAfterMs(headers) };
  }
  const value: unknown = await response.json().catch(() => null);
  if (response.ok) return isObject(value) ? { is: 'done', value } : TRY_AGAIN;
  const message = isObject(value) && typeof value.message === 'string' ? value.message : '';
  return { is: 'refused', failure: { code: 'refused', status, message } };
}

/** RFC 9110, 10.2.3: seconds or a date. The date is held against the server's own `Date`: the phone's may be wrong. */
function retryAfterMs(headers: Headers): number | null {
  const value = headers.get('Retry-After') ?? '';
  const seconds = Number(value);
  const waitMs = Number.isNaN(seconds) ? Date.parse(value) - Date.parse(headers.get('Date') ?? '') : seconds * 1_000;
  return waitMs > 0 ? waitMs : null;
}

// ---------------------------------------------------------------------------------------------------------------------
// Marks and rows

const NO_MARKS: Marks = { deliveredUpTo: 0, readUpTo: 0 };

const highest = (all: readonly Marks[]): Marks => all.reduce(raised, NO_MARKS);

function raised(marks: Marks, by: Partial<Marks>): Marks {
  return {
    deliveredUpTo: Math.max(marks.deliveredUpTo, by.deliveredUpTo ?? 0),
    readUpTo: Math.max(marks.readUpTo, by.readUpTo ?? 0),
  };
}

const marksOf = (receipts: readonly Receipt[], userId: string): Marks =>
  highest(receipts.filter((receipt) => receipt.userId === userId));

function mergeReceipts(known: readonly Receipt[], told: readonly Receipt[]): Receipt[] {
  const userIds = new Set([...known, ...told].map(({ userId }) => userId));
  return [...userIds].map((userId) => ({ userId, ...marksOf([...known, ...told], userId) }));
}

/**
 * Stored messages, newest first, as far down as nothing is missing: all from the floor up, and below it as long as each
 * number follows on the one above. Given back oldest first. The counter has no gaps, so a hole shows in the numbers.
 */
function joined(stored: readonly Confirmed[], floor: number | null): Confirmed[] {
  let lowest = floor ?? Number.NEGATIVE_INFINITY;
  const hole = stored.findIndex(({ sequenceId }) => {
    const isMissing = floor === null || sequenceId < lowest - 1;
    lowest = Math.min(lowest, sequenceId);
    return isMissing;
  });
  return stored.slice(0, hole < 0 ? stored.length : hole).reverse();
}

const keyOf = (fromUserId: string, localId: string): string => `${fromUserId}/${localId}`;

function byActivity(a: ChatSummary, b: ChatSummary): number {
  if (a.lastActivity !== b.lastActivity) return a.lastActivity < b.lastActivity ? 1 : -1;
  return a.chatId < b.chatId ? -1 : 1;
}

function toAttachment({ mime, sizeBytes }: Pick<KeptFile, 'mime' | 'sizeBytes'>, url: string): Attachment {
  const [kind] = mime.split('/');
  return { type: kind === 'image' || kind === 'video' ? kind : 'file', url, mime, sizeBytes };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

// ---------------------------------------------------------------------------------------------------------------------
// What comes from outside

const isMessageAnswer = (value: unknown): value is { message: Confirmed } =>
  isObject(value) && isObject(value.message) && typeof value.message.sequenceId === 'number';

const isMessageCreated = (value: unknown): value is { message: Confirmed; chat: ToldChat } =>
  isMessageAnswer(value) && 'chat' in value;

const isReceipt = (value: unknown): value is Receipt => isObject(value) && typeof value.readUpTo === 'number';

const isReceiptUpdated = (value: unknown): value is Receipt & { chatId: string; unreadCount: number } =>
  isReceipt(value) && 'chatId' in value;

const isEventsPage = (value: unknown): value is { events: { name: string; data: { seq: number } }[]; head: number } =>
  isObject(value) && Array.isArray(value.events);

const isChatsPage = (value: unknown): value is { chats: ToldChat[]; nextCursor: string | null; head: number } =>
  isObject(value) && Array.isArray(value.chats);

const isMessagesPage = (value: unknown): value is { messages: Confirmed[]; receipts: Receipt[] } =>
  isObject(value) && Array.isArray(value.messages);

const isLink = (value: unknown): value is { uploadUrl: string; fileUrl: string } =>
  isObject(value) && typeof value.uploadUrl === 'string';

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// ---------------------------------------------------------------------------------------------------------------------

function chatError(code: ChatErrorCode, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}
const over = () => chatError('over', 'This chat was disposed or signed out. Create a new one.');
const notFound = (localId: string) =>
  chatError('not-found', `No unsent message ${localId} can take this. See the messages of its thread.`);

function rethrowAsStorageError(cause: unknown): never {
  if (cause instanceof Error && 'code' in cause) throw cause;
  if (cause instanceof Error && /full|ENOSPC/.test(cause.message))
    throw chatError('storage-full', 'The phone has no room left. Free some and try again.', cause);
  throw chatError('storage-failed', 'The phone could not read or write its storage. Try again.', cause);
}

function rethrowIfOver(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'over') throw error;
}
