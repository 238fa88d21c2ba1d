// Real terminals for tests, driven through tmux.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, vi } from 'vitest';

const KATA = join(import.meta.dirname, '..', 'kata.js');

/** Whether there is a tmux; where there is none, `WHY_SKIPPED` stands behind a test's title. */
export const HAS_TMUX = spawnSync('tmux', ['-V']).status === 0;
export const WHY_SKIPPED = HAS_TMUX ? '' : ' (skipped: tmux is not installed)';

export interface Terminals {
  /** Opens a terminal of 60 columns that runs kata, and stays when it has ended. `env` as a shell takes it. */
  open(name: string, args: string, env?: string): void;
  /** What a terminal shows, wherever its lines break. */
  screen(name: string): string;
  /** Waits until the terminal shows it: how soon is the machine's affair. */
  sees(name: string, text: string | RegExp): Promise<void>;
  /** Presses keys by tmux's names. */
  press(name: string, ...keys: string[]): void;
  /** Types a text as it is. */
  type(name: string, text: string): void;
  close(): void;
}

/** Terminals in a course. Each has a server of its own: one that is just ending takes nobody in. */
export function openTerminals(root: string): Terminals {
  const socket = `kata-${process.pid}-${randomUUID().slice(0, 8)}`;
  const tmux = (...args: string[]): string => execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' });
  const screen = (name: string): string => tmux('capture-pane', '-p', '-t', name).replaceAll(/\s+/g, ' ');
  return {
    open(name, args, env = '') {
      const command = `cd '${root}'; NO_COLOR=1 ${env} '${process.execPath}' --no-warnings '${KATA}' ${args}; echo "ended with $?"; cat`;
      tmux('new-session', '-d', '-s', name, '-x', '60', '-y', '30', command);
    },
    screen,
    sees: (name, text) => vi.waitFor(() => expect(screen(name)).toMatch(text), { timeout: 60_000, interval: 100 }),
    press: (name, ...keys) => {
      tmux('send-keys', '-t', name, ...keys);
    },
    type: (name, text) => {
      tmux('send-keys', '-t', name, '-l', text);
    },
    close: () => {
      spawnSync('tmux', ['-L', socket, 'kill-server']);
    },
  };
}
