// Your starting point. Level by level: make `mid` green, then `senior`, then `staff`.
import type { CreateRealtime } from '#contract/realtime-reconnect';

export const createRealtime: CreateRealtime = (_options) => ({
  // mid: one socket, a new one after a break, never while offline (R1, R2, R4).
  // senior: know a dead line, obey close codes, come back from the background (R3, R11, R12).
  // staff: a hundred phones must not come back together (R13).
  connect() {
    throw new Error('NotImplemented: connect');
  },
  // mid: no socket, no timer, no try (R9, R10).
  disconnect() {
    throw new Error('NotImplemented: disconnect');
  },
  // mid: subscribe with auth, again on each connection, and hand events on (R5, R10).
  // senior: fill every gap from history, give each event once and in order (R6, R7).
  // staff: let the feature load anew when history is gone (R8).
  join(_channel, _handler) {
    throw new Error('NotImplemented: join');
  },
  // mid: a client event on a live channel, else false (R10).
  send(_channel, _name, _data) {
    throw new Error('NotImplemented: send');
  },
  // mid: what a screen shows (R10).
  getState() {
    throw new Error('NotImplemented: getState');
  },
  // mid: told of every change (R10).
  subscribe(_listener) {
    throw new Error('NotImplemented: subscribe');
  },
  // mid: no socket, timer, listener or request is left (R9).
  dispose() {
    throw new Error('NotImplemented: dispose');
  },
});
