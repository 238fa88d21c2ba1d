// All that is known of a learner's way through the course, as data.
import type { KataState } from '../course/kata-state.ts';
import type { History } from '../history/history.ts';
import { DRILL_RATINGS, type DrillRating } from '../history/practice.ts';
import type { GradeSummary } from '../history/standing.ts';
import { type Interview, readInterviews } from './interviews.ts';
import { type DimensionProgress, levelsOf } from './levels.ts';
import { sittingsOf, TIME_RULE } from './sittings.ts';

/** What progress needs to know of a kata. */
export interface KataToCount {
  readonly slug: string;
  readonly title: string;
  readonly tier: 'pattern' | 'feature';
  readonly version: number;
  readonly suiteHash: string;
  readonly hasAttempt: boolean;
}

export interface KataProgress {
  readonly slug: string;
  readonly title: string;
  readonly tier: 'pattern' | 'feature';
  readonly state: KataState;
  /** Of 100; null without a grade. */
  readonly best: number | null;
  /** What the best grade speaks for; null without a grade. */
  readonly band: string | null;
  readonly solvedAt: string | null;
  readonly grades: number;
  readonly minutes: number;
  readonly sittings: number;
  readonly reviews: { readonly count: number; readonly best: number | null };
  readonly drill: { readonly known: number; readonly due: number; readonly answers: number };
  readonly interviews: { readonly count: number; readonly lastLevel: string | null };
}

/** One thing that was done. Grades, reviews: score of 100. */
export interface ProgressEvent {
  readonly kind: 'grade' | 'review' | 'drill' | 'interview';
  readonly kata: string;
  /** ISO text, UTC. */
  readonly at: string;
  readonly score: number | null;
  /** `passed`, `below-bar`…; a rating; a level. */
  readonly result: string;
  readonly detail: string;
}

export interface Progress {
  readonly schemaVersion: 1;
  readonly at: string;
  readonly timeRule: string;
  readonly katas: readonly KataProgress[];
  readonly dimensions: readonly DimensionProgress[];
  /** Minutes by week; `week` is its Monday, as a date. Weeks without any are left out. */
  readonly weeks: readonly { readonly week: string; readonly minutes: number }[];
  readonly ratings: Readonly<Record<DrillRating, number>>;
  /** Everything, oldest first. */
  readonly events: readonly ProgressEvent[];
}

export interface ProgressSources {
  readonly root: string;
  readonly history: History;
  readonly katas: readonly KataToCount[];
  /** Share of a level's points that counts as having it, 0 to 1. */
  readonly share: number;
  readonly nowMs: number;
}

/** Gathers the progress. Nothing here throws over what is damaged: it is left out. */
export function gatherProgress({ root, history, katas, share, nowMs }: ProgressSources): Progress {
  const interviews = readInterviews(root);
  const cards = history.drillCards();
  const now = new Date(nowMs).toISOString();
  const times = katas.map((kata) => ({ kata, sittings: sittingsOf(momentsOf(history, kata.slug)) }));
  const bests = katas.flatMap(({ slug }) => bestOf(history.grades(slug)) ?? []);
  const answers = history.drillAnswers();
  return {
    schemaVersion: 1,
    at: now,
    timeRule: TIME_RULE,
    katas: times.map(({ kata, sittings }) => {
      const own = interviews.filter((one) => one.kata === kata.slug);
      const known = cards.filter((card) => card.kata === kata.slug);
      return {
        ...ofGrades(history, kata),
        minutes: sum(sittings.map(({ minutes }) => minutes)) + sum(own.map(({ minutes }) => minutes)),
        sittings: sittings.length + own.length,
        reviews: reviewsOf(history, kata.slug),
        drill: {
          known: known.length,
          due: known.filter(({ due }) => due <= now).length,
          answers: answers.filter((one) => one.kata === kata.slug && one.rating !== null).length,
        },
        interviews: { count: own.length, lastLevel: own.at(-1)?.level ?? null },
      };
    }),
    dimensions: levelsOf(
      bests.flatMap(({ id }) => history.reportOf(id) ?? []),
      share,
    ),
    weeks: weeksOf([
      ...times.flatMap(({ sittings }) => sittings),
      ...interviews.map(({ at, minutes }) => ({ from: at, minutes })),
    ]),
    ratings: ratingsOf(answers.map(({ rating }) => rating)),
    events: eventsOf(history, interviews),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

function momentsOf(history: History, slug: string): string[] {
  return [
    ...history.grades(slug).map(({ at }) => at),
    ...history.momentsOf(slug),
    ...history.reviews(slug).map(({ at }) => at),
    ...history.drillAnswers(slug).map(({ at }) => at),
  ];
}

/** The highest score; of equal ones the latest. */
const bestOf = (grades: readonly GradeSummary[]): GradeSummary | undefined =>
  grades.reduce<GradeSummary | undefined>(
    (best, grade) => (best === undefined || grade.score >= best.score ? grade : best),
    undefined,
  );

function ofGrades(history: History, { slug, title, tier, version, suiteHash, hasAttempt }: KataToCount) {
  const { state, best, solvedAt } = history.standing({ slug, version, suiteHash }, hasAttempt);
  const grades = history.grades(slug);
  return { slug, title, tier, state, best, band: bestOf(grades)?.band ?? null, solvedAt, grades: grades.length };
}

function reviewsOf(history: History, slug: string): KataProgress['reviews'] {
  const scores = history.reviews(slug).map(({ score }) => score);
  return { count: scores.length, best: scores.length === 0 ? null : Math.max(...scores) };
}

function weeksOf(sittings: readonly { readonly from: string; readonly minutes: number }[]): Progress['weeks'] {
  const weeks = new Map<string, number>();
  for (const { from, minutes } of sittings) {
    const week = mondayOf(from);
    if (week !== null) weeks.set(week, (weeks.get(week) ?? 0) + minutes);
  }
  return [...weeks].sort(([a], [b]) => (a < b ? -1 : 1)).map(([week, minutes]) => ({ week, minutes }));
}

function mondayOf(at: string): string | null {
  const day = new Date(at);
  if (Number.isNaN(day.getTime())) return null;
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}

function ratingsOf(ratings: readonly (DrillRating | null)[]): Record<DrillRating, number> {
  const counts = { again: 0, hard: 0, good: 0, easy: 0 };
  for (const rating of DRILL_RATINGS) counts[rating] = ratings.filter((one) => one === rating).length;
  return counts;
}

function eventsOf(history: History, interviews: readonly Interview[]): ProgressEvent[] {
  const grades = history.grades().map(({ kata, at, score, status, band, kataVersion }): ProgressEvent => {
    return { kind: 'grade', kata, at, score, result: status, detail: `band ${band}, kata version ${kataVersion}` };
  });
  const reviews = history.reviews().map(({ kata, at, score, found, fixed, mistakes, falseAlarms }): ProgressEvent => {
    const detail = `${found} of ${mistakes} found, ${fixed} mended, false alarms ${falseAlarms}`;
    return { kind: 'review', kata, at, score, result: 'scored', detail };
  });
  const drills = history.drillAnswers().map(
    ({ kata, at, rating, card }): ProgressEvent => ({
      kind: 'drill',
      kata,
      at,
      score: null,
      result: rating ?? 'not rated',
      detail: card,
    }),
  );
  const held = interviews.map(
    ({ kata, at, level, pattern, minutes }): ProgressEvent => ({
      kind: 'interview',
      kata,
      at,
      score: null,
      result: level,
      detail: `${pattern}${pattern === '' ? '' : ', '}${minutes} minutes`,
    }),
  );
  return [...grades, ...reviews, ...drills, ...held].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
