// Sessions there have been: which is open, and what came of the others.
import { join } from 'node:path';
import type { SessionEvent } from './events.ts';
import { type Scorecard, scorecard } from './scorecard.ts';
import {
  parseJson,
  readHeader,
  readJournal,
  readText,
  SESSION_FILES,
  type SessionHeader,
  sessionIds,
  sessionPath,
} from './session-folder.ts';
import { INITIAL, reduce, type SessionState } from './session-state.ts';

export interface PastSession {
  readonly header: SessionHeader;
  readonly state: SessionState;
  readonly events: readonly SessionEvent[];
  /** Null while it is open, or was dropped. */
  readonly scorecard: Scorecard | null;
}

/** All sessions that can be read, oldest first. One that was damaged never hides the others. */
export function pastSessions(root: string): PastSession[] {
  return sessionIds(root)
    .flatMap((id) => readSession(root, id) ?? [])
    .sort((a, b) => a.header.startedAt.localeCompare(b.header.startedAt));
}

function readSession(root: string, id: string): PastSession | null {
  try {
    const { events } = readJournal(root, id);
    const state = events.reduce(reduce, INITIAL);
    return { header: readHeader(root, id), state, events, scorecard: readScorecard(root, id) };
  } catch {
    return null;
  }
}

/** Sessions that are neither scored nor dropped, oldest first. */
export function openSessions(root: string): PastSession[] {
  return pastSessions(root).filter(({ state, scorecard: result }) => result === null && state.status !== 'dropped');
}

/** The result of a session; null without one, or when it cannot be read. */
export function readScorecard(root: string, id: string): Scorecard | null {
  const text = readText(join(root, sessionPath(id), SESSION_FILES.scorecard));
  const parsed = scorecard.safeParse(parseJson(text ?? ''));
  return parsed.success ? parsed.data : null;
}
