// One survey of several parts of a campaign.
import type { BudgetSums, Finding, Survey } from './campaign.ts';

/**
 * What all parts have found out: sums, and of each broken invariant the first schedule that broke it. A part that ended
 * early is the last that counts, so that nothing depends on how far the others had come by then.
 */
export function mergeSurveys(all: readonly Survey[]): Survey {
  const last = all.findIndex(endedEarly);
  const parts = last === -1 ? all : all.slice(0, last + 1);
  const sum = (of: (part: Survey) => number) => parts.reduce((total, part) => total + of(part), 0);
  const loadError = parts.at(-1)?.loadError ?? null;
  const nondeterministic = parts.at(-1)?.nondeterministic ?? null;
  return {
    schedules: sum(({ schedules }) => schedules),
    failing: sum(({ failing }) => failing),
    setAside: sum(({ setAside }) => setAside),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    // Where nothing can be trusted, what another part has found cannot be either.
    findings: loadError || nondeterministic ? [] : mergeFindings(parts.flatMap(({ findings }) => findings)),
    budgets: mergeBudgets(parts.map(({ budgets }) => budgets)),
    struck: [...new Set(parts.flatMap(({ struck }) => struck))].sort(),
    loadError,
    nondeterministic,
    stoppedBy: parts.at(-1)?.stoppedBy ?? null,
  };
}

/** Whether it found out something that makes going on pointless. */
export const endedEarly = ({ loadError, nondeterministic, stoppedBy }: Survey): boolean =>
  loadError !== null || nondeterministic !== null || stoppedBy !== null;

function mergeFindings(all: readonly Finding[]): Finding[] {
  const merged = new Map<string, Finding>();
  for (const one of all.toSorted((a, b) => a.index - b.index)) {
    const first = merged.get(one.invariant);
    merged.set(one.invariant, first ? { ...first, count: first.count + one.count } : one);
  }
  return [...merged.values()];
}

function mergeBudgets(parts: readonly Survey['budgets'][]): Survey['budgets'] {
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
