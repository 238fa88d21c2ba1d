// Other programs of the person's own, in this terminal: an editor, a pager.
import { spawn } from 'node:child_process';
import { CommandError } from './command-error.ts';

/** Opens a file in the person's editor and waits for its end. @throws CommandError when there is none */
export async function openInEditor(file: string, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const editor = env.VISUAL || env.EDITOR;
  if (!editor)
    throw new CommandError(`No editor is set. Open ${file} in yours, or set EDITOR, for example: export EDITOR=nano`);
  if (await runWith(editor, [file], null)) return;
  throw new CommandError(
    `The editor "${editor}" could not be started. Set EDITOR to one there is, or open ${file} by hand.`,
  );
}

/** Shows a long text in the person's pager. False where there is none: print it, then. */
export const page = (text: string, env: NodeJS.ProcessEnv = process.env): Promise<boolean> =>
  runWith(env.PAGER || 'less', [], text);

/** As git does, the program may come with arguments of its own. False when it could not be started. */
function runWith(program: string, more: readonly string[], input: string | null): Promise<boolean> {
  const [file = '', ...args] = program.trim().split(/\s+/);
  return new Promise((resolve) => {
    const child = spawn(file, [...args, ...more], {
      stdio: [input === null ? 'inherit' : 'pipe', 'inherit', 'inherit'],
    });
    child.on('error', () => resolve(false));
    // A pager left early closes its end: no fault of anybody's.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    child.on('close', () => resolve(true));
  });
}
