import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Kata } from '../../course/catalogue.ts';
import { wrap } from '../../terminal/look.ts';
import { beginAttempt, readStub } from '../attempts.ts';
import { type BuildOn, offerPatterns, type Pattern, patternsOf } from '../build-on.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { firstTestTitle } from '../first-test.ts';

interface Options {
  readonly buildOn?: BuildOn;
}

/** Makes the attempt from the stub and says how to go on. Leaves an attempt that is there alone. */
export const run: RunCommand<Options> = async (context, [slug = ''], { buildOn }) => {
  const { output } = context;
  const kata = await context.kata(slug);
  const patterns = await patternsOf(kata, (await context.catalogue()).katas);
  const choice = buildOn ?? (await askFor(context, kata, patterns));
  const isNew = await beginAttempt(kata, offerPatterns(await readStub(kata), patterns, choice));
  const file = `katas/${slug}/attempt.ts`;
  const { title, tier, minutes, level } = kata;
  output.print(output.paint('bold', title));
  output.print(wrap(output.look, `${tier}, about ${minutes} minutes, ${level}`));
  if (isNew) output.print(`\n${await renderOpening(context, slug)}`);
  const says = isNew ? `${file} is yours: made from the stub.` : `${file} is there already and stays as it is.`;
  output.print(`\n${wrap(output.look, says)}`);
  if (isNew && patterns.length > 0) output.print(`\n${sayPatterns(context, patterns)}`);
  output.print(`\n${await renderSteps(context, kata, isNew)}`);
  return EXIT.ok;
};

/** At a terminal, with an attempt of one's own to choose; null where both are to be offered. */
async function askFor({ output }: CommandContext, kata: Kata, patterns: readonly Pattern[]): Promise<BuildOn | null> {
  const own = patterns.filter(({ hasAttempt }) => hasAttempt).map(({ slug }) => slug);
  if (!output.isInteractive || own.length === 0 || existsSync(kata.paths.attempt)) return null;
  const { default: prompts } = await import('prompts');
  const { choice = null } = await prompts({
    type: 'select',
    name: 'choice',
    message: `What shall ${kata.slug} build on?`,
    choices: [
      { title: 'the reference patterns', value: 'reference' },
      { title: `my own attempts (there: ${own.join(', ')})`, value: 'attempt' },
      { title: 'I decide later', value: null },
    ],
  });
  return choice as BuildOn | null;
}

function sayPatterns({ output }: CommandContext, patterns: readonly Pattern[]): string {
  const names = patterns.map(({ slug, hasAttempt }) => `${slug}${hasAttempt ? ' (you have an attempt)' : ''}`);
  const says = `It builds on ${names.join(', ')}. You may import the reference from #solutions/…, or your own attempt from #attempt/…, or do without: the lines are at the top of the file.`;
  return wrap(output.look, says);
}

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
