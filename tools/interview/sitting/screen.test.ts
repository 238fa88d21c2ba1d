import { expect, test } from 'vitest';
import { createScreen } from './screen.ts';

const CLEAR_ALL = '\u001b[2J';

function createTerminal() {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  return { columns: 60, rows: 20, written, write };
}
const screenOf = (terminal: ReturnType<typeof createTerminal>) =>
  createScreen(terminal as unknown as NodeJS.WriteStream);

test('writes nothing when nothing has changed', () => {
  const terminal = createTerminal();
  const screen = screenOf(terminal);

  screen.show(['one']);
  screen.show(['one']);

  expect(terminal.written).toHaveLength(1);
});

test('draws all anew in a terminal of another size, though the lines are the same', () => {
  const terminal = createTerminal();
  const screen = screenOf(terminal);
  screen.show(['one']);

  terminal.columns = 40;
  screen.show(['one']);

  expect(terminal.written).toHaveLength(2);
  expect(terminal.written[1]).toContain(CLEAR_ALL);
});
