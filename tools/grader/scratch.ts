import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { atExit } from './at-exit.ts';

/** A folder outside of the course for files that nobody will want again. */
export interface Scratch {
  readonly folder: string;
  remove(): void;
}

/** Makes a scratch folder. It goes with this process, if not before. */
export function makeScratch(name: string): Scratch {
  const folder = mkdtempSync(path.join(os.tmpdir(), `kata-${name}-`));
  const remove = () => {
    callOff();
    rmSync(folder, { recursive: true, force: true });
  };
  const callOff = atExit(remove);
  return { folder, remove };
}
