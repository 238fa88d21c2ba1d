// The disk: one value a mutation, so that damage to one costs one. The order is in the key, so no index can go astray.
import type { QueuedMutation } from '#contract/offline-queue';
import type { AsyncStorage } from '#phone';
import { isObject, parseJson } from '#solutions/token-refresh';
import type { Entry } from './entries.ts';
import type { Refusal } from './verdict.ts';

const PLACES = 'offline-queue/';
/** Where version 1 of the app kept its whole queue, as one JSON array. */
const OLD_QUEUE = 'mutationQueue';

export const placeOf = (generation: 0 | 1, number: number) =>
  `${PLACES}${generation}/${String(number).padStart(12, '0')}`;

/** The number of the newest place; those of the old queue are not counted. */
export function lastNumberIn(entries: readonly Entry[]): number {
  const own = entries.filter(({ place }) => place.startsWith(`${PLACES}1/`));
  return Number(own.at(-1)?.place.split('/').at(-1) ?? 0);
}

export function toText(
  { id, idempotencyKey, entityId, kind, payload, enqueuedAt }: QueuedMutation,
  refusal?: Refusal,
): string {
  return JSON.stringify({ id, idempotencyKey, entityId, kind, payload, enqueuedAt, refusal });
}

function toEntry(place: string, text: string): Entry {
  const record = parseJson(text);
  if (!isObject(record)) return { place, is: 'unreadable' };
  const { id, idempotencyKey, entityId, kind, payload, enqueuedAt, refusal } = record;
  if (!isText(id) || !isText(idempotencyKey) || !isText(entityId) || !isText(kind) || !isText(enqueuedAt)) {
    return { place, is: 'unreadable' };
  }
  const mutation = { id, idempotencyKey, entityId, kind, payload, enqueuedAt, attempts: 0 };
  if (!isObject(refusal)) return { place, is: 'waiting', mutation };
  const { status, message } = refusal;
  return { place, is: 'refused', mutation, refusal: { status: Number(status), message: String(message) } };
}

export async function readEntries(disk: AsyncStorage): Promise<Entry[]> {
  const keys = await disk.getAllKeys();
  // An old queue that is still here could not be read: it is reported like any other damaged value.
  const places = keys.filter((key) => key === OLD_QUEUE || key.startsWith(PLACES)).sort();
  return (await disk.multiGet(places)).map(([place, text]) => toEntry(place, text ?? ''));
}

/** Each old record has one fixed place ahead of all new ones: done twice, this changes nothing. */
export async function takeOverOldQueue(disk: AsyncStorage): Promise<void> {
  const old = parseJson((await disk.getItem(OLD_QUEUE)) ?? '');
  if (!Array.isArray(old)) return;
  const records = old.map((record) => (isObject(record) ? { ...record, id: record.idempotencyKey } : record));
  await disk.multiSet(records.map((record, index) => [placeOf(0, index), JSON.stringify(record)] as const));
  await disk.removeItem(OLD_QUEUE);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
