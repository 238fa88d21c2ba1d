import { spawn } from 'node:child_process';
import path from 'node:path';
import { keptSchedules, readSchedule } from '../../grader/kept-schedules.ts';
import type { Story } from '../../grader/report.ts';
import type { Plan } from '../../simulator/plan.ts';
import type { StoryData } from '../../simulator/story.ts';
import { wrap } from '../../terminal/look.ts';
import { simulateJob } from '../bundles.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { requireAttempt } from '../grade-attempt.ts';

interface Options {
  readonly on?: 'attempt' | 'reference';
  readonly debug?: boolean;
}

/** Runs one kept schedule again and tells what happens now. Ends with 1 when a promise is still broken. */
export const run: RunCommand<Options> = async (context, [slug = '', id], { on = 'attempt', debug = false }) => {
  const kata = await context.kata(slug);
  if (on === 'attempt') requireAttempt(kata);
  const { name, plan } = await findSchedule(context, slug, id);
  if (debug) return debugSchedule(context, slug, on, plan);
  const { result } = await simulateJob(context.root, slug, on, { type: 'tell', plan });
  if (result.loadError)
    throw new CommandError(`The ${on} could not be opened: ${result.loadError.text}`, EXIT.notGradable);
  const { output } = context;
  output.print(wrap(output.look, output.paint('bold', `${slug}, schedule ${name}, on the ${on}`)));
  const broken = result.violations;
  if (broken.length === 0) await showStory(context, result.story);
  for (const { invariant, story } of broken) {
    output.print(`\n${output.paint('bold', `broken: ${invariant}`)}`);
    await showStory(context, story);
  }
  return broken.length === 0 ? EXIT.ok : EXIT.belowBar;
};

async function findSchedule(
  { root }: CommandContext,
  slug: string,
  id: string | undefined,
): Promise<{ name: string; plan: Plan }> {
  const kept = await keptSchedules(root, slug);
  const [newest] = kept;
  if (id === undefined) {
    if (newest) return { name: newest.id, plan: newest.plan };
    throw new CommandError(`No failing schedule of ${slug} is kept. A grade keeps them: npx kata grade ${slug}`);
  }
  const found = kept.find((one) => one.id === id) ?? kept.find((one) => one.id.startsWith(id));
  if (found) return { name: found.id, plan: found.plan };
  const plan = id.endsWith('.json') ? await readSchedule(path.resolve(id)) : null;
  if (plan?.kata === slug) return { name: path.basename(id), plan };
  if (plan) throw new CommandError(`${id} is a schedule of ${plan.kata}, not of ${slug}.`);
  const known = kept.length > 0 ? `Kept are: ${kept.map((one) => one.id).join(', ')}.` : 'None is kept.';
  throw new CommandError(`There is no schedule ${id} of ${slug}, and no file of that name that holds one. ${known}`);
}

async function showStory({ output }: CommandContext, data: StoryData): Promise<void> {
  const { renderTextDiagram } = await import('../../grader/render/text-diagram.ts');
  const story = structuredClone(data) as Story;
  output.print(wrap(output.look, story.headline));
  for (const [n, step] of story.steps.entries())
    output.print(wrap(output.look, `${n + 1}. ${step}`, { indent: 2, hang: 5 }));
  output.print();
  output.print(renderTextDiagram(story, output.look));
  if (!story.reference) return;
  output.print();
  output.print(
    wrap(
      output.look,
      `Here the two part: the attempt ${story.reference.attempt}; the reference ${story.reference.reference}.`,
    ),
  );
}

/** Waits for a debugger, then runs the schedule: breakpoints in the attempt's own lines hold. */
async function debugSchedule(
  { root, output, onInterrupt }: CommandContext,
  slug: string,
  on: string,
  plan: Plan,
): Promise<number> {
  output.print(
    'Open chrome://inspect, or attach your editor to the address below. The schedule runs once you continue.',
  );
  const child = spawn(
    process.execPath,
    [
      '--inspect-brk=127.0.0.1:0',
      '--enable-source-maps',
      '--no-warnings',
      path.join(import.meta.dirname, '..', 'debug-schedule.ts'),
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, KATA_DEBUG_SCHEDULE: JSON.stringify({ root, slug, on, plan }) },
    },
  );
  onInterrupt(() => void child.kill());
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? EXIT.interrupted)));
}
