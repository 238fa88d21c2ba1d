// What the server's news change: an event of the stream, or a chat as a list tells it. Nothing here is kept.
import { isMessageCreated, isReceiptUpdated } from './api.ts';
import type { Change } from './ledger.ts';
import { type ChatRow, type Confirmed, highest, marksOf, mergeReceipts, type Receipt, type ToldChat } from './rows.ts';

/** An event of the user's stream. Names that nobody knows count as read. */
export interface StreamEvent {
  readonly name: string;
  readonly data: unknown;
  readonly seq: number;
}

export function apply(change: Change, { name, data, seq }: StreamEvent): void {
  if (name === 'message_created' && isMessageCreated(data)) {
    change.keep(data.message);
    tell(change, data.chat, seq, data.message);
  }
  if (name === 'receipt_updated' && isReceiptUpdated(data)) receive(change, data, seq);
  change.position = { ...change.position, cursor: seq };
}

/** A chat as the server had it at a number of the stream. Older news than the phone's own changes nothing. */
export function tell(change: Change, chat: ToldChat, asOf: number, message?: Confirmed): void {
  const { lastSequenceId, receipts, ...summary } = chat;
  const row = change.row(summary.chatId);
  const floor = row.floor ?? lastSequenceId + 1;
  if (row.summary && asOf <= row.asOf) {
    change.edit(row.chatId, { floor });
    return;
  }
  const serverRead = marksOf(receipts, change.userId).readUpTo;
  const own = highest([row.own, { readUpTo: serverRead }]);
  // The server counts from the mark it knows. From a mark ahead of that the phone counts for itself.
  const isAhead = own.readUpTo > serverRead;
  const mostUnread = Math.min(summary.unreadCount, lastSequenceId - own.readUpTo);
  const unreadCount = isAhead ? unreadSince(row, message, mostUnread, change.userId) : summary.unreadCount;
  change.edit(row.chatId, {
    summary: { ...summary, unreadCount },
    asOf,
    floor,
    own,
    receipts: mergeReceipts(row.receipts, receipts),
  });
}

function unreadSince({ summary, own }: ChatRow, message: Confirmed | undefined, most: number, userId: string): number {
  if (!summary || !message) return most;
  const isUnread = message.fromUserId !== userId && message.sequenceId > own.readUpTo;
  return Math.min(most, summary.unreadCount + (isUnread ? 1 : 0));
}

type ReceiptUpdate = Receipt & { readonly chatId: string; readonly unreadCount: number };

function receive(change: Change, { chatId, unreadCount, ...marks }: ReceiptUpdate, seq: number): void {
  const row = change.row(chatId);
  const receipts = mergeReceipts(row.receipts, [marks]);
  const isOwn = marks.userId === change.userId;
  const isNews = isOwn && seq > row.asOf && marks.readUpTo >= row.own.readUpTo;
  const summary = row.summary && isNews ? { ...row.summary, unreadCount } : row.summary;
  change.edit(chatId, { receipts, summary, own: isOwn ? highest([row.own, marks]) : row.own });
}
