// The whole screen: clock on top, keys at the bottom, and as much of the body as fits between them.
import { type Look, paint, wrap } from '../../terminal/look.ts';
import type { Session } from '../session.ts';
import { renderBody } from './render-body.ts';
import { renderHeader } from './render-clock.ts';
import type { Offer, View } from './view.ts';

export interface Drawn {
  readonly lines: readonly string[];
  /** Whether the body is longer than there is room. */
  readonly isLong: boolean;
  /** The largest scroll that still shows something new. */
  readonly scrollMax: number;
}

/** Lines of a screen that is `rows` high. */
export function drawScreen(look: Look, rows: number, session: Session, view: View, offers: readonly Offer[]): Drawn {
  const top = [...renderHeader(look, session), ''];
  const bottom = ['', ...renderBottom(look, view, offers)];
  const body = trimmed(renderBody(look, session, view));
  const room = Math.max(3, rows - top.length - bottom.length - 1);
  const scrollMax = Math.max(0, body.length - room);
  const from = Math.min(view.scroll, scrollMax);
  const shown = body.slice(from, from + room);
  const more = body.length - from - shown.length;
  if (more > 0) shown.splice(-1, 1, paint(look, 'dim', `  … ${more + 1} more lines: j`));
  // In a window too low for all of it the keys stay, and nothing scrolls away.
  return { lines: [...top, ...shown, ...bottom].slice(-rows), isLong: scrollMax > 0, scrollMax };
}

function renderBottom(look: Look, { typing, message, panel }: View, offers: readonly Offer[]): string[] {
  const said = message === '' ? [] : [...wrap(look, message).split('\n'), ''];
  if (typing !== null) {
    const label = typing.purpose === 'note' ? 'Note' : `Evidence for ${typing.score}`;
    const how = paint(look, 'dim', 'Enter keeps it, Esc puts it aside.');
    return [...said, ...wrap(look, `${label}: ${typing.text}▏`).split('\n'), how];
  }
  const keys = panel === 'asks' ? 'a letter ticks or unticks · Enter is done' : sayKeys(look, offers);
  return [...said, ...wrap(look, keys).split('\n')];
}

function sayKeys(look: Look, offers: readonly Offer[]): string {
  const scores = offers.filter(({ action }) => action === 'score');
  const rest = offers.filter(({ action }) => action !== 'score');
  const first = scores.length === 0 ? [] : [`${paint(look, 'bold', '1–4')} score`];
  return [...first, ...rest.map(({ key, says }) => `${paint(look, 'bold', key)} ${says}`)].join(' · ');
}

function trimmed(lines: readonly string[]): string[] {
  const first = lines.findIndex((line) => line !== '');
  return lines.slice(Math.max(0, first));
}
