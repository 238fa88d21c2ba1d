// The reference. A Redux store mirrors what is on disk; effects write to the disk first and dispatch afterwards.
import { legacy_createStore as createStore } from 'redux';
import type {
  CreateOfflineQueue,
  DeadLetter,
  MutationDraft,
  OfflineQueueOptions,
  QueuedMutation,
  QueueErrorCode,
  QueueState,
  QueueStatus,
} from '#contract/offline-queue';
import type { AsyncStorage } from '#phone';

const IN_FLIGHT_MAX = 4;
const PENDING_MAX = 1_000;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_CAP_MS = 30_000;
/** A longer delay overflows `setTimeout`, which then fires at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

// ---------------------------------------------------------------------------------------------------------------------
// State: what is on disk, and what holds the queue back. Every transition is in `reduce`.

/** One stored value. `place` is its key on disk; places sort in the order of the queue. */
type Entry =
  | { readonly place: string; readonly is: 'waiting' | 'sending'; readonly mutation: QueuedMutation }
  | { readonly place: string; readonly is: 'refused'; readonly mutation: QueuedMutation; readonly refusal: Refusal }
  | { readonly place: string; readonly is: 'unreadable' };

interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** Times are by `performance.now()`: the phone's clock may jump, this one does not. */
interface Pause {
  readonly untilMs: number;
  /** Asked for by the server with `Retry-After`: nothing cuts it short. */
  readonly isOrdered: boolean;
}

interface State {
  readonly entries: readonly Entry[];
  /** Null until netInfo has told. */
  readonly isOnline: boolean | null;
  readonly isSessionOver: boolean;
  /** Transient failures since the last success. */
  readonly failures: number;
  readonly pause: Pause | null;
}

type Action =
  | { readonly type: 'restored'; readonly entries: readonly Entry[] }
  | { readonly type: 'stored'; readonly entry: Entry }
  | { readonly type: 'sent' | 'applied' | 'unauthorised' | 'retried' | 'discarded'; readonly place: string }
  | { readonly type: 'refused'; readonly place: string; readonly refusal: Refusal }
  | {
      readonly type: 'failed';
      readonly place: string;
      readonly retryAfterMs: number | null;
      readonly nowMs: number;
      /** From 0 to 1: how much of the longest pause is taken. Drawn outside, so that this stays a pure function. */
      readonly jitter: number;
    }
  | { readonly type: 'connectivity'; readonly isOnline: boolean }
  | { readonly type: 'woken' | 'pause-ended' };

const NOTHING_YET: State = { entries: [], isOnline: null, isSessionOver: false, failures: 0, pause: null };

function reduce(state: State = NOTHING_YET, action: Action): State {
  switch (action.type) {
    case 'restored':
      return { ...state, entries: action.entries };
    case 'stored':
      return { ...state, entries: [...state.entries, action.entry] };
    case 'sent':
      return move(state, action.place, (mutation) => ({
        place: action.place,
        is: 'sending',
        mutation: { ...mutation, attempts: mutation.attempts + 1 },
      }));
    case 'applied':
      return { ...without(state, action.place), failures: 0 };
    case 'refused':
      return move(state, action.place, (mutation) => ({
        place: action.place,
        is: 'refused',
        mutation,
        refusal: action.refusal,
      }));
    case 'unauthorised':
      return { ...backToWaiting(state, action.place), isSessionOver: true };
    case 'failed': {
      // Failures that arrive during a pause tell the same news: they do not climb the ladder again.
      const failures = state.pause ? state.failures : state.failures + 1;
      const waiting = backToWaiting(state, action.place);
      return { ...waiting, failures, pause: nextPause(state.pause, failures, action) };
    }
    case 'retried':
      return backToWaiting(state, action.place);
    case 'discarded':
      return without(state, action.place);
    case 'connectivity': {
      const isBack = action.isOnline && !state.isOnline;
      return { ...(isBack ? wake(state) : state), isOnline: action.isOnline };
    }
    case 'woken':
      return wake(state);
    case 'pause-ended':
      return { ...state, pause: null };
    default:
      action satisfies never;
      return state;
  }
}

function move(state: State, place: string, to: (mutation: QueuedMutation) => Entry): State {
  const entries = state.entries.map((entry) =>
    entry.place === place && entry.is !== 'unreadable' ? to(entry.mutation) : entry,
  );
  return { ...state, entries };
}

const backToWaiting = (state: State, place: string) =>
  move(state, place, (mutation) => ({ place, is: 'waiting', mutation }));

const without = (state: State, place: string): State => ({
  ...state,
  entries: state.entries.filter((entry) => entry.place !== place),
});

