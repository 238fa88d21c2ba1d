// Another honest design: an upload is a coroutine that lives while it may go on, and is begun again after each interruption.
// Records in MMKV, a gate with so many places, retries as loops. No library.
import type {
  CreateUploader,
  PickedFile,
  Upload,
  UploadedPart,
  Uploader,
  UploaderErrorCode,
  UploaderOptions,
  UploaderState,
  UploadFailure,
  UploadStatus,
} from '#contract/resumable-upload';
import type { Device, Directory, File } from '#phone';

const PREFIX = 'uploader.';

/** The record of an upload. */
interface Note {
  readonly id: string;
  readonly order: number;
  readonly fileName: string;
  readonly mime: string;
  readonly freeOnly: boolean;
  readonly size: number;
  readonly sha256: string;
  readonly key: string;
  readonly remoteId?: string | undefined;
  readonly partSize?: number;
  readonly sent: number;
  readonly isPaused: boolean;
  readonly fileUrl: string | null;
  readonly error: Upload['error'];
}

class Complaint extends Error {
  readonly code: UploaderErrorCode;

  constructor(code: UploaderErrorCode, why: string) {
    super(why);
    this.code = code;
  }
}

/** Ends the life of an upload: for good, or to be begun anew in another way. */
class Verdict extends Error {
  readonly says: UploadFailure | 'gone' | 'invalid-part' | 'wrong-hash';

  constructor(says: Verdict['says']) {
    super(says);
    this.says = says;
  }
}

/** One try has failed. */
class Trouble extends Error {
  readonly status: number;
  readonly waitMs: number | null;

  constructor({ status, headers }: { status: number; headers?: Headers }) {
    super(`status ${status}`);
    this.status = status;
    this.waitMs = headers ? waitAskedFor(headers) : null;
  }
}

/** So many places for all uploads. A free one goes to the oldest that waits. */
class Gate {
  #free: number;
  #queue: { readonly order: number; readonly part: number; readonly go: () => void }[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async enter(order: number, part: number, signal: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((go, leave) => {
      const place = { order, part, go };
      this.#queue.push(place);
      this.#queue.sort((a, b) => a.order - b.order || a.part - b.part);
      signal.addEventListener('abort', () => {
        if (!this.#queue.includes(place)) return;
        this.#queue = this.#queue.filter((one) => one !== place);
        leave(signal.reason);
      });
    });
  }

  leave(): void {
    const next = this.#queue.shift();
    if (next) next.go();
    else this.#free += 1;
  }
}

/** What an upload needs of the uploader. */
interface House {
  readonly device: Device;
  readonly options: UploaderOptions;
  readonly folder: Directory;
  readonly gate: Gate;
  mayUse(note: Note): boolean;
  isOnline(): boolean;
  changed(): void;
}

class Transfer {
  note: Note;
  readonly #house: House;
  #tags: Map<number, string> | null;
  #life: AbortController | null = null;
  readonly #rows = new Map<string, { failures: number; untilMs: number; isOrdered: boolean }>();
  readonly #sleepers = new Set<{ readonly isOrdered: boolean; readonly wake: () => void }>();
  readonly #tried = new Set<Verdict['says']>();
  #links = new Map<number, { readonly url: string; readonly batch: object }>();
  #asking: Promise<void> | null = null;
  #out = 0;
  #isKeyNoted = true;
  isClosed = false;
  waiters: PromiseWithResolvers<{ fileUrl: string }>[] = [];

  constructor(house: House, note: Note, isNew: boolean) {
    this.#house = house;
    this.note = note;
    this.#tags = isNew ? new Map() : null;
  }

  get copy(): File {
    return new this.#house.device.fileSystem.File(this.#house.folder, this.note.id);
  }

  get isOver(): boolean {
    return this.note.fileUrl !== null || this.note.error !== null;
  }

