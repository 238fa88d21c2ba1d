// Your starting point. Level by level: make `mid` green, then `senior`, then `staff`.
import type { CreateVault } from '#contract/secure-storage';

export const createVault: CreateVault = (_options) => ({
  // senior: a key of an earlier installation goes (R11); a wipe that was cut off is finished (R10).
  start() {
    throw new Error('NotImplemented: start');
  },
  // mid: one key item behind the owner's face or finger, made once, read once (R3, R4).
  // senior: a key that is lost (R9), a rotation that was cut off (R8).
  unlock() {
    throw new Error('NotImplemented: unlock');
  },
  // mid: nothing can be read any more (R5).
  lock() {
    throw new Error('NotImplemented: lock');
  },
  // mid: AES-256-GCM, a nonce of its own, bound to its name (R1, R2); the old value or the new one, whole (R7).
  // staff: leaves nothing behind a wipe (E13).
  put(_name, _value) {
    throw new Error('NotImplemented: put');
  },
  // mid: the value, or null (R13). senior: `corrupt` for what fails authentication, for that one alone (R6).
  get(_name) {
    throw new Error('NotImplemented: get');
  },
  // mid: works while locked, too (R5).
  remove(_name) {
    throw new Error('NotImplemented: remove');
  },
  // mid: works while locked, too (R5).
  names() {
    throw new Error('NotImplemented: names');
  },
  // senior: the new key first, then record by record, the old key last (R8).
  // staff: keep the old key while in doubt (E12).
  rotate() {
    throw new Error('NotImplemented: rotate');
  },
  // senior: a marker, the keys, the records, in this order (R10).
  // staff: on a full disk, and cut off at any moment (E10, E11).
  wipe() {
    throw new Error('NotImplemented: wipe');
  },
  // mid: what a screen shows (R13).
  getState() {
    throw new Error('NotImplemented: getState');
  },
  // mid: told of every change (R13).
  subscribe(_listener) {
    throw new Error('NotImplemented: subscribe');
  },
  // mid: no listener is left (R14).
  dispose() {
    throw new Error('NotImplemented: dispose');
  },
});
