// Another design: a class, one stored document that every change replaces as a whole, and a worker for each chat that has
// something to send. There is no database and no transaction, since one value is written at once; the price is its size.
import type {
  Attachment,
  Chat,
  ChatErrorCode,
  ChatOptions,
  ChatState,
  ChatSummary,
  CreateChat,
  Draft,
  Message,
  SendFailure,
} from '#contract/chat';
import type { Realtime } from '#contract/realtime-reconnect';
import { createRealtime } from '#solutions/realtime-reconnect';

type Confirmed = Omit<Message, 'key' | 'id' | 'sequenceId' | 'status' | 'progress' | 'failure'> & {
  id: string;
  sequenceId: number;
};
type Marks = { deliveredUpTo: number; readUpTo: number };
type Receipt = Marks & { userId: string };
type ToldChat = ChatSummary & { lastSequenceId: number; receipts: Receipt[] };
type Copy = { uploadId: string; uri: string; name: string; mime: string; sizeBytes: number; fileUrl: string | null };

/** One chat, as the document has it. `messages` begin at `from`, and none of them is missing. */
interface Line {
  summary: ChatSummary | null;
  asOf: number;
  from: number | null;
  messages: Confirmed[];
  /** By user. */
  marks: Record<string, Marks>;
  own: Marks;
}

interface Waiting {
  localId: string;
  chatId: string;
  text: string;
  files: Copy[];
  sentAt: string;
  sinceMs: number;
  failure: SendFailure | null;
}

/** All that outlives a kill. The order of `waiting` is the order of sending. */
interface Document {
  cursor: number | null;
  nextChats: string | null;
  lines: Record<string, Line>;
  waiting: Waiting[];
  /** How often all began anew. */
  resets: number;
}

interface Open {
  /** The oldest message shown; null for all there is. */
  from: number | null;
  wantsFirst: boolean;
}

/** `failures` in a row. */
type Pause = { failures: number; untilMs: number; isOrdered: boolean };
const NO_PAUSE: Pause = { failures: 0, untilMs: 0, isOrdered: false };

type Answer = { status: number; body: unknown; retryMs: number | null };
/** No answer, or none that counts. */
const NOTHING: Answer = { status: 0, body: null, retryMs: null };
/** Nothing was sent: offline, without a session, or over. */
const UNSENT: Answer = { status: -1, body: null, retryMs: null };

const PAGE = 50;
const WORKERS = 3;
const DAY_MS = 86_400_000;
const PIECE = 262_144;

