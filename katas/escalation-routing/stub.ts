// Your starting point. Level by level: make `mid` green, then `senior`, then `staff`.
import type { CreateEscalation } from '#contract/escalation-routing';

export const createEscalation: CreateEscalation = (_options) => ({
  // mid: read what an earlier launch stored, listen to netInfo, appState and pushes (R1, R6).
  // senior: fetch first, then run only the highest stage that is due (R7, R8).
  start() {
    throw new Error('NotImplemented: start');
  },
  // mid: store, then resolve, then send on the channels of the priority (R1, R2).
  // senior: replace what failed, climb when it is time, look before you climb (R4, R5, R7).
  raise(_alert) {
    throw new Error('NotImplemented: raise');
  },
  // mid: nothing leaves from now on (R10).
  cancel(_alertId) {
    throw new Error('NotImplemented: cancel');
  },
  // mid: alerts, recipients and every attempt (R2, R6).
  getState() {
    throw new Error('NotImplemented: getState');
  },
  // mid: told of every change (R11).
  subscribe(_listener) {
    throw new Error('NotImplemented: subscribe');
  },
  // mid: no request, no timer, no listener is left (R11).
  dispose() {
    throw new Error('NotImplemented: dispose');
  },
});
