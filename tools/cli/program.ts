// Commander's program, made from the registry.
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { COMMANDS, type CommandEntry, type OptionEntry } from './registry.ts';

/** Told which command was asked for; its promise is the program's. */
export type Chosen = (name: string, args: (string | undefined)[], options: Record<string, unknown>) => Promise<void>;

const ABOUT = 'Airplane Mode: katas of mobile system design, graded on a simulated phone.';
const FOOTER = `
Examples:
  npx kata                       the map and the next step
  npx kata start offline-queue   begin a kata
  npx kata watch offline-queue   work on it
  npx kata grade offline-queue   how good is it?

Exit codes: 0 bar reached, 1 below it, 2 the attempt cannot be loaded, 3 timed out or
incomplete, 64 called wrongly, 70 our own fault.
Colour is left out with NO_COLOR=1; KATA_DEBUG=1 shows where a fault of ours happened.`;

/** The program: parses arguments, throws commander's errors, writes help through `print`. */
export function createProgram(chosen: Chosen, print: (text: string) => void): Command {
  const program = new Command('kata')
    .description(ABOUT)
    .usage('[command] [slug]')
    .exitOverride()
    .helpCommand('help [command]', 'help on a command')
    .version(packageJson.version, '-V, --version', 'the version of this course')
    .helpOption('-h, --help', 'this help')
    .addHelpText('after', FOOTER)
    .configureOutput({ writeOut: print, outputError: () => undefined });
  for (const entry of COMMANDS) addCommand(program, entry, chosen);
  return program;
}

function addCommand(program: Command, entry: CommandEntry, chosen: Chosen): void {
  const hidden = entry.hidden ?? false;
  const command = program.command(entry.name, { hidden, isDefault: entry.name === 'home' });
  command.description(entry.says).allowExcessArguments(false).helpOption('-h, --help', 'this help');
  for (const { name, says } of entry.args ?? []) command.addArgument(new Argument(name, says));
  for (const option of entry.options ?? []) command.addOption(toOption(option));
  const examples = entry.examples.map((example) => `  npx kata ${example}`);
  command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
  command.action((...given: unknown[]) => {
    const args = given.slice(0, entry.args?.length ?? 0).map((arg) => (typeof arg === 'string' ? arg : undefined));
    return chosen(entry.name, args, command.opts());
  });
}

function toOption({ flags, says, value }: OptionEntry): Option {
  const option = new Option(flags, says);
  if (value === undefined) return option;
  if (typeof value !== 'string') return option.choices(value);
  const [least, most] = { count: [1, 1_000_000], seed: [0, 2 ** 31 - 1], port: [0, 65_535], number: [1, 100_000] }[
    value
  ];
  return option.argParser((text) => wholeNumber(text, least ?? 0, most ?? 0));
}

function wholeNumber(text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
}
