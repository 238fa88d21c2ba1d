// Turns YAML text into checked data. Every complaint names file, field, what must be there and what is.
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { CourseError, type CourseProblem } from './course-problem.ts';

/** Parses YAML and checks it. `file` is how messages call it. @throws CourseError with all that is wrong */
export function parseYaml<T>(schema: z.ZodType<T>, text: string, file: string, firstLine = 1): T {
  return validate(schema, readYaml(text, file, firstLine), file);
}

function readYaml(text: string, file: string, firstLine: number): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length === 0) return document.toJS();
  throw new CourseError(
    document.errors.map((error) => ({
      file,
      field: `line ${lines.linePos(error.pos[0]).line + firstLine - 1}`,
      message: `must be YAML, but: ${error.message}. Mend that line.`,
    })),
  );
}

/** Checks data against a schema. @throws CourseError with all that is wrong */
export function validate<T>(schema: z.ZodType<T>, data: unknown, file: string): T {
  const result = schema.safeParse(data, { error: sayIssue });
  if (result.success) return result.data;
  throw new CourseError(
    result.error.issues.flatMap((issue): CourseProblem[] => {
      const whole = issue.path.length === 0 && issue.code !== 'unrecognized_keys';
      return [{ file, field: whole ? null : fieldOf(issue), message: ended(issue, valueAt(data, issue.path)) }];
    }),
  );
}

/** `criteria[3].points`; an unknown key is a field of its own. */
function fieldOf(issue: z.core.$ZodIssue): string {
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path;
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

/** Adds what stands there now, so that the author need not look. */
function ended(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') return `${issue.message}.`;
  const shown = value === undefined ? 'is missing' : `is ${shorten(JSON.stringify(value))}`;
  return `${issue.message}, but ${shown}.`;
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    data,
  );
}

/** What zod found, in our words. Texts given in a schema itself go first. */
function sayIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? `of the type ${issue.expected}`}`;
    case 'invalid_value':
      return `must be ${oneOf(issue.values.map(String))}`;
    case 'too_small':
      return `must be ${sized(issue.origin, `at least ${issue.minimum}`)}`;
    case 'too_big':
      return `must be ${sized(issue.origin, `at most ${issue.maximum}`)}`;
    case 'unrecognized_keys':
      return 'is not a field we know. Check its spelling, or take it out';
    case 'invalid_key':
      return `has an entry whose name cannot be: ${issue.issues.map((inner) => inner.message).join('; ')}`;
    default:
      return undefined;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text (put quotes around it if it looks like a number or a date)',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a block of fields',
  record: 'a block of fields',
};

function sized(origin: string, bound: string): string {
  if (origin === 'array') return `a list of ${bound} entries`;
  if (origin === 'string') return `a text of ${bound} characters`;
  return bound;
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : `one of ${values.join(', ')}`;
}
