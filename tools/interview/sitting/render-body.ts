// The middle of the screen: what this phase is for, what was asked and noted, and the script for an interviewer.
import { type Look, MARK, padTo, paint, wrap } from '../../terminal/look.ts';
import { sayDuration } from '../clock.ts';
import { nextCurveball } from '../curveballs.ts';
import { suggestScore } from '../grade-evidence.ts';
import { phaseOf } from '../guide.ts';
import { notesOf } from '../notes.ts';
import { SCORE_WORDS } from '../scorecard-markdown.ts';
import type { Session } from '../session.ts';
import { sessionPath } from '../session-folder.ts';
import { hasAllScores, nextToScore } from '../session-state.ts';
import { askKey, type View } from './view.ts';

/** Notes shown of the present phase; all of them are in the file. */
const NOTES_SHOWN = 4;

/** The body as lines; more than there may be room for. */
export function renderBody(look: Look, session: Session, view: View): string[] {
  if (view.panel === 'asks') return renderAsks(look, session, true);
  const { status } = session.state;
  if (status === 'waiting') return renderWaiting(look, session);
  if (status === 'scoring') return renderScoring(look, session, view);
  const isInterviewer = session.role === 'interviewer';
  return [
    ...renderCurveballs(look, session),
    ...renderTask(look, session),
    ...renderNotes(look, session),
    ...(isInterviewer ? renderScript(look, session) : []),
    ...renderOutcome(look, session),
  ];
}

function renderWaiting(look: Look, { guide, header, role }: Session): string[] {
  const who =
    header.mode === 'alone'
      ? 'You are the candidate, and speak aloud as if somebody listened. The script comes afterwards.'
      : role === 'interviewer'
        ? 'You have the clock and the script. The candidate sits at another terminal: npx kata interview --as candidate'
        : 'The interviewer has the clock. Wait for the start.';
  const minutes = guide.phases.map(
    (phase) => `${padTo(`${phase.minutes[`${header.minutes}`]} min`, 6)}  ${phase.title}`,
  );
  return [
    ...para(look, who),
    '',
    ...minutes.flatMap((line) => wrap(look, line, { indent: 2, hang: 10 }).split('\n')),
    '',
    ...para(look, `All is kept in ${sessionPath(header.id)}`),
  ];
}

function renderTask(look: Look, { state, guide, script, header, role }: Session): string[] {
  const phase = phaseOf(guide, state.phase);
  const task = phase.id === 'intro' ? [] : [...head(look, 'Task'), ...para(look, script.opening)];
  const speaks = header.mode === 'alone' || role === 'candidate' ? 'Now' : 'Say';
  return [...task, ...head(look, speaks), ...para(look, phase.says)];
}

/** What must exist when the phase ends, and what was asked so far. */
function renderOutcome(look: Look, { state, guide }: Session): string[] {
  const phase = phaseOf(guide, state.phase);
  const outcome = phase.outcome.flatMap((line) => item(look, MARK.none, line));
  return [...head(look, 'At its end there is'), ...outcome, ...sayAsked(look, { state, guide })];
}

function sayAsked(look: Look, { state, guide }: Pick<Session, 'state' | 'guide'>): string[] {
  if (state.phase === 'intro') return [];
  if (state.phase === 'requirements') return renderAsks(look, { state, guide });
  const asked = Object.keys(state.asked).length;
  return ['', ...para(look, `Asked so far: ${asked} of ${guide.mustAsk.length} on the list.`)];
}

function renderAsks(look: Look, { state, guide }: Pick<Session, 'state' | 'guide'>, withKeys = false): string[] {
  const lines = guide.mustAsk.flatMap(({ id, says, example }, n) => {
    const atMs = state.asked[id];
    const key = withKeys ? `${askKey(n)} ` : '';
    const open = withKeys ? `${key}${says}` : `${says}: ${example}`;
    const text = atMs === undefined ? open : `${key}${says}, asked at ${sayDuration(atMs)}`;
    return item(look, atMs === undefined ? MARK.none : MARK.pass, text);
  });
  return [...head(look, 'To ask'), ...lines];
}

