// What a chat client is, seen from outside: types only, shared by stub, reference and suite.
import type { Device } from '#phone';

export interface User {
  readonly userId: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly avatarThumb: string;
  readonly avatarFull: string;
}

/** One line of the chat list. */
export interface ChatSummary {
  readonly chatId: string;
  readonly participants: readonly User[];
  /** By the server's clock: ISO text. */
  readonly lastActivity: string;
  /** The newest message's text, as the server shortens it. */
  readonly preview: string;
  /** Messages of others above one's own read mark. */
  readonly unreadCount: number;
}

export interface Attachment {
  readonly type: 'image' | 'video' | 'file';
  /** Where it can be shown from: the private copy until the message is confirmed, then what the server says. */
  readonly url: string;
  readonly mime: string;
  readonly sizeBytes: number;
}

export type MessageStatus = 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

/** Why a message was given up: the server refused it, or 24 hours went by. */
export interface SendFailure {
  readonly code: 'refused' | 'expired';
  /** The HTTP status of a refusal; null for `expired`. */
  readonly status: number | null;
  /** The server's own words; empty when it gave none. */
  readonly message: string;
}

export interface Message {
  /** Unique in its thread, and the same from `send` to the end, over restarts. */
  readonly key: string;
  /** The server's; null while unsent. */
  readonly id: string | null;
  /** Made by the sender. */
  readonly localId: string;
  readonly chatId: string;
  readonly fromUserId: string;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  /** By the sender's clock, for display only: ISO text. */
  readonly sentAt: string;
  /** The server's place in the chat, from 1; null while unsent. */
  readonly sequenceId: number | null;
  readonly status: MessageStatus;
  /** Bytes of its files that the server has confirmed over all of them, 0 to 1; null once sent, and without files. */
  readonly progress: number | null;
  /** Null unless it is `failed`. */
  readonly failure: SendFailure | null;
}

export interface Thread {
  /** Confirmed ones by sequenceId, then unsent ones in send order. */
  readonly messages: readonly Message[];
  readonly hasOlder: boolean;
  readonly loadingOlder: boolean;
}

export type Connection = 'offline' | 'connecting' | 'live' | 'needsToken';

export interface ChatState {
  readonly connection: Connection;
  /** Newest activity first. */
  readonly chats: readonly ChatSummary[];
  readonly hasMoreChats: boolean;
  /** Open chats only, by chatId. */
  readonly threads: Readonly<Record<string, Thread>>;
}

/** A file that a person has picked. */
export interface PickedFile {
  /** In the picker's cache: the OS may clear it at any time. */
  readonly uri: string;
  readonly name: string;
  readonly mime: string;
  readonly sizeBytes: number;
}

export interface Draft {
  readonly text?: string;
  readonly attachments?: readonly PickedFile[];
}

/** Why a call was turned down: the `code` of the `Error` it rejects with. */
export type ChatErrorCode = 'empty' | 'source-lost' | 'storage-full' | 'storage-failed' | 'not-found' | 'over';

export interface ChatError extends Error {
  readonly code: ChatErrorCode;
}

export interface ChatOptions {
  readonly device: Device;
  /** Without a slash at its end, such as `https://api.example.com`. */
  readonly apiUrl: string;
  readonly userId: string;
  readonly accessToken: string;
}

/** Calls made before `start` has resolved wait for it. None rejects for the network's sake. */
export interface Chat {
  /** Resolves when what is stored is in the state; then connects. After a rejection it may be called again. */
  start(): Promise<void>;
  /** After a renewal. */
  setToken(accessToken: string): void;
  /** Resolves once nothing of this user is stored. Afterwards only `dispose` is left to call. */
  signOut(): Promise<void>;
  /** Resolve when the page is in the state, or could not be had. */
  loadMoreChats(): Promise<void>;
  openChat(chatId: string): Promise<void>;
  loadOlder(chatId: string): Promise<void>;
  closeChat(chatId: string): Promise<void>;
  /** Resolves once the message would survive a kill. Rejects with a `ChatError`; then nothing is kept or sent. */
  send(chatId: string, draft: Draft): Promise<{ readonly localId: string }>;
  /** Sends a failed message once more, as the last of its chat. */
  retry(localId: string): Promise<void>;
  /** Takes away an unsent message, with its files. */
  discard(localId: string): Promise<void>;
  /** The newest message that the person has really seen. */
  markRead(chatId: string, sequenceId: number): Promise<void>;
  /** The same object until it changes. */
  getState(): ChatState;
  /** Calls the listener after each change of the state. Gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Ends requests, timers, listeners and the connection. What is stored stays for the next launch. */
  dispose(): void;
}

export type CreateChat = (options: ChatOptions) => Chat;

/** What an attempt exports. */
export interface ChatModule {
  readonly createChat: CreateChat;
}
