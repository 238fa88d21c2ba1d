// The reference. TanStack Query's infinite query keeps pages, cursors and aborts; the pager decides who may ask, and when.
import { environmentManager, hashKey, InfiniteQueryObserver, QueryClient } from '@tanstack/query-core';
import type {
  CreatePager,
  Page,
  PageRequest,
  Pager,
  PagerError,
  PagerItem,
  PagerOptions,
  PagerParams,
  PagerState,
} from '#contract/cursor-pagination';
import { isObject, parseJson } from '#solutions/token-refresh';

const LIMIT = 20;
/** Pages that bring nothing new are passed over, but not without end. */
const PAGES_PER_CALL_MAX = 5;

// The library takes a runtime without `window` for a server and behaves otherwise there. A phone is none.
environmentManager.setIsServer(() => false);

// ---------------------------------------------------------------------------------------------------------------------
// The request: one page, or why there is none.

class PageFailure extends Error implements PagerError {
  readonly code: PagerError['code'];
  readonly status?: number;

  constructor(code: PagerError['code'], status?: number) {
    super(`Failed to load a page: ${code}`);
    this.code = code;
    if (status !== undefined) this.status = status;
  }
}

/** The server does not take the cursor any more. */
class Restart extends Error {}

function createFetchPage<T extends PagerItem>({ apiUrl, path, fetch: request = fetch }: PagerOptions<T>) {
  return async ({ cursor, limit, params, signal }: PageRequest): Promise<Page<T> | 'restart'> => {
    const query = new URLSearchParams({ ...toText(params), limit: String(limit) });
    // URLSearchParams encodes. The cursor is the server's own word: it goes back as it came.
    if (cursor !== null) query.set('cursor', cursor);
    const response = await request(`${apiUrl}${path}?${query}`, { signal });
    const body = parseJson(await response.text());
    if (cursor !== null && isCursorRefused(response.status, body)) return 'restart';
    if (!response.ok) throw new PageFailure('http', response.status);
    // A captive portal answers 200 as well. Taken for a page, its HTML would be the end of the list.
    if (!isPage<T>(body)) throw new PageFailure('bad-response');
    return body;
  };
}

const toText = (params: PagerParams): Record<string, string> =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));

const isCursorRefused = (status: number, body: unknown): boolean =>
  status === 410 || (status === 400 && isObject(body) && body.error === 'invalid_cursor');

const isPage = <T extends PagerItem>(body: unknown): body is Page<T> =>
  isObject(body) && isItems<T>(body.items) && (body.nextCursor === null || typeof body.nextCursor === 'string');

const isItems = <T extends PagerItem>(items: unknown): items is T[] =>
  Array.isArray(items) && items.every((item) => isObject(item) && typeof item.id === 'string');

function toPagerError(cause: unknown): PagerError {
  const { code, status } = isObject(cause) ? cause : {};
  if (code === 'http' && typeof status === 'number') return { code, status };
  return code === 'http' || code === 'bad-response' ? { code } : { code: 'network' };
}

// ---------------------------------------------------------------------------------------------------------------------
// The list: pages laid end to end. Posts move between two requests, so the same one may lie on two pages.

/** A known id keeps its place and takes the newest values: what a reader has seen does not jump. */
function merge<T extends PagerItem>(pages: readonly Page<T>[]): readonly T[] {
  const byId = new Map<string, T>();
  for (const { items } of pages) for (const item of items) byId.set(item.id, item);
  return [...byId.values()];
}

// ---------------------------------------------------------------------------------------------------------------------
// The stored first page: a picture to look at until the network answers. It keeps no cursor, so none can be sent.

interface StoredPage<T> {
  readonly params: PagerParams;
  readonly items: readonly T[];
}

function readStored<T extends PagerItem>(text: string | null): StoredPage<T> | null {
  const record = parseJson(text ?? '');
  if (!isObject(record) || !isItems<T>(record.items) || !isObject(record.params)) return null;
  return { params: record.params as PagerParams, items: record.items };
}

/** By value: the order in which somebody wrote the params down does not matter. */
const isSame = (a: PagerParams, b: PagerParams): boolean => hashKey([a]) === hashKey([b]);

// ---------------------------------------------------------------------------------------------------------------------
// The pager.

/** What is going on. There is one at a time: whoever comes later joins it or takes its place. */
interface Work {
  asks: 'first' | 'more';
  ended: Promise<void>;
}

