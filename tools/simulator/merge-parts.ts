// What the parts of a campaign have found out, as one.
import type { BudgetSums, CampaignResult, CampaignViolation } from './campaign.ts';

/**
 * Sums, and of each broken invariant the first schedule that broke it. A part that ended early is the last that counts,
 * so that nothing depends on how far the others had come by then.
 */
export function mergeParts(all: readonly CampaignResult[]): CampaignResult {
  const last = all.findIndex(hasEndedEarly);
  const parts = last === -1 ? all : all.slice(0, last + 1);
  const sum = (of: (part: CampaignResult) => number) => parts.reduce((total, part) => total + of(part), 0);
  const loadError = parts.at(-1)?.loadError ?? null;
  const nondeterministic = parts.at(-1)?.nondeterministic ?? null;
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
    stoppedBy: parts.at(-1)?.stoppedBy ?? null,
  };
}

/** It found out something that makes going on pointless. */
const hasEndedEarly = ({ loadError, nondeterministic, stoppedBy }: CampaignResult): boolean =>
  loadError !== null || nondeterministic !== null || stoppedBy !== null;

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
