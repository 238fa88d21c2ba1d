// The code of a round as a grade sees it: a variant that lives no longer than the grade.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { Lane } from '../verifier/lane.ts';

const SEED = 1;
/** Two commands at once must not write to one file. */
export const VARIANT = `review-${process.pid}`;

/** One test that loops is enough: such code is no fix, and no code to review. Somebody waits to hear so. */
const PATIENCE = { loopsMax: 1, silenceMs: 5_000 };

/** Where a round's code is graded. */
export const openLane = (root: string, slug: string): Lane => new Lane(root, slug, SEED, PATIENCE);

/** Takes away what was written for a grade of a round's code: nobody will want it again. */
export function removeVariant(root: string, slug: string): void {
  rmSync(path.join(root, '.kata', 'variants', slug, VARIANT), { recursive: true, force: true });
}