/** Exponential backoff with full jitter, unless the server has asked for a pause of its own. */
function nextPause(
  current: Pause | null,
  failures: number,
  { retryAfterMs, nowMs, jitter }: { retryAfterMs: number | null; nowMs: number; jitter: number },
): Pause {
  if (retryAfterMs !== null) {
    const orderedUntilMs = current?.isOrdered ? current.untilMs : 0;
    return { untilMs: Math.max(orderedUntilMs, nowMs + retryAfterMs), isOrdered: true };
  }
  if (current) return current;
  const longestMs = Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** (failures - 1));
  return { untilMs: nowMs + jitter * longestMs, isOrdered: false };
}

/** New connectivity, the foreground and `start` are reasons to try now. Only the server's own pause stands. */
const wake = (state: State): State => ({
  ...state,
  isSessionOver: false,
  pause: state.pause?.isOrdered ? state.pause : null,
});

// ---------------------------------------------------------------------------------------------------------------------
// Questions to the state.

type Waiting = Extract<Entry, { is: 'waiting' | 'sending' }>;

/** The oldest entry of each entity, unless it is out already or a refused one blocks it. Unreadable ones block nobody. */
function sendable(state: State): Waiting[] {
  const seen = new Set<string>();
  return state.entries.filter((entry): entry is Waiting => {
    if (entry.is === 'unreadable' || seen.has(entry.mutation.entityId)) return false;
    seen.add(entry.mutation.entityId);
    return entry.is === 'waiting';
  });
}

function nextToSend(state: State): Waiting | undefined {
  if (!state.isOnline || state.isSessionOver || state.pause) return undefined;
  const inFlight = state.entries.filter((entry) => entry.is === 'sending').length;
  return inFlight < IN_FLIGHT_MAX ? sendable(state)[0] : undefined;
}

const pendingOf = (state: State): QueuedMutation[] =>
  state.entries.flatMap((entry) => (entry.is === 'waiting' || entry.is === 'sending' ? [entry.mutation] : []));

function statusOf(state: State): QueueStatus {
  if (state.isOnline === false) return 'offline';
  if (state.isSessionOver) return 'paused';
  if (state.entries.some((entry) => entry.is === 'sending')) return 'sending';
  if (state.pause && sendable(state).length > 0) return 'backing-off';
  return 'idle';
}

function toDeadLetters(entry: Entry): DeadLetter[] {
  switch (entry.is) {
    case 'refused':
      return [{ id: entry.mutation.id, reason: 'refused', mutation: entry.mutation, ...entry.refusal }];
    case 'unreadable':
      return [{ id: entry.place, reason: 'unreadable', mutation: null }];
    case 'waiting':
    case 'sending':
      return [];
  }
}

const toQueueState = (state: State): QueueState => ({
  status: statusOf(state),
  pending: pendingOf(state),
  deadLetters: state.entries.flatMap(toDeadLetters),
});

// ---------------------------------------------------------------------------------------------------------------------
// Disk: one value a mutation, so that damage to one costs one. The order is in the key, so no index can go astray.

const PLACES = 'offline-queue/';
/** Where version 1 of the app kept its whole queue, as one JSON array. */
const OLD_QUEUE = 'mutationQueue';

const placeOf = (generation: 0 | 1, number: number) => `${PLACES}${generation}/${String(number).padStart(12, '0')}`;

function toText(
  { id, idempotencyKey, entityId, kind, payload, enqueuedAt }: QueuedMutation,
  refusal?: Refusal,
): string {
  return JSON.stringify({ id, idempotencyKey, entityId, kind, payload, enqueuedAt, refusal });
}

function toEntry(place: string, text: string): Entry {
  const record = parse(text);
  if (!isObject(record)) return { place, is: 'unreadable' };
  const { id, idempotencyKey, entityId, kind, payload, enqueuedAt, refusal } = record;
  if (!isText(id) || !isText(idempotencyKey) || !isText(entityId) || !isText(kind) || !isText(enqueuedAt)) {
    return { place, is: 'unreadable' };
  }
  const mutation = { id, idempotencyKey, entityId, kind, payload, enqueuedAt, attempts: 0 };
  if (!isObject(refusal)) return { place, is: 'waiting', mutation };
  const { status, message } = refusal;
  return { place, is: 'refused', mutation, refusal: { status: Number(status), message: String(message) } };
}

async function readEntries(disk: AsyncStorage): Promise<Entry[]> {
  const keys = await disk.getAllKeys();
  // An old queue that is still here could not be read: it is reported like any other damaged value.
  const places = keys.filter((key) => key === OLD_QUEUE || key.startsWith(PLACES)).sort();
  return (await disk.multiGet(places)).map(([place, text]) => toEntry(place, text ?? ''));
}

