// Runs one command from its arguments to its exit code.
import type { CommanderError } from 'commander';
import { findCourseRoot } from '../course/course-root.ts';
import { CommandError } from './command-error.ts';
import { type CommandContext, createContext, type RunCommand, sayKatas } from './context.ts';
import { EXIT } from './exit-code.ts';
import { createOutput, type Output } from './output.ts';
import { createProgram } from './program.ts';
import { COMMANDS } from './registry.ts';

/** Runs `kata` with these arguments. Gives the exit code; never throws. */
export async function main(argv: readonly string[], output: Output = createOutput()): Promise<number> {
  try {
    return await runWith(argv, output);
  } catch (error) {
    return sayFailure(error, output);
  }
}

/** Runs another command from within one, such as `watch` from the map. */
export async function runCommand(
  context: CommandContext,
  name: string,
  args: readonly (string | undefined)[] = [],
  options: Record<string, unknown> = {},
): Promise<number> {
  const loaded: { run: RunCommand<Record<string, unknown>> } = await import(`./commands/${name}.ts`);
  return loaded.run(context, args, options);
}

async function runWith(argv: readonly string[], output: Output): Promise<number> {
  const root = findCourseRoot();
  if (root === undefined) {
    throw new CommandError('No course is here. Go to the folder of Airplane Mode and run this again.');
  }
  const context = createContext(root, output);
  let isInterrupted = false;
  const onInterrupt = () => {
    // Who asks twice does not want to wait.
    if (isInterrupted) process.exit(EXIT.interrupted);
    isInterrupted = true;
    context.interrupt().then(() => process.exit(EXIT.interrupted));
  };
  // Not `once`: a file that is being written has a listener, too, which takes the signal for unheard when it is the last one left.
  process.on('SIGINT', onInterrupt);
  for (const signal of ENDINGS) process.on(signal, leave);
  try {
    const exitCode = await parse(argv, context);
    return isInterrupted ? EXIT.interrupted : exitCode;
  } catch (error) {
    // What was stopped in its middle fails because it was stopped.
    if (isInterrupted) return EXIT.interrupted;
    throw error;
  } finally {
    context.close();
    process.off('SIGINT', onInterrupt);
    for (const signal of ENDINGS) process.off(signal, leave);
  }
}

/** A closed window and a polite `kill`: what was started must end, too, and does so at this process's exit. */
const ENDINGS = ['SIGHUP', 'SIGTERM'] as const;
const leave = (_signal: NodeJS.Signals, number: number): never => process.exit(128 + number);

async function parse(argv: readonly string[], context: CommandContext): Promise<number> {
  let exitCode: number = EXIT.ok;
  await refuseUnknownCommand(argv, context);
  const program = createProgram(
    async (name, args, options) => {
      exitCode = await runCommand(context, name, args, options);
    },
    (text) => context.output.print(text.trimEnd()),
  );
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (isCommanderError(error)) return await sayUsage(error, argv, context);
    throw error;
  }
}

async function refuseUnknownCommand([name]: readonly string[], context: CommandContext): Promise<void> {
  const names = [...COMMANDS.filter(({ hidden }) => !hidden).map((command) => command.name), 'help'];
  if (name === undefined || name.startsWith('-') || names.includes(name)) return;
  const { katas } = await context.catalogue();
  if (katas.some(({ slug }) => slug === name)) {
    throw new CommandError(`What shall be done with ${name}? For example: npx kata start ${name}`);
  }
  const { nearestSlug } = await import('../course/slug.ts');
  const near = nearestSlug(name, names);
  const advice = near === undefined ? `The commands are: ${names.join(', ')}.` : `Did you mean npx kata ${near}?`;
  throw new CommandError(`There is no command ${name}. ${advice}`);
}

const isCommanderError = (error: unknown): error is CommanderError =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('commander.');

/** What commander found wrong, and how to call the command. */
async function sayUsage(error: CommanderError, argv: readonly string[], context: CommandContext): Promise<number> {
  if (error.exitCode === 0 || error.code === 'commander.help') return EXIT.ok;
  const name = argv[0] ?? '';
  if (error.code === 'commander.missingArgument') {
    const { katas } = await context.catalogue();
    const wanted =
      name === 'new' ? 'Which name shall the new kata have?' : `Which kata? ${sayKatas(katas.map(({ slug }) => slug))}`;
    throw new CommandError(`${wanted}\nFor example: npx kata ${exampleOf(name, katas[0]?.slug)}`);
  }
  const message = error.message.replace(/^error: /, '').replace(/\n.*/s, (rest) => rest.replace('\n', ' '));
  throw new CommandError(`${message.charAt(0).toUpperCase()}${message.slice(1)}\nSee: npx kata ${name} --help`);
}

function exampleOf(name: string, slug: string | undefined): string {
  const example = COMMANDS.find((command) => command.name === name)?.examples[0] ?? name;
  return name === 'new' || slug === undefined ? example : `${name} ${slug}`;
}

async function sayFailure(error: unknown, output: Output): Promise<number> {
  if (process.env.KATA_DEBUG) output.warn(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (error instanceof CommandError) {
    output.warn(error.message);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  const isSaid = error instanceof Error && ['CourseError', 'CannotKeepFile'].includes(error.name);
  output.warn(isSaid ? message : sayOwnFault(message));
  return EXIT.fault;
}

const sayOwnFault = (message: string): string =>
  `This is a fault of the course, not of your code: ${message}\nRun the command again with KATA_DEBUG=1 to see where it happened, and report that.`;
