import { ADMIN_OPTIONS, type AdminPlace, placeOf } from '../admin-arguments.ts';
import type { Command } from '../command.ts';

export interface StatusOptions {
  readonly place: AdminPlace;
  readonly json: boolean;
}

export const status: Command<StatusOptions> = {
  name: 'status',
  summary: 'how it is: listeners, pools, endpoints',
  group: 'gateway',
  options: ADMIN_OPTIONS,
  positionals: [],
  help: {
    lead: 'Tell how a running gateway is: listeners, pools, endpoints.',
    examples: ['headgate status', 'headgate status --json'],
    notes: 'Exit code: 69 when no gateway answers.',
  },
  parse: (given, { environment }) => ({ place: placeOf(given, environment), json: given.on('json') }),
  run: async ({ place, json }, io) => {
    const [{ accessTo }, { showStatus }] = await Promise.all([import('../admin-access.ts'), import('../status.ts')]);
    return showStatus(accessTo(place, io), json, io);
  },
};
