import { isIPv4 } from 'node:net';
import type { PathMatch, RouteMatch, RouteRequest, RouteRule, ValueTest } from '../../../src/routing/route.ts';
import { textOf } from './bodies.ts';

/**
 * The semantics of docs/routing.md, read as directly as possible and sharing no code with src/routing: every rule is asked, what
 * holds is sorted. Only for the small language of `arbitraries.ts`.
 */
export function naiveMatch<T>(rules: readonly RouteRule<T>[], request: RouteRequest): RouteRule<T> | null {
  const holding = rules.filter((rule) => holds(rule.match, request));
  return holding.toSorted((a, b) => compareKeys(keyOf(a, request), keyOf(b, request)))[0] ?? null;
}

export function holds(match: RouteMatch, request: RouteRequest): boolean {
  const checks = [
    match.host === undefined || match.host.some((host) => hostHolds(host, request.host)),
    match.path === undefined || pathHolds(match.path, request.path),
    match.method === undefined || match.method.includes(request.method),
    ...valuesHold(match.headers, (name) => fieldValues(request, name)),
    ...valuesHold(match.cookies, (name) => cookieValues(request, name).slice(0, 1)),
    ...valuesHold(match.query, (name) => new URLSearchParams(request.query ?? '').getAll(name)),
    ...valuesHold(match.clientCertificate, (name) => certificateValues(request, name)),
    match.client === undefined || match.client.some((network) => networkHolds(network, request.clientAddress)),
    match.sni === undefined ||
      match.sni.some((name) => request.serverName !== null && hostHolds(name, request.serverName)),
    match.body === undefined || bodyHolds(match.body, request),
    match.all === undefined || match.all.every((part) => holds(part, request)),
    match.any === undefined || match.any.some((part) => holds(part, request)),
    match.not === undefined || !holds(match.not, request),
  ];
  return checks.every((check) => check);
}

/** Tests of JSON alone. */
function bodyHolds({ json = {}, whenMalformed }: NonNullable<RouteMatch['body']>, { body }: RouteRequest): boolean {
  if (body === null) return false;
  const value = parsed(textOf(body));
  if (value === null) return whenMalformed === 'refuse';
  return Object.entries(json).every(([pointer, test]) => {
    const found = value[pointer.slice(1)];
    if (test.kind === 'absent' || test.kind === 'present') return (found === undefined) === (test.kind === 'absent');
    return typeof found === 'string' && valueHolds(test, found);
  });
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // SyntaxError: not JSON.
    return null;
  }
}

function hostHolds(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host;
  const labels = host.split('.');
  return labels.some((_, i) => i > 0 && labels.slice(i).join('.') === pattern.slice(2));
}

function pathHolds(match: PathMatch, path: string): boolean {
  if (match.kind === 'regex') return new RegExp(match.value).test(path);
  if (match.kind === 'exact') return path === match.value;
  if (match.kind === 'prefix') {
    const base = match.value.replace(/\/$/, '');
    return path === base || path.startsWith(`${base}/`);
  }
  return patternHolds(match.value.slice(1).split('/'), path.slice(1).split('/'), path);
}

function patternHolds(wanted: readonly string[], segments: readonly string[], path: string): boolean {
  if (!path.startsWith('/')) return false;
  const last = wanted.at(-1) ?? '';
  const open = last === '**' || last.endsWith('...}');
  const fixed = open ? wanted.slice(0, -1) : wanted;
  // "/" alone is one empty segment, of which "/{rest...}" wants none.
  if (open ? segments.length < fixed.length : segments.length !== fixed.length) return false;
  return fixed.every((text, i) => (text.startsWith('{') ? segments[i] !== '' : segments[i] === text));
}

function valuesHold(
  tests: Readonly<Record<string, ValueTest>> | undefined,
  read: (name: string) => readonly string[],
): boolean[] {
  return Object.entries(tests ?? {}).map(([name, test]) => {
    const values = read(name);
    return test.kind === 'absent' ? values.length === 0 : values.some((value) => valueHolds(test, value));
  });
}

