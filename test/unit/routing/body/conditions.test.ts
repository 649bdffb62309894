import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BodyMatch } from '../../../../src/routing/body/body-match.ts';
import { RequestMessage } from '../../../../src/routing/body/request-message.ts';
import { compileRule } from '../../../../src/routing/compiled-rule.ts';
import { compileConditions } from '../../../../src/routing/conditions.ts';
import type { RouteMatch } from '../../../../src/routing/route.ts';
import { RouteTable } from '../../../../src/routing/route-table.ts';
import { trace } from '../../../../src/routing/trace.ts';
import { absent, exact, oneOf, prefix, present, regex, request, rule, rules } from '../rules.ts';

type Tests = Omit<Partial<BodyMatch>, 'whenTooLarge' | 'whenMalformed'>;

const LIMIT = 200;
const branches = { whenTooLarge: 'no-match', whenMalformed: 'no-match' } as const;

function message(type: string | null, body: string | Uint8Array, read = LIMIT): RequestMessage {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const one = new RequestMessage(type === null ? [] : ['Content-Type', type], null, LIMIT);
  one.read({ bytes: bytes.subarray(0, read), isWhole: bytes.byteLength <= read });
  return one;
}

function holds(
  tests: Tests | BodyMatch,
  body: RequestMessage | null,
  rest: Parameters<typeof request>[0] = {},
): boolean {
  const table = RouteTable.of([rule({ body: { ...branches, ...tests } })]);
  return table.match(request({ method: 'POST', ...rest, body })) !== null;
}

const json = (value: unknown): RequestMessage => message('application/json', JSON.stringify(value));

describe('conditions on JSON', () => {
  const document = { a: 'x', n: 7, t: true, nil: null, o: { in: ['p', 'q'] } };

  test.each([
    [{ '/a': exact('x'), '/n': exact('7') }, true],
    [{ '/a': exact('x'), '/n': exact('8') }, false],
    [{ '/t': exact('true'), '/nil': exact('null') }, true],
    [{ '/o/in/1': oneOf('p', 'q') }, true],
    [{ '/o/in/2': present }, false],
    [{ '/o/in/2': absent }, true],
    [{ '/o': present }, true],
    [{ '/o': absent }, false],
    [{ '/o': prefix('') }, false],
    [{ '': present }, true],
    [{ '/a': regex('^[xy]$') }, true],
  ])('%j: %s', (tests, expected) => {
    expect(holds({ json: tests }, json(document))).toBe(expected);
  });

  test.each(['application/json', 'application/problem+json; charset=utf-8', 'Application/JSON', 'text/json'])(
    'in a body of type %s',
    (type) => {
      expect(holds({ json: { '/a': present } }, message(type, '\uFEFF{"a":1}'))).toBe(true);
    },
  );

  test.each(['text/plain', 'application/grpc+json', 'application/jsonp', 'json', null])(
    'not in one of type %s, whatever is absent',
    (type) => {
      const body = message(type, '{"a":1}');
      expect(holds({ json: { '/b': absent } }, body)).toBe(false);
      expect(body.note).toBe('match-body:other-type');
    },
  );

  test('not where there are two types, or no body, or a coding', () => {
    const twice = new RequestMessage(['Content-Type', 'application/json', 'content-type', 'text/xml'], 2, LIMIT);
    expect([holds({ json: { '': present } }, twice), twice.wanted]).toEqual([false, false]);
    expect(holds({ json: { '': absent } }, null)).toBe(false);
    const encoded = new RequestMessage(['Content-Type', 'application/json', 'Content-Encoding', 'gzip'], 2, LIMIT);
    expect([holds({ json: { '': present } }, encoded), encoded.note]).toEqual([false, 'match-body:encoded']);
  });
});

