import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepSchedules, keptSchedules, readSchedule } from './kept-schedules.ts';
import type { Violation } from './report.ts';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'kept '));
  folder = path.join(root, '.kata', 'schedules', 'tally');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const violation = (replayId: string, world = 1): Violation => ({
  invariant: 'kept',
  count: 1,
  seed: 1,
  path: 'sweep:1',
  replayId,
  schedule: { schemaVersion: 1, kata: 'tally', world, steps: [null], faults: [] },
  story: { headline: '', steps: [], events: [], reference: null },
});
const age = (name: string, seconds: number) => utimesSync(path.join(folder, `${name}.json`), seconds, seconds);

test('keeps schedules to be read again, newest first', async () => {
  await keepSchedules(root, 'tally', [violation('old', 1)]);
  await keepSchedules(root, 'tally', [violation('new', 2)]);
  age('old', 1_000);

  expect((await keptSchedules(root, 'tally')).map(({ id, plan }) => [id, plan.world])).toEqual([
    ['new', 2],
    ['old', 1],
  ]);
});

test('keeps no more than twenty: the oldest go', async () => {
  const names = Array.from({ length: 20 }, (_, n) => `s${n + 10}`);
  await keepSchedules(
    root,
    'tally',
    names.map((name) => violation(name)),
  );
  for (const [n, name] of names.entries()) age(name, 1_000 + n);

  await keepSchedules(root, 'tally', [violation('newest')]);

  const left = readdirSync(folder);
  expect(left).toHaveLength(20);
  expect(left).toContain('newest.json');
  expect(left).not.toContain('s10.json');
});

test('passes over what holds no schedule', async () => {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of [
    ['cut', '{"schemaVersion":1,'],
    ['other', '{"schemaVersion":2}'],
    ['list', '[]'],
  ] as const)
    writeFileSync(path.join(folder, `${name}.json`), text);

  expect(await keptSchedules(root, 'tally')).toEqual([]);
  expect(await keptSchedules(root, 'unknown')).toEqual([]);
  expect(await readSchedule(path.join(folder, 'away.json'))).toBeNull();
});

test('says what to do when they cannot be kept', async () => {
  writeFileSync(path.join(root, '.kata'), '');

  await expect(keepSchedules(root, 'tally', [violation('one')])).rejects.toThrow(
    'a file stands where a folder is needed',
  );
});