/** Each old record has one fixed place ahead of all new ones: done twice, this changes nothing. */
async function takeOverOldQueue(disk: AsyncStorage): Promise<void> {
  const old = parse((await disk.getItem(OLD_QUEUE)) ?? '');
  if (!Array.isArray(old)) return;
  const records = old.map((record) => (isObject(record) ? { ...record, id: record.idempotencyKey } : record));
  await disk.multiSet(records.map((record, index) => [placeOf(0, index), JSON.stringify(record)] as const));
  await disk.removeItem(OLD_QUEUE);
}

// ---------------------------------------------------------------------------------------------------------------------
// Network: what an answer means.

type Verdict =
  | { readonly kind: 'applied' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'unauthorised' }
  /** The effect may have happened or not; the key makes it safe to ask again. */
  | { readonly kind: 'transient'; readonly retryAfterMs: number | null };

const TRY_AGAIN: Verdict = { kind: 'transient', retryAfterMs: null };

async function judge(response: Response): Promise<Verdict> {
  const { status, headers } = response;
  if (status === 401) return { kind: 'unauthorised' };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return { kind: 'transient', retryAfterMs: retryAfterMs(headers) };
  }
  const body: unknown = await response.json().catch(() => null);
  // A captive portal answers 200 with a page, and a cut answer is no JSON: neither proves that the server has it.
  if (response.ok) return isObject(body) ? { kind: 'applied' } : TRY_AGAIN;
  if (status < 400) return TRY_AGAIN;
  return { kind: 'refused', refusal: { status, message: isObject(body) && isText(body.message) ? body.message : '' } };
}

/** RFC 9110, 10.2.3: seconds or a date. The date is held against the server's own `Date`: the phone's may be wrong. */
function retryAfterMs(headers: Headers): number | null {
  const value = headers.get('Retry-After')?.trim() ?? '';
  const serverNowMs = Date.parse(headers.get('Date') ?? '') || Date.now();
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - serverNowMs;
  return waitMs > 0 ? waitMs : null;
}

function createPost({ apiUrl, fetch: request = fetch }: OfflineQueueOptions): NonNullable<OfflineQueueOptions['send']> {
  return ({ entityId, kind, payload }, { idempotencyKey, signal }) =>
    request(`${apiUrl}/mutations`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
      body: JSON.stringify({ entityId, kind, payload }),
      signal,
    });
}

// ---------------------------------------------------------------------------------------------------------------------
// Effects: the order of disk, state and network is what survives a kill.

