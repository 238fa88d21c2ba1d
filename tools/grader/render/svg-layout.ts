// Where everything of a story's drawing goes: columns for lanes, rows for moments.
import type { Story, StoryEvent } from '../report.ts';
import { inOrder, isLost, isOvertaken, LANES, type Lane, phonePrefix, phonesOf, says } from './lanes.ts';
import { clock } from './words.ts';

const LANE_WIDTH = 92;
const LABEL_WIDTH = 360;
const ROW_HEIGHT = 26;
const LINE_HEIGHT = 17;
/** About a digit of DejaVu Sans at 13 px, the widest face in use, so that a line does not run out of the drawing. */
const CHARACTER_WIDTH = 8.3;
const BOLD_CHARACTER_WIDTH = 8.9;
const TIME_WIDTH = 84;

export interface LaneColumn {
  readonly phone: number | null;
  readonly lane: Lane;
  readonly x: number;
}

/** One event's row, or the row where a message arrives. */
export interface Row {
  readonly y: number;
  readonly height: number;
  /** Empty where the moment needs no time of its own. */
  readonly time: string;
  readonly label: readonly string[];
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly top: number;
  readonly labelX: number;
  readonly phones: readonly number[];
  readonly lanes: readonly LaneColumn[];
  readonly events: readonly StoryEvent[];
  /** The row of each event. */
  readonly rows: readonly Row[];
  /** The row where each event's message arrives; null where none does. */
  readonly arrivals: readonly (Row | null)[];
}

/** Lays a story out. Time runs down, one row a moment: it tells the order, not the distance. */
export function layOut(story: Story): Layout {
  const events = inOrder(story);
  const phones = phonesOf(story);
  const lanes = lanesOf(events, phones);
  const labelX = (lanes.at(-1)?.x ?? TIME_WIDTH) + 34;
  const top = phones.length > 1 ? 62 : 44;
  const { rows, arrivals, bottom } = rowsOf(events, phones, top);
  return { width: labelX + LABEL_WIDTH, height: bottom + 18, top, labelX, phones, lanes, events, rows, arrivals };
}

/** The column of an event's lane. The server is one for all phones. */
export function columnOf(layout: Layout, phone: number, lane: Lane): number {
  const column = layout.lanes.find((each) => each.lane === lane && (each.phone === null || each.phone === phone));
  return column?.x ?? layout.labelX;
}

/** Lanes of each phone, then the server. With several phones, a lane that nothing touches is left out. */
function lanesOf(events: readonly StoryEvent[], phones: readonly number[]): LaneColumn[] {
  const touches = (phone: number, lane: Lane) =>
    events.some((event) => event.phone === phone && (event.lane === lane || event.to === lane));
  const own = phones.flatMap((phone) =>
    LANES.filter((lane) => lane !== 'server')
      .filter((lane) => phones.length === 1 || lane !== 'storage' || touches(phone, lane))
      .map((lane) => ({ phone, lane })),
  );
  return [...own, { phone: null, lane: 'server' as const }].map((column, n) => ({
    ...column,
    x: TIME_WIDTH + LANE_WIDTH / 2 + n * LANE_WIDTH,
  }));
}

interface Moment {
  readonly atMs: number;
  readonly event: number;
  readonly isArrival: boolean;
}

function rowsOf(events: readonly StoryEvent[], phones: readonly number[], top: number) {
  const rows: Row[] = [];
  const arrivals: (Row | null)[] = events.map(() => null);
  const shared = new Map<number, number[]>();
  let y = top + 16;
  for (const { atMs, event: n, isArrival } of momentsOf(events)) {
    const event = events[n];
    if (event === undefined) continue;
    const host = isArrival ? hostOf(events, event) : -1;
    if (host >= 0) {
      shared.set(host, [...(shared.get(host) ?? []), n]);
      continue;
    }
    const label = isArrival ? [] : labelOf(event, phones);
    const isQuiet = isArrival && !isOvertaken(events, n);
    const height = isQuiet ? ROW_HEIGHT * 0.55 : ROW_HEIGHT + Math.max(0, label.length - 1) * LINE_HEIGHT;
    const row = { y, height, time: isQuiet ? '' : clock(atMs), label };
    y += height;
    if (isArrival) arrivals[n] = row;
    else {
      rows[n] = row;
      if (arrivesAtOnce(event)) arrivals[n] = row;
      for (const message of shared.get(n) ?? []) arrivals[message] = row;
    }
  }
  return { rows, arrivals, bottom: y };
}

/** Whether a message takes no time: it is drawn level, on its own row. */
const arrivesAtOnce = (event: StoryEvent): boolean =>
  !isLost(event) && event.arrivesAtMs !== null && event.arrivesAtMs <= event.atMs;

const labelOf = (event: StoryEvent, phones: readonly number[]): string[] =>
  broken(`${phonePrefix(event, phones)}${says(event)}`, event.mark === 'kill' || event.mark === 'violation');

/** Sendings and arrivals in order of time; at the same time, arrivals first. */
function momentsOf(events: readonly StoryEvent[]): Moment[] {
  const sent = events.map(({ atMs }, event) => ({ atMs, event, isArrival: false }));
  const arrived = events.flatMap((message, event) =>
    message.arrivesAtMs === null || message.arrivesAtMs <= message.atMs || isLost(message)
      ? []
      : [{ atMs: message.arrivesAtMs, event, isArrival: true }],
  );
  return [...sent, ...arrived].sort(
    (a, b) => a.atMs - b.atMs || Number(b.isArrival) - Number(a.isArrival) || a.event - b.event,
  );
}

/** The event that a message's arrival sets off: same time, same lane. Both share a row. */
const hostOf = (events: readonly StoryEvent[], message: StoryEvent): number =>
  events.findIndex(
    (each) =>
      each !== message &&
      each.atMs === message.arrivesAtMs &&
      each.atMs > message.atMs &&
      each.lane === message.to &&
      (each.lane === 'server' || each.phone === message.phone),
  );

/** A label broken at words to the width of its column. A word that is too long is cut up. */
function broken(text: string, isBold: boolean): string[] {
  const most = Math.floor((LABEL_WIDTH - 12) / (isBold ? BOLD_CHARACTER_WIDTH : CHARACTER_WIDTH));
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap((each) => each.match(new RegExp(`.{1,${most}}`, 'gu')) ?? [])) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= most) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}
