// Sockets, frames and streams as a story tells them.
import { plain, type StoryEvent } from './story-event.ts';
import type { FrameRecord, SocketRecord, TraceEvent } from './trace.ts';

type SocketEvent = Extract<TraceEvent, { kind: 'socket' }>;
type FrameEvent = Extract<TraceEvent, { kind: 'frame' }>;
type StreamEvent = Extract<TraceEvent, { kind: 'stream' }>;

/** A frame's text is told up to here. */
const TEXT_MAX = 60;

const nameOf = ({ nth }: SocketRecord): string => `socket #${nth}`;

/** What a frame is called whatever it carries: its Pusher event and channel, or just `a frame`. */
export function frameName({ text }: FrameRecord): string {
  const { event, channel } = readFrame(text);
  if (event === null) return 'a frame';
  return channel === null ? event : `${event} on ${channel}`;
}

/** A frame in one line: the event and its data for frames of the Pusher protocol, else its text, cut. */
function frameText(frame: FrameRecord): string {
  const { event, data } = readFrame(frame.text);
  const text = event === null ? frame.text : `${frameName(frame)} ${data}`;
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > TEXT_MAX ? `${line.slice(0, TEXT_MAX - 1)}…` : line;
}

function readFrame(text: string): { event: string | null; channel: string | null; data: string } {
  const nothing = { event: null, channel: null, data: '' };
  if (!text.startsWith('{')) return nothing;
  try {
    const { event, channel, data } = JSON.parse(text) as { event?: unknown; channel?: unknown; data?: unknown };
    if (typeof event !== 'string') return nothing;
    const told = typeof data === 'string' ? data : data === undefined ? '' : JSON.stringify(data);
    return { event, channel: typeof channel === 'string' ? channel : null, data: told };
  } catch {
    return nothing;
  }
}

/** When something first happened to the same socket or frame later on; null when it never does. */
function laterAtMs(trace: readonly TraceEvent[], from: number, isIt: (event: TraceEvent) => boolean): number | null {
  for (let n = from + 1; n < trace.length; n += 1) {
    const event = trace[n];
    if (event && isIt(event)) return Math.round(event.atMs);
  }
  return null;
}

/** A connection is a message there and its answer; its end is told where it is heard of. */
export function drawnSocket(event: SocketEvent, trace: readonly TraceEvent[], index: number): StoryEvent | null {
  const { atMs, phone, phase, socket, note } = event;
  const name = nameOf(socket);
  const message = (from: 'app' | 'server', text: string, arrival: SocketEvent['phase']): StoryEvent => {
    const isArrival = (one: TraceEvent) => one.kind === 'socket' && one.socket === socket && one.phase === arrival;
    const arrivesAtMs = laterAtMs(trace, index, isArrival);
    const to = from === 'app' ? 'server' : 'app';
    return { ...plain(atMs, phone, from, text), to, arrivesAtMs, mark: arrivesAtMs === null ? 'lost' : 'none' };
  };
  switch (phase) {
    case 'connecting':
      return message('app', `connects ${name}`, 'accepted');
    case 'accepted':
      return message('server', `accepts ${name}`, 'opened');
    case 'half-open':
      return { ...plain(atMs, phone, 'network', `${name} is dead, and nobody is told`), mark: 'fault' };
    case 'closing':
      return plain(atMs, phone, 'app', `closes ${name}`);
    case 'closed': {
      const mark = socket.closeCode === 1006 ? 'fault' : 'none';
      return { ...plain(atMs, phone, 'app', `${name} closed: ${note}`), mark };
    }
    case 'ended':
      return plain(atMs, phone, 'server', `${name} is over: ${note}`);
    case 'opened':
      return null;
  }
}

export function drawnFrame(event: FrameEvent, trace: readonly TraceEvent[], index: number): StoryEvent | null {
  const { atMs, phone, phase, frame, note } = event;
  const isFromApp = frame.target === 'socket.send';
  if (phase === 'arrived' && note !== '')
    return plain(atMs, phone, isFromApp ? 'server' : 'app', `${frameText(frame)} arrives ${note}`);
  if (phase !== 'sent') return null;
  const isArrival = (one: TraceEvent) => one.kind === 'frame' && one.frame === frame && one.phase === 'arrived';
  const arrivesAtMs = laterAtMs(trace, index, isArrival);
  const line = plain(atMs, phone, isFromApp ? 'app' : 'server', frameText(frame));
  return { ...line, to: isFromApp ? 'server' : 'app', arrivesAtMs, mark: arrivesAtMs === null ? 'lost' : 'none' };
}

export function drawnStream({ atMs, phone, phase, request, note }: StreamEvent): StoryEvent {
  const name = `stream of ${request.endpoint} #${request.nth}`;
  switch (phase) {
    case 'half-open':
      return { ...plain(atMs, phone, 'network', `${name} is dead, and nobody is told`), mark: 'fault' };
    case 'broken':
      return { ...plain(atMs, phone, 'app', `${name} broke: ${note}`), mark: 'fault' };
    case 'finished':
    case 'closed':
      return plain(atMs, phone, 'app', `${name} ended ${note}`);
    case 'ended':
      return plain(atMs, phone, 'server', `${name} is over`);
  }
}
