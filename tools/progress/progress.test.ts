import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type History, openHistory } from '../history/history.ts';
import { renderCsv } from './csv.ts';
import { renderHtml } from './html.ts';
import { readInterviews } from './interviews.ts';
import { levelsOf } from './levels.ts';
import { gatherProgress, type Progress } from './progress.ts';
import { sittingsOf } from './sittings.ts';
import { minutesWords } from './words.ts';

const NOW_MS = Date.parse('2026-03-09T09:00:00.000Z');
const KATA = { slug: 'queue', title: 'Offline <queue>', tier: 'pattern', version: 1, suiteHash: 'aaaa' } as const;

let root: string;
let history: History;
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'kata progress '));
  history = await openHistory(root, { warn: () => undefined });
});
afterEach(() => {
  history.close();
  rmSync(root, { recursive: true, force: true });
});

const criterion = (level: string, earned: number) => ({ dimension: 'correctness', level, points: 10, earned });
const report = (...criteria: object[]) => JSON.stringify({ criteria });

function addGrade(at: string, score: number, text = report(criterion('mid', score / 10))): void {
  history.addGrade({
    kata: 'queue',
    at,
    score,
    bar: 70,
    band: score >= 70 ? 'mid' : 'not-yet',
    status: score >= 70 ? 'passed' : 'below-bar',
    kataVersion: 1,
    suiteHash: 'aaaa',
    attemptHash: 'bbbb',
    report: text,
  });
}

const gather = (hasAttempt = true): Progress =>
  gatherProgress({ root, history, katas: [{ ...KATA, hasAttempt }], share: 0.8, nowMs: NOW_MS });

function interview(id: string, text: string): void {
  mkdirSync(path.join(root, '.kata/interviews', id), { recursive: true });
  writeFileSync(path.join(root, '.kata/interviews', id, 'scorecard.json'), text);
}
const SCORECARD = JSON.stringify({
  kata: { slug: 'queue' },
  startedAt: '2026-03-04T09:00:00.000Z',
  finishedAt: '2026-03-04T09:45:00.000Z',
  level: 'mid',
  pattern: '3 3 2',
  phases: [{ spentMs: 600_000 }, { spentMs: 1_800_000 }],
});

test('joins what comes within half an hour into one sitting, and adds the lead', () => {
  const times = [
    '2026-03-02T10:00:00Z',
    '2026-03-02T09:00:00Z',
    '2026-03-02T09:30:00Z',
    '2026-03-02T11:00:01Z',
    'never',
  ];

  expect(sittingsOf(times)).toEqual([
    { from: '2026-03-02T09:00:00.000Z', minutes: 65 },
    { from: '2026-03-02T11:00:01.000Z', minutes: 5 },
  ]);
});

test('reaches a level only with all levels below it', () => {
  const levels = (mid: number, senior: number) =>
    levelsOf([report(criterion('mid', mid), criterion('senior', senior))], 0.8)[0]?.level;

  expect([levels(8, 8), levels(8, 7.9), levels(7.9, 10)]).toEqual(['senior', 'mid', null]);
});

test('counts no report that cannot be read', () => {
  expect(levelsOf(['', '{"criteria":[{}]}', '{'], 0.8)).toEqual([]);
});

test('tells states, best score, time and what was practised', () => {
  addGrade('2026-03-02T09:00:00.000Z', 40);
  addGrade('2026-03-02T09:20:00.000Z', 80);
  addGrade('2026-03-03T09:00:00.000Z', 60);
  history.addReview({
    round: 'queue-1',
    kata: 'queue',
    at: '2026-03-03T09:10:00.000Z',
    score: 90,
    mistakes: 1,
    found: 1,
    fixed: 1,
    falseAlarms: 0,
    result: '{}',
  });
  const kept = history.addDrillAnswer({ card: 'queue/a', kata: 'queue', at: '2026-03-03T09:12:00.000Z', answer: '' });
  history.rateDrillAnswer(kept, 'good', { card: 'queue/a', kata: 'queue', due: '2026-03-05T09:00:00.000Z', state: '' });
  interview('one', SCORECARD);

  const progress = gather();

  expect(progress.katas[0]).toMatchObject({
    state: 'broken-since',
    best: 80,
    band: 'mid',
    grades: 3,
    minutes: 25 + 17 + 40,
    sittings: 3,
    reviews: { count: 1, best: 90 },
    drill: { known: 1, due: 1, answers: 1 },
    interviews: { count: 1, lastLevel: 'mid' },
  });
  expect(progress.dimensions).toMatchObject([{ dimension: 'correctness', level: 'mid' }]);
  expect(progress.weeks).toEqual([{ week: '2026-03-02', minutes: 82 }]);
  expect(progress.events.map(({ kind }) => kind)).toEqual(['grade', 'grade', 'grade', 'review', 'drill', 'interview']);
});

test('passes over interviews that are half-written', () => {
  interview('cut', SCORECARD.slice(0, 40));
  interview('other', '{"kata":{}}');
  interview('whole', SCORECARD);

  expect(readInterviews(root).map(({ id, minutes }) => [id, minutes])).toEqual([['whole', 40]]);
});

test('says that nothing was tried where nothing is kept', () => {
  const { katas, events, dimensions } = gather(false);

  expect([katas[0]?.state, events, dimensions]).toEqual(['never-tried', [], []]);
});

test('writes CSV that a spreadsheet reads as it is meant, and takes for no formula', () => {
  const event = {
    kind: 'grade',
    kata: 'queue',
    at: 'now',
    score: 3.5,
    result: '=1+1',
    detail: 'say "no", twice',
  } as const;

  expect(renderCsv({ ...gather(), events: [event] })).toBe(
    `kind,kata,at,score,result,detail\r\ngrade,queue,now,3.5,'=1+1,"say ""no"", twice"\r\n`,
  );
});

test('writes a page that needs nothing but itself, with a table beside each chart', () => {
  addGrade('2026-03-02T09:00:00.000Z', 40);
  addGrade('2026-03-02T09:20:00.000Z', 80);

  const html = renderHtml(gather(), { queue: 70 });

  expect(html).not.toMatch(/https?:|<script|src=|@import|url\(/);
  expect(html).toContain("default-src 'none'");
  expect(html.match(/<svg [^>]*role="img" aria-label="[^"]+"/g)).toHaveLength(html.match(/<svg/g)?.length ?? 0);
  expect(html.match(/<figure>/g)?.length).toBe(html.match(/<div class="pair">/g)?.length);
  expect(html.match(/class="pair"><figure>.*?<\/figure><div class="scroll"[^>]*><table/gs)).toHaveLength(3);
  expect(html).toContain('Offline &lt;queue&gt;');
  expect(html).not.toContain('Offline <queue>');
});

test('tells a pass from a fail without colour', () => {
  addGrade('2026-03-02T09:00:00.000Z', 40);
  addGrade('2026-03-02T09:20:00.000Z', 80);

  const html = renderHtml(gather(), { queue: 70 });

  expect([html.match(/class="ring"/g)?.length, html.match(/class="dot"/g)?.length]).toEqual([1, 1]);
});

test('says minutes in hours from one hour on', () => {
  expect([0, 59, 60, 205].map(minutesWords)).toEqual(['0 min', '59 min', '1 h', '3 h 25 min']);
});
