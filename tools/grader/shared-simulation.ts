// A campaign that several processes share: where a schedule takes long, a grade waits for the simulation alone.
import { mergeParts } from '../simulator/merge-parts.ts';
import type { Simulation, SimulationOutcome } from './simulation.ts';
import type { SimulationAnswer, SimulationCode, SimulationJob } from './simulation-messages.ts';

type CampaignJob = Extract<SimulationJob, { type: 'campaign' }>;
type CampaignAnswer = Extract<SimulationAnswer, { type: 'campaign' }>;

/**
 * Runs a campaign, each child a part of it. A child gets its part as one job, before any code of the attempt has run in
 * it, and nothing afterwards. Parts do not depend on who is quicker: the grade is the same each time. What keeps one
 * part from its end keeps the whole from it.
 */
export async function runShared(
  children: readonly Simulation[],
  { code, job }: { readonly code: SimulationCode; readonly job: CampaignJob },
  onProgress?: (path: string) => void,
): Promise<SimulationOutcome> {
  const of = children.length;
  const outcomes = await Promise.all(
    children.map((child, n) => child.run({ code, job: { ...job, part: { n, of } } }, onProgress)),
  );
  return outcomes.find((outcome) => !campaignIn(outcome)) ?? merge(outcomes.flatMap((one) => campaignIn(one) ?? []));
}

function campaignIn(outcome: SimulationOutcome): CampaignAnswer | null {
  return outcome.kind === 'done' && outcome.answer.type === 'campaign' ? outcome.answer : null;
}

function merge(answers: readonly CampaignAnswer[]): SimulationOutcome {
  const answer: CampaignAnswer = {
    type: 'campaign',
    result: mergeParts(answers.map(({ result }) => result)),
    wallMs: Math.max(...answers.map(({ wallMs }) => wallMs)),
    changedBuiltIns: [...new Set(answers.flatMap(({ changedBuiltIns }) => changedBuiltIns))],
  };
  return { kind: 'done', answer };
}
