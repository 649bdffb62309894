import type { RouteMatch, RouteRequest, RouteRule } from '../../../src/routing/route.ts';

/** A rule named after its place in the list. */
export function rule(match: RouteMatch, rest: Partial<RouteRule<string>> = {}): RouteRule<string> {
  const order = rest.order ?? 0;
  return {
    name: `r${order}`,
    at: `routes/test.yaml:${order + 1}`,
    listeners: null,
    match,
    priority: 0,
    order,
    plan: '',
    ...rest,
  };
}

/** Rules in the order of the configuration, named r0, r1, … */
export function rules(...matches: readonly RouteMatch[]): readonly RouteRule<string>[] {
  return matches.map((match, order) => rule(match, { order }));
}

export function request(rest: Partial<RouteRequest> = {}): RouteRequest {
  return {
    method: 'GET',
    host: 'shop.test',
    path: '/',
    query: null,
    headers: [],
    clientAddress: '192.0.2.7',
    serverName: null,
    tls: false,
    clientCertificate: null,
    body: null,
    ...rest,
  };
}

export const exact = (value: string) => ({ kind: 'exact', value }) as const;
export const prefix = (value: string) => ({ kind: 'prefix', value }) as const;
export const pattern = (value: string) => ({ kind: 'pattern', value }) as const;
export const regex = (value: string) => ({ kind: 'regex', value }) as const;
export const oneOf = (...values: readonly string[]) => ({ kind: 'oneOf', values }) as const;
export const present = { kind: 'present' } as const;
export const absent = { kind: 'absent' } as const;
