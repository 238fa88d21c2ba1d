/** How a learner stands with a kata. */
export const KATA_STATES = ['never-tried', 'in-progress', 'solved', 'broken-since', 'stale'] as const;
export type KataState = (typeof KATA_STATES)[number];

/** Whether a kata was brought to its bar at some time, whatever happened since. */
export function wasSolved(state: KataState): boolean {
  return state === 'solved' || state === 'broken-since' || state === 'stale';
}
