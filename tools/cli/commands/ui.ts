import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readAttempt } from '../attempts.ts';
import type { RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';

/** Opens Vitest's own UI on this kata's suite, until Ctrl-C. */
export const run: RunCommand = async (context, [slug = '']) => {
  const kata = await context.kata(slug);
  await readAttempt(kata);
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const args = ['watch', `katas/${slug}/suite.test.ts`, '--project', 'katas', '--ui', '--api.host', '127.0.0.1'];
  if (!context.output.isInteractive) args.push('--open=false');
  const child = spawn(process.execPath, [vitest, ...args], { cwd: context.root, stdio: 'inherit' });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? EXIT.ok));
  });
  // The terminal sends Ctrl-C to both: Vitest tidies up first.
  context.onInterrupt(async () => {
    child.kill('SIGINT');
    await ended;
  });
  return exitCodeOf(await ended);
};

/** Vitest ends with 1 when tests fail: no failure of this command. */
function exitCodeOf(code: number): number {
  if (code <= 1) return EXIT.ok;
  return code === EXIT.interrupted ? EXIT.interrupted : EXIT.fault;
}
