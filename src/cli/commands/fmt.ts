import type { Command } from '../command.ts';
import type { FormatOptions } from '../fmt.ts';
import { CONFIG_OPTION, configPathOf } from '../shared-options.ts';
import { UsageError } from '../usage-error.ts';

const HINT = 'For example: headgate fmt routes/, or headgate fmt - < shop.yaml';

export const fmt: Command<FormatOptions> = {
  name: 'fmt',
  summary: 'format its files',
  group: 'configuration',
  options: {
    check: { summary: 'change nothing, name the files that would change' },
    ...CONFIG_OPTION,
  },
  positionals: [{ name: 'PATH', repeated: true, completes: 'path' }],
  help: {
    lead: `Write the files of a configuration as everybody writes them: keys in the order of the schema, two spaces,
quotes where they are needed. Comments and anchors stay, and what it means.`,
    examples: ['headgate fmt', 'headgate fmt --check', 'headgate fmt gateway.yaml', 'headgate fmt - < gateway.yaml'],
    notes: `A file that does not parse is not touched. - is standard input, to standard output.
Exit codes: 1 when --check finds a file that would change, 78 when one does not parse.`,
  },
  hint: HINT,
  parse: (given, { environment }) => {
    const { positionals } = given;
    const path = given.text('config');
    if (positionals.length > 0 && path !== undefined) {
      throw new UsageError('“headgate fmt” takes paths or --config, not both', HINT);
    }
    if (positionals.includes('-') && positionals.length > 1) {
      throw new UsageError('“headgate fmt -” takes no other path', HINT);
    }
    const paths = positionals.length > 0 ? positionals : [configPathOf(given, environment)];
    return { paths, check: given.on('check') };
  },
  run: async (options, io) => (await import('../fmt.ts')).format(options, io),
};
