// A process of its own that simulates one attempt. It may read the project and nothing else: no writing, no children.
import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { createFactory } from '../simulator/app-factory.ts';
import { runCampaign } from '../simulator/campaign.ts';
import { useLightResponses } from '../simulator/light-response.ts';
import { catchRejections } from '../simulator/run.ts';
import type { AnyScenario } from '../simulator/world.ts';
import { watchBuiltIns } from './built-ins.ts';
import type { SimulationEvent, SimulationRequest } from './simulation-messages.ts';

const STDOUT = 1;

process.on('message', (request: SimulationRequest) => {
  void simulate(request).then(say, (error: unknown) =>
    say({ type: 'fault', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
catchRejections();
useLightResponses();

function say(event: SimulationEvent): void {
  process.send?.(event);
}

async function simulate(request: SimulationRequest): Promise<SimulationEvent> {
  const startedAt = performance.now();
  const { scenario } = (await import(pathToFileURL(request.scenarioFile).href)) as { scenario: AnyScenario };
  const changedBuiltIns = watchBuiltIns();
  const reference = createFactory(request.reference, 'reference.js');
  const attempt = request.isReference ? reference : createFactory(request.attempt);
  const result = await runCampaign(scenario, attempt, reference, {
    seed: request.seed,
    schedules: request.schedules,
    saved: request.saved,
    // Written at once, and not through the event loop: it must get out even when the attempt never gives way again.
    onSchedule: (_done, path) => writeSync(STDOUT, `${path}\n`),
  });
  return { type: 'result', result, wallMs: performance.now() - startedAt, changedBuiltIns: changedBuiltIns() };
}
