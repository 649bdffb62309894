import type { ConfigInput } from '../config/schema/config.ts';
import { type Mapping, parseMapping, type Target } from './mapping.ts';
import { UsageError } from './usage-error.ts';

export interface ZeroConfigOptions {
  /** Address to bind; 127.0.0.1 unless given, so that nobody else reaches a development machine. */
  readonly listen?: string;
  /** HTTPS; 8443 unless given. */
  readonly port?: number;
  /** HTTP, which redirects to HTTPS; 8080 unless given. */
  readonly httpPort?: number;
  /** Health, API and dashboard; 4600 unless given. */
  readonly adminPort?: number;
}

type PoolInput = NonNullable<ConfigInput['pools']>[string];
type RouteInput = NonNullable<ConfigInput['routes']>[number];

/**
 * `ROUTE=TARGET` arguments as a configuration: HTTPS with certificates of the local CA, HTTP that redirects to it, a
 * pool and a route for each argument.
 * @throws UsageError that names the argument and shows a correct form.
 */
export function zeroConfig(mappings: readonly string[], options: ZeroConfigOptions = {}): ConfigInput {
  const parsed = mappings.map(parseMapping);
  refuseRepeated(parsed);
  const names = uniqueNames(parsed);
  const address = options.listen ?? '127.0.0.1';
  return {
    listeners: {
      https: { address, port: options.port ?? 8443, tls: {}, profile: 'development' },
      http: { address, port: options.httpPort ?? 8080, redirectTo: 'https' },
    },
    admin: { port: options.adminPort ?? 4600 },
    pools: Object.fromEntries(parsed.map((mapping, index) => [names[index] as string, poolOf(mapping.target)])),
    routes: parsed.map((mapping, index) => routeOf(mapping, names[index] as string)),
  };
}

function poolOf(target: Target): PoolInput {
  const endpoints = [...target.addresses];
  // A service on the internet answers to its own name only; one on this machine is told the name that was asked for.
  return target.isElsewhere ? { endpoints, host: 'endpoint' } : { endpoints };
}

function routeOf(mapping: Mapping, name: string): RouteInput {
  const { host, path, target } = mapping;
  const match = { ...(host === null ? {} : { host }), path: { prefix: path } };
  const rewrite = rewriteOf(mapping);
  return {
    name,
    match,
    pool: name,
    ...(rewrite === null ? {} : { rewrite }),
    ...(target.isElsewhere ? SITE_COOKIES : {}),
  };
}

/** What a site sets for its own name, a browser would not send to ours. */
const SITE_COOKIES: Pick<RouteInput, 'cookies'> = { cookies: { domain: false } };

/**
 * `/api/=3000` strips `/api`. A base path goes in front of what is left: `/api=https://host/v2` makes `/v2/api/…`,
 * `/api/=https://host/v2` makes `/v2/…`.
 */
function rewriteOf({ path, strips, target }: Mapping): RouteInput['rewrite'] | null {
  if (target.basePath === '') return strips ? { stripPrefix: path } : null;
  return { prefix: strips || path === '/' ? target.basePath : `${target.basePath}${path}` };
}

function refuseRepeated(mappings: readonly Mapping[]): void {
  const seen = new Map<string, Mapping>();
  for (const mapping of mappings) {
    const key = `${mapping.host ?? ''}${mapping.path}`;
    const first = seen.get(key);
    if (first !== undefined) {
      throw new UsageError(
        `“${first.argument}” and “${mapping.argument}” are the same route`,
        `To balance between targets, list them: ${first.route}=${first.targetText},${mapping.targetText}`,
      );
    }
    seen.set(key, mapping);
  }
}

/** `/api` → api, `/` → root, `app.localhost/api` → app.localhost-api; numbered where two would be the same. */
function uniqueNames(mappings: readonly Mapping[]): string[] {
  const taken = new Set<string>();
  return mappings.map(({ host, path }) => {
    const words = [host?.replace('*.', 'any.') ?? '', ...path.split('/')].join('-');
    const base = words
      .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
      .replaceAll(/-+/g, '-')
      .replaceAll(/^[-_.]+|-+$/g, '');
    const short = base.slice(0, 56) || 'root';
    let name = short;
    for (let count = 2; taken.has(name); count += 1) name = `${short}-${count}`;
    taken.add(name);
    return name;
  });
}
