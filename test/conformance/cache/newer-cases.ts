/*
 * Cases of the public suite that its repository (https://github.com/http-tests/cache-tests, July 2026) has and the npm package
 * http-cache-tests 0.4.5 has not, or has in a form that was corrected since. Restated from there:
 *
 * Copyright (c) 2018, Mark Nottingham, and the contributors of http-tests/cache-tests. BSD 3-Clause License, in LICENSE beside this file.
 */
import type { CaseField, CaseKind, CaseRequest, InterimResponse, SuiteCase } from './case.ts';

const fresh: CaseField = ['Cache-Control', 'max-age=100000'];
const now: CaseField = ['Date', 0];

/** Is the answer with these fields used again, three seconds later? */
function reuse(
  id: string,
  expected: 'cached' | 'not_cached',
  fields: readonly CaseField[],
  more: CaseExtras = {},
): SuiteCase {
  const { kind = 'required', name = id, pause = true, ...first } = more;
  const stored = { response_headers: fields, setup: true, pause_after: pause, ...first };
  return { id, name, kind, requests: [stored, { expected_type: expected }] };
}

interface CaseExtras extends CaseRequest {
  readonly kind?: CaseKind;
  readonly name?: string;
  /** Default true. */
  readonly pause?: boolean;
}

function age(id: string, expected: 'cached' | 'not_cached', ages: readonly string[], lifetimeS = 3600): SuiteCase {
  const lines = ages.map((text): CaseField => ['Age', text, false]);
  return reuse(id, expected, [now, ['Cache-Control', `max-age=${lifetimeS}`], ...lines]);
}

const ageParsing: readonly SuiteCase[] = [
  age('age-parse-nonnumeric', 'cached', ['abc']),
  age('age-parse-negative', 'cached', ['-7200']),
  age('age-parse-float', 'cached', ['7200.0']),
  age('age-parse-large-minus-one', 'not_cached', ['2147483647']),
  age('age-parse-large', 'not_cached', ['2147483648']),
  age('age-parse-larger', 'not_cached', ['2147483649']),
  age('age-parse-suffix', 'not_cached', ['7200, 0']),
  age('age-parse-prefix', 'cached', ['0, 7200']),
  age('age-parse-suffix-twoline', 'not_cached', ['7200', '0']),
  age('age-parse-prefix-twoline', 'cached', ['0', '7200']),
  age('age-parse-dup-0', 'cached', ['0, 0']),
  age('age-parse-dup-0-twoline', 'cached', ['0', '0']),
  age('age-parse-dup-old', 'cached', ['3600', '3600'], 10_000),
];

function expires(id: string, texts: readonly string[], kind: CaseKind = 'required'): SuiteCase {
  const lines = texts.map((text): CaseField => ['Expires', text, false]);
  return reuse(id, kind === 'required' ? 'not_cached' : 'cached', [...lines, now], { kind });
}

const expiresParsing: readonly SuiteCase[] = [
  expires('freshness-expires-32bit', ['Tue, 19 Jan 2038 14:14:08 GMT'], 'optimal'),
  expires('freshness-expires-far-future', ['Sun, 21 Nov 2286 04:46:39 GMT'], 'optimal'),
  expires('freshness-expires-invalid-utc', ['Thu, 18 Aug 2050 02:01:18 UTC']),
  expires('freshness-expires-invalid-aest', ['Thu, 18 Aug 2050 02:01:18 AEST']),
  expires('freshness-expires-invalid-2-digit-year', ['Thu, 18 Aug 50 02:01:18 GMT']),
  expires('freshness-expires-invalid-no-comma', ['Thu 18 Aug 2050 02:01:18 GMT']),
  expires('freshness-expires-invalid-multiple-spaces', ['Thu, 18  Aug  2050 02:01:18 GMT']),
  expires('freshness-expires-invalid-date-dashes', ['Thu, 18-Aug-2050 02:01:18 GMT']),
  expires('freshness-expires-invalid-time-periods', ['Thu, 18 Aug 2050 02.01.18 GMT']),
  expires('freshness-expires-invalid-1-digit-hour', ['Thu, 18 Aug 2050 2:01:18 GMT']),
  expires('freshness-expires-invalid-multiple-lines', ['Thu, 18 Aug 2050 2:01:18 GMT', 'Thu, 18 Aug 2050 2:01:19 GMT']),
];

