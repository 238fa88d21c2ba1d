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

/** Runs every check on a file, side by side. */
export async function runChecks(root: string, file: string): Promise<CheckResult[]> {
  const [types, lint, text] = await Promise.all([typeCheck(root, file), lintFile(root, file), readFile(file, 'utf8')]);
  const short = path.relative(root, file);
  return [
    { id: 'type-check', ...verdict(types.errors) },
    { id: 'no-type-escape', ...verdict([...found(lint, ESCAPE_RULES, short), ...matching(text, ESCAPE_TEXT, short)]) },
    {
      id: 'no-leftovers',
      ...verdict([...found(lint, LEFTOVER_RULES, short), ...matching(text, LEFTOVER_TEXT, short)]),
    },
  ];
}

function verdict(problems: readonly string[]): Pick<CheckResult, 'status' | 'detail'> {
  const [first] = problems;
  if (first === undefined) return { status: 'pass', detail: '' };
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return { status: 'fail', detail: `${first}${more}` };
}

interface LintProblem {
  readonly rule: string;
  readonly line: number;
  readonly message: string;
}

async function lintFile(root: string, file: string): Promise<LintProblem[]> {
  const biome = path.join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  const only = [...ESCAPE_RULES, ...LEFTOVER_RULES].map((rule) => `--only=${rule}`);
  // Attempts are not under version control, and must be looked at all the same.
  const args = [biome, 'lint', ...only, '--vcs-enabled=false', '--reporter=github', '--max-diagnostics=50', file];
  const { output } = await runTool(process.execPath, args, root);
  return [...output.matchAll(/^::\w+ title=lint\/([\w/]+),.*?line=(\d+),.*?::(.*)$/gm)].map(
    ([, rule = '', line = '0', message = '']) => ({
      rule,
      line: Number(line),
      message,
    }),
  );
}

const found = (problems: readonly LintProblem[], rules: readonly string[], file: string): string[] =>
  problems.filter(({ rule }) => rules.includes(rule)).map(({ line, message }) => `${file}:${line}: ${message}`);

function matching(text: string, pattern: RegExp, file: string): string[] {
  return text.split('\n').flatMap((line, n) => {
    const match = pattern.exec(line);
    return match ? [`${file}:${n + 1}: "${match[0]}" is left here.`] : [];
  });
}
