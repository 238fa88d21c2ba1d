// What the grader and the process that simulates say to each other.
import type { CampaignResult } from '../simulator/campaign.ts';
import type { Plan } from '../simulator/plan.ts';

export interface SimulationRequest {
  /** Absolute path of the kata's scenario.ts. */
  readonly scenarioFile: string;
  /** Bundled code. */
  readonly attempt: string;
  readonly reference: string;
  readonly isReference: boolean;
  readonly seed: number;
  readonly schedules: number;
  readonly saved: readonly Plan[];
}

export type SimulationEvent =
  | {
      readonly type: 'result';
      readonly result: CampaignResult;
      readonly wallMs: number;
      readonly changedBuiltIns: readonly string[];
    }
  /** Something of ours broke: the scenario, the backend, the simulator. */
  | { readonly type: 'fault'; readonly message: string };
