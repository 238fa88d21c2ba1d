// The one place that writes to the terminal.
import { type Look, lookOf, paint, type Style, wrap } from '../terminal/look.ts';
import { EXIT } from './exit-code.ts';

export interface Output {
  /** How standard output looks. */
  readonly look: Look;
  /** Whether a person is at both ends: keys can be asked for. */
  readonly isInteractive: boolean;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  /** A text on standard output, then a line end. */
  print(text?: string): void;
  /** A text on standard error, then a line end: warnings, faults, progress. */
  warn(text: string): void;
  paint(style: Style, text: string): string;
}

interface Streams {
  readonly stdin: { isTTY?: boolean };
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Output to a process's streams. A reader that goes away (`| head`) ends the command quietly. */
export function createOutput({ stdin, stdout, stderr }: Streams = process): Output {
  const look = lookOf(stdout);
  for (const stream of [stdout, stderr]) stream.on('error', leaveQuietly);
  return {
    look,
    isInteractive: stdin.isTTY === true && stdout.isTTY === true,
    isTerminal: stdout.isTTY === true,
    print: (text = '') => {
      stdout.write(`${text}\n`);
    },
    warn: (text) => {
      stderr.write(`${stderr.isTTY ? fold(lookOf(stderr), text) : text}\n`);
    },
    paint: (style, text) => paint(look, style, text),
  };
}

/** Wraps lines that are too long, each under its own indent. */
function fold(look: Look, text: string): string {
  return text
    .split('\n')
    .map((line) => (line.length > look.width ? wrap(look, line, { indent: line.search(/\S|$/) }) : line))
    .join('\n');
}

function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  process.exit(EXIT.fault);
}
