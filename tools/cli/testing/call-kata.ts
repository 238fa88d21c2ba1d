// Runs a command within the test's own process: far cheaper than a process, for what does not depend on having one.
// Takes the folder in which it is loaded for its own: not to be one that the test removes.
import 'esbuild';
import { main } from '../main.ts';
import type { Output } from '../output.ts';
import type { Ended } from './run-kata.ts';

/** As `runKata` does, one call at a time: the folder is this process's own meanwhile. */
export async function callKata(cwd: string, args: readonly string[], columns = 80): Promise<Ended> {
  const before = process.cwd();
  let [stdout, stderr] = ['', ''];
  const output: Output = {
    look: { width: columns, colour: false },
    isInteractive: false,
    isTerminal: false,
    print: (text = '') => {
      stdout += `${text}\n`;
    },
    warn: (text) => {
      stderr += `${text}\n`;
    },
    paint: (_style, text) => text,
  };
  process.chdir(cwd);
  try {
    const exitCode = await main(args, output);
    return { stdout, stderr, exitCode };
  } finally {
    process.chdir(before);
  }
}
