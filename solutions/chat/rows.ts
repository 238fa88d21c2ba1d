// What is stored: chats with their marks, messages, and what is still to be sent.
import type { Attachment, ChatSummary, Message, SendFailure } from '#contract/chat';

/** A message as the server tells it. */
export type Confirmed = Omit<Message, 'key' | 'id' | 'sequenceId' | 'status' | 'progress' | 'failure'> & {
  readonly id: string;
  readonly sequenceId: number;
};

/** A chat as the list and the events tell it. */
export interface ToldChat extends ChatSummary {
  readonly lastSequenceId: number;
  readonly receipts: readonly Receipt[];
}

export interface ChatRow {
  readonly chatId: string;
  /** Null: not in the list, as far as this phone knows. */
  readonly summary: ChatSummary | null;
  /** The stream's number up to which the summary counts. */
  readonly asOf: number;
  /** From here up all messages are stored, or the stream is about to bring them. Null: nothing is sure. */
  readonly floor: number | null;
  /** What the server knows, of all participants. */
  readonly receipts: readonly Receipt[];
  /** What this person has got and read. It may be ahead of the server. */
  readonly own: Marks;
}

export interface KeptFile {
  /** Names its private copy, too. */
  readonly uploadId: string;
  /** Of the private copy. */
  readonly uri: string;
  readonly name: string;
  readonly mime: string;
  readonly sizeBytes: number;
  /** Null until the server has all of it. */
  readonly fileUrl: string | null;
}

export interface Unsent {
  readonly localId: string;
  readonly chatId: string;
  /** Smaller goes first. */
  readonly place: number;
  readonly text: string;
  readonly files: readonly KeptFile[];
  readonly sentAt: string;
  /** When the 24 hours began, by the phone's clock. */
  readonly sinceMs: number;
  readonly failure: SendFailure | null;
}

/** How far the stream and the list have been read. */
export interface Position {
  /** All events up to this number are stored. Null: the list was never read. */
  readonly cursor: number | null;
  readonly nextChats: string | null;
}

export function toAttachment({ mime, sizeBytes }: Pick<KeptFile, 'mime' | 'sizeBytes'>, url: string): Attachment {
  const [kind] = mime.split('/');
  return { type: kind === 'image' || kind === 'video' ? kind : 'file', url, mime, sizeBytes };
}

// ---------------------------------------------------------------------------------------------------------------------
// Marks only rise: whatever comes late has nothing that it could overwrite.

/** Up to which message somebody has got, and has read, a chat: one mark stands for all earlier ones. */
export interface Marks {
  readonly deliveredUpTo: number;
  readonly readUpTo: number;
}
export type Receipt = Marks & { readonly userId: string };

export const NO_MARKS: Marks = { deliveredUpTo: 0, readUpTo: 0 };

export const highest = (all: readonly Partial<Marks>[]): Marks => ({
  deliveredUpTo: Math.max(0, ...all.map(({ deliveredUpTo = 0 }) => deliveredUpTo)),
  readUpTo: Math.max(0, ...all.map(({ readUpTo = 0 }) => readUpTo)),
});

export const marksOf = (receipts: readonly Receipt[], userId: string): Marks =>
  highest(receipts.filter((receipt) => receipt.userId === userId));

export function mergeReceipts(known: readonly Receipt[], told: readonly Receipt[]): Receipt[] {
  const userIds = new Set([...known, ...told].map(({ userId }) => userId));
  return [...userIds].map((userId) => ({ userId, ...marksOf([...known, ...told], userId) }));
}
