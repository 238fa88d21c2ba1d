import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kata } from '../../course/catalogue.ts';
import { wrap } from '../../terminal/look.ts';
import { keepAside, keptAttempts, keptName, readKept, readStub, replaceAttempt } from '../attempts.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';

/** Keeps the attempt aside and begins afresh from the stub, or goes back to a kept one. */
export const run: RunCommand<{ list?: boolean; restore?: number }> = async (context, [slug = ''], options) => {
  const kata = await context.kata(slug);
  if (options.list) await printKept(context, kata);
  else if (options.restore !== undefined) await restore(context, kata, options.restore);
  else await beginAfresh(context, kata);
  return EXIT.ok;
};

async function beginAfresh(context: CommandContext, kata: Kata): Promise<void> {
  const { print, look } = context.output;
  const stub = await readStub(kata);
  const n = await keepAside(kata);
  if (n === null) {
    print(
      wrap(look, `katas/${kata.slug}/attempt.ts is still the bare stub: nothing to keep, nothing to begin afresh.`),
    );
  } else {
    await replaceAttempt(kata, stub);
    print(wrap(look, `Your attempt is kept as ${keptName(kata, n)}. katas/${kata.slug}/attempt.ts is the stub again.`));
  }
  print();
  await printKept(context, kata);
}

async function restore(context: CommandContext, kata: Kata, wanted: number): Promise<void> {
  const { print, look } = context.output;
  const text = await readKept(kata, wanted);
  const n = await keepAside(kata).catch(ignoreMissing);
  await replaceAttempt(kata, text);
  print(wrap(look, `katas/${kata.slug}/attempt.ts is your attempt ${wanted} again.`));
  if (n !== null && n !== wanted) print(wrap(look, `What it was before is kept as ${keptName(kata, n)}.`));
}

/** Without a present attempt there is nothing to keep, and the old one may come back all the same. */
function ignoreMissing(error: unknown): null {
  if (error instanceof Error && error.name === 'CommandError') return null;
  throw error;
}

async function printKept(context: CommandContext, kata: Kata): Promise<void> {
  const { print, look, paint } = context.output;
  const kept = await keptAttempts(kata);
  if (kept.length === 0) {
    print(wrap(look, `No attempt at ${kata.slug} is kept aside yet.`));
    return;
  }
  print(paint('bold', 'Kept aside'));
  for (const n of kept) {
    const { mtime, size } = await stat(join(context.root, keptName(kata, n)));
    const day = mtime.toISOString().slice(0, 16).replace('T', ' ');
    print(wrap(look, `${n}  last changed ${day} UTC, ${size} bytes`, { indent: 2, hang: 5 }));
  }
  print(`\n${wrap(look, `Compare one: npx kata diff ${kata.slug} --with <n>`)}`);
  print(wrap(look, `Go back to one: npx kata retry ${kata.slug} --restore <n>`));
}
