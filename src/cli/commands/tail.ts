import { ADMIN_OPTIONS, placeOf } from '../admin-arguments.ts';
import type { Command } from '../command.ts';
import type { TailOptions } from '../tail.ts';
import { UsageError } from '../usage-error.ts';

const MOST_LINES = 1_000;

export const tail: Command<TailOptions> = {
  name: 'tail',
  summary: 'the exchanges that end now, by a filter',
  group: 'gateway',
  options: {
    lines: { value: 'NUMBER', short: 'n', summary: 'how many of the last ones first; 10 unless given' },
    'no-follow': { summary: 'end after them' },
    ...ADMIN_OPTIONS,
  },
  positionals: [{ name: 'FILTER' }],
  help: {
    lead: 'Show exchanges of a running gateway as they end, whether or not it writes an access log.',
    examples: [
      'headgate tail',
      "headgate tail 'status>=500 and path~^/api'",
      "headgate tail -n 100 --no-follow 'duration>1s'",
    ],
    notes: `FILTER: fields of the access log (status, path, route, duration, client, …), = != < <= > >= ~ !~ in (…),
and, or, not, parentheses. With --json: a line of JSON for each, as in the access log.
Exit codes: 69 when no gateway answers, or none answers any more, 77 when the token is missing.`,
  },
  hint: 'A filter is one argument: put it in quotes',
  parse: (given, { environment }) => ({
    filter: given.positionals[0] ?? null,
    lines: linesIn(given.text('lines')),
    follow: !given.on('no-follow'),
    place: placeOf(given, environment),
    json: given.on('json'),
  }),
  run: async ({ place, ...options }, io) => {
    const [{ accessTo }, { showTail }] = await Promise.all([import('../admin-access.ts'), import('../tail.ts')]);
    return showTail(options, accessTo(place, io), io);
  },
};

function linesIn(text: string | undefined): number {
  if (text === undefined) return 10;
  if (/^\d{1,4}$/.test(text) && Number(text) <= MOST_LINES) return Number(text);
  throw new UsageError(`“${text}” is not a number of lines: 0 to ${MOST_LINES}`);
}
