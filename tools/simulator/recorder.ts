// The trace of one run, and the invariants that watch it grow.
import type { Look } from './at-kind.ts';
import { noCosts } from './costs.ts';
import { describeError } from './describe-error.ts';
import type { Costs, TraceEvent } from './trace.ts';

export interface FoundViolation {
  readonly invariant: string;
  readonly text: string;
  readonly atMs: number;
  /** Index in the trace of the event at which it was seen. */
  readonly index: number;
}

/** Why an invariant says nothing. */
export const notChecked = (error: unknown): string => `This could not be checked: ${describeError(error)}`;

type Watcher = { readonly invariant: string; readonly look: Look };

/** What cannot be looked at keeps no promise about it. */
function askWatcher({ look }: Watcher, event: TraceEvent): string | undefined {
  try {
    return look(event);
  } catch (error) {
    return notChecked(error);
  }
}

export class Recorder {
  readonly trace: TraceEvent[] = [];
  readonly costs: Costs = noCosts();
  readonly #violations = new Map<string, FoundViolation>();
  #watchers: readonly Watcher[] = [];
  /** The watchers of each kind that has come up. */
  #byKind = new Map<TraceEvent['kind'], readonly Watcher[]>();
  /** Time of the last event that counts as progress: an effect, or a promise that settled. */
  progressAtMs = 0;

  watch(watchers: readonly Watcher[]): void {
    this.#watchers = watchers;
    this.#byKind = new Map();
  }

  emit(event: TraceEvent): void {
    this.trace.push(event);
    if (event.kind === 'effect' || event.kind === 'settled' || event.kind === 'launch') this.progressAtMs = event.atMs;
    const watchers = this.#byKind.get(event.kind) ?? this.#watchersOf(event.kind);
    // There are many events for many watchers: nothing is allocated here.
    for (let n = 0; n < watchers.length; n += 1) {
      const watcher = watchers[n] as Watcher;
      const text = askWatcher(watcher, event);
      if (text !== undefined) this.violate(watcher.invariant, text, event.atMs);
    }
  }

  #watchersOf(kind: TraceEvent['kind']): readonly Watcher[] {
    const watchers = this.#watchers.filter(({ look }) => look.kinds === undefined || look.kinds.includes(kind));
    this.#byKind.set(kind, watchers);
    return watchers;
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
