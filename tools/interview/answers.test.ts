import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { passedReport } from '../grader/render/sample-report.ts';
import { readAnswers } from './answers.ts';
import { gradeIfDue } from './grade-due.ts';
import { PHASE_IDS, SCORE_DIMENSIONS } from './guide.ts';
import { playAnswers } from './play-answers.ts';
import { createStage, MINUTE_MS, type Stage } from './testing/stage.ts';

let folder: string;
let stage: Stage;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kata answers '));
  stage = await createStage();
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  stage.remove();
});

function read(yaml: string) {
  writeFileSync(join(folder, 'a.yaml'), yaml);
  return readAnswers(join(folder, 'a.yaml'), 'a.yaml');
}

const play = async (yaml: string, grade = () => Promise.resolve(null)) => {
  const session = await stage.begin({ minutes: 60 });
  await playAnswers(session, stage.clock, await read(yaml), () => gradeIfDue(session, grade));
  return session;
};

const NEXT = PHASE_IDS.map((_, n) => `  - { at: ${(n + 1) * 10}, next: true }`).join('\n');
const SCORES = SCORE_DIMENSIONS.map((id) => `  ${id}: { score: 3, evidence: saw it }`).join('\n');

test('plays a session of an hour from its first minute to its scores', async () => {
  const session = await play(
    `steps:\n  - { at: "0:30", note: here, ask: [scope, users] }\n${NEXT}\nscores:\n${SCORES}\n`,
  );

  expect(session.state.status).toBe('scoring');
  expect(session.state.asked).toEqual({ scope: 30_000, users: 30_000 });
  expect(Object.values(session.state.spentMs)).toEqual(PHASE_IDS.map(() => 10 * MINUTE_MS));
  expect(Object.keys(session.state.scores.candidate)).toHaveLength(9);
  expect(session.notes()).toContain('## Introductions\n\n- here\n');
});

test('grades what was coded at the end of the deep dive, with the clock standing still', async () => {
  const session = await stage.begin();
  const answers = await read(
    'steps:\n  - { at: 0, skip: true }\n  - { at: 0, skip: true }\n  - { at: 0, skip: true }\n  - { at: 1, code: true }\n  - { at: 9, next: true }\n',
  );
  const grade = async () => {
    stage.clock.moveTo(stage.clock.nowMs() + 2 * MINUTE_MS);
    return passedReport;
  };

  await playAnswers(session, stage.clock, answers, () => gradeIfDue(session, grade));

  expect(session.state.phase).toBe('trade-offs');
  expect(session.state.grade?.score).toBe(passedReport.score);
  expect(session.state.spentMs['deep-dive']).toBe(9 * MINUTE_MS);
});

test('leaves a session open that its steps do not end', async () => {
  const session = await play('steps:\n  - { at: 3, next: true }\n');

  expect(session.state).toMatchObject({ status: 'running', phase: 'requirements' });
});

test.each([
  ['steps: 3', 'a.yaml: steps: must be a list, but is 3.'],
  ['steps:\n  - { note: hi }', 'a.yaml: steps[0].at: must be a minute, such as 6, 6.5 or "6:30", but is missing.'],
  ['steps:\n  - { at: 1:75 }', 'a.yaml: steps[0].at: must be a minute'],
  ['steps:\n  - { at: 1, nxt: true }', 'a.yaml: steps[0].nxt: is not a field we know.'],
  ['steps:\n  - { at: 2 }\n  - { at: 1 }', 'a.yaml: steps[1].at: must not be before the step above it.'],
  ['minutes: 50', 'a.yaml: minutes: must be 45 or 60, but is 50.'],
  ['scores:\n  api: { score: 5, evidence: e }', 'a.yaml: scores.api.score: must be at most 4, but is 5.'],
  ['steps: [', 'a.yaml: line 1: must be YAML'],
  ['steps:\n  - { at: 100000000 }', 'a.yaml: steps[0].at: must be at most minute 1000'],
  [`steps:\n${'  - { at: 1, note: n }\n'.repeat(501)}`, 'a.yaml: steps: must be at most 500 steps'],
  ['steps:\n  - { at: 1, ask: wether }', 'a.yaml: steps[0].ask: must be of the must-ask list, but is wether.'],
])('names what is wrong in a script (%#)', async (yaml, message) => {
  await expect(read(yaml)).rejects.toThrow(message);
  await expect(read(yaml)).rejects.toThrow('The format is explained in tools/interview/sample-session.yaml');
});

test('says that there is no such script', async () => {
  await expect(readAnswers(join(folder, 'none.yaml'), 'none.yaml')).rejects.toThrow(
    'Could not read the answers in none.yaml: there is no such file.',
  );
});

test.each([
  [
    'steps:\n  - { at: 1, back: true }',
    'steps[0].back: makes no sense here: the session is running, in the phase intro.',
  ],
  [
    'steps:\n  - { at: 1, pause: true }\n  - { at: 2, next: true }',
    'steps[1].next: makes no sense here: the session is paused',
  ],
  [
    `steps:\n${NEXT}\nscores:\n  api: { score: 3, evidence: e }`,
    'scores.scope: must have a score from 1 to 4 and its evidence',
  ],
  [`scores:\n${SCORES}`, 'The script has scores, but its steps do not lead to the end'],
])('says what makes no sense when it comes to it (%#)', async (yaml, message) => {
  await expect(play(yaml)).rejects.toThrow(message);
});
