// One result of a campaign that several have shared.
import type { BudgetSums, CampaignResult, CampaignViolation } from './campaign.ts';

/** What all of them have found out: sums, and of each broken invariant the story of the first schedule that broke it. */
export function mergeCampaigns(parts: readonly [CampaignResult, ...CampaignResult[]]): CampaignResult {
  const sum = (of: (part: CampaignResult) => number) => parts.reduce((total, part) => total + of(part), 0);
  const loadError = parts.find((part) => part.loadError)?.loadError ?? null;
  const nondeterministic = parts.find((part) => part.nondeterministic)?.nondeterministic ?? null;
  return {
    schedules: sum(({ schedules }) => schedules),
    failing: sum(({ failing }) => failing),
    setAside: sum(({ setAside }) => setAside),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    // Where nothing can be trusted, what another part has found cannot be either.
    violations: loadError || nondeterministic ? [] : mergeViolations(parts.flatMap(({ violations }) => violations)),
    budgets: mergeBudgets(parts.map(({ budgets }) => budgets)),
    struck: [...new Set(parts.flatMap(({ struck }) => struck))].sort(),
    loadError,
    nondeterministic,
    stoppedBy: parts.find(({ stoppedBy }) => stoppedBy)?.stoppedBy ?? null,
  };
}

function mergeViolations(all: readonly CampaignViolation[]): CampaignViolation[] {
  const merged = new Map<string, CampaignViolation>();
  for (const one of all.toSorted((a, b) => a.index - b.index)) {
    const first = merged.get(one.invariant);
    merged.set(one.invariant, first ? { ...first, count: first.count + one.count } : one);
  }
  return [...merged.values()];
}

function mergeBudgets(parts: readonly CampaignResult['budgets'][]): CampaignResult['budgets'] {
  const merged: Record<string, BudgetSums> = {};
  for (const [id, { attempt, reference, allowance, schedules }] of parts.flatMap((part) => Object.entries(part))) {
    const sums = merged[id] ?? { attempt: 0, reference: 0, allowance, schedules: 0 };
    merged[id] = {
      attempt: sums.attempt + attempt,
      reference: sums.reference + reference,
      allowance,
      schedules: sums.schedules + schedules,
    };
  }
  return merged;
}
