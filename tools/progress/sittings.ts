// Time spent, as far as a history knows it.

/** What comes within so many minutes belongs to one sitting. */
export const SITTING_GAP_MINUTES = 30;
/** Work before the first thing that was kept: reading, typing, thinking. */
export const LEAD_MINUTES = 5;

/** The rule, as every form of the progress states it. */
export const TIME_RULE = `Time is counted from what is kept: grades, hints, reviews and drill answers that come within ${SITTING_GAP_MINUTES} minutes of each other are one sitting, which lasts from its first to its last, and ${LEAD_MINUTES} minutes for what went before. Interviews count by their own clock.`;

export interface Sitting {
  /** ISO text, UTC. */
  readonly from: string;
  readonly minutes: number;
}

const MINUTE_MS = 60_000;

/** Sittings from the times (ISO text) at which something was kept, in any order. What is no time is passed over. */
export function sittingsOf(times: readonly string[]): Sitting[] {
  const moments = times
    .map((time) => Date.parse(time))
    .filter((ms) => !Number.isNaN(ms))
    .sort((a, b) => a - b);
  const sittings: { fromMs: number; toMs: number }[] = [];
  for (const ms of moments) {
    const last = sittings.at(-1);
    if (last && ms - last.toMs <= SITTING_GAP_MINUTES * MINUTE_MS) last.toMs = ms;
    else sittings.push({ fromMs: ms, toMs: ms });
  }
  return sittings.map(({ fromMs, toMs }) => ({
    from: new Date(fromMs).toISOString(),
    minutes: Math.round((toMs - fromMs) / MINUTE_MS) + LEAD_MINUTES,
  }));
}
