import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExchangeLine } from '../../../src/exchange/line.ts';
import { compileFilter } from '../../../src/filter/filter.ts';

const LINE: ExchangeLine = {
  ...{ time: 0, id: 'i1', trace: null, span: null, listener: 'web', client: '192.0.2.7', method: 'GET' },
  ...{ host: 'shop.example', path: '/api/users/7', protocol: 'HTTP/2', status: 503, grpcStatus: null },
  ...{ bytesIn: 0, bytesOut: 12_000, totalMs: 1_250.5, queueMs: 0.4, connectMs: null, firstByteMs: null },
  ...{ upstreamMs: 1_200, overheadMs: 0.2, route: 'api', pool: 'users', endpoint: 'http://10.0.0.1:3000', attempts: 2 },
  ...{ retries: ['connect', 'hedge'], noRetry: null, fallback: null, reused: true, cacheResult: null, tls: 'TLSv1.3' },
  ...{ user: null, policy: null, notes: [] },
  ...{ sni: 'shop.example', side: 'upstream', end: 'connection-reset', error: 'connection_terminated' },
};

function matches(text: string, over: Partial<ExchangeLine> = {}): boolean {
  const filter = compileFilter(text);
  if (!filter.ok) throw new Error(`${filter.column}: ${filter.message}`);
  return filter.matches({ ...LINE, ...over });
}

describe('a filter', () => {
  test.each([
    'status>=500 and path~^/api',
    'status = 5xx',
    'status in (500, 503)',
    'status!=200 && method == GET',
    'duration > 1s',
    'totalMs>1250 and totalMs<1.251s',
    'duration<=1250.5',
    'bytes>11k and bytesOut < 1M',
    'path ~ "^/api/(users|carts)/[0-9]+$"',
    'path~^/api/(users|carts)/\\d+$',
    '(path~^/(a|api)/ or status=200)',
    'path !~ ^/static',
    'not (status<500)',
    '! status<500',
    "host='shop.example' or host=other",
    'reused and not cache',
    'reused=true',
    'cache=null and connect=null',
    'retries=hedge',
    'retries ~ ^con',
    'retries in (x, connect)',
    'error AND side=upstream',
    'status=200 or status=503 and attempts=2',
    'reason=connection-reset',
    'grpcStatus!=5',
    'trace != abc',
  ])('%s holds', (text) => {
    expect(matches(text)).toBe(true);
  });

  test.each([
    'status<500',
    'status=4xx',
    'cache',
    'firstByte<1s',
    'firstByte>=0',
    'not firstByte=null',
    'grpcStatus=5',
    'retries=null',
    'path="/API/users/7"',
    '(status=200 or status=503) and attempts=1',
    'not error',
  ])('%s does not', (text) => {
    expect(matches(text)).toBe(false);
  });

  test.each([
    ['', 1, 'The filter is empty: status>=500, say'],
    ['stauts>=500', 1, '“stauts” is no field: did you mean “status”?'],
    ['path~^/a and dration>1s', 14, '“dration” is no field: did you mean “duration”?'],
    ['status>=5oo', 9, '“5oo” is not a status: 404, 5xx'],
    ['status>5xx', 8, '“5xx” is no single number'],
    ['duration>1parsec', 10, '“1parsec” is not a duration: 200ms, 1.5s, 2m'],
    ['bytes>1q', 7, '“1q” is not a size: 512, 10k, 1M'],
    ['reused=maybe', 8, '“reused” is true or false, not “maybe”'],
    ['path>3', 5, '“path” has no order: use = or ~'],
    ['status~5', 7, '“status” is no text that “~” could look into'],
    ['status=', 8, 'There is a value missing'],
    ['status=200 path~a', 12, 'There is no “and” or “or” before this'],
    ['(status=200', 12, 'A “)” is missing'],
    ['status=200)', 11, 'This “)” closes nothing'],
    ['status in 5', 11, '“in” needs a list: in (500, 502)'],
    ['status in (5 6)', 14, 'The list needs a “,” or a “)” here'],
    ['and status=1', 1, 'A field is missing: status, path, …'],
    ['path="a', 6, 'This " is never closed'],
    ['status=1 & status=2', 10, '“&” means nothing: write “&&”'],
    ['path~(?=a)', 6, expect.stringContaining('is no regular expression (RE2)')],
    [`${'('.repeat(40)}status=1${')'.repeat(40)}`, 33, 'Nothing is nested deeper than 32 times'],
    [`status=1${' or status=1'.repeat(100)}`, 1201, 'A filter has 100 comparisons at most'],
    ['x'.repeat(2049), 2049, 'A filter has 2048 characters at most'],
  ])('%s is refused, with the column', (text, column, message) => {
    expect(compileFilter(text)).toEqual({ ok: false, column, message });
  });

  test('says what its parts say, however they are put together', () => {
    const numbers = fc.constantFrom('status', 'attempts', 'bytesIn') as fc.Arbitrary<'status' | 'attempts' | 'bytesIn'>;
    const leaf = fc
      .tuple(numbers, fc.constantFrom('=', '!=', '<', '<=', '>', '>='), fc.nat(9))
      .map(([name, operator, value]) => ({ text: `${name}${operator}${value}`, name, operator, value }));
    type Tree = { text: string; holds: (line: ExchangeLine) => boolean };
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf.map(({ text, name, operator, value }) => ({
          text,
          holds: (line: ExchangeLine) => naive(line[name], operator, value),
        })),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => ({
          text: `(${a.text}) and (${b.text})`,
          holds: (line: ExchangeLine) => a.holds(line) && b.holds(line),
        })),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => ({
          text: `(${a.text}) || (${b.text})`,
          holds: (line: ExchangeLine) => a.holds(line) || b.holds(line),
        })),
        tie('tree').map((part) => ({ text: `not (${part.text})`, holds: (line: ExchangeLine) => !part.holds(line) })),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.nat(9), fc.nat(9), fc.nat(9), ({ text, holds }, status, attempts, bytesIn) => {
        const line = { ...LINE, status, attempts, bytesIn };
        expect(matches(text, line)).toBe(holds(line));
      }),
      { seed: 20261121, numRuns: 500 },
    );
  });

  test('whatever is written, is understood or refused with a column within it', () => {
    const piece = fc.constantFrom(
      'status',
      'path',
      '>=',
      '=',
      '~',
      '(',
      ')',
      ' and ',
      ' or ',
      'not ',
      '5',
      '"',
      "'",
      '\\',
      ',',
      'in',
      '!',
      '&',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
        ),
        (text) => {
          const filter = compileFilter(text);
          if (filter.ok) filter.matches(LINE);
          else expect(filter.column).toSatisfy((column: number) => column >= 1 && column <= text.length + 1);
        },
      ),
      { seed: 7, numRuns: 1000 },
    );
  });
});

function naive(actual: number, operator: string, wanted: number): boolean {
  if (operator === '=') return actual === wanted;
  if (operator === '!=') return actual !== wanted;
  if (operator === '<') return actual < wanted;
  if (operator === '<=') return actual <= wanted;
  return operator === '>' ? actual > wanted : actual >= wanted;
}