  get #count(): number {
    return Math.max(1, Math.ceil(this.note.size / (this.note.partSize ?? 1)));
  }

  get isWhole(): boolean {
    const { remoteId, sent, size } = this.note;
    return (remoteId !== undefined && this.#tags?.size === this.#count) || (size > 0 && sent === size);
  }

  get status(): UploadStatus {
    if (this.note.fileUrl !== null) return 'done';
    if (this.note.error) return 'failed';
    if (this.note.isPaused) return 'paused';
    if (this.isWhole) return 'completing';
    if (!this.#house.mayUse(this.note)) return 'waiting';
    if (this.#out > 0) return 'uploading';
    return this.#sleepers.size > 0 ? 'waiting' : 'queued';
  }

  /** False when the phone has no room for it. */
  keep(changed: Partial<Note>): boolean {
    this.note = { ...this.note, ...changed };
    this.#house.changed();
    if (this.isClosed) return false;
    try {
      this.#house.device.mmkv.set(PREFIX + this.note.id, JSON.stringify(this.note));
      return true;
    } catch {
      return false;
    }
  }

  /** Begins a life or ends it, as things are now. */
  review(): void {
    const mayLive = this.#house.mayUse(this.note) && !this.note.isPaused && !this.isOver && !this.isClosed;
    if (mayLive && !this.#life) {
      const life = new AbortController();
      this.#life = life;
      void this.#live(life);
    }
    if (!mayLive) this.rest();
    this.#house.changed();
  }

  rest(): void {
    this.#life?.abort();
    this.#life = null;
  }

  /** Drawn pauses are over. */
  wake(): void {
    for (const row of this.#rows.values()) if (!row.isOrdered) row.untilMs = 0;
    for (const { isOrdered, wake } of [...this.#sleepers]) if (!isOrdered) wake();
  }

  forgetTries(): void {
    this.#rows.clear();
    this.#tried.clear();
    this.#tags = null;
  }

  async #live(life: AbortController): Promise<void> {
    const { signal } = life;
    try {
      await this.#begin(signal);
      await this.#sendMissing(signal);
      const { fileUrl } = await this.#insist('complete', signal, () => this.#complete());
      if (typeof fileUrl === 'string') this.#finish(fileUrl);
    } catch (error) {
      if (signal.aborted) return;
      this.rest();
      this.#heed(error instanceof Verdict ? error.says : 'server');
      this.review();
    }
  }

  #finish(fileUrl: string): void {
    this.rest();
    if (this.keep({ fileUrl, sent: this.note.size })) remove(this.copy);
    for (const { resolve } of this.waiters.splice(0)) resolve({ fileUrl });
  }

  #heed(says: Verdict['says']): void {
    const isCure = says === 'gone' || says === 'invalid-part' || says === 'wrong-hash';
    if (!isCure || this.#tried.has(says)) {
      const code = says === 'wrong-hash' ? 'checksum' : isCure ? 'server' : says;
      this.keep({ error: { code, message: `This upload has failed: ${code}.` } });
      for (const { reject } of this.waiters.splice(0)) reject(new Complaint('failed', `It failed: ${code}.`));
      return;
    }
    this.#tried.add(says);
    this.#rows.clear();
    this.#tags = says === 'invalid-part' ? null : new Map();
    if (says === 'wrong-hash') this.keep({ sent: 0 });
    if (says !== 'gone') return;
    this.#links = new Map();
    this.#isKeyNoted = this.keep({ remoteId: undefined, key: crypto.randomUUID(), sent: 0 });
  }

  /** A question about this upload is out. */
  async #asked<T>(answer: Promise<T>): Promise<T> {
    this.#isOut(1);
    return answer.finally(() => this.#isOut(-1));
  }

  async #begin(signal: AbortSignal): Promise<void> {
    if (this.note.remoteId === undefined) {
      const { uploadId, partSize } = await this.#insist('create', signal, () => this.#asked(this.#create()));
      this.keep({ remoteId: String(uploadId), partSize: Number(partSize) });
    }
    if (this.#tags) return;
    const { parts, fileUrl } = await this.#insist('ask', signal, () => this.#asked(this.#ask()));
    if (typeof fileUrl === 'string') {
      this.#finish(fileUrl);
      leaveIfAborted(signal);
    }
    this.#tags = new Map(parts.map(({ part, text }) => [part, text]));
    this.keep({ sent: this.#sum() });
  }

  async #ask(): Promise<{ parts: { part: number; text: string }[]; fileUrl: unknown }> {
    const { parts, fileUrl } = await this.#api('GET', '');
    return { parts: list(parts, 'etag'), fileUrl };
  }

  #sum(): number {
    const { size, partSize = 0 } = this.note;
    return [...(this.#tags?.keys() ?? [])].reduce((sum, n) => sum + Math.min(partSize, size - (n - 1) * partSize), 0);
  }

  async #create(): Promise<Answer> {
    this.#isKeyNoted ||= this.keep({});
    if (!this.#isKeyNoted) throw new Trouble({ status: 0 });
    const { fileName, mime, size, sha256, key } = this.note;
    const answer = await this.#api('POST', null, { fileName, mime, size, sha256 }, key);
    if (typeof answer.uploadId !== 'string' || typeof answer.partSize !== 'number') throw new Trouble({ status: 0 });
    return answer;
  }

  async #complete(): Promise<Answer> {
    const tags = this.#tags ?? new Map<number, string>();
    const parts: UploadedPart[] = Array.from({ length: this.#count }, (_, n) => ({
      part: n + 1,
      etag: tags.get(n + 1) ?? '',
    }));
    const answer = await this.#api('POST', '/complete', { parts });
    if (typeof answer.fileUrl !== 'string') throw new Trouble({ status: 0 });
    return answer;
  }

  get #missing(): number[] {
    return Array.from({ length: this.#count }, (_, n) => n + 1).filter((part) => !this.#tags?.has(part));
  }

  /** All at once: the gate lets in as many as may be out. */
  async #sendMissing(signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.#missing.map((part) => this.#insist(`part ${part}`, signal, () => this.#sendPart(part, signal))),
    );
  }

  async #sendPart(part: number, signal: AbortSignal): Promise<void> {
    const { gate } = this.#house;
    await gate.enter(this.note.order, part, signal);
    this.#isOut(1);
    try {
      for (let expired = 0; expired < 3; expired += 1) {
        leaveIfAborted(signal);
        const { url, batch } = await this.#linkFor(part, signal);
        const answer = await fetch(url, { method: 'PUT', body: await this.#slice(part, signal), signal });
        const etag = answer.headers.get('ETag');
        if (answer.ok && etag !== null) {
          leaveIfAborted(signal);
          this.#tags?.set(part, etag);
          this.keep({ sent: this.#sum() });
          return;
        }
        if (answer.status === 404 || answer.status === 410) throw new Verdict('gone');
        if (answer.status !== 403) throw new Trouble(answer);
        for (const [one, link] of this.#links) if (link.batch === batch) this.#links.delete(one);
      }
      throw new Trouble({ status: 403 });
    } finally {
      this.#isOut(-1);
      gate.leave();
    }
  }

  async #slice(part: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const { copy } = this;
    const { size, partSize = 0 } = this.note;
    if (!copy.exists || copy.size !== size) throw new Verdict('source-lost');
    const handle = copy.open();
    try {
      handle.offset = (part - 1) * partSize;
      const bytes = await handle.readBytes(partSize);
      leaveIfAborted(signal);
      return bytes;
    } finally {
      handle.close();
    }
  }

  async #linkFor(part: number, signal: AbortSignal): Promise<{ url: string; batch: object }> {
    while (this.#asking && !this.#links.has(part)) await this.#asking;
    leaveIfAborted(signal);
    if (!this.#links.has(part)) {
      this.#asking = this.#askLinks(part).finally(() => {
        this.#asking = null;
      });
      await this.#asking;
    }
    const link = this.#links.get(part);
    if (!link) throw new Trouble({ status: 0 });
    return link;
  }

  /** Ten that nobody has used yet: those that are known already are counted. */
  async #askLinks(part: number): Promise<void> {
    // A new upload in place of one that is gone has links of its own.
    const links = this.#links;
    const others = this.#missing.filter((one) => one !== part);
    const next = others.slice(0, 9).filter((one) => !links.has(one));
    const { urls } = await this.#api('POST', '/urls', { parts: [part, ...next] });
    const batch = {};
    for (const { part: one, text: url } of list(urls, 'url')) links.set(one, { url, batch });
  }

  /** Tries until it works, a verdict falls or eight tries in a row have failed. */
  async #insist<T>(row: string, signal: AbortSignal, tryOnce: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#sleep(row, signal);
      leaveIfAborted(signal);
      try {
        const value = await tryOnce();
        leaveIfAborted(signal);
        this.#rows.delete(row);
        return value;
      } catch (error) {
        leaveIfAborted(signal);
        if (error instanceof Verdict) throw error;
        const trouble = error instanceof Trouble ? error : new Trouble({ status: 0 });
        if (trouble.status !== 0) judge(row, trouble.status);
        this.#failed(row, trouble.waitMs);
      }
    }
  }

  #isOut(by: 1 | -1): void {
    this.#out += by;
    this.#house.changed();
  }

  #failed(row: string, waitMs: number | null): void {
    const failures = (this.#rows.get(row)?.failures ?? 0) + 1;
    if (failures >= 8) throw new Verdict('server');
    const drawnMs = Math.random() * Math.min(30_000, 500 * 2 ** failures);
    this.#rows.set(row, { failures, untilMs: performance.now() + (waitMs ?? drawnMs), isOrdered: waitMs !== null });
  }

  #sleep(row: string, signal: AbortSignal): Promise<void> | undefined {
    const known = this.#rows.get(row);
    const leftMs = (known?.untilMs ?? 0) - performance.now();
    if (!known || leftMs <= 0) return undefined;
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { isOrdered: known.isOrdered, wake };
      const timer = setTimeout(wake, Math.min(leftMs, 2 ** 31 - 1));
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', wake);
      this.#house.changed();
    });
  }

  tellOfCancel(): void {
    const { remoteId, fileUrl } = this.note;
    if (remoteId === undefined || fileUrl !== null || !this.#house.isOnline()) return;
    const { apiUrl, fetch: send = fetch } = this.#house.options;
    send(`${apiUrl}/uploads/${remoteId}`, { method: 'DELETE' }).catch(() => undefined);
  }

  /** Asks about this upload; with null, about one that is still to be. */
  async #api(method: string, path: string | null, body: object | null = null, key?: string): Promise<Answer> {
    const { apiUrl, fetch: send = fetch } = this.#house.options;
    const headers: Record<string, string> = body ? { 'Content-Type': 'application/json' } : {};
    if (key !== undefined) headers['Idempotency-Key'] = key;
    const url = path === null ? `${apiUrl}/uploads` : `${apiUrl}/uploads/${this.note.remoteId}${path}`;
    const answer = await send(url, { method, headers, body: body && JSON.stringify(body) });
    if (path !== null && (answer.status === 404 || answer.status === 410)) throw new Verdict('gone');
    const value: unknown = answer.ok ? await answer.json().catch(() => null) : null;
    if (!isAnswer(value)) throw new Trouble(answer);
    return value;
  }
}

