import type { TestConfig } from './gateway.ts';

type Listener = NonNullable<TestConfig['listeners']>[string];
type Pool = NonNullable<TestConfig['pools']>[string];
export type Route = NonNullable<TestConfig['routes']>[number];

interface Endpoint {
  readonly port: number;
}

export interface Forwarding {
  readonly listener?: Partial<Listener>;
  readonly pool?: Partial<Pool>;
  readonly route?: Partial<Route>;
  readonly rest?: Omit<TestConfig, 'listeners' | 'pools' | 'routes'>;
}

/** A configuration that forwards every request to these endpoints: listener `web`, pool `shop`, route `all`. */
export function forwardTo(endpoints: Endpoint | readonly Endpoint[], over: Forwarding = {}): TestConfig {
  const all = 'port' in endpoints ? [endpoints] : endpoints;
  return {
    listeners: { web: { port: 0, ...over.listener } },
    pools: { shop: { endpoints: all.map(({ port }) => `127.0.0.1:${port}`), ...over.pool } },
    routes: [{ name: 'all', pool: 'shop', ...over.route }],
    ...over.rest,
  };
}
