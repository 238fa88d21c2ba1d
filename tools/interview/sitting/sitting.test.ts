import { rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CannotKeepFile } from '../../course/keep-file.ts';
import { passedReport } from '../../grader/render/sample-report.ts';
import { PHASE_IDS } from '../guide.ts';
import type { Session } from '../session.ts';
import { createStage, MINUTE_MS, playThrough, type Stage } from '../testing/stage.ts';
import { openDraft } from './draft.ts';
import type { KeyPress } from './keyboard.ts';
import { type Ended, type SittingMeans, sit } from './sitting.ts';

let stage: Stage;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  stage = await createStage();
});
const opened: Terminal[] = [];
afterEach(async () => {
  for (const terminal of opened.splice(0)) await terminal.close();
  vi.useRealTimers();
  stage.remove();
});

/** A terminal that a test types on and reads. */
class Terminal {
  shown = '';
  width = 60;
  rows = 40;
  #pressed: ((key: KeyPress) => void) | null = null;
  end: Promise<Ended> = Promise.resolve('left');
  readonly #session: Session;

  constructor(session: Session, means: Partial<SittingMeans> = {}) {
    this.#session = session;
    this.#means = means;
  }
  readonly #means: Partial<SittingMeans>;

  open(): this {
    const terminal = this;
    opened.push(this);
    const session = this.#session;
    this.end = sit(session, {
      keyboard: {
        listen: (pressed) => {
          this.#pressed = pressed;
          return () => {
            this.#pressed = null;
          };
        },
      },
      screen: {
        get look() {
          return { width: terminal.width, colour: false };
        },
        get rows() {
          return terminal.rows;
        },
        show: (lines) => {
          terminal.shown = lines.join('\n');
        },
        leave: () => {
          terminal.shown = '(left)';
        },
      },
      draft: openDraft(stage.root, session.header.id, session.role),
      edit: null,
      code: null,
      grade: () => Promise.resolve(null),
      ...this.#means,
    });
    return this;
  }

  /** Presses keys one after another and waits until what they did is done. */
  async press(...names: string[]): Promise<void> {
    for (const name of names) {
      const isLetter = [...name].length === 1;
      this.#pressed?.({ name: name.toLowerCase(), text: isLetter ? name : '', ctrl: false });
      await turns(30);
    }
  }

  async ctrl(name: string): Promise<void> {
    this.#pressed?.({ name, text: '', ctrl: true });
    await turns(30);
  }

  async type(text: string): Promise<void> {
    await this.press(...text);
    await this.press('return');
    await until(() => !this.shown.includes('Enter keeps it'));
  }

  async close(): Promise<void> {
    await this.ctrl('c');
    await this.end.catch(() => undefined);
  }

  /** Lets minutes go by. */
  pass(minutes: number): void {
    const seconds = Math.round(minutes * 60);
    for (let n = 0; n < seconds; n += 1) {
      stage.clock.moveTo(stage.clock.nowMs() + 1000);
      vi.advanceTimersByTime(1000);
    }
  }
}

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits for the disk, however slow it is, by asking it for something else. */
async function until(holds: () => boolean): Promise<void> {
  for (let n = 0; n < 20_000 && !holds(); n += 1) await readdir(stage.root);
  expect(holds()).toBe(true);
}

const begin = async (means: Partial<SittingMeans> = {}, facts: Parameters<Stage['begin']>[0] = {}) => {
  const session = await stage.begin(facts);
  return { session, terminal: new Terminal(session, means).open() };
};

test('leads through all phases, then through nine scores, to the end', async () => {
  const { session, terminal } = await begin();

  await terminal.press('s', 'n', 'n', 'n', 'n', 'n', 'n');
  for (const id of stage.guide.dimensions.map((dimension) => dimension.id)) {
    await terminal.press('3');
    await terminal.type(`saw ${id}`);
  }

  expect(await terminal.end).toBe('scored');
  expect(session.state.scores.candidate.security).toEqual({ score: 3, evidence: 'saw security' });
});

test('says in words that the last fifth has begun, and that it is over', async () => {
  const { terminal } = await begin();
  await terminal.press('s');

  terminal.pass(1.5);
  expect(terminal.shown).toContain('· 0:30 left of 2:00');
  terminal.pass(0.2);
  expect(terminal.shown).toContain('! last fifth: 0:18 left of 2:00');
  terminal.pass(1);
  expect(terminal.shown).toContain('✗ over by 0:42, planned were 2:00');
});