/** Statuses that settle a matter. */
function judge(row: string, status: number): void {
  if (row === 'create' && status === 413) throw new Verdict('too-large');
  if (row === 'create' && (status === 415 || status === 422)) throw new Verdict('refused');
  if (row === 'complete' && status === 400) throw new Verdict('invalid-part');
  if (row === 'complete' && status === 422) throw new Verdict('wrong-hash');
}

class MultipartUploader implements Uploader {
  readonly #house: House;
  #transfers: Transfer[] = [];
  #net: { isConnected: boolean; isCostly: boolean } | null = null;
  #state: UploaderState = { uploads: [] };
  readonly #listeners = new Set<() => void>();
  #stops: (() => void)[] = [];
  #isStarted = false;
  #isDisposed = false;
  #isDue = false;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open: () => void = () => {};
  readonly #gate = new Promise<void>((open) => {
    this.#open = open;
  });

  constructor(options: UploaderOptions) {
    const { device, concurrency: places = 3 } = options;
    const { Directory, Paths } = device.fileSystem;
    this.#house = {
      ...{ device, options, gate: new Gate(places), folder: new Directory(Paths.document, 'outgoing') },
      mayUse: ({ freeOnly }) => this.#net?.isConnected === true && !(freeOnly && this.#net.isCostly),
      isOnline: () => this.#net?.isConnected === true,
      changed: () => this.#changed(),
    };
  }

  async start(): Promise<void> {
    this.#check();
    if (this.#isStarted) return;
    this.#isStarted = true;
    const { device, folder } = this.#house;
    const keys = device.mmkv.getAllKeys().filter((key) => key.startsWith(PREFIX));
    const notes = keys.flatMap((key) => readNote(device.mmkv.getString(key)));
    this.#transfers = notes.sort((a, b) => a.order - b.order).map((note) => new Transfer(this.#house, note, false));
    const wanted = notes.filter(({ fileUrl }) => fileUrl === null).map(({ id }) => id);
    for (const file of folder.exists ? folder.list() : []) if (!wanted.includes(file.name)) remove(file);
    this.#stops = [device.netInfo.addEventListener((state) => this.#networkIs(state)), () => foreground.remove()];
    const foreground = device.appState.addEventListener('change', (now) => {
      if (now === 'active') for (const transfer of this.#transfers) transfer.wake();
    });
    this.#open();
    this.#changed();
  }

  #networkIs({ isConnected, details }: Awaited<ReturnType<Device['netInfo']['fetch']>>): void {
    const before = this.#transfers.filter(({ note }) => this.#house.mayUse(note));
    this.#net = { isConnected, isCostly: details?.isConnectionExpensive ?? false };
    for (const transfer of this.#transfers) {
      if (!before.includes(transfer)) transfer.wake();
      transfer.review();
    }
  }

  async add({ uri, fileName, mime, metered = true }: PickedFile): Promise<string> {
    const order = this.#nextOrder();
    await this.#gate;
    this.#check();
    const { device, folder } = this.#house;
    const source = new device.fileSystem.File(uri);
    const id = crypto.randomUUID();
    const copy = new device.fileSystem.File(folder, id);
    try {
      if (!folder.exists) folder.create({ idempotent: true });
      await source.copy(copy);
      const sha256 = await copy.digest('SHA-256');
      const note: Note = {
        ...{ id, order: order(), fileName, mime, freeOnly: !metered, size: copy.size, sha256 },
        ...{ key: crypto.randomUUID(), sent: 0, isPaused: false, fileUrl: null, error: null },
      };
      device.mmkv.set(PREFIX + id, JSON.stringify(note));
      const transfer = new Transfer(this.#house, note, true);
      this.#transfers = [...this.#transfers, transfer].sort((a, b) => a.note.order - b.note.order);
      if (!this.#isDisposed) transfer.review();
      return id;
    } catch (cause) {
      remove(copy);
      throw source.exists ? storageTrouble(cause) : new Complaint('source-lost', `There is no file at ${uri}.`);
    }
  }

  #orders = 0;

  /** Behind all that were called before, also those of earlier launches, which are known once `start` is through. */
  #nextOrder(): () => number {
    this.#orders += 1;
    const own = this.#orders;
    return () => own + this.#ordersBefore();
  }

  #before: number | null = null;

  #ordersBefore(): number {
    this.#before ??= Math.max(0, ...this.#transfers.map(({ note }) => note.order));
    return this.#before;
  }

  async pause(id: string): Promise<void> {
    const transfer = await this.#find(id);
    if (transfer.isClosed || transfer.isOver || transfer.isWhole) return;
    const isKept = transfer.keep({ isPaused: true });
    transfer.review();
    if (!isKept) throw storageTrouble(null);
  }

  async resume(id: string): Promise<void> {
    const transfer = await this.#find(id);
    const { isPaused, error } = transfer.note;
    if (transfer.isClosed || (!isPaused && !error)) return;
    if (error) transfer.forgetTries();
    const isKept = transfer.keep({ isPaused: false, error: null });
    transfer.review();
    if (!isKept) throw storageTrouble(null);
  }

  async cancel(id: string): Promise<void> {
    const transfer = await this.#find(id);
    if (transfer.isClosed) return;
    transfer.rest();
    transfer.isClosed = true;
    try {
      this.#house.device.mmkv.delete(PREFIX + id);
    } catch (cause) {
      transfer.isClosed = false;
      transfer.review();
      throw storageTrouble(cause);
    }
    this.#transfers = this.#transfers.filter((one) => one !== transfer);
    remove(transfer.copy);
    transfer.tellOfCancel();
    for (const { reject } of transfer.waiters) reject(new Complaint('cancelled', 'It was cancelled.'));
    this.#changed();
  }

  async whenDone(id: string): Promise<{ fileUrl: string }> {
    const transfer = await this.#find(id);
    const { fileUrl, error } = transfer.note;
    if (fileUrl !== null) return { fileUrl };
    if (error) throw new Complaint('failed', error.message);
    const waiter = Promise.withResolvers<{ fileUrl: string }>();
    transfer.waiters.push(waiter);
    return waiter.promise;
  }

  getState(): UploaderState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const stop of this.#stops) stop();
    clearTimeout(this.#timer);
    for (const transfer of this.#transfers) {
      transfer.rest();
      for (const { reject } of transfer.waiters.splice(0)) reject(this.#over());
    }
    this.#open();
  }

  async #find(id: string): Promise<Transfer> {
    await this.#gate;
    this.#check();
    const found = this.#transfers.find(({ note }) => note.id === id);
    if (!found) throw new Complaint('unknown-id', `Nobody knows the upload ${id}.`);
    return found;
  }

  #over = (): Complaint => new Complaint('disposed', 'This uploader was disposed.');

  #check(): void {
    if (this.#isDisposed) throw this.#over();
  }

  /** What changes in one go is told in one go. */
  #changed(): void {
    if (this.#isDue || this.#isDisposed) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#tell();
    });
  }

  #tell(): void {
    if (this.#isDisposed) return;
    clearTimeout(this.#timer);
    const uploads = this.#transfers.map((transfer): Upload => {
      const { id, fileName, sent: sentBytes, size: totalBytes, fileUrl, error } = transfer.note;
      return { id, fileName, status: transfer.status, sentBytes, totalBytes, fileUrl, error };
    });
    const shown = this.#state.uploads;
    if (JSON.stringify(uploads) === JSON.stringify(shown)) return;
    const leftMs = this.#toldAtMs + 250 - performance.now();
    const isProgress =
      uploads.length === shown.length && uploads.every(({ id, status }, n) => matches(shown[n], id, status));
    if (isProgress && leftMs > 0) {
      this.#timer = setTimeout(() => this.#tell(), leftMs);
      return;
    }
    this.#toldAtMs = performance.now();
    this.#state = { uploads };
    for (const listener of [...this.#listeners]) listener();
  }
}

