// Requests: with the newest token, within 15 s, and not at all when nothing may leave. Owns the token and the session.
import type { ChatOptions } from '#contract/chat';
import { type Gate, judge, TRY_AGAIN, type Verdict } from '#solutions/offline-queue';
import { withTimeLimit } from '#solutions/token-refresh';

const REQUEST_MS = 15_000;

/** How many bytes the storage host has. `expired`: its link has run out. */
export type StorageAnswer = number | 'expired' | Verdict<never>;

export const pathOf = (chatId: string): string => `/chat/${encodeURIComponent(chatId)}`;

export type Api = ReturnType<typeof createApi>;

export function createApi({ apiUrl, accessToken }: ChatOptions, gate: Gate, sessionEnded: () => void) {
  let token = accessToken;
  let isSessionOver = false;
  const ending = new AbortController();

  const maySend = (): boolean => !ending.signal.aborted && !isSessionOver && gate.getState().isOnline === true;

  /** A 401 for the present token means that a new one is needed. One for an older token tells nothing. */
  const withToken: typeof fetch = async (url, init = {}) => {
    const own = token;
    const headers = { ...(init.headers as Record<string, string>), Authorization: `Bearer ${own}` };
    const response = await fetch(url, { ...init, headers });
    if (response.status === 401 && own === token && !ending.signal.aborted) {
      isSessionOver = true;
      sessionEnded();
    }
    return response;
  };

  /** What may not leave is to be tried again, like what has had no answer. The time covers the body, too. */
  async function limited<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T | Verdict<never>> {
    if (!maySend()) return TRY_AGAIN;
    return withTimeLimit(REQUEST_MS, [ending.signal], request).catch(() => TRY_AGAIN);
  }

  /** A GET, or a POST of a body. The shape of what a 2xx brings is the server's word. */
  async function ask<Body>(path: string, body?: object): Promise<Verdict<Body>> {
    const own = token;
    const verdict = await limited(async (signal) => {
      const post = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
      return (await judge(await withToken(apiUrl + path, { ...(body && post), signal }))) as Verdict<Body>;
    });
    // What sends is asked for again by itself; what reads, at once.
    return verdict.kind === 'unauthorised' && own !== token && !body ? ask(path) : verdict;
  }

  /** The storage host gets no token of ours. A 409 is its way to tell how much it has, too. */
  const askStorage = (url: string, init: RequestInit = {}): Promise<StorageAnswer> =>
    limited(async (signal) => {
      const response = await fetch(url, { ...init, signal });
      if (response.status === 403) return 'expired';
      const { received } = (await response.json()) as { received: unknown };
      const isTold = response.status === 200 || response.status === 409;
      return isTold && typeof received === 'number' ? received : TRY_AGAIN;
    });

  return {
    ...{ ask, askStorage, maySend, fetch: withToken },
    isSessionOver: () => isSessionOver,
    setToken(accessToken: string): void {
      token = accessToken;
      isSessionOver = false;
    },
    end: () => ending.abort(),
  };
}
