// A session's notes: Markdown that belongs to the person, with a heading for each phase.
import type { Role } from './events.ts';
import type { Guide, PhaseId } from './guide.ts';
import { phaseOf } from './guide.ts';
import type { SessionHeader } from './session-folder.ts';

/** The notes of a session that begins. */
export function beginNotes(guide: Guide, { kata, minutes, startedAt }: SessionHeader, role: Role): string {
  const title = role === 'candidate' ? `Notes: ${kata.title}` : `Interviewer’s notes: ${kata.title}`;
  const headings = guide.phases.map((phase) => `## ${phase.title}\n`);
  return [`# ${title}\n`, `Mock interview of ${startedAt.slice(0, 10)}, ${minutes} minutes.\n`, ...headings].join('\n');
}

/** The notes with a line more at the end of a phase's section; at their very end when its heading is gone. */
export function addNote(guide: Guide, markdown: string, phase: PhaseId, text: string): string {
  const { title } = phaseOf(guide, phase);
  const lines = markdown.trimEnd().split('\n');
  const at = lines.indexOf(`## ${title}`);
  const note = `- ${text.replaceAll('\n', '\n  ')}`;
  if (at < 0) return `${lines.join('\n')}\n\n## ${title}\n\n${note}\n`;
  const end = sectionEnd(lines, at);
  const before = lines.slice(0, end);
  while (before.at(-1)?.trim() === '' && before.length > at + 1) before.pop();
  const gap = /^\s*[-*] |^ {2}\S/.test(before.at(-1) ?? '') ? [] : [''];
  const after = lines.slice(end);
  return `${[...before, ...gap, note, ...(after.length === 0 ? [] : ['', ...after])].join('\n')}\n`;
}

/** What was written under a phase's heading; an empty text without one. */
export function notesOf(guide: Guide, markdown: string, phase: PhaseId): string {
  const lines = markdown.split('\n').map((line) => line.trimEnd());
  const at = lines.indexOf(`## ${phaseOf(guide, phase).title}`);
  return at < 0
    ? ''
    : lines
        .slice(at + 1, sectionEnd(lines, at))
        .join('\n')
        .trim();
}

function sectionEnd(lines: readonly string[], at: number): number {
  const next = lines.findIndex((line, n) => n > at && line.startsWith('## '));
  return next < 0 ? lines.length : next;
}
