import { describe, expect, test } from 'vitest';
import { parseMapping } from '../../../src/cli/mapping.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';

describe('ROUTE=TARGET', () => {
  test.each([
    ['/api=3000', null, '/api', false, ['localhost:3000'], ''],
    ['/=5173', null, '/', false, ['localhost:5173'], ''],
    ['/api/=3000', null, '/api', true, ['localhost:3000'], ''],
    ['/a/b/=3000', null, '/a/b', true, ['localhost:3000'], ''],
    ['/api=:3000', null, '/api', false, ['localhost:3000'], ''],
    ['/api=host:3000', null, '/api', false, ['host:3000'], ''],
    ['/api=10.0.0.7:3000', null, '/api', false, ['10.0.0.7:3000'], ''],
    ['/api=[::1]:3000', null, '/api', false, ['[::1]:3000'], ''],
    ['/api=3000,3001', null, '/api', false, ['localhost:3000', 'localhost:3001'], ''],
    ['/api=a:1,b:2', null, '/api', false, ['a:1', 'b:2'], ''],
    ['app.localhost=3000', 'app.localhost', '/', false, ['localhost:3000'], ''],
    ['App.Localhost=3000', 'app.localhost', '/', false, ['localhost:3000'], ''],
    ['app.localhost/api=3000', 'app.localhost', '/api', false, ['localhost:3000'], ''],
    ['app.localhost/api/=3000', 'app.localhost', '/api', true, ['localhost:3000'], ''],
    ['app.localhost/=3000', 'app.localhost', '/', false, ['localhost:3000'], ''],
    ['*.test.localhost=3000', '*.test.localhost', '/', false, ['localhost:3000'], ''],
    ['localhost/x=3000', 'localhost', '/x', false, ['localhost:3000'], ''],
    ['/api=http://localhost:3000', null, '/api', false, ['http://localhost:3000'], ''],
    ['/api=http://localhost:3000/v2/', null, '/api', false, ['http://localhost:3000'], '/v2'],
    ['/api=https://api.example.com', null, '/api', false, ['https://api.example.com'], ''],
    ['/api=https://api.example.com/', null, '/api', false, ['https://api.example.com'], ''],
    ['/api=https://api.example.com:8443/v2/x', null, '/api', false, ['https://api.example.com:8443'], '/v2/x'],
    ['/a=b=https://h.test', null, '/a', false, null, ''],
    ['/caf%C3%A9=3000', null, '/caf%C3%A9', false, ['localhost:3000'], ''],
  ])('%s', (argument, host, path, strips, addresses, basePath) => {
    if (addresses === null) {
      expect(() => parseMapping(argument)).toThrow(UsageError);
      return;
    }
    expect(parseMapping(argument)).toMatchObject({ host, path, strips, target: { addresses, basePath } });
  });

  test.each([
    ['/api=3000', false],
    ['/api=http://localhost:1', false],
    ['/api=http://127.0.0.1:1', false],
    ['/api=http://[::1]:1', false],
    ['/api=http://api.localhost:1', false],
    ['/api=other-machine:1', false],
    ['/api=https://api.example.com', true],
    ['/api=http://10.0.0.7:1', true],
  ])('%s is a site with a name of its own: %s', (argument, isElsewhere) => {
    expect(parseMapping(argument).target.isElsewhere).toBe(isElsewhere);
  });
});

describe('an error names the argument and shows a correct form', () => {
  const FORMS = 'For example: /api=3000, /api/=host:3000, app.localhost=5173, /api=https://api.example.com/v2';
  test.each([
    ['/api', '“/api” is not ROUTE=TARGET', FORMS],
    ['3000', '“3000” is not ROUTE=TARGET', 'Did you mean “/=3000”?'],
    ['host:3000', '“host:3000” is not ROUTE=TARGET', 'Did you mean “/=host:3000”?'],
    ['=3000', '“=3000” is not ROUTE=TARGET', 'Did you mean “/=3000”?'],
    [
      'api=3000',
      '“api” in “api=3000” is neither a path nor a host',
      'A path begins with a slash: /api=3000. A host has a dot: api.localhost=3000',
    ],
    ['a b.test=3000', '“a b.test” in “a b.test=3000” is neither a path nor a host', FORMS],
    [
      '/api/**=3000',
      '“/api/**” in “/api/**=3000” needs no wildcard',
      'A path stands for everything below it: /api=3000',
    ],
    ['/*=3000', '“/*” in “/*=3000” needs no wildcard', 'A path stands for everything below it: /=3000'],
    ['/a b=3000', '“/a b” in “/a b=3000” is not a path', FORMS],
    ['/a//b=3000', '“/a//b” in “/a//b=3000” is not a path', FORMS],
    ['//a=3000', '“//a” in “//a=3000” is not a path', FORMS],
    ['/{id}=3000', '“/{id}” in “/{id}=3000” is not a path', FORMS],
    ['/a?b=3000', '“/a?b” in “/a?b=3000” is not a path', FORMS],
    ['/api=', '“/api=” has no target', 'For example: /api=3000'],
    ['/api=3000,', '“” in “/api=3000,” is not a target', 'A host needs a port: /api=host:3000'],
    ['/api=70000', '“70000” in “/api=70000” is not a target', 'A port is a number from 1 to 65535: /api=3000'],
    ['/api=0', '“0” in “/api=0” is not a target', 'A port is a number from 1 to 65535: /api=3000'],
    ['/api=host', '“host” in “/api=host” is not a target', 'A host needs a port: /api=host:3000'],
    ['/api=host:', '“host:” in “/api=host:” is not a target', 'A target is PORT, HOST:PORT or a URL: /api=3000'],
    [
      '/api=host:3000/v2',
      '“host:3000/v2” in “/api=host:3000/v2” is not a target',
      'A target with a path is a URL: /api=http://host:3000/v2',
    ],
    [
      '/api=3000/v2',
      '“3000/v2” in “/api=3000/v2” is not a target',
      'A target with a path is a URL: /api=http://localhost:3000/v2',
    ],
    ['/api=ftp://h', '“ftp://h” in “/api=ftp://h” is not a target', 'A target is PORT, HOST:PORT or a URL: /api=3000'],
    [
      '/api=http://:3000',
      '“http://:3000” in “/api=http://:3000” is not a target',
      'A URL has a host: /api=http://localhost:3000',
    ],
    [
      '/api=https://h/a?b',
      '“https://h/a?b” in “/api=https://h/a?b” is not a target',
      'A target is PORT, HOST:PORT or a URL: /api=3000',
    ],
    [
      '/api=https://u:p@h',
      '“https://u:p@h” in “/api=https://u:p@h” is not a target',
      'A target is PORT, HOST:PORT or a URL: /api=3000',
    ],
    [
      '/api=https://h/a,https://i/b',
      'The targets of “/api=https://h/a,https://i/b” have different paths',
      'Give all the same path, or none',
    ],
    [
      '/api=3000,https://i.test',
      '“/api=3000,https://i.test” mixes sites with services of this machine',
      'A site is asked by its own name, a service by yours: give each a route of its own',
    ],
    ['/api=3000,3000', '“/api=3000,3000” names localhost:3000 twice', 'Name each target once'],
  ])('%s', (argument, message, hint) => {
    let thrown: unknown;
    try {
      parseMapping(argument);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(UsageError);
    expect(thrown).toMatchObject({ message, hint });
  });
});
