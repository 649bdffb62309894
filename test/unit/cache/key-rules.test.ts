import { expect, test } from 'vitest';
import { invalidate } from '../../../src/cache/invalidate.ts';
import { primaryKey } from '../../../src/cache/key.ts';
import { KeyRules, ruleText } from '../../../src/cache/key-rules.ts';
import { keyedQuery, parameterNames, type QueryRule } from '../../../src/cache/query-rule.ts';
import { entryOf, get, ok, smallStore } from './origin.ts';

const none: QueryRule = { kind: 'none' };
const sorted: QueryRule = { kind: 'parameters', sort: true, keep: null, drop: null };

function dropping(...names: readonly string[]): QueryRule {
  return { kind: 'parameters', sort: false, keep: null, drop: parameterNames(names, 'exact') };
}

function rulesOf(...inUse: readonly QueryRule[]): KeyRules {
  const rules = new KeyRules();
  rules.adopt(inUse);
  return rules;
}

const target = { scheme: 'http', host: 'shop.test:80', path: '/a', query: 'b=2&a=1&utm_x=3' };

test('a URI has one key for each rule that makes another of it', () => {
  expect(new KeyRules().keysOf(target)).toEqual(['http://shop.test/a?b=2&a=1&utm_x=3']);
  expect(rulesOf(none, sorted, dropping('utm_*'), dropping('utm_*', 'x')).keysOf(target)).toEqual([
    'http://shop.test/a?b=2&a=1&utm_x=3',
    'http://shop.test/a',
    'http://shop.test/a?a=1&b=2&utm_x=3',
    'http://shop.test/a?b=2&a=1',
  ]);
});

test('rules that no route has any longer are remembered for a while', () => {
  const rules = rulesOf(none);
  rules.adopt([]);
  expect(rules.keysOf(target)).toHaveLength(2);
  for (let i = 0; i < 70; i += 1) rules.adopt([dropping(`p${i}`)]);
  expect(rules.keysOf({ ...target, query: 'x=1' })).toEqual(['http://shop.test/a?x=1']);
  expect(rules.keysOf({ ...target, query: 'p69=1' })).toHaveLength(2);
});

test('all rules in use are kept, however many there are', () => {
  const many = Array.from({ length: 100 }, (_, i) => dropping(`p${i}`));
  const rules = rulesOf(...many);
  rules.adopt(many.toReversed());
  expect(many.every((_, i) => rules.keysOf({ ...target, query: `p${i}=1` }).length === 2)).toBe(true);
});

test('a rule is told by its text', () => {
  expect(ruleText(dropping('a', 'b*'))).toBe(ruleText(dropping('b*', 'a')));
  const texts = [none, sorted, dropping('a'), dropping('a*'), { ...sorted, keep: parameterNames(['a'], 'lower') }];
  expect(new Set(texts.map(ruleText)).size).toBe(texts.length);
});

test('§4.4 an unsafe request invalidates what any route has stored for its URI, and for the one in Location', () => {
  const store = smallStore();
  for (const rule of [none, sorted, null]) {
    for (const [path, query] of [
      ['/a', 'b=2&a=1'],
      ['/c', 'z=1&y=2'],
    ] as const) {
      const keyQuery = rule === null ? query : keyedQuery(query, rule);
      for (const partition of ['one', 'two']) {
        const entry = entryOf(ok(['Cache-Control', 'max-age=60']), {
          request: { ...get([], { path, query, partition }), keyQuery },
        });
        expect(entry.key).toBe(primaryKey({ ...get([], { path, query }), keyQuery }));
        store.set(entry);
      }
    }
  }
  expect(store.entries).toBe(12);
  const request = get([], { path: '/a', query: 'b=2&a=1', method: 'POST' });
  const response = { status: 201, headers: ['Location', '/c?z=1&y=2'] };
  expect(invalidate(store, request, response, rulesOf(none, sorted))).toBe(12);
  expect(store.entries).toBe(0);
});
