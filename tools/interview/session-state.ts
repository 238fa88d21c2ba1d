// The session as a fold over its journal. What makes no sense at its time changes nothing.
import type { GradeEvidence, Role, SessionEvent } from './events.ts';
import { PHASE_IDS, type PhaseId, SCORE_DIMENSIONS, type ScoreDimension } from './guide.ts';

export interface Score {
  /** 1 below, 2 partial, 3 meets, 4 exceeds. */
  readonly score: number;
  readonly evidence: string;
}

export type Scores = Readonly<Partial<Record<ScoreDimension, Score>>>;

export interface SessionState {
  /** `waiting`: the clock has not begun. `scoring`: all phases are over. `dropped`: given up, kept on disk. */
  readonly status: 'waiting' | 'running' | 'paused' | 'scoring' | 'dropped';
  readonly pausedWhy: 'asked' | 'left' | 'killed' | 'grading' | null;
  readonly phase: PhaseId;
  /** Time in each phase up to the last stop of the clock, in ms. */
  readonly spentMs: Readonly<Record<PhaseId, number>>;
  readonly runningSinceMs: number | null;
  readonly skipped: readonly PhaseId[];
  /** Session time at which each question was asked, in ms, by the question's id. */
  readonly asked: Readonly<Record<string, number>>;
  readonly notes: readonly {
    readonly phase: PhaseId;
    readonly text: string;
    readonly elapsedMs: number;
    readonly by: Role;
  }[];
  readonly thrown: readonly { readonly n: number; readonly say: string; readonly elapsedMs: number }[];
  readonly isCoding: boolean;
  /** The kata was coded since the last grade: the end of the deep dive grades it. */
  readonly isGradeDue: boolean;
  readonly grade: GradeEvidence | null;
  readonly scores: Readonly<Record<Role, Scores>>;
  readonly revealedTo: readonly Role[];
}

export const INITIAL: SessionState = {
  status: 'waiting',
  pausedWhy: null,
  phase: 'intro',
  spentMs: { intro: 0, requirements: 0, 'high-level': 0, 'deep-dive': 0, 'trade-offs': 0, questions: 0 },
  runningSinceMs: null,
  skipped: [],
  asked: {},
  notes: [],
  thrown: [],
  isCoding: false,
  isGradeDue: false,
  grade: null,
  scores: { candidate: {}, interviewer: {} },
  revealedTo: [],
};

/** The state after an event; the same state when the event makes no sense now. */
export function reduce(state: SessionState, event: SessionEvent): SessionState {
  if (state.status === 'dropped') return state;
  switch (event.kind) {
    case 'started':
      return state.status === 'waiting' ? { ...state, status: 'running', runningSinceMs: event.atMs } : state;
    case 'asked':
      if (!isOpen(state) || event.ask in state.asked) return state;
      return { ...state, asked: { ...state.asked, [event.ask]: elapsedMs(state, event.atMs) } };
    case 'unasked':
      return isOpen(state) ? { ...state, asked: without(state.asked, event.ask) } : state;
    case 'noted':
      return { ...state, notes: [...state.notes, noteOf(state, event)] };
    case 'advanced':
      return advance(state, event.from, event.how, event.atMs);
    case 'went-back':
      return goBack(state, event.from, event.atMs);
    case 'paused':
      if (state.status !== 'running') return state;
      return {
        ...stopClock(state, event.sinceMs ?? event.atMs),
        status: 'paused',
        pausedWhy: event.why,
        isCoding: false,
      };
    case 'resumed':
      if (state.status !== 'paused') return state;
      return { ...state, status: 'running', pausedWhy: null, runningSinceMs: event.atMs };
    case 'curveball':
      return throwCurveball(state, event);
    case 'coding-began':
      return isDeepDive(state) ? { ...state, isCoding: true, isGradeDue: true } : state;
    case 'coding-ended':
      return { ...state, isCoding: false };
    case 'graded':
      return { ...state, grade: event.grade, isGradeDue: false };
    case 'scored':
    case 'unscored':
      return score(state, event);
    case 'revealed':
      return state.status === 'scoring' && hasAllScores(state, event.by)
        ? { ...state, revealedTo: [...new Set([...state.revealedTo, event.by])] }
        : state;
    case 'dropped':
      return { ...stopClock(state, event.atMs), status: 'dropped' };
  }
}

