// A failing run told to a person: the schedule in words, the events that matter, and where the reference went another way.
import { conditionWords, isCondition } from './conditions.ts';
import { type Difference, firstDifference } from './difference.ts';
import { faultWords } from './fault-kinds.ts';
import type { Plan } from './plan.ts';
import { runPlan } from './run.ts';
import { type StoryEvent, storyEvents } from './story-events.ts';
import type { TraceEvent } from './trace.ts';
import type { AnyScenario, AppFactory } from './world.ts';

export interface StoryData {
  /** What was promised, and what was seen instead. */
  readonly headline: string;
  /** The schedule in words, in the order in which it happened. */
  readonly steps: readonly string[];
  readonly events: readonly StoryEvent[];
  readonly reference: Difference | null;
}

/** Runs a plan once more, looking closely, up to where an invariant broke (null: to its end). Without a reference nothing is compared. */
export async function tellStory(
  scenario: AnyScenario,
  attempt: AppFactory,
  reference: AppFactory | null,
  plan: Plan,
  invariant: string | null,
): Promise<StoryData> {
  const run = await runPlan(scenario, attempt, plan, { isDetailed: true });
  const violation = run.violations.find((one) => one.invariant === invariant);
  const seen = run.trace.slice(0, (violation?.index ?? run.trace.length - 1) + 1);
  const headline =
    violation?.text ?? (invariant === null ? 'Every promise was kept.' : `${invariant} was not broken this time.`);
  const steps = tellSteps(scenario, plan, seen);
  const events = storyEvents(seen, violation ? { text: violation.text, atMs: violation.atMs } : null, run.trace);
  const other = reference && (await runPlan(scenario, reference, plan, { isDetailed: true }));
  return { headline, steps, events, reference: other && firstDifference(run.trace, other.trace) };
}

/** What happened, step by step, as far as the trace goes. */
export function tellSteps(scenario: AnyScenario, plan: Plan, trace: readonly TraceEvent[]): string[] {
  const several = (scenario.phones ?? 1) > 1;
  return trace.flatMap((event) => {
    const words = eventWords(scenario, plan, event);
    if (words === null) return [];
    return [several && isOfOnePhone(plan, event) ? `phone ${event.phone + 1}: ${words}` : words];
  });
}

/** Healing and an outage are everybody's. */
function isOfOnePhone(plan: Plan, event: TraceEvent): boolean {
  if (event.kind === 'step') return plan.steps[event.slot]?.do !== 'outage';
  return event.kind !== 'condition' || event.condition !== 'healed';
}

function eventWords(scenario: AnyScenario, plan: Plan, event: TraceEvent): string | null {
  switch (event.kind) {
    case 'step': {
      const step = plan.steps[event.slot];
      if (!step) return null;
      if (isCondition(step.do)) return conditionWords(step);
      const action = scenario.actions[step.do];
      const words = action?.says(step.args as never) ?? step.do;
      return action?.opensApp === false ? words : `the person ${words}`;
    }
    case 'fault':
      return `the ${ordinal(event.nth)} ${targetWords(event.target)} ${faultWords(event.target, event.fault) ?? event.fault}`;
    case 'condition':
      return event.condition === 'healed' ? 'from here on everything works, and nobody asks for anything new' : null;
    default:
      return null;
  }
}

/** A target as a person reads it. */
function targetWords(target: string): string {
  if (target === 'storage.write') return 'write to storage';
  if (target === 'storage.read') return 'read from storage';
  if (target === 'secureStore.write') return 'write to the keychain';
  if (target === 'secureStore.read') return 'read from the keychain';
  if (target === 'socket.connect') return 'connection to a socket';
  if (target === 'socket.receive') return 'frame to the phone';
  if (target === 'socket.send') return 'frame from the phone';
  if (target === 'stream.receive') return 'piece of a stream';
  if (target === 'localAuthentication') return 'prompt for the person';
  return target;
}

/** 1st, 2nd, 3rd, 4th… */
export function ordinal(n: number): string {
  const ends = ['th', 'st', 'nd', 'rd'];
  const isTeen = n % 100 >= 11 && n % 100 <= 13;
  return `${n}${(isTeen ? undefined : ends[n % 10]) ?? 'th'}`;
}
