// Open chats and their history: what is stored comes first, then pages of the server. Owns which chats are open, what of
// each is shown, and which page is on its way.
import { type Answer, isMessagesPage } from './api.ts';
import type { Core } from './core.ts';
import type { Change } from './ledger.ts';
import { type Confirmed, mergeReceipts } from './rows.ts';

const PAGE = 50;

export interface OpenThread {
  rows: readonly Confirmed[];
  /** Its first page could not be had. */
  isWanting: boolean;
}

export type Threads = ReturnType<typeof createThreads>;

export function createThreads({ ledger, api, gate, show }: Core) {
  const threads = new Map<string, OpenThread>();
  /** Pages on their way, by chat: a thread may be closed and opened again meanwhile. */
  const loading = new Map<string, Promise<void>>();

  /** The first message of a chat has number 1: the counter is the server's word for the beginning. */
  const hasOlder = (chatId: string): boolean =>
    (threads.get(chatId)?.rows[0]?.sequenceId ?? ledger.rowOf(chatId).floor ?? Number.POSITIVE_INFINITY) > 1;

  const isShort = (chatId: string, { rows }: OpenThread): boolean => rows.length < PAGE && hasOlder(chatId);

  async function openChat(chatId: string): Promise<void> {
    await ledger.ready();
    if (!threads.has(chatId)) await readStored(chatId);
    await loadFirst(chatId);
  }

  const readStored = (chatId: string): Promise<void> =>
    ledger.readBelow(chatId, Number.POSITIVE_INFINITY, PAGE, (stored) => {
      if (threads.has(chatId)) return;
      const thread = { rows: joined(stored, ledger.rowOf(chatId).floor), isWanting: false };
      threads.set(chatId, thread);
      // Otherwise it is shown as its page begins to load.
      if (loading.has(chatId) || !isShort(chatId, thread)) show();
    });

  async function closeChat(chatId: string): Promise<void> {
    await ledger.ready();
    if (threads.delete(chatId)) show();
  }

  /** Loads the latest page only if the phone does not hold as much of the thread already. */
  async function loadFirst(chatId: string): Promise<void> {
    const thread = threads.get(chatId);
    if (!thread) return;
    thread.isWanting = isShort(chatId, thread);
    // Stored messages may come in islands: each time more has come, it is looked at again.
    for (let before = Number.NaN; isShort(chatId, thread) && before !== thread.rows.length; ) {
      before = thread.rows.length;
      await loadMore(chatId);
    }
  }

  async function loadOlder(chatId: string): Promise<void> {
    await ledger.ready();
    await loadMore(chatId);
  }

  async function loadMore(chatId: string): Promise<void> {
    const thread = threads.get(chatId);
    if (!thread || ledger.isOver()) return;
    if (!loading.has(chatId) && hasOlder(chatId)) {
      const page = loadBelow(chatId, thread)
        .catch(() => undefined)
        .finally(() => {
          loading.delete(chatId);
          show();
        });
      loading.set(chatId, page);
      show();
    }
    await loading.get(chatId);
  }

  /** What is stored right below comes first; where the next number is missing, the server is asked. */
  async function loadBelow(chatId: string, thread: OpenThread): Promise<void> {
    const before = thread.rows[0]?.sequenceId ?? ledger.rowOf(chatId).floor;
    const epoch = ledger.resets();
    const isStill = () => epoch === ledger.resets();
    // Without a floor nothing that is stored is sure to join.
    const below = before === null ? [] : await ledger.readBelow(chatId, before, PAGE, (rows) => joined(rows, before));
    const [lowest] = below;
    if (isStill() && !lowest) await loadPage(chatId, before);
    if (isStill() && lowest) {
      await ledger.commit((change) => {
        if (!isStill()) return;
        thread.rows = [...below, ...thread.rows];
        change.edit(chatId, { floor: Math.min(lowest.sequenceId, change.row(chatId).floor ?? lowest.sequenceId) });
      });
    }
    // All began anew meanwhile, and what has come is not what is wanted now.
    if (!isStill()) await loadBelow(chatId, thread);
  }

  async function loadPage(chatId: string, before: number | null): Promise<void> {
    const epoch = ledger.resets();
    const below = before === null ? '' : `&before=${before}`;
    const answer = await api.ask(`/chat/${encodeURIComponent(chatId)}/all?limit=${PAGE}${below}`, isMessagesPage);
    if (answer.kind !== 'accepted') {
      pageFailed(chatId, answer);
      return;
    }
    const { messages, receipts } = answer.body;
    await ledger.commit((change) => {
      const thread = threads.get(chatId);
      if (thread && epoch === ledger.resets()) thread.isWanting = false;
      for (const message of messages) change.keep(message);
      const row = change.row(chatId);
      const lowest = messages.at(-1)?.sequenceId ?? 1;
      // After a reset the page need not join what is above it. It waits on the disk until paging gets there.
      const floor = epoch === ledger.resets() ? Math.min(lowest, row.floor ?? lowest) : ledger.rowOf(chatId).floor;
      change.edit(chatId, { floor, receipts: mergeReceipts(row.receipts, receipts) });
    });
  }

  /** The page of an opening is tried again; what somebody has scrolled for is theirs to ask for again. */
  function pageFailed(chatId: string, answer: Answer): void {
    const thread = threads.get(chatId);
    if (!thread?.isWanting) return;
    if (answer.kind === 'refused') thread.isWanting = false;
    if (answer.kind === 'transient') gate.failed(answer.retryAfterMs);
  }

  /** Takes what was stored into the threads that are open. */
  function absorb({ messages, isReset }: Change): void {
    for (const [chatId, thread] of threads) {
      const shown = isReset ? [] : thread.rows;
      const bounds = [shown[0]?.sequenceId, ledger.rowOf(chatId).floor];
      const from = Math.min(...bounds.map((bound) => bound ?? Number.POSITIVE_INFINITY));
      const fresh = messages.filter((message) => message.chatId === chatId && message.sequenceId >= from);
      if (fresh.length === 0 && !isReset) continue;
      const known = new Map([...shown, ...fresh].map((message) => [message.sequenceId, message]));
      thread.rows = [...known.values()].sort((a, b) => a.sequenceId - b.sequenceId);
    }
    if (isReset) for (const chatId of threads.keys()) void loadFirst(chatId);
  }

  /** First pages that are still owed are asked for again. */
  function pump(): void {
    for (const [chatId, { isWanting }] of threads) if (isWanting && !loading.has(chatId)) void loadFirst(chatId);
  }

  return {
    ...{ openChat, loadOlder, closeChat, absorb, pump, hasOlder },
    open: threads as ReadonlyMap<string, OpenThread>,
    isLoading: (chatId: string) => loading.has(chatId),
    clear: () => threads.clear(),
  };
}

/**
 * Stored messages, newest first, as far down as nothing is missing: all from the floor up, and below it as long as each
 * number follows on the one above. Given back oldest first. The counter has no gaps, so a hole shows in the numbers.
 */
function joined(stored: readonly Confirmed[], floor: number | null): Confirmed[] {
  let lowest = floor ?? Number.NEGATIVE_INFINITY;
  const hole = stored.findIndex(({ sequenceId }) => {
    const isMissing = floor === null || sequenceId < lowest - 1;
    lowest = Math.min(lowest, sequenceId);
    return isMissing;
  });
  return stored.slice(0, hole < 0 ? stored.length : hole).reverse();
}