export const createPager: CreatePager = <T extends PagerItem>(options: PagerOptions<T>): Pager<T> => {
  const { netInfo, asyncStorage } = options.device;
  const { limit = LIMIT, cacheKey, fetchPage = createFetchPage(options) } = options;
  const client = new QueryClient();
  const listeners = new Set<() => void>();
  let params: PagerParams = { ...options.params };
  let list = createList();
  let stored: readonly T[] | null = null;
  let error: PagerError | null = null;
  let work: Work | null = null;
  let isDisposed = false;
  let state = view();

  /**
   * The pages of one question. Nobody subscribes to the observer and it is not enabled, so the library asks for nothing
   * by itself; the pager takes each result when it is there.
   */
  function createList() {
    const asked = params;
    // A refetch asks for `pages`: by default for every page there is. And what nobody subscribes to would be collected
    // after five minutes (`gcTime`): these pages live until the question changes.
    const query = {
      queryKey: [options.path, asked],
      queryFn: ({ pageParam, signal }: { pageParam: string | null; signal: AbortSignal }) =>
        ask({ cursor: pageParam, limit, params: asked, signal }),
      initialPageParam: null,
      getNextPageParam: ({ nextCursor }: Page<T>) => nextCursor,
      select: ({ pages }: { pages: readonly Page<T>[] }) => merge(pages),
      pages: 1,
      retry: false,
      networkMode: 'always',
      structuralSharing: false,
      enabled: false,
      gcTime: Number.POSITIVE_INFINITY,
    } as const;
    return new InfiniteQueryObserver<Page<T>, Error, readonly T[], readonly unknown[], string | null>(client, query);
  }

  async function ask(request: PageRequest): Promise<Page<T>> {
    const { isConnected } = await netInfo.fetch();
    if (!isConnected) throw new PageFailure('network');
    const page = await fetchPage(request);
    if (page !== 'restart') return page;
    throw request.cursor === null ? new PageFailure('bad-response') : new Restart();
  }

  function view(): PagerState<T> {
    const { data, hasNextPage } = list.getCurrentResult();
    const source = data ? 'network' : stored ? 'cache' : 'none';
    const loadingFirst = source === 'none' ? 'loading-first' : 'refreshing';
    return {
      items: data ?? stored ?? [],
      status: work === null ? 'idle' : work.asks === 'more' ? 'loading-more' : loadingFirst,
      hasMore: source === 'network' ? hasNextPage : true,
      source,
      error,
    };
  }

  function publish(): void {
    state = view();
    for (const listener of [...listeners]) listener();
  }

  /** Takes the place of whatever is going on. The old work finds out at its next step, and ends without a word. */
  function begin(asks: Work['asks'], run: (own: Work) => Promise<void>): Promise<void> {
    const own: Work = { asks, ended: Promise.resolve() };
    work = own;
    own.ended = run(own);
    publish();
    return own.ended;
  }

  /** Work ends in one change of the state: what came in, and that nothing is going on any more. */
  function end(failure: PagerError | null): void {
    work = null;
    error = failure;
    publish();
  }

  async function loadFirst(own: Work): Promise<void> {
    // Aborts a next page that is out. Asks whatever the clock says: staleness is not looked at.
    const { isError, error: cause, data } = await list.refetch();
    if (work !== own) return;
    if (!isError && data) keep(data);
    end(isError ? toPagerError(cause) : null);
  }

  async function loadNext(own: Work): Promise<void> {
    for (let asked = 1; ; asked += 1) {
      const known = view().items.length;
      const { isError, error: cause, hasNextPage } = await list.fetchNextPage();
      if (work !== own) return;
      if (cause instanceof Restart) return restart(own);
      if (isError) return end(toPagerError(cause));
      const isWorthAsking = hasNextPage && view().items.length === known;
      if (!isWorthAsking || asked === PAGES_PER_CALL_MAX) return end(null);
    }
  }

  /** Once: a first page has no cursor that could be refused. The old list stays until it is here. */
  function restart(own: Work): Promise<void> {
    own.asks = 'first';
    publish();
    return loadFirst(own);
  }

  async function showStored(own: Work): Promise<void> {
    if (cacheKey === undefined) return;
    const record = readStored<T>(await asyncStorage.getItem(cacheKey).catch(() => null));
    if (work !== own || !record || !isSame(record.params, params)) return;
    stored = record.items;
    publish();
  }

  /** Nobody waits for the disk, and nothing is lost if it refuses: the list is on the server. */
  function keep(items: readonly T[]): void {
    const record: StoredPage<T> = { params, items };
    if (cacheKey !== undefined) void asyncStorage.setItem(cacheKey, JSON.stringify(record)).catch(() => undefined);
  }

  async function start(): Promise<void> {
    if (isDisposed) return;
    return begin('first', async (own) => {
      await showStored(own);
      if (work === own) await loadFirst(own);
    });
  }

  async function loadMore(): Promise<void> {
    if (isDisposed || work) return work?.ended;
    if (state.source !== 'network') return begin('first', loadFirst);
    if (state.hasMore) return begin('more', loadNext);
  }

  async function refresh(): Promise<void> {
    if (isDisposed || work?.asks === 'first') return work?.ended;
    return begin('first', loadFirst);
  }

  async function setParams(next: PagerParams): Promise<void> {
    if (isDisposed) return;
    params = { ...next };
    client.clear();
    list = createList();
    stored = null;
    error = null;
    return begin('first', loadFirst);
  }

  function subscribe(listener: () => void): () => void {
    const own = () => listener();
    listeners.add(own);
    return () => listeners.delete(own);
  }

  function dispose(): void {
    isDisposed = true;
    work = null;
    listeners.clear();
    client.clear();
  }

  return { start, loadMore, refresh, setParams, getState: () => state, subscribe, dispose };
};
