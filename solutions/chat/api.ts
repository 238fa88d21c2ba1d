// Requests: with the newest token, within 15 s, and not at all when nothing may leave. Owns the token and the session.
import type { ChatOptions } from '#contract/chat';
import { type Gate, judge, TRY_AGAIN, type Verdict } from '#solutions/offline-queue';
import { isObject, withTimeLimit } from '#solutions/token-refresh';
import type { Confirmed, Receipt, ToldChat } from './rows.ts';

const REQUEST_MS = 15_000;

/** How a request ended. `held`: it did not leave. */
export type Answer<Body = unknown> = Verdict<Body> | { readonly kind: 'held' };
export const HELD: Answer<never> = { kind: 'held' };

/** Tells the gate how a request that sends has ended. */
export function heed(gate: Gate, answer: Answer): void {
  if (answer.kind === 'transient') gate.failed(answer.retryAfterMs);
  if (answer.kind === 'accepted') gate.succeeded();
}

export type Api = ReturnType<typeof createApi>;

export function createApi({ apiUrl, accessToken }: ChatOptions, gate: Gate, sessionEnded: () => void) {
  let token = accessToken;
  let isSessionOver = false;
  const ending = new AbortController();

  const maySend = (): boolean => !ending.signal.aborted && gate.getState().isOnline === true && !isSessionOver;

  /** A 401 for the present token means that a new one is needed. One for an older token tells nothing. */
  async function withToken(url: string, init: RequestInit): Promise<Response> {
    const own = token;
    const headers = { ...(init.headers as Record<string, string>), Authorization: `Bearer ${own}` };
    const response = await fetch(url, { ...init, headers });
    if (response.status === 401 && own === token && !ending.signal.aborted) {
      isSessionOver = true;
      sessionEnded();
    }
    return response;
  }

  /** A GET, or a POST of a body. What is not as expected is no answer: a captive portal says 200, too. */
  async function ask<T>(path: string, isExpected: (value: unknown) => value is T, body?: object): Promise<Answer<T>> {
    if (!maySend()) return HELD;
    const post = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    const send = async (signal: AbortSignal) => judge(await withToken(apiUrl + path, { ...(body && post), signal }));
    const verdict = await limited(send).catch(() => TRY_AGAIN);
    if (verdict.kind !== 'accepted') return verdict;
    return isExpected(verdict.body) ? { kind: 'accepted', body: verdict.body } : TRY_AGAIN;
  }

  /** The storage host gets no token of ours. Gives how many bytes it has: 409 is its way to tell, too. */
  async function askStorage(url: string, init: RequestInit): Promise<number | 'expired' | Answer<never>> {
    if (!maySend()) return HELD;
    return limited(async (signal) => {
      const response = await fetch(url, { ...init, signal });
      if (response.status === 403) return 'expired';
      const body: unknown = await response.json();
      const isTold = (response.status === 200 || response.status === 409) && isObject(body);
      return isTold && typeof body.received === 'number' ? body.received : TRY_AGAIN;
    }).catch(() => TRY_AGAIN);
  }

  /** Its time covers the body, too. */
  const limited = <T>(request: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    withTimeLimit(REQUEST_MS, [ending.signal], request);

  return {
    ask,
    askStorage,
    fetch: ((input, init) => withToken(String(input), init ?? {})) as typeof fetch,
    maySend,
    isSessionOver: () => isSessionOver,
    setToken(accessToken: string): void {
      token = accessToken;
      isSessionOver = false;
    },
    end: () => ending.abort(),
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// What answers and events look like

/** A JSON object that has what is asked for: what else is in it is the server's word. */
const has =
  <T>(...names: (keyof T & string)[]) =>
  (value: unknown): value is T =>
    isObject(value) && names.every((name) => name in value);

export const isMessageAnswer = has<{ message: Confirmed }>('message');
export const isMessageCreated = has<{ message: Confirmed; chat: ToldChat }>('message', 'chat');
export const isReceipt = has<Receipt>('readUpTo');
export const isReceiptUpdated = has<Receipt & { chatId: string; unreadCount: number }>('chatId', 'readUpTo');
export const isEventsPage = has<{ events: { name: string; data: { seq: number } }[]; head: number }>('events');
export const isChatsPage = has<{ chats: ToldChat[]; nextCursor: string | null; head: number }>('chats');
export const isMessagesPage = has<{ messages: Confirmed[]; receipts: Receipt[] }>('messages');
export const isLink = has<{ uploadUrl: string; fileUrl: string }>('uploadUrl');
