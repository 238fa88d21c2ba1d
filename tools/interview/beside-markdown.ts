// What was noted, beside what a strong candidate would have said: shown once the own scores stand.
import type { Interview } from '../course/schema.ts';
import type { Guide, PhaseId } from './guide.ts';
import { notesOf } from './notes.ts';
import type { SessionHeader } from './session-folder.ts';
import type { SessionState } from './session-state.ts';

interface Besides {
  readonly guide: Guide;
  readonly script: Interview;
  readonly header: SessionHeader;
  readonly state: SessionState;
  /** The candidate's notes, as Markdown. */
  readonly notes: string;
}

const MODELS: readonly (readonly [PhaseId, keyof NonNullable<Interview['model']>])[] = [
  ['requirements', 'requirements'],
  ['high-level', 'highLevel'],
  ['deep-dive', 'deepDive'],
  ['trade-offs', 'tradeOffs'],
];

/** Phase by phase the notes and a model answer, then follow-ups, curveballs, signals and red flags. */
export function besideMarkdown({ guide, script, header, state, notes }: Besides): string {
  const blocks = [
    `# ${header.kata.title}: your notes beside a model answer`,
    'One good answer, not the only one. Look for what you did not think of, and for what you said better.',
    ...MODELS.flatMap(([phase, part]) => phaseBlocks(guide, notes, phase, script.model?.[part])),
    ...curveballBlocks(script, state),
    '## What each level sounds like',
    `- **Mid.** ${script.signals.mid}\n- **Senior.** ${script.signals.senior}\n- **Staff.** ${script.signals.staff}`,
    ...(script.redFlags.length === 0 ? [] : ['## Red flags', script.redFlags.map((flag) => `- ${flag}`).join('\n')]),
    '## Follow-ups',
    ...script.followUps.flatMap(followUpBlocks),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function phaseBlocks(guide: Guide, notes: string, phase: PhaseId, model: string | undefined): string[] {
  if (model === undefined) return [];
  const title = guide.phases.find(({ id }) => id === phase)?.title ?? phase;
  const own = notesOf(guide, notes, phase);
  return [`## ${title}`, '**You noted**', own === '' ? 'Nothing.' : own, '**A model answer**', model];
}

function curveballBlocks({ curveballs }: Interview, { thrown }: SessionState): string[] {
  if (thrown.length === 0) return [];
  const blocks = thrown.flatMap(({ say }) => {
    const answer = curveballs.find((one) => one.say === say)?.answer;
    return [
      `**${say}**`,
      answer ?? 'It is of no kata in particular: ask which of your promises still holds then, and why.',
    ];
  });
  return ['## Curveballs', ...blocks];
}

function followUpBlocks({ ask, mid, senior, staff, answer }: Interview['followUps'][number]): string[] {
  return [
    `### ${ask}`,
    ...(answer === undefined ? [] : [answer]),
    `- Mid: ${mid}\n- Senior: ${senior}\n- Staff: ${staff}`,
  ];
}
