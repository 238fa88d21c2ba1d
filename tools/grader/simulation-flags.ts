/** What makes Node quick at simulations. They are short, many, and leave much behind. */
export const SIMULATION_FLAGS: readonly string[] = [
  // A larger young generation halves the collector's work.
  '--max-semi-space-size=64',
  '--min-semi-space-size=16',
  // Objects of a run die with it. V8 takes those that one just over still holds up for long-lived ones.
  '--no-allocation-site-pretenuring',
];

/** Besides, for a campaign of a thousand schedules: what V8's last compiler does on the other core costs it more than it gains. */
export const BRIEF_FLAGS: readonly string[] = ['--invocation-count-for-turbofan=100000'];
