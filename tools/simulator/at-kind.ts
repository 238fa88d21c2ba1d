// An invariant that looks at events of one kind.
import type { TraceEvent } from './trace.ts';

type EventOf<Kind extends TraceEvent['kind']> = Extract<TraceEvent, { kind: Kind }>;

/** What an invariant's `watch` gives: looks at an event, and says in a sentence what is wrong. */
export interface Look {
  (event: TraceEvent): string | undefined;
  /** It is shown events of this kind alone. There are many events, and many invariants. */
  kind?: TraceEvent['kind'];
}

/** A look at the events of one kind. It is not asked about the others. */
export function atKind<Kind extends TraceEvent['kind']>(
  kind: Kind,
  look: (event: EventOf<Kind>) => string | undefined,
): Look {
  const shown: Look = (event) => (event.kind === kind ? look(event as EventOf<Kind>) : undefined);
  shown.kind = kind;
  return shown;
}
