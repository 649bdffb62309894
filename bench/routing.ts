import type { RouteMatch, RouteRequest, RouteRule } from '../src/routing/route.ts';
import { RouteTable } from '../src/routing/route-table.ts';
import { vet } from '../src/routing/vet.ts';

// `node bench/routing.ts`: nanoseconds per match with 10 and with 10 000 routes over up to 100 hosts, with exact paths, prefixes,
// patterns, header conditions and wildcard hosts in turn. The aim: under 2 µs, and about the same for both.

const MAX_HOSTS = 100;
const ROUNDS = 7;
const MATCHES = 500_000;

interface Case {
  readonly rule: RouteRule<number>;
  /** A request that this rule wins. */
  readonly request: RouteRequest;
}

function caseOf(index: number, hosts: number): Case {
  const host = `app-${index % hosts}.example.com`;
  const section = `section-${Math.floor(index / hosts)}`;
  const { match, path } = shapes(section)[(index + Math.floor(index / hosts)) % 5] as {
    match: RouteMatch;
    path: string;
  };
  const pattern = index % hosts === 7 ? `*.${host}` : host;
  const name = index % hosts === 7 ? `eu.west.${host}` : host;
  const rule = {
    name: `route-${index}`,
    at: `bench.yaml:${index}`,
    listeners: null,
    match: { ...match, host: [pattern] },
    priority: 0,
    order: index,
    plan: index,
  };
  return { rule, request: requestFor(name, path) };
}

function shapes(section: string): readonly { readonly match: RouteMatch; readonly path: string }[] {
  return [
    { match: { path: { kind: 'exact', value: `/api/${section}/status` } }, path: `/api/${section}/status` },
    { match: { path: { kind: 'prefix', value: `/api/${section}` } }, path: `/api/${section}/orders/2026/11/list` },
    { match: { path: { kind: 'pattern', value: `/api/${section}/{id}` } }, path: `/api/${section}/4711` },
    { match: { path: { kind: 'pattern', value: `/{tenant}/${section}/{rest...}` } }, path: `/acme/${section}/a/b/c` },
    {
      match: {
        path: { kind: 'prefix', value: `/api/${section}` },
        method: ['POST', 'PUT'],
        headers: { 'X-Version': { kind: 'prefix', value: 'v2' } },
      },
      path: `/api/${section}/orders`,
    },
  ];
}

function requestFor(host: string, path: string): RouteRequest {
  return {
    method: 'POST',
    host,
    path,
    query: 'page=2&sort=name',
    headers: [
      ...['Host', host, 'User-Agent', 'Mozilla/5.0 (X11; Linux x86_64)', 'Accept', '*/*', 'Accept-Language', 'en'],
      ...['Accept-Encoding', 'gzip, br', 'Referer', 'https://example.com/', 'Cookie', 'theme=dark; session=abcdef'],
      ...['X-Request', '1', 'X-Version', 'v2.1', 'Content-Type', 'application/json', 'Content-Length', '12'],
    ],
    clientAddress: '192.0.2.7',
    serverName: host,
    tls: true,
    clientCertificate: null,
    body: null,
  };
}

/** Strings of its own, as a parser makes them. */
function copyOf(request: RouteRequest): RouteRequest {
  const own = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
  const { host, path, headers } = request;
  return { ...request, host: own(host), path: own(path), headers: headers.map(own) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

function measure(routes: number): void {
  const hosts = Math.min(MAX_HOSTS, routes);
  const cases = Array.from({ length: routes }, (_, index) => caseOf(index, hosts));
  const rules = cases.map((one) => one.rule);
  const beforeVet = performance.now();
  const findings = vet(rules);
  const vetMs = performance.now() - beforeVet;
  const table = RouteTable.of(rules);
  for (const { rule, request } of cases) {
    if (table.match(request)?.rule !== rule) throw new Error(`${rule.name} does not win its own request`);
  }
  // 1024 requests of their own for both sizes, or the small table would be measured with ten that never leave the CPU's cache.
  const sample = Array.from({ length: 1024 }, (_, i) => copyOf((cases[(i * 7919) % routes] as Case).request));
  const rounds = Array.from({ length: ROUNDS }, () => time(table, sample));
  console.log(
    `${String(routes).padStart(6)} routes, ${String(hosts).padStart(3)} hosts: ${median(rounds).toFixed(0)} ns per match` +
      ` (best ${Math.min(...rounds).toFixed(0)}); vetted in ${vetMs.toFixed(0)} ms, ${findings.length} findings`,
  );
}

function time(table: RouteTable<number>, sample: readonly RouteRequest[]): number {
  let sum = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < MATCHES; i += 1) sum += table.match(sample[i & 1023] as RouteRequest)?.rule.plan ?? 0;
  const elapsed = Number(process.hrtime.bigint() - start);
  if (sum === 0) throw new Error('Nothing matched');
  return elapsed / MATCHES;
}

for (const routes of [10, 10_000]) measure(routes);
