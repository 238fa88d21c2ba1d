// A session in a temporary folder, with a clock that goes where a test tells it to.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interview } from '../../course/schema.ts';
import { createSetClock, type SetClock } from '../clock.ts';
import type { GradeEvidence, Role } from '../events.ts';
import { type Guide, loadGuide, SCORE_DIMENSIONS } from '../guide.ts';
import { beginSession, openSession, type Session } from '../session.ts';
import type { SessionHeader } from '../session-folder.ts';

export const START_MS = Date.parse('2026-03-02T09:00:00.000Z');
export const MINUTE_MS = 60_000;

export const SCRIPT = interview.parse({
  family: 'queue',
  opening: 'Saving must feel instant. How?',
  clarifications: [{ ask: 'How large is a note?', answer: 'A line of text.' }],
  followUps: [
    {
      ask: 'And then?',
      mid: 'Sends again.',
      senior: 'With a key.',
      staff: 'Counts keys.',
      answer: 'It is sent again.',
    },
  ],
  curveballs: [
    { say: 'The disk is full.', answer: 'Then it says so.' },
    { say: 'The app is killed.', answer: 'It goes on.' },
  ],
  redFlags: ['Keeps it in memory only.'],
  signals: { mid: 'Retries.', senior: 'Backs off.', staff: 'Measures.' },
  model: {
    requirements: 'Notes survive.',
    highLevel: 'A disk and a sender.',
    deepDive: 'Kill it.',
    tradeOffs: 'One value.',
  },
});

export interface Stage {
  readonly root: string;
  readonly clock: SetClock;
  readonly guide: Guide;
  begin(facts?: Partial<Pick<SessionHeader, 'minutes' | 'mode' | 'seed'>> & { readonly role?: Role }): Promise<Session>;
  /** Another process that goes on with the session. */
  reopen(id: string, role?: Role): Promise<Session>;
  /** Lets time pass, a second at a time, as a terminal does. */
  pass(session: Session, minutes: number): void;
  remove(): void;
}

export async function createStage(): Promise<Stage> {
  const root = mkdtempSync(join(tmpdir(), 'kata interview '));
  const clock = createSetClock(START_MS);
  const guide = await loadGuide();
  const settingOf = (role: Role) => ({ root, guide, script: SCRIPT, clock, role });
  return {
    root,
    clock,
    guide,
    begin: ({ minutes = 45, mode = 'alone', seed = 1, role = 'candidate' } = {}) =>
      beginSession(settingOf(role), { kata: { slug: 'tiny', title: 'Tiny kata', version: 1 }, minutes, mode, seed }),
    reopen: (id, role = 'candidate') => openSession(settingOf(role), id),
    pass(session, minutes) {
      const untilMs = clock.nowMs() + minutes * MINUTE_MS;
      while (clock.nowMs() < untilMs) {
        clock.moveTo(Math.min(untilMs, clock.nowMs() + 1000));
        session.throwDue();
      }
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Goes through all phases, then gives every dimension that score. */
export function playThrough(session: Session, score = 3): void {
  session.record({ kind: 'started' });
  for (const { id } of session.guide.phases) session.record({ kind: 'advanced', from: id, how: 'next' });
  scoreAll(session, score);
}

export function scoreAll(session: Session, score = 3): void {
  for (const dimension of SCORE_DIMENSIONS)
    session.record({ kind: 'scored', dimension, score, evidence: `saw ${dimension}` });
}

type Criterion = GradeEvidence['criteria'][number];

export const criterion = (traits: Partial<Criterion> = {}): Criterion => ({
  id: 'keeps',
  title: 'Keeps what is saved',
  dimension: 'consistency',
  level: 'mid',
  points: 10,
  earned: 10,
  ...traits,
});

export const gradeOf = (criteria: readonly Criterion[], traits: Partial<GradeEvidence> = {}): GradeEvidence => ({
  score: 80,
  bar: 70,
  band: 'mid',
  status: 'passed',
  criteria: [...criteria],
  brokenInvariants: [],
  ...traits,
});
