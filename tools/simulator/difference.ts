// Where two runs of one plan part, by what a user or the server can see.
import { frameName } from './socket-story.ts';
import type { TraceEvent } from './trace.ts';

export interface Difference {
  /** What each did at the first place where they part. */
  readonly attempt: string;
  readonly reference: string;
  readonly atMs: number;
}

/** Null when user and server saw the same, in the same order. `requests` tells whether what is sent counts as well. */
export function firstDifference(
  attempt: readonly TraceEvent[],
  reference: readonly TraceEvent[],
  { requests = true }: { readonly requests?: boolean } = {},
): Difference | null {
  const isTraffic = ({ kind }: TraceEvent) => kind === 'request' || kind === 'socket' || kind === 'frame';
  const isCompared = (event: TraceEvent) => requests || !isTraffic(event);
  const ours = visible(attempt.filter(isCompared));
  const theirs = visible(reference.filter(isCompared));
  const end = { text: 'nothing more', atMs: attempt.at(-1)?.atMs ?? 0 };
  for (let n = 0; n < Math.max(ours.length, theirs.length); n += 1) {
    const a = ours[n] ?? end;
    const b = theirs[n] ?? end;
    if (a.text !== b.text) return { attempt: a.text, reference: b.text, atMs: Math.round(a.atMs) };
  }
  return null;
}

/** What can be seen from outside: requests, effects on the server, how calls ended. Ids drawn at random are left out. */
function visible(trace: readonly TraceEvent[]): { text: string; atMs: number }[] {
  const several = trace.some(({ phone }) => phone > 0);
  return trace.flatMap((event) => {
    const text = visibleText(event);
    if (text === null) return [];
    const isOfOnePhone = several && event.kind !== 'effect';
    return [{ text: isOfOnePhone ? `phone ${event.phone + 1}: ${text}` : text, atMs: event.atMs }];
  });
}

function visibleText(event: TraceEvent): string | null {
  switch (event.kind) {
    case 'request':
      return event.phase === 'sent' ? `sends ${event.request.endpoint}` : null;
    case 'socket':
      return event.phase === 'connecting' ? 'opens a socket' : null;
    case 'frame':
      return event.phase === 'sent' && event.frame.target === 'socket.send' ? `sends ${frameName(event.frame)}` : null;
    case 'effect':
      return `the server: ${event.label} ${JSON.stringify(event.data)}`;
    case 'settled':
      return event.error === null ? `${event.label} succeeds` : `${event.label} fails`;
    case 'kill':
      return 'the app is killed';
    case 'rejection':
      return 'an unhandled rejection';
    default:
      return null;
  }
}