export const createOfflineQueue: CreateOfflineQueue = (options) => {
  const { netInfo, appState, asyncStorage: disk } = options.device;
  const send = options.send ?? createPost(options);
  const store = createStore(reduce);
  const ending = new AbortController();
  const stops: (() => void)[] = [];
  let restoring: Promise<void> | undefined;
  let lastNumber = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let timedPause: Pause | null = null;
  let view: { of: State; queue: QueueState } | undefined;

  let openGate = () => {};
  const started = new Promise<void>((resolve) => {
    openGate = resolve;
  });
  let lastTurn: Promise<unknown> = started;

  /** What people ask for is done one after another, in the order of the calls, once `start` is through. */
  function inTurn<T>(job: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(() => {
      if (ending.signal.aborted) throw disposed();
      return job();
    });
    lastTurn = turn.catch(() => undefined);
    return turn;
  }

  async function restore(): Promise<void> {
    await takeOverOldQueue(disk).catch(rethrowAsStorageError);
    const entries = await readEntries(disk).catch(rethrowAsStorageError);
    if (ending.signal.aborted) throw disposed();
    const own = entries.filter(({ place }) => place.startsWith(`${PLACES}1/`));
    lastNumber = Number(own.at(-1)?.place.split('/').at(-1) ?? 0);
    store.dispatch({ type: 'restored', entries });
    stops.push(
      netInfo.addEventListener(({ isConnected }) => store.dispatch({ type: 'connectivity', isOnline: isConnected })),
    );
    const foreground = appState.addEventListener('change', (now) => {
      if (now === 'active') store.dispatch({ type: 'woken' });
    });
    stops.push(() => foreground.remove());
    openGate();
  }

  async function start(): Promise<void> {
    if (ending.signal.aborted) throw disposed();
    restoring ??= restore().catch((error: unknown) => {
      restoring = undefined;
      throw error;
    });
    await restoring;
    store.dispatch({ type: 'woken' });
  }

  async function enqueue({ entityId, kind, payload }: MutationDraft): Promise<QueuedMutation> {
    const copy = copyOf(payload);
    const mutation: QueuedMutation = {
      id: crypto.randomUUID(),
      idempotencyKey: crypto.randomUUID(),
      entityId,
      kind,
      payload: copy,
      enqueuedAt: new Date().toISOString(),
      attempts: 0,
    };
    return inTurn(async () => {
      if (pendingOf(store.getState()).length >= PENDING_MAX) throw queueFull();
      lastNumber += 1;
      const place = placeOf(1, lastNumber);
      await disk.setItem(place, toText(mutation)).catch(rethrowAsStorageError);
      store.dispatch({ type: 'stored', entry: { place, is: 'waiting', mutation } });
      return mutation;
    });
  }

  function retry(id: string): Promise<void> {
    return inTurn(async () => {
      const entry = store.getState().entries.find((each) => each.is === 'refused' && each.mutation.id === id);
      if (entry?.is !== 'refused') throw notFound(id);
      await disk.setItem(entry.place, toText(entry.mutation)).catch(rethrowAsStorageError);
      store.dispatch({ type: 'retried', place: entry.place });
    });
  }

  function discard(id: string): Promise<void> {
    return inTurn(async () => {
      const entry = store.getState().entries.find((each) => toDeadLetters(each)[0]?.id === id);
      if (!entry) throw notFound(id);
      await disk.removeItem(entry.place).catch(rethrowAsStorageError);
      store.dispatch({ type: 'discarded', place: entry.place });
    });
  }

  /** Runs after every action: the state says what may go, so triggers that fire together cannot send twice. */
  function pump(): void {
    if (ending.signal.aborted) return;
    timePause();
    const next = nextToSend(store.getState());
    if (next) void deliver(next);
  }

  async function deliver({ place, mutation }: Waiting): Promise<void> {
    store.dispatch({ type: 'sent', place });
    const verdict = await ask(mutation);
    if (ending.signal.aborted) return;
    switch (verdict.kind) {
      case 'applied':
        if (await isStored(disk.removeItem(place))) store.dispatch({ type: 'applied', place });
        else fail(place, null);
        break;
      case 'refused':
        if (await isStored(disk.setItem(place, toText(mutation, verdict.refusal)))) {
          store.dispatch({ type: 'refused', place, refusal: verdict.refusal });
        } else fail(place, null);
        break;
      case 'unauthorised':
        store.dispatch({ type: 'unauthorised', place });
        break;
      case 'transient':
        fail(place, verdict.retryAfterMs);
        break;
    }
  }

  async function ask(mutation: QueuedMutation): Promise<Verdict> {
    try {
      return await judge(await send(mutation, { idempotencyKey: mutation.idempotencyKey, signal: ending.signal }));
    } catch {
      return TRY_AGAIN;
    }
  }

  /** Also for a disk that will not take the outcome: asking again with the same key is harmless, forgetting is not. */
  function fail(place: string, retryAfterMs: number | null): void {
    store.dispatch({ type: 'failed', place, retryAfterMs, nowMs: performance.now(), jitter: Math.random() });
  }

  /** Offline no timer runs: coming back online wakes the queue. */
  function timePause(): void {
    const { pause, isOnline } = store.getState();
    const wanted = isOnline ? pause : null;
    if (wanted === timedPause) return;
    clearTimeout(timer);
    timedPause = wanted;
    if (!wanted) return;
    const leftMs = Math.max(0, wanted.untilMs - performance.now());
    timer = setTimeout(() => store.dispatch({ type: 'pause-ended' }), Math.min(leftMs, TIMER_MAX_MS));
  }

  function getState(): QueueState {
    const state = store.getState();
    if (view?.of !== state) view = { of: state, queue: toQueueState(state) };
    return view.queue;
  }

  function dispose(): void {
    ending.abort();
    clearTimeout(timer);
    for (const stop of stops) stop();
    openGate();
  }

  store.subscribe(pump);
  return { start, enqueue, getState, subscribe: store.subscribe, retry, discard, dispose };
};

// ---------------------------------------------------------------------------------------------------------------------

const isStored = (write: Promise<void>): Promise<boolean> =>
  write.then(
    () => true,
    () => false,
  );

/** What will be sent is what was there at the call, whatever the caller does to its object afterwards. */
function copyOf(payload: unknown): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (cause) {
    throw queueError('not-serialisable', 'Failed to enqueue: JSON cannot hold the payload.', cause);
  }
  if (text === undefined) throw queueError('not-serialisable', `Failed to enqueue: the payload is ${typeof payload}.`);
  return JSON.parse(text);
}

function queueError(code: QueueErrorCode, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}
const disposed = () => queueError('disposed', 'The queue was disposed. Create a new one.');
const notFound = (id: string) =>
  queueError('not-found', `No dead letter ${id} can take this. See getState().deadLetters.`);
const queueFull = () =>
  queueError('queue-full', `Failed to enqueue: ${PENDING_MAX} mutations are waiting. Try again when some are sent.`);

function rethrowAsStorageError(cause: unknown): never {
  const isFull = cause instanceof Error && /full|ENOSPC/.test(cause.message);
  if (isFull) throw queueError('storage-full', 'The phone has no room left. Free some and try again.', cause);
  throw queueError('storage-failed', 'The phone could not read or write its storage. Try again.', cause);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
