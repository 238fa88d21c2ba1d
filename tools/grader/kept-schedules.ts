// Schedules that failed, kept for replay and to be run first next time: `.kata/schedules/<slug>/<id>.json`.
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { keepFile } from '../course/keep-file.ts';
import type { Plan } from '../simulator/plan.ts';
import { planSchema, type Violation } from './report.ts';

export interface KeptSchedule {
  readonly id: string;
  readonly plan: Plan;
}

/** More than these are not kept; the oldest go. */
const KEPT_MAX = 20;

const folderOf = (root: string, slug: string): string => path.join(root, '.kata', 'schedules', slug);

/** The kept schedules of a kata, newest first. One that cannot be read is passed over. */
export async function keptSchedules(root: string, slug: string): Promise<KeptSchedule[]> {
  const folder = folderOf(root, slug);
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
  const aged = await Promise.all(
    names.map(async (name) => ({ name, atMs: (await stat(path.join(folder, name))).mtimeMs })),
  );
  aged.sort((a, b) => b.atMs - a.atMs || (a.name < b.name ? -1 : 1));
  const read = await Promise.all(aged.map(({ name }) => readSchedule(path.join(folder, name))));
  return read.flatMap((plan, n) => (plan && aged[n] ? [{ id: aged[n].name.slice(0, -'.json'.length), plan }] : []));
}

/** A schedule from a file: a plan, a kept schedule, or null for anything else. */
export async function readSchedule(file: string): Promise<Plan | null> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    const parsed = planSchema.safeParse(value);
    return parsed.success ? (parsed.data as Plan) : null;
  } catch {
    return null;
  }
}

/** Keeps the schedules of a report's violations. */
export async function keepSchedules(root: string, slug: string, violations: readonly Violation[]): Promise<void> {
  if (violations.length === 0) return;
  const folder = folderOf(root, slug);
  // The first is the one to look at first, so it is written last.
  for (const { replayId, schedule } of [...violations].reverse()) {
    await keepFile(path.join(folder, `${replayId}.json`), `${JSON.stringify(schedule)}\n`);
  }
  const all = await keptSchedules(root, slug);
  for (const { id } of all.slice(KEPT_MAX)) await rm(path.join(folder, `${id}.json`), { force: true });
}
