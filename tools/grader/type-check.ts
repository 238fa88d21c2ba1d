// The compiler's opinion of one file, by the project's own strict settings.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runTool, type ToolResult } from './run-tool.ts';
import { makeScratch } from './scratch.ts';

/** The compiler is written in Go and gone within the second: it need not collect its garbage so soon. */
const THRIFTY = { GOGC: '400' };

export interface TypeCheck {
  readonly isClean: boolean;
  /** Errors as `file:line:column: message`, those of the file itself first. */
  readonly errors: readonly string[];
}

/** Type-checks a module with all it imports. Takes about half a second. */
export async function typeCheck(root: string, file: string): Promise<TypeCheck> {
  const { code, output, errorOutput } = await runCompiler(root, file);
  const errors = output
    .split('\n')
    .filter((line) => /error TS\d+/.test(line))
    .map((line) => line.replace(/^(.*?)\((\d+),(\d+)\): error (TS\d+): /, '$1:$2:$3: $4 '));
  if (code !== 0 && errors.length === 0)
    throw new Error(`The type check could not run: ${errorOutput.trim() || output.trim()}`);
  return { isClean: code === 0, errors };
}

/**
 * The configuration stands outside of the course, which may be read-only or full. On one thread: suite and simulation
 * run beside it, and checkers that share the work do part of it twice.
 */
async function runCompiler(root: string, file: string): Promise<ToolResult> {
  const scratch = makeScratch('types');
  const config = path.join(scratch.folder, 'tsconfig.json');
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    await writeFile(config, JSON.stringify(configFor(root, file)));
    return await runTool(process.execPath, [tsc, '-p', config, '--pretty', 'false', '--singleThreaded'], root, THRIFTY);
  } finally {
    scratch.remove();
  }
}

function configFor(root: string, file: string): object {
  return {
    extends: path.join(root, 'tsconfig.json'),
    // A learner may write whatever TypeScript allows.
    compilerOptions: { erasableSyntaxOnly: false, typeRoots: [path.join(root, 'node_modules', '@types')] },
    include: [],
    files: [file],
  };
}