const freshness: readonly SuiteCase[] = [
  reuse('freshness-max-age-stale', 'not_cached', [['Cache-Control', 'max-age=2'], now, ['Template-A', '1']]),
  noStoreAfter('cc-resp-no-store-old-new', 'no-store'),
  noStoreAfter('cc-resp-no-store-old-max-age', 'no-store, max-age=0'),
];

/** An answer that is not stored leaves the fresh one that was. */
function noStoreAfter(id: string, control: string): SuiteCase {
  const long: CaseField = ['Expires', 10_000];
  const first: readonly CaseField[] = [['Cache-Control', 'max-age=10000'], long, now, ['A', '1']];
  const second: readonly CaseField[] = [['Cache-Control', control], now, ['A', '2']];
  return {
    id,
    name: id,
    requests: [
      { response_headers: first, setup: true, pause_after: true },
      { response_headers: second, setup: true, pause_after: true },
      { expected_type: 'cached', expected_response_headers: [['a', '1']] },
    ],
  };
}

const unavailable = [503, 'Service Unavailable'] as const;

/** What the repository asks of a stale response that may not be served: no answer of the origin's. */
function closedWithout(id: string, control: string): SuiteCase {
  return {
    id,
    name: id,
    requests: [
      { response_headers: [['Cache-Control', control]], setup: true, pause_after: true },
      {
        disconnect: true,
        expected_response_headers_missing: ['server-request-count'],
        expected_status: null,
        check_body: false,
      },
    ],
  };
}

const staleness: readonly SuiteCase[] = [
  reuse(
    'stale-while-revalidate',
    'cached',
    [
      ['Cache-Control', 'max-age=1, stale-while-revalidate=3600'],
      ['ETag', '"abc"'],
    ],
    {
      kind: 'optimal',
    },
  ),
  {
    id: 'stale-while-revalidate-window',
    name: 'HTTP cache must not serve stale stored response after the window',
    requests: [
      {
        response_headers: [
          ['Cache-Control', 'max-age=1, stale-while-revalidate=4'],
          ['ETag', '"abc"'],
        ],
        setup: true,
        pause_after: true,
      },
      {
        response_headers: [
          ['Cache-Control', 'no-cache', false],
          ['ETag', '"def"', false],
        ],
        expected_type: 'cached',
        setup: true,
        pause_after: true,
      },
      { expected_response_headers: [['client-request-count', '3']] },
    ],
  },
  {
    id: 'stale-sie-503',
    name: 'Does HTTP cache serve stale stored response with `stale-if-error` when the server answers 503?',
    kind: 'check',
    requests: [
      { response_headers: [['Cache-Control', 'max-age=2, stale-if-error=60']], setup: true, pause_after: true },
      { response_status: unavailable, expected_type: 'cached', expected_status: 200 },
    ],
  },
  closedWithout('stale-close-must-revalidate', 'max-age=2, must-revalidate'),
  closedWithout('stale-close-proxy-revalidate', 'max-age=2, proxy-revalidate'),
  closedWithout('stale-close-no-cache', 'max-age=2, no-cache'),
  closedWithout('stale-close-s-maxage=2', 'max-age=2, s-maxage=2'),
];

const mustUnderstand: readonly CaseField[] = [['Cache-Control', 'max-age=3600, no-store, must-understand']];

const statuses: readonly SuiteCase[] = [
  reuse('status-599-must-understand', 'not_cached', mustUnderstand, {
    pause: false,
    response_status: [599, 'Whatever'],
  }),
  reuse('status-200-must-understand', 'cached', mustUnderstand, {
    kind: 'optimal',
    pause: false,
    response_status: [200, 'OK'],
  }),
];

const dates: readonly SuiteCase[] = [
  {
    id: 'other-age-delay',
    name: 'Does HTTP cache insert an `Age` header field when there is delay generating the response?',
    kind: 'check',
    requests: [
      {
        response_headers: [['Cache-Control', 'max-age=3600'], now],
        response_pause: 5,
        expected_response_headers: [['age', '>', 0]],
      },
    ],
  },
  keptField('other-date-update-expires', now, 'required'),
  keptField('other-date-update-expires-update', ['Expires', 30 * 24 * 3600], 'check'),
];

