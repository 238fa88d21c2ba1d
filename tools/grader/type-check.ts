// The compiler's opinion of one file, by the project's own strict settings.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { keepFile } from '../course/keep-file.ts';
import { runTool } from './run-tool.ts';

export interface TypeCheck {
  readonly isClean: boolean;
  /** Errors as `file:line:column: message`, those of the file itself first. */
  readonly errors: readonly string[];
}

/** Type-checks a module with all it imports. Takes about half a second. */
export async function typeCheck(root: string, file: string, name: string): Promise<TypeCheck> {
  const folder = path.join(root, '.kata', 'types');
  await mkdir(folder, { recursive: true });
  const config = path.join(folder, `${name}.json`);
  await keepFile(config, JSON.stringify(configFor(folder, root, file), null, 2));
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, output, errorOutput } = await runTool(process.execPath, [tsc, '-p', config, '--pretty', 'false'], root);
  const errors = output
    .split('\n')
    .filter((line) => /error TS\d+/.test(line))
    .map((line) => line.replace(/^(.*?)\((\d+),(\d+)\): error (TS\d+): /, '$1:$2:$3: $4 '));
  if (code !== 0 && errors.length === 0)
    throw new Error(`The type check could not run: ${errorOutput.trim() || output.trim()}`);
  return { isClean: code === 0, errors };
}

function configFor(folder: string, root: string, file: string): object {
  const relative = (target: string) => path.relative(folder, target).split(path.sep).join('/');
  return {
    extends: relative(path.join(root, 'tsconfig.json')),
    // A learner may write whatever TypeScript allows.
    compilerOptions: { erasableSyntaxOnly: false },
    include: [],
    files: [relative(file)],
  };
}
