import type { ConfigInput } from '../config/schema/config.ts';
import { isLocalName } from '../config/schema/tls.ts';
import { closest } from '../config/suggest.ts';
import { ADMIN_OPTIONS, type AdminCommand, adminCommandOf } from './admin-arguments.ts';
import { PURGE_OPTIONS } from './cache-arguments.ts';
import { DEMO_PORTS, DEMO_SERVICES, type DemoName } from './demo.ts';
import { type Given, type OptionSpecs, readOptions } from './options.ts';
import { UsageError } from './usage-error.ts';
import { zeroConfig } from './zero-config.ts';

export const COMMANDS = [
  'start',
  'check',
  'routes',
  'route',
  'config',
  'schema',
  'status',
  'drain',
  'disable',
  'enable',
  'weight',
  'purge',
  'cache',
  'trust',
  'untrust',
  'cert',
  'demo',
  'help',
  'version',
] as const;
export type CommandName = (typeof COMMANDS)[number];

/** What the command line asks for. `path` is the configuration's directory or file. */
export type Command =
  | { readonly command: 'help'; readonly topic: CommandName | null }
  | { readonly command: 'version' }
  | {
      readonly command: 'start';
      readonly path: string;
      /** `ROUTE=TARGET` arguments as a configuration, in place of files. */
      readonly inline: ConfigInput | null;
      readonly demo: boolean;
      readonly strict: boolean;
    }
  | { readonly command: 'check'; readonly path: string; readonly json: boolean }
  | { readonly command: 'routes'; readonly path: string; readonly json: boolean }
  | {
      readonly command: 'route';
      readonly path: string;
      readonly method: string;
      readonly url: URL;
      /** Flat: name, value, … */
      readonly headers: readonly string[];
      readonly explain: boolean;
      readonly json: boolean;
    }
  | { readonly command: 'config'; readonly path: string; readonly json: boolean }
  | { readonly command: 'schema' }
  | AdminCommand
  | {
      readonly command: 'trust' | 'untrust';
      /** Where the local CA is kept; `null` for where it usually is. */
      readonly certs: string | null;
      readonly dryRun: boolean;
      readonly json: boolean;
    }
  | {
      readonly command: 'cert';
      readonly names: readonly string[];
      readonly certs: string | null;
      readonly out: string | null;
      readonly json: boolean;
    }
  | { readonly command: 'demo'; readonly service: DemoName; readonly address: string; readonly port: number };

type Environment = Readonly<Record<string, string | undefined>>;

const CONFIG = { config: { type: 'string', short: 'c' } } as const;
const CERTS = { certs: { type: 'string' } } as const;
const JSON_SWITCH = { json: { type: 'boolean' } } as const;

/** The options of each command, besides --help. */
const OPTIONS: Readonly<Record<CommandName, OptionSpecs>> = {
  start: { ...CONFIG, demo: { type: 'boolean' }, strict: { type: 'boolean' } },
  check: { ...CONFIG, ...JSON_SWITCH },
  routes: { ...CONFIG, ...JSON_SWITCH },
  route: {
    ...CONFIG,
    ...JSON_SWITCH,
    header: { type: 'string', short: 'H', multiple: true },
    explain: { type: 'boolean' },
  },
  config: { ...CONFIG, ...JSON_SWITCH },
  schema: {},
  status: ADMIN_OPTIONS,
  drain: ADMIN_OPTIONS,
  disable: ADMIN_OPTIONS,
  enable: ADMIN_OPTIONS,
  weight: ADMIN_OPTIONS,
  purge: { ...ADMIN_OPTIONS, ...PURGE_OPTIONS },
  cache: ADMIN_OPTIONS,
  trust: { ...JSON_SWITCH, ...CERTS, 'dry-run': { type: 'boolean' } },
  untrust: { ...JSON_SWITCH, ...CERTS, 'dry-run': { type: 'boolean' } },
  cert: { ...JSON_SWITCH, ...CERTS, out: { type: 'string', short: 'o' } },
  demo: { address: { type: 'string' }, port: { type: 'string' } },
  help: {},
  version: {},
};

const ZERO_CONFIG_OPTIONS: OptionSpecs = {
  listen: { type: 'string' },
  port: { type: 'string', short: 'p' },
  'http-port': { type: 'string' },
  'admin-port': { type: 'string' },
};

