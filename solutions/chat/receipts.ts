// Receipts have no queue: there is what the phone knows and what the server knows, and the difference is sent whenever it
// is looked at. Owns when each chat has told last, and what came of it.
import { heed, isReceipt } from './api.ts';
import type { Core } from './core.ts';
import { type ChatRow, type Confirmed, highest, type Marks, marksOf, mergeReceipts, NO_MARKS } from './rows.ts';
import type { Threads } from './threads.ts';

const RECEIPTS_EVERY_MS = 1_000;

export function createReceipts(core: Core, threads: Threads) {
  const { device, userId, ledger, api, gate } = core;
  const sentAtMs = new Map<string, number>();
  /** Chats with a request on its way. */
  const out = new Set<string>();
  /** Marks that the server would not have. */
  const refused = new Map<string, Marks>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const markRead = (chatId: string, sequenceId: number): Promise<void> =>
    ledger.commit((change) => {
      const thread = threads.open.get(chatId);
      const { own, summary } = change.row(chatId);
      const readUpTo = Math.min(sequenceId, thread?.rows.at(-1)?.sequenceId ?? 0);
      // Read is what somebody has seen: in an open thread, on a screen that is on.
      if (!thread || device.appState.currentState !== 'active' || readUpTo <= own.readUpTo) return;
      const isUnread = (one: Confirmed) => one.fromUserId !== userId && one.sequenceId > readUpTo;
      const unreadCount = Math.min(summary?.unreadCount ?? 0, thread.rows.filter(isUnread).length);
      change.edit(chatId, { own: { ...own, readUpTo }, summary: summary && { ...summary, unreadCount } });
    });

  function pump(): void {
    const ahead = [...ledger.rows.values()].filter((row) => !out.has(row.chatId) && marksToSend(row));
    const nowMs = performance.now();
    const waitMs = ({ chatId }: ChatRow) => (sentAtMs.get(chatId) ?? -RECEIPTS_EVERY_MS) + RECEIPTS_EVERY_MS - nowMs;
    for (const row of ahead.filter((row) => waitMs(row) <= 0)) void send(row);
    const waits = ahead.map(waitMs).filter((ms) => ms > 0);
    if (waits.length > 0) timer = setTimeout(core.pump, Math.min(...waits));
  }

  /** Null when the server knows all, or would not have them. */
  function marksToSend({ chatId, own, receipts }: ChatRow): Partial<Marks> | null {
    const known = highest([marksOf(receipts, userId), refused.get(chatId) ?? NO_MARKS]);
    const { deliveredUpTo, readUpTo } = own;
    const body = {
      ...(deliveredUpTo > Math.max(known.deliveredUpTo, readUpTo) && { deliveredUpTo }),
      ...(readUpTo > known.readUpTo && { readUpTo }),
    };
    return Object.keys(body).length > 0 ? body : null;
  }

  async function send(row: ChatRow): Promise<void> {
    const { chatId, own } = row;
    out.add(chatId);
    sentAtMs.set(chatId, performance.now());
    const answer = await api.ask(`/chat/${encodeURIComponent(chatId)}/receipts`, isReceipt, marksToSend(row) ?? {});
    out.delete(chatId);
    if (answer.kind === 'refused') refused.set(chatId, own);
    // The marks that the server has now. They are stored when the stream tells them.
    if (answer.kind === 'accepted') {
      const told = ledger.rowOf(chatId);
      ledger.note({ ...told, receipts: mergeReceipts(told.receipts, [{ ...own, userId }]) });
    }
    heed(gate, answer);
    core.pump();
  }

  return { markRead, pump, rest: () => clearTimeout(timer) };
}
