// Who is at a session now: one process a role, known by a small file that is renewed while it lives.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf, keepFile } from '../course/keep-file.ts';
import type { Clock } from './clock.ts';
import { ROLES, type Role } from './events.ts';
import { InterviewProblem } from './interview-problem.ts';
import { parseJson, readText, type SessionHeader, sessionPath } from './session-folder.ts';

const presence = z.object({ pid: z.number().int(), seenAtMs: z.number() });
type Presence = z.infer<typeof presence>;

/** Without a sign for so long, a process that still exists is not the one that wrote the file. */
const SILENT_MS_MAX = 120_000;
/** How often a living process says so. */
export const BEAT_MS = 5_000;

export interface Attached {
  /** Says that this process is alive. */
  beat(): void;
  leave(): void;
}

/** Takes the place of a role. @throws InterviewProblem when another living process has it */
export async function attach(
  root: string,
  { id, mode }: Pick<SessionHeader, 'id' | 'mode'>,
  role: Role,
  clock: Clock,
): Promise<Attached> {
  const path = pathOf(root, id, role);
  const own = (): string => JSON.stringify({ pid: process.pid, seenAtMs: clock.nowMs() });
  if (!takesPlace(path, own())) {
    const other = read(path);
    if (other !== null && isAlive(other, clock.nowMs())) {
      const invitation = mode === 'peer' ? ` To sit on the other side: npx kata interview --as ${otherOf(role)}` : '';
      throw new InterviewProblem(`${sayTaken(id, role, other.pid)}${invitation}`);
    }
    await keepFile(path, own());
  }
  return {
    beat: () => renew(path, own()),
    leave: () => {
      if (read(path)?.pid === process.pid) rmSync(path, { force: true });
    },
  };
}

/** Whether a living process other than this one has that place. */
export function isPresent(root: string, id: string, role: Role, nowMs: number): boolean {
  const found = read(pathOf(root, id, role));
  return found !== null && found.pid !== process.pid && isAlive(found, nowMs);
}

/** When somebody was last seen at the session, in ms; null when nobody left a sign. */
export function lastSeenMs(root: string, id: string): number | null {
  const seen = ROLES.flatMap((role) => read(pathOf(root, id, role))?.seenAtMs ?? []);
  return seen.length === 0 ? null : Math.max(...seen);
}

const pathOf = (root: string, id: string, role: Role): string => join(root, sessionPath(id), `${role}.lock`);

function takesPlace(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** A sign that cannot be given is not worth an interview: whatever matters says by itself that it was not kept. */
function renew(path: string, text: string): void {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, path);
  } catch {
    rmSync(draft, { force: true });
  }
}

function read(path: string): Presence | null {
  const parsed = presence.safeParse(parseJson(readText(path) ?? ''));
  return parsed.success ? parsed.data : null;
}

function isAlive({ pid, seenAtMs }: Presence, nowMs: number): boolean {
  if (nowMs - seenAtMs > SILENT_MS_MAX) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

const otherOf = (role: Role): Role => (role === 'candidate' ? 'interviewer' : 'candidate');

function sayTaken(id: string, role: Role, pid: number): string {
  return `The interview ${id} is open as ${role} in another terminal (process ${pid}). Go on there, or leave it there with q.`;
}
