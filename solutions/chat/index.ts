// The reference. What is stored has one door; whoever brings or sends something goes through it, after each change all is
// shown, and then every part is asked what may go now. So the parts need not know of each other:
//
//   ledger   what is stored: chats, messages, what is unsent, how far the stream is read (`rows` says what it looks like)
//   stream   the list and the events: what the server tells, as `news` to the ledger
//   threads  open chats: stored messages, then pages
//   outbox   what is to be sent, in order; `uploads` bring its files
//   receipts what this person has got and read
//   api      requests, with the token of the session
//
// Patterns do the rest: when something may leave (offline-queue), the channel (realtime-reconnect), one writer for the
// database (delta-sync), private copies of files (resumable-upload).
import { createStore } from 'zustand/vanilla';
import type { ChatState, Connection, CreateChat, Thread } from '#contract/chat';
import { createGate, isOpen, rethrowAsStorageError } from '#solutions/offline-queue';
import { createPrivateCopies } from '#solutions/resumable-upload';
import { createApi } from './api.ts';
import type { Core } from './core.ts';
import { type Change, createLedger } from './ledger.ts';
import { createOutbox } from './outbox.ts';
import { createReceipts } from './receipts.ts';
import type { Confirmed } from './rows.ts';
import { byActivity, toMessage, toUnsentMessage } from './screen.ts';
import { createStream } from './stream.ts';
import { createThreads } from './threads.ts';
import { createUploads } from './uploads.ts';

export const createChat: CreateChat = (options) => {
  const { device, userId } = options;
  const gate = createGate(device, connectionChanged);
  const api = createApi(options, gate, sessionEnded);
  const ledger = createLedger(options, loaded, committed);
  const core: Core = { ...options, gate, api, ledger, show, pump };
  // The user is in its name: what one has picked is never sent for another.
  const copies = createPrivateCopies(device, `chat-${encodeURIComponent(userId)}`);
  const uploads = createUploads(core);
  const outbox = createOutbox(core, copies, uploads);
  const threads = createThreads(core);
  const receipts = createReceipts(core, threads);
  const stream = createStream(core, connectionChanged);
  const store = createStore<ChatState>(toState);

  // -------------------------------------------------------------------------------------------------------------------
  // After each change: show it, then ask what may go now

  function loaded(): void {
    outbox.removeOrphans();
    show();
    gate.watch();
    stream.start();
  }

  function committed(change: Change): void {
    threads.absorb(change);
    outbox.removeCopies(change.gone.flatMap(({ files }) => files));
    show();
    pump();
  }

  function connectionChanged(): void {
    if (connectionNow() !== store.getState().connection) show();
    pump();
  }

  function show(): void {
    if (!ledger.isOver()) store.setState(toState());
  }

  /** What is stored says what may go, and what goes is noted at once: triggers that come together cannot send twice. */
  function pump(): void {
    receipts.rest();
    if (!api.maySend() || !isOpen(gate.getState())) return;
    outbox.pump();
    if (stream.isLive()) threads.pump();
    receipts.pump();
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The state, as screens see it

  function toState(): ChatState {
    const listed = [...ledger.rows.values()].flatMap(({ summary }) => (summary ? [summary] : []));
    return {
      connection: connectionNow(),
      chats: listed.sort(byActivity),
      hasMoreChats: ledger.position().nextChats !== null,
      threads: Object.fromEntries([...threads.open].map(([chatId, { rows }]) => [chatId, toThread(chatId, rows)])),
    };
  }

  function connectionNow(): Connection {
    if (api.isSessionOver()) return 'needsToken';
    if (gate.getState().isOnline === false) return 'offline';
    return stream.isLive() ? 'live' : 'connecting';
  }

  function toThread(chatId: string, confirmed: readonly Confirmed[]): Thread {
    const row = ledger.rowOf(chatId);
    const messages = [
      ...confirmed.map((message) => toMessage(message, row, userId)),
      ...outbox.unsentOf(chatId).map((one) => toUnsentMessage(one, userId, uploads.progressOf(one.files))),
    ];
    return { messages, hasOlder: threads.hasOlder(chatId), loadingOlder: threads.isLoading(chatId) };
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The session

  function sessionEnded(): void {
    stream.disconnect();
    show();
  }

  function setToken(accessToken: string): void {
    api.setToken(accessToken);
    connectionChanged();
    ledger.ready().then(stream.connect, () => undefined);
  }

  /** Nothing is sent or shown any more. Resolves once the work on the disk that is under way has ended. */
  function end(): Promise<void> {
    const closed = ledger.close();
    api.end();
    gate.close();
    stream.end();
    receipts.rest();
    return closed;
  }

  async function signOut(): Promise<void> {
    // A sign-out that has failed may be tried again.
    if (!ledger.isOver()) await ledger.ready();
    try {
      await end();
      await ledger.forget();
      copies.clear();
    } catch (cause) {
      rethrowAsStorageError(cause);
    }
    threads.clear();
    store.setState(toState());
  }

  const dispose = (): void => void end().catch(() => undefined);

  const { openChat, closeChat, loadOlder } = threads;
  const { send, retry, discard } = outbox;
  return {
    ...{ start: ledger.open, setToken, signOut, dispose, loadMoreChats: stream.loadMoreChats },
    ...{ openChat, closeChat, loadOlder, send, retry, discard, markRead: receipts.markRead },
    getState: store.getState,
    subscribe: (listener) => store.subscribe(() => listener()),
  };
};
