// One session as a process sees it: its state, and the ways to change it.
import { join } from 'node:path';
import { keepFile } from '../course/keep-file.ts';
import type { Interview } from '../course/schema.ts';
import type { Clock } from './clock.ts';
import { type CurveballPlan, dueCurveball, planCurveballs } from './curveballs.ts';
import { type Happening, ROLES, type Role } from './events.ts';
import type { Guide } from './guide.ts';
import { addNote, beginNotes } from './notes.ts';
import { type Attached, attach, isPresent, lastSeenMs } from './presence.ts';
import {
  appendEvent,
  createFolder,
  type Journal,
  notesFile,
  readHeader,
  readJournal,
  readText,
  type SESSION_FILES,
  type SessionHeader,
  sessionPath,
} from './session-folder.ts';
import { INITIAL, reduce, type SessionState } from './session-state.ts';

export interface SessionSetting {
  readonly root: string;
  readonly guide: Guide;
  /** The interview part of the kata's rubric. */
  readonly script: Interview;
  readonly clock: Clock;
  readonly role: Role;
}

/** Begins a session. The clock waits for `started`. @throws CannotKeepFile */
export async function beginSession(
  setting: SessionSetting,
  facts: Pick<SessionHeader, 'kata' | 'minutes' | 'mode' | 'seed'>,
): Promise<Session> {
  const startedAt = new Date(setting.clock.nowMs()).toISOString();
  const made = await createFolder(setting.root, { ...facts, startedAt });
  return openSession(setting, made.id);
}

/**
 * Goes on with a session. If it ended without a word, its clock is stopped where somebody was last seen.
 * @throws InterviewProblem when it is damaged, or this role is taken
 */
export async function openSession(setting: SessionSetting, id: string): Promise<Session> {
  const { root, clock, role } = setting;
  const made = readHeader(root, id);
  const seenMs = lastSeenMs(root, id);
  const isAlone = ROLES.every((other) => other === role || !isPresent(root, id, other, clock.nowMs()));
  const place = await attach(root, made, role, clock);
  const session = new Session(setting, made, place);
  if (isAlone) session.stopIfKilled(seenMs);
  await session.beginNotes();
  return session;
}

export class Session {
  readonly header: SessionHeader;
  readonly role: Role;
  readonly guide: Guide;
  readonly script: Interview;
  readonly curveballs: CurveballPlan;
  readonly clock: Clock;
  readonly #root: string;
  readonly #place: Attached;
  #state: SessionState = INITIAL;
  #events: Journal['events'] = [];
  /** Notes are added one after another: each reads what the one before it wrote. */
  #writing: Promise<void> = Promise.resolve();
  /** Lines of the journal that a cut write left behind. */
  unreadable = 0;

  constructor({ root, guide, script, clock, role }: SessionSetting, made: SessionHeader, place: Attached) {
    this.header = made;
    this.role = role;
    this.guide = guide;
    this.script = script;
    this.clock = clock;
    this.curveballs = planCurveballs(guide, script, made.minutes, made.seed);
    this.#root = root;
    this.#place = place;
    this.look();
  }

  get state(): SessionState {
    return this.#state;
  }

  get events(): Journal['events'] {
    return this.#events;
  }

  /** Path of one of its files, from the course's root. */
  file(name: string): string {
    return `${sessionPath(this.header.id)}/${name}`;
  }

  get notesPath(): string {
    return join(this.#root, this.file(notesFile(this.role)));
  }

  /** Reads what others have added. */
  look(): void {
    const { events, unreadable } = readJournal(this.#root, this.header.id);
    this.#events = events;
    this.unreadable = unreadable;
    this.#state = events.reduce(reduce, INITIAL);
  }

  /** Writes an event, then shows its effect. Without effect it is not written. @throws CannotKeepFile */
  record(happening: Happening): SessionState {
    this.look();
    const event = { atMs: this.clock.nowMs(), by: this.role, ...happening };
    if (reduce(this.#state, event) === this.#state) return this.#state;
    appendEvent(this.#root, this.header.id, event);
    this.look();
    return this.#state;
  }

  /** Throws the curveball that is due, if one is. */
  throwDue(): void {
    const due = dueCurveball(this.curveballs, this.#state, this.clock.nowMs());
    if (due !== null) this.record({ kind: 'curveball', ...due });
  }

  /** Adds a note to the journal at once, then to the notes under its phase. */
  async note(text: string): Promise<void> {
    const { phase } = this.#state;
    this.record({ kind: 'noted', text });
    const written = this.#writing.then(() => keepFile(this.notesPath, addNote(this.guide, this.notes(), phase, text)));
    // One that could not be written must not hold up the next.
    this.#writing = written.catch(() => undefined);
    await written;
  }

  /** The notes of a role as they are on disk. */
  notes(role: Role = this.role): string {
    return readText(join(this.#root, this.file(notesFile(role)))) ?? beginNotes(this.guide, this.header, role);
  }

  /** Keeps a text beside the session. @throws CannotKeepFile */
  async keep(name: (typeof SESSION_FILES)[keyof typeof SESSION_FILES], text: string): Promise<void> {
    await keepFile(join(this.#root, this.file(name)), text);
  }

  /** Says that somebody is here: after a kill the clock stops at the last such sign. */
  beat(): void {
    this.#place.beat();
  }

  /** Stops the clock if nobody else is there, and gives the place free. The session stays open. */
  leave(): void {
    const others = ROLES.filter((role) => role !== this.role);
    const isLast = others.every((role) => !isPresent(this.#root, this.header.id, role, this.clock.nowMs()));
    if (isLast) this.record({ kind: 'paused', why: 'left' });
    this.#place.leave();
  }

  async beginNotes(): Promise<void> {
    if (readText(this.notesPath) === null) await keepFile(this.notesPath, this.notes());
  }

  /** Whoever killed the process left no word: the clock stops where it was last seen to run. */
  stopIfKilled(seenMs: number | null): void {
    if (this.#state.status !== 'running') return;
    const lastEventMs = this.#events.at(-1)?.atMs ?? 0;
    this.record({ kind: 'paused', why: 'killed', sinceMs: Math.max(lastEventMs, seenMs ?? 0) });
  }
}
