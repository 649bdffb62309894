import { closest, didYouMean, enumerate } from '../../config/suggest.ts';
import { TOP_KEYS, type TopKey } from '../../observe/top.ts';
import { ADMIN_OPTIONS, placeOf } from '../admin-arguments.ts';
import type { Command } from '../command.ts';
import type { TopOptions } from '../top.ts';
import { UsageError } from '../usage-error.ts';

const MOST_ROWS = 1_000;
const MOST_SECONDS = 3_600;

export const top: Command<TopOptions> = {
  name: 'top',
  summary: 'what is asked for most, how fast, and what fails',
  group: 'gateway',
  options: {
    by: { value: 'KEY', summary: `${TOP_KEYS.join(', ')}; route unless given`, completes: TOP_KEYS },
    window: { value: 'NUMBER', summary: 'how many seconds back; 10 unless given' },
    rows: { value: 'NUMBER', summary: 'how many; 20 unless given' },
    once: { summary: 'a single table, as where there is no terminal' },
    ...ADMIN_OPTIONS,
  },
  positionals: [{ name: 'FILTER' }],
  help: {
    lead: 'Show what the exchanges of the last seconds come to: how many, how many failed, how long they took.',
    examples: ['headgate top', 'headgate top --by client', "headgate top --by endpoint --once 'pool=users'"],
    notes: `Of what the gateway remembers (accessLog.recent): of a busy one that may be less than the window, and is told.
Exit codes: 69 when no gateway answers, 77 when the token is missing.`,
  },
  hint: 'A filter is one argument: put it in quotes',
  parse: (given, { environment }) => ({
    filter: given.positionals[0] ?? null,
    by: byIn(given.text('by')),
    windowSeconds: numberIn('window', given.text('window'), { preset: 10, most: MOST_SECONDS }),
    rows: numberIn('rows', given.text('rows'), { preset: 20, most: MOST_ROWS }),
    once: given.on('once') || given.on('json'),
    place: placeOf(given, environment),
    json: given.on('json'),
  }),
  run: async ({ place, ...options }, io) => {
    const [{ accessTo }, { showTop }] = await Promise.all([import('../admin-access.ts'), import('../top.ts')]);
    return showTop(options, accessTo(place, io), io);
  },
};

function byIn(text: string | undefined): TopKey {
  if (text === undefined) return 'route';
  const key = TOP_KEYS.find((known) => known === text);
  if (key !== undefined) return key;
  const near = closest(text, TOP_KEYS);
  const hint = near === null ? `It is ${enumerate(TOP_KEYS)}` : `D${didYouMean(near).slice(1)}`;
  throw new UsageError(`“${text}” is not a field that exchanges are put together by`, hint);
}

function numberIn(name: string, text: string | undefined, { preset, most }: { preset: number; most: number }): number {
  if (text === undefined) return preset;
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw new UsageError(`“${text}” is not a number for --${name}: 1 to ${most}`);
}
