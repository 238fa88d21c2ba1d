// An invariant that looks at requests as they leave, and at those that are out by then.
import { atKind, type Look } from './at-kind.ts';
import type { RequestRecord } from './trace.ts';

/** As far as a world must be known. */
export interface Requests {
  requestsOut(phone: number): readonly RequestRecord[];
}

/**
 * Makes an invariant's `watch`: `look` is given each request as it leaves, and can ask for the requests of the same
 * phone that are still out beside it, in the order in which they left. The sentence that `look` gives is the violation;
 * undefined when all is well. The outer function is called once a run, and may keep its memory in the closure.
 */
export function atSend<World extends Requests>(
  look: (world: World) => (sent: RequestRecord, others: () => readonly RequestRecord[]) => string | undefined,
): (world: World) => Look {
  return (world) => {
    const lookAt = look(world);
    return atKind('request', ({ phase, request }) => {
      if (phase !== 'sent') return undefined;
      return lookAt(request, () => world.requestsOut(request.phone).filter((one) => one !== request));
    });
  };
}
