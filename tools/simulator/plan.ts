// A schedule as plain data: what people do, what happens to the phone, and which faults strike which effects.

/** A JSON value: what a plan's arguments are made of. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * One slot of the timeline. `do` names a scenario's action, or a condition (`offline`, `background`, `kill`, `clock`…).
 * A null slot does nothing; its time is kept, so that taking a step out moves no other.
 */
export interface Step {
  readonly do: string;
  /** Index of the phone, from 0. */
  readonly phone: number;
  readonly args: { readonly [key: string]: Json };
}

/** A fault at the nth effect (from 1) of a phone on a target, such as the 2nd `POST /mutations`. */
export interface PlannedFault {
  readonly target: string;
  readonly nth: number;
  readonly phone: number;
  readonly kind: string;
}

/** All that decides a run, besides the code: same plan, same trace, byte for byte. */
export interface Plan {
  readonly schemaVersion: 1;
  readonly kata: string;
  /** Seeds every hashed draw: latencies, gaps, ids, `Math.random`. */
  readonly world: number;
  readonly steps: readonly (Step | null)[];
  readonly faults: readonly PlannedFault[];
}
