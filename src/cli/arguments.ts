import type { Command, Environment } from './command.ts';
import { help } from './commands/help.ts';
import { start } from './commands/start.ts';
import { version } from './commands/version.ts';
import { type Given, readOptions } from './options.ts';
import { COMMANDS } from './registry.ts';
import { unknownCommand } from './unknown-command.ts';
import { UsageError } from './usage-error.ts';
import { MAPPING_OPTIONS, mappingsOf } from './zero-config-arguments.ts';

/** What the command line asks for: a command, and what its `parse` made of the rest. */
export interface Invocation {
  readonly command: Command;
  readonly options: unknown;
}

/**
 * Understands a command line (without `node` and the script). Flags win over `HEADGATE_*` of the environment, which win
 * over defaults. No arguments at all ask for help.
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[], environment: Environment): Invocation {
  const [first] = argv;
  if (first === undefined) return { command: help, options: { topic: null } };
  const command = COMMANDS.find(({ name }) => name === first);
  if (command !== undefined) return parseCommand(command, argv.slice(1), environment);
  const asked = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  if (asked.some((argument) => argument === '--help' || argument === '-h')) {
    return { command: help, options: { topic: null } };
  }
  if (first === '--version' || first === '-V') return { command: version, options: {} };
  if (!/[=/]|^-|\d$/.test(first)) throw unknownCommand(first, COMMANDS); // neither ROUTE=TARGET nor a slip in one
  const given = readOptions(argv, MAPPING_OPTIONS, null);
  return { command: start, options: mappingsOf(given, environment) };
}

function parseCommand(command: Command, rest: readonly string[], environment: Environment): Invocation {
  const given = readOptions(rest, command.options, command.name);
  if (given.on('help')) return { command: help, options: { topic: command } };
  if (given.on('version')) return { command: version, options: {} };
  refuseStray(command, given);
  return { command, options: command.parse(given, { environment, commands: COMMANDS }) };
}

function refuseStray({ name, group, positionals, options, hint }: Command, given: Given): void {
  if (positionals.at(-1)?.repeated === true) return;
  const stray = given.positionals[positionals.length];
  if (stray === undefined) return;
  const takesPath = group !== 'gateway' && positionals.length === 0 && 'config' in options;
  const nearest = takesPath ? `A configuration is named by -c: headgate ${name} -c ${stray}` : (hint ?? null);
  throw new UsageError(`“headgate ${name}” does not take “${stray}”`, nearest);
}
