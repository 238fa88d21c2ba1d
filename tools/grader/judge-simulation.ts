// From what the simulation found to evidence and stories.
import { createHash } from 'node:crypto';
import type { Rubric } from '../course/schema.ts';
import type { BudgetSums, CampaignResult } from '../simulator/campaign.ts';
import type { Plan } from '../simulator/plan.ts';
import type { Report, Violation } from './report.ts';
import type { BudgetEvidence, InvariantEvidence } from './score.ts';
import { placeWords, type SimulationOutcome } from './simulation.ts';
import type { SimulationAnswer } from './simulation-messages.ts';

export interface JudgedSimulation {
  readonly invariants: readonly InvariantEvidence[];
  readonly budgets: readonly BudgetEvidence[];
  readonly report: Report['simulation'];
  /** Why nothing of it counts; null when it does. */
  readonly notGradable: string | null;
  /** Why it came to its end without an answer; null when there is one. */
  readonly blockedBy: string | null;
  /** Why it did not come to its end; null when it did. */
  readonly incomplete: string | null;
}

/** Judges a simulation by what the rubric asks of it. */
export function judgeSimulation(outcome: SimulationOutcome, rubric: Rubric, seed: number): JudgedSimulation {
  const empty = { schedules: 0, seed, failing: 0, setAside: 0, wallMs: 0, virtualMs: 0, violations: [] };
  const nothing = { invariants: [], budgets: [], report: empty, notGradable: null, blockedBy: null, incomplete: null };
  switch (outcome.kind) {
    case 'fault':
      throw new Error(`The simulation itself broke; this is no fault of the attempt.\n${outcome.message}`);
    case 'hung':
    case 'crashed':
      return { ...nothing, incomplete: `The simulation ended in ${placeWords(outcome.path)}. ${outcome.detail}` };
    case 'done':
      if (outcome.answer.type !== 'campaign')
        throw new Error(`A campaign was asked for, and ${outcome.answer.type} was answered.`);
      return judgeResult(outcome.answer, rubric, seed);
  }
}

function judgeResult(
  { result, wallMs, changedBuiltIns }: Extract<SimulationAnswer, { type: 'campaign' }>,
  rubric: Rubric,
  seed: number,
): JudgedSimulation {
  const blockedBy = whyBlocked(result);
  return {
    invariants: idsOf(rubric, 'invariants').map((id) => invariantEvidence(id, result, blockedBy)),
    budgets: idsOf(rubric, 'budgets').map((id) => budgetEvidence(id, result, blockedBy)),
    report: {
      schedules: result.schedules,
      seed,
      failing: result.failing,
      setAside: result.setAside,
      wallMs: Math.round(wallMs),
      virtualMs: Math.round(result.virtualMs),
      violations: result.violations.map((found) => violationOf(found, seed)),
    },
    notGradable: whyNotGradable(result, changedBuiltIns),
    blockedBy,
    incomplete: result.loadError === null ? blockedBy : null,
  };
}

/** Why nothing of it can be judged: no promise is kept by an app that was never opened. */
function whyBlocked({ loadError, schedules, setAside }: CampaignResult): string | null {
  if (loadError) return `The app could not be opened: ${loadError.text}`;
  return schedules === 0 ? `No schedule was left to judge by: ${setAside} were set aside.` : null;
}

function idsOf(rubric: Rubric, kind: 'invariants' | 'budgets'): string[] {
  return rubric.criteria.flatMap((criterion) => criterion[kind]);
}

function whyNotGradable(result: CampaignResult, changedBuiltIns: readonly string[]): string | null {
  if (result.loadError?.stage === 'import') return `The attempt throws as it is loaded: ${result.loadError.text}`;
  if (changedBuiltIns.length > 0) {
    return `The attempt changes built-ins that the simulator shares with it (${changedBuiltIns.slice(0, 3).join(', ')}). Leave them as they are.`;
  }
  if (result.nondeterministic) {
    return `Two runs of one schedule (${result.nondeterministic.path}) differed. Something in the attempt depends on more than its globals and \`device\`: time or randomness reached another way.`;
  }
  return null;
}

function invariantEvidence(id: string, result: CampaignResult, blockedBy: string | null): InvariantEvidence {
  if (blockedBy !== null) return { id, status: 'blocked', survival: 0, detail: blockedBy };
  const broken = result.violations.find(({ invariant }) => invariant === id);
  if (!broken) return { id, status: 'pass', survival: 1, detail: '' };
  const survival = 1 - broken.count / Math.max(1, result.schedules);
  const detail = `${broken.story.headline} (${broken.count} of ${result.schedules} schedules)`;
  return { id, status: 'fail', survival, detail };
}

function budgetEvidence(id: string, result: CampaignResult, blockedBy: string | null): BudgetEvidence {
  const measured = result.budgets[id];
  const known = measured ?? { attempt: 0, reference: 0, allowance: 1, schedules: 0 };
  return { id, ...known, blockedBy: blockedBy ?? whyNotMeasured(id, measured) };
}

/** What costs nothing since nothing was run is not cheap. */
function whyNotMeasured(id: string, measured: BudgetSums | undefined): string | null {
  if (!measured) return `No budget of the scenario is called ${id}.`;
  return measured.schedules === 0 ? 'It was measured in no schedule.' : null;
}

function violationOf(
  { invariant, count, path, plan, story }: CampaignResult['violations'][number],
  seed: number,
): Violation {
  return {
    invariant,
    count,
    seed,
    path,
    replayId: `${invariant}-${planHash(plan).slice(0, 4)}`,
    schedule: structuredClone(plan) as Violation['schedule'],
    story: structuredClone(story) as Violation['story'],
  };
}

/** 16 hex digits that name a schedule. */
export function planHash(plan: Plan): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
}
