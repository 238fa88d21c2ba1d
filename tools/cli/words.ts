// Words that several commands share.

/** `1 question`, `2 questions`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

const DAY_MS = 24 * 3_600_000;

/** When the next drill question comes, in words. `due` is ISO text; null when none is waiting. */
export function dueWords(due: string | null, nowMs: number): string {
  if (due === null) return 'No question is waiting.';
  const inMs = Date.parse(due) - nowMs;
  if (inMs < DAY_MS) return `The next question is due ${inWords(inMs)}.`;
  return `The next question is due on ${due.slice(0, 10)}, ${inWords(inMs)}.`;
}

/** `in 6 minutes`, `in 3 days`: rounded up, so that whoever waits that long finds it due. */
export function inWords(ms: number): string {
  if (ms <= 0) return 'now';
  if (ms < 3_600_000) return `in ${counted(Math.ceil(ms / 60_000), 'minute')}`;
  return ms < DAY_MS
    ? `in ${counted(Math.ceil(ms / 3_600_000), 'hour')}`
    : `in ${counted(Math.ceil(ms / DAY_MS), 'day')}`;
}
