import { describe, expect, test } from 'vitest';
import { apply304 } from '../../../src/cache/revalidate.ts';
import { isTag, listTags, packTags, stripTags } from '../../../src/cache/tags.ts';
import { getHeader, type HeaderDraft } from '../../../src/http/headers.ts';
import { allowed, at, entryOf, get, ok, policy, T0 } from './origin.ts';

const BOTH = { fields: ['cache-tag', 'surrogate-key'], pass: false };

describe('tags of a response', () => {
  test.each<[string, HeaderDraft, readonly string[]]>([
    ['there are none', ['X-Own', 'a'], []],
    ['commas separate them', ['Cache-Tag', 'a,b , c'], ['a', 'b', 'c']],
    ['blanks separate them', ['Surrogate-Key', 'a b\tc'], ['a', 'b', 'c']],
    [
      'several fields add up, and each is there once',
      ['cache-tag', 'a', 'SURROGATE-KEY', 'b a', 'Cache-Tag', 'c'],
      'abc'.split(''),
    ],
    ['case matters', ['Cache-Tag', 'a,A'], ['a', 'A']],
    ['empty members are none', ['Cache-Tag', ' ,, '], []],
  ])('%s', (_what, headers, tags) => {
    const packed = packTags(headers, BOTH);
    expect(packed === null ? null : listTags(packed)).toEqual(tags);
  });

  test('more of them than can be kept are none at all', () => {
    const many = Array.from({ length: 4000 }, (_, i) => `tag${i}`).join(' ');
    expect(packTags(['Surrogate-Key', many], BOTH)).toBeNull();
    expect(packTags(['Cache-Tag', 'x'.repeat(1025)], BOTH)).toBeNull();
    expect(packTags(['Cache-Tag', 'x'.repeat(1024)], BOTH)).not.toBeNull();
  });

  test('are not for clients, unless wanted', () => {
    const draft = ['Cache-Tag', 'a', 'X', 'y'];
    stripTags(draft, { ...BOTH, pass: true });
    expect(draft).toHaveLength(4);
    stripTags(draft, BOTH);
    expect(draft).toEqual(['X', 'y']);
  });

  test.each([
    ['a', true],
    ['a:b/1', true],
    ['', false],
    ['a b', false],
    ['a,b', false],
  ])('“%s” can be one: %j', (text, can) => {
    expect(isTag(text)).toBe(can);
  });
});

describe('tags of a stored response', () => {
  const page = entryOf(ok(['Cache-Control', 'max-age=60', 'ETag', '"1"', 'Cache-Tag', 'p,q']));
  const confirmed = (headers: string[]) =>
    apply304(page, { request: get(), head: { status: 304, headers }, policy, times: at(T0) });

  test('are known, and weigh', () => {
    expect(page.tags).toBe(' p q ');
    expect(page.bytes - entryOf(ok(['Cache-Control', 'max-age=60', 'ETag', '"1"'])).bytes).toBeGreaterThanOrEqual(5);
    expect(allowed(get(), ok(['Cache-Control', 'max-age=60'])).tags).toBe('');
  });

  test('stay when a 304 has none, and are replaced when it has', () => {
    expect(confirmed([]).keep?.tags).toBe(' p q ');
    const { keep, serve } = confirmed(['Cache-Tag', 'r']);
    expect(keep?.tags).toBe(' r ');
    expect(getHeader(serve.headers, 'cache-tag')).toBeNull();
  });

  test('do not reach the client of a 304 that forbids to store', () => {
    const { keep, serve } = confirmed(['Cache-Control', 'private', 'Cache-Tag', 'r']);
    expect(keep).toBeNull();
    expect(getHeader(serve.headers, 'cache-tag')).toBeNull();
  });
});
