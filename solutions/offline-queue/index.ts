// The reference. A Redux store mirrors what is on disk; effects write to the disk first and dispatch afterwards. Each part
// has one job: `disk` says how an entry lies there, `entries` what may go next, `gate` when, `verdict` what came of it.
import { legacy_createStore as createStore } from 'redux';
import type {
  CreateOfflineQueue,
  MutationDraft,
  OfflineQueueOptions,
  QueuedMutation,
  QueueErrorCode,
  QueueState,
} from '#contract/offline-queue';
import { lastNumberIn, placeOf, readEntries, takeOverOldQueue, toText } from './disk.ts';
import {
  type Entry,
  nextToSend,
  pendingOf,
  reduce,
  type State,
  toDeadLetters,
  toQueueState,
  type Waiting,
} from './entries.ts';
import { CodedError, isDone, rethrowAsStorageError } from './errors.ts';
import { createGate } from './gate.ts';
import { createTurns } from './turns.ts';
import { judge, TRY_AGAIN, type Verdict } from './verdict.ts';

// What other solutions build on.
export { headsOf } from './entries.ts';
export { CodedError, isDone, rethrowAsStorageError } from './errors.ts';
export { createGate, fullJitterMs, type Gate, isOpen, TIMER_MAX_MS } from './gate.ts';
export { createTurns } from './turns.ts';
export { judge, retryAfterMs, TRY_AGAIN, type Verdict } from './verdict.ts';

const PENDING_MAX = 1_000;

/** The order of disk, state and network is what survives a kill. */
export const createOfflineQueue: CreateOfflineQueue = (options) => {
  const { asyncStorage: disk } = options.device;
  const send = options.send ?? createPost(options);
  const store = createStore(reduce);
  const gate = createGate(options.device, () => store.dispatch({ type: 'gate-moved', gate: gate.getState() }));
  /** What people ask for is done one after another, in the order of the calls, once `start` is through. */
  const turns = createTurns({ load, begin, over: disposed });
  const ending = new AbortController();
  let lastNumber = 0;
  let view: { of: State; queue: QueueState } | undefined;

  async function load(): Promise<Entry[]> {
    await takeOverOldQueue(disk).catch(rethrowAsStorageError);
    return readEntries(disk).catch(rethrowAsStorageError);
  }

  function begin(entries: Entry[]): void {
    lastNumber = lastNumberIn(entries);
    store.dispatch({ type: 'restored', entries });
    gate.watch();
  }

  async function start(): Promise<void> {
    await turns.open();
    gate.wake();
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
    return turns.take(async () => {
      if (pendingOf(store.getState()).length >= PENDING_MAX) throw queueFull();
      lastNumber += 1;
      const place = placeOf(1, lastNumber);
      await disk.setItem(place, toText(mutation)).catch(rethrowAsStorageError);
      store.dispatch({ type: 'stored', entry: { place, is: 'waiting', mutation } });
      return mutation;
    });
  }

  function retry(id: string): Promise<void> {
    return turns.take(async () => {
      const entry = store.getState().entries.find((each) => each.is === 'refused' && each.mutation.id === id);
      if (entry?.is !== 'refused') throw notFound(id);
      await disk.setItem(entry.place, toText(entry.mutation)).catch(rethrowAsStorageError);
      store.dispatch({ type: 'returned', place: entry.place });
    });
  }

  function discard(id: string): Promise<void> {
    return turns.take(async () => {
      const entry = store.getState().entries.find((each) => toDeadLetters(each)[0]?.id === id);
      if (!entry) throw notFound(id);
      await disk.removeItem(entry.place).catch(rethrowAsStorageError);
      store.dispatch({ type: 'removed', place: entry.place });
    });
  }

  /** Runs after every action: the state says what may go, so triggers that fire together cannot send twice. */
  function pump(): void {
    if (turns.isOver()) return;
    const next = nextToSend(store.getState());
    if (next) void deliver(next);
  }

  async function deliver({ place, mutation }: Waiting): Promise<void> {
    store.dispatch({ type: 'sent', place });
    const verdict = await ask(mutation);
    if (turns.isOver()) return;
    switch (verdict.kind) {
      case 'accepted':
        if (!(await isDone(disk.removeItem(place)))) return fail(place, null);
        gate.succeeded();
        store.dispatch({ type: 'removed', place });
        break;
      case 'refused':
        if (!(await isDone(disk.setItem(place, toText(mutation, verdict.refusal))))) return fail(place, null);
        store.dispatch({ type: 'refused', place, refusal: verdict.refusal });
        break;
      case 'unauthorised':
        gate.hold();
        store.dispatch({ type: 'returned', place });
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
    // The gate closes before the entry waits again, or it would leave at once.
    gate.failed(retryAfterMs);
    store.dispatch({ type: 'returned', place });
  }

  function getState(): QueueState {
    const state = store.getState();
    if (view?.of !== state) view = { of: state, queue: toQueueState(state) };
    return view.queue;
  }

  function dispose(): void {
    void turns.end();
    ending.abort();
    gate.close();
  }

  store.subscribe(pump);
  return { start, enqueue, getState, subscribe: store.subscribe, retry, discard, dispose };
};

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

const queueError = (code: QueueErrorCode, message: string, cause?: unknown) => new CodedError(code, message, cause);
const disposed = () => queueError('disposed', 'The queue was disposed. Create a new one.');
const notFound = (id: string) =>
  queueError('not-found', `No dead letter ${id} can take this. See getState().deadLetters.`);
const queueFull = () =>
  queueError('queue-full', `Failed to enqueue: ${PENDING_MAX} mutations are waiting. Try again when some are sent.`);
