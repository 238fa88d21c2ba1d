// Mock interviews that were scored, from what their folders hold. Whatever cannot be read is passed over.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const scorecard = z.object({
  kata: z.object({ slug: z.string() }),
  startedAt: z.string(),
  finishedAt: z.string(),
  level: z.string(),
  pattern: z.string().default(''),
  phases: z.array(z.object({ spentMs: z.number() })).default([]),
});

export interface Interview {
  readonly id: string;
  readonly kata: string;
  /** ISO text, UTC: when it ended. */
  readonly at: string;
  /** The level it spoke for: not-yet, mid, senior or staff. */
  readonly level: string;
  /** Its scores in the order of the scorecard, such as `3 3 2 …`. */
  readonly pattern: string;
  readonly minutes: number;
}

/** Scored interviews, oldest first. */
export function readInterviews(root: string): Interview[] {
  const folder = path.join(root, '.kata', 'interviews');
  return namesIn(folder)
    .flatMap((id) => readInterview(id, path.join(folder, id, 'scorecard.json')))
    .sort((a, b) => (a.at < b.at ? -1 : 1));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readInterview(id: string, file: string): Interview[] {
  try {
    const { kata, finishedAt, level, pattern, phases } = scorecard.parse(JSON.parse(readFileSync(file, 'utf8')));
    const spentMs = phases.reduce((sum, phase) => sum + phase.spentMs, 0);
    return [{ id, kata: kata.slug, at: finishedAt, level, pattern, minutes: Math.round(spentMs / 60_000) }];
  } catch {
    return [];
  }
}