function keptField(id: string, [name, value]: CaseField, kind: CaseKind): SuiteCase {
  return {
    id,
    name: id,
    kind,
    requests: [
      { response_headers: [['Expires', 30 * 24 * 3600], now], setup: true, pause_after: true },
      { expected_type: 'cached', expected_response_headers: [[name, value]] },
    ],
  };
}

const varying: readonly CaseField[] = [['Cache-Control', 'max-age=5000'], ['Last-Modified', -3000], now];

const selection: readonly SuiteCase[] = [
  {
    id: 'vary-2-match-omit',
    name: 'HTTP cache must not reuse `Vary` response when request omits headers that vary',
    requests: [
      {
        request_headers: [
          ['Foo', '1'],
          ['Bar', 'abc'],
        ],
        response_headers: [...varying, ['Vary', 'Foo, Bar', false]],
        setup: true,
      },
      { expected_type: 'not_cached' },
    ],
  },
  {
    id: 'vary-3-order',
    name: 'HTTP cache must not reuse `Vary` response when one of three fields differs, in another order',
    requests: [
      {
        request_headers: [
          ['Foo', '1'],
          ['Bar', 'abc'],
          ['Baz', '789'],
        ],
        response_headers: [...varying, ['Vary', 'Foo, Bar, Baz', false]],
        setup: true,
      },
      {
        request_headers: [
          ['Foo', '1'],
          ['Baz', '789'],
          ['Bar', 'abcde'],
        ],
        expected_type: 'not_cached',
      },
    ],
  },
  {
    id: 'conditional-etag-precedence',
    name: 'HTTP cache must give precedence to `If-None-Match` over `If-Modified-Since`',
    requests: [
      {
        response_headers: [fresh, now, ['Last-Modified', -5000], ['ETag', '"abcdef"']],
        setup: true,
        pause_after: true,
      },
      {
        request_headers: [
          ['If-None-Match', '"abcdef"'],
          ['If-Modified-Since', -10_000],
        ],
        magic_ims: true,
        expected_type: 'cached',
        expected_status: 304,
      },
    ],
  },
  {
    id: 'conditional-etag-vary-headers-mismatch',
    name: 'Does HTTP cache include `ETag` in `If-None-Match` when `Vary` does not match?',
    kind: 'check',
    requests: [
      {
        request_headers: [['Abc', '123']],
        response_headers: [['Expires', 10_000], ['ETag', '"abcdef"'], now, ['Vary', 'Abc']],
        setup: true,
        pause_after: true,
      },
      { request_headers: [['Abc', '456']], expected_request_headers: [['If-None-Match', '"abcdef"']] },
    ],
  },
  {
    id: 'ccreq-no-cache-etag',
    name: 'Does HTTP cache use `ETag` for validation on `Cache-Control: no-cache`?',
    kind: 'check',
    requests: [
      {
        response_headers: [
          ['Cache-Control', 'max-age=3600'],
          ['ETag', '"aiqygowemucksai"'],
        ],
        setup: true,
      },
      { request_headers: [['Cache-Control', 'no-cache']], expected_type: 'etag_validated' },
    ],
  },
];

/** A 304 that says something else of a field than the 200 did. */
function updated304(name: string, old: string, recent: string, kept = false): SuiteCase {
  const etag: readonly CaseField[] = name === 'ETag' ? [] : [['ETag', `"${name}-1"`]];
  const short: CaseField = ['Cache-Control', 'max-age=2'];
  const expected: readonly [string, string] = [name, kept ? old : recent];
  const third = { expected_response_headers: [expected], setup_tests: ['expected_type'], check_body: !kept };
  return {
    id: `304-etag-update-response-${name}`,
    name: `${kept ? 'HTTP cache must not' : 'Does HTTP cache'} update \`${name}\` from a 304`,
    kind: kept ? 'required' : 'check',
    requests: [
      {
        response_headers: [now, [name, old, !kept], short, ...etag],
        setup: true,
        pause_after: true,
        check_body: !kept,
      },
      { response_headers: [now, [name, recent, !kept], short, ...etag], expected_type: 'etag_validated', ...third },
      { response_headers: [now, [name, expected[1], !kept], short], expected_type: 'cached', ...third },
    ],
  };
}

