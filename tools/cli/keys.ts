// Single keys from a terminal, without Enter.
import { emitKeypressEvents } from 'node:readline';

export interface Keys {
  /** Stops listening and gives the terminal back as it was. */
  close(): void;
}

interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly sequence?: string;
}

/** Calls `pressed` with each key's letter, in lower case. Ctrl-C and Ctrl-D are `q`; both end, neither is lost. */
export function listenToKeys(pressed: (key: string) => void, stdin: NodeJS.ReadStream = process.stdin): Keys {
  emitKeypressEvents(stdin);
  const listener = (_text: string | undefined, { name, ctrl, sequence }: Key) => {
    if (ctrl) {
      if (name === 'c' || name === 'd') pressed('q');
      return;
    }
    pressed((name ?? sequence ?? '').toLowerCase());
  };
  stdin.setRawMode(true);
  stdin.resume();
  stdin.on('keypress', listener);
  return {
    close() {
      stdin.off('keypress', listener);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
