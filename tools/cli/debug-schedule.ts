// Runs one schedule in this process, for a debugger: no supervision, no second look. Started by `kata replay --debug`.
import { pathToFileURL } from 'node:url';
import { kataPaths } from '../course/kata-paths.ts';
import { targetOf } from '../grader/target.ts';
import { createFactory } from '../simulator/app-factory.ts';
import { BundleError, bundle } from '../simulator/bundle.ts';
import type { Plan } from '../simulator/plan.ts';
import { catchRejections, runPlan } from '../simulator/run.ts';
import type { AnyScenario } from '../simulator/world.ts';
import { EXIT } from './exit-code.ts';

interface Asked {
  readonly root: string;
  readonly slug: string;
  readonly on: 'attempt' | 'reference';
  readonly plan: Plan;
}

const { root, slug, on, plan } = JSON.parse(process.env.KATA_DEBUG_SCHEDULE ?? '{}') as Asked;
const { scenario } = (await import(pathToFileURL(kataPaths(root, slug).scenario).href)) as { scenario: AnyScenario };
const code = await bundle(targetOf(root, slug, on).file, root).catch((error: unknown) => {
  if (!(error instanceof BundleError)) throw error;
  return leave(`The ${on} cannot be compiled:\n${error.message}`);
});
const factory = createFactory(code);
catchRejections();
const { violations, loadError } = await runPlan(scenario, factory, plan);
if (loadError) leave(`The ${on} could not be opened: ${loadError.text}`);
for (const { invariant, text } of violations) console.log(`broken: ${invariant}: ${text}`);
if (violations.length === 0) console.log('Every promise was kept this time.');
process.exit(violations.length === 0 ? EXIT.ok : EXIT.belowBar);

function leave(says: string): never {
  console.error(says);
  process.exit(EXIT.notGradable);
}
