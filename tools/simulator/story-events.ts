// The trace made ready to draw: lanes, messages with both their ends, and only what matters.
import { drawnFrame, drawnSocket, drawnStream } from './socket-story.ts';
import { type Lane, plain, type StoryEvent } from './story-event.ts';
import type { RequestRecord, TraceEvent } from './trace.ts';

export type { Lane, StoryEvent } from './story-event.ts';

/** A story longer than this is cut in its middle. */
const EVENTS_MAX = 44;

/**
 * Events of a trace as lanes show them, with the violation last.
 * `whole` goes on after it: there a message finds its arrival.
 */
export function storyEvents(
  trace: readonly TraceEvent[],
  violation: { text: string; atMs: number } | null,
  whole: readonly TraceEvent[] = trace,
): StoryEvent[] {
  const events = trace.flatMap((event, n) => drawn(event, whole, n) ?? []);
  const last = trace.at(-1);
  const lane: Lane = last?.kind === 'effect' ? 'server' : 'app';
  const ring: StoryEvent[] = violation
    ? [{ ...plain(violation.atMs, last?.phone ?? 0, lane, violation.text), mark: 'violation' }]
    : [];
  return [...crop(events, EVENTS_MAX - 1), ...ring];
}

function drawn(event: TraceEvent, trace: readonly TraceEvent[], index: number): StoryEvent | null {
  const { atMs, phone } = event;
  switch (event.kind) {
    case 'launch':
      return { ...plain(atMs, phone, 'app', event.launch === 1 ? 'launched' : 'launched again'), mark: 'launch' };
    case 'kill':
      return { ...plain(atMs, phone, 'app', `killed ${event.during}`), mark: 'kill' };
    case 'condition':
      return drawnCondition(event);
    case 'clock':
      return plain(atMs, phone, 'app', `the clock jumps by ${event.byMs / 1000} s`);
    case 'action':
      return plain(atMs, phone, 'app', `${event.label} …`);
    case 'settled':
      return plain(
        atMs,
        phone,
        'app',
        event.error === null ? `${event.label} done` : `${event.label} rejected: ${event.error}`,
      );
    case 'storage':
      return drawnStorage(event);
    case 'request':
      return drawnRequest(event, trace, index);
    case 'socket':
      return drawnSocket(event, trace, index);
    case 'frame':
      return drawnFrame(event, trace, index);
    case 'stream':
      return drawnStream(event);
    case 'effect':
      return plain(atMs, phone, 'server', `${event.label} ${JSON.stringify(event.data)}`);
    case 'push':
      return plain(atMs, phone, 'app', `push ${JSON.stringify(event.data)}`);
    case 'rejection':
      return { ...plain(atMs, phone, 'app', `unhandled rejection: ${event.text}`), mark: 'fault' };
    default:
      return null;
  }
}

const DEVICE_CONDITION_TEXTS = {
  reinstalled: 'removed, and installed anew',
  enrolled: 'another face or finger is enrolled',
  'keychain-lost': 'the keychain is empty',
  locked: 'the screen is locked',
  unlocked: 'the screen is unlocked',
  'disk-full': 'the disk is full',
  'disk-free': 'the disk has room again',
  'cache-cleared': 'the cache is emptied',
};

function drawnCondition({ atMs, phone, condition }: Extract<TraceEvent, { kind: 'condition' }>): StoryEvent {
  if (condition === 'offline' || condition === 'online') {
    return { ...plain(atMs, phone, 'network', condition), mark: condition };
  }
  const texts = {
    wifi: 'back on Wi-Fi',
    'mobile-data': 'on mobile data',
    foreground: 'back in the foreground',
    background: 'in the background',
    healed: 'all faults end',
    ...DEVICE_CONDITION_TEXTS,
  };
  return plain(atMs, phone, 'app', texts[condition]);
}

/** A write is told once: when it was applied, or when it failed. */
function drawnStorage({
  atMs,
  phone,
  call,
  detail,
  phase,
}: Extract<TraceEvent, { kind: 'storage' }>): StoryEvent | null {
  const isRead = /\.(get|multiGet|readBytes|bytes|text|base64|digest)/.test(call);
  if (phase === 'acked' || isRead) return null;
  const name = call.slice(call.indexOf('.') + 1);
  const text = `${name} ${detail}${phase === 'applied' ? '' : ` (${phase})`}`;
  const event = { ...plain(atMs, phone, 'app', text), to: 'storage' as const, arrivesAtMs: Math.round(atMs) };
  return { ...event, mark: phase === 'applied' ? 'none' : 'fault' };
}

function drawnRequest(
  { atMs, phone, phase, request, note }: Extract<TraceEvent, { kind: 'request' }>,
  trace: readonly TraceEvent[],
  index: number,
): StoryEvent | null {
  const name = `${request.endpoint} #${request.nth}`;
  switch (phase) {
    case 'sent': {
      const arrival = later(trace, index, request, 'arrived');
      const message = { ...plain(atMs, phone, 'app', name), to: 'server' as const, arrivesAtMs: arrival };
      return { ...message, mark: arrival === null ? 'lost' : 'none' };
    }
    case 'arrived':
      return note === '' ? null : plain(atMs, phone, 'server', `${name} arrives ${note}`);
    case 'answered': {
      const arrival = later(trace, index, request, 'received');
      const answer = {
        ...plain(atMs, phone, 'server', `${note} to #${request.nth}`),
        to: 'app' as const,
        arrivesAtMs: arrival,
      };
      return { ...answer, mark: arrival === null ? 'lost' : 'none' };
    }
    case 'failed':
      return { ...plain(atMs, phone, 'app', `${name} failed: ${note}`), mark: 'fault' };
    case 'aborted':
      return plain(atMs, phone, 'app', `${name} aborted by the app`);
    default:
      return null;
  }
}

function later(
  trace: readonly TraceEvent[],
  from: number,
  request: RequestRecord,
  phase: 'arrived' | 'received',
): number | null {
  const found = trace
    .slice(from)
    .find((event) => event.kind === 'request' && event.phase === phase && event.request === request);
  return found ? Math.round(found.atMs) : null;
}

/** Keeps the ends and everything that went wrong; says how much of the rest is left out. */
function crop(events: readonly StoryEvent[], most: number): StoryEvent[] {
  if (events.length <= most) return [...events];
  const tail = Math.floor(most * 0.7);
  const isTold = (event: StoryEvent, n: number) => n < 3 || n >= events.length - tail || event.mark !== 'none';
  const kept = events.filter(isTold);
  const fitting = kept.length < most ? kept : [...kept.slice(0, 3), ...kept.slice(kept.length - most + 4)];
  const gap = plain(fitting[2]?.atMs ?? 0, 0, 'app', `… ${events.length - fitting.length} events left out …`);
  return [...fitting.slice(0, 3), gap, ...fitting.slice(3)];
}
