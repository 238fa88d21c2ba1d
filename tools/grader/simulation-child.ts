// A process of its own that simulates one attempt. It may read the project and nothing else: no writing, no children.
import { writeSync } from 'node:fs';
import { createFactory } from '../simulator/app-factory.ts';
import { runCampaign } from '../simulator/campaign.ts';
import { compare } from '../simulator/compare.ts';
import { idleFaults } from '../simulator/coverage.ts';
import { useLightResponses } from '../simulator/light-response.ts';
import type { Plan } from '../simulator/plan.ts';
import { catchRejections, runPlan } from '../simulator/run.ts';
import { tellStory } from '../simulator/story.ts';
import type { AnyScenario, AppFactory } from '../simulator/world.ts';
import { watchBuiltIns } from './built-ins.ts';
import type {
  SimulationAnswer,
  SimulationEvent,
  SimulationMessage,
  SimulationRequest,
  Told,
} from './simulation-messages.ts';

const STDOUT = 1;

/** The scenario's module. */
type LoadScenario = () => Promise<{ readonly scenario: AnyScenario }>;

/** Answers the requests of the process that has started this one. */
export function serveSimulations(load: LoadScenario): void {
  // Kept from the attempt: one that finds its way to `process` must not answer for us.
  const send = process.send?.bind(process);
  Object.assign(process, { send: undefined });
  const scenario = load();
  // Who asks for a simulation is told.
  scenario.catch(() => undefined);
  process.on('message', (request: SimulationRequest) => {
    const say = (event: SimulationEvent) => send?.({ token: request.token, event } satisfies SimulationMessage);
    void simulate(request, scenario).then(say, (error: unknown) =>
      say({ type: 'fault', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
  catchRejections();
  useLightResponses();
}

async function simulate(
  { code, job }: SimulationRequest,
  loading: ReturnType<LoadScenario>,
): Promise<SimulationAnswer> {
  const startedAt = performance.now();
  const { scenario } = await loading;
  const changedBuiltIns = watchBuiltIns();
  const reference = createFactory(code.reference, 'reference.js');
  const attempt = code.isReference ? reference : createFactory(code.attempt);
  switch (job.type) {
    case 'campaign': {
      const result = await runCampaign(scenario, attempt, reference, {
        ...job,
        onSchedule: (_done, path) => giveSign(path),
      });
      return { type: 'campaign', result, wallMs: performance.now() - startedAt, changedBuiltIns: changedBuiltIns() };
    }
    case 'compare':
      return { type: 'compare', result: await compare(scenario, attempt, reference, { ...job, onSchedule: giveSign }) };
    case 'coverage':
      return { type: 'coverage', idle: await idleFaults(scenario, attempt, job.seed, giveSign) };
    case 'tell':
      giveSign('the schedule');
      return { type: 'tell', result: await tell(scenario, attempt, code.isReference ? null : reference, job.plan) };
  }
}

/** Written at once, and not through the event loop: it must get out even when the attempt never gives way again. */
function giveSign(path: string): void {
  writeSync(STDOUT, `${path}\n`);
}

async function tell(
  scenario: AnyScenario,
  attempt: AppFactory,
  reference: AppFactory | null,
  plan: Plan,
): Promise<Told> {
  const run = await runPlan(scenario, attempt, plan);
  const { loadError } = run;
  const violations = [];
  for (const { invariant } of run.violations) {
    violations.push({ invariant, story: await tellStory(scenario, attempt, reference, plan, invariant) });
  }
  return { loadError, violations, story: await tellStory(scenario, attempt, reference, plan, null) };
}
