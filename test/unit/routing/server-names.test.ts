import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostMatches, hostRank } from '../../../src/routing/host-pattern.ts';
import { ServerNames } from '../../../src/routing/server-names.ts';

const names = new ServerNames([
  ['shop.test', 'exact'],
  ['*.shop.test', 'wild'],
  ['*.eu.shop.test', 'deep'],
  ['api.eu.shop.test', 'api'],
  ['localhost', 'local'],
]);

describe('server names', () => {
  test.each([
    ['shop.test', 'exact'],
    ['www.shop.test', 'wild'],
    ['a.b.shop.test', 'wild'],
    ['a.eu.shop.test', 'deep'],
    ['a.b.eu.shop.test', 'deep'],
    ['api.eu.shop.test', 'api'],
    ['v1.api.eu.shop.test', 'deep'],
    // A wildcard does not cover what it stands below, but another one may.
    ['eu.shop.test', 'wild'],
    ['localhost', 'local'],
    ['test', null],
    ['xshop.test', null],
    ['.shop.test', null],
    ['shop.test.evil.test', null],
    ['', null],
  ])('%j → %s', (name, expected) => {
    expect(names.find(name)).toBe(expected);
  });

  test('agree with the hosts of routes', () => {
    const label = fc.constantFrom('a', 'b', 'c');
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    const pattern = fc.tuple(fc.boolean(), name).map(([wild, text]) => (wild ? `*.${text}` : text));
    fc.assert(
      fc.property(fc.uniqueArray(pattern), name, (patterns, host) => {
        const found = new ServerNames(patterns.map((text) => [text, text])).find(host);
        const best = patterns
          .filter((text) => hostMatches(text, host))
          .sort((a, b) => hostRank([b], host) - hostRank([a], host))[0];
        expect(found).toBe(best ?? null);
      }),
    );
  });
});
