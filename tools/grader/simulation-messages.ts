// What the grader and the process that simulates say to each other.
import type { CampaignPart, CampaignResult } from '../simulator/campaign.ts';
import type { Comparison } from '../simulator/compare.ts';
import type { Plan } from '../simulator/plan.ts';
import type { StoryData } from '../simulator/story.ts';
import type { LoadError } from '../simulator/world.ts';

/** What all requests need: the bundled code of both. */
export interface SimulationCode {
  readonly attempt: string;
  readonly reference: string;
  /** The attempt is the reference itself: nothing to compare it with. */
  readonly isReference: boolean;
}

export type SimulationJob =
  | {
      readonly type: 'campaign';
      readonly seed: number;
      readonly schedules: number;
      readonly saved: readonly Plan[];
      readonly shrinkRunsMax?: number;
      readonly stopWhenBroken?: readonly string[];
      readonly part?: CampaignPart;
    }
  | { readonly type: 'compare'; readonly seed: number; readonly schedules: number }
  /** Faults of the scenario that never matter to the attempt. */
  | { readonly type: 'coverage'; readonly seed: number }
  /** One schedule, told in full. */
  | { readonly type: 'tell'; readonly plan: Plan };

export interface SimulationRequest {
  /** Goes back with every answer; no attempt sees it. */
  readonly token: string;
  readonly code: SimulationCode;
  readonly job: SimulationJob;
}

/** One schedule told: every invariant it breaks, or the story of a run that kept them all. */
export interface Told {
  /** Why the app could not be made; nothing else was found out then. */
  readonly loadError: LoadError | null;
  readonly violations: readonly { readonly invariant: string; readonly story: StoryData }[];
  readonly story: StoryData;
}

export type SimulationAnswer =
  | {
      readonly type: 'campaign';
      readonly result: CampaignResult;
      readonly wallMs: number;
      readonly changedBuiltIns: readonly string[];
    }
  | { readonly type: 'compare'; readonly result: Comparison }
  | { readonly type: 'coverage'; readonly idle: readonly string[] }
  | { readonly type: 'tell'; readonly result: Told };

export interface SimulationMessage {
  readonly token: string;
  readonly event: SimulationEvent;
}

/** Something of ours broke: the scenario, the backend, the simulator. */
export type SimulationEvent = SimulationAnswer | { readonly type: 'fault'; readonly message: string };
