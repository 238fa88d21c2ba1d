// Your starting point. Level by level: make `mid` green, then `senior`, then `staff`.
import type { CreateSession } from '#contract/token-refresh';

export const createSession: CreateSession = (_options) => ({
  // mid: read the keychain, tell who is signed in, send nothing (R9, R15).
  start() {
    throw new Error('NotImplemented: start');
  },
  // mid: one record with both tokens, written before anything uses them (R1, R6).
  // senior: a second user may sign in while requests of the first are still out (E6).
  adopt(_tokens) {
    throw new Error('NotImplemented: adopt');
  },
  // mid: add the token (R3, R11, R15); refresh and replay at a 401, once and for all callers together (R2, R4, R5).
  // senior: store before use, try again after a lost answer, know a late 401 (R6, R7, E2).
  // staff: hold when the clock jumps and when the keychain fails (R12, E11).
  fetch(_input, _init) {
    throw new Error('NotImplemented: fetch');
  },
  // mid: fresh enough, or refreshed first (R3).
  getAccessToken() {
    throw new Error('NotImplemented: getAccessToken');
  },
  // senior: forget first, tell the server afterwards; nothing comes back (R10).
  signOut() {
    throw new Error('NotImplemented: signOut');
  },
  // mid: what a screen shows (R15).
  getState() {
    throw new Error('NotImplemented: getState');
  },
  // mid: told of every change (R15).
  subscribe(_listener) {
    throw new Error('NotImplemented: subscribe');
  },
  // mid: no request, no timer, no listener is left (R13).
  dispose() {
    throw new Error('NotImplemented: dispose');
  },
});