const updates: readonly SuiteCase[] = [
  updated304('Content-Encoding', 'arizqhypgxofwne', 'askcumewogyqias'),
  updated304('Content-Length', '36', '10', true),
  updated304('Content-MD5', 'rL0Y20zC+Fzt72VPzMSk2A==', 'N7UdGUp1E+RbVvZSTy1R8g=='),
  updated304('Content-Range', 'apetixmbqfujync', 'aqgwmcsiyoeukaq'),
  updated304('ETag', '"abcdef"', '"ghijkl"'),
];

/** The package sends POST whatever the case's name says. */
function invalidated(method: string, field: 'location' | 'cl'): SuiteCase {
  const filename = field === 'cl' ? 'content_location_target' : 'location_target';
  const stored: readonly CaseField[] = [fresh, ['Last-Modified', 0], now];
  return {
    id: `invalidate-${method}-${field}`,
    name: `Does HTTP cache invalidate what the response to ${method} locates?`,
    kind: 'check',
    requests: [
      { filename, response_headers: stored, setup: true },
      {
        request_method: method,
        request_body: 'abc',
        magic_locations: true,
        response_headers: [
          ['Location', 'location_target'],
          ['Content-Location', 'content_location_target'],
        ],
        setup: true,
      },
      { filename, response_headers: stored, expected_type: 'not_cached' },
    ],
  };
}

const invalidation: readonly SuiteCase[] = ['PUT', 'DELETE', 'M-SEARCH'].flatMap((method) => [
  invalidated(method, 'location'),
  invalidated(method, 'cl'),
]);

const control = (text: string): CaseField => ['Cache-Control', text];
const targeted = (text: string): CaseField => ['CDN-Cache-Control', text, false];
const optimal = { kind: 'optimal' } as const;
const check = { kind: 'check' } as const;
const soon = { pause: false } as const;
const future: CaseField = ['Expires', 10_000];
const past: CaseField = ['Expires', -10_000];

const cdn: readonly SuiteCase[] = [
  reuse('cdn-max-age', 'cached', [targeted('max-age=3600')], optimal),
  reuse('cdn-max-age-max', 'cached', [targeted('max-age=2147483648')], optimal),
  reuse('cdn-max-age-max-plus', 'cached', [targeted('max-age=99999999999')], optimal),
  reuse('cdn-max-age-age', 'not_cached', [now, targeted('max-age=3600'), ['Age', '7200']]),
  reuse('cdn-max-age-space-before-equals', 'not_cached', [control('max-age=1'), targeted('max-age =100')], check),
  reuse('cdn-max-age-space-after-equals', 'not_cached', [control('max-age=1'), targeted('max-age= 100')], check),
  reuse('cdn-max-age-0', 'not_cached', [targeted('max-age=0')]),
  reuse('cdn-max-age-extension', 'cached', [targeted('foobar, max-age=3600')], optimal),
  reuse('cdn-max-age-case-insensitive', 'cached', [targeted('MaX-aGe=3600')], check),
  reuse('cdn-max-age-expires', 'cached', [targeted('max-age=3600'), past, now], optimal),
  reuse(
    'cdn-max-age-cc-max-age-invalid-expires',
    'cached',
    [targeted('max-age=3600'), ['Expires', '0', false], now],
    optimal,
  ),
  reuse('cdn-max-age-0-expires', 'not_cached', [targeted('max-age=0'), future, now]),
  reuse('cdn-max-age-short-cc-max-age', 'cached', [control('max-age=1'), targeted('max-age=3600')], optimal),
  reuse('cdn-max-age-long-cc-max-age', 'not_cached', [control('max-age=3600'), targeted('max-age=1')]),
  reuse('cdn-private', 'not_cached', [['CDN-Cache-Control', 'private'], control('max-age=10000'), future, now], soon),
  reuse('cdn-no-cache', 'not_cached', [['CDN-Cache-Control', 'no-cache'], control('max-age=10000'), future, now], soon),
  reuse('cdn-no-store-cc-fresh', 'not_cached', [control('max-age=10000'), targeted('no-store'), future, now]),
  reuse('cdn-fresh-cc-nostore', 'cached', [control('no-store'), targeted('max-age=10000')]),
  reuse('cdn-cc-invalid-sh-type-unknown', 'not_cached', [targeted('max-age=10000, &&&&&'), control('no-store')]),
  reuse('cdn-cc-invalid-sh-type-wrong', 'not_cached', [targeted('max-age="10000"'), control('no-store')]),
  {
    id: 'cdn-remove-header',
    name: 'Does the CDN forward the `CDN-Cache-Control` response header?',
    kind: 'check',
    requests: [
      {
        response_headers: [control('max-age=10000'), targeted('foo'), future, now],
        expected_response_headers: [['CDN-Cache-Control', 'foo']],
      },
    ],
  },
  exceeding('cdn-remove-age-exceed', [], 'Age'),
  exceeding('cdn-date-update-exceed', [], ['Date', 0]),
  exceeding('cdn-expires-update-exceed', [['Expires', 1]], ['Expires', 1]),
];

