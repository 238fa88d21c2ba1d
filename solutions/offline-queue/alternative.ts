// Another honest design: a class, MMKV, and one loop per entity that asks a gate before each request. No library.
import type {
  CreateOfflineQueue,
  DeadLetter,
  MutationDraft,
  OfflineQueue,
  OfflineQueueOptions,
  QueuedMutation,
  QueueErrorCode,
  QueueState,
} from '#contract/offline-queue';
import type { Mmkv } from '#phone';

const PREFIX = 'outbox.';
const OLD_QUEUE = 'mutationQueue';
const PENDING_MAX = 1_000;

interface Item {
  readonly key: string;
  readonly mutation: QueuedMutation;
  attempts: number;
  isOut: boolean;
  refusal: { status: number; message: string } | null;
}

const LONGEST_TIMER_MS = 2_147_483_647;

/** Lets four pass at a time, and nobody while offline, signed out or in a pause. */
class Gate {
  isOnline: boolean | null = null;
  isSignedOut = false;
  isClosed = false;
  #out = 0;
  #failures = 0;
  #pausedUntilMs: number | null = null;
  #isPauseOrdered = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #queue: ((isOpen: boolean) => void)[] = [];
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get isPaused(): boolean {
    return this.#pausedUntilMs !== null;
  }