/** Time since the clock began, without pauses, in ms. */
export function elapsedMs(state: SessionState, nowMs: number): number {
  return PHASE_IDS.reduce((sum, id) => sum + spentIn(state, id, nowMs), 0);
}

/** Time spent in a phase, the present run included, in ms. A clock set back counts as standing still. */
export function spentIn(state: SessionState, phase: PhaseId, nowMs: number): number {
  const running = state.runningSinceMs === null || state.phase !== phase ? 0 : nowMs - state.runningSinceMs;
  return state.spentMs[phase] + Math.max(0, running);
}

/** Whether all nine dimensions have a score of this role. */
export const hasAllScores = (state: SessionState, role: Role): boolean =>
  SCORE_DIMENSIONS.every((dimension) => state.scores[role][dimension] !== undefined);

/** The first dimension this role has not scored yet. */
export const nextToScore = (state: SessionState, role: Role): ScoreDimension | undefined =>
  SCORE_DIMENSIONS.find((dimension) => state.scores[role][dimension] === undefined);

const isOpen = ({ status }: SessionState): boolean => status === 'running' || status === 'paused';
const isDeepDive = ({ status, phase }: SessionState): boolean => status === 'running' && phase === 'deep-dive';

function stopClock(state: SessionState, atMs: number): SessionState {
  const spentMs = { ...state.spentMs, [state.phase]: spentIn(state, state.phase, atMs) };
  return { ...state, spentMs, runningSinceMs: null };
}

function advance(state: SessionState, from: PhaseId, how: 'next' | 'skip', atMs: number): SessionState {
  if (state.status !== 'running' || state.phase !== from) return state;
  const stopped = {
    ...stopClock(state, atMs),
    isCoding: false,
    skipped: how === 'skip' ? [...state.skipped, from] : state.skipped,
  };
  const next = PHASE_IDS[PHASE_IDS.indexOf(from) + 1];
  if (next === undefined) return { ...stopped, status: 'scoring' };
  return { ...stopped, phase: next, runningSinceMs: atMs };
}

function goBack(state: SessionState, from: PhaseId, atMs: number): SessionState {
  const before = PHASE_IDS[PHASE_IDS.indexOf(from) - 1];
  if (state.status !== 'running' || state.phase !== from || before === undefined) return state;
  const skipped = state.skipped.filter((id) => id !== before);
  return { ...stopClock(state, atMs), phase: before, runningSinceMs: atMs, isCoding: false, skipped };
}

/** Two attached terminals may both find it due: the first one counts. */
function throwCurveball(state: SessionState, event: SessionEvent & { kind: 'curveball' }): SessionState {
  if (!isDeepDive(state) || event.n !== state.thrown.length) return state;
  const { n, say, atMs } = event;
  return { ...state, thrown: [...state.thrown, { n, say, elapsedMs: elapsedMs(state, atMs) }] };
}

function score(state: SessionState, event: SessionEvent & { kind: 'scored' | 'unscored' }): SessionState {
  if (state.status !== 'scoring' || state.revealedTo.includes(event.by)) return state;
  const own = state.scores[event.by];
  const scores: Scores =
    event.kind === 'scored'
      ? { ...own, [event.dimension]: { score: event.score, evidence: event.evidence } }
      : without(own, event.dimension);
  return { ...state, scores: { ...state.scores, [event.by]: scores } };
}

const noteOf = (state: SessionState, event: SessionEvent & { kind: 'noted' }) => ({
  phase: state.phase,
  text: event.text,
  elapsedMs: elapsedMs(state, event.atMs),
  by: event.by,
});

function without<T extends object>(record: T, key: string): T {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key)) as T;
}
