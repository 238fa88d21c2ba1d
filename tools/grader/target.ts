// What is graded: a learner's attempt, the reference, or a file that `kata verify` has made.
import { kataPaths } from '../course/kata-paths.ts';

export interface Target {
  readonly kind: 'attempt' | 'reference' | 'variant';
  /** Absolute path of the module. */
  readonly file: string;
  /** The suite as this target runs it: the kata's own, or a copy that imports the variant. */
  readonly suite: string;
}

/** The target of `kata grade`, with or without `--reference`. */
export function targetOf(root: string, slug: string, kind: 'attempt' | 'reference'): Target {
  const paths = kataPaths(root, slug);
  return { kind, file: kind === 'attempt' ? paths.attempt : paths.reference, suite: paths.suite };
}
