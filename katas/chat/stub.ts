// Your starting point. Level by level: make `mid` green, then `senior`, then `staff`.
import type { CreateChat } from '#contract/chat';

export const createChat: CreateChat = (_options) => ({
  // mid: show what is stored, read the list, connect, catch up (R8). senior: a reset after 410 (R9).
  start() {
    throw new Error('NotImplemented: start');
  },
  // senior: go on after a 401 (R14).
  setToken(_accessToken) {
    throw new Error('NotImplemented: setToken');
  },
  // senior: nothing of this user is left (R14).
  signOut() {
    throw new Error('NotImplemented: signOut');
  },
  // mid: one page at a time (R10).
  loadMoreChats() {
    throw new Error('NotImplemented: loadMoreChats');
  },
  // mid: what is stored at once, then the latest page if it is needed (R10).
  openChat(_chatId) {
    throw new Error('NotImplemented: openChat');
  },
  // mid: what is stored first, then a page (R10).
  loadOlder(_chatId) {
    throw new Error('NotImplemented: loadOlder');
  },
  // mid: the thread leaves the state, and nothing is marked as read any more (R11).
  closeChat(_chatId) {
    throw new Error('NotImplemented: closeChat');
  },
  // mid: stored, shown, then sent, in order (R1 to R4). senior: files, failures (R5, R13).
  send(_chatId, _draft) {
    throw new Error('NotImplemented: send');
  },
  // senior: the last of its chat, with the same localId (R2, R5).
  retry(_localId) {
    throw new Error('NotImplemented: retry');
  },
  // senior: with its files (R5).
  discard(_localId) {
    throw new Error('NotImplemented: discard');
  },
  // mid: a mark that only rises (R11).
  markRead(_chatId, _sequenceId) {
    throw new Error('NotImplemented: markRead');
  },
  // mid: what a screen shows (R3, R6, R12).
  getState() {
    throw new Error('NotImplemented: getState');
  },
  // mid: told of every change.
  subscribe(_listener) {
    throw new Error('NotImplemented: subscribe');
  },
  // mid: no request, timer, listener or socket is left.
  dispose() {
    throw new Error('NotImplemented: dispose');
  },
});
