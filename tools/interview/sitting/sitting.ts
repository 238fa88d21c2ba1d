// A person at a terminal with a session: keys become events, events become a screen. The engine is elsewhere.

import { CannotKeepFile } from '../../course/keep-file.ts';
import type { Report } from '../../grader/report.ts';
import { nextCurveball } from '../curveballs.ts';
import { gradeIfDue } from '../grade-due.ts';
import { SCORE_DIMENSIONS } from '../guide.ts';
import { BEAT_MS } from '../presence.ts';
import type { Session } from '../session.ts';
import { hasAllScores } from '../session-state.ts';
import type { Draft } from './draft.ts';
import type { Keyboard, KeyPress } from './keyboard.ts';
import { type Drawn, drawScreen } from './render-screen.ts';
import type { Screen } from './screen.ts';
import { Typist } from './typist.ts';
import { type Action, askKey, FIRST_VIEW, type Means, type Offer, offersFor, type View } from './view.ts';

export interface SittingMeans {
  readonly keyboard: Keyboard;
  readonly screen: Screen;
  readonly draft: Draft;
  /** Opens the notes in the person's editor; null without one. Gives a sentence when it failed. */
  readonly edit: (() => Promise<string | null>) | null;
  /** Lets the person code the kata and comes back when they are done; null where that cannot be. */
  readonly code: (() => Promise<void>) | null;
  /** Grades what was coded; null when there is nothing that could be graded. */
  readonly grade: () => Promise<Report | null>;
}

/** Reading on by arrows, too. */
const ARROWS: Readonly<Record<string, string>> = { down: 'j', up: 'k' };

/** How often the clock on the screen moves, in ms. */
const TICK_MS = 1000;

/** How a sitting ended. `interrupted`: left by Ctrl-C, which to a shell is another end. */
export type Ended = 'left' | 'interrupted' | 'scored';

/** Shows the session until the person leaves it or has scored it. What cannot be kept is said, and can be tried again. */
export async function sit(session: Session, means: SittingMeans): Promise<Ended> {
  return new Sitting(session, means).untilTheEnd();
}

