// The lines at the top: where the session is, and how much time is left. Said in words; colour only repeats it.
import { type Look, MARK, paint, type Style, wrap } from '../../terminal/look.ts';
import { phaseClock, sayDuration, type Urgency } from '../clock.ts';
import { PHASE_IDS, phaseOf, plannedMs } from '../guide.ts';
import type { Session } from '../session.ts';
import { elapsedMs, spentIn } from '../session-state.ts';

const LOOKS: Readonly<Record<Urgency, { readonly mark: string; readonly style: Style }>> = {
  calm: { mark: MARK.none, style: 'green' },
  'last-fifth': { mark: MARK.warn, style: 'yellow' },
  over: { mark: MARK.fail, style: 'red' },
};

/** The session's name, its phase and its clock, as lines. */
export function renderHeader(look: Look, session: Session): string[] {
  const { header, role } = session;
  const as = header.mode === 'peer' ? `, as ${role}` : '';
  const title = wrap(look, `${header.kata.title} · mock interview${as}`);
  return [...title.split('\n').map((line) => paint(look, 'bold', line)), ...renderPhase(look, session)];
}

function renderPhase(look: Look, { state, guide, header, clock }: Session): string[] {
  if (state.status === 'waiting') return [`The clock has not begun. ${header.minutes} minutes.`];
  if (state.status === 'scoring') return [`All phases are over after ${sayDuration(elapsedMs(state, clock.nowMs()))}.`];
  const phase = phaseOf(guide, state.phase);
  const nowMs = clock.nowMs();
  const planned = plannedMs(phase, header.minutes);
  const { urgency, leftMs } = phaseClock(spentIn(state, phase.id, nowMs), planned);
  const { mark, style } = LOOKS[urgency];
  const left = {
    calm: `${sayDuration(leftMs)} left of ${sayDuration(planned)}`,
    'last-fifth': `last fifth: ${sayDuration(leftMs)} left of ${sayDuration(planned)}`,
    over: `over by ${sayDuration(leftMs)}, planned were ${sayDuration(planned)}`,
  }[urgency];
  const paused = state.status === 'paused' ? 'paused, ' : '';
  const totalLeftMs = header.minutes * 60_000 - elapsedMs(state, nowMs);
  const total = totalLeftMs >= 0 ? `${sayDuration(totalLeftMs)} left` : `over by ${sayDuration(totalLeftMs)}`;
  return [
    ...wrap(look, `Phase ${PHASE_IDS.indexOf(phase.id) + 1} of ${PHASE_IDS.length}: ${phase.title}`).split('\n'),
    ...wrap(look, `${mark} ${paused}${left}`, { hang: 2 })
      .split('\n')
      .map((line) => paint(look, style, line)),
    `  in all ${total}`,
  ];
}
