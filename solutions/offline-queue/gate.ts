// When may something leave? Not without a network, not in the pause after a failure, and not once the session has ended.
import type { Device } from '#phone';

const BACKOFF_FIRST_MS = 500;
const BACKOFF_CAP_MS = 30_000;
/** A longer delay overflows `setTimeout`, which then fires at once. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

/** Times are by `performance.now()`: the phone's clock may jump, this one does not. */
export interface Pause {
  readonly untilMs: number;
  /** Asked for by the server with `Retry-After`: nothing cuts it short. */
  readonly isOrdered: boolean;
}

export interface GateState {
  /** Null until netInfo has told. */
  readonly isOnline: boolean | null;
  /** Closed until there is a reason to try anew. */
  readonly isHeld: boolean;
  readonly pause: Pause | null;
}

export const CLOSED: GateState = { isOnline: null, isHeld: false, pause: null };

export const isOpen = ({ isOnline, isHeld, pause }: GateState): boolean => isOnline === true && !isHeld && !pause;

export interface Gate {
  getState(): GateState;
  /** Begins to look at network and foreground. */
  watch(): void;
  /** A request may have worked or not: a pause begins. */
  failed(retryAfterMs: number | null): void;
  /** A request has worked: the pauses begin anew. */
  succeeded(): void;
  /** The session has ended: nothing leaves before the next `wake`. */
  hold(): void;
  /** There is a reason to try now. New connectivity and the foreground are such reasons, too. */
  wake(): void;
  close(): void;
}

/**
 * One gate for all that is sent, since a failure speaks of the server or the network and hardly ever of one request.
 * Pauses: exponential with full jitter, 500 ms doubling up to 30 s, or what the server has asked for.
 * `changed` is called after each change, by whatever cause.
 */
export function createGate({ netInfo, appState }: Device, changed: () => void): Gate {
  let state = CLOSED;
  /** Since the last success. */
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopWatching = () => {};

  function move(change: Partial<GateState>): void {
    state = { ...state, ...change };
    timePause();
    changed();
  }

  function watch(): void {
    const stopNetwork = netInfo.addEventListener(({ isConnected }) => {
      const isBack = isConnected && !state.isOnline;
      move({ ...(isBack && woken(state)), isOnline: isConnected });
    });
    const foreground = appState.addEventListener('change', (now) => {
      if (now === 'active') wake();
    });
    stopWatching = () => {
      stopNetwork();
      foreground.remove();
    };
  }

  const wake = (): void => move(woken(state));

  function failed(retryAfterMs: number | null): void {
    // Failures that arrive during a pause tell the same news: they do not climb the ladder again.
    if (!state.pause) failures += 1;
    move({ pause: nextPause(state.pause, failures, retryAfterMs) });
  }

  /** Offline no timer runs: coming back online wakes. */
  function timePause(): void {
    const { pause, isOnline } = state;
    clearTimeout(timer);
    if (!pause || !isOnline) return;
    const leftMs = Math.max(0, pause.untilMs - performance.now());
    timer = setTimeout(() => move({ pause: null }), Math.min(leftMs, TIMER_MAX_MS));
  }

  return {
    getState: () => state,
    watch,
    failed,
    succeeded() {
      failures = 0;
    },
    hold: () => move({ isHeld: true }),
    wake,
    close() {
      clearTimeout(timer);
      stopWatching();
    },
  };
}

/** Only the server's own pause stands. */
const woken = ({ pause }: GateState): Partial<GateState> => ({
  isHeld: false,
  pause: pause?.isOrdered ? pause : null,
});

function nextPause(current: Pause | null, failures: number, retryAfterMs: number | null): Pause {
  const nowMs = performance.now();
  if (retryAfterMs !== null) {
    const orderedUntilMs = current?.isOrdered ? current.untilMs : 0;
    return { untilMs: Math.max(orderedUntilMs, nowMs + retryAfterMs), isOrdered: true };
  }
  if (current) return current;
  return { untilMs: nowMs + fullJitterMs(failures, BACKOFF_FIRST_MS, BACKOFF_CAP_MS), isOrdered: false };
}

/**
 * How long to wait after so many failures in a row: anything up to a limit that doubles from `firstMs` to `capMs`, so
 * that many phones that failed together come back spread out. Source: AWS, exponential backoff and jitter.
 */
export function fullJitterMs(failures: number, firstMs: number, capMs: number): number {
  return Math.random() * Math.min(capMs, firstMs * 2 ** (failures - 1));
}