class Messenger implements Chat {
  readonly #options: ChatOptions;
  readonly #key: string;
  readonly #realtime: Realtime;
  readonly #listeners = new Set<() => void>();
  readonly #open = new Map<string, Open>();
  readonly #pages = new Map<string, Promise<void>>();
  readonly #confirmed = new Map<string, number>();
  readonly #workers = new Set<string>();
  readonly #requests = new Set<AbortController>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #receiptsAt = new Map<string, number>();
  readonly #toldMarks = new Map<string, Marks>();
  readonly #stops: (() => void)[] = [];
  #document: Document = { cursor: null, nextChats: null, lines: {}, waiting: [], resets: 0 };
  #state: ChatState | null = null;
  #token: string;
  #starting: Promise<void> | null = null;
  #opened = Promise.withResolvers<void>();
  #turn: Promise<unknown> = this.#opened.promise;
  #lastSend: Promise<unknown> = this.#opened.promise;
  #loadingChats: Promise<void> | null = null;
  #inbox: { name: string; data: unknown; seq: number }[] = [];
  #heard = 0;
  #sending: Pause = { ...NO_PAUSE };
  /** What is read has pauses of its own. */
  #reading: Pause = { ...NO_PAUSE };
  #isOnline: boolean | null = null;
  #isLive = false;
  #needsToken = false;
  #isOver = false;
  #leave = () => {};

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#token = options.accessToken;
    this.#key = `chat/${encodeURIComponent(options.userId)}`;
    this.#realtime = createRealtime({
      device: options.device,
      apiUrl: options.apiUrl,
      socketUrl: options.apiUrl.replace('http', 'ws'),
      appKey: 'talk',
      fetch: (input, init) => this.#withToken(String(input), init ?? {}),
      history: (_channel, after) => this.#events(after),
    });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The document

  /** Changes a copy, stores it, and only then lets it be seen. */
  #update(change: (document: Document) => void): Promise<void> {
    const turn = this.#turn.then(async () => {
      if (this.#isOver) throw fault('over');
      const next = JSON.parse(JSON.stringify(this.#document)) as Document;
      change(next);
      const text = JSON.stringify(next);
      if (text === JSON.stringify(this.#document)) return;
      await this.#options.device.asyncStorage.setItem(this.#key, text).catch(storageFault);
      if (this.#isOver) return;
      this.#document = next;
      this.#changed();
      this.#work();
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #line(document: Document, chatId: string): Line {
    const none = { deliveredUpTo: 0, readUpTo: 0 };
    document.lines[chatId] ??= { summary: null, asOf: 0, from: null, messages: [], marks: {}, own: none };
    return document.lines[chatId];
  }

  /**
   * Every copy of a message ends here, whatever brought it. One that was asked for before all began anew is not the
   * first that is known of its chat: what lies between it and the next one will not come.
   */
  #take(document: Document, message: Confirmed, isOutdated = false): void {
    const { userId } = this.#options;
    const line = this.#line(document, message.chatId);
    if (message.fromUserId === userId)
      document.waiting = document.waiting.filter((one) => one.localId !== message.localId);
    else line.own.deliveredUpTo = Math.max(line.own.deliveredUpTo, message.sequenceId);
    if (isOutdated && line.from === null) return;
    line.from ??= message.sequenceId;
    if (message.sequenceId < line.from || line.messages.some((one) => one.sequenceId === message.sequenceId)) return;
    line.messages.push(message);
    line.messages.sort((a, b) => a.sequenceId - b.sequenceId);
  }

  #mark(line: Line, { userId, deliveredUpTo, readUpTo }: Receipt): void {
    const before = line.marks[userId] ?? { deliveredUpTo: 0, readUpTo: 0 };
    line.marks[userId] = {
      deliveredUpTo: Math.max(before.deliveredUpTo, deliveredUpTo),
      readUpTo: Math.max(before.readUpTo, readUpTo),
    };
    if (userId === this.#options.userId) line.own.readUpTo = Math.max(line.own.readUpTo, readUpTo);
  }

  #tell(document: Document, { lastSequenceId, receipts, ...summary }: ToldChat, asOf: number): void {
    const line = this.#line(document, summary.chatId);
    line.from ??= lastSequenceId + 1;
    for (const receipt of receipts) this.#mark(line, receipt);
    if (line.summary && asOf <= line.asOf) return;
    line.summary = { ...summary, unreadCount: this.#unread(line, summary.unreadCount) };
    line.asOf = asOf;
  }

  /** The server's count, unless this phone knows of a later mark: then what is stored above it is counted. */
  #unread(line: Line, told: number): number {
    const { userId } = this.#options;
    if (line.own.readUpTo <= (line.marks[userId]?.readUpTo ?? 0)) return told;
    const isUnread = (one: Confirmed) => one.fromUserId !== userId && one.sequenceId > line.own.readUpTo;
    return Math.min(told, line.messages.filter(isUnread).length);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Life

  async start(): Promise<void> {
    if (this.#isOver) throw fault('over');
    this.#starting ??= this.#restore().catch((error: unknown) => {
      this.#starting = null;
      throw error;
    });
    await this.#starting;
  }

  async #restore(): Promise<void> {
    const { asyncStorage, netInfo, appState, notifications } = this.#options.device;
    const text = await asyncStorage.getItem(this.#key).catch(storageFault);
    if (this.#isOver) throw fault('over');
    if (text) this.#document = JSON.parse(text) as Document;
    this.#heard = this.#document.cursor ?? 0;
    this.#sweep();
    this.#opened.resolve();
    this.#changed();
    const foreground = appState.addEventListener('change', (now) => {
      if (now !== 'active') return;
      this.#connect();
      this.#wake();
    });
    const pushes = notifications.addNotificationReceivedListener(({ request }) => this.#hint(request.content.data.seq));
    this.#stops.push(
      () => foreground.remove(),
      () => pushes.remove(),
      netInfo.addEventListener(({ isConnected }) => {
        const isNews = isConnected !== this.#isOnline;
        this.#isOnline = isConnected;
        if (isNews) this.#changed();
        if (isNews && isConnected) this.#wake();
      }),
      this.#realtime.subscribe(() => this.#linkChanged()),
    );
    this.#enter();
    this.#realtime.connect();
  }

  /** Calls made before the start wait for it. */
  async #begun(): Promise<void> {
    await this.#opened.promise;
    if (this.#isOver) throw fault('over');
  }

  #end(): void {
    this.#isOver = true;
    this.#realtime.dispose();
    for (const request of this.#requests) request.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const stop of this.#stops.splice(0)) stop();
    this.#opened.resolve();
  }

  dispose(): void {
    this.#end();
  }

  async signOut(): Promise<void> {
    await this.#opened.promise;
    this.#end();
    await this.#turn;
    const folder = this.#folder();
    try {
      await this.#options.device.asyncStorage.removeItem(this.#key);
      if (folder.exists) folder.delete();
    } catch (error) {
      storageFault(error);
    }
    this.#document = { cursor: null, nextChats: null, lines: {}, waiting: [], resets: 0 };
    this.#open.clear();
    this.#changed();
  }

  setToken(accessToken: string): void {
    this.#token = accessToken;
    if (this.#needsToken) {
      this.#needsToken = false;
      this.#changed();
      this.#work();
    }
    void this.#begun().then(
      () => this.#connect(),
      () => undefined,
    );
  }

  /** After a refusal, too: it stands until there is a reason to try again. */
  #connect(): void {
    if (!this.#needsToken) this.#realtime.connect();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The stream

  #enter(): void {
    this.#leave = this.#realtime.join(`private-user-${this.#options.userId}`, {
      after: this.#heard,
      onEvent: ({ name, data, seq }) => {
        this.#heard = seq ?? this.#heard;
        this.#inbox.push({ name, data, seq: this.#heard });
        if (this.#inbox.length === 1) void this.#empty();
      },
      onReset: () => this.#reset(),
    });
  }

  async #empty(): Promise<void> {
    for (let count = 0; this.#inbox.length > 0; ) {
      const isStored = await this.#update((document) => {
        count = this.#inbox.length;
        for (const event of this.#inbox)
          if (event.seq > (document.cursor ?? Number.POSITIVE_INFINITY)) this.#apply(document, event);
      }).then(
        () => true,
        () => false,
      );
      if (isStored) this.#inbox.splice(0, count);
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => this.#timers.set('inbox', setTimeout(resolve, 5_000)));
    }
  }

  #apply(document: Document, { name, data, seq }: { name: string; data: unknown; seq: number }): void {
    document.cursor = seq;
    if (name === 'message_created') {
      const { message, chat } = data as { message: Confirmed; chat: ToldChat };
      this.#take(document, message);
      this.#tell(document, chat, seq);
    }
    if (name === 'receipt_updated') {
      const receipt = data as Receipt & { chatId: string; unreadCount: number };
      const line = this.#line(document, receipt.chatId);
      this.#mark(line, receipt);
      if (receipt.userId === this.#options.userId && line.summary && seq > line.asOf)
        line.summary = { ...line.summary, unreadCount: this.#unread(line, receipt.unreadCount) };
    }
  }

  async #events(after: number) {
    if (this.#document.cursor === null) return 'gone';
    const { status, body } = await this.#ask('GET', `/chat/all/after?seq=${after}&limit=100`);
    if (status === 410) return 'gone';
    const page = body as { events: { name: string; data: { seq: number } }[]; head: number };
    if (status !== 200 || !Array.isArray(page.events)) throw new Error(`no events: ${status}`);
    return { head: page.head, events: page.events.map(({ name, data }) => ({ name, data, seq: data.seq })) };
  }

  /** Stored messages are dropped: what was missed may lie between them and what comes. */
  async #reset(): Promise<number> {
    const page = await this.#list(null);
    if (!page) throw new Error('no list');
    await this.#update((document) => {
      for (const line of Object.values(document.lines))
        Object.assign(line, { summary: null, asOf: 0, from: null, messages: [] });
      for (const chat of page.chats) this.#tell(document, chat, page.head);
      document.cursor = page.head;
      document.nextChats = page.nextCursor;
      document.resets += 1;
      for (const open of this.#open.values()) open.from = null;
    });
    this.#heard = page.head;
    for (const chatId of this.#open.keys()) void this.#first(chatId);
    return page.head;
  }

  #linkChanged(): void {
    const isLive = this.#realtime.getState().channels[`private-user-${this.#options.userId}`] === 'live';
    if (isLive === this.#isLive) return;
    this.#isLive = isLive;
    this.#changed();
    this.#work();
  }

  #hint(seq: unknown): void {
    if (typeof seq !== 'number') return;
    this.#after('hint', 500, () => {
      if (seq <= this.#heard || !this.#isLive) return;
      this.#leave();
      this.#enter();
    });
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The list and the threads

  async #list(cursor: string | null) {
    const { status, body } = await this.#ask('GET', `/chat/all?limit=15${cursor === null ? '' : `&cursor=${cursor}`}`);
    const page = body as { chats: ToldChat[]; nextCursor: string | null; head: number };
    return status === 200 && Array.isArray(page.chats) ? page : null;
  }

  async loadMoreChats(): Promise<void> {
    await this.#begun();
    const cursor = this.#document.nextChats;
    if (cursor === null) return;
    this.#loadingChats ??= this.#moreChats(cursor).finally(() => {
      this.#loadingChats = null;
    });
    await this.#loadingChats;
  }

  async #moreChats(cursor: string): Promise<void> {
    const { resets } = this.#document;
    const page = await this.#list(cursor);
    if (!page) return;
    await this.#update((document) => {
      if (resets !== document.resets) return;
      for (const chat of page.chats) this.#tell(document, chat, page.head);
      document.nextChats = page.nextCursor;
    }).catch(() => undefined);
  }

  async openChat(chatId: string): Promise<void> {
    await this.#turn;
    if (this.#isOver) throw fault('over');
    if (!this.#open.has(chatId)) {
      const from = this.#document.lines[chatId]?.messages.at(-PAGE)?.sequenceId ?? null;
      this.#open.set(chatId, { from, wantsFirst: false });
      this.#changed();
    }
    await this.#first(chatId);
  }

  #shown(chatId: string, { from }: Open): Confirmed[] {
    const messages = this.#document.lines[chatId]?.messages ?? [];
    return from === null ? messages : messages.filter(({ sequenceId }) => sequenceId >= from);
  }

  #hasOlder(chatId: string, open: Open): boolean {
    return (this.#shown(chatId, open)[0]?.sequenceId ?? this.#document.lines[chatId]?.from ?? 2) > 1;
  }

  async #first(chatId: string): Promise<void> {
    const open = this.#open.get(chatId);
    if (!open) return;
    open.wantsFirst = this.#shown(chatId, open).length < PAGE && this.#hasOlder(chatId, open);
    if (open.wantsFirst) await this.loadOlder(chatId);
  }

  async loadOlder(chatId: string): Promise<void> {
    await this.#begun();
    const open = this.#open.get(chatId);
    if (!open) return;
    if (!this.#pages.has(chatId) && this.#hasOlder(chatId, open)) {
      const page = this.#older(chatId, open)
        .catch(() => undefined)
        .finally(() => {
          this.#pages.delete(chatId);
          if (!this.#isOver) this.#changed();
        });
      this.#pages.set(chatId, page);
      this.#changed();
    }
    await this.#pages.get(chatId);
  }

  async #older(chatId: string, open: Open): Promise<void> {
    const stored = this.#document.lines[chatId]?.messages ?? [];
    const at = stored.findIndex(({ sequenceId }) => sequenceId === open.from);
    if (at > 0) {
      open.from = stored[Math.max(0, at - PAGE)]?.sequenceId ?? open.from;
      return;
    }
    const { resets } = this.#document;
    const from = this.#document.lines[chatId]?.from ?? null;
    const before = from === null ? '' : `&before=${from}`;
    const answer = await this.#ask('GET', `/chat/${encodeURIComponent(chatId)}/all?limit=${PAGE}${before}`);
    const page = answer.body as { messages: Confirmed[]; receipts: Receipt[] };
    if (answer.status !== 200 || !Array.isArray(page.messages)) {
      if (isPermanent(answer.status)) open.wantsFirst = false;
      else if (open.wantsFirst && answer.status !== 401 && answer.status !== UNSENT.status)
        this.#reading = this.#nextPause(this.#reading, answer.retryMs);
      this.#work();
      return;
    }
    this.#reading = { ...NO_PAUSE };
    await this.#update((document) => {
      if (resets !== document.resets) return;
      const line = this.#line(document, chatId);
      const lowest = page.messages.at(-1)?.sequenceId ?? 1;
      line.from = Math.min(lowest, line.from ?? lowest);
      for (const message of page.messages) this.#take(document, message);
      for (const receipt of page.receipts) this.#mark(line, receipt);
      open.from = line.from;
      open.wantsFirst = false;
    });
    // The page was asked for in another time. What is wanted now is the latest one.
    if (resets !== this.#document.resets) await this.#older(chatId, open);
  }

  async closeChat(chatId: string): Promise<void> {
    await this.#begun();
    if (this.#open.delete(chatId)) this.#changed();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Sending

  send(chatId: string, { text = '', attachments = [] }: Draft): Promise<{ localId: string }> {
    const localId = crypto.randomUUID();
    const sentAt = new Date().toISOString();
    const sent = this.#lastSend.then(async () => {
      if (text === '' && attachments.length === 0) throw fault('empty');
      const files: Copy[] = [];
      try {
        for (const [n, { uri, name, mime }] of attachments.entries())
          files.push(await this.#copy(`${localId}-${n}`, uri, name, mime));
        await this.#update((document) => {
          document.waiting.push({ localId, chatId, text, files, sentAt, sinceMs: Date.now(), failure: null });
        });
      } catch (error) {
        this.#sweep(new Set(attachments.map((_, n) => `${localId}-${n}`)));
        throw error;
      }
      return { localId };
    });
    this.#lastSend = sent.catch(() => undefined);
    return sent;
  }

  #folder() {
    const { Directory, Paths } = this.#options.device.fileSystem;
    return new Directory(Paths.document, `${this.#key.replace('/', '-')}-files`);
  }

  async #copy(uploadId: string, uri: string, name: string, mime: string): Promise<Copy> {
    const { File } = this.#options.device.fileSystem;
    if (this.#isOver) throw fault('over');
    const source = new File(uri);
    const folder = this.#folder();
    const copy = new File(folder, uploadId);
    try {
      if (!folder.exists) folder.create();
      await source.copy(copy, { overwrite: true });
    } catch (error) {
      if (!source.exists) throw fault('source-lost', error);
      storageFault(error);
    }
    return { uploadId, uri: copy.uri, name, mime, sizeBytes: copy.size, fileUrl: null };
  }

  /** Deletes these copies, or all that no message names. */
  #sweep(names?: ReadonlySet<string>): void {
    const folder = this.#folder();
    if (!folder.exists) return;
    const needed = new Set(this.#document.waiting.flatMap(({ files }) => files.map(({ uploadId }) => uploadId)));
    for (const file of folder.list()) {
      if (names ? !names.has(file.name) : needed.has(file.name)) continue;
      try {
        new this.#options.device.fileSystem.File(file.uri).delete();
      } catch {
        // Next time.
      }
    }
  }

  async retry(localId: string): Promise<void> {
    await this.#update((document) => {
      const at = document.waiting.findIndex((one) => one.localId === localId && one.failure !== null);
      const [failed] = at < 0 ? [] : document.waiting.splice(at, 1);
      if (!failed) throw fault('not-found');
      document.waiting.push({ ...failed, failure: null, sinceMs: Date.now() });
    });
  }

  async discard(localId: string): Promise<void> {
    const names = new Set<string>();
    await this.#update((document) => {
      const at = document.waiting.findIndex((one) => one.localId === localId);
      const [gone] = at < 0 ? [] : document.waiting.splice(at, 1);
      if (!gone) throw fault('not-found');
      for (const { uploadId } of gone.files) names.add(uploadId);
    });
    this.#sweep(names);
  }

  get #maySend(): boolean {
    return !this.#isOver && this.#isOnline === true && !this.#needsToken;
  }

  #wake(): void {
    if (!this.#sending.isOrdered) this.#sending.untilMs = 0;
    if (!this.#reading.isOrdered) this.#reading.untilMs = 0;
    this.#work();
  }

  /** Starts a worker for each chat that needs one and has none. */
  #work(): void {
    for (const name of ['sending', 'reading', 'receipts']) clearTimeout(this.#timers.get(name));
    if (!this.#maySend) return;
    if (!this.#mustWait('reading', this.#reading)) this.#readOwed();
    if (this.#mustWait('sending', this.#sending)) return;
    for (const { chatId } of this.#document.waiting.filter(({ failure }) => !failure)) {
      if (this.#workers.size >= WORKERS) break;
      if (!this.#workers.has(chatId)) void this.#worker(chatId);
    }
    this.#sendReceipts();
  }

  #readOwed(): void {
    for (const [chatId, { wantsFirst }] of this.#open)
      if (this.#isLive && wantsFirst && !this.#pages.has(chatId)) void this.#first(chatId);
  }

  /** Looks again when the pause is over. */
  #mustWait(name: string, pause: Pause): boolean {
    const waitMs = pause.untilMs - performance.now();
    if (waitMs > 0) this.#after(name, waitMs, () => this.#work());
    else pause.isOrdered = false;
    return waitMs > 0;
  }

  async #worker(chatId: string): Promise<void> {
    this.#workers.add(chatId);
    for (;;) {
      const next = this.#document.waiting.find((one) => one.chatId === chatId && !one.failure);
      if (!next || !this.#maySend || performance.now() < this.#sending.untilMs) break;
      const { resets } = this.#document;
      const isExpired = Date.now() - next.sinceMs >= DAY_MS;
      const answer = isExpired ? NOTHING : await this.#deliver(next).catch(() => NOTHING);
      await this.#settle(next, isExpired, answer, resets).catch(() => this.#pause(null));
    }
    this.#workers.delete(chatId);
    this.#work();
  }

  async #settle(
    { localId, files }: Waiting,
    isExpired: boolean,
    { status, body, retryMs }: Answer,
    resets: number,
  ): Promise<void> {
    const fail = (failure: SendFailure) =>
      this.#update((document) => {
        for (const one of document.waiting) if (one.localId === localId) one.failure = failure;
      });
    const { message } = (body ?? {}) as { message?: unknown };
    if (isExpired) await fail({ code: 'expired', status: null, message: '' });
    else if (status >= 200 && status < 300 && isObject(message)) {
      await this.#update((document) =>
        this.#take(document, message as unknown as Confirmed, resets !== document.resets),
      );
      this.#sending.failures = 0;
      this.#sweep(new Set(files.map(({ uploadId }) => uploadId)));
    } else if (isPermanent(status)) await fail({ code: 'refused', status, message: String(message ?? '') });
    // What was discarded meanwhile tells nothing about the server.
    else if (status !== 401 && status !== UNSENT.status && this.#isWaiting(localId)) this.#pause(retryMs);
  }

  #isWaiting(localId: string): boolean {
    return this.#document.waiting.some((one) => one.localId === localId);
  }

  #pause(retryMs: number | null): void {
    this.#sending = this.#nextPause(this.#sending, retryMs);
  }

  #nextPause(before: Pause, retryMs: number | null): Pause {
    const isOn = performance.now() < before.untilMs;
    if (isOn && before.isOrdered && retryMs === null) return before;
    const failures = before.failures + (isOn ? 0 : 1);
    const pauseMs = retryMs ?? Math.random() * Math.min(30_000, 500 * 2 ** (failures - 1));
    const untilMs = Math.max(before.untilMs, performance.now() + pauseMs);
    return { failures, untilMs, isOrdered: retryMs !== null };
  }

  async #deliver({ localId, chatId, text, sentAt }: Waiting): Promise<Answer> {
    const now = () => this.#document.waiting.find((one) => one.localId === localId);
    for (let file = now()?.files.find(isPending); file; file = now()?.files.find(isPending)) {
      const { uploadId } = file;
      const { answer, fileUrl } = await this.#upload(file);
      if (fileUrl === null) return answer;
      await this.#update((document) => {
        const copies = document.waiting.find((one) => one.localId === localId)?.files ?? [];
        for (const one of copies) if (one.uploadId === uploadId) one.fileUrl = fileUrl;
      });
    }
    const message = now();
    if (!message) return UNSENT;
    const attachments = message.files.map((file) => attachmentOf(file, file.fileUrl ?? ''));
    return this.#ask('POST', `/chat/${encodeURIComponent(chatId)}/message`, { localId, text, attachments, sentAt });
  }

  async #upload({ uploadId, uri, name, mime, sizeBytes }: Copy): Promise<{ answer: Answer; fileUrl: string | null }> {
    let answer = NOTHING;
    for (let links = 0; links < 3; links += 1) {
      answer = await this.#ask('POST', '/uploads/presign', { uploadId, name, mime, sizeBytes });
      const { uploadUrl, fileUrl } = (answer.body ?? {}) as { uploadUrl?: string; fileUrl?: string };
      if (answer.status !== 200) return { answer, fileUrl: null };
      if (!uploadUrl || !fileUrl) return { answer: NOTHING, fileUrl: null };
      answer = await this.#put(uploadId, uri, sizeBytes, uploadUrl);
      if (answer.status === 200) return { answer, fileUrl };
      if (answer.status !== 403) break;
    }
    return { answer: answer.status === UNSENT.status ? UNSENT : NOTHING, fileUrl: null };
  }

  /** 200: all of it is there. */
  async #put(uploadId: string, uri: string, sizeBytes: number, url: string): Promise<Answer> {
    const file = new this.#options.device.fileSystem.File(uri);
    let last = -1;
    for (let answer = await this.#fetch(url, { method: 'GET' }); ; ) {
      const { received } = (answer.body ?? {}) as { received?: unknown };
      if ((answer.status !== 200 && answer.status !== 409) || typeof received !== 'number')
        return answer.status === 200 ? NOTHING : answer;
      this.#confirmed.set(uploadId, received);
      this.#changed();
      if (received >= sizeBytes) return { ...answer, status: 200 };
      if (received <= last || !file.exists) return NOTHING;
      last = received;
      const handle = file.open();
      handle.offset = received;
      const bytes = await handle.readBytes(PIECE).catch(() => null);
      handle.close();
      if (!bytes) return NOTHING;
      const headers = { 'Content-Range': `bytes ${received}-${received + bytes.length - 1}/${sizeBytes}` };
      answer = await this.#fetch(url, { method: 'PUT', headers, body: bytes });
    }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Receipts

  async markRead(chatId: string, sequenceId: number): Promise<void> {
    const { appState } = this.#options.device;
    await this.#update((document) => {
      const open = this.#open.get(chatId);
      const line = document.lines[chatId];
      const newest = line?.messages.at(-1)?.sequenceId ?? 0;
      if (!open || !line || appState.currentState !== 'active') return;
      line.own.readUpTo = Math.max(line.own.readUpTo, Math.min(sequenceId, newest));
      if (line.summary) line.summary = { ...line.summary, unreadCount: this.#unread(line, line.summary.unreadCount) };
    });
  }

  #sendReceipts(): void {
    const nowMs = performance.now();
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const [chatId, { own }] of Object.entries(this.#document.lines)) {
      const told = this.#told(chatId);
      const isAhead = Math.max(own.deliveredUpTo, own.readUpTo) > told.deliveredUpTo || own.readUpTo > told.readUpTo;
      const dueInMs = (this.#receiptsAt.get(chatId) ?? -1_000) + 1_000 - nowMs;
      if (!isAhead) continue;
      if (dueInMs > 0) soonestMs = Math.min(soonestMs, dueInMs);
      else void this.#sendMarks(chatId, { ...own }, told);
    }
    if (soonestMs < Number.POSITIVE_INFINITY) this.#after('receipts', soonestMs, () => this.#work());
  }

  /** What the server knows, or would not have. */
  #told(chatId: string): Marks {
    const stored = this.#document.lines[chatId]?.marks[this.#options.userId] ?? { deliveredUpTo: 0, readUpTo: 0 };
    const told = this.#toldMarks.get(chatId) ?? stored;
    return {
      deliveredUpTo: Math.max(stored.deliveredUpTo, told.deliveredUpTo),
      readUpTo: Math.max(stored.readUpTo, told.readUpTo),
    };
  }

  async #sendMarks(chatId: string, own: Marks, told: Marks): Promise<void> {
    this.#receiptsAt.set(chatId, Number.POSITIVE_INFINITY);
    const atMs = performance.now();
    const body = {
      ...(own.deliveredUpTo > told.deliveredUpTo && { deliveredUpTo: own.deliveredUpTo }),
      ...(own.readUpTo > told.readUpTo && { readUpTo: own.readUpTo }),
    };
    const answer = await this.#ask('POST', `/chat/${encodeURIComponent(chatId)}/receipts`, body);
    this.#receiptsAt.set(chatId, atMs);
    const isStored = answer.status === 200 && isObject(answer.body);
    if (isStored || isPermanent(answer.status)) this.#toldMarks.set(chatId, own);
    else if (answer.status !== 401 && answer.status !== UNSENT.status) this.#pause(answer.retryMs);
    this.#work();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Requests

  async #withToken(url: string, init: RequestInit): Promise<Response> {
    const token = this.#token;
    const headers = new Headers(init.headers);
    headers.set('Authorization', `Bearer ${token}`);
    const response = await fetch(url, { ...init, headers });
    if (response.status === 401 && token === this.#token && !this.#isOver) {
      this.#needsToken = true;
      this.#realtime.disconnect();
      this.#changed();
    }
    return response;
  }

  async #ask(method: string, path: string, body?: object): Promise<Answer> {
    const json = body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    const token = this.#token;
    const answer = await this.#fetch(this.#options.apiUrl + path, { method, ...json }, true);
    // A 401 for an older token says nothing. What sends something is sent again by its worker.
    return answer.status === 401 && token !== this.#token && !body ? this.#ask(method, path) : answer;
  }

  async #fetch(url: string, init: RequestInit, isOnApi = false): Promise<Answer> {
    if (!this.#maySend) return UNSENT;
    const controller = new AbortController();
    this.#requests.add(controller);
    const timer = setTimeout(() => controller.abort(), 15_000);
    try {
      const sent = { ...init, signal: controller.signal };
      const response = await (isOnApi ? this.#withToken(url, sent) : fetch(url, sent));
      const { status, headers } = response;
      const body: unknown = await response.json().catch(() => null);
      const isNothing = status < 400 && !isObject(body);
      return isNothing ? NOTHING : { status, body, retryMs: retryMsOf(headers) };
    } catch {
      return NOTHING;
    } finally {
      clearTimeout(timer);
      this.#requests.delete(controller);
    }
  }

  #after(name: string, ms: number, run: () => void): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(run, ms));
  }

  // -------------------------------------------------------------------------------------------------------------------
  // What is seen

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    this.#state = null;
    for (const listener of [...this.#listeners]) listener();
  }

  getState(): ChatState {
    this.#state ??= this.#look();
    return this.#state;
  }

  #look(): ChatState {
    const offline = this.#isOnline === false ? 'offline' : this.#isLive ? 'live' : 'connecting';
    const chats = Object.values(this.#document.lines).flatMap(({ summary }) => (summary ? [summary] : []));
    return {
      connection: this.#needsToken ? 'needsToken' : offline,
      chats: chats.sort((a, b) => compare(b.lastActivity, a.lastActivity) || compare(a.chatId, b.chatId)),
      hasMoreChats: this.#document.nextChats !== null,
      threads: Object.fromEntries(
        [...this.#open].map(([chatId, open]) => [
          chatId,
          {
            messages: this.#messages(chatId, open),
            hasOlder: this.#hasOlder(chatId, open),
            loadingOlder: this.#pages.has(chatId),
          },
        ]),
      ),
    };
  }

  #messages(chatId: string, open: Open): Message[] {
    const { userId } = this.#options;
    const line = this.#document.lines[chatId];
    const others = Object.entries(line?.marks ?? {}).flatMap(([who, marks]) => (who === userId ? [] : [marks]));
    const confirmed = this.#shown(chatId, open).map((message): Message => {
      const isOwn = message.fromUserId === userId;
      const marks = isOwn ? others : line ? [line.own] : [];
      const isRead = marks.some(({ readUpTo }) => message.sequenceId <= readUpTo);
      const isDelivered = !isOwn || marks.some(({ deliveredUpTo }) => message.sequenceId <= deliveredUpTo);
      const status = isRead ? 'read' : isDelivered ? 'delivered' : 'sent';
      return { ...message, key: `${message.fromUserId} ${message.localId}`, status, progress: null, failure: null };
    });
    const waiting = this.#document.waiting.filter((one) => one.chatId === chatId);
    return [...confirmed, ...waiting.map((one) => this.#bubble(one))];
  }

  #bubble({ localId, chatId, text, files, sentAt, failure }: Waiting): Message {
    const { userId } = this.#options;
    const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const done = files.reduce(
      (sum, { uploadId, fileUrl, sizeBytes }) => sum + (fileUrl ? sizeBytes : (this.#confirmed.get(uploadId) ?? 0)),
      0,
    );
    return {
      key: `${userId} ${localId}`,
      id: null,
      localId,
      chatId,
      fromUserId: userId,
      text,
      attachments: files.map((file) => attachmentOf(file, file.uri)),
      sentAt,
      sequenceId: null,
      status: failure ? 'failed' : 'sending',
      progress: files.length === 0 ? null : bytes === 0 ? 1 : done / bytes,
      failure,
    };
  }
}

export const createChat: CreateChat = (options) => {
  const chat = new Messenger(options);
  return {
    start: () => chat.start(),
    setToken: (token) => chat.setToken(token),
    signOut: () => chat.signOut(),
    loadMoreChats: () => chat.loadMoreChats(),
    openChat: (chatId) => chat.openChat(chatId),
    loadOlder: (chatId) => chat.loadOlder(chatId),
    closeChat: (chatId) => chat.closeChat(chatId),
    send: (chatId, draft) => chat.send(chatId, draft),
    retry: (localId) => chat.retry(localId),
    discard: (localId) => chat.discard(localId),
    markRead: (chatId, sequenceId) => chat.markRead(chatId, sequenceId),
    getState: () => chat.getState(),
    subscribe: (listener) => chat.subscribe(listener),
    dispose: () => chat.dispose(),
  };
};

// ---------------------------------------------------------------------------------------------------------------------

const isPending = ({ fileUrl }: Copy): boolean => fileUrl === null;
const isPermanent = (status: number): boolean =>
  status >= 400 && status < 500 && ![401, 408, 425, 429].includes(status);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function attachmentOf({ mime, sizeBytes }: Copy, url: string): Attachment {
  const type = mime.startsWith('image/') ? 'image' : mime.startsWith('video/') ? 'video' : 'file';
  return { type, url, mime, sizeBytes };
}

/** In seconds, or a date that is held against the answer's own. */
function retryMsOf(headers: Headers): number | null {
  const text = headers.get('Retry-After');
  if (text === null) return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.parse(headers.get('Date') ?? '');
  return ms > 0 ? ms : null;
}

const TEXTS: Readonly<Record<ChatErrorCode, string>> = {
  empty: 'A message needs a text or a file.',
  'source-lost': 'The picked file is gone. Pick it again.',
  'storage-full': 'The phone has no room left. Free some and try again.',
  'storage-failed': 'The phone could not read or write its storage. Try again.',
  'not-found': 'There is no such message to do this to.',
  over: 'This chat was disposed or signed out. Create a new one.',
};

function fault(code: ChatErrorCode, cause?: unknown): Error {
  return Object.assign(new Error(TEXTS[code], { cause }), { code });
}

function storageFault(error: unknown): never {
  if (error instanceof Error && 'code' in error && String(error.code) in TEXTS) throw error;
  throw fault(error instanceof Error && /full|ENOSPC/.test(error.message) ? 'storage-full' : 'storage-failed', error);
}