function exceeding(id: string, more: readonly CaseField[], expected: string | readonly [string, number]): SuiteCase {
  const stored = [control('max-age=1'), ...more, ['CDN-Cache-Control', 'max-age=10000'] as const, now];
  return {
    id,
    name: 'What does the CDN show when `CDN-Cache-Control: max-age` exceeds `Cache-Control: max-age`?',
    kind: 'check',
    requests: [{ response_headers: stored, setup: true, pause_after: true }, { expected_response_headers: [expected] }],
  };
}

const link = ['link', '</styles.css>; rel=preload; as=style'] as const;
const own = ['x-my-header', 'test'] as const;

function interim(
  id: string,
  kind: CaseKind,
  said: InterimResponse,
  more: readonly [CaseRequest, CaseRequest] = [{}, {}],
): SuiteCase {
  const exchanged = { interim_responses: [said], expected_interim_responses: [said] };
  return {
    id,
    name: id,
    kind,
    requests: [
      { ...exchanged, response_headers: [fresh, now], pause_after: true, ...more[0] },
      { expected_type: 'cached', ...more[1] },
    ],
  };
}

const withoutOwn: CaseRequest = { expected_response_headers_missing: ['x-my-header'] };

const interimResponses: readonly SuiteCase[] = [
  interim('interim-102', 'optimal', [102]),
  interim('interim-103', 'optimal', [103, [link, own]]),
  interim('interim-not-cached', 'required', [103, [link]], [{}, { expected_interim_responses: [] }]),
  interim('interim-no-header-reuse', 'optimal', [103, [link, own]], [withoutOwn, withoutOwn]),
];

/** In place of the package's cases of the same id, or beside them. */
export const newerCases: readonly SuiteCase[] = [
  ...ageParsing,
  ...expiresParsing,
  ...freshness,
  ...staleness,
  ...statuses,
  ...dates,
  ...selection,
  ...updates,
  ...invalidation,
  ...cdn,
  ...interimResponses,
];

/** Cases that the repository has dropped. */
export const droppedCases: ReadonlySet<string> = new Set([
  'freshness-max-age-ignore-quoted-all',
  'freshness-max-age-ignore-quoted-all-rev',
  'freshness-max-age-multiple-line',
  'freshness-max-age-multiple-directive',
]);

/** Cases that are as they were, and are of another kind now. */
export const changedKinds: ReadonlyMap<string, CaseKind> = new Map([
  ['age-parse-parameter', 'check'],
  ['age-parse-numeric-parameter', 'check'],
  ['freshness-expires-rfc850', 'optimal'],
  ['freshness-expires-ansi-c', 'optimal'],
  ['freshness-expires-wrong-case-weekday', 'optimal'],
  ['freshness-expires-wrong-case-month', 'optimal'],
  ['freshness-expires-wrong-case-tz', 'optimal'],
  ['304-etag-update-response-Content-Location', 'check'],
  ['304-etag-update-response-Content-Security-Policy', 'check'],
  ['304-etag-update-response-Content-Type', 'check'],
  ['304-etag-update-response-Clear-Site-Data', 'check'],
  ['304-etag-update-response-Expires', 'check'],
  ['304-etag-update-response-Public-Key-Pins', 'check'],
  ['304-etag-update-response-Set-Cookie', 'check'],
  ['304-etag-update-response-Set-Cookie2', 'check'],
  ['304-etag-update-response-X-Frame-Options', 'check'],
  ['304-etag-update-response-X-XSS-Protection', 'check'],
  ['invalidate-POST-location', 'check'],
  ['invalidate-POST-cl', 'check'],
  ['partial-use-stored-headers', 'required'],
]);
