// The person's own editor on the notes.
import { spawn } from 'node:child_process';

/** The command of the editor: `$VISUAL`, else `$EDITOR`; null when neither is set. */
export function editorOf(env: NodeJS.ProcessEnv = process.env): string | null {
  return [env.VISUAL, env.EDITOR].find((command) => command !== undefined && command.trim() !== '') ?? null;
}

/** Opens a file and waits until the editor is closed. Gives a sentence, which calls the file `shown`, when that failed. */
export function openEditor(command: string, file: string, shown: string): Promise<string | null> {
  return new Promise((resolve) => {
    // Through the shell, as git does it: an editor's command may carry options, such as `code --wait`.
    const child =
      process.platform === 'win32'
        ? spawn(`${command} "${file}"`, { shell: true, stdio: 'inherit' })
        : spawn('sh', ['-c', `${command} "$@"`, command, file], { stdio: 'inherit' });
    child.on('error', (error) => resolve(sayFailed(command, shown, error.message)));
    child.on('close', (code) => {
      if (code === 0) resolve(null);
      else
        resolve(sayFailed(command, shown, code === 127 ? 'it was not found' : `it ended with ${code ?? 'a signal'}`));
    });
  });
}

const sayFailed = (command: string, file: string, why: string): string =>
  `The editor “${command}” could not be used: ${why}. Set EDITOR to one that is installed, such as EDITOR=nano, or open ${file} yourself. Your notes are as they were.`;
