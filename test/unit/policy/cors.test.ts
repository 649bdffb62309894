import { describe, expect, test } from 'vitest';
import { getHeader, type HeaderDraft } from '../../../src/http/headers.ts';
import { type CorsConfig, compileCors } from '../../../src/policy/cors.ts';
import { asking } from './asking.ts';
import { problemsOf, working } from './exchange-facts.ts';
import type { AskedRequest } from './policy-request.ts';

const SHOP = 'https://shop.example';

function cors(config: Partial<CorsConfig> = {}) {
  const defaults = { methods: ['GET', 'HEAD', 'POST'], headers: [], exposedHeaders: [] };
  const rest = { credentials: false, privateNetwork: false, enforce: false };
  return working(compileCors({ origins: [SHOP], ...defaults, ...rest, ...config }));
}

function preflight(origin: string, fields: readonly string[] = []): AskedRequest {
  const asks = ['Origin', origin, 'Access-Control-Request-Method', 'PUT', ...fields];
  return asking(asks, { request: { method: 'OPTIONS' } });
}

function get(fields: readonly string[] = [], method = 'GET'): AskedRequest {
  return asking(fields, { request: { method } });
}

/** What the response has of the protocol, and `Vary`. */
function fieldsFor(config: Partial<CorsConfig>, request: AskedRequest, sent: readonly string[] = []) {
  const draft: HeaderDraft = sent.slice();
  cors(config).inbound.edit(draft, request, 200);
  return Object.fromEntries(
    draft.flatMap((name, i) =>
      i % 2 === 0 ? [[name.toLowerCase().replace('access-control-', ''), draft[i + 1]]] : [],
    ),
  );
}

function verdictOn(config: Partial<CorsConfig>, request: AskedRequest): string | null {
  const verdict = cors(config).admit.admit(request);
  if (verdict === null) return null;
  if (verdict.kind === 'reply') return `${verdict.reply.status} ${verdict.reply.reason}`;
  return verdict.kind === 'refuse' ? `${verdict.error.status} ${verdict.error.reason}` : 'consult';
}

describe('a preflight', () => {
  test('of an allowed origin is answered at the gateway, with what is allowed', () => {
    const config = { methods: ['PUT', 'DELETE'], headers: ['X-A', 'Content-Type'], maxAge: 600_000 };
    expect(verdictOn(config, preflight(SHOP))).toBe('204 cors-preflight');
    expect(fieldsFor(config, preflight(SHOP))).toEqual({
      'allow-origin': SHOP,
      'allow-methods': 'PUT, DELETE',
      'allow-headers': 'X-A, Content-Type',
      'max-age': '600',
      vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    });
  });

  test.each(['https://evil.test', 'null', '', 'https://shop.example.evil.test', `${SHOP}, ${SHOP}`])(
    'of %j is refused, and told nothing',
    (origin) => {
      expect(verdictOn({}, preflight(origin))).toBe('403 cors-origin-not-allowed');
      expect(Object.keys(fieldsFor({}, preflight(origin)))).toEqual(['vary']);
    },
  );

  test('with several origins is nobody’s', () => {
    expect(verdictOn({}, preflight(SHOP, ['Origin', SHOP]))).toBe('403 cors-origin-not-allowed');
    expect(fieldsFor({}, preflight(SHOP, ['origin', SHOP]))).not.toHaveProperty('allow-origin');
  });

  test.each([
    ['OPTIONS without Origin', get(['Access-Control-Request-Method', 'PUT'], 'OPTIONS')],
    ['OPTIONS without a method', get(['Origin', SHOP], 'OPTIONS')],
    ['GET', get(['Origin', 'https://evil.test', 'Access-Control-Request-Method', 'PUT'])],
  ])('is not %s, which goes on', (_, request) => {
    expect(verdictOn({}, request)).toBeNull();
  });

  test('that asks for more than is allowed is answered all the same, so that the browser says what is missing', () => {
    const request = preflight(SHOP, ['Access-Control-Request-Headers', 'x-a, x-evil, range']);
    expect(verdictOn({ methods: ['PATCH'], headers: ['X-A'] }, request)).toBe('204 cors-preflight');
    expect(request.notes).toEqual(['cors-method-not-allowed', 'cors-header-not-allowed']);
    const allowed = preflight(SHOP, ['Access-Control-Request-Headers', 'x-a, range']);
    cors({ methods: ['PUT'], headers: ['X-A'] }).admit.admit(allowed);
    expect(allowed.notes).toEqual([]);
  });

  test('without credentials “*” is said as it is; with them, where it would be a name, what is asked for is echoed', () => {
    const request = preflight(SHOP, ['Access-Control-Request-Headers', 'x-a,Authorization']);
    const any = { methods: '*', headers: '*' } as const;
    expect(fieldsFor(any, request)).toMatchObject({ 'allow-methods': '*', 'allow-headers': '*' });
    expect(fieldsFor({ ...any, credentials: true }, request)).toMatchObject({
      'allow-methods': 'PUT',
      'allow-headers': 'x-a, Authorization',
      'allow-credentials': 'true',
    });
  });

  test('has nothing echoed that is no list of names', () => {
    const any = { methods: '*', headers: '*', credentials: true } as const;
    for (const bad of ['x-a, b c', 'x:y', '', 'a,,b', '<script>', 'x-a\x7f']) {
      const request = preflight(SHOP, ['Access-Control-Request-Headers', bad]);
      expect([bad, fieldsFor(any, request)]).not.toHaveProperty('[1].allow-headers');
    }
    const method = asking(['Origin', SHOP, 'Access-Control-Request-Method', 'P UT'], {
      request: { method: 'OPTIONS' },
    });
    expect(fieldsFor(any, method)).not.toHaveProperty('allow-methods');
  });

  test('to a private network is permitted where that is configured', () => {
    const request = preflight(SHOP, ['Access-Control-Request-Private-Network', 'true']);
    expect(fieldsFor({ privateNetwork: true }, request)).toMatchObject({ 'allow-private-network': 'true' });
    expect(fieldsFor({ privateNetwork: true }, request)['vary']).toContain('Access-Control-Request-Private-Network');
    expect(fieldsFor({}, request)).not.toHaveProperty('allow-private-network');
    expect(fieldsFor({ privateNetwork: true }, preflight(SHOP))).not.toHaveProperty('allow-private-network');
  });
});

