// What is stored, and how screens see it. Status, order and progress are derived, never kept.
import type { Attachment, ChatSummary, Message, PickedFile } from '#contract/chat';

/** A message as the server tells it. */
export type Confirmed = Omit<Message, 'key' | 'status' | 'progress' | 'failure'> & { readonly sequenceId: number };

/** Up to which message somebody has got, and has read, a chat: one mark stands for all earlier ones. */
export type Marks = Readonly<Record<'deliveredUpTo' | 'readUpTo', number>>;
export type Receipt = Marks & { readonly userId: string };

/** A chat as the server tells it. */
export type ToldChat = ChatSummary & { readonly lastSequenceId: number; readonly receipts: readonly Receipt[] };

export type ChatsPage = {
  readonly chats: readonly ToldChat[];
  readonly nextCursor: string | null;
  readonly head: number;
};
export type MessagesPage = { readonly messages: readonly Confirmed[]; readonly receipts: readonly Receipt[] };

export interface ChatRow {
  readonly chatId: string;
  /** Null: not in the list, as far as this phone knows. */
  summary: ChatSummary | null;
  lastSequenceId: number;
  /** From here up all messages are stored, or the stream is about to bring them. Null: nothing is sure. */
  floor: number | null;
  /** What the server knows, by user. */
  receipts: Readonly<Record<string, Marks>>;
  /** What this person has got and read. It may be ahead of the server. */
  own: Marks;
}

/** A private copy, named after its upload. */
export type KeptFile = PickedFile & { readonly uploadId: string };

/** `sentAt`: when somebody has last asked for it, by `send` or `retry`. */
export interface Unsent extends Pick<Message, 'localId' | 'chatId' | 'text' | 'sentAt' | 'failure'> {
  readonly files: readonly KeptFile[];
}

/** What there is but once. */
export interface Desk {
  /** All events up to this number are stored. Null: the list was never read. */
  cursor: number | null;
  nextChats: string | null;
  /** How often all began anew. */
  resets: number;
  /** In send order. */
  unsent: readonly Unsent[];
}

/** Marks only rise: whatever comes late has nothing that it could overwrite. */
export const highest = (...all: readonly (Partial<Marks> | undefined)[]): Marks => ({
  deliveredUpTo: Math.max(0, ...all.map((marks) => marks?.deliveredUpTo ?? 0)),
  readUpTo: Math.max(0, ...all.map((marks) => marks?.readUpTo ?? 0)),
});

export const floorOf = (row: ChatRow | undefined): number => row?.floor ?? Number.POSITIVE_INFINITY;

export function toAttachment({ mime, sizeBytes }: KeptFile, url: string): Attachment {
  const [kind] = mime.split('/');
  return { type: kind === 'image' || kind === 'video' ? kind : 'file', url, mime, sizeBytes };
}

const keyOf = (fromUserId: string, localId: string): string => `${fromUserId}/${localId}`;

export function toMessages(confirmed: readonly Confirmed[], { receipts, own }: ChatRow, userId: string): Message[] {
  const others = Object.keys(receipts).filter((one) => one !== userId);
  const theirs = highest(...others.map((one) => receipts[one]));
  return confirmed.map((message) => {
    const { fromUserId, localId, sequenceId } = message;
    const isOwn = fromUserId === userId;
    // An own message is where the other side is with it; one of somebody else is where this person is.
    const isRead = sequenceId <= (isOwn ? theirs : own).readUpTo;
    const isDelivered = !isOwn || sequenceId <= theirs.deliveredUpTo;
    const status = isRead ? 'read' : isDelivered ? 'delivered' : 'sent';
    return { ...message, key: keyOf(fromUserId, localId), status, progress: null, failure: null };
  });
}

/** `confirmedBytes`: how much the server has, by upload. */
export function toUnsentMessage(one: Unsent, fromUserId: string, confirmedBytes: ReadonlyMap<string, number>): Message {
  const { files, ...message } = one;
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const doneBytes = files.reduce((sum, { uploadId }) => sum + (confirmedBytes.get(uploadId) ?? 0), 0);
  return {
    ...message,
    ...{ key: keyOf(fromUserId, one.localId), id: null, fromUserId, sequenceId: null },
    attachments: files.map((file) => toAttachment(file, file.uri)),
    status: one.failure ? 'failed' : 'sending',
    progress: files.length > 0 ? doneBytes / Math.max(1, totalBytes) : null,
  };
}

export function byActivity(a: ChatSummary, b: ChatSummary): number {
  if (a.lastActivity !== b.lastActivity) return a.lastActivity < b.lastActivity ? 1 : -1;
  return a.chatId < b.chatId ? -1 : 1;
}
