/** A session cannot be begun or gone on with, for a reason a person can mend. The message says what to do. */
export class InterviewProblem extends Error {
  /** `usage`: called wrongly. `damaged`: a file of the session is not as we left it. */
  readonly kind: 'usage' | 'damaged';

  constructor(message: string, kind: 'usage' | 'damaged' = 'usage') {
    super(message);
    this.name = 'InterviewProblem';
    this.kind = kind;
  }
}
