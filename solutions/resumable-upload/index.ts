// The reference. What is stored is a file that is safe and a key to ask with; how far an upload has come is the server's to say.
import { createStore } from 'zustand/vanilla';
import type {
  CreateUploader,
  PickedFile,
  Upload,
  UploadedPart,
  UploaderErrorCode,
  UploaderOptions,
  UploaderState,
  UploadFailure,
  UploadStatus,
  UploadTarget,
} from '#contract/resumable-upload';
import type { File, NetInfoState } from '#phone';

const PARTS_IN_FLIGHT = 3;
const TRIES = 8;
const EXPIRED_LINKS = 3;
const LINKS_AT_ONCE = 10;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_CAP_MS = 30_000;
const PROGRESS_EVERY_MS = 250;
/** A longer delay overflows `setTimeout`, which then fires at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;
const PLACES = 'upload/';
const FOLDER = 'uploads';

// ---------------------------------------------------------------------------------------------------------------------
// What is known of an upload

/** What outlives a kill: one stored value an upload. After `add` every change of it is a hint that may get lost. */
interface Kept {
  readonly id: string;
  readonly fileName: string;
  readonly mime: string;
  readonly metered: boolean;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** There before the first request: a create that is repeated, in whichever launch, gets the same upload. */
  readonly createKey: string;
  readonly remote: { readonly id: string; readonly partSize: number } | null;
  /** For the bar after a restart. Nothing is decided by it. */
  readonly sentBytes: number;
  readonly isPaused: boolean;
  readonly fileUrl: string | null;
  readonly error: Upload['error'];
}

/** What is to be done next: create or ask, send a part, complete. */
type Step = 'open' | number | 'complete';

/** A step that is out, or has failed. */
interface Task {
  /** In a row, both. */
  failures: number;
  expiredLinks: number;
  /** The signal of the try that is out; aborted once it is called off. */
  out: AbortSignal | null;
  pause: { readonly timer: ReturnType<typeof setTimeout>; readonly isOrdered: boolean } | null;
}

/** What helps once, and is a failure the second time. */
type Remedy = 'gone' | 'invalid-part' | 'checksum';

interface Entry {
  readonly place: string;
  kept: Kept;
  /** Tags of the parts that the server has. Null until it has been asked. */
  etags: Map<number, string> | null;
  readonly tasks: Map<Step, Task>;
  /** Calls off all that is out. Another one takes its place when the upload may go on. */
  halt: AbortController;
  readonly remedies: Set<Remedy>;
  /** Whether the key to create it with is stored. */
  isKeyKept: boolean;
  readonly waiters: PromiseWithResolvers<{ fileUrl: string }>[];
  cancelling: Promise<void> | null;
}

/** How a step ended. */
type Outcome =
  | { readonly is: 'created'; readonly remote: { readonly id: string; readonly partSize: number } }
  | { readonly is: 'told'; readonly parts: readonly UploadedPart[] }
  | { readonly is: 'sent'; readonly part: number; readonly etag: string }
  | { readonly is: 'done'; readonly fileUrl: string }
  | { readonly is: 'link-expired' | 'source-lost' }
  | { readonly is: 'refused'; readonly status: number; readonly retryAfterMs: number | null };

const isOut = ({ out }: Task): boolean => out !== null && !out.aborted;
const hasEnded = ({ kept }: Entry): boolean => kept.fileUrl !== null || kept.error !== null;

/** An empty file has one part of 0 bytes. */
const partCountOf = (sizeBytes: number, partSize: number): number => Math.max(1, Math.ceil(sizeBytes / partSize));

/** Parts that the server does not have, in order; null while that is not known. */
function missingParts({ kept, etags }: Entry): number[] | null {
  if (!kept.remote || !etags) return null;
  const count = partCountOf(kept.sizeBytes, kept.remote.partSize);
  return Array.from({ length: count }, (_, n) => n + 1).filter((part) => !etags.has(part));
}

function stepsOf(entry: Entry): Step[] {
  const missing = missingParts(entry);
  if (missing === null) return ['open'];
  return missing.length > 0 ? missing : ['complete'];
}

/** After a restart, before the server was asked, what was stored has to do. */
function isWhole(entry: Entry): boolean {
  const { sentBytes, sizeBytes } = entry.kept;
  return missingParts(entry)?.length === 0 || (sizeBytes > 0 && sentBytes === sizeBytes);
}

