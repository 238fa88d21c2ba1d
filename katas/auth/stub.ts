// Your starting point. Level by level: make `mid` green, then `senior`, then `staff`.
// Session and vault are patterns you may have built: '#solutions/token-refresh' and '#solutions/secure-storage' may be
// imported, or your own attempts at them.
import type { CreateAuth } from '#contract/auth';

export const createAuth: CreateAuth = (_options) => ({
  // mid: read what is stored, tell who is signed in, send nothing without need (R1).
  // senior: offline, and with a lock (R7, R12). staff: secrets of an earlier installation (R13).
  start() {
    throw new Error('NotImplemented: start');
  },
  // mid: ask the server, store, then show (R6, R14).
  signIn(_credentials) {
    throw new Error('NotImplemented: signIn');
  },
  // mid: one at a time, bad codes never leave (R9). senior: the code entry outlives a kill (E7).
  verifyOtp(_code) {
    throw new Error('NotImplemented: verifyOtp');
  },
  // mid: not before its time (R9).
  resendOtp() {
    throw new Error('NotImplemented: resendOtp');
  },
  // mid: in place of the SMS (R9).
  useBackupCode(_code) {
    throw new Error('NotImplemented: useBackupCode');
  },
  // mid: forget the code entry (R9).
  cancelOtp() {
    throw new Error('NotImplemented: cancelOtp');
  },
  // mid: renew, repeat once, know what ends a session (R2, R4). senior: stored before used, no ghosts (R3, R11).
  fetch(_path, _init) {
    throw new Error('NotImplemented: fetch');
  },
  // mid: answered from the state, remembers the way (R1).
  guard(_route) {
    throw new Error('NotImplemented: guard');
  },
  // mid: once, after sign-in (R1).
  takeReturnRoute() {
    throw new Error('NotImplemented: takeReturnRoute');
  },
  // senior: the secret itself goes behind the prompt, whatever the moment of a kill (R7, E14).
  setBiometricLock(_on) {
    throw new Error('NotImplemented: setBiometricLock');
  },
  // senior: one prompt (R7). staff: another face (R8).
  unlock() {
    throw new Error('NotImplemented: unlock');
  },
  // mid: the phones of this person (R15).
  listSessions() {
    throw new Error('NotImplemented: listSessions');
  },
  // mid: ends one of them (R15).
  endSession(_sessionId) {
    throw new Error('NotImplemented: endSession');
  },
  // senior: forget here, owe the server its word (R10).
  signOut() {
    throw new Error('NotImplemented: signOut');
  },
  // mid: what screens show (R1).
  getState() {
    throw new Error('NotImplemented: getState');
  },
  // mid: told of every change (R1).
  subscribe(_listener) {
    throw new Error('NotImplemented: subscribe');
  },
  // mid: no request, no timer, no listener is left (R16).
  dispose() {
    throw new Error('NotImplemented: dispose');
  },
});
