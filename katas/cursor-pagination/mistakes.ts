// Wrong turns that the grade must catch, each by the criterion that names it.
import { type LazyAttempt, lazyAttempts, type Mistake } from '#course';

const FIRST_STEP = `const { isError, error: cause, data } = await list.refetch();`;
const NEW_QUESTION = `client.clear();
    list = createList();
    stored = null;
    error = null;
    return begin('first', loadFirst);`;

export const mistakes: Mistake[] = [
  {
    id: 'offset-for-cursor',
    title: 'Counts what it has and asks for what comes after that.',
    criterion: 'opaque-cursor',
    edits: [
      {
        find: `getNextPageParam: ({ nextCursor }: Page<T>) => nextCursor,`,
        replace: `getNextPageParam: ({ nextCursor }: Page<T>, pages: readonly Page<T>[]) =>
        nextCursor === null ? null : String(pages.length * limit),`,
      },
    ],
  },
  {
    id: 'timestamp-for-cursor',
    title: 'Makes a cursor of the time of the last post: ties are lost.',
    criterion: 'opaque-cursor',
    edits: [
      {
        find: `getNextPageParam: ({ nextCursor }: Page<T>) => nextCursor,`,
        replace: `getNextPageParam: ({ items, nextCursor }: Page<T>) =>
        nextCursor === null ? null : String(Object(items.at(-1)).createdAt),`,
      },
    ],
  },
  {
    id: 'cursor-not-encoded',
    title: 'Glues the cursor to the URL as it is.',
    criterion: 'opaque-cursor',
    edits: [
      { find: `if (cursor !== null) query.set('cursor', cursor);`, replace: `` },
      {
        find: `?\${query}`,
        replace: `?\${query}\${cursor === null ? '' : '&cursor=' + cursor}`,
      },
    ],
  },
  {
    id: 'params-forgotten',
    title: 'Takes it that the cursor knows the filter, and leaves the params away.',
    criterion: 'opaque-cursor',
    edits: [
      {
        find: `new URLSearchParams({ ...toText(params), limit: String(limit) });`,
        replace: `new URLSearchParams({ ...(cursor === null ? toText(params) : {}), limit: String(limit) });`,
      },
    ],
  },
  {
    id: 'one-page-twice',
    title: 'Asks for the same page again when the end is reported twice.',
    criterion: 'one-page-at-a-time',
    edits: [
      {
        find: `async function loadMore(): Promise<void> {
    if (isDisposed || work) return work?.ended;`,
        replace: `async function loadMore(): Promise<void> {
    if (isDisposed || work?.asks === 'first') return work?.ended;`,
      },
    ],
  },
  {
    id: 'scroll-overtakes-refresh',
    title: 'Lets a loadMore take the place of a refresh that is out.',
    criterion: 'one-page-at-a-time',
    edits: [
      {
        find: `async function loadMore(): Promise<void> {
    if (isDisposed || work) return work?.ended;`,
        replace: `async function loadMore(): Promise<void> {
    if (isDisposed || work?.asks === 'more') return work?.ended;`,
      },
    ],
  },
  {
    id: 'no-deduplication',
    title: 'Appends each page as it is, also what overlaps at the seam.',
    criterion: 'no-post-twice',
    edits: [{ find: `return [...byId.values()];`, replace: `return pages.flatMap(({ items }) => items);` }],
  },
  {
    id: 'keeps-the-older-values',
    title: 'Throws a post away that it knows already, with its newer values.',
    criterion: 'no-post-twice',
    edits: [
      {
        find: `for (const item of items) byId.set(item.id, item);`,
        replace: `for (const item of items) if (!byId.has(item.id)) byId.set(item.id, item);`,
      },
    ],
  },
  {
    id: 'known-post-jumps',
    title: 'Moves a post that comes again to the end of the list.',
    criterion: 'no-post-twice',
    edits: [
      {
        find: `for (const item of items) byId.set(item.id, item);`,
        replace: `for (const item of items) byId.delete(item.id) ? byId.set(item.id, item) : byId.set(item.id, item);`,
      },
    ],
  },
  {
    id: 'short-page-is-the-end',
    title: 'Takes a page with fewer items than asked for as the last one.',
    criterion: 'knows-the-end',
    edits: [
      {
        find: `getNextPageParam: ({ nextCursor }: Page<T>) => nextCursor,`,
        replace: `getNextPageParam: ({ items, nextCursor }: Page<T>) => (items.length < limit ? null : nextCursor),`,
      },
    ],
  },
  {
    id: 'cuts-at-the-limit',
    title: 'Shows as many items of a page as it asked for, and no more.',
    criterion: 'knows-the-end',
    edits: [
      {
        find: `if (page !== 'restart') return page;`,
        replace: `if (page !== 'restart') return { ...page, items: page.items.slice(0, limit) };`,
      },
    ],
  },
  {
    id: 'refresh-asks-for-all-pages',
    title: 'Leaves the refresh to the library, which asks for every page there is.',
    criterion: 'refreshes-in-one-change',
    edits: [{ find: `      pages: 1,\n`, replace: `` }],
  },
  {
    id: 'refresh-empties-first',
    title: 'Empties the list when a refresh begins.',
    criterion: 'refreshes-in-one-change',
    edits: [
      {
        find: `if (isDisposed || work?.asks === 'first') return work?.ended;`,
        replace: `if (isDisposed || work?.asks === 'first') return work?.ended;
    client.clear();
    list = createList();
    stored = null;`,
      },
    ],
  },
  {
    id: 'old-filter-shown',
    title: 'Keeps the old list on the screen until the new filter has an answer.',
    criterion: 'one-question-at-a-time',
    edits: [
      {
        find: NEW_QUESTION,
        replace: `error = null;
    return begin('first', async (own) => {
      await netInfo.fetch();
      if (work !== own) return;
      client.clear();
      list = createList();
      stored = null;
      return loadFirst(own);
    });`,
      },
    ],
  },
  {
    id: 'asks-offline',
    title: 'Does not ask netInfo, and sends while offline.',
    criterion: 'silent-offline',
    edits: [{ find: `if (!isConnected) throw new PageFailure('network');`, replace: `void isConnected;` }],
  },
  {
    id: 'lives-after-dispose',
    title: 'Aborts nothing at dispose: the answer still changes the state.',
    criterion: 'ends-cleanly',
    edits: [{ find: `    work = null;\n    listeners.clear();\n    client.clear();\n`, replace: `` }],
  },
  {
    id: 'listener-left-behind',
    title: 'Listens to netInfo and never stops.',
    criterion: 'ends-cleanly',
    edits: [
      { find: `let state = view();`, replace: `let state = view();\n  netInfo.addEventListener(() => undefined);` },
    ],
  },
  {
    id: 'rejection-unhandled',
    title: 'Lets a write reject where nobody listens.',
    criterion: 'ends-cleanly',
    edits: [{ find: `JSON.stringify(record)).catch(() => undefined);`, replace: `JSON.stringify(record));` }],
  },
  {
    id: 'failure-empties-the-list',
    title: 'Shows an error page in place of the list: a failure empties it.',
    criterion: 'keeps-the-list',
    edits: [
      {
        find: `error = failure;`,
        replace: `error = failure;
    if (failure) {
      client.clear();
      list = createList();
      stored = null;
    }`,
      },
    ],
  },
  {
    id: 'failure-is-the-end',
    title: 'Takes a 5xx for a page without items, and so for the end.',
    criterion: 'keeps-the-list',
    edits: [
      {
        find: `if (!response.ok) throw new PageFailure('http', response.status);`,
        replace: `if (!response.ok) return { items: [], nextCursor: null };`,
      },
    ],
  },
  {
    id: 'error-never-cleared',
    title: 'Shows the last error for ever.',
    criterion: 'keeps-the-list',
    edits: [
      {
        find: `error = failure;`,
        replace: `error = failure ?? error;`,
      },
    ],
  },
  {
    id: 'cursor-used-up',
    title: 'Moves the cursor on when the request leaves: after a failure the page is skipped.',
    criterion: 'asks-the-same-again',
    edits: [
      { find: `const asked = params;`, replace: `const asked = params;\n    const used = new Set<string>();` },
      {
        find: `ask({ cursor: pageParam, limit, params: asked, signal }),`,
        replace: `{
        if (pageParam !== null && used.has(pageParam)) return { items: [], nextCursor: null };
        if (pageParam !== null) used.add(pageParam);
        return ask({ cursor: pageParam, limit, params: asked, signal });
      },`,
      },
    ],
  },
  {
    id: 'portal-is-an-empty-page',
    title: 'Takes the page of a captive portal for an empty last page.',
    criterion: 'knows-a-page',
    edits: [
      {
        find: `if (!isPage<T>(body)) throw new PageFailure('bad-response');`,
        replace: `if (!isPage<T>(body)) return { items: [], nextCursor: null };`,
      },
    ],
  },
  {
    id: 'items-not-looked-at',
    title: 'Takes any JSON with an array of items for a page.',
    criterion: 'knows-a-page',
    edits: [
      {
        find: `items.every((item) => isObject(item) && typeof item.id === 'string');`,
        replace: `items.every(() => true);`,
      },
    ],
  },
  {
    id: 'asks-again-by-itself',
    title: 'Tries a failed page again when the phone comes back online.',
    criterion: 'never-retries',
    edits: [
      {
        find: `let state = view();`,
        replace: `let state = view();
  const stopWatching = netInfo.addEventListener(({ isConnected }) => {
    if (isConnected && error) void refresh();
  });`,
      },
      { find: `isDisposed = true;`, replace: `isDisposed = true;\n    stopWatching();` },
    ],
  },
  {
    id: 'nothing-aborted',
    title: 'Does not pass the signal on: nothing is ever aborted.',
    criterion: 'newest-question-wins',
    edits: [{ find: `, { signal });`, replace: `);` }],
  },
  {
    id: 'late-answer-taken',
    title: 'Puts an answer into the list that comes after its request was aborted.',
    criterion: 'newest-question-wins',
    edits: [
      {
        find: `if (page !== 'restart') return page;`,
        replace: `if (page !== 'restart' && request.signal.aborted) {
      client.setQueryData([options.path, params], { pages: [page], pageParams: [null] });
      list = createList();
      publish();
    }
    if (page !== 'restart') return page;`,
      },
    ],
  },
  {
    id: 'abort-is-an-error',
    title: 'Shows the failure of an aborted request.',
    criterion: 'newest-question-wins',
    edits: [
      {
        find: `const page = await fetchPage(request);`,
        replace: `const page = await fetchPage(request).catch((cause: unknown) => {
      error = request.signal.aborted ? toPagerError(cause) : error;
      publish();
      throw cause;
    });`,
      },
    ],
  },
  {
    id: 'endless-empty-pages',
    title: 'Goes on over empty pages for as long as the server gives them.',
    criterion: 'passes-over-empty-pages',
    edits: [{ find: `const PAGES_PER_CALL_MAX = 5;`, replace: `const PAGES_PER_CALL_MAX = 5_000;` }],
  },
  {
    id: 'stops-at-an-empty-page',
    title: 'Ends the call at a page that brought nothing new: the list never reports its end again.',
    criterion: 'passes-over-empty-pages',
    edits: [{ find: `const PAGES_PER_CALL_MAX = 5;`, replace: `const PAGES_PER_CALL_MAX = 1;` }],
  },
  {
    id: 'stored-page-not-shown',
    title: 'Stores the first page and never shows it.',
    criterion: 'shows-the-stored-page',
    edits: [{ find: `stored = record.items;\n    publish();`, replace: `void record.items;` }],
  },
  {
    id: 'one-record-per-filter',
    title: 'Stores a record for each filter anybody has tried.',
    criterion: 'shows-the-stored-page',
    edits: [
      { find: `asyncStorage.setItem(cacheKey,`, replace: `asyncStorage.setItem(cacheKey + hashKey([params]),` },
      { find: `asyncStorage.getItem(cacheKey)`, replace: `asyncStorage.getItem(cacheKey + hashKey([params]))` },
    ],
  },
  {
    id: 'stored-cursor-sent',
    title: 'Stores the cursor with the first page, and goes on from it after a restart.',
    criterion: 'stored-page-has-no-cursor',
    edits: [
      {
        find: `const record: StoredPage<T> = { params, items };`,
        replace: `const nextCursor = client.getQueryData<{ pages: Page<T>[] }>([options.path, params])?.pages[0]?.nextCursor;
    const record = { params, items, nextCursor };`,
      },
      {
        find: `return { params: record.params as PagerParams, items: record.items };`,
        replace: `return record as never;`,
      },
      {
        find: `stored = record.items;`,
        replace: `client.setQueryData([options.path, params], { pages: [record], pageParams: [null] });
    list = createList();`,
      },
    ],
  },
  {
    id: 'stored-page-of-another-filter',
    title: 'Shows the stored page whatever it was a page of.',
    criterion: 'stored-page-of-these-params',
    edits: [{ find: `|| !record || !isSame(record.params, params)) return;`, replace: `|| !record) return;` }],
  },
  {
    id: 'params-compared-as-text',
    title: 'Compares params by the order in which they were written down.',
    criterion: 'stored-page-of-these-params',
    edits: [{ find: `hashKey([a]) === hashKey([b]);`, replace: `JSON.stringify(a) === JSON.stringify(b);` }],
  },
  {
    id: 'loops-at-a-refused-cursor',
    title: 'Begins again from the top for as long as the server answers 410.',
    criterion: 'restarts-from-the-top',
    edits: [
      { find: `if (cursor !== null && isCursorRefused(`, replace: `if (isCursorRefused(` },
      {
        find: `throw request.cursor === null ? new PageFailure('bad-response') : new Restart();`,
        replace: `throw new Restart();`,
      },
      {
        find: `${FIRST_STEP}\n    if (work !== own) return;`,
        replace: `${FIRST_STEP}\n    if (work !== own) return;\n    if (cause instanceof Restart) return loadFirst(own);`,
      },
    ],
  },
  {
    id: 'refused-cursor-is-a-failure',
    title: 'Shows an error at a refused cursor: the next call sends the same one again.',
    criterion: 'restarts-from-the-top',
    edits: [{ find: `if (cause instanceof Restart) return restart(own);`, replace: `` }],
  },
  {
    id: 'restart-empties-first',
    title: 'Empties the list when its cursor is refused.',
    criterion: 'restarts-from-the-top',
    edits: [
      {
        find: `own.asks = 'first';`,
        replace: `own.asks = 'first';\n    client.clear();\n    list = createList();`,
      },
    ],
  },
  {
    id: 'disk-fails-the-pager',
    title: 'Waits for the write, and fails with it.',
    criterion: 'lives-with-a-bad-disk',
    edits: [
      {
        find: `if (!isError && data) keep(data);`,
        replace: `if (cacheKey !== undefined && data) await asyncStorage.setItem(cacheKey, JSON.stringify({ params, items: data }));`,
      },
    ],
  },
  {
    id: 'damage-stops-the-start',
    title: 'Parses the stored record without looking: a damaged one ends the start.',
    criterion: 'lives-with-a-bad-disk',
    edits: [
      { find: `const record = parseJson(text ?? '');`, replace: `const record: unknown = JSON.parse(text ?? 'null');` },
    ],
  },
  {
    id: 'fresh-by-the-clock',
    title: 'Lets the library decide by the phone’s clock whether a refresh asks.',
    criterion: 'trusts-no-clock',
    edits: [
      {
        find: FIRST_STEP,
        replace: `void client.cancelQueries();
    await client.fetchInfiniteQuery({ ...list.options, staleTime: 0 } as never).catch(() => undefined);
    if (work === own) list = createList();
    const { isError, error: cause, data } = list.getCurrentResult();`,
      },
    ],
  },
  {
    id: 'tells-twice',
    title: 'Tells its listeners of each change twice.',
    criterion: 'spends-little',
    edits: [
      {
        find: `for (const listener of [...listeners]) listener();`,
        replace: `for (const listener of [...listeners, ...listeners]) listener();`,
      },
    ],
  },
  {
    id: 'stores-every-page',
    title: 'Stores the whole list after every page.',
    criterion: 'spends-little',
    edits: [
      {
        find: `if (!isWorthAsking || asked === PAGES_PER_CALL_MAX) return end(null);`,
        replace: `keep(view().items);\n      if (!isWorthAsking || asked === PAGES_PER_CALL_MAX) return end(null);`,
      },
    ],
  },
  {
    id: 'listeners-not-told',
    title: 'Never tells its listeners of a change.',
    criterion: 'walks-the-feed',
    edits: [
      { find: `const own = () => listener();\n    listeners.add(own);`, replace: `const own = () => listener();` },
    ],
  },
  {
    id: 'pages-collected',
    title: 'Lets the library throw the pages away after five minutes of reading.',
    criterion: 'walks-the-feed',
    edits: [{ find: `gcTime: Number.POSITIVE_INFINITY,`, replace: `` }],
  },
  {
    id: 'own-fetch-only',
    title: 'Goes past the fetch it was given.',
    criterion: 'walks-the-feed',
    edits: [
      { find: `fetch: request = fetch }: PagerOptions<T>`, replace: `}: PagerOptions<T>` },
      { find: `await request(`, replace: `await fetch(` },
    ],
  },
];

