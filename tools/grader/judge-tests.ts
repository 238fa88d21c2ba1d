// From what Vitest reported to one verdict a test, in the suite's own order.
import { pathToFileURL } from 'node:url';
import type { TestResult } from './report.ts';
import type { RawTest } from './suite-messages.ts';
import { type SuiteOutcome, THE_SUITE_ITSELF } from './suite-runner.ts';
import { isIdleTimeout, isTimeout, TIMED_OUT, timeoutMsOf } from './suite-timeouts.ts';
import type { SuiteTitle } from './suite-titles.ts';

const SPEC_REF = /^[RE]\d+$/;

/** Verdicts for all tests a suite has, whether they could be run or not. Messages name files by their path from `root`. */
export function judgeTests(
  titles: readonly SuiteTitle[],
  outcome: SuiteOutcome,
  criteria: ReadonlySet<string>,
  root: string,
): TestResult[] {
  const byName = new Map(outcome.tests.map((test) => [test.name, test]));
  const unlisted = outcome.tests.filter(({ name }) => !titles.some((title) => title.name === name));
  return [...titles, ...unlisted].map(({ name, tags }) => ({
    name,
    criterion: tags.find((tag) => criteria.has(tag)) ?? null,
    spec: tags.filter((tag) => SPEC_REF.test(tag)),
    ...verdictOf(name, byName.get(name), outcome, root),
  }));
}

type Verdict = Pick<TestResult, 'status' | 'durationMs' | 'message' | 'blockedBy'>;

function verdictOf(name: string, test: RawTest | undefined, outcome: SuiteOutcome, root: string): Verdict {
  const hung = outcome.hung.find((one) => one.name === name);
  if (hung)
    return {
      status: hung.how === 'timeout' ? 'timeout' : 'error',
      durationMs: 0,
      message: hung.detail,
      blockedBy: null,
    };
  if (test === undefined || test.state === 'pending') return missing(outcome);
  const { durationMs } = test;
  switch (test.state) {
    case 'passed':
      return { status: 'pass', durationMs, message: null, blockedBy: null };
    case 'skipped':
      return { status: 'skipped', durationMs, message: 'The suite skips this test.', blockedBy: null };
    default: {
      const status = isTimeout(test) ? 'timeout' : test.errors[0]?.name === 'AssertionError' ? 'fail' : 'error';
      return { status, durationMs, message: failureText(test, root), blockedBy: null };
    }
  }
}

/** A test nothing was heard of: another kept it from running. */
function missing({ broken, stoppedBy, hung }: SuiteOutcome): Verdict {
  const file = broken[0];
  if (file)
    return {
      status: 'blocked',
      durationMs: 0,
      message: file.errors[0]?.message ?? 'The suite did not load.',
      blockedBy: 'the suite does not load',
    };
  const [first] = hung;
  if (first?.name === THE_SUITE_ITSELF)
    return {
      status: 'blocked',
      durationMs: 0,
      message: `No test was begun. ${first.detail}`,
      blockedBy: 'the suite does not load',
    };
  const by = stoppedBy ?? hung.at(-1)?.name ?? null;
  if (by)
    return { status: 'blocked', durationMs: 0, message: `Not run: "${by}" and others before it hung.`, blockedBy: by };
  return { status: 'not-run', durationMs: 0, message: 'Vitest did not run this test.', blockedBy: null };
}

/** The whole text of a failure: message, difference, and the lines of the learner's code it went through. */
function failureText(test: RawTest, root: string): string {
  return test.errors
    .map(({ name, message, diff, stack }) => {
      const places = stack.split('\n').map((line) => fromRoot(line, root));
      const own = places.filter((line) => /(?:^|[\s(])(?:katas|solutions|\.kata)\//.test(line));
      const said = TIMED_OUT.test(message) ? timeoutWords(test) : `${name}: ${fromRoot(message, root)}`;
      return [said, diff, own.slice(0, 6).join('\n')].filter((part) => part !== '').join('\n');
    })
    .join('\n\n');
}

/** Vitest's own words ask for a longer timeout, which would help nobody here. */
function timeoutWords(test: RawTest): string {
  const seconds = (timeoutMsOf(test) ?? 0) / 1_000;
  return isIdleTimeout(test)
    ? `It waited ${seconds} s for something that never came: a promise of the app does not settle.`
    : `It was not done after ${seconds} s: something does not settle, or goes on without end.`;
}

/** Text with paths from the course's root: where the course stands is nobody's business in a report. */
const fromRoot = (text: string, root: string): string =>
  text.replaceAll(`${pathToFileURL(root).href}/`, '').replaceAll(`${root}/`, '');
