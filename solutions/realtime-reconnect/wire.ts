// Frames as Pusher's protocol has them, and how long to wait for whatever did not work.
import { fullJitterMs } from '#solutions/offline-queue';
import { isObject, parseJson } from '#solutions/token-refresh';

export const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_CAP_MS = 30_000;

/** Many phones that were dropped together come back spread out. */
export const backoffMs = (tries: number): number => fullJitterMs(tries, BACKOFF_FIRST_MS, BACKOFF_CAP_MS);

export interface Frame {
  readonly event: string;
  readonly channel: string;
  readonly data: unknown;
}

export function readFrame(text: string): Frame | null {
  const frame = parseJson(text);
  if (!isObject(frame) || typeof frame.event !== 'string') return null;
  const { event, channel, data } = frame;
  // Pusher puts JSON text into the JSON; others put the object.
  return { event, channel: String(channel), data: typeof data === 'string' ? (parseJson(data) ?? data) : data };
}

export function numberIn(data: unknown): number | null {
  return isObject(data) && typeof data.seq === 'number' ? data.seq : null;
}
