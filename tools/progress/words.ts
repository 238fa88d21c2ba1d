import type { KataState } from '../course/kata-state.ts';

/** Mark and words of each state; the words alone say it all. */
export const STATE_WORDS: Readonly<Record<KataState, { readonly mark: string; readonly words: string }>> = {
  'never-tried': { mark: '·', words: 'never tried' },
  'in-progress': { mark: '→', words: 'in progress' },
  solved: { mark: '✓', words: 'solved' },
  'broken-since': { mark: '✗', words: 'solved once, broken since' },
  stale: { mark: '!', words: 'solved, stale' },
};

/** `45 min`, `3 h 20 min`. */
export function minutesWords(minutes: number): string {
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${rest} min`}`;
}

/** What a band is called in a table; nothing without a grade. */
export const bandWords = (band: string | null): string => (band === null ? '' : band.replace('-', ' '));
