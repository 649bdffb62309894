import { ADMIN_OPTIONS, type AdminPlace, placeOf } from '../admin-arguments.ts';
import type { Command } from '../command.ts';

export interface ReloadOptions {
  readonly place: AdminPlace;
  readonly json: boolean;
}

export const reload: Command<ReloadOptions> = {
  name: 'reload',
  summary: 'have it load its configuration anew',
  group: 'gateway',
  options: ADMIN_OPTIONS,
  positionals: [],
  help: {
    lead: `Have a running gateway load its configuration anew, and tell what has changed, or every mistake.
What has not changed is not disturbed; with a mistake, what served before serves on.`,
    examples: ['headgate reload', 'headgate reload --json'],
    notes:
      'Exit codes: 78 when the configuration has mistakes, 69 when no gateway answers, 77 when the token is missing.',
  },
  parse: (given, { environment }) => ({ place: placeOf(given, environment), json: given.on('json') }),
  run: async ({ place, json }, io) => {
    const [{ accessTo }, { orderReload }] = await Promise.all([import('../admin-access.ts'), import('../reload.ts')]);
    return orderReload(accessTo(place, io), json, io);
  },
};