/**
 * Understands a command line (without `node` and the script). Flags win over `HEADGATE_*` of the environment, which win
 * over defaults. No arguments at all ask for help.
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[], environment: Environment): Command {
  const [first] = argv;
  if (first === undefined) return { command: 'help', topic: null };
  if (isCommand(first)) return parseCommand(first, argv.slice(1), environment);
  const asked = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  if (asked.some((argument) => argument === '--help' || argument === '-h')) return { command: 'help', topic: null };
  if (first === '--version' || first === '-V') return { command: 'version' };
  if (!/[=/]|^-|\d$/.test(first)) throw unknownCommand(first); // neither ROUTE=TARGET nor a slip in one
  return parseZeroConfig(argv, environment);
}

function isCommand(text: string): text is CommandName {
  return COMMANDS.some((command) => command === text);
}

function parseCommand(command: CommandName, rest: readonly string[], environment: Environment): Command {
  const given = readOptions(rest, OPTIONS[command], command);
  if (given.on('help')) return { command: 'help', topic: command };
  const path = given.text('config') ?? environment['HEADGATE_CONFIG'] ?? 'routes';
  const json = given.on('json');
  switch (command) {
    case 'help':
      return { command, topic: helpTopic(given.positionals) };
    case 'route':
      return { ...requestOf(given), command, path, json, explain: given.on('explain') };
    case 'demo':
      return demoOf(given);
    case 'status':
    case 'drain':
    case 'disable':
    case 'enable':
    case 'weight':
    case 'purge':
    case 'cache':
      return adminCommandOf(command, given, environment);
    case 'start':
      refusePositionals(command, given.positionals);
      return { command, path, inline: null, demo: given.on('demo'), strict: given.on('strict') };
    case 'trust':
    case 'untrust':
      refusePositionals(command, given.positionals);
      return { command, certs: given.text('certs') ?? null, dryRun: given.on('dry-run'), json };
    case 'cert':
      return { command, ...certOf(given), json };
    case 'schema':
    case 'version':
      refusePositionals(command, given.positionals);
      return { command };
    default:
      refusePositionals(command, given.positionals);
      return { command, path, json };
  }
}

function parseZeroConfig(argv: readonly string[], environment: Environment): Command {
  const given = readOptions(argv, ZERO_CONFIG_OPTIONS, null);
  if (given.positionals.length === 0) throw new UsageError('There is no command', 'For example: headgate start');
  const inline = zeroConfig(given.positionals, {
    ...ifGiven('listen', given.text('listen') ?? environment['HEADGATE_LISTEN']),
    ...ifGiven('port', portOf('--port', given.text('port') ?? environment['HEADGATE_PORT'])),
    ...ifGiven('httpPort', portOf('--http-port', given.text('http-port'))),
    ...ifGiven('adminPort', portOf('--admin-port', given.text('admin-port'))),
  });
  return { command: 'start', path: '', inline, demo: false, strict: false };
}

function ifGiven<K extends string, V>(key: K, value: V | undefined): { readonly [Key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [Key in K]: V });
}

function unknownCommand(text: string): UsageError {
  const near = closest(text, COMMANDS);
  const commands = COMMANDS.filter((command) => command !== 'help' && command !== 'version').join(', ');
  const hint =
    near === null ? `There are ${commands}; or ROUTE=TARGET, as in /api=3000` : `Did you mean “headgate ${near}”?`;
  return new UsageError(`“${text}” is not a command`, hint);
}

function refusePositionals(command: CommandName, [first]: readonly string[]): void {
  if (first === undefined) return;
  const takesPath = 'config' in OPTIONS[command];
  const hint = takesPath ? `A configuration is named by -c: headgate ${command} -c ${first}` : null;
  throw new UsageError(`“headgate ${command}” does not take “${first}”`, hint);
}

function helpTopic([topic]: readonly string[]): CommandName | null {
  if (topic === undefined) return null;
  if (isCommand(topic)) return topic;
  throw unknownCommand(topic);
}

function portOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new UsageError(`“${text}” is not a port`, `A port is a number from 0 to 65535: ${option} 8443`);
}

const CERT_EXAMPLE = 'For example: headgate cert app.localhost';
const ROUTE_EXAMPLE = 'For example: headgate route GET https://shop.example/api/users/7';

function requestOf(given: Given): { method: string; url: URL; headers: string[] } {
  const [method, text, extra] = given.positionals.length === 1 ? ['GET', ...given.positionals] : given.positionals;
  if (method === undefined || text === undefined) throw new UsageError('“headgate route” needs a URL', ROUTE_EXAMPLE);
  if (extra !== undefined) throw new UsageError(`“headgate route” does not take “${extra}”`, ROUTE_EXAMPLE);
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`“${text}” is not a URL`, ROUTE_EXAMPLE);
  return { method, url, headers: given.all('header').flatMap(headerOf) };
}

function headerOf(text: string): string[] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new UsageError(`“${text}” is not a header field`, `For example: -H 'X-Beta: on'`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

function certOf(given: Given): { names: string[]; certs: string | null; out: string | null } {
  const names = given.positionals.map((name) => name.toLowerCase());
  const wrong = names.find((name) => !isLocalName(name));
  if (names.length === 0) throw new UsageError('“headgate cert” needs a name', CERT_EXAMPLE);
  if (wrong !== undefined) throw new UsageError(`“${wrong}” is not a host name, *.name, or IP address`, CERT_EXAMPLE);
  return { names, certs: given.text('certs') ?? null, out: given.text('out') ?? null };
}

function demoOf(given: Given): Command {
  const [name, extra] = given.positionals;
  const service = DEMO_SERVICES.find((candidate) => candidate === name);
  if (service === undefined || extra !== undefined) {
    const hint = `For example: headgate demo fine. There are ${DEMO_SERVICES.join(', ')}`;
    throw new UsageError(name === undefined ? 'Which demo service?' : `“${extra ?? name}” is not a demo service`, hint);
  }
  const port = portOf('--port', given.text('port')) ?? DEMO_PORTS[service];
  return { command: 'demo', service, address: given.text('address') ?? '127.0.0.1', port };
}
