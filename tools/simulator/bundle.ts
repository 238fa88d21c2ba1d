// Turns an attempt into a factory: bundled once with its libraries, called once a launch with that launch's globals.
import { isBuiltin } from 'node:module';
import vm from 'node:vm';
import { build, type Plugin } from 'esbuild';
import { GLOBAL_NAMES, type Globals } from './globals.ts';
import type { AppFactory } from './world.ts';

/** An attempt's code cannot be bundled: what is wrong, for the person who wrote it. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}

/** Bundles a module with all it imports. Rejects with a `BundleError` that names file, line and what to do. */
export async function bundle(entry: string, root: string): Promise<string> {
  try {
    const { outputFiles } = await build({
      entryPoints: [entry],
      absWorkingDir: root,
      bundle: true,
      write: false,
      format: 'cjs',
      target: 'es2024',
      platform: 'browser',
      conditions: ['import', 'module', 'browser'],
      sourcemap: 'inline',
      logLevel: 'silent',
      define: { 'process.env.NODE_ENV': '"production"', 'import.meta.env': '{}' },
      banner: { js: '"use strict";' },
      plugins: [refuseNode],
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    throw new BundleError(messageOf(error));
  }
}

/** Compiles bundled code. Errors in it name `attempt.js`, and by its source map the learner's own lines. */
export function createFactory(code: string, name = 'attempt.js'): AppFactory {
  const make = vm.compileFunction(code, ['module', 'exports', ...GLOBAL_NAMES], { filename: name });
  return (globals: Globals) => {
    const module: { exports: unknown } = { exports: {} };
    make(module, module.exports, ...GLOBAL_NAMES.map((name) => globals[name]));
    return module.exports;
  };
}

/** What a phone does not have cannot be imported. */
const refuseNode: Plugin = {
  name: 'refuse-node',
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
      if (!isBuiltin(path) || kind === 'entry-point') return null;
      return {
        errors: [
          {
            text: `"${path}" is a module of Node, and a phone has none. Use the platform's globals or what \`device\` brings.`,
          },
        ],
      };
    });
  },
};

function messageOf(error: unknown): string {
  const errors = (
    error as {
      errors?: { text: string; location: { file: string; line: number; column: number; lineText: string } | null }[];
    }
  ).errors;
  if (!errors?.length) return error instanceof Error ? error.message : String(error);
  return errors
    .slice(0, 5)
    .map(({ text, location }) =>
      location
        ? `${location.file}:${location.line}:${location.column + 1}: ${text}\n    ${location.lineText.trim()}`
        : text,
    )
    .join('\n');
}
