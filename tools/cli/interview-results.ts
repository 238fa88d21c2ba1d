// What is shown of interviews that have been: results, the trend, and what was given up.
import { loadRubric } from '../course/load-rubric.ts';
import { systemClock } from '../interview/clock.ts';
import type { Finished } from '../interview/finish.ts';
import { loadGuide } from '../interview/guide.ts';
import { InterviewProblem } from '../interview/interview-problem.ts';
import { openSessions, pastSessions, readScorecard } from '../interview/past-sessions.ts';
import { buildScorecard, type Scorecard } from '../interview/scorecard.ts';
import { scorecardMarkdown } from '../interview/scorecard-markdown.ts';
import type { Session } from '../interview/session.ts';
import { appendEvent, readHeader, SESSION_FILES, sessionPath } from '../interview/session-folder.ts';
import { renderTrend, trendOf } from '../interview/trend.ts';
import { wrap } from '../terminal/look.ts';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit-code.ts';
import { renderMarkdown } from './markdown/render-markdown.ts';

/** The trend over all finished interviews. */
export function showTrend({ root, output }: CommandContext, isJson: boolean): number {
  const trend = trendOf(pastSessions(root).flatMap(({ scorecard }) => scorecard ?? []));
  output.print(isJson ? JSON.stringify(trend, null, 2) : renderTrend(output.look, trend));
  return EXIT.ok;
}

/** The result of one interview, the last one when none is named. */
export async function showResult(context: CommandContext, which: string | true, isJson: boolean): Promise<number> {
  const { root, output } = context;
  const id = which === true ? pastSessions(root).findLast(({ scorecard }) => scorecard !== null)?.header.id : which;
  if (id === undefined) throw new InterviewProblem('No interview is finished yet. Begin one: npx kata interview');
  const { kata } = readHeader(root, id);
  const card = readScorecard(root, id) ?? (await halfScored(context, id));
  if (card === null)
    throw new InterviewProblem(
      `The interview ${id} of ${kata.slug} has no scores yet. Go on: npx kata interview --resume ${id}`,
    );
  output.print(isJson ? JSON.stringify(card, null, 2) : renderMarkdown(output.look, scorecardMarkdown(card)));
  return EXIT.ok;
}

/** In a session of two, what one of them has scored can be seen before the other has. */
async function halfScored({ root, catalogue }: CommandContext, id: string): Promise<Scorecard | null> {
  const found = pastSessions(root).find(({ header }) => header.id === id);
  if (found === undefined) return null;
  const { katas } = await catalogue();
  const rubrics = await Promise.all(katas.map(({ slug }) => loadRubric(root, slug)));
  return buildScorecard({ ...found, guide: await loadGuide() }, rubrics);
}

/** Gives an open interview up. Its files stay. */
export async function dropInterview({ root, output }: CommandContext, which: string | true): Promise<number> {
  const open = openSessions(root);
  const found = which === true ? open.at(-1) : open.find(({ header }) => header.id === which);
  if (found === undefined) {
    const name = which === true ? 'No interview is open.' : `No interview ${which} is open.`;
    throw new InterviewProblem(`${name} Begin one: npx kata interview`);
  }
  const { id } = found.header;
  appendEvent(root, id, { kind: 'dropped', atMs: systemClock.nowMs(), by: 'candidate' });
  output.print(wrap(output.look, `Given up: ${id}. Its notes stay in ${sessionPath(id)}/notes.md`));
  return EXIT.ok;
}

/** What a finished interview ends with: the notes beside the model answers, then the scorecard. */
export async function showInterview(
  context: CommandContext,
  session: Session,
  { card, beside }: Finished,
  isJson: boolean,
): Promise<void> {
  const { output, root } = context;
  if (isJson) {
    output.print(JSON.stringify(card ?? { id: session.header.id, status: 'half-scored' }, null, 2));
    return;
  }
  output.print(renderMarkdown(output.look, beside));
  output.print();
  if (card === null) {
    const other = session.role === 'candidate' ? 'interviewer' : 'candidate';
    output.print(
      wrap(
        output.look,
        `Your scores are kept. The scorecard comes once the ${other} has scored too: npx kata interview --result ${session.header.id}`,
      ),
    );
    return;
  }
  output.print(renderMarkdown(output.look, scorecardMarkdown(card)));
  output.print();
  const done = pastSessions(root).filter(({ scorecard }) => scorecard !== null).length;
  const trend = done > 1 ? '\nHow it went over time: npx kata interview --history' : '';
  output.print(
    wrap(
      output.look,
      `Kept: ${session.file(SESSION_FILES.scorecardText)} to read and share, and ${session.file(SESSION_FILES.beside)} with the model answers.${trend}`,
    ),
  );
}
