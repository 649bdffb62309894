import { describe, expect, test } from 'vitest';
import { getHeader } from '../../../src/http/headers.ts';
import { httpsRedirect } from '../../../src/policy/https-redirect.ts';
import { compileRespond, type RespondConfig } from '../../../src/policy/respond.ts';
import { asQuery, problemsOf, variables, working } from './exchange-facts.ts';

function compile(config: Partial<RespondConfig>): ReturnType<typeof compileRespond> {
  return compileRespond({ status: 200, headers: {}, body: '', ...config }, []);
}

function typeAndBody(config: Partial<RespondConfig>, facts = variables()): readonly [string | null, string] {
  const reply = working(compile(config))(facts);
  return [getHeader(reply.headers, 'content-type'), Buffer.from(reply.body ?? []).toString('utf8')];
}

describe('a fixed response', () => {
  test('has type, fields, length and body', () => {
    expect(working(compile({ status: 503, headers: { 'Retry-After': '30' }, body: 'Grüße' }))(variables())).toEqual({
      status: 503,
      headers: ['Content-Type', 'text/plain; charset=utf-8', 'Retry-After', '30', 'Content-Length', '7'],
      body: Buffer.from('Grüße'),
      reason: 'fixed-response',
      error: null,
    });
  });

  test.each([
    ['{"ok":true,"list":[{}]}', 'application/json'],
    [' [1, 2]\n', 'application/json'],
    ['{"id":"{request.id}","port":{port}}', 'application/json'],
    ['{not json}}', 'text/plain; charset=utf-8'],
    ['ok', 'text/plain; charset=utf-8'],
    ['404', 'text/plain; charset=utf-8'],
    ['', null],
  ])('%j has the type %s', (body, type) => {
    expect(typeAndBody({ body })[0]).toBe(type);
  });

  test('a given Content-Type is the only one', () => {
    const { headers } = working(compile({ headers: { 'content-type': 'text/css' }, body: 'a{b:c}' }))(variables());
    expect(headers).toEqual(['content-type', 'text/css', 'Content-Length', '6']);
  });

  test('without variables is made once', () => {
    const make = working(compile({ body: 'ok', headers: { 'X-A': '1' } }));
    expect(make(variables())).toBe(make(variables({ requestId: 'id-2' })));
  });

  test('with variables is made for each request', () => {
    const make = working(compile({ body: 'ok', headers: { 'X-Id': '{request.id}', 'X-Pool': '{pool}' } }));
    expect(make(variables()).headers).toContain('id-1');
    expect(make(variables({ requestId: 'id-2' })).headers).toEqual([
      'Content-Type',
      'text/plain; charset=utf-8',
      'X-Id',
      'id-2',
      'Content-Length',
      '2',
    ]);
  });

  test.each([
    [204, []],
    [304, []],
    [205, ['Content-Length', '0']],
    [200, ['Content-Length', '0']],
  ])('%i without a body has the fields %j (RFC 9110 §8.6)', (status, headers) => {
    const reply = working(compile({ status }))(variables());
    expect(reply.headers).toEqual(headers);
    expect(reply.body).toBeNull();
  });

  const script = '</script><script>alert("x")</script>';
  test.each([
    [
      'text/html; charset=utf-8',
      '<p title="{query.q}">',
      '<p title="&lt;/script&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;">',
    ],
    ['image/svg+xml', '<a>{query.q}</a>', '<a>&lt;/script&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;</a>'],
    ['text/plain', '{query.q}', script],
  ])('what a client sends does not run in %s', (type, body, result) => {
    const facts = variables({ query: asQuery('q', script) });
    expect(typeAndBody({ headers: { 'Content-Type': type }, body }, facts)).toEqual([type, result]);
  });

  test.each(['application/json', 'application/problem+json', 'text/javascript'])('nor in %s', (type) => {
    const facts = variables({ query: asQuery('q', script) });
    const [, body] = typeAndBody({ headers: { 'Content-Type': type }, body: '["{query.q}"]' }, facts);
    expect(body).not.toContain('<');
    expect(JSON.parse(body)).toEqual([script]);
  });

  test.each([
    [{ status: 204, body: 'x' }, /^body: a response with status 204 has no body/],
    [{ body: '{hots}' }, /^body: unknown variable \{hots\} \(did you mean \{host\}\?\); for the text itself double/],
    [{ headers: { 'Content-Type': '{header.accept}' } }, /^headers\.Content-Type: Content-Type takes no variables/],
    [{ headers: { 'Content-Type': '' } }, /^headers\.Content-Type: /],
    [{ headers: { 'Content-Length': '5' } }, /^headers\.Content-Length: .*frames the message/],
    [{ headers: { Location: '{query.to}' } }, /^headers\.Location: .*would let a client choose/],
    [{ headers: { 'X-A': 'a\nb' } }, /^headers\.X-A: /],
  ])('%j is refused', (config, message) => {
    expect(problemsOf(compile(config))).toEqual([expect.stringMatching(message)]);
  });
});

describe('the redirect of a whole listener to https', () => {
  test.each([
    [443, 'https://shop.test/a/b?x=1&y=two'],
    [8443, 'https://shop.test:8443/a/b?x=1&y=two'],
  ])('to port %i leads to %s', (port, location) => {
    const facts = variables({ request: { authority: 'Shop.test:8080' } });
    expect(httpsRedirect({ port })(facts)).toEqual({
      status: 301,
      headers: ['Location', location, 'Content-Length', '0'],
      body: null,
      reason: 'https-redirect',
      error: null,
    });
  });

  test.each([
    ['GET', 301],
    ['HEAD', 301],
    ['POST', 308],
    ['QUERY', 308],
  ])('%s is answered %i, which keeps method and body (RFC 9110 §15.4.9)', (method, status) => {
    expect(httpsRedirect({ port: 443 })(variables({ request: { method } })).status).toBe(status);
  });

  test.each(['', 'a b', 'user@host', 'host/path', 'a:99999'])('without a usable Host (%j) it is 400', (authority) => {
    expect(httpsRedirect({ port: 443 })(variables({ request: { authority } }))).toMatchObject({
      status: 400,
      reason: 'invalid-host',
      error: 'http_request_error',
    });
  });

  test('OPTIONS * leads to the root', () => {
    const facts = variables({ path: '*', query: null, request: { method: 'OPTIONS' } });
    expect(httpsRedirect({ port: 443 })(facts).headers[1]).toBe('https://shop.test/');
  });
});
