// A review round on a real terminal.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTallyCourse, type TallyCourse } from '../grader/testing/tally-course.ts';
import { HAS_TMUX, openTerminals, type Terminals, WHY_SKIPPED } from './testing/tmux.ts';

let course: TallyCourse;
let terminals: Terminals;
beforeEach(() => {
  course = makeTallyCourse();
  terminals = openTerminals(course.root);
});
afterEach(() => {
  terminals.close();
  course.remove();
});

const findings = () => readFileSync(path.join(course.root, '.kata/reviews/tally-1/findings.yaml'), 'utf8');

test.runIf(HAS_TMUX)(
  `ends no untouched round at one key, refuses wrong lines at once, and keeps a finding${WHY_SKIPPED}`,
  { timeout: 180_000 },
  async () => {
    const { press, sees, type, open } = terminals;
    open('one', 'review tally --seed 1');
    await sees('one', /\[q\]uit/);
    press('one', 'd');
    await sees('one', 'press d again');

    press('one', 'f');
    await sees('one', 'Line, or lines');
    type('one', '1-9999');
    press('one', 'Enter');
    await sees('one', /must be .*uit/);
    press('one', 'f');
    await sees('one', /must be.*Line, or lines/);
    type('one', '2');
    press('one', 'Enter');
    await sees('one', 'Which promise breaks?');
    type('one', 'the count');
    press('one', 'Enter');
    await sees('one', 'What does it do to a user?');
    type('one', 'ünï');
    press('one', 'Enter');
    await sees('one', 'Kept in');
    press('one', 'q');
    await sees('one', 'ended with 0');

    expect(findings()).toMatch(/- lines: 2\n\s+criterion: keeps\n\s+consequence: ünï/);
  },
);
