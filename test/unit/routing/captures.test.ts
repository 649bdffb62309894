import { describe, expect, test } from 'vitest';
import type { PathMatch } from '../../../src/routing/route.ts';
import { RouteTable } from '../../../src/routing/route-table.ts';
import { exact, pattern, prefix, regex, request, rules } from './rules.ts';

function captured(path: PathMatch, asked: string): readonly string[] | null {
  return RouteTable.of(rules({ path })).match(request({ path: asked }))?.captures ?? null;
}

describe('captures of patterns', () => {
  test.each([
    ['/users/7', ['id', '7']],
    ['/users/a%2Fb', ['id', 'a%2Fb']],
    ['/users/', null],
    ['/users', null],
    ['/users/7/', null],
  ])('{id} is one segment, never empty, in the bytes of the path: %s', (path, expected) => {
    expect(captured(pattern('/users/{id}'), path)).toEqual(expected);
  });

  test.each([
    ['/files/a/b.txt', ['rest', 'a/b.txt']],
    ['/files/a/', ['rest', 'a/']],
    ['/files/', ['rest', '']],
    ['/files', ['rest', '']],
    ['/filesystem', null],
  ])('{rest...} holds what /** holds and is what stands after the slash: %s', (path, expected) => {
    expect(captured(pattern('/files/{rest...}'), path)).toEqual(expected);
    expect(captured(prefix('/files'), path)).toEqual(expected === null ? null : []);
  });

  test('{rest...} alone is the whole path without its slash', () => {
    expect(captured(pattern('/{rest...}'), '/a/b')).toEqual(['rest', 'a/b']);
    expect(captured(pattern('/{rest...}'), '/')).toEqual(['rest', '']);
  });

  test('several captures come in the order of the path', () => {
    expect(captured(pattern('/{a}/x/{b}/{c...}'), '/1/x/2/3/4')).toEqual(['a', '1', 'b', '2', 'c', '3/4']);
    expect(captured(pattern('/{a}/{b}/**'), '/1/2/3')).toEqual(['a', '1', 'b', '2']);
  });

  test('branches that were tried in vain leave nothing behind', () => {
    const table = RouteTable.of(
      rules(
        { path: pattern('/a/{x}/{y}/z') },
        { path: pattern('/{p}/b/{q}/w') },
        { path: pattern('/{only}/{rest...}') },
      ),
    );
    expect(table.match(request({ path: '/a/b/c/w' }))?.captures).toEqual(['p', 'a', 'q', 'c']);
    expect(table.match(request({ path: '/a/b/c/d' }))?.captures).toEqual(['only', 'a', 'rest', 'b/c/d']);
  });

  test('more captures than usual are all there', () => {
    const names = Array.from({ length: 30 }, (_, i) => `c${i}`);
    const path = `/${names.map((name) => `{${name}}`).join('/')}`;
    const values = names.map((_, i) => String(i));
    expect(captured(pattern(path), `/${values.join('/')}`)).toEqual(names.flatMap((name, i) => [name, String(i)]));
  });
});

describe('captures of regexes', () => {
  test('named groups are captured in their order, unnamed ones are not', () => {
    expect(captured(regex('^/(?<kind>[a-z]+)/([0-9]+)/(?P<id>[0-9]+)'), '/user/1/2')).toEqual([
      'kind',
      'user',
      'id',
      '2',
    ]);
  });

  test('a group that took no part is empty', () => {
    expect(captured(regex('^/a(?:/(?<b>b))?'), '/a/c')).toEqual(['b', '']);
  });
});

describe('what a match returns', () => {
  test('without captures it is one frozen object per rule', () => {
    const table = RouteTable.of(rules({ path: exact('/a') }));
    const first = table.match(request({ path: '/a' }));
    expect(first).toBe(table.match(request({ path: '/a' })));
    expect(Object.isFrozen(first)).toBe(true);
  });

  test('with captures it is a new one each time', () => {
    const table = RouteTable.of(rules({ path: pattern('/{a}') }));
    expect(table.match(request({ path: '/1' }))?.captures).toEqual(['a', '1']);
    expect(table.match(request({ path: '/2' }))?.captures).toEqual(['a', '2']);
  });
});
