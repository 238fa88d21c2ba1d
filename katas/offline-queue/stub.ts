// Your starting point. Level by level: make `mid` green, then `senior`, then `staff`.
import type { CreateOfflineQueue } from '#contract/offline-queue';

export const createOfflineQueue: CreateOfflineQueue = (_options) => ({
  // mid: read what an earlier launch stored, listen to netInfo and appState, begin to send (R1, R6).
  // staff: survive a damaged record and take over the queue of version 1 (R8, E10).
  start() {
    throw new Error('NotImplemented: start');
  },
  // mid: make the key, store, then resolve (R1, R2). Two calls in one tick must not lose each other (E4).
  // senior: reject clearly when there is no room or the payload cannot be stored (R9, E9).
  enqueue(_draft) {
    throw new Error('NotImplemented: enqueue');
  },
  // mid: what a screen shows (R10).
  getState() {
    throw new Error('NotImplemented: getState');
  },
  // mid: told of every change (R10).
  subscribe(_listener) {
    throw new Error('NotImplemented: subscribe');
  },
  // senior: back to its old place, with its old key (R5).
  retry(_id) {
    throw new Error('NotImplemented: retry');
  },
  // senior: gone, and what waited behind it may go (R5).
  discard(_id) {
    throw new Error('NotImplemented: discard');
  },
  // mid: no request, no timer, no listener is left (R13).
  dispose() {
    throw new Error('NotImplemented: dispose');
  },
});
