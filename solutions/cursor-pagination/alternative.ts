// Another honest design: a class that counts its questions, MMKV for the stored page, no library.
import type {
  CreatePager,
  Page,
  Pager,
  PagerError,
  PagerItem,
  PagerOptions,
  PagerParams,
  PagerState,
} from '#contract/cursor-pagination';

/** What one request ended with. */
type Outcome<T> =
  | { readonly is: 'page'; readonly page: Page<T> }
  | { readonly is: 'refused' }
  | { readonly is: 'failed'; readonly error: PagerError };

const NETWORK: PagerError = { code: 'network' };

class FeedPager<T extends PagerItem> implements Pager<T> {
  readonly #options: PagerOptions<T>;
  readonly #listeners = new Set<() => void>();
  readonly #stopListening: () => void;
  #tellOnline: () => void = () => undefined;
  readonly #knowsOnline = new Promise<void>((resolve) => {
    this.#tellOnline = resolve;
  });
  #isOnline = true;
  #isDisposed = false;
  #params: PagerParams;
  /** Raised by whatever makes older answers worthless. */
  #question = 0;
  #controller = new AbortController();
  #cursor: string | null = null;
  #places = new Map<string, number>();
  #first: Promise<void> | null = null;
  #more: Promise<void> | null = null;
  #state: PagerState<T> = { items: [], status: 'idle', hasMore: true, source: 'none', error: null };

  constructor(options: PagerOptions<T>) {
    this.#options = options;
    this.#params = { ...options.params };
    this.#stopListening = options.device.netInfo.addEventListener(({ isConnected }) => {
      this.#isOnline = isConnected;
      this.#tellOnline();
    });
  }

  getState = (): PagerState<T> => this.#state;

  subscribe = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  };

  start = async (): Promise<void> => {
    if (this.#isDisposed || this.#first) return this.#first ?? undefined;
    const items = this.#readStored();
    if (items) this.#state = { ...this.#state, items, source: 'cache' };
    return this.#loadFirst();
  };

  refresh = async (): Promise<void> => {
    if (this.#isDisposed) return;
    return this.#first ?? this.#loadFirst();
  };

  loadMore = async (): Promise<void> => {
    if (this.#isDisposed || this.#first || this.#more) return this.#first ?? this.#more ?? undefined;
    if (this.#state.source !== 'network') return this.#loadFirst();
    if (!this.#state.hasMore) return;
    const more = this.#scroll().finally(() => {
      if (this.#more === more) this.#more = null;
    });
    this.#more = more;
    return more;
  };

  setParams = async (params: PagerParams): Promise<void> => {
    if (this.#isDisposed) return;
    this.#params = { ...params };
    this.#state = { items: [], status: 'idle', hasMore: true, source: 'none', error: null };
    return this.#loadFirst();
  };

  dispose = (): void => {
    this.#isDisposed = true;
    this.#ask();
    this.#listeners.clear();
    this.#stopListening();
    this.#tellOnline();
  };

  /** A new question: what is out is aborted, and would not be listened to anyway. */
  #ask(): number {
    this.#controller.abort();
    this.#controller = new AbortController();
    this.#more = null;
    this.#question += 1;
    return this.#question;
  }

  #isStale = (question: number): boolean => this.#isDisposed || question !== this.#question;

  #loadFirst(): Promise<void> {
    const question = this.#ask();
    const first = this.#replace(question).finally(() => {
      if (this.#first === first) this.#first = null;
    });
    this.#first = first;
    this.#set({ status: this.#state.source === 'none' ? 'loading-first' : 'refreshing' });
    return first;
  }

  async #replace(question: number): Promise<void> {
    const outcome = await this.#request(null);
    if (this.#isStale(question)) return;
    this.#first = null;
    if (outcome.is !== 'page') {
      this.#set({ status: 'idle', error: outcome.is === 'failed' ? outcome.error : { code: 'bad-response' } });
      return;
    }
    this.#places = new Map();
    const items = this.#laidOnto([], outcome.page.items);
    this.#cursor = outcome.page.nextCursor;
    this.#store(items);
    this.#set({ items, source: 'network', status: 'idle', hasMore: this.#cursor !== null, error: null });
  }

  async #scroll(): Promise<void> {
    const question = this.#question;
    this.#set({ status: 'loading-more' });
    for (let left = 5; left > 0; left -= 1) {
      const outcome = await this.#request(this.#cursor);
      if (this.#isStale(question)) return;
      if (outcome.is === 'refused') return this.#loadFirst();
      if (outcome.is === 'failed') {
        this.#more = null;
        return this.#set({ status: 'idle', error: outcome.error });
      }
      const before = this.#state.items;
      const items = this.#laidOnto(before, outcome.page.items);
      this.#cursor = outcome.page.nextCursor;
      const hasMore = this.#cursor !== null;
      const isOver = !hasMore || left === 1 || items.length > before.length;
      if (isOver) this.#more = null;
      this.#set({ items, hasMore, error: null, status: isOver ? 'idle' : 'loading-more' });
      if (isOver) return;
    }
  }

  /** Known ids are written over where they stand, new ones go to the end. */
  #laidOnto(list: readonly T[], page: readonly T[]): T[] {
    const items = [...list];
    for (const item of page) {
      const place = this.#places.get(item.id) ?? items.length;
      this.#places.set(item.id, place);
      items[place] = item;
    }
    return items;
  }

  async #request(cursor: string | null): Promise<Outcome<T>> {
    const { signal } = this.#controller;
    await this.#knowsOnline;
    if (!this.#isOnline || signal.aborted) return { is: 'failed', error: NETWORK };
    const { fetchPage, limit = 20 } = this.#options;
    const asked = { cursor, limit, params: this.#params, signal };
    try {
      if (!fetchPage) return await this.#get(cursor, signal);
      const page = await fetchPage(asked);
      return page === 'restart' ? { is: 'refused' } : { is: 'page', page };
    } catch (error) {
      return { is: 'failed', error: errorOf(error) };
    }
  }

  async #get(cursor: string | null, signal: AbortSignal): Promise<Outcome<T>> {
    const { apiUrl, path, limit = 20, fetch: request = fetch } = this.#options;
    const query = { ...this.#params, limit, ...(cursor === null ? {} : { cursor }) };
    const search = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const response = await request(`${apiUrl}${path}?${search.join('&')}`, { signal });
    const body = readJson(await response.text());
    const { status } = response;
    const isRefused = status === 410 || (status === 400 && body?.error === 'invalid_cursor');
    if (isRefused && cursor !== null) return { is: 'refused' };
    if (!response.ok) return { is: 'failed', error: { code: 'http', status } };
    return isPage(body) ? { is: 'page', page: body } : { is: 'failed', error: { code: 'bad-response' } };
  }

  #readStored(): T[] | null {
    const { cacheKey, device } = this.#options;
    if (cacheKey === undefined) return null;
    try {
      const { params, items } = JSON.parse(device.mmkv.getString(cacheKey) ?? 'null');
      return params === keyOf(this.#params) && hasItems(items) ? (items as T[]) : null;
    } catch {
      return null;
    }
  }

  #store(items: readonly T[]): void {
    const { cacheKey, device } = this.#options;
    if (cacheKey === undefined) return;
    try {
      device.mmkv.set(cacheKey, JSON.stringify({ params: keyOf(this.#params), items }));
    } catch {
      // The next first page tries again.
    }
  }

  #set(change: Partial<PagerState<T>>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}

export const createPager: CreatePager = (options) => new FeedPager(options);

/** Params as one text, whatever their order. */
const keyOf = (params: PagerParams): string => JSON.stringify(Object.entries(params).sort());

const hasItems = (items: unknown): items is PagerItem[] =>
  Array.isArray(items) && items.every((item) => typeof item?.id === 'string');

/** A body that is lost on the way rejects before this; what arrives and is no JSON is null. */
function readJson(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isPage(body: { items?: unknown; nextCursor?: unknown } | null): boolean {
  return hasItems(body?.items) && (body?.nextCursor === null || typeof body?.nextCursor === 'string');
}

function errorOf(error: unknown): PagerError {
  const { code, status } = typeof error === 'object' && error !== null ? (error as Partial<PagerError>) : {};
  if (code !== 'http' && code !== 'bad-response') return NETWORK;
  return code === 'http' && typeof status === 'number' ? { code, status } : { code };
}
