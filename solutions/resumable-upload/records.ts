// One stored value an upload. After the first write of it every change is a hint that may get lost.
import type { AsyncStorage } from '#phone';
import { isObject, parseJson } from '#solutions/token-refresh';
import type { Kept } from './entry.ts';

const PLACES = 'upload/';

export const placeOf = (number: number): string => PLACES + String(number).padStart(9, '0');
export const numberOf = (place: string): number => Number(place.slice(PLACES.length));

/** Oldest first. */
export async function readRecords(disk: AsyncStorage): Promise<[place: string, Kept][]> {
  const places = (await disk.getAllKeys()).filter((key) => key.startsWith(PLACES)).sort();
  const stored = await disk.multiGet(places);
  return stored.flatMap(([place, text]): [string, Kept][] => {
    const kept = parseJson(text ?? '');
    // What cannot be read has no upload: its copy is an orphan then.
    return isKept(kept) ? [[place, kept]] : [];
  });
}

/** It was written at once: where the key is, the rest is. */
const isKept = (value: unknown): value is Kept => isObject(value) && typeof value.createKey === 'string';
