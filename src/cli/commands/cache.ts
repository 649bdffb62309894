import { ADMIN_OPTIONS, type AdminPlace, placeOf } from '../admin-arguments.ts';
import type { Command } from '../command.ts';
import { storedUrlOf } from '../stored-url.ts';

export interface CacheOptions {
  /** Everything that is stored for it; `null` for the figures. */
  readonly url: string | null;
  readonly place: AdminPlace;
  readonly json: boolean;
}

export const cache: Command<CacheOptions> = {
  name: 'cache',
  summary: 'what it has stored, for a URL or in all',
  group: 'gateway',
  options: ADMIN_OPTIONS,
  positionals: [{ name: 'URL' }],
  help: {
    lead: 'Tell what the cache of a running gateway has done and holds, or everything that it has stored for a URL.',
    examples: ['headgate cache', 'headgate cache https://shop.example/index.html'],
    notes: 'Exit codes: 69 when no gateway answers, 77 when the token is missing that looking at a URL needs.',
  },
  hint: 'For example: headgate cache https://shop.example/index.html',
  parse: (given, { environment }) => ({
    url: storedUrlOf('cache', given),
    place: placeOf(given, environment),
    json: given.on('json'),
  }),
  run: async (options, io) => {
    const [{ accessTo }, { showCache }] = await Promise.all([import('../admin-access.ts'), import('../cache.ts')]);
    return showCache(options, accessTo(options.place, io), io);
  },
};
