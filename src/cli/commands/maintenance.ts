import { MOST_RETRY_AFTER_SECONDS } from '../../control/maintenance-control.ts';
import { ADMIN_OPTIONS, type AdminPlace, placeOf } from '../admin-arguments.ts';
import type { Command } from '../command.ts';
import type { Given } from '../options.ts';
import { UsageError } from '../usage-error.ts';

export interface MaintenanceOptions {
  /** `null`: tell what is out of service. */
  readonly order: {
    /** `null`: all of them. */
    readonly route: string | null;
    readonly on: boolean;
    /** Seconds; `null` unless given. */
    readonly retryAfter: number | null;
  } | null;
  readonly place: AdminPlace;
  readonly json: boolean;
}

const EXAMPLE = 'For example: headgate maintenance on shop, or headgate maintenance off --all';

export const maintenance: Command<MaintenanceOptions> = {
  name: 'maintenance',
  summary: 'take a route out of service, or back; or tell what is',
  group: 'gateway',
  options: {
    all: { summary: 'all routes together' },
    'retry-after': { value: 'S', summary: 'seconds after which clients are told to come again; 60 unless given' },
    ...ADMIN_OPTIONS,
  },
  positionals: [{ name: 'on|off', completes: ['on', 'off'] }, { name: 'ROUTE' }],
  help: {
    lead: `Take a route of a running gateway out of service, or back: its clients get 503 with Retry-After.
Without on or off: tell what is out of service.`,
    examples: [
      'headgate maintenance',
      'headgate maintenance on shop --retry-after 600',
      'headgate maintenance off shop',
      'headgate maintenance on --all',
    ],
    notes: `It holds from the next request on, outlives a reload of the configuration, and not the end of the gateway.
Exit codes: 69 when no gateway answers, 77 when the token is missing, 1 when there is no such route.`,
  },
  hint: EXAMPLE,
  parse: (given, { environment }) => ({
    order: orderOf(given),
    place: placeOf(given, environment),
    json: given.on('json'),
  }),
  run: async (options, io) => {
    const [{ accessTo }, { setMaintenance }] = await Promise.all([
      import('../admin-access.ts'),
      import('../maintenance.ts'),
    ]);
    return setMaintenance(options, accessTo(options.place, io), io);
  },
};

function orderOf(given: Given): MaintenanceOptions['order'] {
  const [state, route] = given.positionals;
  const all = given.on('all');
  const retryAfter = secondsOf(given.text('retry-after'));
  if (state === undefined) {
    if (all || retryAfter !== null) throw new UsageError('“headgate maintenance” needs on or off', EXAMPLE);
    return null;
  }
  if (state !== 'on' && state !== 'off') throw new UsageError(`“${state}” is neither on nor off`, EXAMPLE);
  if (route === undefined && !all)
    throw new UsageError(`“headgate maintenance ${state}” needs a route, or --all`, EXAMPLE);
  if (route !== undefined && all) throw new UsageError('Either a route or --all', EXAMPLE);
  return { route: route ?? null, on: state === 'on', retryAfter };
}

function secondsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= MOST_RETRY_AFTER_SECONDS) return seconds;
  throw new UsageError(`“${text}” is not a number of seconds`, `From 1 to ${MOST_RETRY_AFTER_SECONDS}`);
}
