// Do honest attempts get what they deserve: the reference all, the alternative enough, the stub nothing?
import { kataPaths } from '../course/kata-paths.ts';
import { targetOf } from '../grader/target.ts';
import { typeCheck } from '../grader/type-check.ts';
import { type Finding, fails, holds } from './finding.ts';
import type { Lane } from './lane.ts';
import { earnedWords, lostWords } from './report-words.ts';

const SCHEDULES = { reference: 1_000, alternative: 5_000, stub: 50 };
/** The alternative meets schedules that nobody looked at while writing. */
const FRESH_SEED = 20_260;
/** More schedules than this share that even the reference cannot satisfy is more than a few. */
const SET_ASIDE_SHARE = 0.005;

export async function verifyReference(lane: Lane): Promise<Finding[]> {
  const claim = 'the reference scores 100';
  const target = targetOf(lane.root, lane.slug, 'reference');
  const report = await lane.grade(target, SCHEDULES.reference, { skipsChecks: false });
  const { tests, simulation, score } = report;
  if (score < 100) return [fails(claim, `It scores ${score}. ${report.reason ?? ''} ${lostWords(report)}`)];
  return [holds(claim, `${tests.length} tests, ${simulation.schedules} schedules`)];
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

export async function verifyAlternative(lane: Lane): Promise<Finding[]> {
  const claim = `the alternative reaches the bar over ${SCHEDULES.alternative} fresh schedules`;
  const { alternative } = kataPaths(lane.root, lane.slug);
  const target = await lane.variantOf(alternative, 'alternative');
  const report = await lane.grade(target, SCHEDULES.alternative, { seed: FRESH_SEED });
  const { setAside } = report.simulation;
  const seen = `${report.score} points. ${report.reason ?? ''} ${lostWords(report)}`.trim();
  return [
    await verifyTypes(lane, 'alternative'),
    setAside > SCHEDULES.alternative * SET_ASIDE_SHARE
      ? fails('few schedules are unfair', `Even the reference cannot satisfy ${setAside} of ${SCHEDULES.alternative}.`)
      : holds('few schedules are unfair', setAside === 0 ? '' : `${setAside} were set aside`),
    report.status === 'passed' ? holds(claim, seen) : fails(claim, seen),
  ];
}

async function verifyTypes({ root, slug }: Lane, what: 'stub' | 'alternative'): Promise<Finding> {
  const claim = `the ${what} type-checks`;
  const { isClean, errors } = await typeCheck(root, kataPaths(root, slug)[what], `${slug}-${what}`);
  return isClean ? holds(claim) : fails(claim, errors.slice(0, 3).join('\n'));
}
