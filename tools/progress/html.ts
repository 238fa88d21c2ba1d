// The progress as one page that needs nothing but itself: charts with the same figures in a table beside each.
import { LEVELS } from '../course/schema.ts';
import { escapeMarkup } from '../grader/render/escape.ts';
import { section, words } from '../grader/render/html-parts.ts';
import { PAGE_STYLE } from '../grader/render/html-style.ts';
import { plainText } from '../grader/render/plain-text.ts';
import { DRILL_RATINGS } from '../history/practice.ts';
import { reachedBar } from '../history/standing.ts';
import { type Bar, barChart, scoreChart } from './charts.ts';
import type { KataProgress, Progress } from './progress.ts';
import { bandWords, minutesWords, STATE_WORDS } from './words.ts';

const STYLE = `
.pair{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:1.25rem;align-items:start}
.pair+h3,.pair+.pair{margin-top:1.5rem}
.pair figure{border:0;background:none}
.pair svg{width:100%;height:auto;max-width:100%}
figure svg text{font:12px system-ui,sans-serif;fill:var(--soft)}
svg .grid{stroke:var(--rule)}svg .bar-line{stroke:var(--ink);stroke-dasharray:4 4}
svg .line{fill:none;stroke:var(--accent);stroke-width:2}
svg .dot{fill:var(--accent);stroke:var(--accent);stroke-width:2}svg .ring{fill:var(--paper);stroke:var(--accent);stroke-width:2}
svg .room{fill:var(--rule)}svg .full{fill:var(--accent)}
.card h3{margin-bottom:.6rem}
.scroll tbody th{overflow-wrap:normal;white-space:nowrap}
@media (max-width:46rem){.pair{grid-template-columns:minmax(0,1fr)}}
@media print{.scroll tbody th{white-space:normal}}`;

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
const EVENTS_MAX = 100;

/** The page. `bars` are the katas' bars by slug. */
export function renderHtml(progress: Progress, bars: Readonly<Record<string, number>>): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>Airplane Mode: progress</title>',
    `<style>${PAGE_STYLE}${STYLE}</style>`,
    '</head>',
    `<body>\n<main>\n${body(plainText(progress), bars)}\n</main>\n</body>`,
    '</html>',
    '',
  ].join('\n');
}

