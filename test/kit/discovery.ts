import { until } from './deadline.ts';
import type { TestGateway } from './gateway.ts';
import type { ManualClock } from './manual-clock.ts';
import { type Origin, origin } from './origin.ts';
import { exchangeRaw } from './raw-client.ts';
import type { RawResponse } from './raw-response.ts';
import type { Script } from './script.ts';

/** One request on a connection of its own. */
export function visit(gateway: TestGateway, path = '/', [field, value]: readonly string[] = []): Promise<RawResponse> {
  const line = field === undefined ? '' : `${field}: ${value}\r\n`;
  const text = `GET ${path} HTTP/1.1\r\nHost: shop.test\r\n${line}Connection: close\r\n\r\n`;
  return exchangeRaw({ port: gateway.port() }, text);
}

/** Origins at 127.0.0.2, 127.0.0.3, …, all on the same port, as the addresses of one name are. */
export async function originsAtOnePort(count: number, script?: Script): Promise<Origin[]> {
  const options = script === undefined ? {} : { script };
  const first = await origin({ host: '127.0.0.2', ...options });
  const origins = [first];
  for (let i = 1; i < count; i += 1) {
    origins.push(await origin({ host: `127.0.0.${i + 2}`, port: first.port, ...options }));
  }
  return origins;
}

/** The endpoints of a pool as its status has them, without scheme and port: `127.0.0.2`. */
export function hostsOf(gateway: TestGateway, pool = 'shop'): string[] {
  const found = gateway.status().pools.find(({ name }) => name === pool);
  return found?.endpoints.map(({ origin }) => origin.replace(/^https?:\/\/|:\d+$/g, '')) ?? [];
}

/** Resolves once the pool has exactly these endpoints. */
export async function untilHosts(gateway: TestGateway, hosts: readonly string[], pool = 'shop'): Promise<void> {
  const wanted = hosts.join(' ');
  await until(() => hostsOf(gateway, pool).join(' ') === wanted, `the pool to have ${wanted || 'no endpoint'}`);
}

/** What the status says of a source of the pool. */
export function troubleOf(gateway: TestGateway, pool = 'shop', source = 0): string | null {
  const found = gateway.status().pools.find(({ name }) => name === pool);
  return found?.discovery[source]?.trouble ?? null;
}

/** Moves time, which makes the first source of the pool be asked again, and resolves once the answer is in. */
export async function askedAgain(gateway: TestGateway, clock: ManualClock, ms: number): Promise<void> {
  const nextAt = (): string | null => gateway.status().pools[0]?.discovery[0]?.nextAt ?? null;
  await until(() => nextAt() !== null, 'the answer before to be in');
  clock.advance(ms);
  await until(() => nextAt() !== null && Date.parse(nextAt() as string) > clock.now(), 'an answer to come');
}
