// SQL text as far as a phone must understand it: what a statement does to a transaction, and where the next one begins.
import { byteLength } from './byte-length.ts';
import { remembered } from './remembered.ts';

/** What a statement does: `begin` takes no lock before the first write, `begin-now` does. */
export type StatementKind = 'read' | 'write' | 'begin' | 'begin-now' | 'commit' | 'rollback';

const LEADING = /^(?:\s|;|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/;

/** The kind of a text's first statement. */
function kindOf(sql: string): StatementKind {
  const text = sql.replace(LEADING, '');
  const first = /^\w+/.exec(text)?.[0].toUpperCase();
  switch (first) {
    case 'SELECT':
    case 'VALUES':
    case 'EXPLAIN':
    // Nothing but blanks and comments.
    case undefined:
      return 'read';
    case 'PRAGMA':
      return text.includes('=') ? 'write' : 'read';
    case 'WITH':
      return /\b(INSERT|UPDATE|DELETE|REPLACE)\b/i.test(text) ? 'write' : 'read';
    case 'BEGIN':
      return /^BEGIN\s+(IMMEDIATE|EXCLUSIVE)/i.test(text) ? 'begin-now' : 'begin';
    case 'COMMIT':
    case 'END':
      return 'commit';
    case 'ROLLBACK':
      return /^ROLLBACK\s+(TRANSACTION\s+)?TO\b/i.test(text) ? 'write' : 'rollback';
    default:
      return 'write';
  }
}

/** One statement, as a connection has to know it. */
export const readStatement = remembered((sql: string) => ({
  kind: kindOf(sql),
  hasRows: hasRows(sql),
  // Back to a savepoint, the schema is again what it was there.
  changesSchema: /^(CREATE|ALTER|DROP|ROLLBACK)\b/i.test(trimStart(sql)),
}));

/** Whether a statement answers with rows: most texts tell, and asking SQLite would cost more than running them. */
function hasRows(sql: string): boolean | 'perhaps' {
  if (kindOf(sql) === 'read') return true;
  return /^PRAGMA\b/i.test(trimStart(sql)) || /\bRETURNING\b/i.test(sql) ? 'perhaps' : false;
}

/** A whole text, as a phone has to know it: see the functions below. Runs meet the same texts again and again. */
export const readText = remembered((source: string) => ({
  kind: kindOfText(source),
  makesRoom: makesRoom(source),
  statements: countStatements(source),
  brief: brief(source),
  sizeBytes: byteLength(source),
}));

/** The kind of a whole text: that of its one statement, and of several `write` when one of them is written to the disk. */
function kindOfText(source: string): StatementKind {
  const kinds = statements(source).map(kindOf);
  if (kinds.length > 1 && kinds.some((kind) => kind === 'write' || kind === 'commit')) return 'write';
  return kinds[0] ?? 'read';
}

const ROOMY = /^(BEGIN|DELETE|DROP|ROLLBACK|COMMIT|END|PRAGMA)\b/i;

/** Whether a text makes room rather than takes it. */
const makesRoom = (source: string): boolean => statements(source).every((sql) => ROOMY.test(sql));

/** About the statements of a text: a semicolon in a value or a trigger cuts as well. Good enough to tell what a text does. */
const statements = (source: string): string[] =>
  source
    .split(';')
    .map(trimStart)
    .filter((sql) => sql !== '');

/** The text without the blanks and comments it begins with. */
export const trimStart = (sql: string): string => sql.replace(LEADING, '');

/** About how many statements a text holds: where it can be cut by a kill. */
const countStatements = (source: string): number => Math.max(1, statements(source).length);

/** A statement in one short line, as a trace shows it. */
function brief(sql: string): string {
  const line = sql.replace(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
