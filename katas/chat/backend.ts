// The messenger's server: chats with one counter each, a numbered stream for each user, receipts, uploads, Pusher.
import type { Context } from 'hono';
import { Hono } from 'hono/quick';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Attachment, User } from '#contract/chat';
import { type Backend, createPusherServer, type Json, type PusherServer, type RealtimeContext } from '#simulator';

export const APP_KEY = 'talk';
export const UPLOADS = 'https://uploads.talk.test';
export const PIECE_BYTES = 256 * 1_024;
const FILE_MAX_BYTES = 25 * 1_024 * 1_024;
const FILES_MAX = 10;
const TEXT_MAX = 4_000;
const URL_LIVES_MS = 15 * 60_000;
const PREVIEW_MAX = 60;

/** A message as it goes over the wire. */
export type StoredMessage = {
  readonly id: string;
  readonly localId: string;
  readonly chatId: string;
  readonly fromUserId: string;
  readonly text: string;
  readonly attachments: Attachment[];
  readonly sentAt: string;
  readonly sequenceId: number;
};

/** Up to which sequenceId a person has got, and has read, a chat's messages. */
export type Receipt = { readonly userId: string; readonly deliveredUpTo: number; readonly readUpTo: number };

export interface StoredChat {
  readonly chatId: string;
  readonly userIds: readonly string[];
  readonly messages: StoredMessage[];
  readonly receipts: Map<string, Receipt>;
  lastActivity: string;
}

export interface StoredFile {
  readonly uploadId: string;
  readonly sizeBytes: number;
  readonly mime: string;
  /** What has arrived, in order. */
  readonly pieces: Uint8Array[];
  received: number;
}

export interface ChatBackend extends Backend {
  readonly pusher: PusherServer;
  readonly chats: ReadonlyMap<string, StoredChat>;
  readonly files: ReadonlyMap<string, StoredFile>;
  /** A new access token of a user. Earlier ones stay good until `revoke`. */
  issueToken(userId: string): string;
  /** No token that this user has is good any more. */
  revoke(userId: string): void;
  addChat(chatId: string, userIds: readonly string[]): StoredChat;
  /** A message by somebody at another device. `sentAt` is that device's clock. */
  write(chatId: string, fromUserId: string, text: string, sentAt?: string): StoredMessage;
  /** Receipts by somebody at another device. */
  mark(chatId: string, userId: string, marks: { deliveredUpTo?: number; readUpTo?: number }): void;
  unreadOf(chatId: string, userId: string): number;
  /** The stream's newest number. */
  headOf(userId: string): number;
  /** Events of a user's stream up to now can no longer be read. */
  forget(userId: string): void;
  /** Where a user's pushes go: a phone's index. */
  readonly phones: Map<string, number>;
}

interface Answer {
  readonly status: ContentfulStatusCode;
  readonly body: Json;
}
const refusal = (status: ContentfulStatusCode, error: string): Answer => ({
  status,
  body: { error, message: `Refused: ${error}.` },
});

const channelOf = (userId: string) => `private-user-${userId}`;

