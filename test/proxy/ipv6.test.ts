import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { origin } from '../kit/origin.ts';
import { exchangeRaw } from '../kit/raw-client.ts';

const everywhere = { address: ':0', port: undefined } as const;

function get(port: number, path = '/', ...fields: string[]): string {
  return ['GET ', path, ` HTTP/1.1\r\nHost: [::1]:${port}\r\n`, ...fields.map((field) => `${field}\r\n`), '\r\n'].join(
    '',
  );
}

describe('IPv6', () => {
  test('client, endpoint and everything that is said of them', async () => {
    const server = await origin({ host: '::1' });
    const gateway = await startTestGateway(
      forwardTo([], { listener: everywhere, pool: { endpoints: [`[::1]:${server.port}`], host: 'endpoint' } }),
    );
    const port = gateway.port();
    expect((await exchangeRaw({ port, host: '::1' }, get(port))).status).toBe(200);
    const received = await server.request();
    expect(received.all('host')).toEqual([`[::1]:${server.port}`]);
    expect(received.all('x-forwarded-for')).toEqual(['::1']);
    expect(received.all('x-forwarded-host')).toEqual([`[::1]:${port}`]);
    expect(received.all('forwarded')).toEqual([`for="[::1]";host="[::1]:${port}";proto=http`]);
    expect(await gateway.nextRecord()).toMatchObject({ clientAddress: '::1', endpoint: `http://[::1]:${server.port}` });
  });

  test('a client of IPv4 on a listener of both is one of IPv4', async () => {
    const server = await origin();
    const gateway = await startTestGateway(
      forwardTo(server, { listener: everywhere, route: { match: { client: '127.0.0.1' } } }),
    );
    expect((await exchangeRaw({ port: gateway.port() }, get(1))).status).toBe(200);
    expect((await server.request()).all('x-forwarded-for')).toEqual(['127.0.0.1']);
    expect((await exchangeRaw({ port: gateway.port(), host: '::1' }, get(1))).status).toBe(404);
  });

  test('one address is one client however a trusted proxy writes it', async () => {
    const servers = [await origin(), await origin(), await origin()];
    const gateway = await startTestGateway(
      forwardTo(servers, {
        listener: { trustedProxies: ['127.0.0.1'] },
        pool: { balance: 'source-ip' },
        route: { match: { client: '2001:db8::/32' } },
      }),
    );
    for (const text of [
      '2001:db8::7',
      '2001:DB8::7',
      '2001:0db8:0:0:0:0:0:7',
      '[2001:db8::7]:4711',
      '2001:db8::0.0.0.7',
    ])
      expect((await exchangeRaw({ port: gateway.port() }, get(1, '/', `X-Forwarded-For: ${text}`))).status).toBe(200);
    expect(servers.map((server) => server.requests).sort()).toEqual([0, 0, 5]);
    for (let i = 0; i < 5; i += 1) expect((await gateway.nextRecord()).clientAddress).toBe('2001:db8::7');
  });

  test('redirects lead to literals in brackets', async () => {
    const gateway = await startTestGateway({
      listeners: {
        web: { ...everywhere, redirectTo: 'secure' },
        secure: { ...everywhere, tls: { names: ['localhost'] } },
      },
      routes: [{ respond: {} }],
    });
    const reply = await exchangeRaw({ port: gateway.port(), host: '::1' }, get(gateway.port(), '/a?b'));
    expect(reply.header('location')).toBe(`https://[::1]:${gateway.port('secure')}/a?b`);
  });

  test('URLs of listeners have literals in brackets', async () => {
    const config: TestConfig = {
      listeners: { a: { address: '[::1]:0' }, b: { address: '::1', port: 0 }, c: everywhere },
      routes: [{ respond: {} }],
    };
    const { gateway } = await startTestGateway(config);
    expect([...gateway.urls.values()].map((url) => url.replace(/\d+$/, 'N'))).toEqual([
      'http://[::1]:N',
      'http://[::1]:N',
      'http://localhost:N',
    ]);
  });

  const linkLocal = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).filter(({ address }) => address.startsWith('fe80:')).map(({ address }) => `${address}%${name}`),
  );

  test.skipIf(linkLocal.length === 0)(
    'a zone says which way, and is nobody else’s business (RFC 6874 §4)',
    async () => {
      const [address = ''] = linkLocal;
      const server = await origin({ host: address });
      const gateway = await startTestGateway(
        forwardTo([], {
          listener: { address: `[${address}]:0`, port: undefined },
          pool: { endpoints: [`[${address}]:${server.port}`], host: 'endpoint' },
        }),
      );
      const plain = address.split('%')[0];
      expect((await exchangeRaw({ port: gateway.port(), host: address }, get(1))).status).toBe(200);
      const received = await server.request();
      expect(received.all('host')).toEqual([`[${plain}]:${server.port}`]);
      expect(received.all('x-forwarded-for')).toEqual([plain]);
    },
  );
});
