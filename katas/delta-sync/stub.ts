// Your starting point. Level by level: make `mid` green, then `senior`, then `staff`.
import type { CreateSync } from '#contract/delta-sync';

export const createSync: CreateSync = (_options) => ({
  // mid: open the database, make the tables (R12, R14).
  // staff: an updated app finds the tables of an older one, with rows that were never pushed (R12, E9).
  start() {
    throw new Error('NotImplemented: start');
  },
  // mid: an id of the phone's own (R1), the row and what sync has to know about it in one transaction (R2).
  create(_table, _fields) {
    throw new Error('NotImplemented: create');
  },
  // mid: which columns were changed here? (R2, R5)
  // senior: also while a sync is under way (R9).
  update(_table, _id, _fields) {
    throw new Error('NotImplemented: update');
  },
  // mid: gone from the screen at once, but not from the disk (R7).
  remove(_table, _id) {
    throw new Error('NotImplemented: remove');
  },
  // mid: the schema's columns, nothing else (R14).
  get(_table, _id) {
    throw new Error('NotImplemented: get');
  },
  // mid: the same for all rows (R14).
  list(_table) {
    throw new Error('NotImplemented: list');
  },
  // mid: pull, store all of it in one transaction, push (R3, R4, R5, R6, R8).
  // senior: conflicts, lost answers, edits meanwhile, two callers at once (R9, R10, R11).
  // staff: ask for what a newer schema has gained (R12).
  sync() {
    throw new Error('NotImplemented: sync');
  },
  // mid: what a screen shows (R14).
  getState() {
    throw new Error('NotImplemented: getState');
  },
  // mid: told of every change (R14).
  subscribe(_listener) {
    throw new Error('NotImplemented: subscribe');
  },
  // mid: no request and no listener is left (R15).
  dispose() {
    throw new Error('NotImplemented: dispose');
  },
});
