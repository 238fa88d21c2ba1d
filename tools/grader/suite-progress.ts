// What the process that runs the tests writes down as it goes (suite-setup.ts), in a file that outlives it.
import { readFileSync } from 'node:fs';
import { processorTimeOf } from './processor-time.ts';

export interface SuiteProgress {
  /** Names of the tests that have begun, in order. */
  readonly begun: readonly string[];
  /** The process that runs them; undefined before it has loaded anything of the suite's. */
  readonly pid: number | undefined;
}

/** Reads the file: one value a line, as JSON; a text is the name of a test, a number the id of a process. */
export function readProgress(file: string): SuiteProgress {
  try {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const values = lines.map((line) => JSON.parse(line) as unknown);
    return {
      begun: values.filter((value) => typeof value === 'string'),
      pid: values.findLast((value) => typeof value === 'number'),
    };
  } catch {
    return { begun: [], pid: undefined };
  }
}

/** Processor time of the process that runs the tests, in ms; null before it is known. */
export const suiteProcessorTime = (file: string): Promise<number | null> => processorTimeOf(readProgress(file).pid);
