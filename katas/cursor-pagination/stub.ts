// Your starting point. Level by level: make `mid` green, then `senior`, then `staff`.
import type { CreatePager } from '#contract/cursor-pagination';

export const createPager: CreatePager = (_options) => ({
  // mid: load the first page (R12). senior: show the stored one before it (R9).
  start() {
    throw new Error('NotImplemented: start');
  },
  // mid: one request for the next page, whoever asks (R1, R2), appended without doubles (R3), up to the end (R4).
  // senior: a failed page changes nothing but `error` (R5); pages that bring nothing new are passed over (E3).
  // staff: a cursor the server does not take any more starts the list again (R10).
  loadMore() {
    throw new Error('NotImplemented: loadMore');
  },
  // mid: the list becomes the fresh first page, in one change (R7). senior: it overtakes a loadMore (R6).
  refresh() {
    throw new Error('NotImplemented: refresh');
  },
  // mid: clear, then load (R8). senior: what was asked before counts no more (R6).
  setParams(_params) {
    throw new Error('NotImplemented: setParams');
  },
  // mid: what the list shows (R12).
  getState() {
    throw new Error('NotImplemented: getState');
  },
  // mid: told of every change (R12).
  subscribe(_listener) {
    throw new Error('NotImplemented: subscribe');
  },
  // mid: nothing is out, nothing changes (R12).
  dispose() {
    throw new Error('NotImplemented: dispose');
  },
});
