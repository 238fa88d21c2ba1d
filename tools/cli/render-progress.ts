// The progress on the terminal.
import type { KataProgress, Progress } from '../progress/progress.ts';
import { bandWords, minutesWords } from '../progress/words.ts';
import { type Look, MARK, paint, wrap } from '../terminal/look.ts';
import { STATE_LOOK } from './course-map.ts';
import { counted } from './words.ts';

const LATEST = 5;

/** The whole progress as text, without a line end at its end. */
export function renderProgress(look: Look, progress: Progress): string {
  const { katas, dimensions, events, timeRule } = progress;
  const solved = katas.filter(({ state }) => state === 'solved').length;
  const minutes = katas.reduce((sum, kata) => sum + kata.minutes, 0);
  const head = `${paint(look, 'bold', 'Your progress')} ${MARK.none} ${solved} of ${katas.length} solved, ${minutesWords(minutes)}`;
  return [
    wrap(look, head),
    katas.map((kata) => renderKata(look, kata)).join('\n'),
    ...(dimensions.length === 0 ? [] : [renderDimensions(look, progress)]),
    ...(events.length === 0 ? [] : [renderLatest(look, progress)]),
    wrap(look, events.length === 0 ? 'Nothing is kept yet. A grade is: npx kata grade <slug>' : timeRule),
  ].join('\n\n');
}

function renderKata(look: Look, kata: KataProgress): string {
  const { mark, words, style } = STATE_LOOK[kata.state];
  const best = kata.best === null ? [] : [`best ${Math.floor(kata.best)} (${bandWords(kata.band)})`];
  const { reviews, drill, interviews } = kata;
  const done = [
    ...(kata.grades > 0 ? [counted(kata.grades, 'grade')] : []),
    ...(reviews.count > 0 ? [`${counted(reviews.count, 'review')}, best ${reviews.best}`] : []),
    ...(drill.known > 0 ? [`drill ${drill.known} known, ${drill.due} due`] : []),
    ...(interviews.count > 0 ? [`${counted(interviews.count, 'interview')}, last ${interviews.lastLevel}`] : []),
    ...(kata.sittings > 0 ? [`${minutesWords(kata.minutes)} in ${counted(kata.sittings, 'sitting')}`] : []),
  ];
  return [
    `  ${paint(look, style, mark)} ${kata.slug}`,
    wrap(look, [words, ...best].join(', '), { indent: 6 }),
    ...(done.length === 0 ? [] : [wrap(look, done.join('; '), { indent: 6 })]),
  ].join('\n');
}

function renderDimensions(look: Look, { dimensions }: Progress): string {
  const lines = dimensions.map(({ dimension, level, levels }) => {
    const shares = levels.map((one) => `${one.level} ${Math.floor((100 * one.earned) / one.points)} %`).join(', ');
    return wrap(look, `${dimension}: ${level ?? 'not yet'} (${shares})`, { indent: 2, hang: 6 });
  });
  return [paint(look, 'bold', 'Level by dimension, of best grades'), ...lines].join('\n');
}

function renderLatest(look: Look, { events }: Progress): string {
  const lines = events
    .slice(-LATEST)
    .reverse()
    .map(({ at, kind, kata, score, result }) => {
      const what = score === null ? result : `${score} of 100${result === 'scored' ? '' : `, ${result}`}`;
      return wrap(look, `${at.slice(0, 10)} ${kind} ${kata}: ${what}`, { indent: 2, hang: 6 });
    });
  return [paint(look, 'bold', 'Latest'), ...lines].join('\n');
}
