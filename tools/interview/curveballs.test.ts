import { expect, test } from 'vitest';
import { planCurveballs } from './curveballs.ts';
import { loadGuide, phaseOf, plannedMs } from './guide.ts';
import { createStage, SCRIPT } from './testing/stage.ts';

const guide = await loadGuide();
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

test('draws the same for the same seed, and others for others', () => {
  const plans = SEEDS.map((seed) => JSON.stringify(planCurveballs(guide, SCRIPT, 45, seed)));

  expect(JSON.stringify(planCurveballs(guide, SCRIPT, 45, 7))).toBe(plans[7]);
  expect(new Set(plans).size).toBe(SEEDS.length);
});

test('throws the kata’s own first, then its family’s, then any', () => {
  const { pool } = planCurveballs(guide, SCRIPT, 60, 3);
  const own = SCRIPT.curveballs.map(({ say }) => say);
  const said = pool.map(({ say }) => say);

  expect(said.slice(0, 2).toSorted()).toEqual(own.toSorted());
  expect(guide.families.queue.curveballs).toEqual(expect.arrayContaining(said.slice(2, 10)));
  expect(guide.families.any.curveballs).toEqual(expect.arrayContaining(said.slice(10)));
  expect(new Set(said).size).toBe(said.length);
});

test.each([
  [45, 2],
  [60, 3],
] as const)('comes at unannounced moments of a session of %i minutes, never two at once', (minutes, count) => {
  const lengthMs = plannedMs(phaseOf(guide, 'deep-dive'), minutes);
  const due = SEEDS.map((seed) => planCurveballs(guide, SCRIPT, minutes, seed).dueMs);

  expect(due.filter((list) => list.length !== count)).toEqual([]);
  expect(due.flat().filter((ms) => ms < lengthMs * 0.2 || ms > lengthMs * 0.85)).toEqual([]);
  expect(due.filter((list) => list.some((ms, n) => n > 0 && ms - (list[n - 1] ?? 0) < 20_000))).toEqual([]);
  expect(new Set(due.map(([first]) => first)).size).toBeGreaterThan(150);
});

test('throws what is due in the deep dive, and leaves the rest to the interviewer', async () => {
  const stage = await createStage();
  const session = await stage.begin({ seed: 4 });
  session.record({ kind: 'started' });
  for (const from of ['intro', 'requirements', 'high-level'] as const)
    session.record({ kind: 'advanced', from, how: 'next' });

  stage.pass(session, 21);

  const expected = planCurveballs(guide, SCRIPT, 45, 4);
  expect(session.state.thrown.map(({ say }) => say)).toEqual(expected.pool.slice(0, 2).map(({ say }) => say));
  expect(session.state.thrown.map(({ elapsedMs }) => Math.abs(elapsedMs - (expected.dueMs[0] ?? 0)) <= 1000)[0]).toBe(
    true,
  );
  stage.remove();
});
