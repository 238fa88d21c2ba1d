// Do honest attempts get what they deserve: the reference all, the alternative enough, the stub nothing?
import { readFile } from 'node:fs/promises';
import { kataPaths } from '../course/kata-paths.ts';
import type { Report } from '../grader/report.ts';
import { suiteTitles } from '../grader/suite-titles.ts';
import { targetOf } from '../grader/target.ts';
import { typeCheck } from '../grader/type-check.ts';
import { type Finding, fails, holds } from './finding.ts';
import type { Lane } from './lane.ts';
import { earnedWords, lostWords } from './report-words.ts';

/** Schedules of a grade. `brisk` and `sampled` are for checks that are run at every change. */
export const SCHEDULES = {
  reference: { whole: 1_000, sampled: 100 },
  alternative: { whole: 5_000, brisk: 300, sampled: 100 },
  stub: 50,
};
/** The alternative meets schedules that nobody looked at while writing. */
const FRESH_SEED = 20_260;
/** More schedules than this share that even the reference cannot satisfy is more than a few. */
const SET_ASIDE_SHARE = 0.005;

export async function verifyReference(lane: Lane, schedules = SCHEDULES.reference.whole): Promise<Finding[]> {
  const claim = 'the reference scores 100';
  const target = targetOf(lane.root, lane.slug, 'reference');
  const report = await lane.grade(target, schedules, { skipsChecks: false });
  const { tests, simulation, score } = report;
  const seen = `${tests.length} tests, ${simulation.schedules} schedules`;
  return [
    await verifyTitles(lane, tests),
    score < 100 ? fails(claim, `It scores ${score}. ${report.reason ?? ''} ${lostWords(report)}`) : holds(claim, seen),
  ];
}

/** A test that only Vitest knows of would be missing from a grade whose suite does not load. */
async function verifyTitles({ root, slug }: Lane, tests: Report['tests']): Promise<Finding> {
  const claim = 'every test can be read from the text of the suite';
  const titles = suiteTitles(await readFile(kataPaths(root, slug).suite, 'utf8')).map(({ name }) => name);
  const [unlisted] = tests.filter(({ name }) => !titles.includes(name));
  if (!unlisted) return holds(claim);
  return fails(
    claim,
    `Not "${unlisted.name}". Write it as test('title', { tags: ['criterion', 'R1'] }, …), not nested.`,
  );
}

export async function verifyStub(lane: Lane): Promise<Finding[]> {
  const { stub } = kataPaths(lane.root, lane.slug);
  const report = await lane.grade(await lane.variantOf(stub, 'stub'), SCHEDULES.stub);
  const others = report.tests.filter(
    ({ status, message }) => status === 'pass' || !/NotImplemented/.test(message ?? ''),
  );
  const examples = others
    .slice(0, 3)
    .map(({ name, status, message }) => `"${name}" (${status}: ${firstLine(message)})`);
  const failing = 'every test fails on the stub with NotImplemented';
  const scoring = 'the stub scores 0';
  return [
    await verifyTypes(lane, 'stub'),
    others.length === 0 ? holds(failing) : fails(failing, `Not so: ${examples.join(', ')}.`),
    report.score === 0 ? holds(scoring) : fails(scoring, `It scores ${report.score}: ${earnedWords(report)}.`),
  ];
}

const firstLine = (message: string | null): string => message?.split('\n')[0] ?? '';

export async function verifyAlternative(lane: Lane, schedules = SCHEDULES.alternative.whole): Promise<Finding[]> {
  const claim = `the alternative reaches the bar over ${schedules} fresh schedules`;
  const { alternative } = kataPaths(lane.root, lane.slug);
  const target = await lane.variantOf(alternative, 'alternative');
  const report = await lane.grade(target, schedules, { seed: FRESH_SEED });
  const { setAside } = report.simulation;
  const seen = `${report.score} points. ${report.reason ?? ''} ${lostWords(report)}`.trim();
  return [
    await verifyTypes(lane, 'alternative'),
    setAside > schedules * SET_ASIDE_SHARE
      ? fails('few schedules are unfair', `Even the reference cannot satisfy ${setAside} of ${schedules}.`)
      : holds('few schedules are unfair', setAside === 0 ? '' : `${setAside} were set aside`),
    report.status === 'passed' ? holds(claim, seen) : fails(claim, seen),
  ];
}

async function verifyTypes({ root, slug }: Lane, what: 'stub' | 'alternative'): Promise<Finding> {
  const claim = `the ${what} type-checks`;
  const { isClean, errors } = await typeCheck(root, kataPaths(root, slug)[what]);
  return isClean ? holds(claim) : fails(claim, errors.slice(0, 3).join('\n'));
}
