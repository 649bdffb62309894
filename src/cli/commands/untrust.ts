import type { Command } from '../command.ts';
import { onThisMachine, TRUST_OPTIONS, type TrustArguments, trustArgumentsOf } from '../trust-arguments.ts';

export const untrust: Command<TrustArguments> = {
  name: 'untrust',
  summary: 'take it out of every store again',
  group: 'certificates',
  options: TRUST_OPTIONS,
  positionals: [],
  help: {
    lead: `Take out of every store of this machine what “headgate trust” has put there, now or earlier.
The CA itself stays where it is.`,
    examples: ['headgate untrust', 'headgate untrust --dry-run'],
  },
  parse: trustArgumentsOf,
  run: async (options, io) => (await import('../untrust.ts')).untrust(...(await onThisMachine(options, io))),
};
