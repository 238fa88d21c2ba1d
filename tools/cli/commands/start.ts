import { readFile } from 'node:fs/promises';
import type { Kata } from '../../course/catalogue.ts';
import { wrap } from '../../terminal/look.ts';
import { beginAttempt } from '../attempts.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { firstTestTitle } from '../first-test.ts';

/** Makes the attempt from the stub and says how to go on. Leaves an attempt that is there alone. */
export const run: RunCommand = async (context, [slug = '']) => {
  const { output } = context;
  const kata = await context.kata(slug);
  const isNew = await beginAttempt(kata);
  const file = `katas/${slug}/attempt.ts`;
  const { title, tier, minutes, level } = kata;
  output.print(output.paint('bold', title));
  output.print(wrap(output.look, `${tier}, about ${minutes} minutes, ${level}`));
  if (isNew) output.print(`\n${await renderOpening(context, slug)}`);
  const says = isNew ? `${file} is yours: made from the stub.` : `${file} is there already and stays as it is.`;
  output.print(`\n${wrap(output.look, says)}`);
  output.print(`\n${await renderSteps(context, kata, isNew)}`);
  return EXIT.ok;
};

async function renderOpening(context: CommandContext, slug: string): Promise<string> {
  const { loadSpec } = await import('../../course/load-spec.ts');
  const { renderMarkdown } = await import('../markdown/render-markdown.ts');
  return renderMarkdown(context.output.look, (await loadSpec(context.root, slug)).opening);
}

async function renderSteps({ output }: CommandContext, { slug, paths }: Kata, isNew: boolean): Promise<string> {
  const first = isNew ? firstTestTitle(await readFile(paths.suite, 'utf8').catch(() => '')) : null;
  const steps = [
    { command: `npx kata spec ${slug}`, says: 'what to build and why' },
    { command: `npx kata watch ${slug}`, says: 'tests at each save, and the score so far' },
    ...(isNew ? [] : [{ command: `npx kata retry ${slug}`, says: 'keeps this attempt aside and begins afresh' }]),
  ];
  const next = steps.flatMap(({ command, says }) => [
    `  ${output.paint('cyan', command)}`,
    wrap(output.look, says, { indent: 6 }),
  ]);
  const target = first === null ? [] : ['', wrap(output.look, `The first test to make green: “${first}”.`)];
  return [output.paint('bold', 'What to do next'), ...next, ...target].join('\n');
}