function bytesOf({ sizeBytes, remote }: Kept, etags: Map<number, string>): number {
  const partSize = remote?.partSize ?? 0;
  const sizes = [...etags.keys()].map((part) => Math.min(partSize, sizeBytes - (part - 1) * partSize));
  return sizes.reduce((sum, size) => sum + size, 0);
}

// ---------------------------------------------------------------------------------------------------------------------
// The engine

export const createUploader: CreateUploader = (options) => {
  const { asyncStorage: disk, fileSystem, netInfo, appState } = options.device;
  const { concurrency = PARTS_IN_FLIGHT, target = createMultipartTarget(options) } = options;
  const folder = new fileSystem.Directory(fileSystem.Paths.document, FOLDER);
  const store = createStore<UploaderState>(() => ({ uploads: [] }));
  const stops: (() => void)[] = [];
  /** Oldest first. */
  let entries: Entry[] = [];
  /** Null until netInfo has told. */
  let network: { readonly isConnected: boolean; readonly isExpensive: boolean } | null = null;
  let restoring: Promise<void> | null = null;
  let isDisposed = false;
  let lastNumber = 0;

  let openGate = () => {};
  const started = new Promise<void>((resolve) => {
    openGate = resolve;
  });
  let lastAdd: Promise<unknown> = started;

  // -------------------------------------------------------------------------------------------------------------------
  // Launch

  async function start(): Promise<void> {
    if (isDisposed) throw disposed();
    restoring ??= restore().catch((error: unknown) => {
      restoring = null;
      throw error;
    });
    await restoring;
  }

  async function restore(): Promise<void> {
    const kept = await readAll().catch(rethrowAsStorageError);
    if (isDisposed) throw disposed();
    entries = kept.map(([place, one]) => createEntry(place, one, null));
    lastNumber = Number(kept.at(-1)?.[0].slice(PLACES.length) ?? 0);
    removeOrphans();
    stops.push(netInfo.addEventListener(networkChanged));
    const foreground = appState.addEventListener('change', (now) => {
      if (now === 'active') wake(entries);
    });
    stops.push(() => foreground.remove());
    openGate();
    pump();
  }

  async function readAll(): Promise<[string, Kept][]> {
    const places = (await disk.getAllKeys()).filter((key) => key.startsWith(PLACES)).sort();
    const stored = await disk.multiGet(places);
    return stored.flatMap(([place, text]): [string, Kept][] => {
      const kept = readKept(text);
      return kept ? [[place, kept]] : [];
    });
  }

  /** A kill in `add`, or between the end of an upload and the removal of its copy, leaves files that nobody needs. */
  function removeOrphans(): void {
    if (!folder.exists) return;
    const needed = new Set(entries.filter(({ kept }) => kept.fileUrl === null).map(({ kept }) => kept.id));
    for (const file of folder.list()) if (!needed.has(file.name)) removeQuietly(file);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Taking in a file: safe, hashed and stored before anybody is told

  function add(picked: PickedFile): Promise<string> {
    const turn = lastAdd.then(() => takeIn(picked));
    lastAdd = turn.catch(() => undefined);
    return turn;
  }

  async function takeIn({ uri, fileName, mime, metered = true }: PickedFile): Promise<string> {
    if (isDisposed) throw disposed();
    const source = new fileSystem.File(uri);
    const id = crypto.randomUUID();
    const copy = copyOf(id);
    lastNumber += 1;
    const place = PLACES + String(lastNumber).padStart(9, '0');
    try {
      if (!folder.exists) folder.create();
      await source.copy(copy);
      // Hashed where it lies: the content does not enter memory. And it is the copy's hash, as the copy is what is sent.
      const sha256 = await copy.digest('SHA-256');
      const file = { id, fileName, mime, metered, sizeBytes: copy.size, sha256, createKey: crypto.randomUUID() };
      const kept: Kept = { ...file, remote: null, sentBytes: 0, isPaused: false, fileUrl: null, error: null };
      await disk.setItem(place, JSON.stringify(kept));
      // Nothing of it is at the server: there is no need to ask.
      entries.push(createEntry(place, kept, new Map()));
    } catch (cause) {
      removeQuietly(copy);
      if (!source.exists) throw sourceLost(uri);
      return rethrowAsStorageError(cause);
    }
    pump();
    return id;
  }

  const copyOf = (id: string): File => new fileSystem.File(folder, id);

  // -------------------------------------------------------------------------------------------------------------------
  // What may go now? One question, asked after every change.

  const mayUseNetwork = ({ kept }: Entry): boolean =>
    network?.isConnected === true && (kept.metered || !network.isExpensive);

  const mayGo = (entry: Entry): boolean =>
    mayUseNetwork(entry) && !entry.kept.isPaused && !entry.cancelling && !hasEnded(entry);

  /** A step between two tries keeps its place: else a server in trouble would be tried with every part there is. */
  const holdsPlace = (task: Task): boolean => isOut(task) || task.pause !== null;

  function pump(): void {
    if (isDisposed) return;
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
    publish();
  }

  /** One try. Once it is called off, whatever comes of it means nothing any more, and is no failure. */
  async function work(entry: Entry, step: Step, task: Task): Promise<void> {
    const { signal } = entry.halt;
    entry.tasks.set(step, task);
    task.out = signal;
    const outcome = await perform(entry, step, signal).catch(readRefusal);
    if (signal.aborted) return;
    task.out = null;
    apply(entry, step, task, outcome);
    pump();
  }

  async function perform(entry: Entry, step: Step, signal: AbortSignal): Promise<Outcome> {
    const { kept } = entry;
    const { remote } = kept;
    if (!remote) {
      // A second upload must not begin with a key that a kill would lose: a third would follow.
      entry.isKeyKept ||= await change(entry, {});
      signal.throwIfAborted();
      if (!entry.isKeyKept) throw NO_ANSWER;
      const { fileName, mime, sizeBytes: size, sha256 } = kept;
      const { remoteId: id, partSize } = await target.create({ fileName, mime, size, sha256 }, kept.createKey);
      return { is: 'created', remote: { id, partSize } };
    }
    if (step === 'open') {
      const told = await target.have(remote.id);
      if (told === 'gone') return { is: 'refused', status: 404, retryAfterMs: null };
      return told.fileUrl === undefined ? { is: 'told', ...told } : { is: 'done', fileUrl: told.fileUrl };
    }
    if (step === 'complete') return { is: 'done', ...(await target.complete(remote.id, inOrder(entry))) };

    const copy = copyOf(kept.id);
    if (!copy.exists || copy.size !== kept.sizeBytes) return { is: 'source-lost' };
    const bytes = await readSlice(copy, (step - 1) * remote.partSize, remote.partSize);
    signal.throwIfAborted();
    const ahead = missingParts(entry)?.filter((part) => part !== step) ?? [];
    const answer = await target.put(remote.id, step, bytes, signal, ahead);
    return answer === 'link-expired' ? { is: 'link-expired' } : { is: 'sent', part: step, etag: answer.etag };
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
    const longestMs = Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** (task.failures - 1));
    const waitMs = retryAfterMs ?? Math.random() * longestMs;
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
    stop(entry);
    const isStored = change(entry, { fileUrl, sentBytes: entry.kept.sizeBytes });
    void isStored.then((isIt) => isIt && removeQuietly(copyOf(entry.kept.id)));
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

  /** What is out is aborted. Pauses and counts stay as they are. */
  function callOff(entry: Entry): void {
    entry.halt.abort();
    entry.halt = new AbortController();
  }

  /** What is out is aborted, and all tries are forgotten. */
  function stop(entry: Entry): void {
    callOff(entry);
    for (const { pause } of entry.tasks.values()) if (pause) clearTimeout(pause.timer);
    entry.tasks.clear();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // What a person decides

  async function find(id: string): Promise<Entry> {
    await started;
    if (isDisposed) throw disposed();
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
    removeQuietly(copyOf(kept.id));
    if (kept.remote && kept.fileUrl === null && network?.isConnected && !isDisposed) {
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

  // -------------------------------------------------------------------------------------------------------------------
  // What a screen sees

  let progressAtMs = Number.NEGATIVE_INFINITY;
  let progressTimer: ReturnType<typeof setTimeout> | undefined;

  function statusOf(entry: Entry): UploadStatus {
    const tasks = [...entry.tasks.values()];
    if (entry.kept.fileUrl !== null) return 'done';
    if (entry.kept.error) return 'failed';
    if (entry.kept.isPaused) return 'paused';
    if (isWhole(entry)) return 'completing';
    if (!mayUseNetwork(entry)) return 'waiting';
    if (tasks.some(isOut)) return 'uploading';
    return tasks.length > 0 ? 'waiting' : 'queued';
  }

  function toUpload(entry: Entry): Upload {
    const { id, fileName, sentBytes, sizeBytes, fileUrl, error } = entry.kept;
    return { id, fileName, status: statusOf(entry), sentBytes, totalBytes: sizeBytes, fileUrl, error };
  }

  /** Tells of progress alone four times a second at most, and of all else at once. */
  function publish(): void {
    clearTimeout(progressTimer);
    const shown = store.getState().uploads;
    const uploads = entries.map(toUpload);
    if (JSON.stringify(shown) === JSON.stringify(uploads)) return;
    const leftMs = progressAtMs + PROGRESS_EVERY_MS - performance.now();
    if (leftMs > 0 && outlineOf(shown) === outlineOf(uploads)) {
      progressTimer = setTimeout(publish, leftMs);
      return;
    }
    progressAtMs = performance.now();
    store.setState({ uploads });
  }

  function dispose(): void {
    isDisposed = true;
    for (const end of stops) end();
    clearTimeout(progressTimer);
    for (const entry of entries) {
      stop(entry);
      for (const { reject } of entry.waiters.splice(0)) reject(disposed());
    }
    openGate();
  }

  return {
    ...{ start, add, pause, resume, cancel, whenDone, dispose },
    getState: store.getState,
    subscribe: (listener) => store.subscribe(() => listener()),
  };
};

function createEntry(place: string, kept: Kept, etags: Map<number, string> | null): Entry {
  const halt = new AbortController();
  const nothing = { tasks: new Map(), remedies: new Set<Remedy>(), waiters: [], cancelling: null };
  return { place, kept, etags, halt, isKeyKept: true, ...nothing };
}

/** All but what moves all the time. */
const outlineOf = (uploads: readonly Upload[]): string =>
  JSON.stringify(uploads.map((upload) => ({ ...upload, sentBytes: 0 })));

const inOrder = ({ etags }: Entry): UploadedPart[] =>
  [...(etags ?? [])].map(([part, etag]) => ({ part, etag })).sort((a, b) => a.part - b.part);

// ---------------------------------------------------------------------------------------------------------------------
// The protocol: an API that hands out links, and a storage host that knows links and nothing else

interface Refusal {
  readonly status: number;
  readonly retryAfterMs: number | null;
}

function createMultipartTarget({ apiUrl, fetch: ask = fetch }: UploaderOptions): UploadTarget {
  /** By upload and part: the answer that holds its link. Links of one answer were made, and expire, together. */
  const links = new Map<string, Map<number, Promise<Map<number, string>>>>();

  async function call(
    method: string,
    path: string,
    body: object | null,
    extra: Record<string, string> = {},
  ): Promise<{ readonly [name: string]: unknown }> {
    const response = await ask(`${apiUrl}/uploads${path}`, {
      method,
      headers: { ...(body && { 'Content-Type': 'application/json' }), ...extra },
      body: body && JSON.stringify(body),
    });
    const answer: unknown = response.ok ? await response.json().catch(() => null) : null;
    // A captive portal answers 200 with a page.
    if (!isObject(answer)) throw refusalIn(response);
    return answer;
  }

  function linksOf(remoteId: string): Map<number, Promise<Map<number, string>>> {
    const known = links.get(remoteId) ?? new Map<number, Promise<Map<number, string>>>();
    links.set(remoteId, known);
    return known;
  }

  /** Asks for the links of the parts that come next together with the one that is needed now. */
  function linksFor(remoteId: string, part: number, ahead: readonly number[]): Promise<Map<number, string>> {
    const known = linksOf(remoteId);
    const found = known.get(part);
    if (found) return found;
    const parts = [part, ...ahead.slice(0, LINKS_AT_ONCE - 1).filter((next) => !known.has(next))];
    const asked = call('POST', `/${remoteId}/urls`, { parts }).then(({ urls }) => new Map(listed(urls, 'url')));
    for (const one of parts) known.set(one, asked);
    asked.catch(() => forget(remoteId, asked));
    return asked;
  }

  function forget(remoteId: string, asked: Promise<Map<number, string>>): void {
    const known = linksOf(remoteId);
    for (const [part, answer] of known) if (answer === asked) known.delete(part);
  }

  return {
    async create(file, key) {
      const { uploadId, partSize } = await call('POST', '', file, { 'Idempotency-Key': key });
      if (typeof uploadId !== 'string' || typeof partSize !== 'number') throw NO_ANSWER;
      return { remoteId: uploadId, partSize };
    },
    async have(remoteId) {
      const { parts, fileUrl } = await call('GET', `/${remoteId}`, null);
      const known = listed(parts, 'etag').map(([part, etag]) => ({ part, etag }));
      return { parts: known, ...(typeof fileUrl === 'string' && { fileUrl }) };
    },
    async put(remoteId, part, bytes, signal, ahead) {
      const asked = linksFor(remoteId, part, ahead);
      const url = (await asked).get(part);
      if (url === undefined) throw NO_ANSWER;
      // Not through `ask`: a token has no business on another host.
      const response = await fetch(url, { method: 'PUT', body: bytes, signal });
      if (response.status === 403) {
        forget(remoteId, asked);
        return 'link-expired';
      }
      const etag = response.headers.get('ETag');
      if (!response.ok || etag === null) throw refusalIn(response);
      return { etag };
    },
    async complete(remoteId, parts) {
      const { fileUrl } = await call('POST', `/${remoteId}/complete`, { parts });
      if (typeof fileUrl !== 'string') throw NO_ANSWER;
      links.delete(remoteId);
      return { fileUrl };
    },
    async abandon(remoteId) {
      links.delete(remoteId);
      await ask(`${apiUrl}/uploads/${remoteId}`, { method: 'DELETE' });
    },
  };
}

const NO_ANSWER: Refusal = { status: 0, retryAfterMs: null };

const refusalIn = ({ status, headers }: Response): Refusal => ({ status, retryAfterMs: retryAfterMs(headers) });

/** A target rejects with what it was told; whatever else is thrown means that there was no answer. */
function readRefusal(error: unknown): Outcome {
  if (!isObject(error) || typeof error.status !== 'number') return { is: 'refused', ...NO_ANSWER };
  const { status, retryAfterMs } = error;
  return { is: 'refused', status, retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : null };
}

/** RFC 9110, 10.2.3: seconds or a date. The date is held against the server's own `Date`: the phone's may be wrong. */
function retryAfterMs(headers: Headers): number | null {
  const value = headers.get('Retry-After')?.trim() ?? '';
  const waitMs = /^\d+$/.test(value)
    ? Number(value) * 1_000
    : Date.parse(value) - Date.parse(headers.get('Date') ?? '');
  return waitMs > 0 ? waitMs : null;
}

/** Parts with what an answer says of each. */
function listed(value: unknown, name: 'etag' | 'url'): [number, string][] {
  if (!Array.isArray(value)) throw NO_ANSWER;
  return value.flatMap((one: unknown): [number, string][] => {
    if (!isObject(one)) return [];
    const text = one[name];
    return typeof one.part === 'number' && typeof text === 'string' ? [[one.part, text]] : [];
  });
}

// ---------------------------------------------------------------------------------------------------------------------

const MESSAGES: Readonly<Record<UploadFailure, string>> = {
  'too-large': 'The server takes no file of this size.',
  refused: 'The server takes no file of this kind.',
  'source-lost': 'The copy of the file is gone or damaged. Pick the file again.',
  checksum: 'What has arrived is not what was picked. Try again.',
  server: 'The server could not be reached, or failed too often. Try again.',
};

function uploaderError(code: UploaderErrorCode, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}
const disposed = () => uploaderError('disposed', 'The uploader was disposed. Create a new one.');
const hasFailed = ({ error }: Kept) => uploaderError('failed', error?.message ?? '');
const sourceLost = (uri: string) => uploaderError('source-lost', `There is no file at ${uri}. Pick it again.`);
const storageFailed = (cause?: unknown) => uploaderError('storage-failed', 'The storage failed. Try again.', cause);

function rethrowAsStorageError(cause: unknown): never {
  const isFull = cause instanceof Error && /full|ENOSPC/.test(cause.message);
  throw isFull ? uploaderError('storage-full', 'The phone has no room left. Free some.', cause) : storageFailed(cause);
}

const isDone = (write: Promise<void>): Promise<boolean> =>
  write.then(
    () => true,
    () => false,
  );

/** What stays behind is removed by the next launch. */
function removeQuietly(file: Pick<File, 'exists' | 'delete'>): void {
  try {
    if (file.exists) file.delete();
  } catch {
    // A file system that fails now may do better then.
  }
}

/** One slice in memory, and no more of the file. */
async function readSlice(file: File, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const handle = file.open();
  handle.offset = offset;
  try {
    return await handle.readBytes(length);
  } finally {
    handle.close();
  }
}

/** Null for what cannot be read: its copy is an orphan then. */
function readKept(text: string | null): Kept | null {
  try {
    const kept: unknown = JSON.parse(text ?? '');
    return isKept(kept) ? kept : null;
  } catch {
    return null;
  }
}

/** It was written at once: where the key is, the rest is. */
const isKept = (value: unknown): value is Kept => isObject(value) && typeof value.createKey === 'string';

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
