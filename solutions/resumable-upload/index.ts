// The reference. What is stored is a file that is safe (`private-copies`) and a key to ask with (`records`); how far an
// upload has come is the server's to say (`multipart-target`). Here is the engine: what may go now, and what its end means.
import type { CreateUploader, PickedFile, UploadFailure } from '#contract/resumable-upload';
import type { NetInfoState } from '#phone';
import { createTurns, fullJitterMs, isDone, rethrowAsStorageError, TIMER_MAX_MS } from '#solutions/offline-queue';
import {
  bytesOf,
  callOff,
  createEntry,
  type Entry,
  hasEnded,
  isOut,
  isWhole,
  type Kept,
  type Remedy,
  type Step,
  stepsOf,
  stop,
  type Task,
} from './entry.ts';
import { disposed, hasFailed, MESSAGES, sourceLost, storageFailed, uploaderError } from './failures.ts';
import { createMultipartTarget, type Refusal } from './multipart-target.ts';
import { createPrivateCopies } from './private-copies.ts';
import { numberOf, placeOf, readRecords } from './records.ts';
import { createScreen } from './screen.ts';
import { createSteps, type Outcome } from './steps.ts';

// What other solutions build on.
export { createPrivateCopies, type PrivateCopies, readSlice } from './private-copies.ts';

const PARTS_IN_FLIGHT = 3;
const TRIES = 8;
const EXPIRED_LINKS = 3;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_CAP_MS = 30_000;
const FOLDER = 'uploads';

