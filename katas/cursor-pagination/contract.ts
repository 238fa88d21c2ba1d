// What a pager is, seen from outside: types only, shared by stub, reference and suite.
import type { Device } from '#phone';

/** What a list can be made of. */
export interface PagerItem {
  readonly id: string;
}

/** What the list is about: the filter, the order. Sent with every request, next to `limit` and `cursor`. */
export type PagerParams = Readonly<Record<string, string | number | boolean>>;

export interface PagerError {
  /** `network`: no answer. `http`: an answer that is no 2xx. `bad-response`: a 2xx that is no page. */
  readonly code: 'network' | 'http' | 'bad-response';
  /** With `http` only. */
  readonly status?: number;
}

export type PagerStatus = 'idle' | 'loading-first' | 'loading-more' | 'refreshing';

export interface PagerState<T> {
  /** Best first, each id once. */
  readonly items: readonly T[];
  /** `loading-first`: a first page is on its way and `source` is `none`. `refreshing`: the same, with something to show. */
  readonly status: PagerStatus;
  /** False only once a page from the network had `nextCursor: null`. */
  readonly hasMore: boolean;
  /** Where `items` come from. `none`: nobody has told yet, for these params. */
  readonly source: 'none' | 'cache' | 'network';
  /** Why the last call failed; null after one that did not. */
  readonly error: PagerError | null;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null at the end. */
  readonly nextCursor: string | null;
}

export interface PageRequest {
  /** Null asks for the first page. */
  readonly cursor: string | null;
  readonly limit: number;
  readonly params: PagerParams;
  /** Aborts when nobody waits for the page any more. */
  readonly signal: AbortSignal;
}

export interface PagerOptions<T extends PagerItem> {
  readonly device: Device;
  /** Without a slash at its end, such as `https://api.example.com`. */
  readonly apiUrl: string;
  /** Begins with a slash, such as `/posts`. */
  readonly path: string;
  /** Items asked for in a page: 20 unless given. */
  readonly limit?: number;
  readonly params?: PagerParams;
  /** Names the stored first page. Without one nothing is stored. */
  readonly cacheKey?: string;
  /** Used in place of the global one: a session layer can stand in front of the pager this way. */
  readonly fetch?: typeof fetch;
  /**
   * Replaces the request. `restart` says that the server does not take the cursor any more (R10).
   * A rejection is a failed page; one that carries `code` and `status` of a `PagerError` shows as such, any other as `network`.
   */
  readonly fetchPage?: (request: PageRequest) => Promise<Page<T> | 'restart'>;
}

/** Every promise resolves when the work has ended. None rejects: failures are in the state. */
export interface Pager<T extends PagerItem> {
  /** Shows the stored first page if there is one for these params, then loads the first page. Called once, before all else. */
  start(): Promise<void>;
  loadMore(): Promise<void>;
  refresh(): Promise<void>;
  /** Another question: clears the list at once, then loads its first page. */
  setParams(params: PagerParams): Promise<void>;
  getState(): PagerState<T>;
  /** Calls the listener after each change of the state. Gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Aborts what is out. Nothing changes or is sent afterwards. */
  dispose(): void;
}

export type CreatePager = <T extends PagerItem>(options: PagerOptions<T>) => Pager<T>;

/** What an attempt exports. */
export interface CursorPaginationModule {
  readonly createPager: CreatePager;
}
