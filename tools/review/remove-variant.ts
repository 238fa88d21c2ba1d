import { rmSync } from 'node:fs';
import path from 'node:path';

/** Takes away what was written for a grade of a round's code: nobody will want it again. */
export function removeVariant(root: string, slug: string, id: string): void {
  rmSync(path.join(root, '.kata', 'variants', slug, id), { recursive: true, force: true });
}
