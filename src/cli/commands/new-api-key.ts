import type { Command } from '../command.ts';
import { JSON_OPTION } from '../shared-options.ts';
import { UsageError } from '../usage-error.ts';

export interface NewApiKeyOptions {
  /** Whose key it is. */
  readonly owner: string;
  readonly json: boolean;
}

const EXAMPLE = 'For example: headgate new-api-key ci >> keys.yaml';

export const newApiKey: Command<NewApiKeyOptions> = {
  name: 'new-api-key',
  summary: 'make an API key, and what is kept of it',
  group: 'configuration',
  options: { ...JSON_OPTION },
  positionals: [{ name: 'NAME' }],
  help: {
    lead: `Make an API key for auth.apiKey of a route: the key on standard error, which is shown this once; on standard
output what goes into the file of keys, from which nobody can tell the key.`,
    examples: ['headgate new-api-key ci >> keys.yaml', 'headgate new-api-key ci --json'],
    notes: '--json has both, name, key and digest: keep it to yourself.',
  },
  hint: EXAMPLE,
  parse: (given) => {
    const [owner] = given.positionals;
    if (owner === undefined) throw new UsageError('“headgate new-api-key” needs a name', EXAMPLE);
    if (!/^[\x21-\x7e]{1,128}$/.test(owner)) {
      throw new UsageError(`“${owner}” is not a name of a key: 1–128 characters of ASCII without blanks`, EXAMPLE);
    }
    return { owner, json: given.on('json') };
  },
  run: async (options, io) => (await import('../new-api-key.ts')).newApiKey(options, io),
};