describe('a request', () => {
  test('of an allowed origin may be read, with credentials if they are allowed', () => {
    const request = get(['origin', SHOP]);
    expect(fieldsFor({ credentials: true, exposedHeaders: ['X-Total', 'ETag'] }, request)).toEqual({
      'allow-origin': SHOP,
      'allow-credentials': 'true',
      'expose-headers': 'X-Total, ETag',
      vary: 'Origin',
    });
  });

  test.each([[[]], [['Origin', 'https://evil.test']], [['Origin', 'null']], [['Origin', SHOP, 'Origin', SHOP]]])(
    'with %j is served without the fields, whatever the endpoint says, and says that it varies',
    (headers) => {
      const endpoint = ['Access-Control-Allow-Origin', '*', 'access-control-allow-credentials', 'true', 'X-A', '1'];
      expect(verdictOn({}, get(headers))).toBeNull();
      expect(fieldsFor({}, get(headers), endpoint)).toEqual({ 'x-a': '1', vary: 'Origin' });
    },
  );

  test('of an allowed origin has one field of each, not the endpoint’s', () => {
    const endpoint = ['Access-Control-Allow-Origin', 'https://other.test', 'Access-Control-Expose-Headers', 'X-Secret'];
    expect(fieldsFor({}, get(['Origin', SHOP]), endpoint)).toEqual({ 'allow-origin': SHOP, vary: 'Origin' });
  });

  test.each([
    ['Accept-Encoding', 'Accept-Encoding, Origin'],
    ['origin', 'origin'],
    ['*', '*'],
    ['', 'Origin'],
  ])('whose response has Vary: %j has %j', (sent, expected) => {
    expect(fieldsFor({}, get(), ['Vary', sent])['vary']).toBe(expected);
  });

  test('may be read by everybody, where everybody may, and does not vary', () => {
    for (const headers of [[], ['Origin', 'https://a.test'], ['Origin', 'null']]) {
      expect(fieldsFor({ origins: '*' }, get(headers))).toEqual({ 'allow-origin': '*' });
    }
  });

  test('with credentials has the names of the fields that may be read, since “*” would be a name', () => {
    const draft: HeaderDraft = ['Content-Type', 'a/b', 'X-Total', '7', 'Set-Cookie', 'a=b', 'x-total', '8'];
    cors({ credentials: true, exposedHeaders: '*' }).inbound.edit(draft, get(['Origin', SHOP]), 200);
    expect(getHeader(draft, 'access-control-expose-headers')).toBe('content-type, x-total, vary');
    expect(fieldsFor({ exposedHeaders: '*' }, get(['Origin', SHOP]))).toMatchObject({ 'expose-headers': '*' });
  });

  test('of another origin is refused where that is enforced; of its own, and of no browser, never', () => {
    const enforce = { enforce: true };
    expect(verdictOn(enforce, get(['Origin', 'https://evil.test']))).toBe('403 cors-origin-not-allowed');
    expect(verdictOn(enforce, get(['Origin', 'null']))).toBe('403 cors-origin-not-allowed');
    expect(verdictOn(enforce, get(['Origin', SHOP, 'Origin', SHOP]))).toBe('403 cors-origin-not-allowed');
    expect(verdictOn(enforce, get(['Origin', SHOP]))).toBeNull();
    expect(verdictOn(enforce, get(['Origin', 'https://shop.test:8443']))).toBeNull();
    expect(verdictOn(enforce, get([]))).toBeNull();
  });
});

test('credentials for everybody are a mistake', () => {
  const config = { origins: '*', methods: [], headers: [], exposedHeaders: [] } as const;
  const result = compileCors({ ...config, credentials: true, privateNetwork: false, enforce: false });
  expect(problemsOf(result)).toEqual([expect.stringMatching(/^credentials: credentials are not for every origin/)]);
});

test('a mistake in an origin has its place', () => {
  const config = { origins: [SHOP, 'x'], methods: [], headers: [], exposedHeaders: [] } as const;
  const result = compileCors({ ...config, credentials: false, privateNetwork: false, enforce: false });
  expect(result).toMatchObject({ ok: false, problems: [{ path: ['origins', 1] }] });
});
