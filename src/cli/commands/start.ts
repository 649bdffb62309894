import type { Command } from '../command.ts';
import { CONFIG_OPTION, configPathOf } from '../shared-options.ts';
import type { StartOptions } from '../start.ts';

export const start: Command<StartOptions> = {
  name: 'start',
  summary: 'run the gateway',
  group: 'run',
  options: {
    ...CONFIG_OPTION,
    demo: { summary: 'run the three demo services of the starter configuration too' },
    strict: { summary: 'refuse what would be quarantined: routes, pools and certificates that can’t be used' },
  },
  positionals: [],
  help: {
    lead: 'Run the gateway.',
    examples: ['headgate start', 'headgate start -c gateway.yaml', 'HEADGATE_CONFIG=/etc/headgate headgate start'],
    notes: 'SIGTERM and Ctrl-C let exchanges finish; a second Ctrl-C does not. SIGUSR2 opens log files again.',
  },
  parse: (given, { environment }) => ({
    path: configPathOf(given, environment),
    inline: null,
    demo: given.on('demo'),
    strict: given.on('strict'),
  }),
  run: async (options) => (await import('../start.ts')).start(options),
};
