/** One line typed by a person. `isLeft`: they pressed Esc or Ctrl-C; what they had typed by then is still in `text`. */
export interface Line {
  readonly text: string;
  readonly isLeft: boolean;
  /** It was Ctrl-C: to a shell that is another end than Esc. */
  readonly isInterrupted: boolean;
}

/** Asks for a line of text, which may be empty. */
export async function askLine(message: string): Promise<Line> {
  const { default: prompts } = await import('prompts');
  let typed = '';
  let isInterrupted = false;
  const noteInterrupt = (_: unknown, key: { ctrl?: boolean; name?: string }) => {
    isInterrupted = key.ctrl === true && key.name === 'c';
  };
  process.stdin.on('keypress', noteInterrupt);
  const { line } = await prompts({
    type: 'text',
    name: 'line',
    message,
    onState: ({ value }) => {
      if (typeof value === 'string') typed = value;
    },
  });
  process.stdin.off('keypress', noteInterrupt);
  const isLeft = typeof line !== 'string';
  return { text: (isLeft ? typed : line).trim(), isLeft, isInterrupted: isLeft && isInterrupted };
}
