// Your starting point. Level by level: make `mid` green, then `senior`, then `staff`.
import type { CreateUploader } from '#contract/resumable-upload';

export const createUploader: CreateUploader = (_options) => ({
  // mid: read what an earlier launch left, listen to netInfo and appState (R10), remove orphaned copies (R11).
  // senior: ask the server before sending anything again (R2).
  // staff: look at a copy before its parts are sent (R8).
  start() {
    throw new Error('NotImplemented: start');
  },
  // mid: copy, hash, store, then resolve (R1); from then on: create, send parts, complete (R3, R7, R13).
  // senior: no room (E12), links (R4), pauses (R5), networks that cost money (R15).
  // staff: a wrong hash (R8), an upload that is gone (R9).
  add(_file) {
    throw new Error('NotImplemented: add');
  },
  // mid: at once, and over a restart (R10).
  pause(_id) {
    throw new Error('NotImplemented: pause');
  },
  // mid: after a pause (R10). senior: after a failure (R5).
  resume(_id) {
    throw new Error('NotImplemented: resume');
  },
  // mid: nothing is left of it, nothing is sent but one DELETE (R11).
  cancel(_id) {
    throw new Error('NotImplemented: cancel');
  },
  // mid: in any launch (R12).
  whenDone(_id) {
    throw new Error('NotImplemented: whenDone');
  },
  // mid: what a screen shows (R6).
  getState() {
    throw new Error('NotImplemented: getState');
  },
  // mid: told of every change (R6). senior: but not too often (R14).
  subscribe(_listener) {
    throw new Error('NotImplemented: subscribe');
  },
  // mid: no request, no timer, no listener is left (R12).
  dispose() {
    throw new Error('NotImplemented: dispose');
  },
});
