// The page's drawings. Colours are the page's own, so that they follow light and dark; no state is told by colour alone.
import { escapeMarkup } from '../grader/render/escape.ts';

const WIDTH = 420;
const LEFT = 34;
const RIGHT = 52;

const svg = (height: number, label: string, parts: readonly string[]): string =>
  `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeMarkup(label)}">${parts.join('')}</svg>`;

const textAt = (x: number, y: number, text: string, anchor = 'start'): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escapeMarkup(text)}</text>`;

const round = (value: number): number => Math.round(value * 10) / 10;

export interface ScorePoint {
  /** ISO text. */
  readonly at: string;
  readonly score: number;
  readonly isPassed: boolean;
}

/** Scores of 100 in the order of the grades; a full dot is a pass, a ring is not. `bar` is a dashed line. */
export function scoreChart(points: readonly ScorePoint[], bar: number, label: string): string {
  const height = 150;
  const [top, bottom] = [14, 118];
  const x = (n: number) => LEFT + 8 + (n * (WIDTH - LEFT - RIGHT - 16)) / Math.max(1, points.length - 1);
  const y = (score: number) => bottom - (Math.max(0, Math.min(100, score)) / 100) * (bottom - top);
  const scale = [0, 50, 100].flatMap((value) => [
    `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/>`,
    textAt(LEFT - 6, y(value) + 4, String(value), 'end'),
  ]);
  const line = points.map(({ score }, n) => `${round(x(n))},${round(y(score))}`).join(' ');
  const dots = points.map(
    ({ score, isPassed }, n) =>
      `<circle class="${isPassed ? 'dot' : 'ring'}" cx="${round(x(n))}" cy="${round(y(score))}" r="4"/>`,
  );
  const [first, last] = [points[0]?.at.slice(0, 10) ?? '', points.at(-1)?.at.slice(0, 10) ?? ''];
  return svg(height, label, [
    ...scale,
    `<line class="bar-line" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(bar)}" y2="${y(bar)}"/>`,
    textAt(WIDTH - RIGHT + 6, y(bar) + 4, `bar ${bar}`),
    `<polyline class="line" points="${line}"/>`,
    ...dots,
    textAt(LEFT, height - 8, first),
    ...(last === first ? [] : [textAt(WIDTH - RIGHT, height - 8, last, 'end')]),
  ]);
}

export interface Bar {
  readonly name: string;
  /** 0 to 1: how much of the room it takes. */
  readonly share: number;
  readonly says: string;
}

/** Bars that lie, a name to the left and its figure to the right. */
export function barChart(bars: readonly Bar[], label: string): string {
  const [row, names, figures] = [24, 120, 92];
  const room = WIDTH - names - figures;
  return svg(
    bars.length * row + 6,
    label,
    bars.flatMap(({ name, share, says }, n) => {
      const y = n * row + 4;
      const full = Math.max(0, Math.min(1, share)) * room;
      return [
        textAt(names - 8, y + 14, name, 'end'),
        `<rect class="room" x="${names}" y="${y + 3}" width="${room}" height="14" rx="3"/>`,
        ...(full > 0
          ? [`<rect class="full" x="${names}" y="${y + 3}" width="${round(full)}" height="14" rx="3"/>`]
          : []),
        textAt(names + room + 8, y + 14, says),
      ];
    }),
  );
}
