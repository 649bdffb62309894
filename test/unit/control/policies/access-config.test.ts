import { expect, test } from 'vitest';
import { mistakesIn } from '../../../../src/cli/compile-only.ts';
import { configFromObject } from '../../../../src/config/load.ts';
import type { ConfigInput } from '../../../../src/config/schema/config.ts';

type Route = NonNullable<ConfigInput['routes']>[number];

/** What `headgate check` says of a route, with the place of each. */
function mistakes(route: unknown): readonly string[] {
  const loaded = configFromObject({
    listeners: { small: { port: 0, limits: { headerBytes: '4k', headerCount: 10 } }, web: { port: 0 } },
    routes: [{ respond: {}, ...(route as Partial<Route>) }],
  });
  return (loaded.ok ? mistakesIn(loaded) : loaded.diagnostics).map(({ message }) => message);
}

test.each<readonly [unknown, readonly string[]]>([
  [{ access: { deny: '10.0.0.0/8' } }, []],
  [
    { access: { deny: ['10.0.0.0/8', 'shop.test', '10.0.0.0/33'] } },
    ['"shop.test" is not an IP address', '"10.0.0.0/33" needs a prefix length from 0 to 32 after the "/"'],
  ],
  [{ access: { allow: '::ffff:10.0.0.1' } }, ['"::ffff:10.0.0.1" is IPv4 in IPv6 notation: write the IPv4 network']],
  [{ access: { allow: { file: '/nowhere/list.txt' } } }, ['cannot use /nowhere/list.txt: ENOENT']],
  [{ access: {} }, ['say who may come in: one of deny, allow, methods, rules']],
  [{ access: { rules: [{ name: 'none' }] } }, ['a rule has one of allow and deny']],
  [{ access: { rules: [{ allow: {}, deny: {} }] } }, ['a rule has one of allow and deny']],
  [
    { access: { rules: [{ deny: { path: { regex: '(' } } }] } },
    [expect.stringMatching(/not a regular expression|missing/)],
  ],
  [{ access: { rules: [{ deny: { any: [{ client: 'x' }] } }] } }, ['"x" is not an IP address']],
  [{ limits: { headerBytes: '16k', headerCount: 100, body: '1G' } }, []],
  [{ limits: { headerBytes: '32k' } }, ['no listener takes more than 16k: raise its limits.headerBytes']],
  [{ limits: { headerCount: 101 } }, ['no listener takes more than 100 fields: raise its limits.headerCount']],
  [{ guards: { exclude: ['sql-unoin'] } }, [expect.stringContaining('sql-unoin')]],
  [{ paths: { semicolon: 'forbid' } }, [expect.stringContaining('forbid')]],
])('%j: %j', (route, expected) => {
  expect(mistakes(route)).toEqual(expected);
});
