import { describe, expect, test } from 'vitest';
import { compileLocationRewrite, type LocationContext, type LocationOptions } from '../../../src/policy/location.ts';

const context: LocationContext = {
  upstreamScheme: 'http',
  endpointAuthority: '10.0.0.1:3000',
  sentAuthority: 'shop.test:8443',
  clientScheme: 'https',
  clientAuthority: 'shop.test:8443',
  path: '/api/users',
};

function mapped(
  location: string,
  options: Partial<LocationOptions> = {},
  facts: Partial<LocationContext> = {},
): string {
  const draft = ['Location', location];
  compileLocationRewrite({ rewrite: null, matchedPrefix: null, ...options })(draft, { ...context, ...facts });
  return draft[1] as string;
}

describe('the origin', () => {
  test.each([
    ['http://10.0.0.1:3000/login?a#b', 'https://shop.test:8443/login?a#b'],
    ['HTTP://10.0.0.1:3000', 'https://shop.test:8443/'],
    ['http://10.0.0.1:3000?a', 'https://shop.test:8443/?a'],
    ['//10.0.0.1:3000/x', 'https://shop.test:8443/x'],
    ['http://Shop.test:8443/x', 'https://shop.test:8443/x'],
    ['http://10.0.0.1:3000//evil.test/', 'https://shop.test:8443//evil.test/'],
  ])('%s is the endpoint itself: %s', (location, result) => {
    expect(mapped(location)).toBe(result);
  });

  test.each([
    'https://10.0.0.1:3000/x',
    'http://10.0.0.1:3001/x',
    'http://10.0.0.1/x',
    'http://10.0.0.1:3000@evil.test/x',
    'http://user@10.0.0.1:3000/x',
    'https://accounts.example.com/login?next=http://10.0.0.1:3000/',
    'http://10.0.0.1:30001/',
    '//cdn.example.com/x',
    'login',
    '../x',
    '?page=2',
    '#top',
    '',
    'mailto:a@example.com',
    'http:/x',
    'http:///x',
  ])('%j is not: untouched', (location) => {
    expect(mapped(location, { rewrite: { stripPrefix: '/api' } })).toBe(location);
  });

  test('a default port is the same as none', () => {
    expect(mapped('http://10.0.0.1/x', {}, { endpointAuthority: '10.0.0.1:80' })).toBe('https://shop.test:8443/x');
    const secure = { upstreamScheme: 'https', endpointAuthority: '[::1]:443' } as const;
    expect(mapped('https://[::1]/x', {}, secure)).toBe('https://shop.test:8443/x');
  });

  test('without a Host of the client the path alone is left, and stays a path', () => {
    const none = { clientAuthority: '', sentAuthority: '' };
    expect(mapped('http://10.0.0.1:3000/x', {}, none)).toBe('/x');
    expect(mapped('http://10.0.0.1:3000//evil.test/', {}, none)).toBe('/evil.test/');
    expect(mapped('http://10.0.0.1:3000\\/evil.test/', {}, none)).toBe('/evil.test/');
  });
});

describe('a stripped prefix is put back', () => {
  const options = { rewrite: { stripPrefix: '/api/' } };
  test.each([
    ['/login', '/api/login'],
    ['/login?next=/x#/y', '/api/login?next=/x#/y'],
    ['/', '/api/'],
    ['/?a', '/api/?a'],
    ['http://10.0.0.1:3000/login', 'https://shop.test:8443/api/login'],
    ['http://10.0.0.1:3000', 'https://shop.test:8443/api/'],
    ['https://shop.test:8443/login', 'https://shop.test:8443/api/login'],
  ])('%s becomes %s', (location, result) => {
    expect(mapped(location, options)).toBe(result);
  });

  test.each(['/api/login', '/api', '/api?x'])('%s has it already', (location) => {
    expect(mapped(location, options)).toBe(location);
  });

  test('only where one was stripped', () => {
    expect(mapped('/login', options, { path: '/other' })).toBe('/login');
    expect(mapped('/login', options, { path: '/apiary' })).toBe('/login');
  });

  test('stripping the root changes nothing', () => {
    expect(mapped('/login', { rewrite: { stripPrefix: '/' } })).toBe('/login');
  });
});

describe('a replaced prefix is put back', () => {
  test.each([
    ['/v2', '/v2/x', '/api/x'],
    ['/v2', '/v2', '/api'],
    ['/v2', '/v2?a', '/api?a'],
    ['/v2', '/v22/x', '/v22/x'],
    ['/v2', '/other', '/other'],
    ['/api/v2', '/api/v2/x', '/api/x'],
    ['/api/v2', '/api/x', '/api/x'],
    ['/', '/x', '/api/x'],
    ['/v2', '/v2//evil.test', '/api//evil.test'],
  ])('with %s for /api, %s becomes %s', (prefix, location, result) => {
    expect(mapped(location, { rewrite: { prefix }, matchedPrefix: '/api' })).toBe(result);
  });

  test('a result never becomes another host', () => {
    const options = { rewrite: { prefix: '/v2' }, matchedPrefix: '/' };
    expect(mapped('/v2//evil.test/', options)).toBe('/evil.test/');
    expect(mapped('/v2/\\evil.test/', options)).toBe('/evil.test/');
    expect(mapped('/v2', options)).toBe('/');
  });
});

test.each([{ path: '/fixed' }, { regex: '^/api', replace: '' }])('%j can not be undone: only the origin', (rewrite) => {
  expect(mapped('/login', { rewrite })).toBe('/login');
  expect(mapped('http://10.0.0.1:3000/login', { rewrite })).toBe('https://shop.test:8443/login');
});

test('Content-Location is mapped too, other fields are not (RFC 9110 §8.7)', () => {
  const draft = ['content-location', '/doc', 'Link', '</doc>', 'LOCATION', '/x'];
  compileLocationRewrite({ rewrite: { stripPrefix: '/api' }, matchedPrefix: '/api' })(draft, context);
  expect(draft).toEqual(['content-location', '/api/doc', 'Link', '</doc>', 'LOCATION', '/api/x']);
});
