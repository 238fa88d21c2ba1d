// Key presses of a terminal, without Enter, as letters and as text that is typed.
import { emitKeypressEvents } from 'node:readline';

export interface KeyPress {
  /** Name of the key in lower case, such as `n`, `return`, `escape`, `backspace`, `up`. */
  readonly name: string;
  /** What it types; empty for keys that type nothing. */
  readonly text: string;
  readonly ctrl: boolean;
}

export interface Keyboard {
  /** Begins to listen; gives the function that ends it and leaves the terminal as it was. */
  listen(pressed: (key: KeyPress) => void): () => void;
}

/** A real terminal's keyboard. */
export function createKeyboard(stdin: NodeJS.ReadStream = process.stdin): Keyboard {
  return {
    listen(pressed) {
      emitKeypressEvents(stdin);
      const listener = (text: string | undefined, key: { name?: string; ctrl?: boolean; sequence?: string }) =>
        pressed(toPress(text, key));
      stdin.setRawMode(true);
      stdin.resume();
      stdin.on('keypress', listener);
      return () => {
        stdin.off('keypress', listener);
        stdin.setRawMode(false);
        stdin.pause();
      };
    },
  };
}

function toPress(
  text: string | undefined,
  { name, ctrl = false, sequence }: { name?: string; ctrl?: boolean; sequence?: string },
): KeyPress {
  const typed = ctrl || text === undefined || /^\p{Cc}/u.test(text) ? '' : text;
  return { name: (name ?? sequence ?? text ?? '').toLowerCase(), text: typed, ctrl };
}
