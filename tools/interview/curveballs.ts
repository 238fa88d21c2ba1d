// Which curveballs a session has, and when each comes.
import type { Family, Interview } from '../course/schema.ts';
import { draw, shuffle } from './draw.ts';
import { type Guide, phaseOf, plannedMs, type SessionMinutes } from './guide.ts';
import { type SessionState, spentIn } from './session-state.ts';

export interface Curveball {
  readonly say: string;
  /** A model answer; null where the guide has none. */
  readonly answer: string | null;
}

export interface CurveballPlan {
  /** In the order in which they are thrown: the kata's own, its family's, then those of any design. */
  readonly pool: readonly Curveball[];
  /** Time in the deep dive at which each comes by itself, in ms: fewer than there are in the pool. */
  readonly dueMs: readonly number[];
}

/** How many come unasked, by the session's length. */
const COUNT = { 45: 2, 60: 3 } as const;
/** They come within this part of the deep dive, so that there is ground to stand on and time to answer. */
const [FROM, TO] = [0.2, 0.85];

export function planCurveballs(guide: Guide, script: Interview, minutes: SessionMinutes, seed: number): CurveballPlan {
  const lengthMs = plannedMs(phaseOf(guide, 'deep-dive'), minutes);
  const count = COUNT[minutes];
  const window = (TO - FROM) / count;
  const dueMs = Array.from({ length: count }, (_, n) =>
    // The last tenth of a window stays empty, so that two never come at once.
    Math.round(lengthMs * (FROM + window * (n + 0.9 * draw(seed, `curveball at ${n}`)))),
  );
  return { pool: poolOf(guide, script, seed), dueMs };
}

function poolOf({ families }: Guide, script: Interview, seed: number): Curveball[] {
  const own = script.curveballs.map(({ say, answer }) => ({ say, answer: answer ?? null }));
  const of = (family: Family | 'any') => families[family].curveballs.map((say): Curveball => ({ say, answer: null }));
  return [
    ...shuffle(own, seed, 'own'),
    ...(script.family === undefined ? [] : shuffle(of(script.family), seed, script.family)),
    ...shuffle(of('any'), seed, 'any'),
  ];
}

/** The curveball that comes now by itself; null when none is due. */
export function dueCurveball(
  plan: CurveballPlan,
  state: SessionState,
  nowMs: number,
): { n: number; say: string } | null {
  const n = state.thrown.length;
  const dueMs = plan.dueMs[n];
  if (state.status !== 'running' || state.phase !== 'deep-dive' || dueMs === undefined) return null;
  return spentIn(state, 'deep-dive', nowMs) >= dueMs ? nextCurveball(plan, state) : null;
}

/** The next one an interviewer may throw by hand; null when all were. */
export function nextCurveball({ pool }: CurveballPlan, { thrown }: SessionState): { n: number; say: string } | null {
  const next = pool[thrown.length];
  return next === undefined ? null : { n: thrown.length, say: next.say };
}
