import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PHASE_IDS } from './guide.ts';
import { openSessions, pastSessions } from './past-sessions.ts';
import type { Session } from './session.ts';
import { readJournal } from './session-folder.ts';
import { elapsedMs } from './session-state.ts';
import { createStage, MINUTE_MS, playThrough, type Stage } from './testing/stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await createStage();
});
afterEach(() => stage.remove());

const pathOf = (session: Session, name: string) => join(stage.root, session.file(name));
/** As a process that was killed leaves it: no word, and its number belongs to nobody. */
const kill = (session: Session) =>
  writeFileSync(pathOf(session, 'candidate.lock'), JSON.stringify({ pid: 2 ** 30, seenAtMs: stage.clock.nowMs() }));

test.each(PHASE_IDS)('goes on after a kill in the phase %s with nothing lost', async (phase) => {
  let session = await stage.begin({ minutes: 60 });
  session.record({ kind: 'started' });
  for (const id of PHASE_IDS) {
    stage.pass(session, 5);
    await session.note(`noted in ${id}`);
    session.record({ kind: 'asked', ask: 'scope' });
    if (id === phase) {
      const before = session.state;
      kill(session);
      stage.clock.moveTo(stage.clock.nowMs() + 8 * 60 * MINUTE_MS);
      session = await stage.reopen(session.header.id);
      expect(session.state).toMatchObject({
        status: 'paused',
        pausedWhy: 'killed',
        notes: before.notes,
        asked: before.asked,
      });
      session.record({ kind: 'resumed' });
    }
    session.record({ kind: 'advanced', from: id, how: 'next' });
  }

  expect(session.state.status).toBe('scoring');
  expect(elapsedMs(session.state, stage.clock.nowMs())).toBe(6 * 5 * MINUTE_MS);
  expect(session.notes().match(/^- noted in .*$/gm)).toEqual(PHASE_IDS.map((id) => `- noted in ${id}`));
});

test('goes on with the scores after a kill in their middle', async () => {
  const session = await stage.begin();
  playThrough(session, 2);
  session.record({ kind: 'unscored', dimension: 'communication' });
  kill(session);

  const again = await stage.reopen(session.header.id);

  expect(Object.keys(again.state.scores.candidate)).toHaveLength(8);
  expect(again.state.status).toBe('scoring');
});

test('stops the clock when it is left, and gives the place free', async () => {
  const session = await stage.begin();
  session.record({ kind: 'started' });
  stage.pass(session, 1);
  session.leave();
  stage.clock.moveTo(stage.clock.nowMs() + 60 * MINUTE_MS);

  const again = await stage.reopen(session.header.id);

  expect(again.state).toMatchObject({ status: 'paused', pausedWhy: 'left' });
  expect(elapsedMs(again.state, stage.clock.nowMs())).toBe(MINUTE_MS);
});

test.each([
  ['cut in the middle of its last line', (path: string) => truncateSync(path, readFileSync(path).length - 9)],
  ['with rubbish at its end', (path: string) => appendFileSync(path, '\0\0{"kind":"no')],
])('reads a journal %s up to there, and writes on after it', async (_, spoil) => {
  const session = await stage.begin();
  session.record({ kind: 'started' });
  session.record({ kind: 'asked', ask: 'scope' });
  session.record({ kind: 'asked', ask: 'users' });
  spoil(pathOf(session, 'journal.jsonl'));
  kill(session);

  const again = await stage.reopen(session.header.id);
  again.record({ kind: 'resumed' });
  again.record({ kind: 'asked', ask: 'media' });

  expect(again.unreadable).toBe(1);
  expect(Object.keys(again.state.asked)).toEqual(expect.arrayContaining(['scope', 'media']));
  expect(again.state.status).toBe('running');
});

test.each([
  ['half-written', (path: string) => truncateSync(path, 40)],
  ['gone', (path: string) => rmSync(path)],
  [
    'of another session',
    (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replaceAll('-tiny', '-other')),
  ],
])('says where the notes are when session.json is %s', async (_, spoil) => {
  const session = await stage.begin();
  await session.note('mine');
  const { id } = session.header;
  spoil(pathOf(session, 'session.json'));
  session.leave();

  const damaged = `.kata/interviews/${id}/session.json cannot be read: it was cut or edited. Your notes are whole in .kata/interviews/${id}/notes.md`;
  await expect(stage.reopen(id)).rejects.toThrow(damaged);
  expect(readFileSync(pathOf(session, 'notes.md'), 'utf8')).toContain('- mine');
});

