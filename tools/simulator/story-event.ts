// One line of a story, as every drawing takes it.

export type Lane = 'app' | 'storage' | 'network' | 'server';

export interface StoryEvent {
  readonly atMs: number;
  readonly phone: number;
  readonly lane: Lane;
  /** For a message: the lane it goes to. */
  readonly to: Lane | null;
  /** When a message arrives; null when it never does. */
  readonly arrivesAtMs: number | null;
  readonly text: string;
  readonly mark: 'none' | 'lost' | 'kill' | 'launch' | 'offline' | 'online' | 'fault' | 'violation';
}

/** Something that happens in one lane. */
export function plain(atMs: number, phone: number, lane: Lane, text: string): StoryEvent {
  return { atMs: Math.round(atMs), phone, lane, to: null, arrivesAtMs: null, text, mark: 'none' };
}
