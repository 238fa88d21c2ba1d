import { loadRubric } from '../../course/load-rubric.ts';
import type { Criterion, Rubric } from '../../course/schema.ts';
import { nearestSlug } from '../../course/slug.ts';
import { wrap } from '../../terminal/look.ts';
import { chooseCriterion, findingsOf, HINT_STEPS } from '../choose-hint.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';

/** Gives the next hint of a criterion and remembers that it was given. */
export const run: RunCommand<{ all?: boolean }> = async (context, [slug = '', id], { all = false }) => {
  const { output } = context;
  await context.kata(slug);
  const rubric = await loadRubric(context.root, slug);
  const history = await context.history();
  const taken = history.hintSteps(slug);
  const findings = findingsOf(history.lastReport(slug));
  const criterion =
    id === undefined ? chooseCriterion(rubric.criteria, { ...findings, taken }) : findCriterion(rubric, id);
  if (criterion === undefined) {
    output.print(wrap(output.look, `Your last grade lost no points. See how others do it: npx kata diff ${slug}`));
    return EXIT.ok;
  }
  const before = taken[criterion.id] ?? 0;
  const step = all ? HINT_STEPS : Math.min(HINT_STEPS, before + 1);
  printHints(context, criterion, all ? 1 : step, step);
  if (step > before) history.keepHintStep(slug, criterion.id, step);
  output.print(`\n${wrap(output.look, sayMore(slug, rubric, criterion, step))}`);
  return EXIT.ok;
};

function findCriterion({ criteria }: Rubric, id: string): Criterion {
  const found = criteria.find((criterion) => criterion.id === id);
  if (found) return found;
  const ids = criteria.map((criterion) => criterion.id);
  const near = nearestSlug(id, ids);
  const advice = near === undefined ? `The criteria are: ${ids.join(', ')}.` : `Did you mean ${near}?`;
  throw new CommandError(`There is no criterion ${id}. ${advice}`);
}

function printHints({ output }: CommandContext, criterion: Criterion, from: number, to: number): void {
  const { id, title, level, points, hints } = criterion;
  output.print(wrap(output.look, output.paint('bold', title)));
  output.print(wrap(output.look, `${id}, ${level}, ${points} points`));
  for (const [at, hint] of hints.entries()) {
    if (at + 1 < from || at + 1 > to) continue;
    output.print(`\n${wrap(output.look, `Hint ${at + 1} of ${HINT_STEPS}: ${hint}`)}`);
  }
}

function sayMore(slug: string, { criteria }: Rubric, { id }: Criterion, step: number): string {
  if (step < HINT_STEPS) return `One step further: npx kata hint ${slug} ${id}`;
  const others = criteria.map((criterion) => criterion.id).filter((other) => other !== id);
  return `That is the last hint of ${id}. Others: ${others.join(', ')}.`;
}
