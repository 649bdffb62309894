import { closest } from '../config/suggest.ts';
import type { Command } from './command.ts';
import { UsageError } from './usage-error.ts';

/** For what `text` is not; with the command that was meant, if one is near. */
export function unknownCommand(text: string, commands: readonly Command[]): UsageError {
  const names = commands.filter(({ group }) => group !== null).map(({ name }) => name);
  const near = closest(text, names);
  const listed = names.filter((name) => name !== 'help' && name !== 'version').join(', ');
  const hint =
    near === null ? `There are ${listed}; or ROUTE=TARGET, as in /api=3000` : `Did you mean “headgate ${near}”?`;
  return new UsageError(`“${text}” is not a command`, hint);
}