export function createBackend(context: RealtimeContext): ChatBackend {
  const chats = new Map<string, StoredChat>();
  const files = new Map<string, StoredFile>();
  const phones = new Map<string, number>();
  const tokens = new Map<string, string>();
  let issued = 0;

  // -------------------------------------------------------------------------------------------------------------------
  // Chats and streams

  const nowText = () => new Date(context.nowMs()).toISOString();
  const chatsOf = (userId: string) =>
    [...chats.values()]
      .filter(({ userIds }) => userIds.includes(userId))
      .sort((a, b) => (a.lastActivity === b.lastActivity ? 0 : a.lastActivity < b.lastActivity ? 1 : -1));

  function addChat(chatId: string, userIds: readonly string[]): StoredChat {
    const receipts = new Map(userIds.map((userId) => [userId, { userId, deliveredUpTo: 0, readUpTo: 0 }]));
    const chat: StoredChat = { chatId, userIds, messages: [], receipts, lastActivity: nowText() };
    chats.set(chatId, chat);
    return chat;
  }

  function unreadOf(chatId: string, userId: string): number {
    const chat = chats.get(chatId);
    const readUpTo = chat?.receipts.get(userId)?.readUpTo ?? 0;
    let count = 0;
    // From the newest down: what is read is mostly far longer than what is not.
    for (let n = (chat?.messages.length ?? 0) - 1; n >= readUpTo; n -= 1)
      if (chat?.messages[n]?.fromUserId !== userId) count += 1;
    return count;
  }

  /** A chat as its line in somebody's list. */
  const summaryFor = (chat: StoredChat, userId: string): { [name: string]: Json } => ({
    chatId: chat.chatId,
    participants: chat.userIds.map(personOf),
    lastActivity: chat.lastActivity,
    preview: previewOf(chat.messages.at(-1)),
    unreadCount: unreadOf(chat.chatId, userId),
    lastSequenceId: chat.messages.length,
    receipts: [...chat.receipts.values()],
  });

  function append(chat: StoredChat, message: Omit<StoredMessage, 'id' | 'chatId' | 'sequenceId'>): StoredMessage {
    const sequenceId = chat.messages.length + 1;
    const stored = { ...message, id: `${chat.chatId}/${sequenceId}`, chatId: chat.chatId, sequenceId };
    chat.messages.push(stored);
    chat.lastActivity = nowText();
    const { fromUserId, localId, text } = stored;
    context.record('message', { chatId: chat.chatId, fromUserId, localId, text, sequenceId });
    for (const userId of chat.userIds) {
      const seq = pusher.trigger(channelOf(userId), 'message_created', {
        message: stored as unknown as Json,
        chat: summaryFor(chat, userId),
      });
      const phone = phones.get(userId);
      if (userId !== fromUserId && phone !== undefined && seq !== null)
        context.push(phone, { chatId: chat.chatId, seq });
    }
    return stored;
  }

  function mark(chatId: string, userId: string, marks: { deliveredUpTo?: number; readUpTo?: number }): Receipt | null {
    const chat = chats.get(chatId);
    const old = chat?.receipts.get(userId);
    if (!chat || !old) return null;
    const readUpTo = Math.min(chat.messages.length, Math.max(old.readUpTo, marks.readUpTo ?? 0));
    const deliveredUpTo = Math.min(
      chat.messages.length,
      Math.max(old.deliveredUpTo, marks.deliveredUpTo ?? 0, readUpTo),
    );
    if (readUpTo === old.readUpTo && deliveredUpTo === old.deliveredUpTo) return old;
    const receipt: Receipt = { userId, deliveredUpTo, readUpTo };
    chat.receipts.set(userId, receipt);
    context.record('receipt', { chatId, ...receipt });
    for (const reader of chat.userIds) {
      const event = { chatId, ...receipt, unreadCount: unreadOf(chatId, reader) };
      pusher.trigger(channelOf(reader), 'receipt_updated', event);
    }
    return receipt;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Requests

  const userOf = (c: Context): string | null =>
    tokens.get(c.req.header('Authorization')?.replace(/^Bearer /, '') ?? '') ?? null;

  const reply = ({ status, body }: Answer, c: Context) =>
    c.json(body, status, { Date: new Date(context.nowMs()).toUTCString() });

  const forUser = async (c: Context, answer: (userId: string, body: Fields) => Answer) => {
    const text = c.req.method === 'POST' ? await c.req.text() : '{}';
    const userId = userOf(c);
    return reply(userId === null ? refusal(401, 'invalid_token') : answer(userId, fieldsOf(text)), c);
  };

  /** The chat of a request's path, as the user may see it. */
  function chatFor(c: Context, userId: string): StoredChat | Answer {
    const chat = chats.get(c.req.param('chatId') ?? '');
    if (!chat) return refusal(404, 'no_such_chat');
    return chat.userIds.includes(userId) ? chat : refusal(403, 'not_a_participant');
  }

  function list(userId: string, cursor: string | undefined, limit: number): Answer {
    const all = chatsOf(userId);
    const from = cursor === undefined ? 0 : all.findIndex(({ chatId }) => chatId === cursor) + 1;
    const page = all.slice(from, from + limit);
    const nextCursor = from + limit < all.length ? (page.at(-1)?.chatId ?? null) : null;
    const head = pusher.headOf(channelOf(userId));
    return { status: 200, body: { chats: page.map((chat) => summaryFor(chat, userId)), nextCursor, head } };
  }

  function eventsAfter(userId: string, seq: number, limit: number): Answer {
    const found = pusher.eventsAfter(channelOf(userId), seq, limit);
    if (found === 'gone') return refusal(410, 'gone');
    return { status: 200, body: { events: found.events.map(({ name, data }) => ({ name, data })), head: found.head } };
  }

  function page(chat: StoredChat, before: number, limit: number): Answer {
    const older = chat.messages.slice(0, Math.max(0, before - 1));
    const messages = older.slice(-limit).reverse();
    const receipts = [...chat.receipts.values()];
    return { status: 200, body: { messages, hasMore: older.length > messages.length, receipts } as unknown as Json };
  }

  function post(chat: StoredChat, fromUserId: string, { localId, text, attachments, sentAt }: Fields): Answer {
    if (typeof localId !== 'string' || typeof text !== 'string' || typeof sentAt !== 'string')
      return refusal(422, 'incomplete');
    const isSame = (one: StoredMessage) => one.localId === localId && one.fromUserId === fromUserId;
    const known = chat.messages.find(isSame);
    if (known) return { status: 200, body: { message: known } as unknown as Json };
    const given = Array.isArray(attachments) ? (attachments as Attachment[]) : [];
    if (text.length > TEXT_MAX || given.length > FILES_MAX) return refusal(422, 'too_long');
    if (text === '' && given.length === 0) return refusal(422, 'empty');
    if (!given.every(isWhole)) return refusal(422, 'file_incomplete');
    const message = append(chat, { localId, fromUserId, text, attachments: given, sentAt });
    return { status: 201, body: { message } as unknown as Json };
  }

  function isWhole({ url, sizeBytes }: Attachment): boolean {
    const file = files.get(url.split('/').at(-1) ?? '');
    return file?.received === file?.sizeBytes && file?.sizeBytes === sizeBytes;
  }

  function presign({ uploadId, mime, sizeBytes }: Fields): Answer {
    if (typeof uploadId !== 'string' || typeof mime !== 'string' || typeof sizeBytes !== 'number')
      return refusal(422, 'incomplete');
    if (sizeBytes > FILE_MAX_BYTES) return refusal(413, 'too_large');
    if (!files.has(uploadId)) files.set(uploadId, { uploadId, sizeBytes, mime, pieces: [], received: 0 });
    const untilMs = context.nowMs() + URL_LIVES_MS;
    const uploadUrl = `${UPLOADS}/u/${uploadId}?until=${untilMs}`;
    const fileUrl = `https://cdn.talk.test/f/${uploadId}`;
    return { status: 200, body: { uploadUrl, fileUrl, expiresAt: new Date(untilMs).toISOString() } };
  }

  /** The storage host asks for a URL that is still good, and for no token of ours. */
  function fileFor(c: Context): StoredFile | Answer {
    const file = files.get(c.req.param('uploadId') ?? '');
    if (!file || c.req.header('Authorization') !== undefined) return refusal(400, 'bad_request');
    return Number(c.req.query('until')) > context.nowMs() ? file : refusal(403, 'expired');
  }

  function put(file: StoredFile, range: string | undefined, bytes: Uint8Array): Answer {
    const [, from = '', to = ''] = /^bytes (\d+)-(\d+)\/\d+$/.exec(range ?? '') ?? [];
    const isSound = bytes.length <= PIECE_BYTES && Number(to) - Number(from) + 1 === bytes.length;
    if (!isSound || Number(to) >= file.sizeBytes) return refusal(400, 'bad_range');
    if (Number(from) !== file.received) return { status: 409, body: { received: file.received } };
    file.pieces.push(bytes);
    file.received += bytes.length;
    return { status: 200, body: { received: file.received } };
  }

  // -------------------------------------------------------------------------------------------------------------------

  const pusher = createPusherServer({
    context,
    appKey: APP_KEY,
    secret: 'talk-secret',
    isNumbered: (channel) => channel.startsWith('private-user-'),
    authorize: ({ channel, context: c }) => {
      const userId = userOf(c);
      return userId === null
        ? Response.json({ error: 'invalid_token' }, { status: 401 })
        : channel === channelOf(userId);
    },
  });

  const numberIn = (c: Context, name: string, otherwise: number) => Number(c.req.query(name) ?? otherwise);
  const inChat = (c: Context, answer: (chat: StoredChat, userId: string, body: Fields) => Answer) =>
    forUser(c, (userId, body) => {
      const chat = chatFor(c, userId);
      return 'status' in chat ? chat : answer(chat, userId, body);
    });

  const app = new Hono();
  app.get('/chat/all', (c) =>
    forUser(c, (userId) => list(userId, c.req.query('cursor'), Math.min(15, numberIn(c, 'limit', 15)))),
  );
  app.get('/chat/all/after', (c) =>
    forUser(c, (userId) => eventsAfter(userId, numberIn(c, 'seq', 0), Math.min(100, numberIn(c, 'limit', 100)))),
  );
  app.get('/chat/:chatId/all', (c) =>
    inChat(c, (chat) =>
      page(chat, numberIn(c, 'before', chat.messages.length + 1), Math.min(50, numberIn(c, 'limit', 50))),
    ),
  );
  app.post('/chat/:chatId/message', (c) => inChat(c, post));
  app.post('/chat/:chatId/receipts', (c) =>
    inChat(c, ({ chatId }, userId, { deliveredUpTo, readUpTo }) => {
      const receipt = mark(chatId, userId, { ...whole({ deliveredUpTo }), ...whole({ readUpTo }) });
      return receipt ? { status: 200, body: receipt } : refusal(404, 'no_such_chat');
    }),
  );
  app.post('/uploads/presign', (c) => forUser(c, (_userId, body) => presign(body)));
  app.get('/u/:uploadId', (c) => {
    const file = fileFor(c);
    return reply('status' in file ? file : { status: 200, body: { received: file.received } }, c);
  });
  app.put('/u/:uploadId', async (c) => {
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    const file = fileFor(c);
    return reply('status' in file ? file : put(file, c.req.header('Content-Range'), bytes), c);
  });
  app.post('/pusher/auth', pusher.auth);

  return {
    app,
    sockets: pusher.sockets,
    pusher,
    chats,
    files,
    phones,
    issueToken: (userId) => {
      issued += 1;
      const token = `token-${userId}-${issued}`;
      tokens.set(token, userId);
      return token;
    },
    revoke: (userId) => {
      for (const [token, owner] of tokens) if (owner === userId) tokens.delete(token);
    },
    addChat,
    write: (chatId, fromUserId, text, sentAt = nowText()) => {
      const chat = chats.get(chatId);
      if (!chat) throw new Error(`There is no chat ${chatId}. Call addChat first.`);
      const localId = `elsewhere-${chatId}-${chat.messages.length + 1}`;
      return append(chat, { localId, fromUserId, text, attachments: [], sentAt });
    },
    mark,
    unreadOf,
    headOf: (userId) => pusher.headOf(channelOf(userId)),
    forget: (userId) => pusher.forget(channelOf(userId)),
  };
}

// ---------------------------------------------------------------------------------------------------------------------

type Fields = { readonly [name: string]: unknown };

function fieldsOf(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : {};
  } catch {
    return {};
  }
}

/** Only what is a whole number. */
const whole = (fields: Fields): { [name: string]: number } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => Number.isInteger(value))) as {
    [name: string]: number;
  };

const previewOf = (message: StoredMessage | undefined): string => (message?.text ?? '').slice(0, PREVIEW_MAX);

const personOf = (userId: string): User & { [name: string]: Json } => ({
  userId,
  firstName: userId.slice(0, 1).toUpperCase() + userId.slice(1),
  lastName: 'Example',
  avatarThumb: `https://cdn.talk.test/a/${userId}-thumb.jpg`,
  avatarFull: `https://cdn.talk.test/a/${userId}.jpg`,
});
