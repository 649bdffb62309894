import { isLocalName } from '../../config/local-name.ts';
import type { Command } from '../command.ts';
import { CERTS_OPTION, JSON_OPTION } from '../shared-options.ts';
import { localCaDirectory } from '../trust-arguments.ts';
import { UsageError } from '../usage-error.ts';

export interface CertArguments {
  /** Host names, `*.name`, IP addresses, in lower case; at least one. */
  readonly names: readonly string[];
  /** Where the local CA is kept; `null` for where it usually is. */
  readonly certs: string | null;
  readonly out: string | null;
  readonly json: boolean;
}

const EXAMPLE = 'For example: headgate cert app.localhost';

export const cert: Command<CertArguments> = {
  name: 'cert',
  summary: 'make a certificate of the local CA',
  group: 'certificates',
  options: {
    out: {
      value: 'DIR',
      short: 'o',
      summary: 'put a copy of certificate and key there',
      completes: 'directory',
    },
    ...CERTS_OPTION,
    ...JSON_OPTION,
  },
  positionals: [{ name: 'NAME', repeated: true }],
  help: {
    lead: `Make a certificate of the local CA, for a server of your own, and tell where its files are.
It is the same one each time, until it is about to end.`,
    examples: ['headgate cert db.localhost', "headgate cert shop.test '*.shop.test' 10.0.0.7 --out tls/"],
  },
  hint: EXAMPLE,
  parse: (given) => {
    const names = given.positionals.map((name) => name.toLowerCase());
    const wrong = names.find((name) => !isLocalName(name));
    if (names.length === 0) throw new UsageError('“headgate cert” needs a name', EXAMPLE);
    if (wrong !== undefined) throw new UsageError(`“${wrong}” is not a host name, *.name, or IP address`, EXAMPLE);
    return { names, certs: given.text('certs') ?? null, out: given.text('out') ?? null, json: given.on('json') };
  },
  run: async ({ certs, ...options }, io) => {
    const [{ cert: make }, { thisMachine }] = await Promise.all([import('../cert.ts'), import('../trust/machine.ts')]);
    const { home } = thisMachine(io.environment);
    const directory = await localCaDirectory(certs, { environment: io.environment, home });
    return make({ ...options, directory }, io);
  },
};
