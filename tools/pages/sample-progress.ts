// Progress of learners at different stages, as the page is given it.
import { hostile } from '../grader/render/sample-story.ts';
import type { KataProgress, Progress, ProgressEvent } from '../progress/progress.ts';
import { TIME_RULE } from '../progress/sittings.ts';

/** A text that breaks out of whatever does not escape it, with a word that no line holds. */
export const UNRULY = `${hostile}</svg></style></pre><img src=x onerror=alert(1)> ${'unbroken'.repeat(60)}`;

const kata = (slug: string, title: string, state: KataProgress['state']): KataProgress => ({
  slug,
  title,
  tier: 'pattern',
  state,
  best: null,
  band: null,
  solvedAt: null,
  grades: 0,
  minutes: 0,
  sittings: 0,
  reviews: { count: 0, best: null },
  drill: { known: 0, due: 0, answers: 0 },
  interviews: { count: 0, lastLevel: null },
});

/** Nothing was tried yet. */
export const emptyProgress: Progress = {
  schemaVersion: 1,
  at: '2026-03-09T09:00:00.000Z',
  timeRule: TIME_RULE,
  katas: [kata('offline-queue', 'Offline queue', 'never-tried'), kata('chat', 'Chat', 'never-tried')],
  dimensions: [],
  weeks: [],
  ratings: { again: 0, hard: 0, good: 0, easy: 0 },
  events: [],
};

const day = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n, 9)).toISOString();

const SCORES = [71, 64, 68, 70, 88.4, 100];
const grades = SCORES.map(
  (score, n): ProgressEvent => ({
    kind: 'grade',
    kata: 'offline-queue',
    at: day(n * 12),
    score,
    result: score >= 70 ? 'passed' : 'below-bar',
    detail: 'band senior, kata version 1',
  }),
);
const drills = Array.from(
  { length: 110 },
  (_, n): ProgressEvent => ({
    kind: 'drill',
    kata: 'escalation-routing',
    at: day(n),
    score: null,
    result: 'good',
    detail: 'escalation-routing/who-is-woken-when-nobody-answers',
  }),
);

/** A learner of four months: every state, every level and dimension, more events than the page holds. */
export const longProgress: Progress = {
  ...emptyProgress,
  katas: [
    {
      ...kata('offline-queue', 'Offline queue with idempotency keys, full jitter and dead letters', 'solved'),
      best: 100,
      band: 'staff',
      solvedAt: day(48),
      grades: 6,
      minutes: 7265,
      sittings: 9,
      reviews: { count: 12, best: 90 },
      drill: { known: 24, due: 7, answers: 80 },
      interviews: { count: 3, lastLevel: 'senior' },
    },
    { ...kata('chat', 'Chat', 'broken-since'), best: 80, band: 'mid', grades: 2, minutes: 45 },
    { ...kata('delta-sync', 'Delta sync', 'stale'), best: 75, band: 'mid', grades: 1, minutes: 60 },
    { ...kata('escalation-routing', 'Escalation routing', 'in-progress'), best: 12.5, band: 'not-yet', grades: 1 },
    kata('resumable-upload', 'Resumable upload', 'never-tried'),
  ],
  dimensions: [
    {
      dimension: 'correctness',
      level: 'staff',
      levels: [
        { level: 'mid', earned: 40, points: 40 },
        { level: 'senior', earned: 37.5, points: 40 },
        { level: 'staff', earned: 9.5, points: 10 },
      ],
    },
    {
      dimension: 'code quality',
      level: null,
      levels: [
        { level: 'mid', earned: 0, points: 8 },
        { level: 'senior', earned: 4.2, points: 12 },
      ],
    },
  ],
  weeks: Array.from({ length: 14 }, (_, n) => ({ week: day(4 + n * 7).slice(0, 10), minutes: 15 + n * 130 })),
  ratings: { again: 3, hard: 0, good: 70, easy: 7 },
  events: [
    ...grades,
    { kind: 'review', kata: 'chat', at: day(3), score: 90, result: 'scored', detail: '3 of 4 found, false alarms 1' },
    ...drills,
    { kind: 'interview', kata: 'chat', at: day(120), score: null, result: 'senior', detail: '3 3 2, 40 minutes' },
  ],
};

/** Every text that a file of the learner's can bring in is unruly. */
export const unrulyProgress: Progress = {
  ...longProgress,
  katas: longProgress.katas.map((each) => ({ ...each, title: UNRULY })),
  events: longProgress.events.map((each) => ({ ...each, result: UNRULY, detail: UNRULY })),
};
