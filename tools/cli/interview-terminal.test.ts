// The interview on a real terminal, driven through tmux: keys without Enter, an editor, a kill, and going on.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeTinyCourse, type TinyCourse } from '../course/testing/tiny-course.ts';

const KATA = join(import.meta.dirname, 'kata.js');
const hasTmux = spawnSync('tmux', ['-V']).status === 0;
const why = hasTmux ? '' : ' (skipped: tmux is not installed)';

let course: TinyCourse;
const socket = `kata-${process.pid}`;
const tmux = (...args: string[]): string => execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' });

beforeEach(() => {
  course = makeTinyCourse();
  course.add('tiny');
});
afterEach(() => {
  spawnSync('tmux', ['-L', socket, 'kill-server']);
  course.remove();
});

/** Opens a terminal that runs kata, and stays when it has ended. */
function open(name: string, args: string, env = ''): void {
  const command = `cd '${course.root}'; NO_COLOR=1 ${env} '${process.execPath}' --no-warnings '${KATA}' ${args}; echo "ended with $?"; cat`;
  tmux('new-session', '-d', '-s', name, '-x', '60', '-y', '30', command);
}
/** What the terminal shows, wherever its lines break. */
const screen = (name: string): string => tmux('capture-pane', '-p', '-t', name).replaceAll(/\s+/g, ' ');
/** The screen shows it, sooner or later: how soon is the machine's affair. */
const sees = (name: string, text: string | RegExp): Promise<void> =>
  vi.waitFor(() => expect(screen(name)).toMatch(text), { timeout: 60_000, interval: 100 });
const press = (name: string, ...keys: string[]): void => {
  tmux('send-keys', '-t', name, ...keys);
};
const folder = (): string => join(course.root, '.kata/interviews');
const read = (file: string): string => readFileSync(join(folder(), readdirSync(folder())[0] ?? '', file), 'utf8');

test.runIf(hasTmux)(
  `keeps a half-typed note through kill -9 and goes on where it was${why}`,
  { timeout: 180_000 },
  async () => {
    open('one', 'interview tiny --seed 1');
    await sees('one', 'The clock has not begun');
    press('one', 's');
    await sees('one', 'Phase 1 of 6');
    press('one', 'n');
    await sees('one', 'Phase 2 of 6');
    press('one', 'i');
    await sees('one', 'Enter keeps it');
    tmux('send-keys', '-t', 'one', '-l', 'never lost');
    await sees('one', 'Note: never lost');
    await vi.waitFor(() => expect(read('draft-candidate.json')).toContain('never lost'), { timeout: 60_000 });

    process.kill((JSON.parse(read('candidate.lock')) as { pid: number }).pid, 'SIGKILL');
    await sees('one', 'ended with 137');
    open('two', 'interview --resume');
    await sees('two', 'Note: never lost');
    press('two', 'Enter');
    await sees('two', 'paused, ');
    press('two', 'p');
    await sees('two', /Phase 2 of 6: Task and requirements · \d:\d\d left of 6:00/);

    expect(read('notes.md')).toContain('- never lost');
  },
);

test.runIf(hasTmux)(
  `opens the editor on the notes, and is left at Ctrl-C with all kept${why}`,
  { timeout: 180_000 },
  async () => {
    course.write('editor.sh', '#!/bin/sh\necho "written in my editor" >> "$1"\n');
    chmodSync(join(course.root, 'editor.sh'), 0o755);
    open('one', 'interview tiny', `EDITOR="'${course.root}/editor.sh'"`);
    await sees('one', 'e edit notes');

    press('one', 'e');
    await vi.waitFor(() => expect(read('notes.md')).toContain('written in my editor'), { timeout: 60_000 });
    await sees('one', 's start the clock');
    press('one', 'C-c');
    await sees('one', 'ended with 0');

    expect(screen('one')).toContain('Left open: Tiny kata');
  },
);

test.runIf(hasTmux)(`says what to do when the editor is not found${why}`, { timeout: 180_000 }, async () => {
  open('one', 'interview tiny', 'EDITOR=no-such-editor');
  await sees('one', 'e edit notes');

  press('one', 'e');

  await sees('one', 'could not be used: it was not found. Set EDITOR');
});
