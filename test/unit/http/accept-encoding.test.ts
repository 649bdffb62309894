import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodingPreference, firstAccepted } from '../../../src/http/accept-encoding.ts';

const OFFERED = ['br', 'gzip'];

describe('the coding that an endpoint is asked for (RFC 9110 §12.5.3)', () => {
  test.each<[string | null, string]>([
    [null, 'identity'],
    ['', 'identity'],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['deflate', 'identity'],
    ['identity', 'identity'],
    ['gzip;q=1, br;q=0.001', 'br'],
    ['gzip, br;q=0', 'gzip'],
    ['gzip;q=0, br;q=0.000', 'identity'],
    ['*', 'br'],
    ['*, br;q=0', 'gzip'],
    ['*;q=0', 'identity'],
    ['gzip;q=0.5, *;q=0', 'gzip'],
    ['br ; q=0.5 , gzip', 'br'],
    [', ,gzip,', 'gzip'],
    ['br;level=5, gzip', 'identity'],
    ['br;q=2', 'identity'],
    ['gzip, gzip;q=0', 'identity'],
    ['b r', 'identity'],
  ])('%j: %s', (value, coding) => {
    expect(firstAccepted(OFFERED, value)).toBe(coding);
  });

  test('nothing on offer is identity', () => {
    expect(firstAccepted([], 'gzip, br')).toBe('identity');
  });
});

describe('what lists of codings mean (RFC 9110 §12.5.3)', () => {
  test.each<[string, string, boolean]>([
    ['gzip, br', 'br, gzip', true],
    ['gzip, br', 'gzip;q=0.5,br;q=0.5', true],
    ['br, gzip;q=0.8', 'gzip;q=0.2, br;q=0.9', true],
    ['br, gzip;q=0.8', 'br;q=0.8, gzip', false],
    ['gzip', 'x-gzip', true],
    ['compress', 'x-compress', true],
    ['gzip', 'GZIP ; Q=1.000', true],
    ['gzip', 'gzip, br;q=0', true],
    ['gzip', 'gzip, identity;q=0.5', true],
    ['gzip', 'gzip, identity', false],
    ['gzip', 'gzip;q=0.5, identity', false],
    ['gzip', 'gzip, identity;q=0', false],
    ['gzip, identity;q=0', 'gzip, *;q=0', true],
    ['', 'identity', true],
    ['', 'identity;q=0.1', true],
    ['gzip, *', 'gzip', false],
    ['*, br;q=0', '*', false],
    ['*, br;q=0', 'br;q=0, *;q=0.5', true],
    ['gzip, deflate, br', 'gzip, deflate, br, zstd', false],
  ])('%j and %j: %s', (a, b, same) => {
    expect([encodingPreference(a), encodingPreference(b)]).not.toContain(null);
    expect(encodingPreference(a) === encodingPreference(b)).toBe(same);
  });

  test.each([
    'gzip;q=1.5',
    'gzip;q=0.1234',
    'gzip;q',
    'gzip;level=9',
    'gz ip',
    'gzip, gzip',
    'gzip, x-gzip;q=0.5',
    '"gzip"',
  ])('%j means nothing that could be compared', (value) => {
    expect(encodingPreference(value)).toBeNull();
  });

  const coding = fc.constantFrom('gzip', 'br', 'zstd', 'identity', '*');
  const list = fc.uniqueArray(fc.tuple(coding, fc.integer({ min: 0, max: 10 })), { selector: ([name]) => name });

  test('lists of one meaning lead to the same coding, whatever is on offer', () => {
    fc.assert(
      fc.property(list, list, fc.uniqueArray(fc.constantFrom('gzip', 'br', 'zstd')), (left, right, offered) => {
        const [a, b] = [left, right].map((members) => members.map(([name, q]) => `${name};q=${q / 10}`).join(', '));
        if (a === undefined || b === undefined) throw new Error('two lists');
        if (encodingPreference(a) !== encodingPreference(b)) return;
        expect(firstAccepted(offered, a)).toBe(firstAccepted(offered, b));
      }),
      { seed: 5, numRuns: 2000 },
    );
  });

  const piece = fc.constantFrom(
    'gzip',
    'br',
    '*',
    ';',
    'q=',
    '0.5',
    '1',
    ',',
    ' ',
    '\t',
    '"',
    '=',
    '\ud800',
    'identity',
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

  test('takes any text', () => {
    fc.assert(
      fc.property(text, (value) => {
        encodingPreference(value);
        expect([...OFFERED, 'identity']).toContain(firstAccepted(OFFERED, value));
      }),
      { seed: 6, numRuns: 2000 },
    );
  });
});