const HEAD = `import type { CreatePager, PagerState } from '#contract/cursor-pagination';
`;

export const lazy: LazyAttempt[] = [
  ...lazyAttempts({
    slug: 'cursor-pagination',
    create: 'createPager',
    state: {
      type: 'PagerState<never>',
      whenDone: "{ items: [], status: 'idle', hasMore: false, source: 'network', error: null }",
      whenWaiting: "{ items: [], status: 'loading-first', hasMore: true, source: 'none', error: null }",
    },
    promises: { start: '', loadMore: '', refresh: '', setParams: '' },
  }),
  {
    id: 'tight-loop',
    title: 'Asks for the next page again and again, without a pause, until the server has no more.',
    source: `${HEAD}
export const createPager: CreatePager = <T extends { id: string }>({ apiUrl, path, limit = 20, params = {} }) => {
  let items: T[] = [];
  let cursor: string | null = null;
  let hasMore = true;
  let asked = params;
  const load = async (): Promise<void> => {
    while (hasMore) {
      const query = new URLSearchParams({ ...asked, limit: String(limit), ...(cursor === null ? {} : { cursor }) });
      const body = await fetch(apiUrl + path + '?' + query)
        .then((response) => response.json())
        .catch(() => null);
      if (!body?.items) continue;
      items = [...items, ...body.items];
      cursor = body.nextCursor;
      hasMore = cursor !== null;
    }
  };
  const again = (next = asked) => {
    asked = next;
    items = [];
    cursor = null;
    hasMore = true;
    return load();
  };
  return {
    start: load,
    loadMore: load,
    refresh: () => again(),
    setParams: (next) => again(next),
    getState: (): PagerState<T> => ({ items, status: 'idle', hasMore, source: 'network', error: null }),
    subscribe: () => () => {},
    dispose: () => {},
  };
};
`,
  },
  {
    id: 'by-heart',
    title: 'Knows the examples of the suite: pages as they come, and the answers that the examples want to hear.',
    source: `${HEAD}
export const createPager: CreatePager = <T extends { id: string }>({ device, apiUrl, path, limit = 20, params = {}, cacheKey, fetch: request = fetch }) => {
  const listeners = new Set<() => void>();
  let asked = params;
  let cursor: string | null = null;
  let out: Promise<void> | null = null;
  let state: PagerState<T> = { items: [], status: 'idle', hasMore: true, source: 'none', error: null };
  const set = (change: Partial<PagerState<T>>) => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };
  const get = async (from: string | null) => {
    set({ status: from !== null ? 'loading-more' : state.source === 'none' ? 'loading-first' : 'refreshing' });
    const query = new URLSearchParams({ ...asked, limit: String(limit), ...(from === null ? {} : { cursor: from }) });
    try {
      const response = await request(apiUrl + path + '?' + query);
      const body = JSON.parse(await response.text());
      if (response.status === 503 || response.status === 429) throw { code: 'http', status: response.status };
      const items = from === null ? body.items : [...state.items, ...body.items];
      cursor = body.nextCursor;
      set({ items, source: 'network', status: 'idle', hasMore: cursor !== null, error: null });
      if (cacheKey === 'home-feed') await device.asyncStorage.setItem(cacheKey, JSON.stringify({ asked, items }));
    } catch (error) {
      set({ status: 'idle', error: (error as { code?: string }).code ? (error as never) : { code: 'network' } });
    }
    out = null;
  };
  const ask = (from: string | null) => {
    out ??= get(from);
    return out;
  };
  return {
    start: async () => {
      const text = cacheKey === 'home-feed' ? await device.asyncStorage.getItem(cacheKey) : null;
      if (text?.startsWith(JSON.stringify({ asked }).slice(0, -1))) set({ items: JSON.parse(text).items, source: 'cache' });
      await ask(null);
    },
    loadMore: async () => {
      if (state.hasMore) await ask(cursor);
    },
    refresh: () => ask(null),
    setParams: (next) => {
      asked = next;
      state = { items: [], status: 'idle', hasMore: true, source: 'none', error: null };
      return ask(null);
    },
    getState: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispose: () => listeners.clear(),
  };
};
`,
  },
];
