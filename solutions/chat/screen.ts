// What screens see of what is stored. Status is derived, never kept: a late receipt has nothing that it could overwrite.
import type { ChatSummary, Message } from '#contract/chat';
import { type ChatRow, type Confirmed, highest, toAttachment, type Unsent } from './rows.ts';

const keyOf = (fromUserId: string, localId: string): string => `${fromUserId}/${localId}`;

export function toMessage(message: Confirmed, { receipts, own }: ChatRow, userId: string): Message {
  const isOwn = message.fromUserId === userId;
  // An own message is where the other side is with it; one of somebody else is where this person is.
  const marks = isOwn ? highest(receipts.filter((receipt) => receipt.userId !== userId)) : own;
  const status =
    message.sequenceId <= marks.readUpTo
      ? 'read'
      : message.sequenceId <= marks.deliveredUpTo || !isOwn
        ? 'delivered'
        : 'sent';
  return { ...message, key: keyOf(message.fromUserId, message.localId), status, progress: null, failure: null };
}

export function toUnsentMessage(message: Unsent, userId: string, progress: number): Message {
  const { localId, chatId, text, files, sentAt, failure } = message;
  return {
    key: keyOf(userId, localId),
    id: null,
    localId,
    chatId,
    fromUserId: userId,
    text,
    attachments: files.map(({ uri, ...file }) => toAttachment(file, uri)),
    sentAt,
    sequenceId: null,
    status: failure ? 'failed' : 'sending',
    progress: files.length > 0 ? progress : null,
    failure,
  };
}

export function byActivity(a: ChatSummary, b: ChatSummary): number {
  if (a.lastActivity !== b.lastActivity) return a.lastActivity < b.lastActivity ? 1 : -1;
  return a.chatId < b.chatId ? -1 : 1;
}
