// Every event as CSV, for a spreadsheet. https://www.rfc-editor.org/rfc/rfc4180
import type { Progress } from './progress.ts';

const COLUMNS = ['kind', 'kata', 'at', 'score', 'result', 'detail'] as const;

/** One line an event, oldest first, below a line of names. Lines end in CRLF, as the RFC has it. */
export function renderCsv({ events }: Progress): string {
  const rows = events.map((event) => COLUMNS.map((column) => cell(event[column])).join(','));
  return [COLUMNS.join(','), ...rows].map((row) => `${row}\r\n`).join('');
}

/** A text that begins like a formula would be one to a spreadsheet: it gets a quote in front. */
function cell(value: string | number | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
