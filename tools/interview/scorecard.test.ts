import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { rubric } from '../course/schema.ts';
import { tinyRubric } from '../course/testing/tiny-course.ts';
import { finishSession } from './finish.ts';
import { SCORE_DIMENSIONS } from './guide.ts';
import { readScorecard } from './past-sessions.ts';
import { createStage, criterion, gradeOf, playThrough, type Stage, scoreAll } from './testing/stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await createStage();
});
afterEach(() => stage.remove());

const RUBRICS = [rubric.parse(parse(tinyRubric('tiny'))), rubric.parse(parse(tinyRubric('other')))];

test('keeps the result as JSON and as Markdown, and the model answers beside the notes', async () => {
  const session = await stage.begin();
  session.record({ kind: 'started' });
  session.record({ kind: 'asked', ask: 'offline' });
  session.record({ kind: 'advanced', from: 'intro', how: 'skip' });
  await session.note('half an hour offline');
  for (const { id } of stage.guide.phases.slice(1)) session.record({ kind: 'advanced', from: id, how: 'next' });
  scoreAll(session, 3);

  const { card, beside } = await finishSession(session, RUBRICS);

  expect(readScorecard(stage.root, session.header.id)).toEqual(card);
  expect(card).toMatchObject({ level: 'senior', pattern: '3 3 3 3 3 3 3 3 3', judgedBy: 'candidate', ownScores: null });
  expect(card?.asked).toEqual([{ id: 'offline', says: 'What works offline', elapsedMs: 0 }]);
  expect(card?.phases[0]).toMatchObject({ id: 'intro', skipped: true });
  const text = readFileSync(join(stage.root, session.file('scorecard.md')), 'utf8');
  expect(text).toContain('**Speaks for: senior.**');
  expect(text).toContain('> saw failure');
  expect(text).not.toContain('Notes survive.');
  expect(beside).toMatch(/\*\*You noted\*\*\n\n- half an hour offline\n\n\*\*A model answer\*\*\n\nNotes survive\./);
  expect(beside).toContain('It is sent again.');
});

test('works first on what is weakest, with the katas that train it', async () => {
  const session = await stage.begin();
  playThrough(session, 3);
  for (const dimension of ['failure', 'security'] as const) {
    session.record({ kind: 'unscored', dimension });
    session.record({ kind: 'scored', dimension, score: 1, evidence: 'missing' });
  }

  const { card } = await finishSession(session, RUBRICS);

  expect(card?.workOn.map(({ dimension, katas }) => [dimension, katas])).toEqual([
    ['failure', ['other', 'tiny']],
    ['security', []],
    ['mobile', ['other', 'tiny']],
  ]);
});

test('says what the grade spoke for beside what was scored', async () => {
  const session = await stage.begin();
  session.record({ kind: 'started' });
  for (const from of ['intro', 'requirements', 'high-level'] as const)
    session.record({ kind: 'advanced', from, how: 'next' });
  session.record({ kind: 'graded', grade: gradeOf([criterion({ earned: 3 })]) });
  for (const from of ['deep-dive', 'trade-offs', 'questions'] as const)
    session.record({ kind: 'advanced', from, how: 'next' });
  scoreAll(session, 3);

  const { card } = await finishSession(session, RUBRICS);

  const suggested = card?.scores.flatMap((line) => (line.suggested === null ? [] : [[line.dimension, line.suggested]]));
  expect(suggested).toEqual([['failure', 1]]);
});

test('waits for both where two sit, and lets the interviewer’s scores decide', async () => {
  const interviewer = await stage.begin({ mode: 'peer', role: 'interviewer' });
  const candidate = await stage.reopen(interviewer.header.id, 'candidate');
  playThrough(interviewer, 2);
  const early = await finishSession(interviewer, RUBRICS);
  candidate.look();
  scoreAll(candidate, 4);

  const { card } = await finishSession(candidate, RUBRICS);

  expect(early.card).toBeNull();
  expect(card).toMatchObject({ judgedBy: 'interviewer', level: 'mid' });
  expect(card?.ownScores?.map(({ score }) => score)).toEqual(SCORE_DIMENSIONS.map(() => 4));
});
