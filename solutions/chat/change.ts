// One change of what is stored: it edits copies, which disk and memory then take over, all of them or none. Here is what the
// server's news mean. Whatever brings a message ends in `keep`: so there is one row of it, and never a hole above the floor.
import type { ChannelEvent } from '#contract/realtime-reconnect';
import type { ChatRow, ChatsPage, Confirmed, Desk, MessagesPage, Receipt, ToldChat } from './rows.ts';
import { floorOf, highest } from './rows.ts';

export type Change = ReturnType<typeof createChange>;

export function createChange(userId: string, chats: ReadonlyMap<string, ChatRow>, before: Desk) {
  const desk: Desk = { ...before };
  const rows = new Map<string, ChatRow>();
  const messages: Confirmed[] = [];

  function row(chatId: string): ChatRow {
    const nothing = { summary: null, lastSequenceId: 0, floor: null, receipts: {}, own: highest() };
    const copy = rows.get(chatId) ?? { ...(chats.get(chatId) ?? nothing), chatId };
    rows.set(chatId, copy);
    return copy;
  }

  /**
   * An own message that the server has is no longer unsent. What joins what is stored is stored, and so it is delivered;
   * across a hole, or in a chat of which nothing is known, a message is left to its page.
   */
  function keep(message: Confirmed): void {
    const { chatId, fromUserId, localId, sequenceId } = message;
    const chat = row(chatId);
    if (fromUserId === userId) dropUnsent(localId);
    if (sequenceId < floorOf(chat) - 1) return;
    messages.push(message);
    chat.floor = Math.min(floorOf(chat), sequenceId);
    if (fromUserId !== userId) chat.own = highest(chat.own, { deliveredUpTo: sequenceId });
  }

  function dropUnsent(localId: string): void {
    desk.unsent = desk.unsent.filter((one) => one.localId !== localId);
  }

  function raise(chatId: string, receipts: readonly Receipt[]): ChatRow {
    const chat = row(chatId);
    for (const { userId: who, ...marks } of receipts) {
      chat.receipts = { ...chat.receipts, [who]: highest(chat.receipts[who], marks) };
      if (who === userId) chat.own = highest(chat.own, marks);
    }
    return chat;
  }

  function tellChat({ lastSequenceId, receipts, ...summary }: ToldChat): void {
    const chat = raise(summary.chatId, receipts);
    Object.assign(chat, { summary, lastSequenceId, floor: chat.floor ?? lastSequenceId + 1 });
  }

  /** Newest first, so that each message joins the one before. */
  function tellPage(chatId: string, { messages: page, receipts }: MessagesPage): void {
    const chat = raise(chatId, receipts);
    const [newest] = page;
    chat.floor = newest ? (chat.floor ?? newest.sequenceId + 1) : 1;
    for (const message of page) keep(message);
  }

  /** Seen twice it changes nothing, and names that nobody knows count as read. */
  function tellEvent({ name, data, seq }: ChannelEvent): void {
    if (seq === null || desk.cursor === null || seq <= desk.cursor) return;
    desk.cursor = seq;
    if (name === 'message_created') {
      const { chat, message } = data as { chat: ToldChat; message: Confirmed };
      tellChat(chat);
      keep(message);
    }
    if (name === 'receipt_updated') {
      const { chatId, unreadCount, ...receipt } = data as Receipt & { chatId: string; unreadCount: number };
      const chat = raise(chatId, [receipt]);
      chat.summary = chat.summary && { ...chat.summary, unreadCount };
    }
  }

  /** With the first page all begins anew: nothing that is stored is sure to join what the stream brings from now on. */
  function tellList({ chats: list, nextCursor, head }: ChatsPage, isFirst: boolean): void {
    if (isFirst) {
      for (const chatId of chats.keys()) Object.assign(row(chatId), { summary: null, floor: null });
      Object.assign(desk, { cursor: head, resets: desk.resets + 1 });
    }
    // What the stream has told of a chat is newer than a further page.
    for (const chat of list) if (!row(chat.chatId).summary) tellChat(chat);
    desk.nextChats = nextCursor;
  }

  return { desk, rows, messages, row, keep, dropUnsent, tellList, tellPage, tellEvent };
}
