// A story as a Mermaid sequence diagram, for export to places that render it.
// Mermaid draws no slanted arrows, so a message that is overtaken says in words when it arrives.
import type { Story, StoryEvent } from '../report.ts';
import { firstViolation, inOrder, isLost, isOvertaken, LANES, type Lane, phonesOf, says } from './lanes.ts';
import { oneLine, plainText } from './plain-text.ts';
import { clock } from './words.ts';

/** The text of a `sequenceDiagram`, without a fence around it. */
export function renderMermaidDiagram(story: Story): string {
  const told = plainText(story);
  const events = inOrder(told);
  const phones = phonesOf(told);
  const violation = firstViolation(events);
  return [
    'sequenceDiagram',
    ...participants(phones),
    ...events.map((event, n) => `  ${statement(event, n === violation, isOvertaken(events, n))}`),
  ].join('\n');
}

function participants(phones: readonly number[]): string[] {
  const own = phones.flatMap((phone) =>
    LANES.filter((lane) => lane !== 'server').map(
      (lane) => `  participant ${idOf(phone, lane)} as ${phones.length > 1 ? `${lane} ${phone + 1}` : lane}`,
    ),
  );
  return [...own, '  participant server'];
}

const idOf = (phone: number, lane: Lane): string => (lane === 'server' ? 'server' : `${lane}${phone + 1}`);

function statement(event: StoryEvent, isViolation: boolean, isLate: boolean): string {
  const from = idOf(event.phone, event.lane);
  const words = `${clock(event.atMs)} ${isViolation ? 'BROKEN: ' : ''}${says(event)}`;
  if (event.to === null) return `Note over ${from}: ${escapeMermaid(isLost(event) ? `✗ ${words}` : words)}`;
  const arrow = isLost(event) ? '-x' : '->>';
  const late = event.arrivesAtMs === null || !isLate || isLost(event) ? '' : `, arrives ${clock(event.arrivesAtMs)}`;
  return `${from}${arrow}${idOf(event.phone, event.to)}: ${escapeMermaid(words + late)}`;
}

/**
 * A text as it may stand after the colon of a statement: `;` ends a statement, `#` begins an entity, and angle
 * brackets are read as HTML. Mermaid's own entities are written `#59;`.
 */
function escapeMermaid(text: string): string {
  return oneLine(text).replace(/[;#<>&`{}%]|\bend\b/gi, (found) =>
    [...found].map((character, n) => (n === 0 ? `#${character.codePointAt(0)};` : character)).join(''),
  );
}
