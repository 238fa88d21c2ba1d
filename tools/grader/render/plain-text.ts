// Takes out of a text what only a terminal understands: an attempt's own words may hold anything.
import { stripVTControlCharacters } from 'node:util';

// Control characters are also illegal in XML, so a drawing with one would not open. New lines stay.
const CONTROL = /[\p{Cc}\p{Cs}\p{Bidi_Control}]/gu;

const plain = (text: string): string =>
  stripVTControlCharacters(text)
    .replaceAll('\r\n', '\n')
    .replaceAll('\t', '  ')
    .replace(CONTROL, (character) => (character === '\n' ? '\n' : ''));

/** A copy of some data with every string in it free of colour codes and control characters, but for new lines. */
export function plainText<T>(data: T): T {
  const copy: T = JSON.parse(JSON.stringify(data), (_, value) => (typeof value === 'string' ? plain(value) : value));
  return copy;
}

/** A text on one line: runs of white space become one blank. */
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