describe('conditions on forms', () => {
  const urlencoded = 'application/x-www-form-urlencoded';

  test.each([
    ['a=1&b=2', { a: exact('1'), b: exact('2') }, true],
    ['a=1&a=2', { a: exact('2') }, true],
    ['a+b=c%20d%C3%A9', { 'a b': exact('c dé') }, true],
    ['a', { a: exact('') }, true],
    ['&&=x', { '': exact('x') }, true],
    ['a=%zz', { a: exact('%zz') }, true],
    ['a=1', { b: absent }, true],
    ['b=1', { b: absent }, false],
    ['', { b: absent }, true],
    ['', { b: present }, false],
  ])('%j %j: %s', (body, form, expected) => {
    expect(holds({ form }, message(urlencoded, body))).toBe(expected);
  });

  const parts = [
    'preamble\r\n--x y \t\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--2\r\n',
    '--x y\r\ncontent-type: text/plain\r\nCONTENT-DISPOSITION: Form-Data; x="; name=b"; name="q%22\\"é"\r\n\r\n\r\n',
    '--x y\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nfile\r\n',
    '--x y\r\n\r\nno head\r\n',
    '--x y\r\nContent-Disposition: attachment; name="g"\r\n\r\n1\r\n',
    '--x y--\r\nepilogue',
  ].join('');

  test.each([
    [{ a: exact('1\r\n--2') }, true],
    [{ 'q""é': exact('') }, true],
    [{ b: absent, f: absent, g: absent }, true],
    [{ f: present }, false],
  ])('in parts, %j: %s', (form, expected) => {
    const body = message('multipart/form-data; boundary="x y"', Buffer.from(parts), 10_000);
    expect(holds({ form }, body)).toBe(expected);
    expect(body.note).toBeNull();
  });

  test.each([
    ['multipart/form-data', parts],
    [`multipart/form-data; boundary="${'x'.repeat(71)}"`, parts],
    ['multipart/form-data; boundary=y', parts],
    ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x'],
    ['multipart/form-data; boundary=x', '--xy\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--'],
  ])('%s that is none is malformed', (type, text) => {
    const body = message(type, text, 10_000);
    expect([holds({ form: { zz: absent } }, body), body.note]).toEqual([false, 'match-body:malformed']);
  });

  test('never throws, and a beginning says no field that the whole does not say', () => {
    const piece = fc.constantFrom(
      '--x',
      '\r\n',
      'content-disposition: form-data; name="a"',
      '; filename=',
      ':',
      '"',
      'a',
      '--',
      '=',
      '\r\n\r\n',
    );
    const type = 'multipart/form-data; boundary=x';
    const fieldsIn = (text: string, read: number): readonly string[] => {
      const form = message(type, text, read).form();
      return typeof form === 'string' ? [] : form.fields.map(({ name, value }) => `${name}=${value}`);
    };
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.nat(), (pieces, cut) => {
        const text = `--x\r\n${pieces.join('')}`;
        const some = fieldsIn(text, cut % (text.length + 1));
        const all = fieldsIn(text, text.length);
        if (all.length > 0) expect(all.slice(0, some.length)).toEqual(some);
      }),
      { seed: 20_261_121, numRuns: 300 },
    );
  });
});

