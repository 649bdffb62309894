import { expect, test } from 'vitest';
import { configFromObject } from '../../../src/config/load.ts';
import type { ConfigInput } from '../../../src/config/schema/config.ts';
import { fileNameOf, localNames } from '../../../src/control/certificates/local-names.ts';

function namesOf(listener: string, config: ConfigInput) {
  const loaded = configFromObject(config);
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ message }) => message).join('\n'));
  return localNames(listener, loaded.config.listeners[listener]?.tls?.names, loaded.config);
}

test('without names: what the machine calls itself, and every host that a route of the listener asks for', () => {
  const config: ConfigInput = {
    listeners: { web: { port: 0, tls: {} }, other: { port: 0, tls: {} } },
    routes: [
      { match: { host: ['Shop.test', '*.dev.test'] }, respond: {} },
      {
        match: { path: '/a', any: [{ host: 'any.test' }, { all: [{ sni: 'sni.test' }] }], not: { host: 'not.test' } },
        respond: {},
      },
      { match: { host: '[2001:db8::1]' }, respond: {} },
      { match: { host: 'other.test' }, listeners: 'other', respond: {} },
    ],
  };
  expect(namesOf('web', config)).toEqual({
    names: ['localhost', '*.localhost', '127.0.0.1', '::1'],
    hosts: ['shop.test', '*.dev.test', 'any.test', 'sni.test', '2001:db8::1'],
  });
});

test('with names: those and no others', () => {
  const config: ConfigInput = {
    listeners: { web: { port: 0, tls: { names: ['Shop.test', '10.0.0.1'] } } },
    routes: [{ match: { host: 'api.test' }, respond: {} }],
  };
  expect(namesOf('web', config)).toEqual({ names: ['shop.test', '10.0.0.1'], hosts: [] });
});

test.each([
  '',
  '*',
  '*.',
  'a b',
  'a/b',
  'https://a.test',
  'a.test:443',
  '[::1]',
  '-a.test',
  'a..b',
  'x.*.test',
  'a'.repeat(64),
  'bücher.test',
])('“%s” is not a name that can be minted', (name) => {
  const loaded = configFromObject({ listeners: { web: { port: 0, tls: { names: [name] } } } });
  expect(loaded.ok).toBe(false);
});

test.each([
  [['app.localhost'], 'app.localhost'],
  [['_dmarc.test'], '_dmarc.test'],
  [['*.dev.test'], '_.dev.test'],
  [['::1'], '__1'],
  [['con.localhost'], '_con.localhost'],
  [['com1'], '_com1'],
  [['console.test'], 'console.test'],
  [['a-key'], 'a-key_'],
])('the files of %s are called %s', (names, file) => {
  expect(fileNameOf(names)).toBe(file);
});

test('file names are short, and have a digest where they are not the name itself', () => {
  const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.test`;
  expect(fileNameOf([long])).toMatch(/^a{60}\.b{19}\+0\.[0-9a-f]{12}$/);
  expect(fileNameOf(['localhost', '::1'])).toMatch(/^localhost\+1\.[0-9a-f]{12}$/);
  expect(fileNameOf(['localhost', '::1'])).not.toBe(fileNameOf(['localhost', '::2']));
});
