// Data within a story's texts, as a person reads it: whole ids and JSON's quotes are for machines.

const UUID = /\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi;
/** More than this is not read in a drawing; the trace has it whole. */
const CHARACTERS_MAX = 180;

/** A text with ids cut to their beginning and JSON at its end without quotes. */
export function readable(text: string): string {
  const told = dataInWords(text).replace(UUID, '$1');
  return told.length <= CHARACTERS_MAX ? told : `${told.slice(0, CHARACTERS_MAX - 1).trimEnd()}…`;
}

function dataInWords(text: string): string {
  const at = text.search(/[{[]/);
  if (at < 0) return text;
  try {
    return text.slice(0, at) + inWords(JSON.parse(text.slice(at)));
  } catch {
    // Not JSON, only a bracket in a sentence.
    return text;
  }
}

function inWords(data: unknown): string {
  if (typeof data === 'string') return data;
  if (typeof data !== 'object' || data === null) return String(data);
  if (Array.isArray(data)) return `[${data.map(inWords).join(', ')}]`;
  const pairs = Object.entries(data).map(([name, value]) => `${name}: ${inWords(value)}`);
  return `{${pairs.join(', ')}}`;
}
