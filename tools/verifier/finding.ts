/** One thing that `kata verify` looked at. */
export interface Finding {
  /** What was asked, as a sentence that is true of a sound kata. */
  readonly claim: string;
  readonly isTrue: boolean;
  /** What was seen: on failure what to do about it; on success a figure worth knowing, or nothing. */
  readonly detail: string;
}

export const holds = (claim: string, detail = ''): Finding => ({ claim, isTrue: true, detail });
export const fails = (claim: string, detail: string): Finding => ({ claim, isTrue: false, detail });
