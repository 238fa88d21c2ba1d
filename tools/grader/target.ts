// What is graded: a learner's attempt, the reference, or a file that `kata verify` has made.
import { kataPaths } from '../course/kata-paths.ts';

export interface Target {
  readonly kind: 'attempt' | 'reference' | 'variant';
  /** Absolute path of the module. */
  readonly file: string;
  /** Absolute paths of a variant's other modules, if it has any. */
  readonly parts?: readonly string[];
  /** The suite as this target runs it: the kata's own, or a copy that imports the variant. */
  readonly suite: string;
}

/** The modules a variant is made of, its main one first. */
export const modulesOf = ({ file, parts = [] }: Target): string[] => [file, ...parts];

/** The target of `kata grade`, with or without `--reference`. */
export function targetOf(root: string, slug: string, kind: 'attempt' | 'reference'): Target {
  const paths = kataPaths(root, slug);
  return { kind, file: kind === 'attempt' ? paths.attempt : paths.reference, suite: paths.suite };
}
