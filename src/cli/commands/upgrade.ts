import { ADMIN_OPTIONS, type AdminPlace, placeOf } from '../admin-arguments.ts';
import type { Command } from '../command.ts';

export interface UpgradeOptions {
  readonly place: AdminPlace;
  readonly json: boolean;
}

export const upgrade: Command<UpgradeOptions> = {
  name: 'upgrade',
  summary: 'replace its workers by the code on disk',
  group: 'gateway',
  options: ADMIN_OPTIONS,
  positionals: [],
  help: {
    lead: `Have a running gateway with several workers replace each of them, one after the other, by a process that
runs the code that is on disk now. The new one serves before the old one drains: no connection is refused.`,
    examples: ['headgate upgrade', 'headgate upgrade --json'],
    notes:
      'Exit codes: 1 when a worker could not be replaced, 69 when no gateway answers, 77 when the token is missing.',
  },
  parse: (given, { environment }) => ({ place: placeOf(given, environment), json: given.on('json') }),
  run: async ({ place, json }, io) => {
    const [{ accessTo }, { orderUpgrade }] = await Promise.all([import('../admin-access.ts'), import('../upgrade.ts')]);
    return orderUpgrade(accessTo(place, io), json, io);
  },
};
