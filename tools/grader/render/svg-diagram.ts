// A story as a drawing of our own: lanes from top to bottom, messages aslant from sending to arrival.
import type { Story, StoryEvent } from '../report.ts';
import { escapeMarkup } from './escape.ts';
import { firstViolation, isLost } from './lanes.ts';
import { oneLine, plainText } from './plain-text.ts';
import { columnOf, type LaneColumn, type Layout, layOut, type Row } from './svg-layout.ts';
import { SVG_STYLE } from './svg-style.ts';
import { clock } from './words.ts';

/** Where the times end that stand left of the lanes. */
const TIME_RIGHT = 70;

/** The story as one self-contained SVG element, legible on light and dark, with its own title and description. */
export function renderSvgDiagram(story: Story): string {
  const told = plainText(story);
  const layout = layOut(told);
  const { width, height } = layout;
  const violation = firstViolation(layout.events);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="story-diagram" role="img" viewBox="0 0 ${width} ${Math.ceil(height)}" width="${width}" height="${Math.ceil(height)}">`,
    `<title>${escapeMarkup(oneLine(told.headline))}</title>`,
    `<desc>${escapeMarkup(inWords(layout))}</desc>`,
    `<style>${SVG_STYLE}</style>`,
    `<rect class="paper" width="${width}" height="${Math.ceil(height)}" rx="10"/>`,
    ...layout.phones.flatMap((phone) => offlineStretches(layout, phone)),
    ...(violation < 0 ? [] : [violationBand(layout, violation)]),
    ...layout.rows.map((row) => guide(layout, row)),
    ...phoneNames(layout),
    ...layout.lanes.flatMap((lane) => laneLines(layout, lane)),
    ...layout.events.flatMap((event, n) => drawEvent(layout, event, n, n === violation)),
    '</svg>',
  ];
  return parts.join('\n');
}

const inWords = (layout: Layout): string =>
  layout.rows.map((row, n) => `${clock(layout.events[n]?.atMs ?? 0)}: ${row.label.join(' ')}.`).join(' ');

const round = (value: number): string => String(Math.round(value * 10) / 10);
const circle = (kind: string, x: number, y: number, radius: number): string =>
  `<circle class="${kind}" cx="${round(x)}" cy="${round(y)}" r="${radius}"/>`;
const line = (kind: string, from: readonly [number, number], to: readonly [number, number]): string =>
  `<line class="${kind}" x1="${round(from[0])}" y1="${round(from[1])}" x2="${round(to[0])}" y2="${round(to[1])}"/>`;
const cross = (kind: string, x: number, y: number, size = 5.5): string =>
  `<path class="cross ${kind}" d="M${round(x - size)} ${round(y - size)}l${size * 2} ${size * 2}m0 ${-size * 2}l${-size * 2} ${size * 2}"/>`;

const guide = (layout: Layout, { y }: Row): string => line('guide', [TIME_RIGHT + 10, y], [layout.labelX - 10, y]);

/** Shades each stretch in which a phone has no network. One that never ends goes to the bottom. */
function offlineStretches(layout: Layout, phone: number): string[] {
  const left = columnOf(layout, phone, 'app') - 34;
  const width = columnOf(layout, phone, 'network') + 34 - left;
  return stretches(layout, phone, 'offline', 'online').map(
    ([from, to]) =>
      `<rect class="offline" x="${round(left)}" y="${round(from)}" width="${round(width)}" height="${round(to - from)}" rx="6"/>`,
  );
}

/** From each event with one mark to the next with the other, as heights. */
function stretches(layout: Layout, phone: number, begins: string, ends: string): [number, number][] {
  const found: [number, number][] = [];
  let from: number | null = null;
  for (const [n, event] of layout.events.entries()) {
    const y = layout.rows[n]?.y ?? 0;
    if (event.phone !== phone) continue;
    if (event.mark === begins) from ??= y;
    if (event.mark !== ends || from === null) continue;
    found.push([from, y]);
    from = null;
  }
  return from === null ? found : [...found, [from, layout.height - 12]];
}

function violationBand(layout: Layout, n: number): string {
  const row = layout.rows[n];
  const y = (row?.y ?? 0) - 13;
  return `<rect class="violation-band" x="8" y="${round(y)}" width="${layout.width - 16}" height="${round(row?.height ?? 0)}" rx="6"/>`;
}

function phoneNames(layout: Layout): string[] {
  if (layout.phones.length < 2) return [];
  return layout.phones.map((phone) => {
    const x = (columnOf(layout, phone, 'app') + columnOf(layout, phone, 'network')) / 2;
    return `<text class="phone" x="${round(x)}" y="24">phone ${phone + 1}</text>`;
  });
}

/** A lane with its name. A kill breaks the app's lane until the next launch. */
function laneLines(layout: Layout, { lane, phone, x }: LaneColumn): string[] {
  const bottom = layout.height - 12;
  const gaps = lane === 'app' && phone !== null ? stretches(layout, phone, 'kill', 'launch') : [];
  const ends = [layout.top - 8, ...gaps.flat(), bottom];
  const alive = gaps.at(-1)?.[1] === bottom ? ends.slice(0, -2) : ends;
  const segments: string[] = [];
  for (let n = 0; n + 1 < alive.length; n += 2) {
    segments.push(line('lane', [x, alive[n] ?? 0], [x, alive[n + 1] ?? 0]));
  }
  return [
    `<text class="name" x="${round(x)}" y="${layout.top - 18}">${lane}</text>`,
    ...segments,
    ...gaps.map(([from, to]) => line('gone', [x, from], [x, to])),
  ];
}

function drawEvent(layout: Layout, event: StoryEvent, n: number, isViolation: boolean): string[] {
  const row = layout.rows[n];
  if (row === undefined) return [];
  const x = columnOf(layout, event.phone, event.lane);
  const kind = isViolation ? 'violation' : isLost(event) ? 'lost' : event.mark;
  const arrival = layout.arrivals[n] ?? null;
  return [
    `<text class="time" x="${TIME_RIGHT}" y="${round(row.y + 4)}">${row.time}</text>`,
    ...(arrival === null || layout.rows.includes(arrival) ? [] : [arrivalTime(arrival)]),
    ...(event.to === null || event.to === event.lane ? [] : message(layout, event, row, arrival)),
    ...(event.mark === 'kill' ? [cross('kill', x, row.y, 7)] : []),
    ...(event.to === null && isLost(event) ? [cross('lost', x, row.y)] : []),
    ...(event.mark === 'kill' || (event.to === null && isLost(event)) ? [] : [circle(`dot ${kind}`, x, row.y, 4.5)]),
    ...(isViolation ? [circle('ring', x, row.y, 10)] : []),
    ...row.label.map(
      (words, at) =>
        `<text class="label ${kind}" x="${layout.labelX}" y="${round(row.y + 4 + at * 17)}">${escapeMarkup(words)}</text>`,
    ),
  ];
}

const arrivalTime = (arrival: Row): string =>
  `<text class="time late" x="${TIME_RIGHT}" y="${round(arrival.y + 4)}">${arrival.time}</text>`;

/** A slanted line with a head where it arrives, or with a cross where it is lost. */
function message(layout: Layout, event: StoryEvent, row: Row, arrival: Row | null): string[] {
  const from = columnOf(layout, event.phone, event.lane);
  const to = columnOf(layout, event.phone, event.to ?? event.lane);
  if (arrival === null || isLost(event)) {
    const at = crossAt(layout, event.phone, from, to);
    const y = row.y + 10;
    return [line('message lost', [from, row.y], [at, y]), cross('lost', at, y)];
  }
  // Where the arrival sets something off, the head stops short of that event's dot.
  const gap = arrival !== row && layout.rows.includes(arrival) ? 5 : 1;
  const tip = [to - Math.sign(to - from) * gap, arrival.y] as const;
  return [line('message', [from, row.y], tip), head([from, row.y], tip)];
}

/** What goes over the network is lost there; the rest half-way. */
function crossAt(layout: Layout, phone: number, from: number, to: number): number {
  const network = columnOf(layout, phone, 'network');
  const passes = from !== network && Math.min(from, to) <= network && network <= Math.max(from, to);
  return passes ? network : (from + to) / 2;
}

// Drawn by hand: a marker would need an id, and ids clash where several drawings share a page.
function head([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): string {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const corner = (turn: number) =>
    `${round(x2 - 10 * Math.cos(angle + turn))} ${round(y2 - 10 * Math.sin(angle + turn))}`;
  return `<path class="head" d="M${round(x2)} ${round(y2)}L${corner(0.4)}L${corner(-0.4)}z"/>`;
}