function valueHolds(test: ValueTest, value: string): boolean {
  if (test.kind === 'exact') return value === test.value;
  if (test.kind === 'oneOf') return test.values.includes(value);
  if (test.kind === 'prefix') return value.startsWith(test.value);
  return test.kind === 'regex' ? new RegExp(test.value).test(value) : true;
}

function fieldValues(request: RouteRequest, name: string): readonly string[] {
  return request.headers.filter((_, i) => i % 2 === 1 && request.headers[i - 1]?.toLowerCase() === name.toLowerCase());
}

function cookieValues(request: RouteRequest, name: string): readonly string[] {
  return fieldValues(request, 'cookie')
    .flatMap((line) => line.split('; '))
    .flatMap((pair) => (pair.startsWith(`${name}=`) ? [pair.slice(name.length + 1)] : []));
}

function certificateValues({ clientCertificate }: RouteRequest, name: string): readonly string[] {
  if (clientCertificate === null) return [];
  const { subject, names, fingerprint } = clientCertificate;
  return name === 'san' ? names : [name === 'subject' ? subject : fingerprint];
}

function networkHolds(network: string, address: string): boolean {
  const [base = '', length = '32'] = network.split('/');
  if (!isIPv4(base) || !isIPv4(address)) return base === address;
  return bitsOf(base).slice(0, Number(length)) === bitsOf(address).slice(0, Number(length));
}

function bitsOf(address: string): string {
  return address
    .split('.')
    .map((octet) => Number(octet).toString(2).padStart(8, '0'))
    .join('');
}

/** Smaller goes first, number by number. */
function keyOf(rule: RouteRule<unknown>, request: RouteRequest): readonly number[] {
  const { match } = rule;
  const counts = [match.method === undefined ? 0 : 1, sizeOf(match.headers), sizeOf(match.query), furtherOf(match)];
  const ranks = [...hostKey(match, request), ...pathKey(match.path)];
  return [...ranks, ...counts.map((count) => -count), -rule.priority, rule.order];
}

function furtherOf(match: RouteMatch): number {
  const single = [match.client, match.sni, match.any, match.not].filter((part) => part !== undefined).length;
  return sizeOf(match.cookies) + sizeOf(match.clientCertificate) + single + (match.all?.length ?? 0);
}

function sizeOf(record: object | undefined): number {
  return Object.keys(record ?? {}).length;
}

function hostKey(match: RouteMatch, request: RouteRequest): readonly number[] {
  const covering = (match.host ?? []).filter((host) => hostHolds(host, request.host));
  if (covering.some((host) => !host.startsWith('*'))) return [0, 0];
  return covering.length > 0 ? [1, -Math.max(...covering.map((host) => host.length))] : [2, 0];
}

const SEGMENTS_COMPARED = 6;

/** Per segment: 0 literal, 1 captured, 2 the end, 3 everything below; padded, for the path can hold no more. */
function pathKey(match: PathMatch | undefined): readonly number[] {
  if (match === undefined) return [2, ...new Array<number>(SEGMENTS_COMPARED).fill(0)];
  if (match.kind === 'regex') return [1, ...new Array<number>(SEGMENTS_COMPARED).fill(0)];
  const segments = match.value.slice(1).split('/');
  if (match.kind === 'prefix' && segments.at(-1) === '') segments.pop();
  const last = segments.at(-1) ?? '';
  const kinds: number[] = segments.map((text) => (match.kind === 'pattern' && text.startsWith('{') ? 1 : 0));
  if (match.kind === 'pattern' && (last === '**' || last.endsWith('...}'))) kinds[kinds.length - 1] = 3;
  else kinds.push(match.kind === 'prefix' ? 3 : 2);
  if (kinds[0] === 3) return [2, ...new Array<number>(SEGMENTS_COMPARED).fill(0)];
  return [0, ...kinds, ...new Array<number>(SEGMENTS_COMPARED - kinds.length).fill(0)];
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at === -1 ? 0 : (a[at] as number) - (b[at] as number);
}
