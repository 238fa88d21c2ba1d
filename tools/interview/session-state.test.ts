import { expect, test } from 'vitest';
import type { Happening, SessionEvent } from './events.ts';
import { PHASE_IDS, SCORE_DIMENSIONS } from './guide.ts';
import { elapsedMs, INITIAL, reduce, type SessionState, spentIn } from './session-state.ts';

const at = (minute: number, happening: Happening, by: SessionEvent['by'] = 'candidate'): SessionEvent => ({
  atMs: minute * 60_000,
  by,
  ...happening,
});
const after = (...events: SessionEvent[]): SessionState => events.reduce(reduce, INITIAL);
const next = (minute: number, from: (typeof PHASE_IDS)[number]) => at(minute, { kind: 'advanced', from, how: 'next' });
const toScoring = PHASE_IDS.map((id, n) => next(n + 1, id));

test('counts the time of each phase', () => {
  const state = after(at(0, { kind: 'started' }), next(2, 'intro'), next(9, 'requirements'));

  expect(state).toMatchObject({ phase: 'high-level', status: 'running' });
  expect([state.spentMs.intro, state.spentMs.requirements]).toEqual([120_000, 420_000]);
  expect(spentIn(state, 'high-level', 600_000)).toBe(60_000);
  expect(elapsedMs(state, 600_000)).toBe(600_000);
});

test('stands still while it is paused', () => {
  const state = after(at(0, { kind: 'started' }), at(1, { kind: 'paused', why: 'asked' }), at(30, { kind: 'resumed' }));

  expect(elapsedMs(state, 31 * 60_000)).toBe(120_000);
});

test('ends the clock of a killed session where it was last seen', () => {
  const killed = at(500, { kind: 'paused', why: 'killed', sinceMs: 60_000 });

  const state = after(at(0, { kind: 'started' }), killed);

  expect(elapsedMs(state, 501 * 60_000)).toBe(60_000);
});

test('takes a clock that was set back for one that stood still', () => {
  const state = after(at(10, { kind: 'started' }), next(4, 'intro'));

  expect([state.phase, state.spentMs.intro]).toEqual(['requirements', 0]);
});

test('advances once when two terminals press the key at once', () => {
  const state = after(at(0, { kind: 'started' }), next(2, 'intro'), next(2, 'intro'));

  expect(state.phase).toBe('requirements');
});

test('goes back to a phase whose time goes on, and is no longer skipped', () => {
  const state = after(
    at(0, { kind: 'started' }),
    at(1, { kind: 'advanced', from: 'intro', how: 'skip' }),
    at(2, { kind: 'went-back', from: 'requirements' }),
  );

  expect([state.phase, state.skipped]).toEqual(['intro', []]);
  expect(spentIn(state, 'intro', 180_000)).toBe(120_000);
});

test('asks for scores after the last phase, and grades nothing before', () => {
  const early = at(1, { kind: 'scored', dimension: 'api', score: 3, evidence: 'early' });
  const late = at(9, { kind: 'scored', dimension: 'api', score: 2, evidence: 'late' });

  const state = after(at(0, { kind: 'started' }), early, ...toScoring, late);

  expect(state.status).toBe('scoring');
  expect(state.scores.candidate).toEqual({ api: { score: 2, evidence: 'late' } });
});

test('lets scores stand once the model answers were shown', () => {
  const scored = SCORE_DIMENSIONS.map((dimension) => at(9, { kind: 'scored', dimension, score: 2, evidence: 'own' }));
  const revised = at(11, { kind: 'scored', dimension: 'api', score: 4, evidence: 'read the answer' });

  const state = after(at(0, { kind: 'started' }), ...toScoring, ...scored, at(10, { kind: 'revealed' }), revised);

  expect(state.scores.candidate.api?.score).toBe(2);
});

test('reveals nothing before all nine are scored', () => {
  expect(after(at(0, { kind: 'started' }), ...toScoring, at(10, { kind: 'revealed' })).revealedTo).toEqual([]);
});

test('keeps the scores of two people apart', () => {
  const score = (by: SessionEvent['by'], given: number) =>
    at(9, { kind: 'scored', dimension: 'scope', score: given, evidence: by }, by);

  const { scores } = after(at(0, { kind: 'started' }), ...toScoring, score('candidate', 4), score('interviewer', 2));

  expect([scores.candidate.scope?.score, scores.interviewer.scope?.score]).toEqual([4, 2]);
});

test.each<[string, Happening]>([
  ['a start', { kind: 'started' }],
  ['a resume', { kind: 'resumed' }],
  ['a step from another phase', { kind: 'advanced', from: 'questions', how: 'next' }],
  ['a step back from the first', { kind: 'went-back', from: 'intro' }],
  ['a curveball outside the deep dive', { kind: 'curveball', n: 0, say: 'no' }],
  ['coding outside the deep dive', { kind: 'coding-began' }],
])('lets %s change nothing where it makes no sense', (_, happening) => {
  const running = after(at(0, { kind: 'started' }));

  expect(reduce(running, at(1, happening))).toBe(running);
});

test('changes nothing once it was given up', () => {
  const dropped = after(at(0, { kind: 'started' }), at(1, { kind: 'dropped' }));

  expect(reduce(dropped, at(2, { kind: 'noted', text: 'late' }))).toBe(dropped);
});
