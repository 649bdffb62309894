import type { CustomFetch } from 'openid-client';
import { describe, expect, test } from 'vitest';
import type { HttpRequest } from '../../../../src/control/http-client.ts';
import { OidcClient } from '../../../../src/control/policies/oidc-client.ts';
import { failureOf } from '../../../../src/control/policies/oidc-failure.ts';
import { providerFetch } from '../../../../src/control/policies/oidc-fetch.ts';
import { GatewayError } from '../../../../src/errors.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';

const ISSUER = 'https://login.test';
const HOUR = 3_600_000;

/** A client of a provider that answers with `metadata`, or not at all while it is `null`. */
function scene() {
  const clock = new ManualClock();
  const events: string[] = [];
  const world = {
    asked: 0,
    metadata: {
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/auth`,
      token_endpoint: `${ISSUER}/token`,
      jwks_uri: `${ISSUER}/jwks`,
    } as Record<string, unknown> | null,
  };
  const fetch: CustomFetch = async () => {
    world.asked += 1;
    if (world.metadata === null) {
      throw new GatewayError('connection_refused', { blame: 'upstream', status: 502, reason: 'connection-refused' });
    }
    return Response.json(world.metadata);
  };
  const client = new OidcClient({
    ...{ id: 'id', owner: 'route shop', issuer: ISSUER, clientId: 'gateway', clientSecret: 's' },
    ...{ clientAuthentication: 'auto', userinfo: false, fetch, clock },
    observer: ({ event, detail }) => events.push(`${event}: ${detail}`),
  });
  return { clock, events, world, client };
}

describe('what a provider says of itself', () => {
  test('is asked for when it is needed, once for all who want to know', async () => {
    const { client, world } = scene();
    expect([client.pages, world.asked]).toEqual([null, 0]);
    const answers = await Promise.all([client.discover(), client.discover(), client.discover()]);
    expect([answers.map(({ ok }) => ok), world.asked]).toEqual([[true, true, true], 1]);
    expect(client.pages?.loginUrl({ scope: 'openid' })).toBe(
      `${ISSUER}/auth?scope=openid&client_id=gateway&response_type=code`,
    );
    expect(client.pages?.logoutUrl({})).toBeNull();
  });

  test('is asked for again after two seconds while it does not come, and told of once', async () => {
    const { client, world, clock, events } = scene();
    const { metadata } = world;
    world.metadata = null;
    const ok = async (): Promise<boolean> => (await client.discover()).ok;
    expect([await ok(), await ok(), world.asked]).toEqual([false, false, 1]);
    clock.advance(2_000);
    expect([await ok(), world.asked, events]).toEqual([
      false,
      2,
      [`provider-failed: ${ISSUER}: metadata: connection_refused connection-refused`],
    ]);
    expect(client.status()).toMatchObject({ discovered: false, failing: expect.stringContaining('metadata') });
    clock.advance(2_000);
    world.metadata = metadata;
    expect([await ok(), events.at(-1)]).toEqual([true, `provider-back: ${ISSUER} answers again`]);
  });

  test('is asked for again after an hour, and holds meanwhile, whatever comes', async () => {
    const { client, world, clock, events } = scene();
    await client.discover();
    const { metadata } = world;
    clock.advance(HOUR + 1);
    world.metadata = null;
    expect(client.pages).not.toBeNull();
    await expect.poll(() => events.length).toBe(1);
    clock.advance(2_000);
    world.metadata = { ...metadata, authorization_endpoint: `${ISSUER}/new` };
    expect(client.pages?.loginUrl({})).toContain('/auth?');
    await expect.poll(() => client.pages?.loginUrl({})).toContain('/new?');
    expect(world.asked).toBe(3);
  });

  for (const [what, metadata] of [
    ['another issuer', { issuer: 'https://evil.test', authorization_endpoint: 'https://evil.test/auth' }],
    ['no login', { issuer: ISSUER }],
    ['nothing', {}],
  ] as const) {
    test(`is not believed when it tells of ${what}`, async () => {
      const { client, world } = scene();
      world.metadata = metadata;
      expect(await client.discover()).toEqual({ ok: false, why: 'unavailable' });
    });
  }
});

test('requests to a provider go over our own transport, with its bounds', async () => {
  const requests: HttpRequest[] = [];
  const fetch = providerFetch(
    async (request) => {
      requests.push(request);
      return {
        status: 200,
        headers: ['Content-Type', 'application/json', 'X-A', '1', 'X-A', '2'],
        body: Buffer.from('{}'),
      };
    },
    { ca: 'PEM', timeoutMs: 7_000 },
  );
  const headers = { accept: 'application/json', 'User-Agent': 'openid-client/v6' };
  const options = { method: 'POST', headers, body: new URLSearchParams({ a: 'b c' }), redirect: 'manual' } as const;
  const response = await fetch('https://login.test/token', options);
  expect([response.status, response.headers.get('x-a'), await response.json()]).toEqual([200, '1, 2', {}]);
  expect(requests[0]).toMatchObject({
    ...{ method: 'POST', url: 'https://login.test/token', ca: 'PEM', timeoutMs: 7_000, limitBytes: 512 * 1024 },
    headers: ['accept', 'application/json'],
  });
  expect(String(requests[0]?.body)).toBe('a=b+c');
});

describe('a failure', () => {
  const gateway = new GatewayError('connection_read_timeout', {
    blame: 'upstream',
    status: 502,
    reason: 'total-timeout',
  });

  test.each([
    [gateway, 'unavailable', 'connection_read_timeout total-timeout'],
    [new Error('something went wrong', { cause: gateway }), 'unavailable', 'connection_read_timeout total-timeout'],
    [{ code: 'OAUTH_RESPONSE_BODY_ERROR', error: 'invalid_grant' }, 'refused', 'token endpoint: invalid_grant'],
    [{ code: 'OAUTH_RESPONSE_BODY_ERROR', error: 'invalid_client' }, 'unavailable', 'token endpoint: invalid_client'],
    [{ code: 'OAUTH_AUTHORIZATION_RESPONSE_ERROR', error: 'access_denied' }, 'denied', 'login: access_denied'],
    [{ code: 'OAUTH_AUTHORIZATION_RESPONSE_ERROR', error: 'server_error' }, 'unavailable', 'login: server_error'],
    [{ code: 'OAUTH_AUTHORIZATION_RESPONSE_ERROR', error: '<b>\r\n' }, 'refused', 'login: an unknown error'],
    [{ code: 'OAUTH_RESPONSE_IS_NOT_CONFORM' }, 'unavailable', 'OAUTH_RESPONSE_IS_NOT_CONFORM'],
    [{ code: 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' }, 'refused', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
    [new TypeError('x'), 'unavailable', 'TypeError'],
  ] as const)('%o is %s', (error, why, detail) => {
    expect(failureOf(error)).toEqual({ why, detail });
  });
});
