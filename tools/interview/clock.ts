// The clock of a session, and how its times are said.

/** Where the time comes from; tests bring their own. */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };

/** A clock that goes only where it is told to: for scripted sessions. */
export interface SetClock extends Clock {
  /** Moves forward to a time; never back. */
  moveTo(ms: number): void;
}

export function createSetClock(startMs: number): SetClock {
  let now = startMs;
  return {
    nowMs: () => now,
    moveTo: (ms) => {
      now = Math.max(now, ms);
    },
  };
}

/** `6:05`, or `1:06:05` from an hour on. */
export function sayDuration(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number: number): string => String(number).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

export type Urgency = 'calm' | 'last-fifth' | 'over';

export interface PhaseClock {
  readonly urgency: Urgency;
  /** Negative once it is over, in ms. */
  readonly leftMs: number;
}

/** How a phase stands: amber in its last fifth, red once it is over. */
export function phaseClock(spentMs: number, plannedMs: number): PhaseClock {
  const leftMs = plannedMs - spentMs;
  if (leftMs <= 0) return { urgency: 'over', leftMs };
  return { urgency: leftMs <= plannedMs / 5 ? 'last-fifth' : 'calm', leftMs };
}
