// What a kata's author writes in `mistakes.ts`: wrong attempts that the grade must catch.

/** A named wrong turn: edits of the reference, in any of its files, that one criterion must catch. */
export interface Mistake {
  readonly id: string;
  /** What was done wrong, as a reviewer would say it. */
  readonly title: string;
  /** Id of the criterion that must lose points. */
  readonly criterion: string;
  /** Each `find` stands exactly once over all of the reference's own files. */
  readonly edits: readonly { readonly find: string; readonly replace: string }[];
}

/** A whole attempt that does not even try: does nothing, throws, never resolves, knows the examples by heart. */
export interface LazyAttempt {
  readonly id: string;
  readonly title: string;
  /** The text of its `attempt.ts`. */
  readonly source: string;
}
