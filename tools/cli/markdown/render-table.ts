import { columnsOf, type Look, padTo, paint, wrap } from '../../terminal/look.ts';

const GAP = '  ';
/** Narrower columns are no good to read: below this, rows are told one cell a line. */
const LEAST_COLUMNS = 12;

/** A table whose first row is its head: in columns where they fit, else row by row. Cells are finished text. */
export function renderTable(look: Look, rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = fitWidths(look.width - GAP.length * Math.max(0, head.length - 1), naturalWidths(rows));
  if (widths === null) return renderStacked(look, head, body);
  const rule = paint(look, 'dim', widths.map((width) => '─'.repeat(width)).join(GAP));
  const lines = body.map((row) => renderRow(look, row, widths));
  return [renderRow(look, head, widths, true), rule, ...lines].join('\n');
}

function naturalWidths(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_, column) => Math.max(1, ...rows.map((row) => columnsOf(row[column] ?? ''))));
}

/** Narrow columns get what they need; the rest share what is left. Null when that would be too little. */
function fitWidths(room: number, natural: readonly number[]): number[] | null {
  const widths = [...natural];
  let open = natural.map((_, column) => column);
  let left = room;
  while (open.length > 0) {
    const share = Math.floor(left / open.length);
    const fitting = open.filter((column) => (natural[column] ?? 0) <= share);
    if (fitting.length === 0) {
      if (share < LEAST_COLUMNS) return null;
      for (const column of open) widths[column] = share;
      return widths;
    }
    for (const column of fitting) left -= natural[column] ?? 0;
    open = open.filter((column) => !fitting.includes(column));
  }
  return widths;
}

function renderRow(look: Look, row: readonly string[], widths: readonly number[], isHead = false): string {
  const cells = widths.map((width, column) => wrap({ ...look, width }, row[column] ?? '').split('\n'));
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    widths
      .map((width, column) => {
        const text = padTo(cells[column]?.[line] ?? '', width);
        return isHead ? paint(look, 'bold', text) : text;
      })
      .join(GAP)
      .trimEnd(),
  ).join('\n');
}

function renderStacked(look: Look, head: readonly string[], body: readonly (readonly string[])[]): string {
  return body
    .map((row) =>
      row
        .map((cell, column) => wrap(look, `${paint(look, 'bold', `${head[column] ?? ''}:`)} ${cell}`, { hang: 2 }))
        .join('\n'),
    )
    .join('\n\n');
}
