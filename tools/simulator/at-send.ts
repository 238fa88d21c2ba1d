// An invariant that looks at requests as they leave, and at those that are out by then.
import { atKind, type Look } from './at-kind.ts';
import type { RequestRecord } from './trace.ts';

const NONE: readonly RequestRecord[] = [];

/**
 * Makes an invariant's `watch`: `look` is given each request as it leaves, and the requests of the same phone that are
 * still out, in the order in which they left. One is out until the app has its answer or its failure, has aborted it,
 * or is killed. The sentence that `look` gives is the violation; undefined when all is well. The outer function is
 * called once a run, and may keep its memory in the closure.
 */
export function atSend<World>(
  look: (world: World) => (sent: RequestRecord, out: readonly RequestRecord[]) => string | undefined,
): (world: World) => Look {
  return (world) => {
    const lookAt = look(world);
    let out: RequestRecord[] = [];
    return atKind('request', ({ phase, request }) => {
      if (phase !== 'sent') return undefined;
      // Records are filled in as the network goes: whatever has ended since says so by itself.
      if (out.length > 0) out = out.filter(({ outcome }) => outcome === null);
      const others = out.length > 0 ? out.filter(({ phone }) => phone === request.phone) : NONE;
      out.push(request);
      return lookAt(request, others);
    });
  };
}
