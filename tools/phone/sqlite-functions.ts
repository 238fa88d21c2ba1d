// What SQL could know of the real world, bound to the phone: its clock and drawn randomness.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { remembered } from './remembered.ts';

/** What a database asks of the phone it lies on. */
export interface SqliteSurroundings {
  /** The phone's clock at the present statement, in ms since 1970. */
  nowMs(): number;
  /** 32 drawn bits. */
  random32(): number;
}

const DATE_FUNCTIONS = ['date', 'time', 'datetime', 'julianday', 'unixepoch', 'strftime'] as const;
const KEYWORDS = { current_timestamp: 'datetime', current_date: 'date', current_time: 'time' } as const;

/** Whether a text may ask for any of them: few do, and to bind them takes longer than most statements. */
export const namesFunctions = remembered((sql) =>
  /\b(?:date|time|datetime|julianday|unixepoch|strftime|current_\w+|random|randomblob)\b/i.test(sql),
);

/** A database of no phone: it computes with the built-in functions, which a phone's own database has replaced. */
let calculator: DatabaseSync | null = null;
const formulas = new Map<string, StatementSync>();

function compute(name: string, args: readonly unknown[]): string | number | null {
  const sql = `SELECT ${name}(${args.map(() => '?').join(', ')}) AS value`;
  let formula = formulas.get(sql);
  if (!formula) {
    calculator ??= new DatabaseSync(':memory:');
    formula = calculator.prepare(sql);
    formulas.set(sql, formula);
  }
  return (formula.get(...(args as string[])) as { value: string | number | null }).value;
}

/**
 * Binds `'now'`, CURRENT_TIMESTAMP and the like to the phone's clock, `random` and `randomblob` to its draws:
 * SQLite would read the machine's, and no two runs would be alike. `'localtime'` is UTC.
 */
export function bindFunctions(database: DatabaseSync, { nowMs, random32 }: SqliteSurroundings): void {
  const nowText = () => new Date(nowMs()).toISOString();
  const bound = (value: unknown) => (typeof value === 'string' && value.toLowerCase() === 'now' ? nowText() : value);
  // Deterministic within one statement, which is what indexes and generated columns ask for.
  const options = { deterministic: true, varargs: true };
  for (const name of DATE_FUNCTIONS) {
    const first = name === 'strftime' ? 1 : 0;
    database.function(name, options, (...args) =>
      compute(name, args.length > first ? args.map(bound) : [...args, nowText()]),
    );
  }
  for (const [keyword, name] of Object.entries(KEYWORDS)) {
    database.function(keyword, { deterministic: true }, () => compute(name, [nowText()]));
  }
  // As many bits as a number in JavaScript holds, and of either sign.
  database.function('random', () => BigInt.asIntN(53, (BigInt(random32()) << 32n) | BigInt(random32())));
  database.function('randomblob', (size) =>
    Uint8Array.from({ length: Math.max(1, Number(size)) }, () => random32() & 0xff),
  );
}
