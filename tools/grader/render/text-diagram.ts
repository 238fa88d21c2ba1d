// A story as aligned text: one line an event, in order of time, with an arrow for each message.
import { type Look, padTo, paint, type Style, wrap } from '../../terminal/look.ts';
import type { Story, StoryEvent } from '../report.ts';
import {
  firstViolation,
  inOrder,
  isLost,
  isOvertaken,
  LANES,
  type PhoneState,
  phonePrefix,
  phonesOf,
  says,
  statesAt,
} from './lanes.ts';
import { plainText } from './plain-text.ts';
import { padStart, paragraph } from './terminal-lines.ts';
import { clock } from './words.ts';

/** Below this the lanes leave too little room for words. */
const LANES_FROM_COLUMNS = 62;
const LANE_COLUMNS = 8;
const STRIP_COLUMNS = LANE_COLUMNS * (LANES.length - 1) + 3;
const OFFLINE = '░';

interface Line {
  readonly event: StoryEvent;
  readonly state: PhoneState;
  /** Whether another event falls between a message's sending and its arrival. */
  readonly isOvertaken: boolean;
  readonly isFirstViolation: boolean;
  readonly time: string;
  readonly prefix: string;
}

/** The story as text that fits the look. Lanes from about 60 columns on, an indented list below. */
export function renderTextDiagram(story: Story, look: Look): string {
  const lines = linesOf(plainText(story));
  const withLanes = look.width >= LANES_FROM_COLUMNS;
  const drawn = withLanes ? inLanes(lines, look) : asList(lines, look);
  return [...drawn, ...legend(lines, look)].join('\n');
}

function linesOf(story: Story): Line[] {
  const events = inOrder(story);
  const states = statesAt(events);
  const phones = phonesOf(story);
  const violation = firstViolation(events);
  const times = events.map(({ atMs }) => clock(atMs));
  const longest = Math.max(...times.map((time) => time.length), 0);
  return events.map((event, n) => ({
    event,
    state: states[n] ?? { isOffline: false, isRunning: true },
    isOvertaken: isOvertaken(events, n),
    isFirstViolation: n === violation,
    time: padStart(times[n] ?? '', longest),
    prefix: phonePrefix(event, phones),
  }));
}

function inLanes(lines: readonly Line[], look: Look): string[] {
  const timeColumns = lines[0]?.time.length ?? 0;
  const textFrom = 3 + timeColumns + 3 + STRIP_COLUMNS + 3;
  const names = LANES.map((lane) => padTo(lane, LANE_COLUMNS))
    .join('')
    .trimEnd();
  const head = ' '.repeat(3 + timeColumns + 3) + names;
  return [paint(look, 'dim', head), ...lines.flatMap((line) => laneLine(line, look, textFrom))];
}

function laneLine(line: Line, look: Look, textFrom: number): string[] {
  const offline = line.state.isOffline ? OFFLINE : ' ';
  const lead = `${pointer(line)} ${line.time} ${offline} `;
  const [first = '', ...rest] = wordsOf(line)
    .split('\n')
    .flatMap((text) => wrap({ ...look, width: look.width - textFrom }, text).split('\n'));
  const later = rest.map((text) => `${' '.repeat(line.time.length + 4)}${offline} ${strip(bars(line))}   ${text}`);
  return styled(
    look,
    line,
    [`${lead}${strip(drawn(line))}   ${first}`, ...later].map((each) => each.trimEnd()),
  );
}

const strip = (cells: readonly string[]): string => cells.slice(0, STRIP_COLUMNS).join('');
const columnOf = (lane: StoryEvent['lane']): number => LANES.indexOf(lane) * LANE_COLUMNS + 1;

/** The lanes where nothing happens: a bar each, and a gap where the app is not running. */
function bars({ state }: Line): string[] {
  const cells = Array.from({ length: STRIP_COLUMNS }, () => ' ');
  for (const lane of LANES) cells[columnOf(lane)] = lane === 'app' && !state.isRunning ? ' ' : '│';
  return cells;
}

function drawn(line: Line): string[] {
  const { event } = line;
  const cells = bars(line);
  const from = columnOf(event.lane);
  if (event.to === null) {
    cells[from] = pointMark(event);
    return cells;
  }
  const to = columnOf(event.to);
  const step = Math.sign(to - from);
  const end = isLost(event) ? crossColumn(from, to) : to;
  for (let at = from + step; step !== 0 && at !== end; at += step) cells[at] = '─';
  cells[from] = '●';
  if (isLost(event)) cells[end] = '✗';
  else if (step !== 0) cells[end - step] = step > 0 ? '→' : '←';
  return cells;
}

/** What goes over the network is lost there; the rest half-way. */
function crossColumn(from: number, to: number): number {
  const network = columnOf('network');
  const passes = from !== network && Math.min(from, to) <= network && network <= Math.max(from, to);
  return passes ? network : Math.floor((from + to) / 2);
}

function pointMark(event: StoryEvent): string {
  if (isLost(event)) return '✗';
  switch (event.mark) {
    case 'kill':
      return '╳';
    case 'launch':
      return '┬';
    case 'fault':
      return '!';
    case 'violation':
      return '◎';
    default:
      return '●';
  }
}

/** Without lanes: the time and the way, then the words below them. */
function asList(lines: readonly Line[], look: Look): string[] {
  return lines.flatMap((line) => {
    const { event } = line;
    const way = event.to === null ? event.lane : `${event.lane} ${isLost(event) ? '─✗' : '→'} ${event.to}`;
    const offline = line.state.isOffline ? OFFLINE : ' ';
    const lead = `${pointer(line)} ${line.time} ${offline} ${way}`;
    return styled(look, line, [lead, ...paragraph(look, wordsOf(line), { indent: 6 })]);
  });
}

const pointer = (line: Line): string => (line.isFirstViolation ? '>>' : '  ');

function wordsOf({ event, prefix, isOvertaken }: Line): string {
  const late =
    isOvertaken && event.arrivesAtMs !== null ? `, arrives at ${clock(event.arrivesAtMs).replace(' ', '\u00a0')}` : '';
  return `${prefix}${says(event)}${late}`;
}

function styled(look: Look, line: Line, lines: string[]): string[] {
  const style = styleOf(line);
  return style === null ? lines : lines.map((each) => paint(look, style, each));
}

function styleOf({ event, isFirstViolation }: Line): Style | null {
  if (isFirstViolation) return ['bold', 'red'];
  if (isLost(event)) return 'yellow';
  switch (event.mark) {
    case 'kill':
    case 'violation':
      return 'red';
    case 'launch':
    case 'online':
      return 'green';
    case 'fault':
    case 'offline':
      return 'yellow';
    default:
      return null;
  }
}

function legend(lines: readonly Line[], look: Look): string[] {
  const signs = [
    lines.some(({ event }) => isLost(event)) && '✗ lost',
    lines.some(({ state }) => state.isOffline) && `${OFFLINE} offline`,
    lines.some(({ isFirstViolation }) => isFirstViolation) && '>> here it broke',
  ].filter((sign) => sign !== false);
  return signs.length === 0 ? [] : paragraph(look, signs.join('   '), { indent: 3, style: 'dim' });
}