function renderCurveballs(look: Look, { state, script, role }: Session): string[] {
  if (state.phase !== 'deep-dive') return [];
  return state.thrown.toReversed().flatMap(({ say, elapsedMs: atMs }) => {
    const answer = role === 'interviewer' ? script.curveballs.find((one) => one.say === say)?.answer : undefined;
    const lines = item(look, MARK.warn, `Curveball at ${sayDuration(atMs)}: ${say}`);
    return [
      ...lines.map((line) => paint(look, 'yellow', line)),
      ...(answer === undefined ? [] : item(look, ' ', `A good answer: ${answer}`)),
    ];
  });
}

/** What only the interviewer sees. */
function renderScript(look: Look, session: Session): string[] {
  const { script, state } = session;
  const isBeginning = state.phase === 'intro' || state.phase === 'requirements';
  const clarifications = script.clarifications.flatMap(({ ask, answer }) => [
    ...item(look, MARK.arrow, ask),
    ...para(look, answer, 4),
  ]);
  const followUps = script.followUps.flatMap(({ ask, mid, senior, staff }) => [
    ...item(look, MARK.arrow, ask),
    ...para(look, `mid: ${mid}`, 4),
    ...para(look, `senior: ${senior}`, 4),
    ...para(look, `staff: ${staff}`, 4),
  ]);
  const next = state.phase === 'deep-dive' ? nextCurveball(session.curveballs, state) : null;
  return [
    ...(isBeginning
      ? [...head(look, 'If asked, answer'), ...clarifications]
      : [...head(look, 'Follow-ups, and what a level answers'), ...followUps]),
    ...(next === null ? [] : [...head(look, 'Next curveball'), ...para(look, next.say)]),
    ...head(look, 'Signals'),
    ...Object.entries(script.signals).flatMap(([level, says]) => para(look, `${level}: ${says}`, 2)),
    ...head(look, 'Red flags'),
    ...script.redFlags.flatMap((flag) => item(look, MARK.fail, flag)),
  ];
}

function renderNotes(look: Look, session: Session): string[] {
  const notes = notesOf(session.guide, session.notes(), session.state.phase).split('\n').filter(Boolean);
  if (notes.length === 0) return [];
  return [...head(look, 'Your notes'), ...notes.slice(-NOTES_SHOWN).flatMap((line) => para(look, line))];
}

function renderScoring(look: Look, session: Session, { typing }: View): string[] {
  const { guide, state, role } = session;
  const id = typing?.purpose === 'evidence' ? typing.dimension : nextToScore(state, role);
  const at = guide.dimensions.findIndex((one) => one.id === id);
  const dimension = guide.dimensions[at];
  if (dimension === undefined || hasAllScores(state, role)) return para(look, 'All nine are scored.');
  const suggestion = suggestScore(dimension, state.grade);
  const chosen = typing?.purpose === 'evidence' ? typing.score : null;
  return [
    ...para(look, 'Score on your own, before any model answer is shown.'),
    ...head(look, `${at + 1} of ${guide.dimensions.length}: ${dimension.title}`),
    ...para(look, dimension.ask),
    '',
    ...dimension.scores.flatMap((says, n) =>
      item(look, chosen === n + 1 ? MARK.arrow : ' ', `${n + 1} ${SCORE_WORDS[n] ?? ''}: ${says}`),
    ),
    ...(suggestion === null
      ? []
      : [
          '',
          ...para(
            look,
            `The grade speaks for ${suggestion.score}. ${suggestion.evidence} Enter takes this as evidence.`,
          ),
        ]),
  ];
}

const head = (look: Look, text: string): string[] => [
  '',
  ...wrap(look, text)
    .split('\n')
    .map((line) => paint(look, 'bold', line)),
];
const para = (look: Look, text: string, indent = 0): string[] => wrap(look, text, { indent }).split('\n');

function item(look: Look, mark: string, text: string): string[] {
  const [first = '', ...rest] = wrap(look, text, { indent: 4 }).split('\n');
  return [`  ${mark} ${first.trimStart()}`, ...rest];
}