function body(progress: Progress, bars: Readonly<Record<string, number>>): string {
  const { katas, at, timeRule } = progress;
  const solved = katas.filter(({ state }) => state === 'solved').length;
  const spent = katas.reduce((sum, { minutes }) => sum + minutes, 0);
  return [
    `<header><p class="kicker">Airplane Mode · progress on ${escapeMarkup(at.slice(0, 10))}</p><h1>${solved} of ${katas.length} solved, ${minutesWords(spent)}</h1></header>`,
    section('Katas', [card(kataTable(katas))]),
    section('Scores', scorePairs(progress, bars)),
    section('Levels by dimension', levelPairs(progress)),
    section('Time by week', timePair(progress)),
    section('Drill', drillPair(progress)),
    section('Everything, latest first', eventParts(progress)),
    `<footer>${words(timeRule)}</footer>`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

const card = (...parts: readonly string[]): string => `<div class="card">${parts.join('\n')}</div>`;

/** Wide tables scroll by themselves, with keys as well. */
const scroll = (data: string): string =>
  `<div class="scroll" tabindex="0" role="group" aria-label="Table">${data}</div>`;

const pair = (chart: string, data: string): string =>
  `<div class="pair"><figure>${chart}</figure>${scroll(data)}</div>`;

/** A table whose first column names its rows. */
function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const names = head.map((name) => `<th scope="col">${escapeMarkup(name)}</th>`).join('');
  const lines = rows.map(([first = '', ...rest]) => {
    const cells = rest.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join('');
    return `<tr><th scope="row">${escapeMarkup(first)}</th>${cells}</tr>`;
  });
  return `<table aria-label="${escapeMarkup(caption)}"><thead><tr>${names}</tr></thead><tbody>${lines.join('')}</tbody></table>`;
}

function kataTable(katas: readonly KataProgress[]): string {
  const rows = katas.map(({ slug, state, best, band, grades, minutes, reviews, drill, interviews }) => [
    slug,
    `${STATE_WORDS[state].mark} ${STATE_WORDS[state].words}`,
    best === null ? '' : String(best),
    bandWords(band),
    String(grades),
    String(reviews.count),
    drill.due > 0 ? `${drill.known}, ${drill.due} due` : String(drill.known),
    String(interviews.count),
    minutesWords(minutes),
  ]);
  const head = ['Kata', 'State', 'Best', 'Level', 'Grades', 'Reviews', 'Drill', 'Interviews', 'Time'];
  return scroll(table('Katas', head, rows));
}

function scorePairs({ katas, events }: Progress, bars: Readonly<Record<string, number>>): string[] {
  const parts = katas.flatMap(({ slug, title }) => {
    const grades = events.filter(({ kind, kata }) => kind === 'grade' && kata === slug);
    if (grades.length === 0) return [];
    const bar = bars[slug] ?? 70;
    const points = grades.map(({ at, score, result }) => ({
      at,
      score: score ?? 0,
      isPassed: reachedBar({ status: result, score: score ?? 0, bar }),
    }));
    const rows = grades.map(({ at, score, result }) => [at.slice(0, 16).replace('T', ' '), String(score), result]);
    const label = `Scores of ${title}, ${grades.length} grades, the last ${points.at(-1)?.score}`;
    const chart = pair(
      scoreChart(points, bar, label),
      table(`Grades of ${title}`, ['When (UTC)', 'Score', 'Result'], rows),
    );
    return [card(`<h3>${words(title)}</h3>`, chart)];
  });
  return parts.length === 0
    ? []
    : [...parts, '<p class="note">● passed, ○ not passed; the dashed line is the bar.</p>'];
}

function levelPairs({ dimensions }: Progress): string[] {
  return LEVELS.flatMap((level) => {
    const own = dimensions.flatMap(({ dimension, levels }) => {
      const found = levels.find((one) => one.level === level);
      return found ? [{ dimension, ...found }] : [];
    });
    if (own.length === 0) return [];
    const bars = own.map(
      ({ dimension, earned, points }): Bar => ({
        name: dimension,
        share: earned / points,
        says: `${Math.floor((100 * earned) / points)} %`,
      }),
    );
    const rows = own.map(({ dimension, earned, points }) => {
      const reached = dimensions.find((one) => one.dimension === dimension)?.level ?? null;
      return [dimension, `${earned} of ${points}`, reached ?? 'not yet'];
    });
    const label = `Share of points at ${level} level by dimension`;
    return [
      card(
        `<h3>${level}</h3>`,
        pair(barChart(bars, label), table(label, ['Dimension', 'Points', 'Level reached'], rows)),
      ),
    ];
  });
}

function timePair({ weeks }: Progress): string[] {
  if (weeks.length === 0) return [];
  const most = Math.max(...weeks.map(({ minutes }) => minutes));
  const bars = weeks
    .slice(-12)
    .map(({ week, minutes }): Bar => ({ name: week, share: minutes / most, says: minutesWords(minutes) }));
  const rows = weeks.map(({ week, minutes }) => [week, minutesWords(minutes)]);
  return [card(pair(barChart(bars, 'Time by week'), table('Time by week', ['Week of', 'Time'], rows)))];
}

function drillPair({ ratings }: Progress): string[] {
  const all = DRILL_RATINGS.reduce((sum, rating) => sum + ratings[rating], 0);
  if (all === 0) return [];
  const bars = DRILL_RATINGS.map(
    (rating): Bar => ({ name: rating, share: ratings[rating] / all, says: String(ratings[rating]) }),
  );
  const rows = DRILL_RATINGS.map((rating) => [rating, String(ratings[rating])]);
  return [card(pair(barChart(bars, 'Answers by rating'), table('Answers by rating', ['Rating', 'Answers'], rows)))];
}

function eventParts({ events }: Progress): string[] {
  if (events.length === 0) return ['<p class="note">Nothing yet.</p>'];
  const rows = events
    .slice(-EVENTS_MAX)
    .reverse()
    .map(({ at, kind, kata, score, result, detail }) => [
      at.slice(0, 16).replace('T', ' '),
      kind,
      kata,
      score === null ? result : `${score}, ${result}`,
      detail,
    ]);
  const more =
    events.length > EVENTS_MAX
      ? [`<p class="note">The latest ${EVENTS_MAX} of ${events.length}. All: npx kata progress --csv</p>`]
      : [];
  return [card(scroll(table('Events', ['When (UTC)', 'What', 'Kata', 'Result', 'More'], rows)), ...more)];
}
