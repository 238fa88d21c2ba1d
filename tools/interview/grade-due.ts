// The grade of what was coded in the deep dive: asked for at its end, kept with the session.
import type { Report } from '../grader/report.ts';
import { evidenceOf } from './grade-evidence.ts';
import type { Session } from './session.ts';
import { SESSION_FILES } from './session-folder.ts';

/**
 * Grades what was coded since the last grade, if anything was, before the phase ends. The clock stands still
 * meanwhile: the machine's time is not the candidate's. `grade` gives null where there is nothing to grade.
 */
export async function gradeIfDue(session: Session, grade: () => Promise<Report | null>): Promise<void> {
  const { phase, isGradeDue, status } = session.state;
  if (phase !== 'deep-dive' || !isGradeDue || status !== 'running') return;
  session.record({ kind: 'paused', why: 'grading' });
  try {
    const report = await grade();
    if (report === null) return;
    await session.keep(SESSION_FILES.grade, `${JSON.stringify(report, null, 2)}\n`);
    session.record({ kind: 'graded', grade: evidenceOf(report) });
  } finally {
    session.record({ kind: 'resumed' });
  }
}
