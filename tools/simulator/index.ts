// `#simulator`: what a kata's author writes scenarios with.
export type { Json } from './plan.ts';
export {
  type Action,
  type Backend,
  type BackendContext,
  type Budget,
  defineAction,
  defineScenario,
  type Invariant,
  type OpenContext,
  type PhoneView,
  type Scenario,
  type Stage,
  type WorldView,
} from './scenario.ts';
export type { Costs, RequestRecord, TraceEvent } from './trace.ts';
