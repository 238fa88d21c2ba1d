// Code as a review round shows it: without the comments that would contradict a mistake, in one even format.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { type TransformFailure, transform } from 'esbuild';

/** Said in full: a course may have no configuration of its own. */
const FORM = ['--indent-style=space', '--line-width=120', '--javascript-formatter-quote-style=single'];

/** The same program without comments, formatted as the course is. */
export async function neutralCode(root: string, text: string): Promise<string> {
  const bare = await withoutComments(text);
  const even = (await formatted(root, bare)) ?? bare;
  return `${even.replaceAll(/\n{3,}/g, '\n\n').trim()}\n`;
}

/** Block comments on lines of their own, line comments, and comments behind code. */
const COMMENTS = [
  /^[ \t]*\/\*[\s\S]*?\*\/[ \t]*\n/gm,
  /^[ \t]*\/\/.*\n/gm,
  /[ \t]+\/\/ .*$/gm,
  /[ \t]+\/\*.*?\*\/[ \t]*$/gm,
];

/** Takes out what looks like a comment, as long as the program stays the same: a text may look like one. */
async function withoutComments(text: string): Promise<string> {
  const before = await programOf(text);
  let kept = text;
  for (const comment of COMMENTS) {
    const all = kept.replaceAll(comment, '');
    if ((await programOf(all)) === before) kept = all;
    else kept = await withoutEach(kept, comment, before);
  }
  return kept.replaceAll(/\{\n\n+/g, '{\n');
}

/** One at a time, from the end, so that places before it stay where they are. */
async function withoutEach(text: string, comment: RegExp, before: string | undefined): Promise<string> {
  let kept = text;
  for (const found of [...text.matchAll(comment)].reverse()) {
    const shorter = kept.slice(0, found.index) + kept.slice(found.index + found[0].length);
    if ((await programOf(shorter)) === before) kept = shorter;
  }
  return kept;
}

/** What runs, whatever the comments say. Undefined when it is no TypeScript. */
async function programOf(text: string): Promise<string | undefined> {
  const options = { loader: 'ts', minifyWhitespace: true, legalComments: 'none', logLevel: 'silent' } as const;
  try {
    return (await transform(text, options)).code;
  } catch (error) {
    // A transformer that is gone says nothing about the text.
    if (!(error as Partial<TransformFailure>).errors?.length) throw error;
    return undefined;
  }
}

/** Null where the formatter is not there or will not take it: an uneven file can be reviewed, too. */
function formatted(root: string, text: string): Promise<string | null> {
  const biome = path.join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [biome, 'format', ...FORM, '--stdin-file-path=solutions/code.ts'], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      output += part;
    });
    child.stdin.on('error', () => undefined);
    child.on('error', () => resolve(null));
    child.on('close', (code) => resolve(code === 0 && output.trim() !== '' ? output : null));
    child.stdin.end(text);
  });
}
