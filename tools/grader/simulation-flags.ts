/** What makes Node quick at simulations. They are short, many, and leave much behind. */
export const SIMULATION_FLAGS: readonly string[] = [
  // A larger young generation halves the collector's work.
  '--max-semi-space-size=64',
  '--min-semi-space-size=16',
  // Objects of a run die with it. V8 takes those that one just over still holds up for long-lived ones.
  '--no-allocation-site-pretenuring',
];
