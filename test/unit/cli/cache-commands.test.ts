import { describe, expect, test } from 'vitest';
import type { AdminAccess } from '../../../src/cli/admin-client.ts';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { askedOf } from '../../kit/command-line.ts';
import { forwardTo } from '../../kit/config.ts';
import { fickleOrigin } from '../../kit/fickle-origin.ts';
import { startTestGateway } from '../../kit/gateway.ts';

const run = (line: string, access: AdminAccess) => askedOf(access, line);

async function aGateway() {
  const page = { status: 200, headers: { 'cache-control': 'max-age=60', 'cache-tag': 'list' }, body: 'x'.repeat(2000) };
  const shop = await fickleOrigin('http1', [page, { status: 200, headers: { 'cache-control': 'private' } }]);
  const gateway = await startTestGateway(forwardTo(shop, { route: { cache: true } }));
  const url = gateway.url();
  await (await fetch(`${url}/a`)).text();
  await (await fetch(`${url}/a`)).text();
  await (await fetch(`${url}/own`)).text();
  for (let i = 0; i < 3; i += 1) await gateway.nextRecord();
  return { url, access: { url: new URL(gateway.gateway.adminUrl), token: null } };
}

describe('the command line', () => {
  test('tells what the cache has done, and what it holds for a URL', async () => {
    const { url, access } = await aGateway();
    const { code, out } = await run('cache', access);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^1 stored, \d\.\d KiB, 0 evicted, 0 being refreshed\n\nROUTE +REQUESTS +HITS .*NOT STORED +BYPASS\n/,
    );
    expect(out).toMatch(/\nall +3 +33\.3 % +2\.0 KiB +2\.0 KiB +1 +private 1\n$/);
    const one = await run(`cache ${url}/a`, access);
    expect(one.out).toMatch(/\/a {2}200, 0 s old, fresh for \d+ s, \d\.\d KiB, route all\n {2}tags: list\n/);
    expect((await run(`cache ${url}/b`, access)).out).toBe(`Nothing is stored for ${url}/b\n`);
    expect(JSON.parse((await run('cache --json', access)).out)).toMatchObject({ entries: 1 });
  });

  test('purges, softly unless told otherwise', async () => {
    const { url, access } = await aGateway();
    expect(await run(`purge ${url}/a`, access)).toEqual({ code: 0, out: '1 stored response marked stale\n', err: '' });
    expect((await run(`cache ${url}/a`, access)).out).toMatch(/, stale for \d+ s, /);
    expect((await run('purge --tag other --tag list --hard', access)).out).toBe('1 stored response dropped\n');
    expect((await run('purge --all --json', access)).out).toBe('{"kind":"all","mode":"soft","purged":0}\n');
  });

  test('says what is wrong with what it was given', async () => {
    const { access } = await aGateway();
    expect(await run('purge --host a/b', access)).toMatchObject({ code: 1, err: 'headgate: “a/b” is not a host\n' });
  });

  test.each([
    ['purge', '“headgate purge” needs a URL, --prefix, --host, --tag or --all'],
    ['purge /a', '“/a” is not a URL'],
    ['purge --all --host a', '“headgate purge” takes one of them at a time'],
    ['purge http://a/ http://b/', '“headgate purge” does not take “http://b/”'],
    ['cache --hard', /--hard/],
    ['purgee --all', '“purgee” is not a command'],
  ])('headgate %s', (line, message) => {
    expect(() => parseArguments(line.split(' '), {})).toThrow(UsageError);
    expect(() => parseArguments(line.split(' '), {})).toThrow(message);
  });
});
