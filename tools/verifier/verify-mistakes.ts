// Is every wrong attempt caught, by the criterion that names what is wrong?
import { readFile } from 'node:fs/promises';
import { kataPaths } from '../course/kata-paths.ts';
import { loadRubric } from '../course/load-rubric.ts';
import type { LazyAttempt, Mistake } from '../course/mistake.ts';
import type { Report } from '../grader/report.ts';
import { suiteTitles } from '../grader/suite-titles.ts';
import { applyMistake } from '../grader/variants.ts';
import { type Finding, fails, holds } from './finding.ts';
import type { Lane } from './lane.ts';
import { earnedWords, lostWords } from './report-words.ts';

/** A mistake that the first schedules miss meets as many as a grade has. */
const SCHEDULES = { first: 150, all: 1_000, lazy: 50 };
const SEEN = ['fail', 'error', 'timeout'];

/**
 * A mistake is caught when its own criterion loses points, and nothing keeps the grade from being made.
 * A criterion is earned as far as its weakest evidence, so one failing test of its own is enough to know;
 * a few schedules then show that the mistake can be graded. Only else the rest of the evidence is asked.
 */
export async function verifyMistake(lane: Lane, mistake: Mistake): Promise<Finding> {
  const { root, slug } = lane;
  const claim = `the mistake "${mistake.id}" is caught by ${mistake.criterion}`;
  const paths = kataPaths(root, slug);
  let source: string;
  try {
    source = applyMistake(await readFile(paths.reference, 'utf8'), mistake);
  } catch (error) {
    return fails(claim, error instanceof Error ? error.message : String(error));
  }
  const target = await lane.editedReference(mistake.id, source);
  const titles = suiteTitles(await readFile(paths.suite, 'utf8'));
  const own = titles.filter(({ tags }) => tags.includes(mistake.criterion)).map(({ name }) => name);
  if (await lane.failsOneOf(target, own)) {
    const reason = await lane.whyNotGradable(target);
    return reason === null ? holds(claim) : fails(claim, `It could not be graded: ${reason}`);
  }
  const { criteria } = await loadRubric(root, slug);
  const stopWhenBroken = criteria.find(({ id }) => id === mistake.criterion)?.invariants ?? [];
  let report = await lane.grade(target, SCHEDULES.first, { stopWhenBroken });
  if (!isCaught(report, mistake)) report = await lane.grade(target, SCHEDULES.all, { stopWhenBroken });
  if (report.status === 'not-gradable') return fails(claim, `It could not be graded: ${report.reason}`);
  if (!isCaught(report, mistake)) return fails(claim, `That criterion loses nothing. ${lostWords(report)}`);
  return holds(claim);
}

/** The criterion lost points by evidence of its own, not because something else kept it from being judged. */
function isCaught({ status, criteria }: Report, mistake: Mistake): boolean {
  const own = criteria.find(({ id }) => id === mistake.criterion);
  if (!own || status === 'not-gradable' || own.earned >= own.points) return false;
  return own.evidence.some((evidence) => SEEN.includes(evidence.status));
}

export async function verifyLazy(lane: Lane, { id, source }: LazyAttempt): Promise<Finding> {
  const claim = `the lazy attempt "${id}" does not reach the bar`;
  const report = await lane.grade(await lane.variant(id, source), SCHEDULES.lazy);
  const seen = `${report.score} points, ${report.status}`;
  return report.status === 'passed' ? fails(claim, `${seen}: ${earnedWords(report)}.`) : holds(claim, seen);
}
