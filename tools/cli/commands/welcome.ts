import type { RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { runCommand } from '../main.ts';

/** What `npm start` does: shows what this is, then the map; on a terminal a kata can be chosen at once. */
export const run: RunCommand = async (context) => {
  const exitCode = await runCommand(context, 'demo');
  if (exitCode !== EXIT.ok) return exitCode;
  context.output.print();
  return runCommand(context, 'home');
};
