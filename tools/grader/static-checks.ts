// What can be seen without running: escapes from the type system, and what was left behind.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Check } from '../course/schema.ts';
import { runTool } from './run-tool.ts';
import { typeCheck } from './type-check.ts';

export interface CheckResult {
  readonly id: Check;
  readonly status: 'pass' | 'fail';
  /** One sentence; empty on a pass. */
  readonly detail: string;
}

const ESCAPE_RULES = ['suspicious/noExplicitAny', 'suspicious/noTsIgnore', 'style/noNonNullAssertion'];
const LEFTOVER_RULES = ['suspicious/noDebugger'];
const ESCAPE_TEXT = /@ts-(?:ignore|nocheck|expect-error)|\bas\s+unknown\s+as\b/;
/** A warning or an error is said on purpose; the rest of `console` is for looking while one writes. */
const LEFTOVER_TEXT = /\bNotImplemented\b|\b(?:TODO|FIXME|XXX)\b|\bconsole\.(?:log|debug|info|trace|dir|table)\b/;

/** Runs every check on a module and, but for the types, which go with it, on the parts it is made of; side by side. */
export async function runChecks(root: string, module: string, parts: readonly string[] = []): Promise<CheckResult[]> {
  const files = [module, ...parts];
  const [types, lint, texts] = await Promise.all([
    typeCheck(root, module),
    lintFiles(root, files),
    Promise.all(files.map((file) => readFile(file, 'utf8'))),
  ]);
  const problemsOf = (rules: readonly string[], left: RegExp) =>
    files.flatMap((file, n) => {
      const own = lint.filter((problem) => problem.file === file && rules.includes(problem.rule));
      const name = path.relative(root, file);
      return [
        ...own.map(({ line, message }) => `${name}:${line}: ${message}`),
        ...matching(texts[n] ?? '', left, name),
      ];
    });
  return [
    { id: 'type-check', ...verdict(types.errors) },
    { id: 'no-type-escape', ...verdict(problemsOf(ESCAPE_RULES, ESCAPE_TEXT)) },
    { id: 'no-leftovers', ...verdict(problemsOf(LEFTOVER_RULES, LEFTOVER_TEXT)) },
  ];
}

function verdict(problems: readonly string[]): Pick<CheckResult, 'status' | 'detail'> {
  const [first] = problems;
  if (first === undefined) return { status: 'pass', detail: '' };
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return { status: 'fail', detail: `${first}${more}` };
}

interface LintProblem {
  /** Absolute path. */
  readonly file: string;
  readonly rule: string;
  readonly line: number;
  readonly message: string;
}

async function lintFiles(root: string, files: readonly string[]): Promise<LintProblem[]> {
  const biome = path.join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const only = [...ESCAPE_RULES, ...LEFTOVER_RULES].map((rule) => `--only=${rule}`);
  // Attempts are not under version control, and must be looked at all the same.
  const args = [biome, 'lint', ...only, '--vcs-enabled=false', '--reporter=github', '--max-diagnostics=50', ...files];
  const { output } = await runTool(process.execPath, args, root);
  return [...output.matchAll(/^::\w+ title=lint\/([\w/]+),file=(.*?),line=(\d+),.*?::(.*)$/gm)].map(
    ([, rule = '', file = '', line = '0', message = '']) => ({
      file,
      rule,
      line: Number(line),
      message,
    }),
  );
}

function matching(text: string, pattern: RegExp, file: string): string[] {
  return text.split('\n').flatMap((line, n) => {
    const match = pattern.exec(line);
    return match ? [`${file}:${n + 1}: "${match[0]}" is left here.`] : [];
  });
}
