// The place where a backend runs.
import type { Json } from './plan.ts';
import type { RealtimeContext } from './scenario.ts';
import type { World } from './world.ts';

/** Lets a backend reach its world for as long as that lasts: a Hono app lives on until the collector's next full round. */
export class Server {
  #world: World | null;
  readonly context: RealtimeContext;

  constructor(world: World) {
    this.#world = world;
    this.context = {
      nowMs: () => this.#world?.serverNowMs() ?? 0,
      record: (label, data) => this.#record(label, data),
      push: (phone, data) => this.#world?.phones[phone]?.push({ title: null, body: null, data }),
      after: (delayMs, run) => this.#after(delayMs, run),
    };
  }

  end(): void {
    this.#world = null;
  }

  #record(label: string, data: Json): void {
    const world = this.#world;
    world?.emit({ atMs: world.nowMs, phone: 0, kind: 'effect', label, data });
  }

  #after(delayMs: number, run: () => void): () => void {
    let isWanted = true;
    this.#world?.clockwork.after(delayMs, run, () => isWanted);
    return () => {
      isWanted = false;
    };
  }
}
