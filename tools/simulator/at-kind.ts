// An invariant that looks at events of some kinds.
import type { TraceEvent } from './trace.ts';

type EventOf<Kind extends TraceEvent['kind']> = Extract<TraceEvent, { kind: Kind }>;

/** What an invariant's `watch` gives: looks at an event, and says in a sentence what is wrong. */
export interface Look {
  (event: TraceEvent): string | undefined;
  /** It is shown events of these kinds alone. There are many events, and many invariants. */
  kinds?: readonly TraceEvent['kind'][];
}

/** A look at the events of one kind, or of any of several. It is not asked about the others. */
export function atKind<Kind extends TraceEvent['kind']>(
  kinds: Kind | readonly Kind[],
  look: (event: EventOf<Kind>) => string | undefined,
): Look {
  const shown: readonly TraceEvent['kind'][] = typeof kinds === 'string' ? [kinds] : kinds;
  const lookAt: Look = (event) => (shown.includes(event.kind) ? look(event as EventOf<Kind>) : undefined);
  lookAt.kinds = shown;
  return lookAt;
}
