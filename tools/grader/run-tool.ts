import { spawn } from 'node:child_process';

export interface ToolResult {
  readonly code: number | null;
  readonly output: string;
  readonly errorOutput: string;
}

/** Runs one of the project's own tools to its end, with `env` beside this process's own. Rejects when it cannot be started. */
export function runTool(
  file: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...env },
    });
    let output = '';
    let errorOutput = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errorOutput += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output, errorOutput }));
  });
}