  /** Resolves to true when a request may leave, to false when the queue is closed. Ends with `leave`. */
  enter(): Promise<boolean> {
    const entered = new Promise<boolean>((resolve) => this.#queue.push(resolve));
    this.#admit();
    return entered;
  }

  leave(): void {
    this.#out -= 1;
    this.#admit();
  }

  setOnline(isOnline: boolean): void {
    const isBack = isOnline && !this.isOnline;
    this.isOnline = isOnline;
    clearTimeout(this.#timer);
    if (isBack) this.wake();
    this.#changed();
  }

  wake(): void {
    this.isSignedOut = false;
    if (!this.#isPauseOrdered) this.#pausedUntilMs = null;
    this.#startTimer();
    this.#admit();
    this.#changed();
  }

  signOut(): void {
    this.isSignedOut = true;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(retryAfterMs: number | null): void {
    const nowMs = performance.now();
    if (retryAfterMs !== null) {
      const untilMs = nowMs + retryAfterMs;
      this.#pausedUntilMs = this.#isPauseOrdered ? Math.max(untilMs, this.#pausedUntilMs ?? 0) : untilMs;
      this.#isPauseOrdered = true;
    }
    if (this.isPaused && retryAfterMs === null) return;
    if (retryAfterMs === null) {
      this.#pausedUntilMs = nowMs + Math.random() * Math.min(30_000, 500 * 2 ** this.#failures);
    }
    this.#failures += 1;
    this.#startTimer();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.#timer);
    for (const turnAway of this.#queue.splice(0)) turnAway(false);
  }

  #startTimer(): void {
    clearTimeout(this.#timer);
    if (this.#pausedUntilMs === null || !this.isOnline || this.isClosed) return;
    const leftMs = Math.max(0, this.#pausedUntilMs - performance.now());
    const end = () => {
      this.#pausedUntilMs = null;
      this.#isPauseOrdered = false;
      this.#admit();
      this.#changed();
    };
    // A pause longer than a timer can be set for takes several.
    this.#timer =
      leftMs > LONGEST_TIMER_MS ? setTimeout(() => this.#startTimer(), LONGEST_TIMER_MS) : setTimeout(end, leftMs);
  }

  #admit(): void {
    while (this.isOnline && !this.isSignedOut && !this.isPaused && !this.isClosed && this.#out < 4) {
      const next = this.#queue.shift();
      if (!next) return;
      this.#out += 1;
      next(true);
    }
  }
}

class Outbox implements OfflineQueue {
  readonly #options: OfflineQueueOptions;
  readonly #mmkv: Mmkv;
  readonly #listeners = new Set<() => void>();
  readonly #gate = new Gate(() => this.#tell());
  readonly #ending = new AbortController();
  readonly #working = new Set<string>();
  #items: Item[] = [];
  #unreadable: string[] = [];
  #lastNumber = 0;
  #stops: (() => void)[] = [];
  #isStarted = false;
  #starting: Promise<void> | null = null;
  #waiting: (() => void)[] = [];

  constructor(options: OfflineQueueOptions) {
    this.#options = options;
    this.#mmkv = options.device.mmkv;
  }

  start = async (): Promise<void> => {
    if (this.#isStarted) return this.#gate.wake();
    this.#starting ??= this.#restore().finally(() => {
      this.#starting = null;
    });
    await this.#starting;
  };

  enqueue = async ({ entityId, kind, payload }: MutationDraft): Promise<QueuedMutation> => {
    const text = serialise(payload);
    const mutation: QueuedMutation = {
      id: crypto.randomUUID(),
      idempotencyKey: crypto.randomUUID(),
      entityId,
      kind,
      payload: JSON.parse(text),
      enqueuedAt: new Date().toISOString(),
      attempts: 0,
    };
    await this.#started();
    if (this.#items.filter((item) => !item.refusal).length >= PENDING_MAX) {
      throw failure('queue-full', 'Too many mutations are waiting.');
    }
    this.#lastNumber += 1;
    const item: Item = { key: keyAt(this.#lastNumber), mutation, attempts: 0, isOut: false, refusal: null };
    this.#save(item);
    this.#items.push(item);
    this.#tell();
    void this.#work(entityId);
    return mutation;
  };

  getState = (): QueueState => {
    const pending = this.#items.filter((item) => !item.refusal);
    return { status: this.#status(pending), pending: pending.map(shown), deadLetters: this.#deadLetters() };
  };

  subscribe = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  };

  retry = async (id: string): Promise<void> => {
    await this.#started();
    const item = this.#items.find(({ mutation, refusal }) => refusal && mutation.id === id);
    if (!item) throw failure('not-found', `There is no refused mutation ${id}.`);
    this.#save({ ...item, refusal: null });
    item.refusal = null;
    this.#tell();
    void this.#work(item.mutation.entityId);
  };

  discard = async (id: string): Promise<void> => {
    await this.#started();
    const item = this.#items.find(({ mutation, refusal }) => refusal && mutation.id === id);
    const key = item?.key ?? this.#unreadable.find((unreadable) => unreadable === id);
    if (!key) throw failure('not-found', `There is no dead letter ${id}.`);
    guarded(() => this.#mmkv.delete(key));
    this.#items = this.#items.filter((other) => other !== item);
    this.#unreadable = this.#unreadable.filter((other) => other !== key);
    this.#tell();
    if (item) void this.#work(item.mutation.entityId);
  };

  dispose = (): void => {
    this.#ending.abort();
    this.#gate.close();
    for (const stop of this.#stops) stop();
    for (const go of this.#waiting.splice(0)) go();
  };

  async #restore(): Promise<void> {
    await this.#takeOverOldQueue();
    if (this.#gate.isClosed) throw failure('disposed', 'The queue was disposed.');
    const keys = this.#mmkv
      .getAllKeys()
      .filter((key) => key.startsWith(PREFIX))
      .sort();
    for (const key of keys) {
      const item = readItem(key, this.#mmkv.getString(key));
      if (item) this.#items.push(item);
      else this.#unreadable.push(key);
    }
    this.#lastNumber = Math.max(0, ...keys.map((key) => Number(key.slice(PREFIX.length))));
    this.#isStarted = true;
    const { netInfo, appState } = this.#options.device;
    const foreground = appState.addEventListener('change', (state) => {
      if (state === 'active') this.#gate.wake();
    });
    this.#stops = [
      netInfo.addEventListener((state) => this.#gate.setOnline(state.isConnected)),
      () => foreground.remove(),
    ];
    for (const go of this.#waiting.splice(0)) go();
    for (const { mutation } of this.#items) void this.#work(mutation.entityId);
    this.#tell();
  }

  /** Old records get fixed numbers from 1, so that a second run over them writes the same. */
  async #takeOverOldQueue(): Promise<void> {
    const { asyncStorage } = this.#options.device;
    const text = await asyncStorage.getItem(OLD_QUEUE);
    if (text === null) return;
    const old = readOldQueue(text);
    if (!old) return;
    for (const [index, record] of old.entries()) {
      const mutation = { ...record, id: record.idempotencyKey, attempts: 0 };
      this.#save({ key: keyAt(index + 1), mutation, attempts: 0, isOut: false, refusal: null });
    }
    await asyncStorage.removeItem(OLD_QUEUE).catch((cause) => {
      throw storageFailure(cause);
    });
  }

  /** One loop an entity: the head must be gone before the next is looked at. */
  async #work(entityId: string): Promise<void> {
    if (this.#working.has(entityId)) return;
    this.#working.add(entityId);
    let item = this.#head(entityId);
    while (item && !item.refusal && (await this.#gate.enter())) {
      await this.#attempt(item);
      if (this.#gate.isClosed) return;
      item.isOut = false;
      this.#gate.leave();
      this.#tell();
      item = this.#head(entityId);
    }
    this.#working.delete(entityId);
  }

  async #attempt(item: Item): Promise<void> {
    item.isOut = true;
    item.attempts += 1;
    this.#tell();
    try {
      const response = await this.#send(item.mutation);
      const body: unknown = await response.json().catch(() => null);
      if (!this.#gate.isClosed) this.#settle(item, response, body);
    } catch {
      if (!this.#gate.isClosed) this.#gate.failed(null);
    }
  }

  #settle(item: Item, { status, headers }: Response, body: unknown): void {
    const isJson = typeof body === 'object' && body !== null;
    if (status >= 200 && status < 300 && isJson) {
      this.#mmkv.delete(item.key);
      this.#items = this.#items.filter((other) => other !== item);
      this.#gate.succeeded();
    } else if (status === 401) {
      this.#gate.signOut();
    } else if (status < 400 || status >= 500 || status === 408 || status === 425 || status === 429) {
      this.#gate.failed(readRetryAfterMs(headers));
    } else {
      const message = isJson && 'message' in body && typeof body.message === 'string' ? body.message : '';
      this.#save({ ...item, refusal: { status, message } });
      item.refusal = { status, message };
    }
  }

  #send(mutation: QueuedMutation): Promise<Response> {
    const { send, apiUrl, fetch: request = fetch } = this.#options;
    const { entityId, kind, payload, idempotencyKey } = mutation;
    const { signal } = this.#ending;
    if (send) return send(mutation, { idempotencyKey, signal });
    return request(`${apiUrl}/mutations`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
      body: JSON.stringify({ entityId, kind, payload }),
      signal,
    });
  }

  #head(entityId: string): Item | undefined {
    return this.#items.find(({ mutation }) => mutation.entityId === entityId);
  }

  #status(pending: Item[]): QueueState['status'] {
    if (this.#gate.isOnline === false) return 'offline';
    if (this.#gate.isSignedOut) return 'paused';
    if (pending.some(({ isOut }) => isOut)) return 'sending';
    const isHeldUp = pending.some((item) => this.#head(item.mutation.entityId) === item);
    return this.#gate.isPaused && isHeldUp ? 'backing-off' : 'idle';
  }

  #deadLetters(): DeadLetter[] {
    const refused = this.#items.flatMap((item): DeadLetter[] =>
      item.refusal ? [{ id: item.mutation.id, reason: 'refused', mutation: shown(item), ...item.refusal }] : [],
    );
    const lost = this.#unreadable.map((id): DeadLetter => ({ id, reason: 'unreadable', mutation: null }));
    return [...lost, ...refused];
  }

  async #started(): Promise<void> {
    if (!this.#isStarted && !this.#gate.isClosed) await new Promise<void>((go) => this.#waiting.push(go));
    if (this.#gate.isClosed) throw failure('disposed', 'The queue was disposed.');
  }

  #save({ key, mutation, refusal }: Item): void {
    guarded(() => this.#mmkv.set(key, JSON.stringify({ mutation, refusal })));
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

export const createOfflineQueue: CreateOfflineQueue = (options) => new Outbox(options);

const keyAt = (number: number): string => PREFIX + String(number).padStart(9, '0');
const shown = ({ mutation, attempts }: Item): QueuedMutation => ({ ...mutation, attempts });

function readItem(key: string, text: string | undefined): Item | null {
  try {
    const { mutation, refusal } = JSON.parse(text ?? '');
    const isWhole = [mutation.id, mutation.idempotencyKey, mutation.entityId, mutation.kind].every(
      (field) => typeof field === 'string',
    );
    return isWhole ? { key, mutation, refusal: refusal ?? null, attempts: 0, isOut: false } : null;
  } catch {
    return null;
  }
}

/** Null for what is no list: it stays where it is, for somebody to look at. */
function readOldQueue(text: string): Omit<QueuedMutation, 'id' | 'attempts'>[] | null {
  try {
    const old = JSON.parse(text);
    return Array.isArray(old) ? old : null;
  } catch {
    return null;
  }
}

function readRetryAfterMs(headers: Headers): number | null {
  const text = headers.get('Retry-After');
  if (text === null) return null;
  const serverNowMs = Date.parse(headers.get('Date') ?? new Date().toUTCString());
  const ms = Number.isNaN(Number(text)) ? Date.parse(text) - serverNowMs : Number(text) * 1_000;
  return ms > 0 ? ms : null;
}

function serialise(payload: unknown): string {
  try {
    const text = JSON.stringify(payload);
    if (typeof text === 'string') return text;
  } catch {
    // A cycle or a BigInt: told below.
  }
  throw failure('not-serialisable', 'The payload cannot be written as JSON.');
}

function guarded(write: () => void): void {
  try {
    write();
  } catch (cause) {
    throw storageFailure(cause);
  }
}

function storageFailure(cause: unknown): Error {
  const code = /full|ENOSPC/.test(String(cause)) ? 'storage-full' : 'storage-failed';
  return failure(code, 'The phone could not store this.', cause);
}

function failure(code: QueueErrorCode, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}
