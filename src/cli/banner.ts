import type { GatewayStatus } from '../control/status.ts';
import type { Gateway } from '../gateway.ts';

export interface BannerOptions {
  readonly elapsedMs: number;
  /** Routes for people: what it matches, where it leads. */
  readonly routes: readonly { readonly match: string; readonly leads: string }[];
  readonly colour: boolean;
  /** Shown when a certificate of the local CA is in use. */
  readonly authorityFile: string | null;
}

/** What `headgate start` prints when it is ready: where to go, and what is behind it. */
export function banner(gateway: Gateway, options: BannerOptions): string {
  const bold = (text: string): string => (options.colour ? `\u001b[1m${text}\u001b[22m` : text);
  const status = gateway.status();
  const lines = [`  ${bold('HEADGATE')} ${status.version}  ready in ${Math.round(options.elapsedMs)} ms`];
  for (const [index, url] of openUrls(gateway).entries())
    lines.push(`  ➜  ${index === 0 ? 'Open     ' : '         '}  ${bold(`${url}/`)}`);
  lines.push(`  ➜  Dashboard  ${gateway.adminUrl}/`);
  lines.push(...routeLines(options.routes, status));
  if (options.authorityFile !== null) {
    lines.push(
      `  TLS: certificates are signed by the local CA ${options.authorityFile}; trust it, or use curl --cacert`,
    );
  }
  return `\n${lines.join('\n')}\n\n`;
}

/** TLS first: that is what a person should open. */
function openUrls(gateway: Gateway): string[] {
  return [...gateway.urls.values()].sort((a, b) => Number(b.startsWith('https')) - Number(a.startsWith('https')));
}

const MOST_ROUTES = 20;

function routeLines(routes: BannerOptions['routes'], status: GatewayStatus): string[] {
  const width = Math.max(0, ...routes.map((route) => route.match.length));
  const shown = routes
    .slice(0, MOST_ROUTES)
    .map((route) => `     ${route.match.padEnd(width)}  →  ${route.leads}${healthOf(route.leads, status)}`);
  if (routes.length > MOST_ROUTES) shown.push(`     … and ${routes.length - MOST_ROUTES} more`);
  return shown;
}

function healthOf(pool: string, status: GatewayStatus): string {
  const found = status.pools.find((candidate) => candidate.name === pool);
  if (found === undefined) return '';
  const endpoints = found.endpoints.map((endpoint) => endpoint.origin.replace(/^http:\/\//, '')).join(', ');
  return `  (${endpoints})`;
}
