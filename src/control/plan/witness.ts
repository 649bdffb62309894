import type { RouteMatch, RouteRequest, ValueTest } from '../../routing/route.ts';

/** A request that a rule takes unless another one takes it first. */
export interface Witness {
  readonly request: RouteRequest;
  /** For a person: `GET shop.example/api/x?beta`. Values that conditions compare with are left out: some are secrets. */
  readonly text: string;
}

/**
 * A request as a match asks for; `null` where none is easily told, as for regexes and bodies. It is for comparing tables: whoever wins it there is told
 * by the tables themselves, so that a bad guess costs nothing but a comparison.
 */
export function witnessOf(match: RouteMatch): Witness | null {
  const { host, path, method, client, sni } = match;
  if (path?.kind === 'regex' || client !== undefined || match.clientCertificate !== undefined) return null;
  if (match.body !== undefined || match.all !== undefined || match.any !== undefined || match.not !== undefined)
    return null;
  const headers = valuesOf(match.headers);
  const cookies = valuesOf(match.cookies);
  const query = valuesOf(match.query);
  if (headers === null || cookies === null || query === null) return null;
  const request: RouteRequest = {
    method: method?.[0] ?? 'GET',
    host: exampleHost(host?.[0]),
    path: examplePath(path),
    query: query.length === 0 ? null : query.map((pair) => pair.map(encodeURIComponent).join('=')).join('&'),
    headers: [
      ...headers.flat(),
      ...(cookies.length === 0 ? [] : ['cookie', cookies.map((pair) => pair.join('=')).join('; ')]),
    ],
    // RFC 5737: of nobody.
    clientAddress: '192.0.2.1',
    serverName: sni === undefined ? null : exampleHost(sni[0]),
    tls: true,
    clientCertificate: null,
    body: null,
  };
  const text = textOf(
    request,
    query.map(([name]) => name),
  );
  return { request, text };
}

function textOf({ method, host, path, headers }: RouteRequest, parameters: readonly string[]): string {
  const names = headers.filter((_, i) => i % 2 === 0);
  const query = parameters.length === 0 ? '' : `?${parameters.map(encodeURIComponent).join('&')}`;
  const conditions = names.length === 0 ? '' : ` with ${names.join(', ')}`;
  return `${method} ${host}${path}${query}${conditions}`;
}

function exampleHost(host: string | undefined): string {
  if (host === undefined) return 'any.example';
  return host.startsWith('*.') ? `any${host.slice(1)}` : host;
}

function examplePath(path: RouteMatch['path']): string {
  if (path === undefined) return '/any';
  if (path.kind === 'prefix') return `${path.value.replace(/\/$/, '')}/any`;
  return path.kind === 'pattern' ? path.value.replace(/\{[^}]*\}/g, 'any') : path.value;
}

/** `null` when one of them can't be told. */
function valuesOf(tests: Readonly<Record<string, ValueTest>> | undefined): [string, string][] | null {
  const values: [string, string][] = [];
  for (const [name, test] of Object.entries(tests ?? {})) {
    if (test.kind === 'absent') continue;
    const value = exampleOf(test);
    if (value === null) return null;
    values.push([name.toLowerCase(), value]);
  }
  return values;
}

function exampleOf(test: ValueTest): string | null {
  switch (test.kind) {
    case 'exact':
    case 'prefix':
      return test.value;
    case 'oneOf':
      return test.values[0] ?? null;
    case 'present':
      return 'any';
    default:
      return null;
  }
}
