// What waits, as a Redux reducer: every transition is in `reduce`, and all that is asked of the state stands below it.
import type { DeadLetter, QueuedMutation, QueueState, QueueStatus } from '#contract/offline-queue';
import { CLOSED, type GateState, isOpen } from './gate.ts';
import type { Refusal } from './verdict.ts';

const IN_FLIGHT_MAX = 4;

/** One stored value. `place` is its key on disk; places sort in the order of the queue. */
export type Entry =
  | { readonly place: string; readonly is: 'waiting' | 'sending'; readonly mutation: QueuedMutation }
  | { readonly place: string; readonly is: 'refused'; readonly mutation: QueuedMutation; readonly refusal: Refusal }
  | { readonly place: string; readonly is: 'unreadable' };

export interface State {
  readonly entries: readonly Entry[];
  readonly gate: GateState;
}

export type Action =
  | { readonly type: 'restored'; readonly entries: readonly Entry[] }
  | { readonly type: 'stored'; readonly entry: Entry }
  /** `returned`: it waits again, after a failure or because a person wants it. `removed`: it is applied or discarded. */
  | { readonly type: 'sent' | 'returned' | 'removed'; readonly place: string }
  | { readonly type: 'refused'; readonly place: string; readonly refusal: Refusal }
  | { readonly type: 'gate-moved'; readonly gate: GateState };

const NOTHING_YET: State = { entries: [], gate: CLOSED };

export function reduce(state: State = NOTHING_YET, action: Action): State {
  switch (action.type) {
    case 'restored':
      return { ...state, entries: action.entries };
    case 'stored':
      return { ...state, entries: [...state.entries, action.entry] };
    case 'sent':
      return move(state, action.place, (mutation) => ({
        place: action.place,
        is: 'sending',
        mutation: { ...mutation, attempts: mutation.attempts + 1 },
      }));
    case 'returned':
      return move(state, action.place, (mutation) => ({ place: action.place, is: 'waiting', mutation }));
    case 'refused':
      return move(state, action.place, (mutation) => ({
        place: action.place,
        is: 'refused',
        mutation,
        refusal: action.refusal,
      }));
    case 'removed':
      return { ...state, entries: state.entries.filter((entry) => entry.place !== action.place) };
    case 'gate-moved':
      return { ...state, gate: action.gate };
    default:
      action satisfies never;
      return state;
  }
}

function move(state: State, place: string, to: (mutation: QueuedMutation) => Entry): State {
  const entries = state.entries.map((entry) =>
    entry.place === place && entry.is !== 'unreadable' ? to(entry.mutation) : entry,
  );
  return { ...state, entries };
}

// ---------------------------------------------------------------------------------------------------------------------
// Questions to the state

export type Waiting = Extract<Entry, { is: 'waiting' | 'sending' }>;

export function nextToSend(state: State): Waiting | undefined {
  if (!isOpen(state.gate)) return undefined;
  const inFlight = state.entries.filter((entry) => entry.is === 'sending').length;
  return inFlight < IN_FLIGHT_MAX ? sendable(state)[0] : undefined;
}

/** The oldest entry of each entity, unless it is out already or a refused one blocks it. Unreadable ones block nobody. */
function sendable(state: State): Waiting[] {
  const readable = state.entries.filter((entry) => entry.is !== 'unreadable');
  const heads = headsOf(readable, ({ mutation }) => mutation.entityId);
  return heads.filter((entry): entry is Waiting => entry.is === 'waiting');
}

/** The first of each lane, in their order: whatever is behind it has to wait for it. */
export function headsOf<T>(items: readonly T[], laneOf: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const isFirst = !seen.has(laneOf(item));
    seen.add(laneOf(item));
    return isFirst;
  });
}

export const pendingOf = (state: State): QueuedMutation[] =>
  state.entries.flatMap((entry) => (entry.is === 'waiting' || entry.is === 'sending' ? [entry.mutation] : []));

function statusOf(state: State): QueueStatus {
  const { isOnline, isHeld, pause } = state.gate;
  if (isOnline === false) return 'offline';
  if (isHeld) return 'paused';
  if (state.entries.some((entry) => entry.is === 'sending')) return 'sending';
  if (pause && sendable(state).length > 0) return 'backing-off';
  return 'idle';
}

export function toDeadLetters(entry: Entry): DeadLetter[] {
  switch (entry.is) {
    case 'refused':
      return [{ id: entry.mutation.id, reason: 'refused', mutation: entry.mutation, ...entry.refusal }];
    case 'unreadable':
      return [{ id: entry.place, reason: 'unreadable', mutation: null }];
    case 'waiting':
    case 'sending':
      return [];
  }
}

export const toQueueState = (state: State): QueueState => ({
  status: statusOf(state),
  pending: pendingOf(state),
  deadLetters: state.entries.flatMap(toDeadLetters),
});
