// Lines that are typed key by key: notes, and the evidence of a score. What is put aside is offered again.
import { suggestScore } from '../grade-evidence.ts';
import type { Session } from '../session.ts';
import { nextToScore } from '../session-state.ts';
import type { Draft } from './draft.ts';
import type { KeyPress } from './keyboard.ts';
import type { Typing } from './view.ts';

/** What a key has led to. */
export interface Typed {
  /** Null once the line is kept or put aside. */
  readonly typing: Typing | null;
  readonly message: string;
}

export class Typist {
  readonly #session: Session;
  readonly #draft: Draft;

  constructor(session: Session, draft: Draft) {
    this.#session = session;
    this.#draft = draft;
  }

  /** What was being typed when the session was left. */
  atOpening(): Typing | null {
    const evidence = this.#draft.read('evidence');
    const { state, role } = this.#session;
    const fits =
      evidence?.purpose === 'evidence' && state.status === 'scoring' && nextToScore(state, role) === evidence.dimension;
    return fits ? evidence : this.#draft.read('note');
  }

  note(): Typing {
    return this.#draft.read('note') ?? { purpose: 'note', text: '' };
  }

  /** The evidence for a score of the dimension that comes next; null when all are scored. */
  evidence(score: number): Typing | null {
    const { state, role } = this.#session;
    const dimension = nextToScore(state, role);
    if (dimension === undefined) return null;
    const draft = this.#draft.read('evidence');
    const text = draft?.purpose === 'evidence' && draft.dimension === dimension ? draft.text : '';
    return { purpose: 'evidence', dimension, score, text };
  }

  async press(key: KeyPress, typing: Typing): Promise<Typed> {
    if (key.name === 'return' || key.name === 'enter') return this.#commit(typing);
    if (key.name === 'escape') return { typing: null, message: typing.text === '' ? '' : 'Put aside, not lost.' };
    const text = edited(typing.text, key);
    if (text !== typing.text) this.#draft.keep({ ...typing, text });
    return { typing: { ...typing, text }, message: '' };
  }

  /** Turns a note that was put aside into one that is kept. */
  async keepWhatIsAside(): Promise<void> {
    const aside = this.#draft.read('note');
    if (aside !== null) await this.#commit(aside);
    await this.#draft.settled();
  }

  async #commit(typing: Typing): Promise<Typed> {
    const written = typing.text.trim();
    if (typing.purpose === 'note') {
      if (written !== '') await this.#session.note(written);
    } else {
      const { dimension: id, score } = typing;
      const evidence = written === '' ? this.#suggested(id) : written;
      if (evidence === undefined) return { typing, message: 'Write what you saw or said: a score needs its evidence.' };
      this.#session.record({ kind: 'scored', dimension: id, score, evidence });
    }
    this.#draft.keep({ ...typing, text: '' });
    return { typing: null, message: '' };
  }

  #suggested(id: string): string | undefined {
    const dimension = this.#session.guide.dimensions.find((one) => one.id === id);
    return dimension && suggestScore(dimension, this.#session.state.grade)?.evidence;
  }
}

/** The text after a key: a letter more, one less, a word less, or none. */
function edited(text: string, { name, text: typed, ctrl }: KeyPress): string {
  if (name === 'backspace') return [...text].slice(0, -1).join('');
  if (ctrl && name === 'u') return '';
  if (ctrl && name === 'w') return text.replace(/\S*\s*$/, '');
  return text + typed;
}
