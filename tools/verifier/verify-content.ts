// Is a kata's content whole, and does everything its scenario names really happen?
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { checkKata } from '../course/check-course.ts';
import { describeProblem } from '../course/course-problem.ts';
import { kataPaths } from '../course/kata-paths.ts';
import { loadSpec } from '../course/load-spec.ts';
import type { LazyAttempt, Mistake } from '../course/mistake.ts';
import { Simulation } from '../grader/simulation.ts';
import { suiteTitles } from '../grader/suite-titles.ts';
import { bundle } from '../simulator/bundle.ts';
import { BUILT_IN_INVARIANTS } from '../simulator/scenario.ts';
import type { AnyScenario } from '../simulator/world.ts';
import { checkDataModels } from './data-models.ts';
import { type Finding, fails, holds } from './finding.ts';

/** A kata's wrong attempts, as its author wrote them. */
export async function loadMistakes(root: string, slug: string): Promise<{ mistakes: Mistake[]; lazy: LazyAttempt[] }> {
  return (await import(pathToFileURL(kataPaths(root, slug).mistakes).href)) as {
    mistakes: Mistake[];
    lazy: LazyAttempt[];
  };
}

/** Spec, contract, rubric, suite and scenario are linked without an orphan. */
export async function verifyContent(root: string, slug: string): Promise<Finding[]> {
  const claim = 'spec, rubric, suite, scenario and mistakes are linked without an orphan';
  const paths = kataPaths(root, slug);
  const { scenario } = (await import(pathToFileURL(paths.scenario).href)) as { scenario: AnyScenario };
  const { mistakes } = await loadMistakes(root, slug);
  const builtIn = Object.keys(BUILT_IN_INVARIANTS).map((id) => ({ id, spec: [] }));
  const problems = await checkKata(root, slug, {
    tests: suiteTitles(await readFile(paths.suite, 'utf8')),
    invariants: [...scenario.invariants.map(({ id, spec }) => ({ id, spec })), ...builtIn],
    budgets: scenario.budgets.map(({ id, spec }) => ({ id, spec })),
    routes: routesOf(scenario),
    mistakes,
  });
  const links =
    problems.length === 0 ? [holds(claim)] : problems.map((problem) => fails(claim, describeProblem(problem)));
  const { dataModels } = await loadSpec(root, slug);
  return [...links, checkDataModels(slug, dataModels, await readFile(paths.contract, 'utf8'))];
}

/** The backend's routes, as Hono knows them, without what serves all methods. */
function routesOf(scenario: AnyScenario): string[] {
  const nothing = () => undefined;
  const { app } = scenario.backend({ nowMs: () => 0, record: nothing, push: nothing, after: () => nothing });
  const own = app.routes.filter(({ method }) => method !== 'ALL');
  return [...new Set(own.map(({ method, path }) => `${method} ${path}`))];
}

/** Every fault kind the scenario names fires and matters somewhere. */
export async function verifyFaults(root: string, slug: string, seed: number): Promise<Finding[]> {
  const claim = 'every fault and condition of the scenario strikes and matters in some schedule';
  const { reference } = kataPaths(root, slug);
  const code = await bundle(reference, root);
  const outcome = await new Simulation(root, slug).run({
    code: { attempt: code, reference: code, isReference: true },
    job: { type: 'coverage', seed },
  });
  if (outcome.kind === 'fault') return [fails(claim, outcome.message)];
  if (outcome.kind !== 'done' || outcome.answer.type !== 'coverage') {
    return [fails(claim, `The simulation did not end: ${outcome.kind}.`)];
  }
  const { idle } = outcome.answer;
  if (idle.length === 0) return [holds(claim)];
  return [fails(claim, `These never do: ${idle.join(', ')}. Take them out, or let the app meet them.`)];
}
