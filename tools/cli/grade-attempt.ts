// Grades a learner's attempt and keeps what came of it: report, failing schedules, history.
import { existsSync, readFileSync } from 'node:fs';
import type { Kata } from '../course/catalogue.ts';
import { hashText } from '../course/seal.ts';
import { type GradeOptions, grade } from '../grader/grade.ts';
import { type KeptReport, keepReport } from '../grader/keep-report.ts';
import { keepSchedules, keptSchedules } from '../grader/kept-schedules.ts';
import type { Report } from '../grader/report.ts';
import { targetOf } from '../grader/target.ts';
import { CommandError } from './command-error.ts';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit-code.ts';

/** @throws CommandError when there is no attempt yet */
export function requireAttempt(kata: Kata): void {
  if (existsSync(kata.paths.attempt)) return;
  throw new CommandError(
    `There is no attempt at ${kata.slug} yet. Begin with: npx kata start ${kata.slug}`,
    EXIT.notGradable,
  );
}

export type GradeAttemptOptions = Pick<
  GradeOptions,
  'schedules' | 'seed' | 'runner' | 'simulation' | 'changed' | 'onProgress'
>;

/** Grades the attempt as it is now; schedules that failed before are run first. */
export async function gradeAttempt(context: CommandContext, kata: Kata, options: GradeAttemptOptions): Promise<Report> {
  requireAttempt(kata);
  const saved = (await keptSchedules(context.root, kata.slug)).map(({ plan }) => plan);
  return grade({
    root: context.root,
    slug: kata.slug,
    title: kata.title,
    target: targetOf(context.root, kata.slug, 'attempt'),
    saved,
    ...options,
  });
}

/** Keeps an attempt's report. What cannot be kept is said, and the grade stands. */
export async function keepGrade(context: CommandContext, kata: Kata, report: Report): Promise<KeptReport | null> {
  await orWarn(context, () => keepInHistory(context, kata, report));
  return orWarn(context, async () => {
    await keepSchedules(context.root, kata.slug, report.simulation.violations);
    return keepReport(context.root, report);
  });
}

async function keepInHistory(context: CommandContext, kata: Kata, report: Report): Promise<void> {
  const history = await context.history();
  history.addGrade({
    kata: kata.slug,
    at: new Date().toISOString(),
    score: report.score,
    bar: report.bar,
    band: report.band,
    status: report.status,
    kataVersion: report.kata.version,
    suiteHash: report.kata.suiteHash,
    attemptHash: hashText(readFileSync(kata.paths.attempt, 'utf8')),
    report: JSON.stringify(report),
  });
}

async function orWarn<T>({ output }: CommandContext, keep: () => Promise<T>): Promise<T | null> {
  try {
    return await keep();
  } catch (error) {
    output.warn(error instanceof Error ? error.message : String(error));
    return null;
  }
}
