import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileTemplate } from '../../../src/policy/template.ts';
import { variableNames } from '../../../src/policy/variables.ts';
import { asQuery, mistakeIn, rendered, variables } from './exchange-facts.ts';

/** Anything a client can get into a variable: Unicode, control bytes, delimiters, half escapes. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(fc.constantFrom('..', '/', '\\', '%', '%2e', '%2F', '%00', '\r\n', '"', '<', "'", ';', '?', '#', '&', 'a'), {
      maxLength: 12,
    })
    .map((pieces) => pieces.join('')),
);
const wellFormedHostile = hostile.map((text) => text.toWellFormed());

function withValue(value: string): ReturnType<typeof variables> {
  return variables({ query: asQuery('q', value) });
}

describe('variables', () => {
  test.each([
    ['{host}', 'shop.test'],
    ['{authority}', 'shop.test:8443'],
    ['{port}', '8443'],
    ['{scheme}', 'https'],
    ['{method}', 'GET'],
    ['{protocol}', 'HTTP/1.1'],
    ['{path}', '/a/b'],
    ['{query}', 'x=1&y=two'],
    ['{uri}', '/a/b?x=1&y=two'],
    ['{client.address}', '192.0.2.7'],
    ['{peer.address}', '10.0.0.1'],
    ['{peer.port}', '50000'],
    ['{tls.sni}', 'shop.test'],
    ['{tls.version}', 'TLSv1.3'],
    ['{tls.cipher}', 'TLS_AES_128_GCM_SHA256'],
    ['{request.id}', 'id-1'],
    ['{route}', 'shop'],
    ['{query.y}', 'two'],
    ['{cookie.session}', 's3'],
    ['{header.X-TAG}', 'one, two'],
    ['<{host}{path}>', '<shop.test/a/b>'],
  ])('%s is %s', (text, value) => {
    expect(rendered(text, 'header')).toBe(value);
  });

  test.each(['{pool}', '{endpoint}', '{query.none}', '{cookie.none}', '{header.none}'])(
    '%s is empty where the exchange has none',
    (text) => {
      expect(rendered(text, 'header')).toBe('');
    },
  );

  test('without TLS the tls variables are empty', () => {
    const plain = variables({ client: { tls: null } });
    expect(rendered('{tls.sni}{tls.version}{tls.cipher}', 'header', plain)).toBe('');
  });

  test('{uri} is the path alone when there is no query', () => {
    expect(rendered('{uri}', 'header', variables({ query: null }))).toBe('/a/b');
  });

  test('a capture hides the variable of the same name', () => {
    expect(rendered('{path}', 'header', variables({ captures: ['path', 'img/a.png'] }))).toBe('img/a.png');
  });

  test.each([
    ['q=a+b%20c', 'a b c'],
    ['q=%zz', '%zz'],
    ['%71=1&q=2', '1'],
    ['qq=1&q', ''],
    ['a=q=1&&q=2', '2'],
  ])('{query.q} of ?%s is %j', (query, value) => {
    expect(rendered('{query.q}', 'header', variables({ query }))).toBe(value);
  });

  test('every name is documented', async () => {
    const { readFile } = await import('node:fs/promises');
    const page = await readFile(new URL('../../../docs/variables.md', import.meta.url), 'utf8');
    for (const name of variableNames) expect(page).toContain(`\`{${name}}\``);
  });
});

describe('braces', () => {
  test.each([
    ['{{host}}', '{host}'],
    ['{{{host}}}', '{shop.test}'],
    ['a}}b{{c', 'a}b{c'],
  ])('in a header %s is %s', (text, value) => {
    expect(rendered(text, 'header')).toBe(value);
  });

  test.each([
    ['{"a":{"b":1}}', '{"a":{"b":1}}'],
    ['{"h":"{host}"}', '{"h":"shop.test"}'],
    ['{"h":{"i":"{host}"}}', '{"h":{"i":"shop.test"}}'],
    ['{"h":{host}}', '{"h":shop.test}'],
    ['{{host}}', '{host}'],
    ['b{margin:0}', 'b{margin:0}'],
    ['{}', '{}'],
  ])('in a body %s is %s', (text, value) => {
    expect(rendered(text, 'body')).toBe(value);
  });

  test.each([
    ['a{host', 1, '"{" without "}"; a literal brace is written "{{"'],
    ['{ho{st}', 0, '"{" without "}"; a literal brace is written "{{"'],
    ['ab}', 2, '"}" without "{"; a literal brace is written "}}"'],
    ['{}', 0, '"{}" names no variable; literal braces are written "{{}}"'],
  ])('%s is a mistake at %i', (text, index, message) => {
    expect(compileTemplate(text, [], 'header')).toEqual({ ok: false, message, index });
  });
});

describe('unknown variables', () => {
  test.each([
    ['{hots}', [], 'unknown variable {hots} (did you mean {host}?)'],
    ['{client.adress}', [], 'unknown variable {client.adress} (did you mean {client.address}?)'],
    ['{tenent}', ['tenant'], 'unknown variable {tenent} (did you mean {tenant}?)'],
    ['{rest...}', ['rest'], 'unknown variable {rest...} (did you mean {rest}?)'],
    ['{headers.x-user}', [], 'unknown variable {headers.x-user} (did you mean {header.x-user}?)'],
    ['{zzz}', [], 'unknown variable {zzz}, and the path of this route captures nothing'],
    ['{zzz}', ['id', 'tenant'], 'unknown variable {zzz}; the path of this route captures {id}, {tenant}'],
    ['{header.a b}', [], 'unknown variable {header.a b}, and the path of this route captures nothing'],
    ['{constructor}', [], 'unknown variable {constructor}, and the path of this route captures nothing'],
  ])('%s: the message helps', (text, captures, message) => {
    expect(mistakeIn(text, 'header', captures)).toBe(message);
  });

  test('in a body the message says how to write the text itself', () => {
    expect(mistakeIn('{zzz}', 'body')).toMatch(/for the text itself double the braces$/);
  });
});

describe('a template without variables is a constant', () => {
  test.each([
    ['header', ' Grüße\t', 'GrÃ¼Ã\u009fe'],
    ['path', '/a b/ü', '/a%20b/%C3%BC'],
    ['query', 'a&b=ü', 'a%26b%3D%C3%BC'],
    ['url', '/a b?c=d&e#f', '/a%20b?c=d&e#f'],
    ['body', 'ü', 'Ã¼'],
  ] as const)('as octets, encoded for a %s', (place, text, constant) => {
    expect(compileTemplate(text, [], place)).toMatchObject({ ok: true, template: { constant } });
  });
});

describe('header values (RFC 9110 §5.5)', () => {
  test('a decoded line break becomes a space', () => {
    expect(rendered('v={query.q}', 'header', variables({ query: 'q=a%0d%0aX-Admin:%20yes' }))).toBe(
      'v=a  X-Admin: yes',
    );
  });

  test('a captured %0d%0a stays encoded', () => {
    expect(rendered('{id}', 'header', variables({ captures: ['id', 'a%0D%0Ab'] }))).toBe('a%0D%0Ab');
  });

  test('a literal line break is a mistake', () => {
    expect(mistakeIn('a\n', 'header')).toBe('a header value has no line breaks or control characters');
  });

  test('UTF-8 in a query value reaches the field byte for byte', () => {
    expect(rendered('{query.q}', 'header', variables({ query: 'q=%C3%BC%FF' }))).toBe('\xc3\xbc\xff');
  });

  test('no value breaks the line, holds a control byte or a blank at its ends (RFC 9113 §8.2.1)', () => {
    fc.assert(
      fc.property(wellFormedHostile, fc.string({ unit: 'binary' }), (value, header) => {
        const facts = { ...withValue(value), requestId: header };
        const text = rendered(' {query.q}|{request.id}{query.q} ', 'header', facts);
        expect(text).not.toMatch(/[\0-\x08\n-\x1f\x7f]|^[ \t]|[ \t]$|[^\0-\xff]/);
      }),
    );
  });
});

describe('query values', () => {
  test('any text stays one value and decodes to itself', () => {
    fc.assert(
      fc.property(wellFormedHostile, (value) => {
        const text = rendered('{query.q}', 'query', withValue(value));
        expect(text).toMatch(/^[A-Za-z0-9._~%-]*$/);
        expect(new URLSearchParams(`v=${text}`).get('v')).toBe(value);
      }),
    );
  });

  test('a capture keeps the escapes it has', () => {
    expect(rendered('{id}', 'query', variables({ captures: ['id', 'caf%C3%A9+&=%'] }))).toBe('caf%C3%A9%2B%26%3D%25');
  });

  test('a URL as a value decodes to the URL', () => {
    const facts = variables({ path: '/a%20b', query: 'c=%20' });
    expect(decodeURIComponent(rendered('{uri}', 'query', facts))).toBe('/a%20b?c=%20');
  });
});

describe('bodies', () => {
  test('nothing ends a JSON string, and the text arrives as it was', () => {
    fc.assert(
      fc.property(wellFormedHostile, (value) => {
        const octets = rendered('{"v":"{query.q}","w":1}', 'json', withValue(value));
        expect(JSON.parse(Buffer.from(octets, 'latin1').toString('utf8'))).toEqual({ v: value, w: 1 });
        expect(octets).not.toMatch(/[<>`$]/);
      }),
    );
  });

  test('nothing opens an element or ends an attribute', () => {
    fc.assert(
      fc.property(wellFormedHostile, (value) => {
        expect(rendered('{query.q}', 'html', withValue(value))).not.toMatch(/[<>"'`\0]|&(?!(amp|lt|gt|quot|#39|#96);)/);
      }),
    );
  });

  test('bytes that are no UTF-8 become U+FFFD, so that the charset stays true', () => {
    expect(rendered('{query.q}', 'body', variables({ query: 'q=%FF' }))).toBe('\xef\xbf\xbd');
  });
});
