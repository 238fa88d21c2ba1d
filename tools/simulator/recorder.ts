// The trace of one run, and the invariants that watch it grow.
import { noCosts } from './costs.ts';
import type { Costs, TraceEvent } from './trace.ts';

export interface FoundViolation {
  readonly invariant: string;
  readonly text: string;
  readonly atMs: number;
  /** Index in the trace of the event at which it was seen. */
  readonly index: number;
}

type Watcher = { readonly invariant: string; readonly look: (event: TraceEvent) => string | undefined };

export class Recorder {
  readonly trace: TraceEvent[] = [];
  readonly costs: Costs = noCosts();
  readonly #violations = new Map<string, FoundViolation>();
  #watchers: Watcher[] = [];
  /** Time of the last event that counts as progress: an effect, or a promise that settled. */
  progressAtMs = 0;

  watch(watchers: readonly Watcher[]): void {
    this.#watchers = [...watchers];
  }

  emit(event: TraceEvent): void {
    this.trace.push(event);
    if (event.kind === 'effect' || event.kind === 'settled' || event.kind === 'launch') this.progressAtMs = event.atMs;
    for (const watcher of this.#watchers) {
      const text = watcher.look(event);
      if (text !== undefined) this.violate(watcher.invariant, text, event.atMs);
    }
  }

  /** Notes a broken invariant; only the first time counts. Its watcher goes on: others may rest on what it has noted. */
  violate(invariant: string, text: string, atMs: number): void {
    if (this.#violations.has(invariant)) return;
    this.#violations.set(invariant, { invariant, text, atMs, index: this.trace.length - 1 });
  }

  get violations(): FoundViolation[] {
    return [...this.#violations.values()];
  }
}
