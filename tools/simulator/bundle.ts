// Bundles an attempt once with its libraries; see app-factory.ts for what becomes of it.
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

/** Stands for the global `EventSource` where an attempt names it; elsewhere it leaves no trace in the bundle. */
const EVENT_SOURCE = path.join(import.meta.dirname, 'event-source-global.ts');

/** An attempt's code cannot be bundled: what is wrong, for the person who wrote it. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}

/** Bundles a module with all it imports. Rejects with a `BundleError` that names file, line and what to do. */
export async function bundle(entry: string, root: string): Promise<string> {
  try {
    const { outputFiles } = await build({
      // Handed over whole: esbuild's own way of exporting copies every name at each launch.
      stdin: {
        contents: `import * as app from ${JSON.stringify(path.resolve(root, entry))};\nmodule.exports = app;\n`,
        resolveDir: root,
        sourcefile: 'launch.js',
      },
      absWorkingDir: root,
      bundle: true,
      write: false,
      format: 'cjs',
      target: 'es2024',
      platform: 'browser',
      conditions: ['import', 'module', 'browser'],
      sourcemap: 'inline',
      logLevel: 'silent',
      define: {
        'process.env.NODE_ENV': '"production"',
        'import.meta.env': '{}',
        'globalThis.EventSource': 'EventSource',
      },
      inject: [EVENT_SOURCE],
      banner: { js: '"use strict";' },
      plugins: [refuseNode, missingAttempt(root)],
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    throw new BundleError(messageOf(error));
  }
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

/** An attempt may build on the learner's own attempt at a pattern, which must be there then. */
const missingAttempt = (root: string): Plugin => ({
  name: 'missing-attempt',
  setup(build) {
    build.onResolve({ filter: /^#attempt\// }, ({ path: name }) => {
      const slug = name.slice('#attempt/'.length);
      if (existsSync(path.join(root, 'katas', slug, 'attempt.ts'))) return null;
      const text = `There is no attempt at ${slug} yet. Make one with \`npx kata start ${slug}\`, or import '#solutions/${slug}'.`;
      return { errors: [{ text }] };
    });
  },
});

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
