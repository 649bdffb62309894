import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Config } from '../../config/schema/config.ts';
import type { MatchConfig } from '../../config/schema/match.ts';
import { hostMatches } from '../../routing/host-pattern.ts';

/** What the local CA may mint for on one listener. */
export interface LocalNames {
  /** Host names, `*.name`, IP addresses; as configured, in lower case. A client that names no host is shown one certificate for all. */
  readonly names: readonly string[];
  /** Hosts of the listener's routes, as `names`. */
  readonly hosts: readonly string[];
}

/** What a development machine calls itself. Browsers resolve everything below `localhost` to the machine (RFC 6761 §6.3). */
const DEFAULT_NAMES: readonly string[] = ['localhost', '*.localhost', '127.0.0.1', '::1'];

/** Without `names`, what a machine calls itself, and the hosts of the routes: they are there to be asked for. */
export function localNames(listener: string, names: readonly string[] | undefined, config: Config): LocalNames {
  if (names !== undefined) return { names: names.map((name) => name.toLowerCase()), hosts: [] };
  const routes = config.routes.filter((route) => route.listeners === undefined || route.listeners.includes(listener));
  return { names: DEFAULT_NAMES, hosts: [...new Set(routes.flatMap((route) => hostsOf(route.match)))] };
}

function hostsOf(match: MatchConfig): string[] {
  const parts = [...(match.all ?? []), ...(match.any ?? [])];
  const own = [...(match.host ?? []), ...(match.sni ?? [])].map((host) =>
    host.replace(/^\[(.*)\]$/, '$1').toLowerCase(),
  );
  return [...own, ...parts.flatMap(hostsOf)];
}

/** True if a certificate for `serverName`, in lower case, may be minted. Wildcards cover as many labels as in routes. */
export function covers({ names, hosts }: LocalNames, serverName: string): boolean {
  const isCovered = (pattern: string): boolean => hostMatches(pattern, serverName);
  return (names.some(isCovered) || hosts.some(isCovered)) && (isHostName(serverName) || isIP(serverName) !== 0);
}

/** 1 to 253 characters in labels of 1 to 63 (RFC 1035 §2.3.4): letters, digits, hyphens inside, and `_`, which browsers let pass. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && /^(?:(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!$)|$))+$/.test(text);
}

/**
 * A file name for a certificate of `names`, without ending: the name itself if it is one; for more, the first and a digest of all, since
 * two listeners may agree on the first. No path, no dot in front, nothing that Windows takes for a device, 100 characters at most.
 */
export function fileNameOf(names: readonly string[]): string {
  const [first = 'localhost'] = names;
  const safe = first.replace(/[^a-z0-9._-]/g, '_').replace(/^(?=\.|-|(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))/, '_');
  // `a-key.pem` is the key of `a`.
  if (names.length === 1 && safe.length <= 100) return safe.replace(/-key$/, '-key_');
  const digest = createHash('sha256').update(names.join(' ')).digest('hex').slice(0, 12);
  return `${safe.slice(0, 80)}+${names.length - 1}.${digest}`;
}
