import type { RouteConfig } from '../../config/schema/route.ts';
import { hostFor, type Outbound } from '../../engine/outbound.ts';
import type { Progress } from '../../engine/progress.ts';
import { type HeaderList, isNamed } from '../../http/headers.ts';
import type { Pool } from '../../upstream/pool.ts';
import type { ExplainedUpstream, UpstreamField } from './explanation.ts';

/** The request as it goes upstream, and who wrote each of its fields. `endpoint`: the authority of the one that is settled. */
export function explainUpstream(
  { target, headers }: Outbound,
  context: { readonly progress: Progress; readonly route: RouteConfig | undefined; readonly pool: Pool },
): ExplainedUpstream {
  const { progress, route, pool } = context;
  const { request } = progress;
  const { set = {}, add = {} } = route?.requestHeaders ?? {};
  const byRoute = new Set([...Object.keys(set), ...Object.keys(add)].map((name) => name.toLowerCase()));
  const fields = fieldsOf(headers).filter(({ name }) => !isNamed(name, 'host'));
  return {
    method: request.method,
    target,
    host: sentHost(progress, pool),
    headers: fields.map((field) => authored(field, { received: request.headers, byRoute })),
    removed: removedOf(request.headers, headers),
  };
}

function fieldsOf(headers: HeaderList): readonly { readonly name: string; readonly value: string }[] {
  return headers.flatMap((name, i) => (i % 2 === 0 ? [{ name, value: headers[i + 1] as string }] : []));
}

function authored(
  { name, value }: { readonly name: string; readonly value: string },
  { received, byRoute }: { readonly received: HeaderList; readonly byRoute: ReadonlySet<string> },
): UpstreamField {
  const lower = name.toLowerCase();
  const isReceived = received.some((each, i) => i % 2 === 0 && isNamed(each, lower) && received[i + 1] === value);
  if (isReceived) return { name, value, by: 'client' };
  if (!byRoute.has(lower)) return { name, value, by: 'gateway' };
  return { name, value, by: 'route' };
}

function removedOf(received: HeaderList, sent: HeaderList): readonly string[] {
  const names = new Set(received.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()));
  return [...names].filter((lower) => !sent.some((name, i) => i % 2 === 0 && isNamed(name, lower)));
}

/** By the pool's policy; `null` when it is the endpoint's own, and several have their own. */
function sentHost({ request }: Progress, pool: Pool): string | null {
  const { hostPolicy } = pool;
  if (typeof hostPolicy === 'object') return hostPolicy.fixed;
  // None may be known yet.
  if (hostPolicy === 'preserve' && request.authority !== '') return request.authority;
  const hosts = new Set(pool.endpoints.map((endpoint) => hostFor(pool, endpoint, request.authority)));
  const [only, ...others] = hosts;
  return only === undefined || others.length > 0 ? null : only;
}