test('refuses a second terminal on the same side, and lets it in once the first is gone', async () => {
  const session = await stage.begin();
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const taken = JSON.stringify({ pid: other.pid, seenAtMs: stage.clock.nowMs() });
  writeFileSync(pathOf(session, 'candidate.lock'), taken);

  await expect(stage.reopen(session.header.id)).rejects.toThrow(
    `is open as candidate in another terminal (process ${other.pid}). Go on there, or leave it there with q.`,
  );
  await expect(stage.reopen(session.header.id)).rejects.not.toThrow('--as interviewer');
  const ended = new Promise((resolve) => other.on('close', resolve));
  other.kill('SIGKILL');
  await ended;

  expect((await stage.reopen(session.header.id)).header.id).toBe(session.header.id);
});

test('takes a place whose holder has been silent for minutes, as its number may be another’s by now', async () => {
  const session = await stage.begin();
  writeFileSync(
    pathOf(session, 'candidate.lock'),
    JSON.stringify({ pid: process.ppid, seenAtMs: stage.clock.nowMs() }),
  );
  stage.clock.moveTo(stage.clock.nowMs() + 3 * MINUTE_MS);

  await expect(stage.reopen(session.header.id)).resolves.toBeDefined();
});

test('shows each of two people what the other did', async () => {
  const interviewer = await stage.begin({ mode: 'peer', role: 'interviewer' });
  const candidate = await stage.reopen(interviewer.header.id, 'candidate');

  interviewer.record({ kind: 'started' });
  candidate.record({ kind: 'asked', ask: 'offline' });
  await candidate.note('mine');
  await interviewer.note('asked late');
  interviewer.record({ kind: 'advanced', from: 'intro', how: 'next' });
  candidate.look();

  expect(candidate.state).toEqual(interviewer.state);
  expect(candidate.state.phase).toBe('requirements');
  expect(candidate.notes()).not.toContain('asked late');
  expect(candidate.notes('interviewer')).toContain('- asked late');
});

test('loses no event when two write at once', async () => {
  const interviewer = await stage.begin({ mode: 'peer', role: 'interviewer' });
  const candidate = await stage.reopen(interviewer.header.id, 'candidate');
  interviewer.record({ kind: 'started' });

  await Promise.all(
    Array.from({ length: 20 }, (_, n) => Promise.all([candidate.note(`c${n}`), interviewer.note(`i${n}`)])),
  );

  expect(readJournal(stage.root, interviewer.header.id).events).toHaveLength(41);
  expect(candidate.notes().match(/^- c\d+$/gm)).toHaveLength(20);
});

test('keeps the notes a person edits meanwhile', async () => {
  const session = await stage.begin();
  writeFileSync(session.notesPath, '# Mine\n\nall of it\n');

  await session.note('one more');

  expect(session.notes()).toBe('# Mine\n\nall of it\n\n## Introductions\n\n- one more\n');
});

test('writes the next note when one could not be written', async () => {
  const session = await stage.begin();
  renameSync(pathOf(session, 'notes.md'), pathOf(session, 'aside.md'));
  mkdirSync(pathOf(session, 'notes.md'));
  await expect(session.note('first')).rejects.toThrow('notes.md');
  rmSync(pathOf(session, 'notes.md'), { recursive: true });

  await session.note('second');

  expect(session.notes()).toContain('- second');
});

test('gives two sessions of one second two folders', async () => {
  const [first, second] = [await stage.begin(), await stage.begin()];

  expect([first.header.id, second.header.id]).toEqual(['2026-03-02-090000-tiny', '2026-03-02-090000-tiny-2']);
});

test('lists what is open, and passes over what cannot be read', async () => {
  const session = await stage.begin();
  mkdirSync(join(stage.root, '.kata/interviews/broken'));
  const given = await stage.begin();
  given.record({ kind: 'dropped' });

  expect(openSessions(stage.root).map(({ header }) => header.id)).toEqual([session.header.id]);
  expect(pastSessions(stage.root)).toHaveLength(2);
});

test('says which file stands in the way when the journal cannot be used', async () => {
  const session = await stage.begin();
  session.record({ kind: 'started' });
  rmSync(pathOf(session, 'journal.jsonl'));
  mkdirSync(pathOf(session, 'journal.jsonl'));

  expect(() => session.record({ kind: 'asked', ask: 'scope' })).toThrow(/journal\.jsonl: a folder has that name/);
  expect(existsSync(session.notesPath)).toBe(true);
});
