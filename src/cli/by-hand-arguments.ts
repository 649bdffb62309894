import { MOST_WEIGHT } from '../control/control.ts';
import { ADMIN_OPTIONS, placeOf } from './admin-arguments.ts';
import type { HandCommand } from './by-hand.ts';
import type { Command, Positional } from './command.ts';
import { UsageError } from './usage-error.ts';

const NOTES = `It outlives a reload of the configuration, and not the end of the gateway. Requests under way finish.
Exit codes: 69 when no gateway answers, 77 when the token is missing, 1 when there is no such endpoint.`;

const ENDPOINT: readonly Positional[] = [
  { name: 'POOL', completes: 'pool' },
  { name: 'ENDPOINT', completes: 'endpoint' },
];

/** One of the commands that say what an endpoint of a running gateway is to do. */
export function byHand(
  name: HandCommand['command'],
  told: { readonly summary: string; readonly lead: string; readonly examples: readonly [string, ...string[]] },
): Command<HandCommand> {
  const { summary, lead, examples } = told;
  const weighs = name === 'weight';
  const hint = `For example: ${examples[0]}${weighs ? ', or default in place of 5' : ''}`;
  return {
    name,
    summary,
    group: 'gateway',
    options: ADMIN_OPTIONS,
    positionals: weighs ? [...ENDPOINT, { name: 'WEIGHT', completes: ['default'] }] : ENDPOINT,
    help: { lead, examples, notes: NOTES },
    hint,
    parse: (given, { environment }) => {
      const [pool, endpoint, weight] = given.positionals;
      if (pool === undefined) throw new UsageError(`“headgate ${name}” needs a pool and an endpoint`, hint);
      if (endpoint === undefined) throw new UsageError(`“headgate ${name}” needs an endpoint of “${pool}”`, hint);
      const named = { pool, endpoint, place: placeOf(given, environment), json: given.on('json') };
      if (name !== 'weight') return { ...named, command: name };
      if (weight === undefined) throw new UsageError('“headgate weight” needs a weight', hint);
      return { ...named, command: name, weight: weightOf(weight) };
    },
    run: async (options, io) => {
      const [{ accessTo }, { setByHand }] = await Promise.all([import('./admin-access.ts'), import('./by-hand.ts')]);
      return setByHand(options, accessTo(options.place, io), io);
    },
  };
}

function weightOf(text: string): number | null {
  if (text === 'default') return null;
  const weight = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (weight <= MOST_WEIGHT) return weight;
  throw new UsageError(`“${text}” is not a weight`, `A weight is a whole number from 0 to ${MOST_WEIGHT}, or default`);
}
