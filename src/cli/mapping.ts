import { UsageError } from './usage-error.ts';

/** One `ROUTE=TARGET` of the command line. */
export interface Mapping {
  /** As given, for messages. */
  readonly argument: string;
  readonly route: string;
  readonly targetText: string;
  /** Host name, or `null` for every host. */
  readonly host: string | null;
  /** Path prefix, `/` for everything; without the trailing slash that makes it strip. */
  readonly path: string;
  /** The prefix is removed before the request is forwarded. */
  readonly strips: boolean;
  readonly target: Target;
}

export interface Target {
  /** `host:port` or `https://host:port`; at least one. */
  readonly addresses: readonly string[];
  /** A URL that is not of this machine: it answers to its own name alone. */
  readonly isElsewhere: boolean;
  /** Path in front of the request's, without trailing slash; empty for none. */
  readonly basePath: string;
}

const EXAMPLES = 'For example: /api=3000, /api/=host:3000, app.localhost=5173, /api=https://api.example.com/v2';

/**
 * Parses `/api=3000`, `/api/=3000`, `/=a:1,b:2`, `app.localhost=3000`, `app.localhost/api=3000`,
 * `/api=https://api.example.com/v2`. A target without host is on this machine.
 * @throws UsageError
 */
export function parseMapping(argument: string): Mapping {
  const equals = argument.indexOf('=');
  const route = argument.slice(0, equals);
  const targetText = argument.slice(equals + 1);
  if (equals === -1 || route === '') throw new UsageError(`“${argument}” is not ROUTE=TARGET`, suggestRoute(argument));
  const slash = route.indexOf('/');
  const host = slash === 0 ? null : parseHost(slash === -1 ? route : route.slice(0, slash), argument);
  const path = parsePath(slash === -1 ? '/' : route.slice(slash), argument);
  const strips = path !== '/' && path.endsWith('/');
  return {
    argument,
    route,
    targetText,
    host,
    path: strips ? path.slice(0, -1) : path,
    strips,
    target: parseTargets(targetText, { argument, route }),
  };
}

function suggestRoute(argument: string): string {
  const target = argument.replace(/^=/, '');
  return /^(\d{1,5}|[\w.-]+:\d{1,5})$/.test(target) ? `Did you mean “/=${target}”?` : EXAMPLES;
}

function parseHost(text: string, argument: string): string {
  const isHost = /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(text);
  if (isHost && (text.includes('.') || text === 'localhost')) return text.toLowerCase();
  const hint = isHost
    ? `A path begins with a slash: /${argument}. A host has a dot: ${text}.localhost${argument.slice(text.length)}`
    : EXAMPLES;
  throw new UsageError(`“${text}” in “${argument}” is neither a path nor a host`, hint);
}

function parsePath(text: string, argument: string): string {
  const wildcard = /\/\*\*?$/.exec(text);
  if (wildcard !== null) {
    const plain = text.slice(0, wildcard.index) || '/';
    throw new UsageError(
      `“${text}” in “${argument}” needs no wildcard`,
      `A path stands for everything below it: ${argument.replace(text, plain)}`,
    );
  }
  if (/^\/(?:[A-Za-z0-9._~!$&'()+,;:@-]|%[0-9A-Fa-f]{2}|\/(?!\/))*$/.test(text) && !text.startsWith('//')) return text;
  throw new UsageError(`“${text}” in “${argument}” is not a path`, EXAMPLES);
}

interface Around {
  readonly argument: string;
  readonly route: string;
}

function parseTargets(text: string, around: Around): Target {
  if (text === '') throw new UsageError(`“${around.argument}” has no target`, `For example: ${around.route}=3000`);
  const targets = text.split(',').map((item) => parseTarget(item, around));
  const [first] = targets as [Target];
  if (targets.some(({ basePath }) => basePath !== first.basePath)) {
    throw new UsageError(`The targets of “${around.argument}” have different paths`, 'Give all the same path, or none');
  }
  if (targets.some(({ isElsewhere }) => isElsewhere !== first.isElsewhere)) {
    throw new UsageError(
      `“${around.argument}” mixes sites with services of this machine`,
      'A site is asked by its own name, a service by yours: give each a route of its own',
    );
  }
  const addresses = targets.flatMap((target) => target.addresses);
  const twice = addresses.find((address, index) => addresses.indexOf(address) !== index);
  if (twice !== undefined) throw new UsageError(`“${around.argument}” names ${twice} twice`, 'Name each target once');
  return { ...first, addresses };
}

const TARGET =
  /^(?:(https?):\/\/)?(?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]*[A-Za-z_-][A-Za-z0-9._-]*|\d+\.\d+\.\d+\.\d+)?(?::(?=\d))?)?(\d+)?(\/[^?#\s]*)?$/;

function parseTarget(text: string, { argument, route }: Around): Target {
  const parts = TARGET.exec(text);
  const wrong = (hint: string): UsageError => new UsageError(`“${text}” in “${argument}” is not a target`, hint);
  if (parts === null) throw wrong(`A target is PORT, HOST:PORT or a URL: ${route}=3000`);
  const [, scheme, host, port, path = ''] = parts;
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535)) {
    throw wrong(`A port is a number from 1 to 65535: ${route}=3000`);
  }
  if (scheme === undefined) {
    if (path !== '') throw wrong(`A target with a path is a URL: ${route}=http://${hostAndPort(host, port)}${path}`);
    if (port === undefined) throw wrong(`A host needs a port: ${route}=${host ?? 'host'}:3000`);
    return { addresses: [`${host ?? 'localhost'}:${Number(port)}`], isElsewhere: false, basePath: '' };
  }
  if (host === undefined) throw wrong(`A URL has a host: ${route}=${scheme}://localhost:3000`);
  const address = `${scheme}://${host}${port === undefined ? '' : `:${Number(port)}`}`;
  const isElsewhere = !/^(localhost|127\..*|\[::1\]|.*\.localhost)$/.test(host);
  return { addresses: [address], isElsewhere, basePath: path.replace(/\/+$/, '') };
}

function hostAndPort(host: string | undefined, port: string | undefined): string {
  return `${host ?? 'localhost'}${port === undefined ? '' : `:${port}`}`;
}
