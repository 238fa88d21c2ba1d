// A session on disk: `.kata/interviews/<id>/` with its header, journal and notes.
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CannotKeepFile, codeOf, keepFile, reasonOf } from '../course/keep-file.ts';
import { type Role, type SessionEvent, sessionEvent } from './events.ts';
import { InterviewProblem } from './interview-problem.ts';

const header = z.object({
  schemaVersion: z.literal(1),
  id: z.string(),
  kata: z.object({ slug: z.string(), title: z.string(), version: z.number().int() }),
  minutes: z.union([z.literal(45), z.literal(60)]),
  mode: z.enum(['alone', 'peer']),
  seed: z.number().int(),
  /** ISO text, UTC. */
  startedAt: z.string(),
});

/** What a session is: written once, when it begins. */
export type SessionHeader = z.infer<typeof header>;

export interface Journal {
  readonly events: readonly SessionEvent[];
  /** Lines that could not be read: the end of a write that was cut off. */
  readonly unreadable: number;
}

/** Where sessions are, from the course's root. */
export const INTERVIEWS = '.kata/interviews';
const ID = /^[\w-]+$/;

/** Path of a session's folder, from the course's root. */
export const sessionPath = (id: string): string => `${INTERVIEWS}/${id}`;

/** Names of a session's files, within its folder. */
export const SESSION_FILES = {
  header: 'session.json',
  journal: 'journal.jsonl',
  candidate: 'notes.md',
  interviewer: 'interviewer.md',
  grade: 'grade.json',
  scorecard: 'scorecard.json',
  scorecardText: 'scorecard.md',
  beside: 'beside.md',
} as const;

/** Each role has notes of its own. */
export const notesFile = (role: Role): string => SESSION_FILES[role];

/** Makes a session's folder. Its id begins with its time; two in the same second get two. */
export async function createFolder(
  root: string,
  facts: Omit<SessionHeader, 'id' | 'schemaVersion'>,
): Promise<SessionHeader> {
  const stem = `${facts.startedAt.slice(0, 19).replaceAll(':', '').replace('T', '-')}-${facts.kata.slug}`;
  const id = takeFolder(root, stem);
  const made: SessionHeader = { schemaVersion: 1, id, ...facts };
  await keepFile(join(root, sessionPath(id), SESSION_FILES.header), `${JSON.stringify(made, null, 2)}\n`);
  return made;
}

function takeFolder(root: string, stem: string): string {
  try {
    mkdirSync(join(root, INTERVIEWS), { recursive: true });
    for (let n = 1; ; n += 1) {
      const id = n === 1 ? stem : `${stem}-${n}`;
      if (takes(join(root, sessionPath(id)))) return id;
    }
  } catch (error) {
    throw new CannotKeepFile(join(INTERVIEWS, stem), error);
  }
}

function takes(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Ids of all sessions, oldest first; whole or not. */
export function sessionIds(root: string): string[] {
  try {
    return readdirSync(join(root, INTERVIEWS), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && ID.test(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}

/** The header of a session. @throws InterviewProblem when there is none, or it was cut or edited */
export function readHeader(root: string, id: string): SessionHeader {
  const folder = sessionPath(id);
  const text = readText(join(root, folder, SESSION_FILES.header));
  if (!ID.test(id) || (text === null && !sessionIds(root).includes(id))) {
    const known = sessionIds(root);
    const advice = known.length === 0 ? 'There is none yet.' : `There are: ${known.slice(-5).join(', ')}.`;
    throw new InterviewProblem(`There is no interview ${id}. ${advice}`);
  }
  const parsed = header.safeParse(parseJson(text ?? ''));
  if (parsed.success && parsed.data.id === id) return parsed.data;
  throw new InterviewProblem(
    `${folder}/session.json cannot be read: it was cut or edited. Your notes are whole in ${folder}/notes.md, and what happened is in ${folder}/journal.jsonl. Begin a new one: npx kata interview`,
    'damaged',
  );
}

/** All that has happened in a session, in the order in which it was written. */
export function readJournal(root: string, id: string): Journal {
  const text = readText(join(root, sessionPath(id), SESSION_FILES.journal)) ?? '';
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const events = lines.flatMap((line) => {
    const parsed = sessionEvent.safeParse(parseJson(line));
    return parsed.success ? [parsed.data] : [];
  });
  return { events, unreadable: lines.length - events.length };
}

/**
 * Adds a line to the journal, and has it on disk when it returns. Two processes may add at once: each line is one
 * write at the file's end. @throws CannotKeepFile
 */
export function appendEvent(root: string, id: string, event: SessionEvent): void {
  const path = join(root, sessionPath(id), SESSION_FILES.journal);
  try {
    const isCut = !/(?:^|\n)$/.test(readText(path) ?? '');
    const file = openSync(path, 'a');
    try {
      writeSync(file, `${isCut ? '\n' : ''}${JSON.stringify(event)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new CannotKeepFile(path, error);
  }
}

/** Text of a file; null when it is not there. @throws InterviewProblem when it is there and cannot be read */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return null;
    throw new InterviewProblem(`Could not read ${path}: ${reasonOf(error)}`, 'damaged');
  }
}

/** The data of a JSON text; undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