const matches = (shown: Upload | undefined, id: string, status: UploadStatus): boolean =>
  shown?.id === id && shown.status === status;

/** None when it cannot be read. */
function readNote(text: string | undefined): Note[] {
  try {
    const note: Note = JSON.parse(text ?? '');
    return [note];
  } catch {
    return [];
  }
}

type Answer = Readonly<Record<string, unknown>>;

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parts, each with this text of it. */
function list(value: unknown, name: 'etag' | 'url'): { part: number; text: string }[] {
  if (!Array.isArray(value)) throw new Trouble({ status: 0 });
  return value.map((one: unknown) => {
    const part = isAnswer(one) ? one.part : null;
    const text = isAnswer(one) ? one[name] : null;
    if (typeof part !== 'number' || typeof text !== 'string') throw new Trouble({ status: 0 });
    return { part, text };
  });
}

/** React Native's signals have no `throwIfAborted`. */
function leaveIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw signal.reason;
}

function waitAskedFor(headers: Headers): number | null {
  const asked = headers.get('Retry-After') ?? '';
  if (asked.trim() === '') return null;
  const seconds = Number(asked);
  const serverNowMs = Date.parse(headers.get('Date') ?? '');
  const ms = Number.isNaN(seconds) ? Date.parse(asked) - serverNowMs : seconds * 1_000;
  return ms > 0 ? ms : null;
}

function storageTrouble(cause: unknown): Complaint {
  const isFull = cause instanceof Error && /full|ENOSPC/.test(cause.message);
  return new Complaint(isFull ? 'storage-full' : 'storage-failed', `The phone could not store it: ${String(cause)}`);
}

function remove(file: { readonly exists: boolean; delete(): void }): void {
  try {
    if (file.exists) file.delete();
  } catch {
    // The next launch tries again.
  }
}

export const createUploader: CreateUploader = (options) => new MultipartUploader(options);
