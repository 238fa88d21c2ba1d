// What a terminal shows of a session besides the session itself, and the keys that make sense now.
import { nextCurveball } from '../curveballs.ts';
import type { ScoreDimension } from '../guide.ts';
import type { Session } from '../session.ts';
import { nextToScore } from '../session-state.ts';

/** A line that is being typed. */
export type Typing =
  | { readonly purpose: 'note'; readonly text: string }
  | { readonly purpose: 'evidence'; readonly dimension: ScoreDimension; readonly score: number; readonly text: string };

export interface View {
  readonly panel: 'main' | 'asks';
  readonly typing: Typing | null;
  /** First line of the body that is shown. */
  readonly scroll: number;
  /** Whether the body is longer than there is room. */
  readonly isLong: boolean;
  /** A sentence about what was just done; empty without one. */
  readonly message: string;
}

export const FIRST_VIEW: View = { panel: 'main', typing: null, scroll: 0, isLong: false, message: '' };

export const ACTIONS = [
  'start',
  'next',
  'skip',
  'back',
  'pause',
  'resume',
  'asks',
  'note',
  'editor',
  'code',
  'throw',
  'score',
  'unscore',
  'close',
  'tick',
  'down',
  'up',
  'leave',
] as const;
export type Action = (typeof ACTIONS)[number];

export interface Offer {
  readonly key: string;
  readonly says: string;
  readonly action: Action;
}

export interface Means {
  /** Whether an editor of the person's own is known. */
  readonly hasEditor: boolean;
  /** Whether the kata can be coded from here. */
  readonly canCode: boolean;
}

/** The letters that tick the questions of the must-ask list, in its order. */
export const askKey = (n: number): string => String.fromCharCode('a'.charCodeAt(0) + n);

/** The keys that make sense now, in the order in which they are offered. No other key is heard. */
export function offersFor(session: Session, view: View, means: Means): Offer[] {
  if (view.typing !== null) return [];
  if (view.panel === 'asks') return askOffers(session);
  return [...phaseOffers(session, means), ...readingOffers(view), ...alwaysOffers(session, means)];
}

/** In a session of two, the interviewer has the clock. */
const hasClock = ({ header, role }: Session): boolean => header.mode === 'alone' || role === 'interviewer';

function phaseOffers(session: Session, { canCode }: Means): Offer[] {
  const { state, role } = session;
  const isClock = hasClock(session);
  switch (state.status) {
    case 'waiting':
      return isClock ? [{ key: 's', says: 'start the clock', action: 'start' }] : [];
    case 'paused':
      return isClock ? [{ key: 'p', says: 'go on', action: 'resume' }] : [];
    case 'running':
      return [
        ...(isClock ? clockOffers(session) : []),
        { key: 'a', says: 'tick what was asked', action: 'asks' },
        ...(canCode && role === 'candidate' && state.phase === 'deep-dive'
          ? [{ key: 'c', says: 'code it', action: 'code' } as const]
          : []),
        ...(role === 'interviewer' && state.phase === 'deep-dive' && nextCurveball(session.curveballs, state) !== null
          ? [{ key: 'u', says: 'throw a curveball', action: 'throw' } as const]
          : []),
      ];
    case 'scoring':
      return scoreOffers(session);
    case 'dropped':
      return [];
  }
}

function clockOffers({ state }: Session): Offer[] {
  return [
    { key: 'n', says: state.phase === 'questions' ? 'end' : 'next', action: 'next' },
    { key: 'x', says: 'skip', action: 'skip' },
    ...(state.phase === 'intro' ? [] : [{ key: 'b', says: 'back', action: 'back' } as const]),
    { key: 'p', says: 'pause', action: 'pause' },
  ];
}

function scoreOffers({ state, role }: Session): Offer[] {
  if (nextToScore(state, role) === undefined) return [];
  const scores = ['1', '2', '3', '4'].map((key): Offer => ({ key, says: '', action: 'score' }));
  const isBegun = Object.keys(state.scores[role]).length > 0;
  return [...scores, ...(isBegun ? [{ key: 'b', says: 'the one before', action: 'unscore' } as const] : [])];
}

const askOffers = ({ guide }: Session): Offer[] => [
  ...guide.mustAsk.map(({ says }, n): Offer => ({ key: askKey(n), says, action: 'tick' })),
  { key: 'return', says: 'done', action: 'close' },
  { key: 'escape', says: 'done', action: 'close' },
];

const readingOffers = ({ isLong }: View): Offer[] =>
  isLong
    ? [
        { key: 'j', says: 'down', action: 'down' },
        { key: 'k', says: 'up', action: 'up' },
      ]
    : [];

function alwaysOffers({ state }: Session, { hasEditor }: Means): Offer[] {
  return [
    ...(state.status === 'scoring' ? [] : [{ key: 'i', says: 'note', action: 'note' } as const]),
    ...(hasEditor ? [{ key: 'e', says: 'edit notes', action: 'editor' } as const] : []),
    { key: 'q', says: 'leave', action: 'leave' },
  ];
}
