/** How a command ends, for scripts. 0 to 3 speak of a grade. */
export const EXIT = {
  /** Done; for a grade: the kata's bar is reached. */
  ok: 0,
  belowBar: 1,
  /** The attempt could not be loaded or compiled. */
  notGradable: 2,
  /** Timed out, or parts are missing. */
  incomplete: 3,
  /** The command was called wrongly. https://man.freebsd.org/cgi/man.cgi?query=sysexits */
  usage: 64,
  /** Our own fault, or the machine's: not the learner's code. */
  fault: 70,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;
