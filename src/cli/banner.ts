import type { GatewayStatus, PoolStatus } from '../control/status.ts';
import { reach } from './reachability.ts';
import type { Serving } from './serving.ts';

export interface BannerOptions {
  readonly elapsedMs: number;
  /** For people: what it matches, where it leads. */
  readonly routes: readonly Way[];
  /** The same for connections that are forwarded as they are. */
  readonly streams: readonly Way[];
  readonly colour: boolean;
  /** The file of the local CA, if it is in use and not trusted; `null` when it is not in use. */
  readonly untrusted: Promise<string | null> | null;
}

interface Way {
  readonly match: string;
  readonly leads: string;
}

/** What `headgate start` prints when it is ready: where to go, what is behind it, and whether that is there yet. */
export async function banner(gateway: Serving, options: BannerOptions): Promise<string> {
  const bold = (text: string): string => (options.colour ? `\u001b[1m${text}\u001b[22m` : text);
  const status = await gateway.status();
  const lines = [`  ${bold('HEADGATE')} ${status.version}  ready in ${Math.round(options.elapsedMs)} ms`];
  for (const [index, url] of openUrls(gateway).entries())
    lines.push(`  ➜  ${index === 0 ? 'Open     ' : '         '}  ${bold(placeAt(url))}`);
  lines.push(`  ➜  Dashboard  ${placeAt(gateway.adminUrl)}`);
  lines.push(...(await routeLines([...options.streams, ...options.routes], status)));
  const untrusted = await options.untrusted;
  if (untrusted !== null) {
    lines.push(`  TLS: the local CA ${untrusted} is not trusted yet. Run  ${bold('headgate trust')}`);
  }
  return `\n${lines.join('\n')}\n\n`;
}

/** What a browser or `--admin` takes: nothing is behind the path of a socket. */
function placeAt(url: string): string {
  return url.startsWith('unix:') ? url : `${url}/`;
}

/** TLS first: that is what a person should open; not what nobody knows the protocol of. By name, because that is what people and cookies go by. */
function openUrls(gateway: Serving): string[] {
  const urls = [...gateway.urls.values()]
    .filter((url) => !url.startsWith('tcp:'))
    .map((url) => url.replace('//127.0.0.1:', '//localhost:'));
  const rank = (url: string): number => (url.startsWith('https:') ? 0 : url.startsWith('http:') ? 1 : 2);
  return urls.sort((a, b) => rank(a) - rank(b));
}

const MOST_ROUTES = 20;
const MOST_ENDPOINTS = 3;

async function routeLines(routes: readonly Way[], status: GatewayStatus): Promise<string[]> {
  const shown = routes.slice(0, MOST_ROUTES);
  const width = Math.max(0, ...shown.map((route) => route.match.length));
  const lines = await Promise.all(
    shown.map(async ({ match, leads }) => {
      const pool = status.pools.find((candidate) => candidate.name === leads);
      return `     ${match.padEnd(width)}  →  ${pool === undefined ? leads : await describePool(pool)}`;
    }),
  );
  if (routes.length > MOST_ROUTES) lines.push(`     … and ${routes.length - MOST_ROUTES} more`);
  return lines;
}

async function describePool(pool: PoolStatus): Promise<string> {
  const endpoints = await Promise.all(
    pool.endpoints.slice(0, MOST_ENDPOINTS).map(async (endpoint) => {
      const reached = await reach(endpoint.origin);
      const origin = endpoint.origin.replace(/^http:\/\//, '');
      const name = endpoint.name === null ? origin : `${endpoint.name} (${origin})`;
      return reached.up
        ? `${name}   ● up   ${reached.elapsedMs.toFixed(1)} ms`
        : `${name}   ○ nothing is listening yet, will keep trying`;
    }),
  );
  if (pool.absence === 'pool-quarantined') return `${pool.name}   ○ quarantined, answers 503`;
  const more = pool.endpoints.length - endpoints.length;
  if (endpoints.length === 0) return pool.discovery.map(describeSource).join('  ');
  return `${endpoints.join('  ')}${more > 0 ? `  … and ${more} more` : ''}`;
}

/** Of a pool that has no endpoints yet. */
function describeSource({ source, trouble }: PoolStatus['discovery'][number]): string {
  return trouble === null ? `${source}   ○ no endpoint yet` : `${source}   ○ ${trouble}, will keep trying`;
}
