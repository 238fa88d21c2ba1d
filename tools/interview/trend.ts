// How the results went over the sessions so far.
import { type Look, padTo, paint, wrap } from '../terminal/look.ts';
import { SCORE_DIMENSIONS } from './guide.ts';
import type { Scorecard } from './scorecard.ts';
import { LEVEL_WORDS } from './scorecard-markdown.ts';

export interface Trend {
  readonly sessions: readonly Pick<Scorecard, 'id' | 'startedAt' | 'kata' | 'level' | 'pattern'>[];
  /** Of each dimension: its scores, oldest first, and what the last two say. */
  readonly dimensions: readonly {
    readonly title: string;
    readonly scores: readonly number[];
    readonly direction: 'up' | 'down' | 'level' | 'new';
  }[];
}

/** The trend over results, oldest first. */
export function trendOf(cards: readonly Scorecard[]): Trend {
  return {
    sessions: cards.map(({ id, startedAt, kata, level, pattern }) => ({ id, startedAt, kata, level, pattern })),
    dimensions: SCORE_DIMENSIONS.flatMap((dimension) => {
      const lines = cards.flatMap(({ scores }) => scores.filter((line) => line.dimension === dimension));
      const scores = lines.map(({ score }) => score);
      const title = lines[0]?.title;
      return title === undefined ? [] : [{ title, scores, direction: directionOf(scores) }];
    }),
  };
}

function directionOf(scores: readonly number[]): Trend['dimensions'][number]['direction'] {
  const [before, last] = scores.slice(-2);
  if (before === undefined || last === undefined) return 'new';
  return last === before ? 'level' : last > before ? 'up' : 'down';
}

const MARKS = { up: '↑ up', down: '↓ down', level: '→ the same', new: '· first' } as const;
/** Older ones are in the files. */
const SHOWN_MAX = 8;

/** The trend as text of the look's width. */
export function renderTrend(look: Look, { sessions, dimensions }: Trend): string {
  if (sessions.length === 0) return wrap(look, 'No interview is finished yet. Begin one: npx kata interview');
  const width = Math.max(...dimensions.map(({ title }) => title.length));
  const rows = sessions.flatMap(({ startedAt, kata, level, pattern }) => [
    wrap(look, `${startedAt.slice(0, 10)}  ${kata.slug}: ${LEVEL_WORDS[level]}`, { indent: 2, hang: 4 }),
    wrap(look, pattern, { indent: 14 }),
  ]);
  const lines = dimensions.flatMap(({ title, scores, direction }) => {
    const shown = `${scores.slice(-SHOWN_MAX).join(' ')}  ${MARKS[direction]}`;
    const isOneLine = width + 4 + shown.length <= look.width;
    return isOneLine ? [`  ${padTo(title, width)}  ${shown}`] : [wrap(look, title, { indent: 2 }), `    ${shown}`];
  });
  return [
    paint(look, 'bold', `Interviews, ${sessions.length} finished`),
    ...rows,
    '',
    paint(look, 'bold', `Scores by dimension, oldest first`),
    ...lines,
  ].join('\n');
}
