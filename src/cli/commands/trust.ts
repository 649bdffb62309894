import type { Command } from '../command.ts';
import { onThisMachine, TRUST_OPTIONS, type TrustArguments, trustArgumentsOf } from '../trust-arguments.ts';

export const trust: Command<TrustArguments> = {
  name: 'trust',
  summary: 'let this machine and its browsers trust the local CA',
  group: 'certificates',
  options: TRUST_OPTIONS,
  positionals: [],
  help: {
    lead: 'Let this machine trust the local CA, in the system’s store and the browsers’ (Chromium, Firefox).',
    examples: ['headgate trust', 'headgate trust --dry-run'],
    notes: `The CA is made if there is none. What will run is shown before it does. The system’s store takes root:
without it the commands are shown, with sudo. A second time nothing changes.
Exit codes: 77 when something is left to root, 1 when something failed or is missing.`,
  },
  parse: trustArgumentsOf,
  run: async (options, io) => (await import('../trust.ts')).trust(...(await onThisMachine(options, io))),
};