class Sitting {
  readonly #session: Session;
  readonly #means: SittingMeans;
  readonly #typist: Typist;
  #view: View = FIRST_VIEW;
  #scrollMax = 0;
  /** While an editor, the kata or a grade has the terminal, nothing is drawn and no key is heard. */
  #isAway = false;
  #isOver = false;
  #deaf: (() => void) | null = null;
  /** One key after another: each sees what the one before it did. */
  #pressing: Promise<void> = Promise.resolve();
  #beats = 0;
  #finish: (how: Ended) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(session: Session, means: SittingMeans) {
    this.#session = session;
    this.#means = means;
    this.#typist = new Typist(session, means.draft);
    this.#view = { ...FIRST_VIEW, typing: this.#typist.atOpening() };
  }

  async untilTheEnd(): Promise<Ended> {
    const end = new Promise<Ended>((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    const timer = setInterval(() => this.#guard(() => this.#tick()), TICK_MS);
    this.#listen();
    this.#guard(() => this.#tick());
    try {
      const how = await end;
      if (how === 'scored') await this.#typist.keepWhatIsAside();
      return how;
    } finally {
      clearInterval(timer);
      this.#deaf?.();
      this.#means.screen.leave();
      await this.#means.draft.settled();
    }
  }

  /** From here on nothing is drawn: the terminal is somebody else's. */
  #end(how: Ended): void {
    this.#isOver = true;
    this.#finish(how);
  }

  #listen(): void {
    this.#deaf = this.#means.keyboard.listen((key) => {
      this.#pressing = this.#pressing.then(() => this.#press(key)).catch((error) => this.#sayNotKept(error));
    });
  }

  #guard(job: () => void): void {
    try {
      job();
    } catch (error) {
      this.#sayNotKept(error);
    }
  }

  /** A full disk ends no interview: what was typed is still on the screen, and the key can be pressed again. */
  #sayNotKept(error: unknown): void {
    if (error instanceof CannotKeepFile) {
      this.#look({ message: error.message });
      this.#draw();
    } else this.#fail(error);
  }

  #tick(): void {
    this.#beats += 1;
    if (this.#beats % (BEAT_MS / TICK_MS) === 0) this.#session.beat();
    this.#session.look();
    const { state, role } = this.#session;
    if (state.status === 'dropped') this.#end('left');
    if (hasAllScores(state, role)) this.#end('scored');
    if (this.#isAway) return;
    this.#session.throwDue();
    this.#draw();
  }

  #draw(): void {
    if (this.#isAway || this.#isOver) return;
    const wasLong = this.#view.isLong;
    const drawn = this.#lay();
    // The keys for reading on take room themselves: where they come or go, it is laid out once more.
    const { lines } = this.#view.isLong === wasLong ? drawn : this.#lay();
    this.#means.screen.show(lines);
  }

  #lay(): Drawn {
    const { look, rows } = this.#means.screen;
    const drawn = drawScreen(look, rows, this.#session, this.#view, this.#offers());
    this.#scrollMax = drawn.scrollMax;
    this.#view = { ...this.#view, isLong: drawn.isLong, scroll: Math.min(this.#view.scroll, drawn.scrollMax) };
    return drawn;
  }

  #offers(): Offer[] {
    return offersFor(this.#session, this.#view, {
      hasEditor: this.#means.edit !== null,
      canCode: this.#means.code !== null,
    } satisfies Means);
  }

  async #press(key: KeyPress): Promise<void> {
    if (this.#isAway || this.#isOver) return;
    if (key.ctrl && key.name === 'c') return this.#end('interrupted');
    if (key.ctrl && key.name === 'd') return this.#end('left');
    if (this.#view.typing !== null) this.#look({ ...(await this.#typist.press(key, this.#view.typing)) });
    else {
      const name = (this.#view.panel === 'main' ? ARROWS[key.name] : undefined) ?? key.name;
      const offer = this.#offers().find((one) => one.key === name);
      if (offer === undefined) return;
      this.#view = { ...this.#view, message: '' };
      await this.#act(offer.action, name);
    }
    this.#draw();
    if (hasAllScores(this.#session.state, this.#session.role)) this.#end('scored');
  }

  async #act(action: Action, key: string): Promise<void> {
    const session = this.#session;
    const { phase } = session.state;
    switch (action) {
      case 'start':
        session.record({ kind: 'started' });
        return;
      case 'next':
      case 'skip':
        return this.#advance(action);
      case 'back':
        session.record({ kind: 'went-back', from: phase });
        return this.#look({ scroll: 0 });
      case 'pause':
        session.record({ kind: 'paused', why: 'asked' });
        return;
      case 'resume':
        session.record({ kind: 'resumed' });
        return;
      case 'asks':
        return this.#look({ panel: 'asks', scroll: 0 });
      case 'close':
        return this.#look({ panel: 'main', scroll: 0 });
      case 'tick':
        return this.#tickAsk(key);
      case 'note':
        return this.#look({ typing: this.#typist.note() });
      case 'editor':
        return this.#edit();
      case 'code':
        return this.#code();
      case 'throw': {
        const next = nextCurveball(session.curveballs, session.state);
        if (next !== null) session.record({ kind: 'curveball', ...next });
        return;
      }
      case 'score':
        return this.#look({ typing: this.#typist.evidence(Number(key)), scroll: 0 });
      case 'unscore':
        return this.#unscore();
      case 'down':
      case 'up':
        return this.#scroll(action);
      case 'leave':
        return this.#end('left');
    }
  }

  #look(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
  }

  #scroll(way: 'down' | 'up'): void {
    const step = Math.max(1, Math.floor(this.#means.screen.rows / 3));
    const to = this.#view.scroll + (way === 'down' ? step : -step);
    this.#look({ scroll: Math.max(0, Math.min(this.#scrollMax, to)) });
  }

  #tickAsk(key: string): void {
    const ask = this.#session.guide.mustAsk.find((_, n) => askKey(n) === key)?.id;
    if (ask === undefined) return;
    this.#session.record({ kind: ask in this.#session.state.asked ? 'unasked' : 'asked', ask });
  }

  async #advance(how: 'next' | 'skip'): Promise<void> {
    const { phase } = this.#session.state;
    if (this.#session.state.isGradeDue && phase === 'deep-dive')
      await this.#away(async () => {
        await gradeIfDue(this.#session, this.#means.grade);
        this.#look({ message: sayGrade(this.#session) });
      });
    this.#session.record({ kind: 'advanced', from: phase, how });
    this.#look({ scroll: 0 });
  }

  /** Gives the terminal away and takes it back, whatever happens there. */
  async #away(job: () => Promise<void>): Promise<void> {
    this.#isAway = true;
    this.#deaf?.();
    this.#deaf = null;
    this.#means.screen.leave();
    try {
      await job();
    } finally {
      this.#isAway = false;
      if (!this.#isOver) this.#listen();
    }
  }

  async #edit(): Promise<void> {
    const { edit } = this.#means;
    if (edit === null) return;
    await this.#away(async () => {
      const failed = await edit();
      if (failed !== null) this.#look({ message: failed });
    });
  }

  async #code(): Promise<void> {
    const { code } = this.#means;
    if (code === null) return;
    this.#session.record({ kind: 'coding-began' });
    await this.#away(async () => {
      try {
        await code();
      } catch (error) {
        this.#look({ message: error instanceof Error ? error.message : String(error) });
      }
    });
    this.#session.record({ kind: 'coding-ended' });
  }

  #unscore(): void {
    const { state, role } = this.#session;
    const last = SCORE_DIMENSIONS.findLast((dimension) => state.scores[role][dimension] !== undefined);
    if (last !== undefined) this.#session.record({ kind: 'unscored', dimension: last });
  }
}

/** What came of the coding: the screen has covered what the grader said. */
function sayGrade({ state, header }: Session): string {
  const { isGradeDue, grade } = state;
  const isWhole = grade !== null && grade.status !== 'not-gradable' && grade.status !== 'incomplete';
  if (isGradeDue || !isWhole)
    return `What was coded could not be graded, so no score is suggested. To see why: npx kata grade ${header.kata.slug}`;
  return `Graded: ${Math.floor(grade.score * 10) / 10} of 100 (${grade.band.replace('-', ' ')}). It will be offered as evidence.`;
}
