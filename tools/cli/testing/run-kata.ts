// Runs the `kata` command as a learner does: a process of its own, in a course.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

const KATA = join(import.meta.dirname, '..', 'kata.js');

/** Runs `kata` with these arguments in a folder. Without a terminal, so plain text of 80 columns unless told. */
export function runKata(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawnKata(cwd, args, env);
  return new Promise((resolve) => {
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.on('close', (exitCode) => resolve({ stdout, stderr, exitCode }));
  });
}

/** The same, for a command that goes on until it is stopped. */
export function spawnKata(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { FORCE_COLOR, NO_COLOR, KATA_DEBUG, COLUMNS, ...inherited } = process.env;
  return spawn(process.execPath, [KATA, ...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
