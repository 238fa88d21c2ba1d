// What every drawing of a story needs: lanes in their order, and what is so at each event.
import type { Story, StoryEvent } from '../report.ts';
import { readable } from './readable.ts';

export type Lane = StoryEvent['lane'];

/** From the phone's hand to the far end. */
export const LANES = ['app', 'storage', 'network', 'server'] as const satisfies readonly Lane[];

/** A story's events in order of time; those at the same time as they were written. */
export const inOrder = (story: Story): StoryEvent[] => [...story.events].sort((a, b) => a.atMs - b.atMs);

/** The phones that a story tells of. */
export const phonesOf = (story: Story): number[] =>
  [...new Set(story.events.map(({ phone }) => phone))].sort((a, b) => a - b);

/** Whether a message never arrives. */
export const isLost = (event: StoryEvent): boolean =>
  event.mark === 'lost' || (event.to !== null && event.arrivesAtMs === null);

/** Whether anything else happens between a message's sending and its arrival. */
export function isOvertaken(events: readonly StoryEvent[], n: number): boolean {
  const arrivesAtMs = events[n]?.arrivesAtMs ?? null;
  return arrivesAtMs !== null && events.some(({ atMs }, m) => m > n && atMs < arrivesAtMs);
}

/** Where the broken rule first showed: an index among the events, or -1. */
export const firstViolation = (events: readonly StoryEvent[]): number =>
  events.findIndex(({ mark }) => mark === 'violation');

/** What is so on an event's phone while it happens. */
export interface PhoneState {
  readonly isOffline: boolean;
  /** False between a kill and the next launch. */
  readonly isRunning: boolean;
}

/** The state of each event's own phone, the event included. */
export function statesAt(events: readonly StoryEvent[]): PhoneState[] {
  const offline = new Set<number>();
  const killed = new Set<number>();
  return events.map(({ phone, mark }) => {
    if (mark === 'offline') offline.add(phone);
    if (mark === 'online') offline.delete(phone);
    if (mark === 'kill') killed.add(phone);
    if (mark === 'launch') killed.delete(phone);
    return { isOffline: offline.has(phone), isRunning: !killed.has(phone) };
  });
}

/** What an event says, with the words that its mark stands for. */
export function says(event: StoryEvent): string {
  switch (event.mark) {
    case 'kill':
      return led('KILLED', readable(event.text));
    case 'launch':
      return led('LAUNCHED', readable(event.text));
    default: {
      const text = readable(event.text);
      return isLost(event) && !/\blost\b/i.test(text) ? `${text}: lost` : text;
    }
  }
}

/** A text that begins with a word in capitals, which it may begin with already in small letters. */
function led(word: string, text: string): string {
  if (text.toLowerCase().startsWith(word.toLowerCase())) return word + text.slice(word.length);
  return text === '' ? word : `${word}: ${text}`;
}

/** The phone as a person counts it, where there are several: `phone 2: `. */
export const phonePrefix = (event: StoryEvent, phones: readonly number[]): string =>
  phones.length > 1 ? `phone ${event.phone + 1}: ` : '';
