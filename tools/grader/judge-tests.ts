// From what Vitest reported to one verdict a test, in the suite's own order.
import type { TestResult } from './report.ts';
import type { RawTest } from './suite-messages.ts';
import { isTimeout, type SuiteOutcome } from './suite-runner.ts';
import type { SuiteTitle } from './suite-titles.ts';

const SPEC_REF = /^[RE]\d+$/;

/** Verdicts for all tests a suite has, whether they could be run or not. */
export function judgeTests(
  titles: readonly SuiteTitle[],
  outcome: SuiteOutcome,
  criteria: ReadonlySet<string>,
): TestResult[] {
  const byName = new Map(outcome.tests.map((test) => [test.name, test]));
  const unlisted = outcome.tests.filter(({ name }) => !titles.some((title) => title.name === name));
  return [...titles, ...unlisted].map(({ name, tags }) => ({
    name,
    criterion: tags.find((tag) => criteria.has(tag)) ?? null,
    spec: tags.filter((tag) => SPEC_REF.test(tag)),
    ...verdictOf(name, byName.get(name), outcome),
  }));
}

type Verdict = Pick<TestResult, 'status' | 'durationMs' | 'message' | 'blockedBy'>;

function verdictOf(name: string, test: RawTest | undefined, outcome: SuiteOutcome): Verdict {
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
      return { status, durationMs, message: failureText(test), blockedBy: null };
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
  const by = stoppedBy ?? hung.at(-1)?.name ?? null;
  if (by)
    return { status: 'blocked', durationMs: 0, message: `Not run: "${by}" and others before it hung.`, blockedBy: by };
  return { status: 'not-run', durationMs: 0, message: 'Vitest did not run this test.', blockedBy: null };
}

/** The whole text of a failure: message, difference, and the lines of the learner's code it went through. */
function failureText({ errors }: RawTest): string {
  return errors
    .map(({ name, message, diff, stack }) => {
      const places = stack.split('\n').filter((line) => /attempt\.ts|suite\.test\.ts|katas\/|solutions\//.test(line));
      return [`${name}: ${message}`, diff, places.slice(0, 6).map(fromRoot).join('\n')]
        .filter((part) => part !== '')
        .join('\n');
    })
    .join('\n\n');
}

/** A line of a stack with its path from the course's root: where the course stands is nobody's business in a report. */
const fromRoot = (line: string): string =>
  line.replace(/(?:file:\/\/)?\/[^\s()]*?\/(?=(?:katas|solutions|\.kata)\/)/g, '');