test.each([
  ['before the clock has begun', [], ['s', 'i', 'q'], ['n', 'p', 'b', 'c', 'a', '3']],
  ['in the first phase', ['s'], ['n', 'x', 'p', 'a', 'i', 'q'], ['b', 'c', 'u', 's', '3']],
  ['while it is paused', ['s', 'p'], ['p', 'i', 'q'], ['n', 'x', 'b', 'a', '3']],
] as const)('offers and hears only what makes sense %s', async (_, before, offered, deaf) => {
  const { session, terminal } = await begin();
  await terminal.press(...before);
  const keys = (terminal.shown.split('\n\n').at(-1) ?? '')
    .replaceAll('\n', ' ')
    .split(' · ')
    .map((offer) => offer.charAt(0));

  const events = session.events.length;
  const shown = terminal.shown;
  await terminal.press(...deaf);

  expect(keys).toEqual(offered);
  expect(session.events.length).toBe(events);
  expect(terminal.shown).toBe(shown);
});

test('ticks and unticks questions by letter', async () => {
  const { session, terminal } = await begin();
  await terminal.press('s', 'n', 'a', 'a', 'c', 'a', 'return');

  expect(Object.keys(session.state.asked)).toEqual(['users']);
  expect(terminal.shown).toContain('✓ Users, asked at 0:00');
});

test('keeps a half-typed line through a kill, and offers it again', async () => {
  const { session, terminal } = await begin();
  await terminal.press('s', 'i', ...'key in enq');
  await openDraftSettled(session);
  rmSync(join(stage.root, session.file('candidate.lock')));

  const again = new Terminal(await stage.reopen(session.header.id)).open();
  await turns(5);

  expect(again.shown).toContain('Note: key in enq');
  await again.type('ueue');
  expect(session.notes()).toContain('- key in enqueue');
});

/** The write of the last key is on disk. */
async function openDraftSettled(session: Session): Promise<void> {
  await until(() => openDraft(stage.root, session.header.id, 'candidate').read('note')?.text === 'key in enq');
}

test('keeps a note that was put aside apart from the evidence of a score', async () => {
  const session = await stage.begin();
  playThrough(session, 2);
  session.record({ kind: 'unscored', dimension: 'communication' });
  openDraft(stage.root, session.header.id, 'candidate').keep({ purpose: 'note', text: 'half a note' });
  await until(() => openDraft(stage.root, session.header.id, 'candidate').read('note') !== null);
  const terminal = new Terminal(session).open();

  await terminal.press('escape', '2');
  await terminal.type('spoke well');

  expect(await terminal.end).toBe('scored');
  expect(session.state.scores.candidate.communication?.evidence).toBe('spoke well');
  expect(session.notes()).toContain('- half a note');
});

test('hears letters as text while a note is typed', async () => {
  const { session, terminal } = await begin();
  await terminal.press('s', 'i');

  await terminal.press('n', 'q', 'x', 'backspace', '!');
  await terminal.press('return');
  await until(() => session.notes().includes('- nq!'));

  expect(session.state.phase).toBe('intro');
});

test('asks for evidence when a score has none, and takes the grade’s when there is one', async () => {
  const { session, terminal } = await begin({
    code: () => Promise.resolve(),
    grade: () => Promise.resolve(passedReport),
  });
  await terminal.press('s', 'n', 'n', 'n', 'c', 'n');
  await until(() => session.state.phase === 'trade-offs');
  await terminal.press('n', 'n', '2', 'return');
  expect(terminal.shown).toContain('a score needs its evidence.');

  await terminal.type('asked two things');
  for (const _ of ['architecture', 'api']) {
    await terminal.press('2');
    await terminal.type('some');
  }
  await terminal.press('3', 'return');

  expect(session.state.scores.candidate.mobile?.evidence).toMatch(/^Grade \d+/);
});

test('stops the clock while it grades, and goes on when there is nothing to grade', async () => {
  const grade = vi.fn(async () => {
    stage.clock.moveTo(stage.clock.nowMs() + 3 * MINUTE_MS);
    return null;
  });
  const { session, terminal } = await begin({ code: () => Promise.resolve(), grade });
  await terminal.press('s', 'n', 'n', 'n', 'c');
  terminal.pass(1);

  await terminal.press('n');
  await until(() => session.state.phase === 'trade-offs');

  expect(grade).toHaveBeenCalledOnce();
  expect(terminal.shown).toContain('could not be graded');
  expect(session.state.spentMs['deep-dive']).toBe(MINUTE_MS);
});

test('throws curveballs by itself in the deep dive', async () => {
  const { session, terminal } = await begin();
  await terminal.press('s', 'n', 'n', 'n');

  terminal.pass(20);

  expect(session.state.thrown).toHaveLength(2);
  expect(terminal.shown).toContain(`! Curveball at`);
});