export const createUploader: CreateUploader = (options) => {
  const { asyncStorage: disk, fileSystem, netInfo, appState } = options.device;
  const { concurrency = PARTS_IN_FLIGHT, target = createMultipartTarget(options) } = options;
  const copies = createPrivateCopies(options.device, FOLDER);
  const perform = createSteps({ target, copies, keepKey: (entry) => change(entry, {}) });
  const screen = createScreen(mayUseNetwork);
  const turns = createTurns({ load, begin, over: disposed });
  const stops: (() => void)[] = [];
  /** Oldest first. */
  let entries: Entry[] = [];
  /** Null until netInfo has told. */
  let network: { readonly isConnected: boolean; readonly isExpensive: boolean } | null = null;
  let lastNumber = 0;

  // -------------------------------------------------------------------------------------------------------------------
  // Launch

  function load(): Promise<[string, Kept][]> {
    return readRecords(disk).catch(rethrowAsStorageError);
  }

  function begin(records: [string, Kept][]): void {
    entries = records.map(([place, kept]) => createEntry(place, kept, null));
    lastNumber = numberOf(records.at(-1)?.[0] ?? placeOf(0));
    // A kill in `add`, or between the end of an upload and the removal of its copy, leaves files that nobody needs.
    copies.removeOrphans(new Set(entries.filter(({ kept }) => kept.fileUrl === null).map(({ kept }) => kept.id)));
    stops.push(netInfo.addEventListener(networkChanged));
    const foreground = appState.addEventListener('change', (now) => {
      if (now === 'active') wake(entries);
    });
    stops.push(() => foreground.remove());
    pump();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Taking in a file: safe, hashed and stored before anybody is told

  const add = (picked: PickedFile): Promise<string> => turns.take(() => takeIn(picked));

  async function takeIn({ uri, fileName, mime, metered = true }: PickedFile): Promise<string> {
    const id = crypto.randomUUID();
    lastNumber += 1;
    const place = placeOf(lastNumber);
    try {
      const copy = await copies.keep(uri, id);
      // Hashed where it lies: the content does not enter memory. And it is the copy's hash, as the copy is what is sent.
      const sha256 = await copy.digest('SHA-256');
      const file = { id, fileName, mime, metered, sizeBytes: copy.size, sha256, createKey: crypto.randomUUID() };
      const kept: Kept = { ...file, remote: null, sentBytes: 0, isPaused: false, fileUrl: null, error: null };
      await disk.setItem(place, JSON.stringify(kept));
      // Nothing of it is at the server: there is no need to ask.
      entries.push(createEntry(place, kept, new Map()));
    } catch (cause) {
      copies.remove(id);
      if (!new fileSystem.File(uri).exists) throw sourceLost(uri);
      return rethrowAsStorageError(cause);
    }
    pump();
    return id;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // What may go now? One question, asked after every change.

  function mayUseNetwork({ kept }: Entry): boolean {
    return network?.isConnected === true && (kept.metered || !network.isExpensive);
  }

  const mayGo = (entry: Entry): boolean =>
    mayUseNetwork(entry) && !entry.kept.isPaused && !entry.cancelling && !hasEnded(entry);

  /** A step between two tries keeps its place: else a server in trouble would be tried with every part there is. */
  const holdsPlace = (task: Task): boolean => isOut(task) || task.pause !== null;

  function pump(): void {
    if (turns.isOver()) return;
    const ready = entries.filter(mayGo);
    let places = concurrency - ready.flatMap(({ tasks }) => [...tasks.values()]).filter(holdsPlace).length;
    for (const entry of ready) {
      for (const step of stepsOf(entry)) {
        const task = entry.tasks.get(step) ?? { failures: 0, expiredLinks: 0, out: null, pause: null };
        if (places <= 0 || holdsPlace(task)) continue;
        places -= 1;
        void work(entry, step, task);
      }
    }
    screen.show(entries);
  }

  /** One try. Once it is called off, whatever comes of it means nothing any more, and is no failure. */
  async function work(entry: Entry, step: Step, task: Task): Promise<void> {
    const { signal } = entry.halt;
    entry.tasks.set(step, task);
    task.out = signal;
    const outcome = await perform(entry, step, signal);
    if (signal.aborted) return;
    task.out = null;
    apply(entry, step, task, outcome);
    pump();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // What an outcome means

  function apply(entry: Entry, step: Step, task: Task, outcome: Outcome): void {
    switch (outcome.is) {
      case 'created':
        entry.tasks.delete(step);
        void change(entry, { remote: outcome.remote });
        break;
      case 'told':
        entry.tasks.delete(step);
        acknowledged(entry, new Map(outcome.parts.map(({ part, etag }) => [part, etag])));
        break;
      case 'sent':
        entry.tasks.delete(step);
        acknowledged(entry, new Map(entry.etags).set(outcome.part, outcome.etag));
        break;
      case 'link-expired':
        // The link was old, the part is well. Only a link that will not be renewed is a failure.
        task.expiredLinks += 1;
        if (task.expiredLinks === EXPIRED_LINKS) tryLater(entry, task, null);
        break;
      case 'source-lost':
        fail(entry, 'source-lost');
        break;
      case 'done':
        succeed(entry, outcome.fileUrl);
        break;
      case 'refused':
        refused(entry, step, task, outcome);
        break;
    }
  }

  function acknowledged(entry: Entry, etags: Map<number, string>): void {
    entry.etags = etags;
    void change(entry, { sentBytes: bytesOf(entry.kept, etags) });
  }

  function refused(entry: Entry, step: Step, task: Task, { status, retryAfterMs }: Refusal): void {
    const isGone = status === 404 || status === 410;
    if (entry.kept.remote === null && status === 413) fail(entry, 'too-large');
    else if (entry.kept.remote === null && (status === 415 || status === 422)) fail(entry, 'refused');
    else if (entry.kept.remote !== null && isGone) remedy(entry, 'gone');
    else if (step === 'complete' && status === 400) remedy(entry, 'invalid-part');
    else if (step === 'complete' && status === 422) remedy(entry, 'checksum');
    else tryLater(entry, task, retryAfterMs);
  }

  /** Full jitter, unless the server has named a time of its own. Other steps of the upload go on meanwhile. */
  function tryLater(entry: Entry, task: Task, retryAfterMs: number | null): void {
    task.failures += 1;
    task.expiredLinks = 0;
    if (task.failures >= TRIES) {
      fail(entry, 'server');
      return;
    }
    const waitMs = retryAfterMs ?? fullJitterMs(task.failures, BACKOFF_FIRST_MS, BACKOFF_CAP_MS);
    const goOn = () => {
      task.pause = null;
      pump();
    };
    const timer = setTimeout(goOn, Math.min(waitMs, TIMER_MAX_MS));
    task.pause = { timer, isOrdered: retryAfterMs !== null };
  }

  function remedy(entry: Entry, what: Remedy): void {
    if (entry.remedies.has(what)) {
      fail(entry, what === 'checksum' ? 'checksum' : 'server');
      return;
    }
    entry.remedies.add(what);
    stop(entry);
    switch (what) {
      case 'gone':
        entry.etags = new Map();
        entry.isKeyKept = false;
        entry.kept = { ...entry.kept, remote: null, createKey: crypto.randomUUID(), sentBytes: 0 };
        break;
      case 'invalid-part':
        entry.etags = null;
        break;
      case 'checksum':
        entry.etags = new Map();
        void change(entry, { sentBytes: 0 });
        break;
    }
  }

  function fail(entry: Entry, code: UploadFailure): void {
    stop(entry);
    void change(entry, { error: { code, message: MESSAGES[code] } });
    for (const { reject } of entry.waiters.splice(0)) reject(hasFailed(entry.kept));
  }

  /** The copy goes once the end is stored: without it, a launch that does not know of the end would miss the copy. */
  function succeed(entry: Entry, fileUrl: string): void {
    const isStored = change(entry, { fileUrl, sentBytes: entry.kept.sizeBytes });
    void isStored.then((isIt) => isIt && copies.remove(entry.kept.id));
    for (const { resolve } of entry.waiters.splice(0)) resolve({ fileUrl });
  }

  /** False when the phone did not take it. */
  async function change(entry: Entry, changed: Partial<Kept>): Promise<boolean> {
    entry.kept = { ...entry.kept, ...changed };
    return isDone(disk.setItem(entry.place, JSON.stringify(entry.kept)));
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Network and foreground

  function networkChanged({ isConnected, details }: NetInfoState): void {
    const couldBefore = new Set(entries.filter(mayUseNetwork));
    network = { isConnected, isExpensive: details?.isConnectionExpensive === true };
    for (const entry of couldBefore) if (!mayUseNetwork(entry)) callOff(entry);
    wake(entries.filter((entry) => !couldBefore.has(entry) && mayUseNetwork(entry)));
  }

  /** A reason to try now. Only a pause that the server has asked for stands. */
  function wake(some: readonly Entry[]): void {
    for (const task of some.flatMap(({ tasks }) => [...tasks.values()])) {
      if (!task.pause || task.pause.isOrdered) continue;
      clearTimeout(task.pause.timer);
      task.pause = null;
    }
    pump();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // What a person decides

  async function find(id: string): Promise<Entry> {
    await turns.ready();
    const entry = entries.find(({ kept }) => kept.id === id);
    if (!entry) throw uploaderError('unknown-id', `There is no upload ${id}. See getState().uploads.`);
    return entry;
  }

  async function pause(id: string): Promise<void> {
    const entry = await find(id);
    if (entry.cancelling || hasEnded(entry) || isWhole(entry)) return;
    callOff(entry);
    const isStored = change(entry, { isPaused: true });
    pump();
    if (!(await isStored)) throw storageFailed();
  }

  async function resume(id: string): Promise<void> {
    const entry = await find(id);
    const { isPaused, error } = entry.kept;
    if (entry.cancelling || (!isPaused && !error)) return;
    if (error) {
      entry.remedies.clear();
      entry.etags = null;
    }
    const isStored = change(entry, { isPaused: false, error: null });
    pump();
    if (!(await isStored)) throw storageFailed();
  }

  async function cancel(id: string): Promise<void> {
    const entry = await find(id);
    entry.cancelling ??= forget(entry).catch((error: unknown) => {
      // It goes on as if nobody had asked.
      entry.cancelling = null;
      pump();
      throw error;
    });
    await entry.cancelling;
  }

  async function forget(entry: Entry): Promise<void> {
    const { kept } = entry;
    stop(entry);
    await disk.removeItem(entry.place).catch(rethrowAsStorageError);
    entries = entries.filter((one) => one !== entry);
    copies.remove(kept.id);
    if (kept.remote && kept.fileUrl === null && network?.isConnected && !turns.isOver()) {
      target.abandon(kept.remote.id).catch(() => undefined);
    }
    for (const { reject } of entry.waiters.splice(0)) reject(uploaderError('cancelled', 'The upload was cancelled.'));
    pump();
  }

  async function whenDone(id: string): Promise<{ fileUrl: string }> {
    const entry = await find(id);
    const { fileUrl, error } = entry.kept;
    if (fileUrl !== null) return { fileUrl };
    if (error !== null) throw hasFailed(entry.kept);
    const waiter = Promise.withResolvers<{ fileUrl: string }>();
    entry.waiters.push(waiter);
    return waiter.promise;
  }

  function dispose(): void {
    void turns.end();
    for (const end of stops) end();
    screen.end();
    for (const entry of entries) {
      stop(entry);
      for (const { reject } of entry.waiters.splice(0)) reject(disposed());
    }
  }

  return {
    ...{ start: turns.open, add, pause, resume, cancel, whenDone, dispose },
    getState: screen.getState,
    subscribe: screen.subscribe,
  };
};
