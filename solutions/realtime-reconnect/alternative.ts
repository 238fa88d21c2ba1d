// Another honest design: a class for the wire, one for each feed, and one that decides when there is a wire. A stay on a
// wire is a number that grows; the heartbeat looks at a clock instead of moving a timer; a gap is given 300 ms to close
// by itself; a change of network means a new wire.
import type {
  AskHistory,
  ChannelEvent,
  ChannelHandler,
  ChannelStatus,
  ConnectionStatus,
  CreateRealtime,
  HistoryPage,
  Realtime,
  RealtimeOptions,
  RealtimeState,
} from '#contract/realtime-reconnect';

const LIMIT = { greetingMs: 10_000, pongMs: 30_000, awayMs: 30_000, admissionMs: 10_000, held: 500, page: 100 };
const GOOD_AFTER_MS = 10_000;
const REORDER_MS = 300;
const BREAK = 1006;

type Unknown = { readonly [name: string]: unknown };
const isRecord = (value: unknown): value is Unknown => typeof value === 'object' && value !== null;
const uptimeMs = (): number => performance.now();

function drawPauseMs(nth: number): number {
  const [draw = 0] = crypto.getRandomValues(new Uint32Array(1));
  return (draw / 2 ** 32) * Math.min(30_000, 1_000 * 2 ** (nth - 1));
}

/** One timer: set anew it forgets what it was set for. */
class Alarm {
  #timer: ReturnType<typeof setTimeout> | undefined;

  set(ms: number, run: () => void): void {
    this.clear();
    this.#timer = setTimeout(run, ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

/** A wait that somebody else can end. */
class Wait {
  readonly #alarm = new Alarm();
  #go: () => void = () => undefined;

  for(ms: number): Promise<void> {
    this.end();
    return new Promise((resolve) => {
      this.#go = resolve;
      this.#alarm.set(ms, resolve);
    });
  }

  end(): void {
    this.#alarm.clear();
    this.#go();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

interface WireOwner {
  greeted(wire: Wire): void;
  heard(wire: Wire, event: string, channel: string, data: unknown): void;
  broke(wire: Wire, code: number): void;
}

/** One socket, from the try to its end. Once it is over it tells nobody anything. */
class Wire {
  socketId: string | null = null;
  isOver = false;
  readonly #socket: WebSocket;
  readonly #owner: WireOwner;
  readonly #alarm = new Alarm();
  #activityMs = 0;
  #greetedAtMs = 0;
  #heardAtMs = 0;

  constructor(url: string, owner: WireOwner) {
    this.#owner = owner;
    this.#socket = new WebSocket(url);
    this.#socket.addEventListener('message', ({ data }) => this.#receive(String(data)));
    this.#socket.addEventListener('close', ({ code }) => this.#break(code));
    this.#alarm.set(LIMIT.greetingMs, () => this.#break(BREAK));
  }

  get wasGood(): boolean {
    return this.socketId !== null && uptimeMs() - this.#greetedAtMs >= GOOD_AFTER_MS;
  }

  say(event: string, data: unknown, channel?: string): void {
    this.#socket.send(JSON.stringify(channel === undefined ? { event, data } : { event, channel, data }));
  }

  end(): void {
    this.isOver = true;
    this.#alarm.clear();
    this.#socket.close();
  }

  #break(code: number): void {
    if (this.isOver) return;
    this.end();
    this.#owner.broke(this, code);
  }

  #receive(text: string): void {
    if (this.isOver) return;
    this.#heardAtMs = uptimeMs();
    const frame = parse(text);
    if (!isRecord(frame) || typeof frame.event !== 'string') return;
    const data = typeof frame.data === 'string' ? (parse(frame.data) ?? frame.data) : frame.data;
    if (frame.event === 'pusher:connection_established') this.#greet(data);
    else if (frame.event === 'pusher:ping') this.say('pusher:pong', {});
    else this.#owner.heard(this, frame.event, String(frame.channel ?? ''), data);
  }

  #greet(data: unknown): void {
    if (this.socketId !== null || !isRecord(data)) return;
    this.socketId = String(data.socket_id);
    this.#greetedAtMs = uptimeMs();
    this.#activityMs = (typeof data.activity_timeout === 'number' ? data.activity_timeout : 120) * 1_000;
    this.#watch();
    this.#owner.greeted(this);
  }

  /** Sleeps until the line could have been quiet for too long, and looks then. */
  #watch(): void {
    const leftMs = this.#heardAtMs + this.#activityMs - uptimeMs();
    this.#alarm.set(Math.max(0, leftMs), () => {
      if (uptimeMs() - this.#heardAtMs < this.#activityMs) {
        this.#watch();
        return;
      }
      const askedAtMs = uptimeMs();
      this.say('pusher:ping', {});
      this.#alarm.set(LIMIT.pongMs, () => (this.#heardAtMs >= askedAtMs ? this.#watch() : this.#break(BREAK)));
    });
  }
}

