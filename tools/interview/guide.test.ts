import { expect, test } from 'vitest';
import { loadCatalogue } from '../course/catalogue.ts';
import { checkInterview } from '../course/check-interview.ts';
import { findCourseRoot } from '../course/course-root.ts';
import { loadRubric } from '../course/load-rubric.ts';
import { checkSeal } from '../course/seal.ts';
import { loadGuide, PHASE_IDS, SCORE_DIMENSIONS, SESSION_MINUTES } from './guide.ts';

const guide = await loadGuide();
const root = findCourseRoot(import.meta.dirname) ?? '';
const { katas } = await loadCatalogue(root);
/** What is still being written has no seal yet. */
const published = (
  await Promise.all(katas.map(async ({ slug }) => ({ slug, status: (await checkSeal(root, slug)).status })))
).flatMap(({ slug, status }) => (status === 'none' ? [] : [slug]));

test.each(SESSION_MINUTES)('divides all of %i minutes', (minutes) => {
  const sum = guide.phases.reduce((total, phase) => total + phase.minutes[`${minutes}`], 0);

  expect(sum).toBe(minutes);
});

test('has every phase and dimension once, in order', () => {
  expect(guide.phases.map(({ id }) => id)).toEqual(PHASE_IDS);
  expect(guide.dimensions.map(({ id }) => id)).toEqual(SCORE_DIMENSIONS);
});

test('says what must exist at the end of a phase in whole sentences', () => {
  const outcomes = guide.phases.flatMap(({ outcome }) => outcome);

  expect(outcomes.filter((outcome) => !/^[A-Z].*\.$/.test(outcome))).toEqual([]);
});

test('never says the same curveball twice', () => {
  const said = Object.values(guide.families).flatMap(({ curveballs }) => curveballs);

  expect(new Set(said).size).toBe(said.length);
});

test('has published katas to look at', () => {
  expect(published).toEqual(expect.arrayContaining(['offline-queue', 'token-refresh']));
});

test.each(published)('has a script to learn from for %s', async (slug) => {
  const rubric = await loadRubric(root, slug);
  const { clarifications, followUps, curveballs, redFlags } = rubric.interview;

  expect(checkInterview(rubric)).toEqual([]);
  expect({
    clarifications: clarifications.length >= 5,
    followUps: followUps.length >= 6,
    curveballs: curveballs.length >= 5,
    redFlags: redFlags.length >= 4,
  }).toEqual({ clarifications: true, followUps: true, curveballs: true, redFlags: true });
  expect(followUps.filter(({ answer = '' }) => answer.length < 250).map(({ ask }) => ask)).toEqual([]);
});