test('shows the script to an interviewer and not to the candidate', async () => {
  const { session, terminal } = await begin({}, { mode: 'peer', role: 'interviewer' });
  terminal.rows = 200;
  const other = new Terminal(await stage.reopen(session.header.id, 'candidate'));
  other.rows = 200;
  other.open();

  await terminal.press('s', 'n', 'n');
  other.pass(0.1);

  for (const secret of ['And then?', 'With a key.', 'Keeps it in memory only.', 'Backs off.']) {
    expect(terminal.shown).toContain(secret);
    expect(other.shown).not.toContain(secret);
  }
  expect(other.shown).toContain('Phase 3 of 6');
});

test('leaves the clock to the interviewer', async () => {
  const { session, terminal } = await begin({}, { mode: 'peer', role: 'interviewer' });
  const candidate = new Terminal(await stage.reopen(session.header.id, 'candidate')).open();
  await terminal.press('s');
  candidate.pass(0.1);

  await candidate.press('n', 'p');

  session.look();
  expect(session.state).toMatchObject({ phase: 'intro', status: 'running' });
});

test('gives the terminal to the editor and takes it back, saying what went wrong', async () => {
  const { terminal } = await begin({
    edit: () => Promise.resolve('The editor “nano” could not be used: it was not found.'),
  });

  await terminal.press('e');

  expect(terminal.shown).toContain('could not be used: it was not found.');
  await terminal.press('s');
  expect(terminal.shown).toContain('Phase 1 of 6');
});

test('takes the last score back', async () => {
  const session = await stage.begin();
  playThrough(session, 2);
  session.record({ kind: 'unscored', dimension: 'communication' });
  const terminal = new Terminal(session).open();

  await terminal.press('b');

  expect(terminal.shown).toContain('8 of 9: Quality, rollout, observability');
});

test.each([
  ['c', 'interrupted'],
  ['d', 'left'],
])('leaves at Ctrl-%s with everything kept', async (key, how) => {
  const { session, terminal } = await begin();
  await terminal.press('s', 'i', 'h', 'i');

  await terminal.ctrl(key);

  expect(await terminal.end).toBe(how);
  expect(terminal.shown).toBe('(left)');
  expect(openDraft(stage.root, session.header.id, 'candidate').read('note')?.text).toBe('hi');
});

test('says what could not be kept, and keeps the line that was typed until it can be', async () => {
  const { session, terminal } = await begin();
  await terminal.press('s', 'i', 'h', 'i');
  const full = vi.spyOn(session, 'record').mockImplementation(() => {
    throw new CannotKeepFile('journal.jsonl', Object.assign(new Error(), { code: 'ENOSPC' }));
  });
  await terminal.press('return');
  const shown = terminal.shown;
  full.mockRestore();

  await terminal.press('return');

  expect(shown).toMatch(/the disk is full\.[\s\S]*Note: hi/);
  await until(() => session.notes().includes('- hi'));
});

test('ends with a fault of its own, not in silence', async () => {
  const { session, terminal } = await begin();
  vi.spyOn(session, 'record').mockImplementation(() => {
    throw new Error('out of order');
  });
  const failed = expect(terminal.end).rejects.toThrow('out of order');

  await terminal.press('s');

  await failed;
});

test.each([
  [40, 20],
  [60, 24],
  [100, 50],
])('fits into %i columns and %i rows in every phase', async (width, rows) => {
  const { terminal } = await begin({}, { mode: 'peer', role: 'interviewer' });
  Object.assign(terminal, { width, rows });
  const screens: string[] = [];
  for (const _ of ['waiting', ...PHASE_IDS, 'scoring']) {
    terminal.pass(0.1);
    screens.push(terminal.shown);
    await terminal.press('s', 'n');
  }

  const lines = screens.map((screen) => screen.split('\n'));
  expect(lines.flat().filter((line) => line.length > width)).toEqual([]);
  expect(lines.map((list) => list.length).filter((count) => count > rows)).toEqual([]);
});

test('keeps to a window that is too low for all of it, with the keys in sight', async () => {
  const { terminal } = await begin();
  terminal.rows = 8;

  await terminal.press('s', 'n');

  expect(terminal.shown.split('\n').length).toBeLessThanOrEqual(8);
  expect(terminal.shown).toContain('q leave');
});

test('reads on in what is longer than the screen', async () => {
  const { terminal } = await begin({}, { mode: 'peer', role: 'interviewer' });
  terminal.rows = 20;
  await terminal.press('s', 'n');
  const first = terminal.shown;

  await terminal.press('j');
  expect(terminal.shown).not.toBe(first);
  await terminal.press('k');
  expect(terminal.shown).toBe(first);
});
