// The interview on a real terminal: keys without Enter, an editor, a kill, and going on.
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeTinyCourse, type TinyCourse } from '../course/testing/tiny-course.ts';
import { HAS_TMUX, openTerminals, type Terminals, WHY_SKIPPED } from './testing/tmux.ts';

let course: TinyCourse;
let terminals: Terminals;
beforeEach(() => {
  course = makeTinyCourse();
  course.add('tiny');
  terminals = openTerminals(course.root);
});
afterEach(() => {
  terminals.close();
  course.remove();
});

const folder = (): string => join(course.root, '.kata/interviews');
const read = (file: string): string => readFileSync(join(folder(), readdirSync(folder())[0] ?? '', file), 'utf8');

test.runIf(HAS_TMUX)(
  `keeps a half-typed note through kill -9 and goes on where it was${WHY_SKIPPED}`,
  { timeout: 180_000 },
  async () => {
    terminals.open('one', 'interview tiny --seed 1');
    await terminals.sees('one', 'The clock has not begun');
    terminals.press('one', 's');
    await terminals.sees('one', 'Phase 1 of 6');
    terminals.press('one', 'n');
    await terminals.sees('one', 'Phase 2 of 6');
    terminals.press('one', 'i');
    await terminals.sees('one', 'Enter keeps it');
    terminals.type('one', 'never lost');
    await terminals.sees('one', 'Note: never lost');
    await vi.waitFor(() => expect(read('draft-candidate.json')).toContain('never lost'), { timeout: 60_000 });

    process.kill((JSON.parse(read('candidate.lock')) as { pid: number }).pid, 'SIGKILL');
    await terminals.sees('one', 'ended with 137');
    terminals.open('two', 'interview --resume');
    await terminals.sees('two', 'Note: never lost');
    terminals.press('two', 'Enter');
    await terminals.sees('two', 'paused, ');
    terminals.press('two', 'p');
    await terminals.sees('two', /Phase 2 of 6: Task and requirements · \d:\d\d left of 6:00/);

    expect(read('notes.md')).toContain('- never lost');
  },
);

test.runIf(HAS_TMUX)(
  `opens the editor on the notes, and is left at Ctrl-C with all kept${WHY_SKIPPED}`,
  { timeout: 180_000 },
  async () => {
    course.write('editor.sh', '#!/bin/sh\necho "written in my editor" >> "$1"\n');
    chmodSync(join(course.root, 'editor.sh'), 0o755);
    terminals.open('one', 'interview tiny', `EDITOR="'${course.root}/editor.sh'"`);
    await terminals.sees('one', 'e edit notes');

    terminals.press('one', 'e');
    await vi.waitFor(() => expect(read('notes.md')).toContain('written in my editor'), { timeout: 60_000 });
    await terminals.sees('one', 's start the clock');
    terminals.press('one', 'C-c');
    await terminals.sees('one', 'ended with 130');

    expect(terminals.screen('one')).toContain('Left open: Tiny kata');
  },
);

test.runIf(HAS_TMUX)(`says what to do when the editor is not found${WHY_SKIPPED}`, { timeout: 180_000 }, async () => {
  terminals.open('one', 'interview tiny', 'EDITOR=no-such-editor');
  await terminals.sees('one', 'e edit notes');

  terminals.press('one', 'e');

  await terminals.sees('one', 'could not be used: it was not found. Set EDITOR');
});

test.runIf(HAS_TMUX)(`draws on no terminal that cannot be drawn on${WHY_SKIPPED}`, { timeout: 180_000 }, async () => {
  terminals.open('one', 'interview tiny', 'TERM=dumb');

  await terminals.sees('one', 'ended with 64');

  expect(terminals.screen('one')).toContain('This terminal cannot be drawn on (TERM=dumb)');
});
