import { randomInt } from 'node:crypto';
import path from 'node:path';
import type { Kata } from '../../course/catalogue.ts';
import { loadRubric } from '../../course/load-rubric.ts';
import type { Rubric } from '../../course/schema.ts';
import type { Report } from '../../grader/report.ts';
import { type Answers, readAnswers } from '../../interview/answers.ts';
import { type Clock, createSetClock, systemClock } from '../../interview/clock.ts';
import { finishSession } from '../../interview/finish.ts';
import { gradeIfDue } from '../../interview/grade-due.ts';
import { loadGuide, phaseOf } from '../../interview/guide.ts';
import { InterviewProblem } from '../../interview/interview-problem.ts';
import { playAnswers } from '../../interview/play-answers.ts';
import { beginSession, openSession, type Session } from '../../interview/session.ts';
import { readJournal, SESSION_FILES } from '../../interview/session-folder.ts';
import { hasAllScores } from '../../interview/session-state.ts';
import type { Ended } from '../../interview/sitting/sitting.ts';
import { wrap } from '../../terminal/look.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { type InterviewOptions, type Plan, planInterview } from '../interview-plan.ts';
import { dropInterview, showInterview, showResult, showTrend } from '../interview-results.ts';
import { runCommand } from '../main.ts';
import { createProgress } from '../progress.ts';

/** Holds a mock interview, or tells of those there have been. */
export const run: RunCommand<InterviewOptions> = async (context, [slug], options) => {
  try {
    if (options.history) return showTrend(context, options.json ?? false);
    if (options.result !== undefined) return await showResult(context, options.result, options.json ?? false);
    if (options.drop !== undefined) return await dropInterview(context, options.drop);
    return await hold(context, slug, options);
  } catch (error) {
    if (!(error instanceof InterviewProblem)) throw error;
    throw new CommandError(error.message, error.kind === 'usage' ? EXIT.usage : EXIT.fault);
  }
};

async function hold(context: CommandContext, slug: string | undefined, options: InterviewOptions): Promise<number> {
  const { output } = context;
  if (slug !== undefined) await context.kata(slug);
  const answers =
    options.answers === undefined ? null : await readAnswers(path.resolve(options.answers), options.answers);
  if (answers === null && !output.isInteractive)
    throw new CommandError(
      'An interview needs a terminal with keys. Without one, play a script: npx kata interview --answers session.yaml. The README shows its format.',
    );
  if (answers === null && process.env.TERM === 'dumb')
    throw new CommandError(
      'This terminal cannot be drawn on (TERM=dumb), as the clock of an interview needs. Open another one, or play a script: npx kata interview --answers session.yaml',
    );
  const seed = options.seed ?? answers?.seed ?? randomInt(2 ** 31);
  const plan = await planInterview(context, slug ?? answers?.kata, options, answers, seed);
  const scripted = answers === null ? null : createSetClock(startOf(context.root, plan.id, answers));
  const session = await enter(context, plan, options, seed, scripted ?? systemClock);
  context.onInterrupt(() => session.leave());
  if (session.unreadable > 0)
    output.warn('The last line of this interview’s journal was cut off and is left out. All before it is there.');
  try {
    const grade = graderOf(context, plan.kata);
    let ended: Ended = 'left';
    if (answers === null || scripted === null) ended = await sitAtTerminal(context, plan.kata, session);
    else await playAnswers(session, scripted, answers, () => gradeIfDue(session, grade));
    const exitCode = await end(context, session, options.json ?? false);
    return ended === 'interrupted' ? EXIT.interrupted : exitCode;
  } finally {
    session.leave();
  }
}

/** A script's session ends now, and does not begin before what has happened in it already. */
function startOf(root: string, id: string | null, { steps }: Answers): number {
  const last = id === null ? undefined : readJournal(root, id).events.at(-1)?.atMs;
  return Math.max(systemClock.nowMs() - (steps.at(-1)?.at ?? 0) * 60_000, last ?? 0);
}

async function enter(
  { root }: CommandContext,
  { kata, role, id, answers }: Plan,
  options: InterviewOptions,
  seed: number,
  clock: Clock,
): Promise<Session> {
  const [guide, { interview }] = [await loadGuide(), await loadRubric(root, kata.slug)];
  const setting = { root, guide, script: interview, clock, role };
  if (id !== null) return openSession(setting, id);
  const as = options.as ?? answers?.as ?? 'alone';
  const minutes = options.minutes === '60' || (options.minutes === undefined && answers?.minutes === 60) ? 60 : 45;
  const { slug, title, version } = kata;
  return beginSession(setting, {
    kata: { slug, title, version },
    minutes,
    mode: as === 'alone' ? 'alone' : 'peer',
    seed,
  });
}

async function sitAtTerminal(context: CommandContext, kata: Kata, session: Session): Promise<Ended> {
  const [{ sit }, { createKeyboard }, { createScreen }, { openDraft }, { editorOf, openEditor }] = await Promise.all([
    import('../../interview/sitting/sitting.ts'),
    import('../../interview/sitting/keyboard.ts'),
    import('../../interview/sitting/screen.ts'),
    import('../../interview/sitting/draft.ts'),
    import('../../interview/sitting/editor.ts'),
  ]);
  const editor = editorOf();
  return sit(session, {
    keyboard: createKeyboard(),
    screen: createScreen(),
    draft: openDraft(context.root, session.header.id, session.role),
    edit:
      editor === null ? null : () => openEditor(editor, session.notesPath, session.file(SESSION_FILES[session.role])),
    code: async () => {
      await runCommand(context, 'watch', [kata.slug]);
    },
    grade: graderOf(context, kata),
  });
}

/** Grades the attempt as `kata grade` does, and keeps it as one. What hinders it is said, and the interview goes on. */
function graderOf(context: CommandContext, kata: Kata): () => Promise<Report | null> {
  return async () => {
    const progress = createProgress();
    try {
      progress.say(`grading ${kata.slug} …`);
      const { gradeAttempt, keepGrade } = await import('../grade-attempt.ts');
      const report = await gradeAttempt(context, kata, { onProgress: progress.say });
      await keepGrade(context, kata, report);
      return report;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      context.output.warn(error.message);
      return null;
    } finally {
      progress.done();
    }
  };
}

async function end(context: CommandContext, session: Session, isJson: boolean): Promise<number> {
  const { output, root } = context;
  const { state, header, guide, role } = session;
  if (state.status === 'dropped') {
    output.print(
      wrap(output.look, `${header.kata.title} was given up. Its notes stay: ${session.file(SESSION_FILES[role])}`),
    );
    return EXIT.ok;
  }
  if (!hasAllScores(state, role)) {
    const at = state.status === 'scoring' ? 'all phases over, to be scored' : phaseOf(guide, state.phase).title;
    if (isJson) output.print(JSON.stringify({ id: header.id, status: state.status, phase: state.phase }, null, 2));
    else
      output.print(
        wrap(
          output.look,
          `Left open: ${header.kata.title}, ${at}. Your notes: ${session.file(SESSION_FILES[role])}\nGo on: npx kata interview --resume`,
        ),
      );
    return EXIT.ok;
  }
  const { katas } = await context.catalogue();
  const rubrics: Rubric[] = await Promise.all(katas.map(({ slug }) => loadRubric(root, slug)));
  await showInterview(context, session, await finishSession(session, rubrics), isJson);
  return EXIT.ok;
}