// ---------------------------------------------------------------------------------------------------------------------

interface FeedOwner {
  readonly history: AskHistory | null;
  call(path: string, init: RequestInit): Promise<Response>;
  changed(): void;
}

/** One joined channel. `#stay` is the number of its stay on a wire: what began in another one is dropped. */
class Feed {
  status: ChannelStatus = 'pending';
  readonly name: string;
  readonly #handler: ChannelHandler;
  readonly #owner: FeedOwner;
  readonly #wait = new Wait();
  readonly #gap = new Alarm();
  #requests = new AbortController();
  #wire: Wire | null = null;
  #stay = 0;
  #isAsked = false;
  #isIn = false;
  #isDoubtful = false;
  #last: number | null;
  #known = 0;
  /** Events before their turn, by number, lowest first. */
  #queue: (ChannelEvent & { readonly seq: number })[] = [];
  #asking: Promise<unknown> = Promise.resolve();

  constructor(name: string, handler: ChannelHandler, owner: FeedOwner) {
    this.name = name;
    this.#handler = handler;
    this.#last = handler.after;
    this.#owner = owner;
  }

  get #isBehind(): boolean {
    return this.#last !== null && this.#known > this.#last;
  }

  /** Ends the stay. */
  detach(): void {
    this.#stay += 1;
    this.#requests.abort();
    this.#gap.clear();
    this.#wait.end();
    this.#wire = null;
    this.#isAsked = false;
    this.#isIn = false;
    if (this.status !== 'denied') this.status = 'pending';
  }

  leave(): void {
    this.#tellLeaving();
    this.detach();
  }

  #tellLeaving(): void {
    if (this.#isAsked && this.#wire && !this.#wire.isOver) this.#wire.say('pusher:unsubscribe', { channel: this.name });
    this.#isAsked = false;
    this.#isIn = false;
  }

  #become(status: ChannelStatus): void {
    this.status = status;
    this.#owner.changed();
  }

  async attach(wire: Wire): Promise<void> {
    this.#wire = wire;
    this.#requests = new AbortController();
    const stay = this.#stay;
    for (let nth = 1; stay === this.#stay; nth += 1) {
      const auth = await this.#authorize(wire);
      if (stay !== this.#stay) return;
      if (auth === 'denied') {
        this.#become('denied');
        return;
      }
      if (auth) {
        this.#isAsked = true;
        wire.say('pusher:subscribe', { channel: this.name, ...auth });
        await this.#wait.for(LIMIT.admissionMs);
        if (stay !== this.#stay || this.#isIn) return;
        this.#tellLeaving();
      }
      await this.#wait.for(drawPauseMs(nth));
    }
  }

  async #authorize(wire: Wire): Promise<Unknown | 'denied' | null> {
    if (!/^(private|presence)-/.test(this.name)) return {};
    const body = new URLSearchParams({ socket_id: wire.socketId ?? '', channel_name: this.name }).toString();
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const { signal } = this.#requests;
    try {
      const answer = await this.#owner.call('/pusher/auth', { method: 'POST', headers, body, signal });
      if (answer.status === 403) return 'denied';
      const found: unknown = await answer.json();
      if (answer.status !== 200 || !isRecord(found) || typeof found.auth !== 'string') return null;
      const { auth, channel_data } = found;
      return channel_data === undefined ? { auth } : { auth, channel_data };
    } catch {
      return null;
    }
  }

  hear(event: string, data: unknown): void {
    if (event === 'pusher_internal:subscription_succeeded') this.#admit();
    else if (event === 'pusher:subscription_error') {
      if (!this.#isIn && this.#isAsked) this.#wait.end();
    } else if (this.#isIn && !event.startsWith('pusher:') && !event.startsWith('pusher_internal:')) {
      this.#take(event, data);
    }
  }

  #admit(): void {
    if (!this.#isAsked) return;
    this.#isIn = true;
    this.#wait.end();
    if (this.#last === null) {
      this.#become('live');
      this.#reload().catch(() => undefined);
      return;
    }
    this.#isDoubtful = true;
    if (this.status !== 'catching-up') void this.#catchUp();
  }

  #take(name: string, data: unknown): void {
    const seq = this.#last !== null && isRecord(data) && typeof data.seq === 'number' ? data.seq : null;
    if (name === 'head') this.#known = Math.max(this.#known, seq ?? 0);
    else if (seq === null) this.#give({ name, data, seq });
    else {
      this.#known = Math.max(this.#known, seq);
      this.#enqueue({ name, data, seq });
      this.#giveInTurn();
    }
    if (!this.#isBehind || this.status !== 'live') return;
    this.#become('catching-up');
    // What is only out of order will be here in a moment.
    this.#gap.set(REORDER_MS, () => void this.#catchUp());
  }

  #enqueue(event: ChannelEvent & { readonly seq: number }): void {
    if (this.#queue.length >= LIMIT.held || event.seq <= (this.#last ?? 0)) return;
    if (this.#queue.some(({ seq }) => seq === event.seq)) return;
    this.#queue.push(event);
    this.#queue.sort((a, b) => a.seq - b.seq);
  }

  #giveInTurn(): void {
    const stay = this.#stay;
    while (stay === this.#stay && this.#last !== null) {
      const [next] = this.#queue;
      if (!next || next.seq > this.#last + 1) return;
      this.#queue.shift();
      if (next.seq > this.#last) this.#give(next);
    }
  }

  #give(event: ChannelEvent): void {
    if (event.seq !== null) this.#last = event.seq;
    try {
      this.#handler.onEvent(event);
    } catch {
      // A feature's own trouble.
    }
  }

  async #catchUp(): Promise<void> {
    const stay = this.#stay;
    if (this.status !== 'catching-up') this.#become('catching-up');
    for (let failures = 0; stay === this.#stay && (this.#isDoubtful || this.#isBehind); ) {
      const before = this.#last;
      this.#isDoubtful = false;
      const asked = this.#asking.then(() => this.#ask(stay)).catch(() => false);
      this.#asking = asked;
      if (!(await asked)) this.#isDoubtful = true;
      if (stay !== this.#stay) return;
      const isStuck = before === this.#last && (this.#isDoubtful || this.#isBehind);
      failures = isStuck ? failures + 1 : 0;
      if (isStuck) await this.#wait.for(drawPauseMs(failures));
    }
    if (stay === this.#stay) this.#become('live');
  }

  async #ask(stay: number): Promise<boolean> {
    if (stay !== this.#stay || this.#last === null) return false;
    const answer = await this.#askFor(this.#last);
    if (stay !== this.#stay) return false;
    if (answer === 'gone') return this.#beginAnew();
    this.#known = Math.max(this.#known, answer.head);
    for (const event of answer.events) {
      if (stay !== this.#stay) return true;
      if (event.seq === this.#last + 1) this.#give(event);
    }
    this.#giveInTurn();
    return true;
  }

  async #askFor(after: number): Promise<HistoryPage | 'gone'> {
    if (this.#owner.history) return this.#owner.history(this.name, after);
    const path = `/channels/${encodeURIComponent(this.name)}/events?after=${after}&limit=${LIMIT.page}`;
    const answer = await this.#owner.call(path, { signal: this.#requests.signal });
    if (answer.status === 410) return 'gone';
    const found: unknown = await answer.json();
    if (answer.status !== 200 || !isHistoryPage(found))
      throw new Error(`History answered ${answer.status}, and no page.`);
    return found;
  }

  async #beginAnew(): Promise<boolean> {
    const last = await this.#reload();
    if (last === null) return false;
    this.#last = last;
    this.#queue = this.#queue.filter(({ seq }) => seq > last);
    this.#isDoubtful = true;
    return true;
  }

  async #reload(): Promise<number | null> {
    return this.#handler.onReset();
  }
}

// ---------------------------------------------------------------------------------------------------------------------

class Connection implements Realtime, WireOwner, FeedOwner {
  readonly history: AskHistory | null;
  readonly #options: RealtimeOptions;
  readonly #feeds = new Map<string, Feed>();
  readonly #listeners = new Set<() => void>();
  readonly #pause = new Alarm();
  readonly #sleep = new Alarm();
  #status: ConnectionStatus = 'idle';
  #state: RealtimeState | null = null;
  #wire: Wire | null = null;
  #breaks = 0;
  #isWanted = false;
  #isDisposed = false;
  /** `type` of the network, `none` when offline, null while nobody knows. */
  #network: string | null = null;
  #leftAtMs: number | null = null;
  #deafen: () => void = () => undefined;

  constructor(options: RealtimeOptions) {
    this.#options = options;
    this.history = options.history ?? null;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The contract

  connect(): void {
    if (this.#isWanted || this.#isDisposed) return;
    const { netInfo, appState } = this.#options.device;
    this.#isWanted = true;
    this.#breaks = 0;
    this.#become('connecting');
    const stop = netInfo.addEventListener(({ isConnected, type }) => this.#networkIs(isConnected ? type : 'none'));
    const subscription = appState.addEventListener('change', (state) => {
      if (state === 'background') this.#leave();
      else this.#comeBack();
    });
    this.#deafen = () => {
      stop();
      subscription.remove();
    };
  }

  disconnect(): void {
    this.#stop('idle');
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#stop('idle');
  }

  join(name: string, handler: ChannelHandler): () => void {
    if (this.#isDisposed) return () => undefined;
    if (this.#feeds.has(name)) throw new Error(`The channel ${name} has a handler already. Leave it before you join.`);
    const feed = new Feed(name, handler, this);
    this.#feeds.set(name, feed);
    if (this.#wire?.socketId) void feed.attach(this.#wire);
    this.changed();
    return () => {
      if (this.#feeds.get(name) !== feed) return;
      this.#feeds.delete(name);
      feed.leave();
      this.changed();
    };
  }

  send(channel: string, name: string, data: unknown): boolean {
    const isLive = this.#feeds.get(channel)?.status === 'live';
    if (!isLive || !name.startsWith('client-')) return false;
    this.#wire?.say(name, data, channel);
    return true;
  }

  getState(): RealtimeState {
    this.#state ??= {
      status: this.#status,
      attempt: this.#breaks,
      socketId: this.#wire?.socketId ?? null,
      channels: Object.fromEntries([...this.#feeds].map(([name, { status }]) => [name, status])),
    };
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  // -------------------------------------------------------------------------------------------------------------------
  // What wires and feeds need

  changed(): void {
    this.#state = null;
    for (const listener of this.#listeners) listener();
  }

  call(path: string, init: RequestInit): Promise<Response> {
    return (this.#options.fetch ?? fetch)(`${this.#options.apiUrl}${path}`, init);
  }

  greeted(wire: Wire): void {
    this.#become('connected');
    for (const feed of this.#feeds.values()) if (feed.status !== 'denied') void feed.attach(wire);
  }

  heard(_wire: Wire, event: string, channel: string, data: unknown): void {
    this.#feeds.get(channel)?.hear(event, data);
  }

  broke(_wire: Wire, code: number): void {
    const family = Math.floor(code / 100);
    this.#end();
    if (family === 40) {
      this.#stop('refused');
      return;
    }
    this.#breaks += 1;
    if (family === 42 && this.#breaks === 1) {
      this.#open();
      return;
    }
    this.#pause.set((family === 41 ? 1_000 : 0) + drawPauseMs(this.#breaks), () => this.#open());
    this.#become('waiting');
  }

  // -------------------------------------------------------------------------------------------------------------------
  // When there is a wire

  #become(status: ConnectionStatus): void {
    this.#status = status;
    this.changed();
  }

  #open(): void {
    this.#end();
    const { socketUrl, appKey } = this.#options;
    this.#wire = new Wire(`${socketUrl}/app/${appKey}?protocol=7&client=kata&version=1`, this);
    this.#become('connecting');
  }

  #end(): void {
    this.#pause.clear();
    const wire = this.#wire;
    this.#wire = null;
    if (wire?.wasGood) this.#breaks = 0;
    for (const feed of this.#feeds.values()) feed.detach();
    if (wire && !wire.isOver) wire.end();
  }

  #stop(status: 'idle' | 'refused'): void {
    this.#isWanted = false;
    this.#deafen();
    this.#sleep.clear();
    this.#end();
    this.#breaks = 0;
    this.#network = null;
    this.#leftAtMs = null;
    this.#become(status);
  }

  #networkIs(type: string): void {
    if (type === this.#network) return;
    this.#network = type;
    if (type === 'none') {
      this.#end();
      this.#become('offline');
    } else if (!this.#isAsleep) this.#open();
  }

  get #isAsleep(): boolean {
    return this.#leftAtMs !== null && Date.now() - this.#leftAtMs > LIMIT.awayMs;
  }

  #leave(): void {
    this.#leftAtMs = Date.now();
    this.#sleep.set(LIMIT.awayMs, () => this.#end());
  }

  #comeBack(): void {
    const isLate = this.#isAsleep;
    this.#leftAtMs = null;
    this.#sleep.clear();
    if (isLate && this.#network !== 'none') this.#open();
  }
}

export const createRealtime: CreateRealtime = (options) => new Connection(options);

function isHistoryPage(value: unknown): value is HistoryPage {
  return isRecord(value) && Array.isArray(value.events) && typeof value.head === 'number';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