describe('conditions on calls', () => {
  const call = (query: string | undefined, operationName?: string): object => ({ query, operationName });
  const [read, write] = [call('query R { a }'), call('mutation W { b }')];

  test.each([
    [read, {}, true],
    [write, {}, false],
    [[read, read], {}, true],
    [[read, write], {}, false],
    [[read, write], { batch: 'any' }, true],
    [[write], { batch: 'any' }, false],
    [[read], { batch: 'never' }, false],
    [read, { batch: 'never' }, true],
    [[], {}, false],
    [[], { batch: 'any' }, false],
    [call('query A { a } mutation B { b }', 'A'), {}, true],
    [call('query A { a } mutation B { b }', 'B'), {}, false],
    [call(undefined, 'A'), {}, false],
  ] as const)('a query: %j %j: %s', (body, more, expected) => {
    expect(holds({ graphql: { operation: ['query'], batch: 'all', ...more } }, json(body))).toBe(expected);
  });

  test.each([
    [call('{ a }'), { name: absent }, true],
    [call('query N { a }'), { name: exact('N') }, true],
    [call(undefined, 'N'), { name: exact('N') }, true],
    [call('{ x: a b }'), { field: exact('b') }, true],
    [call('{ x: a b }'), { field: exact('x') }, false],
    [call('{ a }'), { name: exact('N'), field: exact('a') }, false],
  ] as const)('%j %j: %s', (body, graphql, expected) => {
    expect(holds({ graphql: { batch: 'all', ...graphql } }, json(body))).toBe(expected);
  });

  test.each([[{ query: 7 }], [7], [null], [{ query: 'type T { a: Int }' }], [[read, null]], [call('{a} {b}')]])(
    '%j is no GraphQL',
    (body) => {
      const one = json(body);
      expect([holds({ graphql: { field: present, batch: 'any' } }, one), one.note]).toEqual([
        false,
        'match-body:malformed',
      ]);
    },
  );

  test('a GET has its operation in the query', () => {
    const graphql = { operation: ['query'], batch: 'all' } as const;
    const asks = (query: string | null): boolean => holds({ graphql }, null, { method: 'GET', query });
    expect([asks('query=query+Q%7Ba%7D'), asks('query=mutation%7Ba%7D'), asks('q=1'), asks(null)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(asks('query=query+A{a}mutation+B{b}&operationName=A')).toBe(true);
    expect(holds({ graphql }, null, { method: 'POST', query: 'query={a}' })).toBe(false);
  });

  const rpc = (method: unknown, version: unknown = '2.0'): object => ({ jsonrpc: version, method, id: 1 });

  test.each([
    [rpc('eth_call'), 'all', true],
    [rpc('net'), 'all', false],
    [rpc('eth_call', '1.0'), 'all', false],
    [{ method: 'eth_call' }, 'all', false],
    [rpc(['eth_call']), 'all', false],
    [[rpc('eth_call'), rpc('eth_x')], 'all', true],
    [[rpc('eth_call'), rpc('net')], 'all', false],
    [[rpc('eth_call'), 1], 'any', true],
    [[rpc('eth_call')], 'never', false],
    [[], 'all', false],
  ] as const)('JSON-RPC %j, batch %s: %s', (body, batch, expected) => {
    expect(holds({ jsonRpc: { method: prefix('eth_'), batch } }, json(body))).toBe(expected);
  });
});

describe('conditions on XML and SOAP', () => {
  test.each([
    [{ xml: { root: exact('a') } }, true],
    [{ xml: { root: exact('a'), namespace: exact('urn:x') } }, true],
    [{ xml: { root: exact('a'), namespace: exact('') } }, false],
    [{ xml: { root: exact('x:a') } }, false],
    [{ soap: { operation: absent } }, true],
    [{ soap: { operation: present } }, false],
  ])('%j: %s', (tests, expected) => {
    expect(holds(tests, message('application/atom+xml', '<x:a xmlns:x="urn:x"/>'))).toBe(expected);
  });

  test.each([
    [['SOAPAction', '"urn:a"'], true],
    [['soapaction', 'urn:a'], true],
    [['Content-Type', 'application/soap+xml; action="urn:a"'], true],
    [['Content-Type', 'application/soap+xml; action="urn:b"', 'SOAPAction', 'urn:a'], false],
    [['Content-Type', 'text/xml; action="urn:a"'], false],
    [[], false],
  ])('the action of %j: %s', (headers, expected) => {
    expect(holds({ soap: { action: exact('urn:a') } }, null, { headers })).toBe(expected);
  });
});

describe('what is read, and when', () => {
  const unread = (type: string, length: number | null): RequestMessage =>
    new RequestMessage(['Content-Type', type], length, LIMIT);
  const wants = (match: RouteMatch, rest: Parameters<typeof request>[0] = {}): boolean => {
    const body = unread('application/json', 10);
    RouteTable.of([rule(match)]).match(request({ method: 'POST', ...rest, body }));
    return body.wanted;
  };
  const body: BodyMatch = { ...branches, json: { '/a': present } };

  test.each<readonly [string, RouteMatch, boolean]>([
    ['a rule that holds but for the body', { path: prefix('/'), body }, true],
    ['one for another method', { method: ['PUT'], body }, false],
    ['one for another path', { path: exact('/a'), body }, false],
    ['one for another path, by regex', { path: regex('^/a'), body }, false],
    ['one whose header is missing, wherever it is written', { body, all: [{ headers: { x: present } }] }, false],
    ['one whose other branch holds', { any: [{ body }, { method: ['POST'] }] }, false],
    ['one whose other branch does not', { any: [{ body }, { method: ['PUT'] }] }, true],
    ['one that excludes something else', { not: { body, headers: { x: present } } }, false],
    ['one that excludes what a body says', { not: { body } }, true],
  ])('%s: %s', (_, match, expected) => {
    expect(wants(match)).toBe(expected);
  });

  test('a rule that goes first and needs no body is asked first', () => {
    const one = unread('application/json', 10);
    const table = RouteTable.of(rules({ path: prefix('/'), body }, { path: exact('/a') }));
    expect(table.match(request({ path: '/a', body: one }))?.rule.name).toBe('r1');
    expect(one.wanted).toBe(false);
  });

  test('a table knows whether a rule of it asks', () => {
    expect(RouteTable.of(rules({ method: ['GET'] }, { not: { any: [{ body }] } })).asksForBody).toBe(true);
    expect(RouteTable.of(rules({ method: ['GET'] }, { not: { any: [{ path: prefix('/') }] } })).asksForBody).toBe(
      false,
    );
  });

  test('a document that is announced as too large is not waited for, the beginning of another one is', () => {
    const large = unread('application/json', LIMIT + 1);
    expect([holds({ json: { '': present } }, large), large.wanted, large.note]).toEqual([
      false,
      false,
      'match-body:too-large',
    ]);
    const xml = unread('text/xml', LIMIT + 1);
    expect([holds({ xml: { root: present } }, xml), xml.wanted]).toEqual([false, true]);
  });

  test('too large and malformed take the branch that is stated', () => {
    const tests = { json: { '': present } };
    const large = (): RequestMessage => message('application/json', `"${'x'.repeat(LIMIT)}"`);
    const broken = (): RequestMessage => message('application/json', '{');
    expect(holds({ ...branches, ...tests }, large())).toBe(false);
    expect(holds({ ...branches, ...tests, whenTooLarge: 'match' }, large())).toBe(true);
    expect(holds({ ...branches, ...tests, whenTooLarge: 'match' }, broken())).toBe(false);
    const [refusedLarge, refusedBroken] = [large(), broken()];
    const refuse = { ...tests, whenTooLarge: 'refuse', whenMalformed: 'refuse' } as const;
    expect([holds(refuse, refusedLarge), refusedLarge.refusal]).toEqual([true, 'body-too-large-to-match']);
    expect([holds(refuse, refusedBroken), refusedBroken.refusal]).toEqual([true, 'body-malformed-to-match']);
  });

  test('what would refuse a body does not, unless everything beside it holds', () => {
    const strict = { json: { '': present }, ...branches, whenMalformed: 'refuse' } as const;
    const others: readonly RouteMatch[] = [
      {
        body: strict,
        not: { body: { ...branches, form: { a: absent } }, method: ['POST'] },
        any: [{ method: ['GET'] }],
      },
      { body: strict, all: [{ body: { ...branches, json: { '/a': present } } }] },
      { not: { body: strict } },
      { all: [{ body: strict }, { body: { ...strict, json: {}, form: { a: present } } }] },
      { any: [{ all: [{ body: strict }, { body: { ...branches, json: { '': present } } }] }] },
    ];
    for (const other of others) {
      const table = RouteTable.of(rules({ path: exact('/x'), ...other }, {}));
      const broken = message('application/json', '{');
      const found = table.match(request({ method: 'POST', path: '/x', body: broken }));
      expect([found?.rule.match.path, broken.refusal], JSON.stringify(other)).toEqual([undefined, null]);
    }
    const either = { any: [{ body: strict }, { body: { ...strict, json: { '/a': present } } }] };
    const broken = message('application/json', '{');
    expect(RouteTable.of(rules(either)).match(request({ method: 'POST', body: broken }))).not.toBe(null);
    expect(broken.refusal).toBe('body-malformed-to-match');
  });

  test('wherever the beginning ends, it decides as the whole does, or does not decide', () => {
    const kinds: readonly (readonly [string, string, Tests])[] = [
      ['application/json', '{"a":{"b":"é"}}', { json: { '/a/b': exact('é') } }],
      ['application/x-www-form-urlencoded', 'a=1&b=2&c=3', { form: { b: exact('2') } }],
      [
        'multipart/form-data; boundary=x',
        '--x\r\nContent-Disposition: form-data; name="b"\r\n\r\n2\r\n--x--',
        { form: { b: exact('2') } },
      ],
      ['application/graphql', 'query Q { a }', { graphql: { field: exact('a'), batch: 'all' } }],
      ['text/xml', '<?xml version="1.0"?><é xmlns="urn:x"></é>', { xml: { root: exact('é') } }],
    ];
    for (const [type, text, tests] of kinds) {
      const bytes = Buffer.from(text);
      for (let end = 0; end <= bytes.length; end += 1) {
        const one = message(type, bytes, end);
        const held = holds(tests, one);
        expect(held || one.note === 'match-body:too-large', `${text} at ${end}`).toBe(true);
      }
      expect(holds(tests, message(type, text))).toBe(true);
    }
  });
});

describe('what people are told', () => {
  test('each condition that fails says what the body says instead', () => {
    const match = {
      body: {
        ...branches,
        json: { '/a': exact('1'), '/o': exact('2') },
        jsonRpc: { method: exact('m'), batch: 'all' },
      },
    } as const;
    const table = RouteTable.of([rule(match)]);
    const told = (body: RequestMessage | null): readonly string[] =>
      trace(table, request({ method: 'POST', body }))[0]?.misses.map(({ subject, actual }) => `${subject} ${actual}`) ??
      [];
    expect(told(json({ a: 7, o: {} }))).toEqual([
      'body json /a "7"',
      'body json /o an object or an array',
      'body jsonRpc method absent',
    ]);
    expect(told(null)[0]).toBe('body json /a absent');
    expect(told(message('application/json', '{'))[0]).toBe('body json /a malformed');
    expect(told(new RequestMessage(['Content-Type', 'application/json'], 1, 9))[0]).toBe(
      'body json /a not known without the body',
    );
  });

  test.each<readonly [BodyMatch, readonly (string | number)[]]>([
    [{ ...branches, json: { a: present } }, ['body', 'json', 'a']],
    [{ ...branches, json: { '/a': regex('(') } }, ['body', 'json', '/a']],
    [{ ...branches, graphql: { name: regex('('), batch: 'all' } }, ['body', 'graphql', 'name']],
    [{ ...branches, soap: { operation: regex('(') } }, ['body', 'soap', 'operation']],
  ])('%j has a problem at its key', (body, key) => {
    const result = compileRule(rule({ body }));
    expect(result.ok ? [] : result.problems.map((problem) => problem.key)).toEqual([key]);
  });

  test('conditions that no route is chosen by can have none on the body', () => {
    const body: BodyMatch = { ...branches, json: { '': present } };
    const result = compileConditions([{ path: prefix('/') }, { any: [{ not: { body } }] }]);
    expect(result.ok ? [] : result.problems.map(({ key }) => key)).toEqual([[1, 'any', 0, 'not', 'body']]);
  });
});

test('what was read is let go, and then nothing of it is known', () => {
  const one = json({ a: 1 });
  expect(one.json()).toMatchObject({ value: { a: 1 } });
  one.forget();
  expect(one.json()).toBe('unread');
});
