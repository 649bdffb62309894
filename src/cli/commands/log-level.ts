import { closest, didYouMean } from '../../config/suggest.ts';
import { LOG_LEVELS, type LogLevel } from '../../observe/log-level.ts';
import { ADMIN_OPTIONS, type AdminPlace, placeOf } from '../admin-arguments.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../usage-error.ts';

export interface LogLevelOptions {
  /** `null`: tell what it is. */
  readonly level: LogLevel | null;
  readonly place: AdminPlace;
  readonly json: boolean;
}

export const logLevel: Command<LogLevelOptions> = {
  name: 'log-level',
  summary: 'have it log more or less; or tell how much it does',
  group: 'gateway',
  options: ADMIN_OPTIONS,
  positionals: [{ name: 'LEVEL', completes: LOG_LEVELS }],
  help: {
    lead: `Have a running gateway log more or less: ${LOG_LEVELS.join(', ')}. Without a level: tell which it is.`,
    examples: ['headgate log-level', 'headgate log-level debug'],
    notes: `It holds until the gateway ends. The access log is another matter.
Exit codes: 69 when no gateway answers, 77 when the token is missing.`,
  },
  parse: (given, { environment }) => ({
    level: levelOf(given.positionals[0]),
    place: placeOf(given, environment),
    json: given.on('json'),
  }),
  run: async ({ level, place, json }, io) => {
    const [{ accessTo }, { setLogLevel }] = await Promise.all([
      import('../admin-access.ts'),
      import('../log-level.ts'),
    ]);
    return setLogLevel(level, { access: accessTo(place, io), json }, io);
  },
};

function levelOf(text: string | undefined): LogLevel | null {
  if (text === undefined) return null;
  const level = LOG_LEVELS.find((known) => known === text);
  if (level !== undefined) return level;
  const near = closest(text, LOG_LEVELS);
  throw new UsageError(
    `“${text}” is not a level`,
    near === null ? `There are ${LOG_LEVELS.join(', ')}` : `D${didYouMean(near).slice(1)}`,
  );
}
