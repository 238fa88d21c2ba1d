// Is every wrong attempt caught, by the criterion that names what is wrong?
import { readFile } from 'node:fs/promises';
import { kataPaths } from '../course/kata-paths.ts';
import { loadRubric } from '../course/load-rubric.ts';
import type { LazyAttempt, Mistake } from '../course/mistake.ts';
import { readReference } from '../course/solution-files.ts';
import type { Report } from '../grader/report.ts';
import type { BatchOutcome } from '../grader/suite-batch.ts';
import { suiteTitles } from '../grader/suite-titles.ts';
import type { Target } from '../grader/target.ts';
import { applyMistake } from '../grader/variants.ts';
import { type Finding, fails, holds } from './finding.ts';
import type { Lane } from './lane.ts';
import { earnedWords, lostWords } from './report-words.ts';

const SCHEDULES = { few: 200, all: 1_000, lazy: 50 };
const SEEN = ['fail', 'error', 'timeout'];

/** A mistake put into the reference, ready to be tried. */
interface Trial {
  readonly mistake: Mistake;
  readonly claim: string;
  readonly target: Target;
  /** Titles of the tests of its own criterion. */
  readonly own: readonly string[];
}

/**
 * A mistake is caught when its own criterion loses points, and nothing keeps the grade from being made.
 * A criterion is earned as far as its weakest evidence, so one failing test of its own is enough to know;
 * a few schedules then show that the mistake can be graded. Only else the simulation is asked, and then the whole grade.
 */
export async function verifyMistakes(lane: Lane, mistakes: readonly Mistake[]): Promise<Finding[]> {
  const trials = await Promise.all(mistakes.map((mistake) => prepare(lane, mistake)));
  const failing = await failingTrials(
    lane,
    trials.filter((trial) => 'target' in trial),
  );
  const findings: Finding[] = [];
  for (const trial of trials) findings.push('target' in trial ? await judge(lane, trial, failing.has(trial)) : trial);
  return findings;
}

async function prepare(lane: Lane, mistake: Mistake): Promise<Trial | Finding> {
  const claim = `the mistake "${mistake.id}" is caught by ${mistake.criterion}`;
  try {
    const files = applyMistake(await readReference(lane.root, lane.slug), mistake);
    const own = await testsOf(lane, mistake.criterion);
    return { mistake, claim, own, target: await lane.editedReference(mistake.id, files) };
  } catch (error) {
    return fails(claim, error instanceof Error ? error.message : String(error));
  }
}

async function testsOf({ root, slug }: Lane, criterion: string): Promise<string[]> {
  const titles = suiteTitles(await readFile(kataPaths(root, slug).suite, 'utf8'));
  return titles.filter(({ tags }) => tags.includes(criterion)).map(({ name }) => name);
}

/**
 * The trials that surely fail a test of their own criterion. They run in one process; the reference comes last,
 * and where it fails, too, one of them has disturbed the others and nothing is sure.
 */
async function failingTrials(lane: Lane, trials: readonly Trial[]): Promise<Set<Trial>> {
  const tested = trials.filter(({ own }) => own.length > 0);
  if (tested.length === 0) return new Set();
  const reference = await readReference(lane.root, lane.slug);
  const control = {
    target: await lane.editedReference('control', reference),
    own: tested.flatMap(({ own }) => own),
  };
  const outcomes = await lane.runTogether([...tested, control]);
  const outcomeOf = ({ target }: Pick<Trial, 'target'>) => outcomes.get(target.suite) ?? { passed: [], failed: [] };
  if (outcomeOf(control).failed.length > 0) return new Set();
  const failing = new Set(tested.filter((trial) => outcomeOf(trial).failed.length > 0));
  for (const trial of tested.filter((one) => !isWhole(outcomeOf(one), one)))
    if (!failing.has(trial) && (await lane.failsOneOf(trial.target, trial.own))) failing.add(trial);
  return failing;
}

/** Whether each test was run: one that loops ends the batch, and keeps those behind it from being tried. */
const isWhole = ({ passed, failed }: BatchOutcome, { own }: Trial): boolean =>
  own.every((name) => passed.includes(name) || failed.includes(name));

async function judge(lane: Lane, { mistake, claim, target }: Trial, isFailing: boolean): Promise<Finding> {
  if (isFailing) {
    const reason = await lane.whyNotGradable(target);
    return reason === null ? holds(claim) : fails(claim, `It could not be graded: ${reason}`);
  }
  const { criteria } = await loadRubric(lane.root, lane.slug);
  const { invariants = [], budgets = [] } = criteria.find(({ id }) => id === mistake.criterion) ?? {};
  // What costs too much does so in any few schedules.
  const isCostly = async () => isCaught(await lane.grade(target, SCHEDULES.few), mistake);
  if (budgets.length > 0 && (await isCostly())) return holds(claim);
  if (await lane.breaksOneOf(target, invariants, SCHEDULES.all)) return holds(claim);
  const report = await lane.grade(target, SCHEDULES.all);
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

/** Most of its tests hang: a few of them are enough to know that it does not pass. */
export async function verifyLazy(lane: Lane, { id, source }: LazyAttempt): Promise<Finding> {
  const claim = `the lazy attempt "${id}" does not reach the bar`;
  const report = await lane.grade(await lane.variant(id, source), SCHEDULES.lazy, { runner: lane.impatientRunner });
  const seen = `${report.score} points, ${report.status}`;
  return report.status === 'passed' ? fails(claim, `${seen}: ${earnedWords(report)}.`) : holds(claim, seen);
}
