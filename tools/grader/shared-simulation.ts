// A campaign shared by two children: most machines have two cores or more, and a grade waits for the simulation longest.
import { mergeCampaigns } from '../simulator/merge-campaigns.ts';
import { Simulation, type SimulationOutcome } from './simulation.ts';
import type { SimulationAnswer, SimulationRequest } from './simulation-messages.ts';

/** Always as many, on any machine: the same grade everywhere. */
const PARTS = 2;

type Campaign = Extract<SimulationAnswer, { type: 'campaign' }>;

/** Two children that wait, warm, for a campaign. */
export class SharedSimulation {
  readonly #parts: readonly Simulation[];

  constructor(root: string) {
    this.#parts = Array.from({ length: PARTS }, () => new Simulation(root));
  }

  /** Runs a campaign. What keeps one part from ending keeps the whole from it. */
  async run(
    { code, job }: Omit<SimulationRequest, 'token'>,
    onProgress?: (path: string) => void,
  ): Promise<SimulationOutcome> {
    if (job.type !== 'campaign') throw new Error(`Only a campaign can be shared, not a job of type ${job.type}.`);
    const outcomes = await Promise.all(
      this.#parts.map((part, n) => part.run({ code, job: { ...job, part: { n, of: PARTS } } }, onProgress)),
    );
    // All are waited for, so that of two that hang the same one is told each time.
    return outcomes.find(({ kind }) => kind !== 'done') ?? merge(outcomes);
  }

  stop(): void {
    for (const part of this.#parts) part.stop();
  }
}

function merge(outcomes: readonly SimulationOutcome[]): SimulationOutcome {
  const [first, ...others] = outcomes.flatMap((outcome): Campaign[] =>
    outcome.kind === 'done' && outcome.answer.type === 'campaign' ? [outcome.answer] : [],
  );
  if (!first) throw new Error('A simulation answered something else than it was asked.');
  const answers = [first, ...others];
  return {
    kind: 'done',
    answer: {
      type: 'campaign',
      result: mergeCampaigns([first.result, ...others.map(({ result }) => result)]),
      wallMs: Math.max(...answers.map(({ wallMs }) => wallMs)),
      changedBuiltIns: [...new Set(answers.flatMap(({ changedBuiltIns }) => changedBuiltIns))],
    },
  };
}
